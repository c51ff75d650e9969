//! The `trailwarden` command.
fn main() {}
