//! A hunt beside what anything must do that looks at every record once: decompress it and parse it.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::in_turns;
use crate::bench::part::Part;

/// With the built-in rules a hunt is to be at least so fast, in per cent of the limit,
const BUILT_IN: Must = Must::AtLeast(65.0);
/// and with whatever rules.
const ANY_RULES: Must = Must::AtLeast(45.0);

/// To work out who is behind events may cost so many times what a hunt without it costs.
const IDENTITY: Must = Must::AtMost(1.10);

const MIB: f64 = (1 << 20) as f64;

/// The most memory that a hunt over so many records may take, in MiB.
const MEMORY: [(f64, f64); 2] = [(1_000_000.0, 200.0), (10_000_000.0, 1024.0)];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (kind, bench) in bench.kinds() {
        figures.extend(of_kind(kind, &bench)?);
    }
    Ok(figures)
}

/// The figures of one kind of data.
fn of_kind(kind: &str, bench: &Bench) -> Result<Vec<Figure>> {
    let records = bench.records()?;
    let mut processes = vec![
        bench.part(Part::Decompress, None),
        bench.part(Part::ParseTape, None),
        bench.part(Part::ParseTree, None),
    ];
    let sets = bench.rule_sets();
    processes.extend(sets.iter().map(|&(name, rules)| bench.hunt(name, rules)));
    processes.extend(sets.iter().map(|&(name, rules)| {
        bench.hunt(&format!("{name}, without identities"), rules).args(["--no-identity"])
    }));
    let measured = in_turns(&processes, bench.repetitions)?;

    let figure = |name: &str, value: f64, unit| Figure::new(format!("{kind}{name}"), value, unit);
    let mut figures = vec![figure("records", records, "")];
    for (process, measured) in processes.iter().zip(&measured) {
        let name = process.name();
        figures.push(figure(name, records / measured.wall_s(), "records/s"));
        let name = format!("{name}, per second of a processor");
        figures.push(figure(&name, records / measured.cpu_s(), "records/s"));
    }
    let least = |a: f64, b: f64| a.min(b);
    let limit_s = least(measured[1].wall_s(), measured[2].wall_s());
    let limit_cpu_s = least(measured[1].cpu_s(), measured[2].cpu_s());
    figures.push(figure("limit: the faster parser of the two", records / limit_s, "records/s"));
    let (hunts, without) = measured[3..].split_at(sets.len());
    for (((name, rules), hunt), without) in sets.iter().zip(hunts).zip(without) {
        let must = if rules.is_some() { ANY_RULES } else { BUILT_IN };
        let share = 100.0 * limit_s / hunt.wall_s();
        let of_limit = format!("{name}: of the limit on {} threads", bench.threads);
        figures.push(figure(&of_limit, share, "%").must(must));
        let share = 100.0 * limit_cpu_s / hunt.cpu_s();
        figures.push(figure(&format!("{name}: of the limit, by processor time"), share, "%").must(must));
        let times = hunt.cpu_s() / without.cpu_s();
        let name_of_times = format!("{name}: with identities by without, processor time");
        figures.push(figure(&name_of_times, times, "times").must(IDENTITY));
        let peak = figure(&format!("{name}: most memory"), hunt.peak_bytes() as f64 / MIB, "MiB");
        let most = MEMORY.iter().find(|(most, _)| records <= *most);
        figures.push(most.map_or(peak.clone(), |&(_, most)| peak.must(Must::AtMost(most))));
        figures.push(figure(&format!("{name}: alerts"), hunt.lines() as f64, ""));
        let spread = format!("{name}: slowest by fastest, processor time");
        figures.push(figure(&spread, hunt.spread(), "times"));
    }
    Ok(figures)
}
