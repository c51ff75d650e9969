//! Figures: what was measured, what it must be, and how both are printed.

use std::fmt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

/// One number that was measured.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    must: Option<Must>,
}

/// What a figure must be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Must {
    AtLeast(f64),
    AtMost(f64),
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, must: None }
    }

    pub(super) fn must(self, must: Must) -> Self {
        Self { must: Some(must), ..self }
    }

    /// Whether it is what it must be, if it must be anything.
    pub(super) fn holds(&self) -> Option<bool> {
        Some(match self.must? {
            Must::AtLeast(least) => self.value >= least,
            Must::AtMost(most) => self.value <= most,
        })
    }

    pub(super) fn print_row(&self, suite: &str) {
        let (must, verdict) = match (self.must, self.holds()) {
            (Some(Must::AtLeast(least)), Some(holds)) => (format!("≥ {}", number(least)), verdict(holds)),
            (Some(Must::AtMost(most)), Some(holds)) => (format!("≤ {}", number(most)), verdict(holds)),
            _ => (String::new(), ""),
        };
        let value = number(self.value);
        let row =
            format!("{suite:<9} | {:<58} | {value:>11} {:<10} | {must:>9} | {verdict}", self.name, self.unit);
        println!("{}", row.trim_end_matches([' ', '|']));
    }

    pub(super) fn to_json(&self, suite: &str, machine: &Machine) -> Value {
        let (at_least, at_most) = match self.must {
            Some(Must::AtLeast(least)) => (Some(least), None),
            Some(Must::AtMost(most)) => (None, Some(most)),
            None => (None, None),
        };
        json!({
            "suite": suite, "figure": self.name, "value": self.value, "unit": self.unit,
            "at_least": at_least, "at_most": at_most, "holds": self.holds(),
            "processor": machine.processor, "cores": machine.cores, "commit": machine.commit,
            "load": machine.load,
        })
    }
}

fn verdict(holds: bool) -> &'static str {
    if holds { "ok" } else { "MISSED" }
}

pub(super) fn print_heading() {
    println!("{:<9} | {:<58} | {:>22} | {:>9} |", "suite", "figure", "measured", "must be");
    println!("{:-<9}-|-{:-<58}-|-{:->22}-|-{:->9}-|--------", "", "", "", "");
}

/// Three digits that count, or all before the point.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => {
            let digits = format!("{value:.0}");
            let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |rest| ("-", rest));
            let first = digits.len() % 3;
            let mut text = String::from(sign);
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && at % 3 == first {
                    text.push(',');
                }
                text.push(digit);
            }
            text
        }
        size if size >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Where it was measured, and what.
#[derive(Debug)]
pub(super) struct Machine {
    processor: String,
    cores: usize,
    commit: String,
    load: String,
}

impl Machine {
    /// What can be found out; `unknown` else.
    pub(super) fn here(root: &Path) -> Self {
        let unknown = || "unknown".to_owned();
        let information = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let of = |name: &str| {
            let line =
                information.lines().find(|line| line.split(':').next().is_some_and(|it| it.trim() == name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let processor = match (of("model name"), of("cpu family"), of("model")) {
            (Some(name), Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
            (name, ..) => name.unwrap_or_else(unknown),
        };
        let load = std::fs::read_to_string("/proc/loadavg").ok();
        Self {
            processor,
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            commit: commit(root).unwrap_or_else(unknown),
            load: load.and_then(|it| it.split(' ').next().map(str::to_owned)).unwrap_or_else(unknown),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processor, cores, commit, load } = self;
        write!(f, "{processor}, {cores} cores, commit {commit}, load {load} before")
    }
}

fn commit(root: &Path) -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(root).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no", "--", "crates", "Cargo.lock"])?;
    Some(if changed.is_empty() { commit } else { format!("{commit} with changes") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_digits_that_count() {
        let texts = [0.0123, 1.256, 12.34, 100.4, 1234.5, 1_234_567.0, -12_345.0, 20.0].map(number);
        assert_eq!(texts, ["0.012", "1.26", "12.3", "100", "1,234", "1,234,567", "-12,345", "20"]);
    }

    #[test]
    fn a_figure_knows_whether_it_holds() {
        let figure = Figure::new("ratio", 1.3, "times");
        assert_eq!(figure.holds(), None);
        assert_eq!(figure.clone().must(Must::AtMost(1.25)).holds(), Some(false));
        assert_eq!(figure.must(Must::AtLeast(1.25)).holds(), Some(true));
    }
}
