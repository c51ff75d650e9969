//! `cargo xtask crash`: a server that is killed with -9 again and again while it takes events in and detects.
//!
//! Clients deliver over HTTP, as NDJSON and packed, and send again whatever was not answered; files come into a folder that is
//! watched; somebody works on alerts. Rules are those of the pack and some more, with intervals of seconds, so that slots are
//! executed all the time, by the real clock. After the last kill everything that waits is stored and executed, and then it
//! must all be as if nothing had happened: see [`verdict`].
//!
//! How long the server lives is random, from no time (it dies while it starts) to `--life`. The seed fixes the records, the
//! rules and these times; what the machine makes of them differs.

mod deliver;
mod records;
mod rules;
mod verdict;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;

use crate::serving::{self, Start};
use deliver::{Folder, Load};
use records::Pool;

/// What to kill, and how often.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How often the server is killed.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// The same seed gives the same records, rules and times between start and kill.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clients that deliver over HTTP.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    clients: u8,
    /// The longest time that the server lives, in milliseconds.
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(1..))]
    life: u64,
    /// Where everything lies: the store, the rules, the log. It is made anew, and stays if something does not hold; without
    /// this option it is in target/crash.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The program to kill; without it the one of this build, made now.
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// How long it may take at the end until everything is stored and executed.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long to wait between two looks.
const NAP: Duration = Duration::from_millis(100);
/// How long a server is let live at most until it has stored something.
const START: Duration = Duration::from_secs(60);
/// Of so many starts one is not lived to see.
const STILLBORN_ONE_IN: u32 = 6;

/// Where things lie.
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    fn of(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let program = args.program.clone().map_or_else(serving::program, Ok)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace has a folder")?;
    let folder =
        args.out.clone().unwrap_or_else(|| root.join("target/crash").join(format!("seed-{}", args.seed)));
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder.join("watched"))
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let place = Place { folder: fs::canonicalize(&folder)? };
    let mut rng = Rng::with_seed(args.seed);
    let rules = rules::write(&place.of("rules"), &mut rng)?;
    fs::write(place.of("trailwarden.toml"), configuration(&place))?;
    let pool = Pool::generate(&place.of("pool"), args.seed)?;
    let start = Start {
        program,
        data: place.of("data"),
        config: place.of("trailwarden.toml"),
        log: place.of("server.log"),
    };
    println!("{rules} rules, {} records to draw from, {}", pool.len(), folder.display());

    let load = Load::new(pool);
    let mut delivered = None;
    std::thread::scope(|scope| {
        for client in 0..args.clients {
            let (seed, load) = (rng.u64(..), &load);
            scope.spawn(move || load.post(client, Rng::with_seed(seed)));
        }
        let folder = Folder::new(&place.of("watched"), &place.of("moving"));
        let (one, other, load) = (rng.u64(..), rng.u64(..), &load);
        scope.spawn(move || load.fill(&folder, Rng::with_seed(one)));
        scope.spawn(move || load.work(Rng::with_seed(other)));
        let done = live_and_die(args, &start, load, &mut rng);
        load.end();
        delivered = Some(done);
    });
    let serving = delivered.context("it was tried")??;
    let faults = verdict::of(&place, &start, serving, &load)?;
    if !faults.is_empty() {
        bail!("seed {}: {}\nall of it is in {}", args.seed, faults.join("\n"), folder.display());
    }
    if args.out.is_none() {
        fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

/// Starts the server and kills it, so many times. It runs when this returns, and all that was delivered is acknowledged.
fn live_and_die(args: &Args, start: &Start, load: &Load, rng: &mut Rng) -> Result<serving::Serving> {
    let mut serving = start.start()?;
    serving.is_ready(true)?;
    let key = serving.key.clone().context("the first start tells a key")?;
    load.is_there(&serving.is_ready(false)?, &key);
    let began = Instant::now();
    for kill in 1..=args.kills {
        let life = Duration::from_millis(rng.u64(0..=args.life));
        if rng.bool() {
            // On a machine that does much else it may not get far in its life: every other time it is let live until something
            // was stored.
            load.is_getting_on(START);
        }
        std::thread::sleep(life);
        load.is_away();
        serving.kill()?;
        if kill % 10 == 0 || kill == args.kills {
            println!("{kill} kills in {} s: {}", began.elapsed().as_secs(), load.told());
        }
        while rng.u32(0..STILLBORN_ONE_IN) == 0 {
            let stillborn = start.start()?;
            std::thread::sleep(Duration::from_millis(rng.u64(0..600)));
            stillborn.kill()?;
            load.stillborn.fetch_add(1, Relaxed);
        }
        serving = start.start()?;
        let address = serving.is_ready(false)?;
        load.is_there(&address, &key);
        ensure!(load.wrong().is_empty(), "{}", load.wrong().join("\n"));
    }
    load.finish();
    let until = Instant::now() + PATIENCE;
    while !load.is_acknowledged() {
        ensure!(Instant::now() < until, "what was delivered is not acknowledged: {}", load.told());
        ensure!(load.wrong().is_empty(), "{}", load.wrong().join("\n"));
        std::thread::sleep(NAP);
    }
    Ok(serving)
}

fn configuration(place: &Place) -> String {
    let quoted = |path: PathBuf| toml::Value::String(path.display().to_string()).to_string();
    format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nqueue_max = \"2 MiB\"\n\n[rules]\nbuiltin = false\npaths = [{}]\n\n\
         [[sources]]\nname = \"watched\"\ntype = \"folder\"\npath = {}\ninterval = \"300ms\"\nsettle = \"500ms\"\n",
        quoted(place.of("rules")),
        quoted(place.of("watched")),
    )
}
