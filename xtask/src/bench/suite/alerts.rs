//! What the document of an alert costs, beside what the document of a record costs.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::in_turns;
use crate::bench::part::Part;

/// Each way to print alerts: what says its processor time, and how often it may cost what a record costs `normalize`,
/// which reads it, makes its document and writes that.
const FORMATS: [(&str, &str, Must); 2] =
    [("ndjson_s", "NDJSON", Must::AtMost(1.5)), ("csv_s", "CSV", Must::AtMost(0.75))];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (kind, bench) in bench.kinds() {
        // One thread: only that of a process knows what it alone took.
        let bench = Bench { threads: 1, ..bench };
        let sets = bench.rule_sets();
        let mut processes = vec![bench.part(Part::Normalize, None)];
        processes.extend(sets.iter().map(|&(_, rules)| bench.part(Part::Alerts, rules)));
        let measured = in_turns(&processes, bench.repetitions)?;
        let record_s = measured[0].fact("documents_s")? / measured[0].fact("records")?;
        figures.push(Figure::new(format!("{kind}normalize, a record"), record_s * 1e6, "µs"));
        for ((set, _), measured) in sets.iter().zip(&measured[1..]) {
            let alerts = measured.fact("alerts")?;
            figures.push(Figure::new(format!("{kind}{set}: alerts"), alerts, ""));
            if alerts == 0.0 {
                continue;
            }
            for (fact, format, must) in FORMATS {
                let alert_s = measured.fact(fact)? / alerts;
                figures.push(Figure::new(format!("{kind}{set}: an alert as {format}"), alert_s * 1e6, "µs"));
                let name = format!("{kind}{set}: an alert as {format} by a record");
                figures.push(Figure::new(name, alert_s / record_s, "times").must(must));
            }
        }
    }
    Ok(figures)
}
