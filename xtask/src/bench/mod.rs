//! `cargo xtask bench`: what a hunt costs, beside what it cannot cost less than.
//!
//! Everything that is measured is a process of its own, so that its processor time and its most memory are what
//! the system says of it: the real `trailwarden`, or this program again with `--part`. What is compared runs in
//! turns (A B A B …) and the medians are compared, because machines are noisy; processor time is noisy, too, but
//! less.
//!
//! Peers that are installed are measured by `bench/peers`.

mod data;
mod figure;
mod measure;
mod part;
mod suite;
mod synthetic;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use figure::{Figure, Machine};
use measure::Process;
use part::{Part, PartArgs};

/// What to measure, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder with the records; without it they are generated into target/bench.
    #[arg(long, conflicts_with_all = ["records", "seed"])]
    data: Option<PathBuf>,
    /// Folders with real records: what is measured on made-up ones is measured on records that are derived from these,
    /// too, as `cargo xtask generate --from` makes them. They alert much more often.
    #[arg(long, num_args = 1.., value_name = "DIR")]
    from: Vec<PathBuf>,
    /// Such records that are there already.
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    derived: Option<PathBuf>,
    /// How many records to generate.
    #[arg(long, default_value_t = 1_000_000)]
    records: u64,
    /// The same seed gives the same records.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rules of your own, to hunt with as well as with the built-in pack: such as a checkout of Elastic's.
    #[arg(long)]
    rules: Option<PathBuf>,
    /// Threads of what is measured; all cores by default.
    #[arg(long)]
    threads: Option<usize>,
    /// Only these suites.
    #[arg(long, value_enum, value_delimiter = ',')]
    suite: Vec<Suite>,
    /// How often everything is measured; medians count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    repetitions: u32,
    /// How to print the figures.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Only write so many made-up rules into target/bench, as rule files and as rules.json for peers, and print the
    /// folder.
    #[arg(long, value_name = "N")]
    write_rules: Option<usize>,
    /// What a process of the benchmark does: not for people.
    #[arg(long, value_enum, hide = true)]
    part: Option<Part>,
    #[command(flatten)]
    own: PartArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Table,
    /// One JSON object a figure, one a line.
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// A hunt beside decompressing and parsing every record once.
    Limit,
    /// What reading, parsing, filling columns, matching and alerting cost.
    Phases,
    /// 1, 20, 200 and 2,000 rules; rules of one type only.
    Rules,
    /// Every execution of a schedule beside a single one.
    Replay,
    /// New-terms rules with millions of events and values.
    #[value(name = "new_terms")]
    NewTerms,
    /// Threshold rules and sequences with many keys.
    Tails,
    /// The document of an alert beside the document of a record.
    Alerts,
    /// The same alerts whatever the threads, the blocks and the order of files.
    Identical,
    /// A hunt over a store beside a hunt over the files that went in.
    Store,
    /// A server that takes the records in with the rules of the pack on.
    Live,
}

impl Suite {
    fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Phases => "phases",
            Self::Rules => "rules",
            Self::Replay => "replay",
            Self::NewTerms => "new_terms",
            Self::Tails => "tails",
            Self::Alerts => "alerts",
            Self::Identical => "identical",
            Self::Store => "store",
            Self::Live => "live",
        }
    }

    fn run(self, bench: &Bench) -> Result<Vec<Figure>> {
        match self {
            Self::Limit => suite::limit::run(bench),
            Self::Phases => suite::phases::run(bench),
            Self::Rules => suite::rules::run(bench),
            Self::Replay => suite::replay::run(bench),
            Self::NewTerms => suite::new_terms::run(bench),
            Self::Tails => suite::tails::run(bench),
            Self::Alerts => suite::alerts::run(bench),
            Self::Identical => suite::identical::run(bench),
            Self::Store => suite::store::run(bench),
            Self::Live => suite::live::run(bench),
        }
    }
}

/// What all suites need to know.
#[derive(Debug, Clone)]
struct Bench {
    /// The records.
    data: PathBuf,
    /// Records that are derived from real ones.
    derived: Option<PathBuf>,
    /// Where rules are written to.
    scratch: PathBuf,
    /// The user's rules.
    rules: Option<PathBuf>,
    threads: usize,
    repetitions: u32,
    /// The release build of `trailwarden`.
    trailwarden: PathBuf,
    /// The release build of the example of new terms, beside those of the other tails.
    new_terms: PathBuf,
    /// This program.
    itself: PathBuf,
}

/// The time of reading in all measurements: what is hunted for lies before it.
const NOW: &str = "2026-06-01T00:00:00Z";

/// Runs the suites and prints what they measured; or does what one process of them does.
pub(crate) fn run(args: &Args) -> Result<()> {
    if let Some(part) = args.part {
        return part.run(args);
    }
    ensure!(
        !cfg!(debug_assertions),
        "an unoptimised build measures nothing: `cargo xtask bench` makes a release"
    );
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a folder")?;
    let scratch = root.join("target/bench");
    if let Some(count) = args.write_rules {
        println!("{}", synthetic::write(&scratch, count, synthetic::Only::Everything)?.display());
        return Ok(());
    }
    let target = target_folder()?;
    build(root)?;
    let data = match &args.data {
        Some(data) => data.clone(),
        None => data::generated(&scratch, args.records, args.seed, &[])?,
    };
    let derived = match &args.derived {
        Some(derived) => Some(derived.clone()),
        None if args.from.is_empty() => None,
        None => Some(data::generated(&scratch, args.records, args.seed, &args.from)?),
    };
    for data in [Some(&data), derived.as_ref()].into_iter().flatten() {
        ensure!(data.exists(), "there is no {}", data.display());
    }
    let bench = Bench {
        data,
        derived,
        scratch,
        rules: args.rules.clone(),
        threads: args.threads(),
        repetitions: args.repetitions,
        trailwarden: target.join("trailwarden"),
        new_terms: target.join("examples/new_terms"),
        itself: std::env::current_exe()?,
    };
    let machine = Machine::here(root);
    if args.format == Format::Table {
        println!(
            "{machine}\n{}, {} threads, {} repetitions\n",
            bench.data.display(),
            bench.threads,
            bench.repetitions
        );
        figure::print_heading();
    }
    let all = Suite::value_variants();
    let chosen = if args.suite.is_empty() { all } else { &args.suite };
    let (mut missed, mut differ) = (0, false);
    for suite in chosen {
        for figure in suite.run(&bench).with_context(|| format!("suite {}", suite.name()))? {
            missed += usize::from(figure.holds() == Some(false));
            differ |= *suite == Suite::Identical && figure.holds() == Some(false);
            match args.format {
                Format::Table => figure.print_row(suite.name()),
                Format::Ndjson => println!("{}", figure.to_json(suite.name(), &machine)),
            }
        }
    }
    if args.format == Format::Table && missed > 0 {
        println!("\n{missed} figures are not what they must be");
    }
    // A figure that is missed on a noisy machine is no failure; a difference between results is.
    ensure!(!differ, "the alerts depend on how they were found");
    Ok(())
}

impl Args {
    fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into))
    }
}

impl Bench {
    /// The real `trailwarden hunt` with these rules, or the built-in ones.
    fn hunt(&self, name: &str, rules: Option<&Path>) -> Process {
        self.hunt_with(name, rules, &[])
    }

    fn hunt_with(&self, name: &str, rules: Option<&Path>, more: &[&str]) -> Process {
        let mut arguments: Vec<OsString> =
            vec!["hunt".into(), "--quiet".into(), "--format=ndjson".into(), "--now".into(), NOW.into()];
        if let Some(rules) = rules {
            arguments.extend(["--rules".into(), rules.as_os_str().to_owned()]);
        }
        arguments.extend(["--threads".into(), self.threads.to_string().into()]);
        arguments.extend(more.iter().map(Into::into));
        arguments.push(self.data.as_os_str().to_owned());
        Process::new(name, &self.trailwarden).args(arguments)
    }

    /// The same over a store.
    fn hunt_stored(&self, name: &str, rules: Option<&Path>, store: &Path) -> Process {
        let of_files = Self { data: store.to_owned(), ..self.clone() };
        // The folder comes last, so that this is what it is a folder of.
        of_files.hunt_with(name, rules, &["--store"])
    }

    /// This program again, to do one part.
    fn part(&self, part: Part, rules: Option<&Path>) -> Process {
        let mut arguments: Vec<OsString> = vec!["bench".into(), "--part".into(), part.name().into()];
        if let Some(rules) = rules {
            arguments.extend(["--rules".into(), rules.as_os_str().to_owned()]);
        }
        arguments.extend(["--threads".into(), self.threads.to_string().into()]);
        arguments.extend(["--data".into(), self.data.as_os_str().to_owned()]);
        Process::new(part.name(), &self.itself).args(arguments)
    }

    /// The data, and the derived data if there are any: each with what its figures begin with.
    fn kinds(&self) -> Vec<(&'static str, Self)> {
        let derived =
            self.derived.iter().map(|data| ("derived: ", Self { data: data.clone(), ..self.clone() }));
        [("", self.clone())].into_iter().chain(derived).collect()
    }

    /// The built-in rules, and the user's: each with a name.
    fn rule_sets(&self) -> Vec<(&'static str, Option<&Path>)> {
        let own = self.rules.as_deref().map(|rules| ("rules of --rules", Some(rules)));
        [("built-in rules", None)].into_iter().chain(own).collect()
    }

    /// How many records there are.
    fn records(&self) -> Result<f64> {
        let sample = self.part(Part::Read, None).run()?;
        sample.facts.get("records").copied().context("the reader did not say how many records there are")
    }
}

/// The folder of release builds: the one that this program is in.
fn target_folder() -> Result<PathBuf> {
    let itself = std::env::current_exe()?;
    Ok(itself.parent().context("a program lies in a folder")?.to_owned())
}

/// What is measured must be what the sources say.
fn build(root: &Path) -> Result<()> {
    let build = |arguments: &[&str]| -> Result<()> {
        let mut command = Command::new(option_env!("CARGO").unwrap_or("cargo"));
        command.current_dir(root).args(["build", "--quiet", "--release"]).args(arguments);
        let status = command.status().context("cannot start cargo")?;
        ensure!(status.success(), "the build of {} failed", arguments.join(" "));
        Ok(())
    };
    build(&["--package", "cli"])?;
    build(&[
        "--package",
        "detect",
        "--example",
        "new_terms",
        "--example",
        "threshold",
        "--example",
        "sequences",
    ])
}
