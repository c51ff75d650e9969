//! Tasks of the repository: `cargo xtask <task>`.
//!
//! This file only dispatches. Each task is a module with an `Args` (clap) and a `run(Args) -> anyhow::Result<()>`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a task talks to the person at the terminal")]

mod attack;
mod bench;
mod check;
mod conformance;
mod crash;
mod differential;
mod evaluate;
mod generate;
mod serving;

use clap::{Parser, Subcommand};

/// Checks, data generator, conformance and benchmarks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write the table of a version of MITRE ATT&CK from MITRE's STIX bundle.
    Attack(attack::Args),
    /// Measure hunts: beside what nothing can be faster than, by phases, by number of rules.
    Bench(bench::Args),
    /// Check the layering of the crates.
    Check(check::Args),
    /// Run the test cases of other implementations against this one.
    Conformance(conformance::Args),
    /// Kill a server with -9 again and again, under load, and see that nothing was lost or doubled.
    Crash(crash::Args),
    /// Compare with the real engines on random documents and queries.
    Differential(differential::Args),
    /// Make CloudTrail of any size from a seed, with planted attacks and their ground truth.
    Generate(generate::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Attack(args) => attack::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Check(args) => check::run(&args),
        Task::Conformance(args) => conformance::run(&args),
        Task::Crash(args) => crash::run(&args),
        Task::Differential(args) => differential::run(&args),
        Task::Generate(args) => generate::run(&args),
    }
}
