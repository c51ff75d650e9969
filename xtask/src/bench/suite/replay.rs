//! All executions of a month beside a single one.

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::in_turns;

/// A replay may cost so many times what one execution costs.
const REPLAY_BY_ONCE: Must = Must::AtMost(1.5);

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (set, rules) in bench.rule_sets() {
        let processes = [bench.hunt("replay", rules), bench.hunt("once", rules).args(["--once"])];
        let measured = in_turns(&processes, bench.repetitions)?;
        for (process, measured) in processes.iter().zip(&measured) {
            figures.push(Figure::new(format!("{set}: {}", process.name()), measured.wall_s(), "s"));
            figures.push(Figure::new(
                format!("{set}: {}: alerts", process.name()),
                measured.lines() as f64,
                "",
            ));
        }
        let (replay, once) = (&measured[0], &measured[1]);
        let ratio = replay.wall_s() / once.wall_s();
        figures.push(Figure::new(format!("{set}: replay by once"), ratio, "times").must(REPLAY_BY_ONCE));
        let ratio = replay.cpu_s() / once.cpu_s();
        let name = format!("{set}: replay by once, processor time");
        figures.push(Figure::new(name, ratio, "times").must(REPLAY_BY_ONCE));
    }
    Ok(figures)
}
