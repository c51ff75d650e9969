//! What a threshold costs where there are many groups: time and peak memory of feeding, finishing and executing.
//!
//! `cargo run --release -p detect --example threshold -- groups 1000000` feeds one event of each of so many groups, every
//! hundredth of which has three more; `all` instead of `groups` asks for one event, so that every group is enough.

#![expect(clippy::print_stdout, reason = "an example reports on stdout")]

use std::sync::Arc;
use std::time::Instant;

use detect::{Collector, DataSpan, EventInfo, KnownAlerts, Limits, Mode, Origin, Tail, Tails};
use ecs::{Catalog, Millis, Scalar};

const START: Millis = 1_764_547_200_000;
const THREADS: u64 = 2;
/// All events lie within nine minutes, which one execution sees.
const SPAN: u64 = 540_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let groups = arguments.get(1).and_then(|it| it.parse().ok()).unwrap_or(1_000_000);
    match arguments.first().map(String::as_str) {
        Some("groups") => measure(groups, 4),
        Some("all") => measure(groups, 1),
        _ => println!("say `groups N` or `all N`"),
    }
}

fn measure(groups: u64, value: u64) {
    let rule = rule::load_text(
        "bench.toml",
        &format!(
            "[rule]\nname = 'Bench'\ndescription = 'Bench.'\nseverity = 'low'\nrisk_score = 21\n\
             type = 'threshold'\nquery = 'event.action: *'\nfrom = 'now-10m'\n\
             threshold = {{ field = ['user.name'], value = {value} }}\n"
        ),
    )
    .rules
    .remove(0);
    let mode = Mode::Replay { since: None, until: None };
    let tail = Tail::new(&rule, mode, &Catalog::ecs()).expect("the rule is valid");
    let tails = Arc::new(Tails::new(vec![tail]));
    // Three more of every hundredth group.
    let events = groups + groups / 100 * 3;

    let start = Instant::now();
    let collectors: Vec<Collector> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let tails = &tails;
                scope.spawn(move || feed(tails, (thread..events).step_by(THREADS as usize), groups))
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
    let span = DataSpan { first: START, last: START + SPAN as Millis, complete_from: None };
    let outcome =
        matches.execute(0, span, &KnownAlerts::default(), Limits::default()).expect("it can be executed");
    report("executed", start);
    println!("{} alerts, {:?}, {:?}", outcome.alerts.len(), outcome.executions, outcome.metrics);
}

fn feed(tails: &Arc<Tails>, numbers: impl Iterator<Item = u64>, groups: u64) -> Collector {
    let mut collector = Collector::new(Arc::clone(tails));
    collector.name_indices(&["logs-aws.cloudtrail-default".to_owned()]);
    let column = tails.columns(0)[0];
    let mut text = [0; 36];
    for number in numbers {
        let group = if number < groups { number } else { (number - groups) / 3 * 100 };
        let term = collector.intern(column, Scalar::Str(uuid(mix(group), &mut text)));
        let term = [term.expect("the field is a keyword")];
        let timestamp = START + (mix(number) % SPAN) as Millis;
        let id = uuid(mix(number), &mut text);
        let info = EventInfo { id, index: 0, timestamp, origin: Origin { input: 0, ordinal: number } };
        collector.event(info).push(0, None, &[&term]);
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
