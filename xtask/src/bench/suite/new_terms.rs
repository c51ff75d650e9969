//! New terms among millions: the tail alone, without records. `crates/detect/examples/new_terms.rs` is measured.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::Process;

/// Arguments, what that is, how long the tail may take in milliseconds, and the most memory in MiB.
const CASES: [(&[&str], &str, f64, Option<f64>); 4] = [
    (&["values", "100000"], "9 M events, 100,000 values", 100.0, None),
    (&["values", "500000"], "9 M events, 500,000 values", 100.0, None),
    (&["replay", "100000"], "the same, 30 days of executions", f64::INFINITY, None),
    (&["combinations"], "10 M combinations of three fields", 3_000.0, Some(1024.0)),
];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (arguments, name, most_ms, most_mib) in CASES {
        let mut executed: Vec<f64> = Vec::new();
        for _ in 0..bench.repetitions {
            let output = Command::new(&bench.new_terms).args(arguments).output()?;
            ensure!(output.status.success(), "the example of new terms failed: {}", output.status);
            let output = String::from_utf8_lossy(&output.stdout);
            // The matches are there, each thread's: what is left is to put them together and to execute.
            executed.push((seconds(&output, "merged")? + seconds(&output, "executed")?) * 1e3);
        }
        executed.sort_by(f64::total_cmp);
        let median = executed[executed.len() / 2];
        let figure = Figure::new(format!("{name}: merge and execute"), median, "ms");
        figures.push(if most_ms.is_finite() { figure.must(Must::AtMost(most_ms)) } else { figure });
        let peak = Process::new(name, &bench.new_terms).args(arguments).run()?.peak_bytes;
        let figure = Figure::new(format!("{name}: most memory"), peak as f64 / f64::from(1 << 20), "MiB");
        figures.push(most_mib.map_or(figure.clone(), |most| figure.must(Must::AtMost(most))));
    }
    Ok(figures)
}

/// The seconds of a step in what the example prints: `executed in 0.012 s; …`.
pub(super) fn seconds(output: &str, step: &str) -> Result<f64> {
    let line = output.lines().find(|line| line.trim_start().starts_with(step));
    let text = line.and_then(|line| line.split_whitespace().nth(2));
    text.and_then(|text| text.parse().ok())
        .with_context(|| format!("the example did not say when it `{step}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_found() {
        let output = "      fed in   1.500 s; so far …\n executed in   0.012 s; so far …\n";
        assert!((seconds(output, "executed").unwrap() - 0.012).abs() < 1e-9);
        assert!(seconds(output, "merged").is_err());
    }
}
