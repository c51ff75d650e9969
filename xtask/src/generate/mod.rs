//! `cargo xtask generate`: CloudTrail of any size from a seed, with planted attacks and their ground truth.
//!
//! The same options give the same bytes, whatever the number of threads. Nothing but one log file at a time is
//! held in memory, so the size of the output has no limit.

mod attack;
mod background;
mod catalogue;
mod chains;
mod clock;
mod derived;
mod output;
mod plan;
mod record;
mod seed;
mod template;
mod truth;
mod world;

use anyhow::{Context as _, Result};
use attack::{Ground, Planted, Scenario};
use background::Background;
use catalogue::Catalogue;
use clap::ValueEnum;
use derived::Derived;
use jiff::tz::Offset;
use output::{Ordinary, Source, Written};
use plan::Plan;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;
use truth::Truth;
use world::{Size, World};

/// What to generate.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write to; it must not exist. The ground truth is written beside it, to OUT.ground-truth.ndjson.
    #[arg(long)]
    out: PathBuf,
    /// Folders with real CloudTrail records: those that are made are like them, with other times, ids, accounts, addresses
    /// and keys. Without any, records come from a catalogue of calls.
    #[arg(long, num_args = 1.., value_name = "DIR", conflicts_with = "preset")]
    from: Vec<PathBuf>,
    /// A named set of options; options given as well win.
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// The same seed and options give the same bytes.
    #[arg(long)]
    seed: Option<u64>,
    /// Number of records, those of attacks included.
    #[arg(long)]
    records: Option<u64>,
    /// AWS accounts.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    accounts: Option<u16>,
    /// Regions in use, 1 to 12.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=12))]
    regions: Option<u16>,
    /// Roles, users and services in each account.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    principals: Option<u32>,
    /// Days that the records cover.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: Option<u32>,
    /// First day, as 2026-03-02.
    #[arg(long)]
    start: Option<jiff::civil::Date>,
    /// Layout of the output.
    #[arg(long, value_enum, default_value_t = Format::S3)]
    format: Format,
    /// Attacks to plant: names of scenarios, `all` or `none`. Real records hold attacks of their own, which no ground truth
    /// tells of: with --from none is planted unless asked for.
    #[arg(long, value_delimiter = ',')]
    attack: Vec<String>,
    /// Chains of credentials to plant, each with a refused call to alert on: who is behind it, what it did before and where it
    /// came from is told in OUT.chains.ndjson. Ten days are needed at least.
    #[arg(long, default_value_t = 0)]
    chains: usize,
    /// How often each attack is planted.
    #[arg(long, default_value_t = 1)]
    repeat_attacks: u32,
    /// Legitimate records such as rules watch (secrets read, keys made, ports opened), in a million. More of them
    /// make rules match more often.
    #[arg(long)]
    sensitive: Option<u32>,
    /// Records that a log file should have at least.
    #[arg(long)]
    records_per_file: Option<u64>,
    /// Threads; all cores by default.
    #[arg(long)]
    threads: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Gzip files in the folders of CloudTrail's S3 delivery.
    S3,
    /// One file, records.ndjson, a record a line.
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// The data in examples/cloudtrail: two accounts, twelve days, one intrusion.
    Example,
}

/// The options with every gap filled.
#[derive(Debug, Clone)]
struct Options {
    seed: u64,
    records: u64,
    size: Size,
    days: u32,
    /// Seconds since 1970.
    start: i64,
    attacks: Vec<String>,
    chains: usize,
    repeat_attacks: u32,
    sensitive: u32,
    records_per_file: u64,
}

/// Makes the data that the options ask for.
pub(crate) fn run(args: &Args) -> Result<()> {
    let options = args.options()?;
    anyhow::ensure!(
        !args.out.exists(),
        "{} exists already; remove it or choose another folder",
        args.out.display()
    );
    let rules = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/aws"));
    let mut data = Data::new(&options, rules)?;
    if !args.from.is_empty() {
        let derived = Derived::read(&args.from, options.size.principals)?;
        println!("{} templates of real records", derived.len());
        data.derived = Some(derived);
    }
    std::fs::create_dir_all(&args.out).with_context(|| format!("cannot make {}", args.out.display()))?;
    let begun = Instant::now();
    let written = data.write(&args.out, args.format, args.threads)?;
    let seconds = begun.elapsed().as_secs_f64();
    let truth_path = write_truth(&args.out, "ground-truth", &data.truths)?;
    println!(
        "{} records in {} files, {:.1} MB of JSON, {:.1} MB on disk, {:.0} records/s",
        written.records,
        written.files,
        written.text_bytes as f64 / 1e6,
        written.disk_bytes as f64 / 1e6,
        written.records as f64 / seconds
    );
    println!("{} attacks, told in {}", data.truths.len(), truth_path.display());
    if !data.chains.is_empty() {
        let path = write_truth(&args.out, "chains", &data.chains)?;
        println!("{} chains, told in {}", data.chains.len(), path.display());
    }
    Ok(())
}

impl Args {
    fn options(&self) -> Result<Options> {
        let example = self.preset == Some(Preset::Example);
        let or = |given: Option<u64>, preset: u64, usual: u64| {
            given.unwrap_or(if example { preset } else { usual })
        };
        let start = self.start.unwrap_or(jiff::civil::date(2026, 3, 2));
        let start =
            Offset::UTC.to_timestamp(start.at(0, 0, 0, 0)).context("the first day is out of range")?;
        let derived = !self.from.is_empty();
        let attacks = match (self.attack.is_empty(), example) {
            (true, true) => vec!["intrusion".to_owned()],
            (true, false) => vec![if derived { "none" } else { "all" }.to_owned()],
            (false, _) => self.attack.clone(),
        };
        Ok(Options {
            seed: or(self.seed, 7, 1),
            records: or(self.records, 3_000, 100_000),
            size: Size {
                accounts: or(self.accounts.map(Into::into), 2, 4) as usize,
                regions: or(self.regions.map(Into::into), 2, 4) as usize,
                principals: or(self.principals.map(Into::into), 14, if derived { 400 } else { 40 }) as usize,
            },
            days: or(self.days.map(Into::into), 12, 14) as u32,
            start: start.as_second(),
            attacks,
            chains: self.chains,
            repeat_attacks: self.repeat_attacks,
            sensitive: or(self.sensitive.map(Into::into), 2_500, 500) as u32,
            records_per_file: or(self.records_per_file, 20, if derived { 2_000 } else { 200 }),
        })
    }
}

/// Everything that is decided before the first record is written.
struct Data {
    options: Options,
    catalogue: Catalogue,
    world: World,
    plan: Plan,
    planted: Vec<Planted>,
    truths: Vec<Truth>,
    chains: Vec<chains::Truth>,
    /// What ordinary records are like, unless they are made up.
    derived: Option<Derived>,
}

impl Data {
    fn new(options: &Options, rules: &Path) -> Result<Self> {
        let catalogue = Catalogue::load()?;
        let world = World::new(seed::mix(options.seed, 0), options.size, &catalogue);
        let plan_for =
            |records| Plan::new(&world, records, options.start, options.days, options.records_per_file);
        // Attacks need to know the time range only, so they can be made before it is known how many records are left.
        let time = plan_for(0);
        let ground = Ground { world: &world, catalogue: &catalogue, plan: &time, rules };
        let (mut planted, mut truths) = (Vec::new(), Vec::new());
        for (index, scenario) in chosen(&options.attacks)?.iter().enumerate() {
            for turn in 0..options.repeat_attacks {
                let seed = seed::mix(seed::mix(options.seed, 100 + index as u64), turn.into());
                let (records, truth) =
                    scenario.plant(ground, seed).with_context(|| format!("attack {}", scenario.name))?;
                planted.extend(records);
                truths.push(truth);
            }
        }
        truth::settle(&mut truths);
        let (records, chains) = chains::plant(ground, options.chains, options.seed)?;
        planted.extend(records);
        planted.sort_by_key(|it: &Planted| it.seconds);
        let ordinary = options.records.checked_sub(planted.len() as u64).with_context(|| {
            format!("what is planted alone has {} records; ask for more with --records", planted.len())
        })?;
        let plan = plan_for(ordinary);
        Ok(Self { options: options.clone(), catalogue, world, plan, planted, truths, chains, derived: None })
    }

    fn write(&self, folder: &Path, format: Format, threads: Option<usize>) -> Result<Written> {
        let victims =
            self.truths.iter().flat_map(|truth| truth.principals.iter().map(String::as_str)).collect();
        let background = Background::new(&self.world, &self.catalogue, self.options.sensitive, victims);
        let source = Source {
            seed: self.options.seed,
            world: &self.world,
            plan: &self.plan,
            ordinary: self.derived.as_ref().map_or(Ordinary::MadeUp(&background), Ordinary::Derived),
            planted: &self.planted,
        };
        match format {
            Format::S3 => {
                let cores = || std::thread::available_parallelism().map_or(1, Into::into);
                source.write_s3(folder, threads.unwrap_or_else(cores))
            }
            Format::Ndjson => source.write_ndjson(&folder.join("records.ndjson")),
        }
    }
}

fn chosen(names: &[String]) -> Result<Vec<Scenario>> {
    let mut scenarios = attack::scenarios()?;
    for name in names {
        let known = scenarios.iter().any(|scenario| scenario.name == *name);
        if !known && name != "all" && name != "none" {
            let all: Vec<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
            anyhow::bail!("there is no attack `{name}`; choose of {}, `all` or `none`", all.join(", "));
        }
    }
    if !names.iter().any(|name| name == "all") {
        scenarios.retain(|scenario| names.contains(&scenario.name));
    }
    Ok(scenarios)
}

/// The ground truth lies beside the data, not in it: whoever hunts in the folder shall not read the solution.
fn write_truth(folder: &Path, name: &str, truths: &[impl serde::Serialize]) -> Result<PathBuf> {
    let what = name;
    let name = folder.file_name().context("the output folder needs a name")?;
    let mut name = name.to_os_string();
    name.push(format!(".{what}.ndjson"));
    let path = folder.with_file_name(name);
    let mut file =
        std::fs::File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    for truth in truths {
        writeln!(file, "{}", serde_json::to_string(truth)?)?;
    }
    Ok(path)
}

#[cfg(test)]
mod loudness;
#[cfg(test)]
mod tests;
