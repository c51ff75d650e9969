//! How many records go where: an exact number in all, spread over accounts, regions and time.

use super::seed::Choice;
use super::world::World;

/// What is done in each hour of a day (UTC), in parts.
const HOURS: [u64; 24] = [4, 4, 4, 4, 4, 5, 6, 8, 10, 12, 12, 11, 11, 12, 12, 12, 11, 10, 8, 7, 6, 5, 5, 4];
/// The share of a Saturday or Sunday, in percent.
const WEEKEND: u64 = 60;
/// How much time one log file may cover, in minutes. CloudTrail delivers about every five minutes; where that
/// would make files of a few records each, files cover more.
const FILE_MINUTES: [i64; 9] = [5, 10, 15, 30, 60, 120, 240, 480, 1440];

/// The shape of the output. A stream is one account in one region; a slot is the time of one log file.
#[derive(Debug)]
pub(super) struct Plan {
    /// Seconds since 1970, the first second of the data.
    pub(super) start: i64,
    /// The first second after the data.
    pub(super) end: i64,
    pub(super) slot_seconds: i64,
    pub(super) slots: usize,
    slot_shares: Choice,
    stream_counts: Vec<u64>,
    regions: usize,
}

impl Plan {
    /// `records` ordinary records over `days` days from `start`, in files of about `per_file` records.
    pub(super) fn new(world: &World, records: u64, start: i64, days: u32, per_file: u64) -> Self {
        let regions = world.regions.len();
        let accounts = Choice::zipf(world.accounts.len());
        let region_shares = Choice::zipf(regions);
        let streams = Choice::new((0..accounts.len() * regions).map(|stream| {
            let (account, region) = (stream / regions, stream % regions);
            share(&accounts, account) * share(&region_shares, region)
        }));
        let minutes = FILE_MINUTES
            .into_iter()
            .find(|minutes| {
                let files = streams.len() as u64 * u64::from(days) * (1440 / minutes.unsigned_abs());
                records / files >= per_file
            })
            .unwrap_or(1440);
        let slot_seconds = minutes * 60;
        let slots = (i64::from(days) * 86_400 / slot_seconds) as usize;
        let slot_shares =
            Choice::new((0..slots as i64).map(|slot| activity(start + slot * slot_seconds, minutes)));
        Self {
            start,
            end: start + i64::from(days) * 86_400,
            slot_seconds,
            slots,
            slot_shares,
            stream_counts: (0..streams.len()).map(|stream| part(&streams, stream, records)).collect(),
            regions,
        }
    }

    pub(super) fn streams(&self) -> usize {
        self.stream_counts.len()
    }

    pub(super) fn stream(&self, account: usize, region: usize) -> usize {
        account * self.regions + region
    }

    /// The account and the region of a stream.
    pub(super) fn place(&self, stream: usize) -> (usize, usize) {
        (stream / self.regions, stream % self.regions)
    }

    /// How many ordinary records a stream has in a slot.
    pub(super) fn count(&self, stream: usize, slot: usize) -> u64 {
        part(&self.slot_shares, slot, self.stream_counts[stream])
    }

    pub(super) fn slot_start(&self, slot: usize) -> i64 {
        self.start + slot as i64 * self.slot_seconds
    }
}

fn share(choice: &Choice, index: usize) -> u64 {
    // 16 bits are enough for a share, and leave room for the product of two.
    (choice.before(index + 1) - choice.before(index)) * 65_536 / choice.total() + 1
}

/// The part of `total` that falls to `index`. The parts add up to `total` exactly.
fn part(shares: &Choice, index: usize, total: u64) -> u64 {
    let until =
        |index| (u128::from(total) * u128::from(shares.before(index)) / u128::from(shares.total())) as u64;
    until(index + 1) - until(index)
}

/// How much is done in the `minutes` from this second on, in parts.
fn activity(seconds: i64, minutes: i64) -> u64 {
    let weekday = (seconds.div_euclid(86_400) + 3).rem_euclid(7);
    let day = if weekday < 5 { 100 } else { WEEKEND };
    let hour = |minute: i64| HOURS[((seconds + minute * 60).rem_euclid(86_400) / 3600) as usize];
    let parts: u64 = (0..minutes).step_by(5).map(hour).sum();
    parts * day
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::catalogue::Catalogue;
    use crate::generate::world::Size;

    fn world(accounts: usize, regions: usize) -> World {
        let catalogue = Catalogue::load().unwrap();
        World::new(3, Size { accounts, regions, principals: 12 }, &catalogue)
    }

    #[test]
    fn parts_add_up_exactly() {
        let world = world(5, 3);
        for records in [0, 1, 17, 12_345] {
            let plan = Plan::new(&world, records, 1_772_409_600, 3, 20);
            let counts = |stream| (0..plan.slots).map(|slot| plan.count(stream, slot)).sum::<u64>();
            assert_eq!((0..plan.streams()).map(counts).sum::<u64>(), records);
        }
    }

    #[test]
    fn days_are_busier_than_nights_and_weekends() {
        let world = world(1, 1);
        let monday = 1_772_409_600; // 2026-03-02T00:00:00Z
        let plan = Plan::new(&world, 100_000, monday, 7, 100);
        let between = |from: i64, to: i64| -> u64 {
            (0..plan.slots)
                .filter(|&slot| (from..to).contains(&plan.slot_start(slot)))
                .map(|slot| plan.count(0, slot))
                .sum()
        };
        let hour = |day: i64, hour: i64| monday + day * 86_400 + hour * 3600;
        assert!(between(hour(0, 12), hour(0, 16)) > 2 * between(hour(0, 0), hour(0, 4)));
        assert!(between(hour(2, 0), hour(3, 0)) > between(hour(5, 0), hour(6, 0)));
    }

    #[test]
    fn files_cover_more_time_where_little_happens() {
        let world = world(2, 2);
        let slot = |records| Plan::new(&world, records, 1_772_409_600, 10, 100).slot_seconds;
        assert_eq!(slot(2_000), 86_400);
        assert_eq!(slot(50_000_000), 300);
    }
}
