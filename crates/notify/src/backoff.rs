//! How long a receiver is left alone that did not take something.

use ecs::Millis;

/// After the first failure about so long.
const FIRST: Millis = 1_000;
/// And never longer than this.
pub(crate) const LONGEST: Millis = 15 * 60_000;
/// The longest time that a receiver can ask for.
pub(crate) const ASKED_MAX: Millis = 24 * 3_600_000;

/// How long to wait after so many failures in a row: twice as long each time, less up to a half, so that not all come
/// again at the same moment. What the receiver asked for is heeded.
pub(crate) fn pause(failures: u32, asked: Option<Millis>, random: u64) -> Millis {
    let doubled = FIRST << failures.saturating_sub(1).min(20);
    let whole = doubled.min(LONGEST);
    let jittered = whole - (random % (whole as u64 / 2 + 1)) as Millis;
    jittered.max(asked.unwrap_or(0).clamp(0, ASKED_MAX))
}

/// A number that looks random and follows from a seed and a place.
pub(crate) fn random(seed: u64, place: u64) -> u64 {
    // SplitMix64.
    let mut it = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    it ^ (it >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_has_an_end() {
        for failures in 1..40 {
            for place in 0..50 {
                let pause = pause(failures, None, random(7, place));
                let whole = (FIRST << (failures - 1).min(20)).min(LONGEST);
                assert!(pause >= whole / 2 && pause <= whole, "{failures}: {pause}");
            }
        }
        assert!(pause(1, Some(60_000), 0) == 60_000 && pause(1, Some(i64::MAX), 0) == ASKED_MAX);
        assert!(pause(1, Some(-5), 0) <= FIRST);
        let distinct: std::collections::BTreeSet<Millis> =
            (0..50).map(|it| pause(8, None, random(7, it))).collect();
        assert!(distinct.len() > 40, "not all come at the same moment");
    }
}
