//! Groups and sequences among many keys: the tails alone, without records. The examples of `crates/detect` are measured.

use std::process::Command;

use anyhow::{Result, ensure};

use super::new_terms::seconds;
use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::Process;

struct Case {
    example: &'static str,
    arguments: &'static [&'static str],
    name: &'static str,
    /// What counts of what the example says: the matches are there, each thread's.
    steps: &'static [&'static str],
    most_ms: f64,
    most_mib: Option<f64>,
}

const CASES: [Case; 2] = [
    Case {
        example: "threshold",
        arguments: &["groups", "1000000"],
        name: "threshold, 1 M groups",
        steps: &["merged", "executed"],
        most_ms: 1_000.0,
        most_mib: Some(500.0),
    },
    Case {
        example: "sequences",
        arguments: &["250000"],
        name: "a sequence of two, 250,000 keys in nine minutes",
        steps: &["finished", "executed"],
        most_ms: 2_000.0,
        most_mib: None,
    },
];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for Case { example, arguments, name, steps, most_ms, most_mib } in CASES {
        let program = bench.new_terms.with_file_name(example);
        let mut taken: Vec<f64> = Vec::new();
        for _ in 0..bench.repetitions {
            let output = Command::new(&program).args(arguments).output()?;
            ensure!(output.status.success(), "the example {example} failed: {}", output.status);
            let output = String::from_utf8_lossy(&output.stdout);
            let all: Result<Vec<f64>> = steps.iter().map(|step| seconds(&output, step)).collect();
            taken.push(all?.iter().sum::<f64>() * 1e3);
        }
        taken.sort_by(f64::total_cmp);
        let figure = Figure::new(format!("{name}: merge and execute"), taken[taken.len() / 2], "ms");
        figures.push(figure.must(Must::AtMost(most_ms)));
        let peak = Process::new(name, &program).args(arguments).run()?.peak_bytes;
        let figure = Figure::new(format!("{name}: most memory"), peak as f64 / f64::from(1 << 20), "MiB");
        figures.push(most_mib.map_or(figure.clone(), |most| figure.must(Must::AtMost(most))));
    }
    Ok(figures)
}
