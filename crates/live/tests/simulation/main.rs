//! Operation as it goes: events late and twice, a process that is killed, clocks that jump, segments that are replaced. The
//! seed is the bug report: `SEED=7 cargo test -p live --test simulation one_seed -- --ignored`.

#![expect(clippy::unwrap_used, reason = "a simulation that fails is to stop")]

mod changes;
mod memory;
mod rules;
mod world;

use world::{Speed, World};

/// So many seeds in every run of the tests.
const SEEDS: u64 = 6;

#[test]
fn hours_of_operation() {
    let first: u64 = seed().unwrap_or(0);
    for seed in first..first + SEEDS {
        World::new(seed, Speed::Hours).run();
    }
}

/// A year, with rules that execute every few hours.
#[test]
#[ignore = "takes minutes"]
fn a_year_of_operation() {
    for seed in 0..3 {
        World::new(seed, Speed::Year).run();
    }
}

/// What takes minutes.
#[test]
#[ignore = "takes minutes: a thousand seeds"]
fn a_thousand_seeds() {
    let first: u64 = seed().unwrap_or(0);
    for seed in first..first + 1_000 {
        World::new(seed, Speed::Hours).run();
    }
}

/// One of them again, told step by step.
#[test]
#[ignore = "needs SEED"]
fn one_seed() {
    let seed = seed().unwrap_or(0);
    World::new(seed, Speed::Hours).telling().run();
}

#[expect(clippy::disallowed_methods, reason = "which seed is asked for stands in the environment")]
fn seed() -> Option<u64> {
    std::env::var("SEED").ok()?.parse().ok()
}
