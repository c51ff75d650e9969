//! What the number of rules costs, and their type.

use anyhow::{Result, ensure};

use crate::bench::Bench;
use crate::bench::figure::{Figure, Must};
use crate::bench::measure::in_turns;
use crate::bench::synthetic::{Only, write};

/// Numbers of rules.
const COUNTS: [usize; 5] = [1, 20, 200, 2_000, 10_000];

/// What is compared with 20 rules: the place of so many in [`COUNTS`], what that is, and how many times it may cost what
/// they cost.
const MANY_BY_FEW: [(usize, &str, Must); 2] =
    [(3, "2,000 by 20 rules", Must::AtMost(1.25)), (4, "10,000 by 20 rules", Must::AtMost(1.5))];

/// Rules of one type, and of each as many.
const TYPES: [(Only, &str); 7] = [
    (Only::Query, "query"),
    (Only::NewTerms, "new_terms"),
    (Only::Lucene, "query in Lucene"),
    (Only::Threshold, "threshold"),
    (Only::Eql, "EQL, single events"),
    (Only::Sequence, "EQL, sequences"),
    (Only::EachType, "types, in turn"),
];

/// How many rules of one type.
const OF_A_TYPE: usize = 200;

pub(in crate::bench) fn run(bench: &Bench) -> Result<Vec<Figure>> {
    let records = bench.records()?;
    let mut processes = Vec::new();
    for count in COUNTS {
        let rules = write(&bench.scratch, count, Only::Everything)?;
        processes.push(bench.hunt(&format!("{count} rules"), Some(&rules)));
    }
    for (only, name) in TYPES {
        let rules = write(&bench.scratch, OF_A_TYPE, only)?;
        processes.push(bench.hunt(&format!("{OF_A_TYPE} rules, all {name}"), Some(&rules)));
    }
    let measured = in_turns(&processes, bench.repetitions)?;
    let mut figures = Vec::new();
    for (process, measured) in processes.iter().zip(&measured) {
        let name = process.name();
        figures.push(Figure::new(name, records / measured.wall_s(), "records/s"));
        let micros = measured.cpu_s() / records * 1e6;
        figures.push(Figure::new(format!("{name}: processor time"), micros, "µs/record"));
        figures.push(Figure::new(format!("{name}: alerts"), measured.lines() as f64, ""));
    }
    let few = &measured[1];
    for (at, name, must) in MANY_BY_FEW {
        let many = &measured[at];
        ensure!(few.lines() == many.lines(), "{name}: they must alert as often, or they cannot be compared");
        figures.push(Figure::new(name, many.wall_s() / few.wall_s(), "times").must(must));
        let name = format!("{name}, processor time");
        figures.push(Figure::new(name, many.cpu_s() / few.cpu_s(), "times").must(must));
    }
    Ok(figures)
}
