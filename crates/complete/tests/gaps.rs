//! Gaps, by rhythms of several kinds.

use complete::{Gaps, Hours, Why, gaps};
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;
/// A Monday, 2026-03-02.
const MONDAY: i64 = 1_772_409_600_000 / HOUR_MS;

fn hours(all: impl Iterator<Item = (i64, u64)>) -> Hours {
    let mut hours = Hours::default();
    for (hour, records) in all.filter(|it| it.1 > 0) {
        hours.add("1", "r", (MONDAY + hour) * HOUR_MS + 1, records);
    }
    hours
}

/// From and to, in hours since that Monday.
fn found(gaps: &Gaps) -> Vec<(i64, i64)> {
    gaps.gaps.iter().map(|it| (it.from / HOUR_MS - MONDAY, it.to / HOUR_MS - MONDAY)).collect()
}

#[test]
fn an_hour_that_is_never_empty() {
    let busy = |missing: std::ops::Range<i64>, records| {
        gaps(&hours((0..14 * 24).filter(|it| !missing.contains(it)).map(|it| (it, records))))
    };
    let it = busy(200..201, 50);
    assert_eq!(found(&it), [(200, 201)]);
    assert_eq!(it.gaps[0].why, Why::Rhythm { days: 9, least: 50 });
    assert!(it.too_little.is_empty());
    // Few records may be none by chance, but not for long.
    assert_eq!(found(&busy(200..201, 5)), []);
    assert_eq!(found(&busy(200..202, 5)), [(200, 202)]);
    assert_eq!(found(&busy(200..300, 5)), [(200, 300)]);
}

#[test]
fn offices_are_empty_at_night_and_at_the_end_of_the_week() {
    let office = |hour: i64| if hour / 24 % 7 < 5 && (8..18).contains(&(hour % 24)) { 30 } else { 0 };
    let weeks = |missing: std::ops::Range<i64>| {
        gaps(&hours((0..28 * 24).filter(|it| !missing.contains(it)).map(|it| (it, office(it)))))
    };
    assert_eq!(found(&weeks(0..0)), []);
    // The second Wednesday from nine to twelve.
    let wednesday = 9 * 24;
    assert_eq!(found(&weeks(wednesday + 9..wednesday + 12)), [(wednesday + 9, wednesday + 12)]);
    // A whole day is missing: the silence begins the evening before.
    assert_eq!(found(&weeks(wednesday..wednesday + 24)), [(wednesday - 6, wednesday + 32)]);
    // A Sunday is as usual.
    assert_eq!(found(&weeks(6 * 24..7 * 24)), []);
}

#[test]
fn the_end_is_told_by_what_goes_on_elsewhere() {
    let mut all = hours((0..10 * 24).map(|it| (it, 20)));
    assert_eq!(found(&gaps(&all)), []);
    for hour in 0..13 * 24 {
        all.add("2", "r", (MONDAY + hour) * HOUR_MS, 20);
    }
    let it = gaps(&all);
    assert_eq!(found(&it), [(240, 13 * 24 - 1)]);
    assert!(it.gaps[0].is_end);
}

#[test]
fn too_little_is_said() {
    let it = gaps(&hours((0..3 * 24).filter(|it| *it != 30).map(|it| (it, 500))));
    assert_eq!((it.looked_at, it.gaps.len(), it.too_little.len()), (1, 0, 1));
    // One record with a wrong date makes no rhythm of years.
    let mut all = hours((0..14 * 24).filter(|it| *it != 200).map(|it| (it, 50)));
    all.add("1", "r", 0, 1);
    all.add("1", "r", i64::MAX, 1);
    all.add("1", "r", i64::MIN, 1);
    assert_eq!(found(&gaps(&all)), [(200, 201)]);
    assert_eq!(gaps(&Hours::default()), Gaps::default());
}

#[test]
fn a_silence_like_no_other() {
    // Every seventh hour, but for two weeks.
    let seldom = |missing: std::ops::Range<i64>| {
        gaps(&hours((0..60 * 24).filter(|it| it % 7 == 0 && !missing.contains(it)).map(|it| (it, 1))))
    };
    assert_eq!(found(&seldom(0..0)), []);
    assert_eq!(found(&seldom(500..515)), [], "less than three times as long");
    let it = seldom(500..836);
    assert_eq!(found(&it), [(498, 840)]);
    assert!(matches!(it.gaps[0].why, Why::Silence { longest: 6, others } if others > 100));
}

#[test]
fn hours_between() {
    let all = hours((0..48).map(|it| (it, 2)));
    let time = |hour: i64| (MONDAY + hour) * HOUR_MS + 60_000;
    assert_eq!(all.between("1", time(3), time(6)), 4);
    assert_eq!((all.between("1", time(3), time(4)), all.between("2", time(3), time(9))), (0, 0));
}

/// A number in the unit interval, by a generator of its own: the same every time.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

fn poisson(state: &mut u64, mean: f64) -> u64 {
    let (limit, mut product, mut count) = ((-mean.min(500.0)).exp(), uniform(state), 0);
    while product > limit {
        product *= uniform(state);
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Chance makes no gaps: of records that come as they like, at any rate, by day and night and end of week, hardly any
    /// month has one.
    #[test]
    fn chance_is_no_gap(seed in any::<u64>(), rate in 0usize..7, night in 0usize..3, weekend in 0usize..3) {
        let rate = [0.05, 0.3, 1.0, 3.0, 8.0, 15.0, 40.0][rate];
        let part = |it: usize| [0.0, 0.1, 1.0][it];
        let mut state = seed;
        let mean = |hour: i64| {
            let by_day = if (7..19).contains(&(hour % 24)) { 1.0 } else { part(night) };
            rate * by_day * if hour / 24 % 7 < 5 { 1.0 } else { part(weekend) }
        };
        let found = gaps(&hours((0..30 * 24).map(|hour| (hour, poisson(&mut state, mean(hour))))));
        prop_assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    }

    /// No hours make it panic, and a gap holds no records.
    #[test]
    fn a_gap_is_empty(all in prop::collection::btree_map(-2000i64..2000, 1u64..100, 0..300), far in prop::option::of(any::<i64>())) {
        let mut given = hours(all.iter().map(|(&hour, &records)| (hour, records)));
        if let Some(far) = far {
            given.add("1", "r", far, 1);
        }
        for (from, to) in found(&gaps(&given)) {
            prop_assert!(from < to && all.range(from..to).next().is_none());
        }
    }
}
