//! What sequences cost where there are many keys: time of feeding, finishing and executing, the tail only.
//!
//! `cargo run --release -p detect --example sequences -- 250000` feeds so many keys within nine minutes, an event a key and
//! step of a sequence of two, and executes the schedule over them.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

use std::sync::Arc;
use std::time::Instant;

use detect::{Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, Tail, Tails};
use ecs::{Catalog, Millis, Scalar};

const START: Millis = 1_764_547_200_000;
const WINDOW: u64 = 9 * 60_000;

fn main() {
    let keys: u64 = std::env::args().nth(1).and_then(|it| it.parse().ok()).unwrap_or(250_000);
    let text = "[rule]\nname = 'Bench'\ndescription = 'Bench.'\nseverity = 'low'\nrisk_score = 21\ntype = 'eql'\n\
                language = 'eql'\nfrom = 'now-9m'\n\
                query = 'sequence by user.name with maxspan=9m [any where event.action == \"a\"] [any where event.action == \"b\"]'\n";
    let rule = rule::load_text("bench.toml", text).rules.remove(0);
    let catalog = Catalog::ecs();
    let query = rule::EqlQuery::new(&rule.query, None, &catalog).expect("the query is valid");
    let mode = Mode::Replay { since: None, until: None };
    let tail = Tail::of_pattern(&rule, Some(&query.pattern), mode, &catalog).expect("the rule is valid");
    let tails = Arc::new(Tails::new(vec![tail]));
    let start = Instant::now();
    let mut collector = Collector::new(Arc::clone(&tails));
    collector.name_indices(&["logs-aws.cloudtrail-default".to_owned()]);
    for number in 0..2 * keys {
        // First all beginnings, in no order of their keys, then all ends.
        let (step, key) = ((number / keys) as usize, number * 7_654_321 % keys);
        let value = collector.intern(tails.columns(step)[0], Scalar::Str(&format!("user-{key}")));
        let values: Vec<_> = value.into_iter().collect();
        let info = EventInfo {
            id: &format!("event-{number}"),
            index: 0,
            timestamp: START + (number * WINDOW / (2 * keys)) as Millis,
            origin: Origin { input: 0, ordinal: number },
        };
        collector.event(info).push(step, None, &[&values]);
    }
    println!("fed {} events in {:.3} s", 2 * keys, start.elapsed().as_secs_f64());
    let start = Instant::now();
    let matches = collector.finish();
    println!("finished in {:.3} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let span = DataSpan { first: START, last: START + WINDOW as Millis, complete_from: None };
    let outcome = matches.execute(0, span, &KnownAlerts::default(), Limits::default());
    let outcome = outcome.expect("the rule can be executed");
    println!(
        "executed in {:.3} s: {} alerts of {} executions; {:?}",
        start.elapsed().as_secs_f64(),
        outcome.alerts.len(),
        outcome.executions.run,
        outcome.warnings.iter().map(|it| it.kind.code()).collect::<Vec<_>>()
    );
}
