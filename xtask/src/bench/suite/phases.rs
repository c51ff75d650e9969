//! What each step of a hunt costs: the difference between the passes with and without it.

use std::path::Path;

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::figure::Figure;
use crate::bench::measure::in_turns;
use crate::bench::part::Part;

/// Each pass and what it does more than the one before.
const PASSES: [(Part, &str); 5] = [
    (Part::Read, "read"),
    (Part::Parse, "parse"),
    (Part::Fill, "fill columns"),
    (Part::Match, "match and collect"),
    (Part::Hunt, "execute and build documents"),
];

/// The place in [`PASSES`] of the pass that does all that a hunt does with every record.
const MATCHING: usize = 3;

/// What the pass leaves out for the rules: what it says, and what that is.
const LEFT_OUT: [(&str, &str); 6] = [
    ("unparsed", "records that are not parsed"),
    ("hopeless", "records that become no row for their call"),
    ("guarded", "records that become no row for want of a value"),
    ("empty_columns", "columns of rows left empty for their call"),
    ("never_late", "rows without their late columns"),
    ("filled_late", "rows with their late columns"),
];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (kind, bench) in bench.kinds() {
        for (set, rules) in bench.rule_sets() {
            figures.extend(of_set(&format!("{kind}{set}"), rules, &bench)?);
        }
    }
    Ok(figures)
}

fn of_set(set: &str, rules: Option<&Path>, bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let processes: Vec<_> = PASSES.iter().map(|&(part, _)| bench.part(part, rules)).collect();
    let measured = in_turns(&processes, bench.repetitions)?;
    let (read, hunt) = (&measured[0], &measured[PASSES.len() - 1]);
    let (records, text) = (read.fact("records")?, read.fact("text_bytes")?);
    let mut before = 0.0;
    for ((_, step), measured) in PASSES.iter().zip(&measured) {
        let cpu_s = measured.cpu_s();
        let micros = (cpu_s - before) / records * 1e6;
        figures.push(Figure::new(format!("{set}: {step}"), micros, "µs/record"));
        figures.push(Figure::new(
            format!("{set}: {step}, of the whole"),
            100.0 * (cpu_s - before) / hunt.cpu_s(),
            "%",
        ));
        before = cpu_s;
    }
    figures.push(Figure::new(
        format!("{set}: hunt, processor time"),
        hunt.cpu_s() / records * 1e6,
        "µs/record",
    ));
    figures.push(Figure::new(format!("{set}: hunt"), records / hunt.wall_s(), "records/s"));
    figures.push(Figure::new(format!("{set}: hunt"), text / 1e6 / hunt.wall_s(), "MB/s"));
    for (fact, name, unit, scale) in [
        ("execute_s", "executing", "ms", 1e3),
        ("build_s", "building documents", "ms", 1e3),
        ("rules", "rules that ran", "", 1.0),
        ("refused", "rules that did not", "", 1.0),
        ("matched", "matches", "", 1.0),
        ("executions", "executions", "", 1.0),
        ("executions_run", "executions with something new", "", 1.0),
        ("alerts", "alerts", "", 1.0),
    ] {
        figures.push(Figure::new(format!("{set}: {name}"), hunt.fact(fact)? * scale, unit));
    }
    for (fact, name) in LEFT_OUT {
        figures.push(Figure::new(format!("{set}: {name}"), measured[MATCHING].fact(fact)?, ""));
    }
    Ok(figures)
}
