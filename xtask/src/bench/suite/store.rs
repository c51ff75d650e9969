//! A hunt over stored events beside a hunt over the files that went in: the same alerts, and how much quicker.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::bench::figure::{Figure, Must};
use crate::bench::measure::{Process, in_turns};
use crate::bench::part::Part;
use crate::bench::{Bench, NOW};

/// So many times a hunt over a store is quicker.
const QUICKER: Must = Must::AtLeast(5.0);
/// Bytes of a store by those of the files.
const BYTES: Must = Must::AtMost(1.2);

/// What a pass over a store says of itself.
const FACTS: [(&str, &str); 5] = [
    ("stored", "events by their columns"),
    ("hopeless", "of these no rows for their call"),
    ("guarded", "of these no rows for want of a value"),
    ("fetched", "records that the pass fetches"),
    ("fetched_bytes", "bytes of these"),
];

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (kind, bench) in bench.kinds() {
        figures.extend(of_kind(kind, &bench)?);
    }
    Ok(figures)
}

fn of_kind(kind: &str, bench: &Bench) -> Result<Vec<Figure>> {
    let store = bench.scratch.join(if kind.is_empty() { "store" } else { "store-derived" });
    if store.exists() {
        fs::remove_dir_all(&store).with_context(|| format!("cannot remove {}", store.display()))?;
    }
    let threads = bench.threads.to_string();
    let add = Process::new("store add", &bench.trailwarden)
        .args(["store", "add", "--quiet", "--now", NOW, "--threads", &threads, "--store"])
        .args([store.as_os_str(), bench.data.as_os_str()])
        .run()?;
    let records = bench.records()?;
    let (before, after) = (bytes(&bench.data)?, bytes(&store.join("events"))?);
    let figure = |name: &str, value: f64, unit| Figure::new(format!("{kind}{name}"), value, unit);
    let mut figures = vec![
        figure("store add", records / add.wall_s, "records/s"),
        figure("store add, processor time", add.cpu_s / records * 1e6, "µs/record"),
        figure("bytes by those of the files", after as f64 / before as f64, "times").must(BYTES),
    ];
    for (set, rules) in bench.rule_sets() {
        let (of_files, of_store) =
            (bench.hunt(set, rules), bench.hunt_stored(&format!("{set}, stored"), rules, &store));
        ensure!(
            of_files.run()?.hash == of_store.run()?.hash,
            "{kind}{set}: the alerts of a store are not those of its files"
        );
        let measured = in_turns(&[of_files, of_store], bench.repetitions)?;
        let (files, stored) = (&measured[0], &measured[1]);
        let times = |a: f64, b: f64| a / b;
        figures.push(
            figure(&format!("{set}: files by store"), times(files.wall_s(), stored.wall_s()), "times")
                .must(QUICKER),
        );
        let name = format!("{set}: files by store, processor time");
        figures.push(figure(&name, times(files.cpu_s(), stored.cpu_s()), "times").must(QUICKER));
        figures.push(figure(&format!("{set}: stored"), stored.wall_s(), "s"));
        let pass = Bench { data: store.clone(), ..bench.clone() }.part(Part::Match, rules).args(["--stored"]);
        let facts = pass.run()?.facts;
        for (fact, name) in FACTS {
            let value = facts.get(fact).copied().unwrap_or_default();
            figures.push(figure(&format!("{set}: {name}"), value, ""));
        }
    }
    Ok(figures)
}

/// Bytes of the files below a folder.
pub(super) fn bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    let mut left: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        if about.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        } else {
            bytes += about.len();
        }
    }
    Ok(bytes)
}
