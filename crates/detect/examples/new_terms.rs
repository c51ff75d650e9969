//! What new terms cost where there are many: time and peak memory of feeding, finishing and executing.
//!
//! `cargo run --release -p detect --example new_terms -- values 500000` feeds 9 million events of history with
//! that many distinct values and 300,000 in the interval, nothing new; `replay` instead of `values` has 30 days
//! of executions every five minutes; `combinations` has 10 million combinations of three fields, all new.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use detect::{Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, Tail, Tails, TermId};
use ecs::{Catalog, Millis, Scalar};

const START: Millis = 1_764_547_200_000;
const DAY: Millis = 86_400_000;
const THREADS: u64 = 2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = || arguments.get(1).and_then(|it| it.parse().ok()).unwrap_or(100_000);
    let last = START + 30 * DAY;
    let once = Mode::Once { from: Some(last - DAY), to: Some(last) };
    match arguments.first().map(String::as_str) {
        Some("values") => values(once, count()),
        Some("replay") => values(Mode::Replay { since: None, until: None }, count()),
        Some("combinations") => combinations(),
        _ => println!("say `values N`, `replay N` or `combinations`"),
    }
}

/// 9.3 million events over thirty days, the values of the last day all known.
fn values(mode: Mode, distinct: u64) {
    let events = 9_300_000;
    measure(mode, 1, events, |number| {
        let (history, in_interval) = (9_000_000, 300_000);
        let time = match number.checked_sub(history) {
            None => START + (number * 29 * DAY as u64 / history) as Millis,
            Some(rest) => START + 29 * DAY + 1 + (rest * (DAY as u64 - 1) / in_interval) as Millis,
        };
        (time, [mix(number % distinct), 0, 0])
    });
}

/// 10 million combinations: 1,000 × 1,000 × 10 values, in no order.
fn combinations() {
    measure(Mode::Once { from: None, to: None }, 3, 10_000_000, |number| {
        let place = number * 7_654_321 % 10_000_000;
        (START + (number * 3) as Millis, [place % 1_000, place / 1_000 % 1_000, place / 1_000_000])
    });
}

fn measure(mode: Mode, fields: usize, events: u64, event: impl Fn(u64) -> (Millis, [u64; 3]) + Sync) {
    let names: Vec<&str> = ["user.name", "source.address", "event.action"].into_iter().take(fields).collect();
    let rule = rule::load_text(
        "bench.toml",
        &format!(
            "[rule]\nname = 'Bench'\ndescription = 'Bench.'\nseverity = 'low'\nrisk_score = 21\n\
             type = 'new_terms'\nquery = 'event.action: *'\n[rule.new_terms]\nfield = 'new_terms_fields'\n\
             value = {names:?}\n[[rule.new_terms.history_window_start]]\nfield = 'history_window_start'\n\
             value = 'now-30d'\n"
        ),
    )
    .rules
    .remove(0);
    let tail = Tail::new(&rule, mode, &Catalog::ecs()).expect("the rule is valid");
    let tails = Arc::new(Tails::new(vec![tail]));

    let start = Instant::now();
    let collectors: Vec<Collector> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (tails, event) = (&tails, &event);
                scope.spawn(move || feed(tails, (thread..events).step_by(THREADS as usize), event))
            })
            .collect();
        threads.into_iter().map(|it| it.join().expect("feeding does not panic")).collect()
    });
    report("fed", start);

    let start = Instant::now();
    let all = collectors.into_iter().reduce(|mut all, next| {
        all.merge(next);
        all
    });
    let matches = all.expect("there are two threads").finish();
    report("merged", start);

    let start = Instant::now();
    let span = DataSpan { first: event(0).0, last: event(events - 1).0, complete_from: None };
    let outcome =
        matches.execute(0, span, &KnownAlerts::default(), Limits::default()).expect("it can be executed");
    report("executed", start);
    println!("{} alerts, {:?}, {:?}", outcome.alerts.len(), outcome.executions, outcome.metrics);
}

fn feed(
    tails: &Arc<Tails>,
    numbers: impl Iterator<Item = u64>,
    event: &(impl Fn(u64) -> (Millis, [u64; 3]) + Sync),
) -> Collector {
    let mut collector = Collector::new(Arc::clone(tails));
    collector.name_indices(&["logs-aws.cloudtrail-default".to_owned()]);
    let fields = tails.columns(0);
    let mut text = [0; 36];
    // The values are interned once each, as a caller does with the dictionaries of its blocks.
    let mut known: Vec<HashMap<u64, TermId>> = vec![HashMap::new(); fields.len()];
    for number in numbers {
        let (timestamp, values) = event(number);
        let mut terms = [TermId::default(); 3];
        for ((&field, known), (value, term)) in
            fields.iter().zip(&mut known).zip(values.iter().zip(&mut terms))
        {
            let scalar = Scalar::Str(uuid(*value, &mut text));
            let intern = || collector.intern(field, scalar).expect("the fields are keywords");
            *term = *known.entry(*value).or_insert_with(intern);
        }
        let terms: [&[TermId]; 3] = [&terms[..1], &terms[1..2], &terms[2..]];
        let id = uuid(mix(number), &mut text);
        let info = EventInfo { id, index: 0, timestamp, origin: Origin { input: 0, ordinal: number } };
        collector.event(info).push(0, None, &terms[..fields.len()]);
    }
    collector
}

fn mix(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn uuid(number: u64, text: &mut [u8; 36]) -> &str {
    uuid::Uuid::from_u64_pair(number, !number).hyphenated().encode_lower(text)
}

/// The time since `start`, and the processor time and the most memory that the process used so far, where the
/// system says so.
fn report(what: &str, start: Instant) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u32 = stat.split(' ').skip(13).take(2).filter_map(|it| it.parse::<u32>().ok()).sum();
    let (seconds, used) = (start.elapsed().as_secs_f64(), f64::from(ticks) / 100.0);
    println!("{what:>9} in {seconds:>7.3} s; so far {used:.2} s of processor time, {peak} at most");
}
