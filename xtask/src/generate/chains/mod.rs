//! Chains of credentials, planted among the ordinary work: who is behind a call, what it did before, where it came from.
//!
//! Every case ends in one refused `GetPasswordData` that a rule can alert on. What an investigation of that alert must find
//! out is worked out of what was planted, in the plainest way, and told in a file of its own.

mod cast;
mod identity;
mod links;
mod play;
mod shape;
mod stage;
mod told;

#[cfg(test)]
mod tests;

use super::attack::{Ground, Planted};
use super::seed::mix;
use anyhow::{Result, ensure};
use shape::Shape;
use stage::{Stage, Told};
use told::Known;
pub(crate) use told::Truth;

/// Cases need a history, and some time after.
const DAYS_MIN: i64 = 10;

/// Plays so many cases, of every shape in turn.
pub(super) fn plant(ground: Ground<'_>, count: usize, seed: u64) -> Result<(Vec<Planted>, Vec<Truth>)> {
    let mut stage = Stage::new(ground, mix(seed, 3));
    if count == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    let days = (ground.plan.end - ground.plan.start) / 86_400;
    ensure!(days >= DAYS_MIN, "chains need {DAYS_MIN} days at least: there are {days}");
    play::begin(&mut stage);
    let mut cases = Vec::new();
    for (number, &shape) in Shape::ALL.iter().cycle().take(count).enumerate() {
        stage.told.clear();
        let known = play::case(&mut stage, shape, number);
        cases.push((known, std::mem::take(&mut stage.told)));
    }
    // An account has one root user, of whom several cases tell.
    let is_root = |it: &&Told| it.root.ends_with(":root");
    let roots: Vec<Told> = cases.iter().flat_map(|(_, told)| told).filter(is_root).cloned().collect();
    let truth = |(known, told): &(Known, Vec<Told>)| told::truth(known, told, &roots, ground.plan.start);
    Ok((stage.planted, cases.iter().map(truth).collect()))
}
