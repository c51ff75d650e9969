//! The `trailwarden` command: arguments, clock, environment, terminal. What it does is in the crates it calls.

#[cfg(feature = "store")]
mod alerts_command;
#[cfg(feature = "store")]
mod analyst_args;
mod args;
mod assess_command;
#[cfg(feature = "s3")]
mod buckets;
mod case_command;
mod case_file;
mod count_by;
#[cfg(feature = "store")]
mod count_command;
#[cfg(feature = "serve")]
mod demo;
#[cfg(feature = "store")]
mod detect_command;
mod eql_query;
mod esql_query;
#[cfg(feature = "store")]
mod exception_command;
mod export_command;
mod fates;
mod hunt_command;
#[cfg(feature = "store")]
mod incident_command;
mod input;
mod investigate_command;
mod lint_command;
#[cfg(feature = "store")]
mod live_args;
mod near_misses;
mod normalize_command;
mod notices;
#[cfg(feature = "serve")]
mod notify_args;
#[cfg(feature = "serve")]
mod notify_command;
mod output;
mod page_command;
mod query_command;
mod rules_command;
#[cfg(feature = "serve")]
mod serve_args;
#[cfg(feature = "serve")]
mod serve_command;
#[cfg(feature = "store")]
mod silence_command;
mod stats;
mod status;
#[cfg(feature = "store")]
mod store_args;
#[cfg(feature = "store")]
mod store_command;
#[cfg(feature = "store")]
mod store_letters;
#[cfg(feature = "store")]
mod store_upkeep;
mod summary_command;
mod terminal;
mod test_command;
mod verify_command;
#[cfg(feature = "serve")]
mod watch_command;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Case, Cli, Command};
use crate::status::{DONE, FAILED};

/// What alerts say of the engine that raised them.
const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    let cli = Cli::parse();
    #[cfg(feature = "s3")]
    buckets::open();
    let result = match cli.command {
        Command::Hunt(args) => hunt_command::run(&args, &cli.global),
        Command::Investigate(args) => investigate_command::run(&args, &cli.global),
        Command::Respond(args) => investigate_command::respond(&args, &cli.global),
        Command::Normalize(args) => normalize_command::run(&args, &cli.global),
        Command::Query(args) => query_command::run(&args, &cli.global),
        Command::Summary(args) => summary_command::run(&args, &cli.global),
        #[cfg(feature = "store")]
        Command::Store(args) => store_command::run(&args, &cli.global),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve_command::run(&args, &cli.global),
        #[cfg(feature = "serve")]
        Command::Config(args) => serve_command::config(&args, &cli.global),
        #[cfg(feature = "serve")]
        Command::Notify(args) => notify_command::run(&args, &cli.global),
        #[cfg(feature = "store")]
        Command::Detect(args) => detect_command::run(&args, &cli.global),
        #[cfg(feature = "store")]
        Command::Alerts(args) => alerts_command::run(&args, &cli.global),
        Command::Case(Case::Verify(args)) => case_command::verify(&args, &cli.global),
        Command::Verify(args) => verify_command::run(&args, &cli.global),
        Command::Rules(args) => rules_command::run(args, &cli.global),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has read enough: `trailwarden … | head`.
        Err(error) if output::is_broken_pipe(&error) => ExitCode::from(DONE),
        Err(error) => {
            terminal::say(&format!("error: {error:#}\n"));
            ExitCode::from(FAILED)
        }
    }
}
