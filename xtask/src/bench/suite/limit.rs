//! A hunt beside what anything must do that looks at every record once: decompress it and parse it.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::in_turns;
use crate::bench::part::Part;

/// A hunt is to be at least so fast, in per cent of the limit.
const OF_LIMIT: Must = Must::AtLeast(50.0);

const MIB: f64 = (1 << 20) as f64;

/// The most memory that a hunt over so many records may take, in MiB.
const MEMORY: [(f64, f64); 2] = [(1_000_000.0, 400.0), (10_000_000.0, 1024.0)];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let records = bench.records()?;
    let mut processes = vec![
        bench.part(Part::Decompress, None),
        bench.part(Part::ParseTape, None),
        bench.part(Part::ParseTree, None),
    ];
    let sets = bench.rule_sets();
    processes.extend(sets.iter().map(|&(name, rules)| bench.hunt(name, rules)));
    let measured = in_turns(&processes, bench.repetitions)?;

    let mut figures = vec![Figure::new("records", records, "")];
    for (process, measured) in processes.iter().zip(&measured) {
        figures.push(Figure::new(process.name(), records / measured.wall_s(), "records/s"));
        figures.push(Figure::new(
            format!("{}, per second of a processor", process.name()),
            records / measured.cpu_s(),
            "records/s",
        ));
    }
    let least = |a: f64, b: f64| a.min(b);
    let limit_s = least(measured[1].wall_s(), measured[2].wall_s());
    let limit_cpu_s = least(measured[1].cpu_s(), measured[2].cpu_s());
    figures.push(Figure::new("limit: the faster parser of the two", records / limit_s, "records/s"));
    for ((name, _), hunt) in sets.iter().zip(&measured[3..]) {
        let share = 100.0 * limit_s / hunt.wall_s();
        figures.push(
            Figure::new(format!("{name}: of the limit on {} threads", bench.threads), share, "%")
                .must(OF_LIMIT),
        );
        let share = 100.0 * limit_cpu_s / hunt.cpu_s();
        figures
            .push(Figure::new(format!("{name}: of the limit, by processor time"), share, "%").must(OF_LIMIT));
        let peak = Figure::new(format!("{name}: most memory"), hunt.peak_bytes() as f64 / MIB, "MiB");
        let most = MEMORY.iter().find(|(most, _)| records <= *most);
        figures.push(most.map_or(peak.clone(), |&(_, most)| peak.must(Must::AtMost(most))));
        figures.push(Figure::new(format!("{name}: alerts"), hunt.lines() as f64, ""));
        figures.push(Figure::new(
            format!("{name}: slowest by fastest, processor time"),
            hunt.spread(),
            "times",
        ));
    }
    Ok(figures)
}
