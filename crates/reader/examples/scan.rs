//! How fast a path is read: `cargo run --release -p reader --example scan -- PATH…`.

#![expect(clippy::print_stdout, reason = "a program for people to run")]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use reader::{Discovery, Problem, Reader, Record, Sink};

#[derive(Default)]
struct Count {
    bytes: u64,
    problems: Vec<Problem>,
}

impl Sink for Count {
    fn record(&mut self, record: Record<'_>) -> ControlFlow<()> {
        self.bytes += record.text.len() as u64;
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

fn main() {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let found = match Discovery::find(&paths, &mut std::io::stdin()) {
        Ok(found) => found,
        Err(errors) => {
            for error in errors {
                println!("{}: {error}", error.code());
            }
            return;
        }
    };
    let start = Instant::now();
    let mut count = Count::default();
    let mut reader = Reader::default();
    let (mut records, mut text, mut stored) = (0, 0, 0);
    for input in &found.inputs {
        let totals = reader.read(input, &mut count);
        records += totals.records;
        text += totals.text_bytes;
        stored += totals.read_bytes;
    }
    let seconds = start.elapsed().as_secs_f64();
    let mega = |bytes: u64| bytes as f64 / 1e6;
    for problem in &count.problems {
        println!("{problem}");
    }
    println!(
        "{} files, {records} records, {:.1} MB stored, {:.1} MB of text, {:.1} MB of records in {seconds:.3} s: \
         {:.0} MB/s, {:.0} records/s",
        found.inputs.len(),
        mega(stored),
        mega(text),
        mega(count.bytes),
        mega(text) / seconds,
        records as f64 / seconds,
    );
}
