//! Whether the alerts are the same, byte for byte, however they are found.

use std::path::Path;

use anyhow::Result;

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::part::Part;

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
    let part = || bench.part(Part::Hunt, rules);
    let threads = |count: usize| Bench { threads: count, ..bench.clone() };
    let ways = [
        ("1 thread", threads(1).part(Part::Hunt, rules)),
        ("2 threads", threads(2).part(Part::Hunt, rules)),
        ("8 threads", threads(8).part(Part::Hunt, rules)),
        ("blocks of 100 events", part().args(["--block-rows", "100"])),
        ("blocks of 20,000 events", part().args(["--block-rows", "20000"])),
        ("most records read again", part().args(["--evidence-bytes", "4000000"])),
        ("the last file first", part().args(["--reverse"])),
    ];
    let usual = part().run()?;
    let mut figures = vec![Figure::new(format!("{set}: alerts"), usual.lines as f64, "")];
    for (way, process) in ways {
        let differ = process.run()?.hash != usual.hash;
        let name = format!("{set}: outputs that differ, {way}");
        figures.push(Figure::new(name, f64::from(u8::from(differ)), "").must(Must::AtMost(0.0)));
    }
    // The command has a summary of its own to add, but prints the same alerts.
    let differ = bench.hunt("trailwarden", rules).run()?.lines != usual.lines;
    let name = format!("{set}: other number of alerts, the command");
    figures.push(Figure::new(name, f64::from(u8::from(differ)), "").must(Must::AtMost(0.0)));
    Ok(figures)
}
