//! Rules that change while others go on.

use ecs::Millis;
use live::{Book, Engine, Options};
use rule::{Exceptions, Rule, Selection};

use crate::memory::Memory;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
/// A midnight.
const START: Millis = 1_772_323_200_000;

fn rule(interval: &str) -> Rule {
    let text = format!(
        "[rule]\nname = 'one'\nrule_id = 'one'\ndescription = 'Of a test.'\nseverity = 'low'\nrisk_score = 21\n\
         type = 'query'\nquery = 'event.action: CreateUser'\nindex = ['logs-aws.cloudtrail*']\n\
         interval = '{interval}'\nfrom = 'now-25h'\n"
    );
    let mut loaded = rule::load_text("one.toml", &text);
    assert!(loaded.rules.len() == 1, "{:?}", loaded.problems);
    loaded.rules.remove(0)
}

/// A rule goes on after its last slot, whatever its schedule was: the next slot of the old one may be a day away.
#[test]
fn another_interval_holds_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let open = |interval: &str, now: Millis| {
        let options = Options { is_durable: false, ..Options::new(cloudtrail::Options::default(), "1") };
        let rules = Selection::all(std::iter::once(rule(interval)));
        let events = Box::new(memory.clone());
        Engine::over(events, folder.path(), rules, Exceptions::default(), options, now).unwrap()
    };
    let advance = |mut engine: Engine, now: Millis| {
        engine.advance(now, &mut |_| true).unwrap();
        engine.next_due().unwrap() - START
    };
    // Added at ten in the morning: it begins at midnight.
    let now = START + 10 * HOUR;
    assert_eq!(advance(open("24h", now), now), 24 * HOUR);
    // It never executed: with another interval it begins now, and what was before it is not due.
    let now = START + 11 * HOUR + MINUTE;
    assert_eq!(open("1h", now).next_due(), Some(START + 12 * HOUR));
    assert_eq!(advance(open("24h", now), START + 24 * HOUR), 48 * HOUR);
    // It executed at midnight: with a shorter interval it goes on from there.
    let now = START + 25 * HOUR + MINUTE;
    assert_eq!(open("30m", now).next_due(), Some(START + 24 * HOUR + 30 * MINUTE));
    assert_eq!(advance(open("30m", now), now), 25 * HOUR + 30 * MINUTE);
    // And with a longer one.
    assert_eq!(advance(open("4h", now), now), 28 * HOUR);
    assert_eq!(open("4h", now).ahead_of(now), None);
    assert!(open("4h", now).ahead_of(now - 2 * HOUR).is_some(), "the clock was set back");
    let book = Book::open(folder.path()).unwrap();
    assert_eq!(book.gaps(None).unwrap(), []);
    let mut slots: Vec<Millis> =
        book.executions(None, 100).unwrap().iter().map(|it| it.slot - START).collect();
    slots.reverse();
    assert_eq!(slots, [24 * HOUR, 24 * HOUR + 30 * MINUTE, 25 * HOUR]);
}
