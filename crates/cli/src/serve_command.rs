//! `trailwarden serve` and `trailwarden config`.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Write as _, stderr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use ecs::Millis;
use jiff::Timestamp;
use rule::RuleSet;
use server::config::{self, Configured, Section, SourceConfig, SourceKind};
use server::{Clock, Log, LogFormat, NewKey, Options, ReadAgain, Rules, Running, Stopper};

use crate::args::{Colour, Global, Lang, RuleSource};
use crate::serve_args::{self, Config, Configuration, Init, Serve, Watching};
use crate::status::DONE;
use crate::{VERSION, demo, input, output, terminal, watch_command};

/// How long ago the trail of a demo came in: longer than the interval of most rules.
const DEMO_MS: Millis = 11 * 60_000;

pub(crate) fn run(args: &Serve, global: &Global) -> anyhow::Result<u8> {
    match &args.command {
        None => serve(args),
        Some(Watching::Tail(args)) => watch_command::tail(args, global),
        Some(Watching::Tap(args)) => watch_command::tap(args, global),
    }
}

fn serve(args: &Serve) -> anyhow::Result<u8> {
    let configured = configured(&args.configuration, span::Style::Plain)?;
    let clock: Clock = Arc::new(|| Timestamp::now().as_millisecond());
    let log = Log::new(format(args.log), Arc::clone(&clock));
    let mut config = configured.config;
    if args.stdin {
        add_stdin(&mut config)?;
    }
    let mut temporary = None;
    let data = match &args.data {
        Some(data) => data.clone(),
        None => temporary
            .insert(tempfile::tempdir().context("a directory for the demo cannot be made")?)
            .path()
            .to_owned(),
    };
    let mut begin = None;
    if let Some(trail) = &args.demo {
        // As if it had come in some minutes ago: whatever was due since then is executed at once.
        let at = clock() - DEMO_MS;
        demo::play(trail, &data, input::threads(None).get(), at)?;
        begin = Some(at);
    }
    let rules = rules(&config, begin)?;
    let options = Options {
        config,
        rules,
        data,
        stdin: Some(Box::new(std::io::stdin())),
        read_again: Some(read_again(args)),
        version: VERSION,
        clock,
        log,
        #[cfg(feature = "s3")]
        aws: Arc::new(crate::buckets::settings),
    };
    let told = |running: Running| {
        if let Some(key) = &running.first_key {
            tell_first_key(key);
        }
        if args.demo.is_some() {
            tell_demo(&running);
        }
    };
    server::run(options, &Stopper::default(), told).map_err(|it| anyhow!("{} {it}", it.code()))?;
    Ok(DONE)
}

/// Has the standard input read, and the server stop at its end.
fn add_stdin(config: &mut server::Config) -> anyhow::Result<()> {
    let is_stdin = |it: &&mut SourceConfig| matches!(it.kind, SourceKind::Stdin { .. });
    if let Some(it) = config.sources.iter_mut().find(is_stdin) {
        it.kind = SourceKind::Stdin { stops: true };
        return Ok(());
    }
    let name = config::STDIN.to_owned();
    if config.sources.iter().any(|it| it.name == name) {
        bail!("--stdin: the configuration has another source that is named `{name}`");
    }
    config.sources.push(SourceConfig {
        name,
        kind: SourceKind::Stdin { stops: true },
        indices: Vec::new(),
        silent_ms: None,
    });
    Ok(())
}

fn format(wanted: serve_args::LogFormat) -> LogFormat {
    let is_for_people = match wanted {
        serve_args::LogFormat::Text => true,
        serve_args::LogFormat::Json => false,
        serve_args::LogFormat::Auto => stderr().is_terminal(),
    };
    if is_for_people { LogFormat::Text } else { LogFormat::Json }
}

/// The rules that run, since `begin` if they are new.
fn rules(config: &server::Config, begin: Option<Millis>) -> anyhow::Result<Rules> {
    let source = RuleSource {
        rules: config.rules.paths.clone(),
        builtin: config.rules.builtin,
        only: config.rules.only.clone(),
        lang: Lang::En,
    };
    // Rules may be kept in the data directory, or come over the API.
    let set = if source.rules.is_empty() && !source.builtin {
        RuleSet::default()
    } else {
        input::rules(&source, input::threads(None))?
    };
    let RuleSet { rules: all, exceptions, .. } = set;
    Ok(Rules { exceptions, all, normalise: input::normalise(None)?, begin })
}

/// Where to look.
fn tell_demo(running: &Running) {
    let scheme = if running.is_encrypted { "https" } else { "http" };
    let url = format!("{scheme}://{}", running.address);
    let key = running.first_key.as_ref().map_or_else(|| "KEY".to_owned(), NewKey::encoded);
    terminal::say(&format!(
        "The trail came in as one delivery, and the rules are now executed over it. Alerts are told here, and\n\
         \x20   curl -H 'Authorization: ApiKey {key}' '{url}/api/v1/alerts?sort=severity&size=3'\n\n"
    ));
}

/// The only time that a secret is printed, and not in the log.
fn tell_first_key(key: &NewKey) {
    terminal::say(&format!(
        "\nThe first key, of an admin. It is shown this once; POST /api/v1/keys makes others.\n\
         \x20   id      {}\n\
         \x20   secret  {}\n\
         \x20   header  Authorization: ApiKey {}\n\n",
        key.key.id,
        key.secret,
        key.encoded()
    ));
}

/// `trailwarden config`.
pub(crate) fn config(args: &Config, global: &Global) -> anyhow::Result<u8> {
    let is_coloured = match global.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => stderr().is_terminal(),
    };
    let style = if is_coloured { span::Style::Coloured } else { span::Style::Plain };
    match args {
        Config::Init(args) => init(args),
        Config::Check(args) => {
            let config = configured(args, style)?.config;
            let wrong = server::check_receivers(&config);
            for (name, why) in &wrong {
                terminal::say(&format!("error: the receiver `{name}` cannot be told: {why}\n"));
            }
            if !wrong.is_empty() {
                let things = report::plural(wrong.len() as u64, "receiver", "receivers");
                bail!("{things} of the configuration cannot be told")
            }
            print("nothing is wrong\n")
        }
        Config::Show(args) => print(&config::show(&configured(args, style)?)),
    }
}

fn print(text: &str) -> anyhow::Result<u8> {
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    Ok(DONE)
}

fn init(args: &Init) -> anyhow::Result<u8> {
    let template = config::template();
    if args.file.as_os_str() == "-" {
        return print(&template);
    }
    // What is there is somebody's configuration.
    let file = File::create_new(&args.file);
    let mut file = file.with_context(|| format!("`{}` cannot be made", args.file.display()))?;
    file.write_all(template.as_bytes())
        .with_context(|| format!("`{}` cannot be written", args.file.display()))?;
    Ok(DONE)
}

/// The configuration, from the file, the environment and the command line.
pub(crate) fn configured(args: &Configuration, style: span::Style) -> anyhow::Result<Configured> {
    read(args, style).map_err(|wrong| match wrong {
        Wrong::Other(error) => error,
        Wrong::Values(count, told) => {
            terminal::say(&told);
            anyhow!("{} wrong with the configuration", report::plural(count, "thing is", "things are"))
        }
    })
}

/// What is wrong with a configuration.
enum Wrong {
    /// So many things, told as they stand in the file.
    Values(u64, String),
    Other(anyhow::Error),
}

/// The same as [`configured`], which says nothing yet.
fn read(args: &Configuration, style: span::Style) -> Result<Configured, Wrong> {
    let text = args.config.as_ref().map(|path| {
        let text = fs::read_to_string(path);
        let text =
            text.with_context(|| format!("`{}` cannot be read", path.display())).map_err(Wrong::Other)?;
        Ok::<_, Wrong>((path.display().to_string(), text))
    });
    let text = text.transpose()?;
    let folder = args.config.as_ref().and_then(|it| it.parent()).map_or_else(PathBuf::new, Path::to_owned);
    let option = args.listen.iter().map(|it| (Section::Server, "listen", "--listen", it.clone()));
    let options: Vec<_> = option.collect();
    let file = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    #[expect(clippy::disallowed_methods, reason = "the binary is who reads the environment")]
    let variable = |name: &str| std::env::var(name).ok();
    config::read(file, &folder, &variable, &options).map_err(|wrong| {
        let (name, text) = file.unwrap_or_default();
        let all: Vec<String> = wrong.iter().map(|it| span::render(it, name, text, style)).collect();
        Wrong::Values(wrong.len() as u64, all.concat())
    })
}

/// What reads the configuration again while the server runs.
fn read_again(args: &Serve) -> ReadAgain {
    let (configuration, has_stdin) = (args.configuration.clone(), args.stdin);
    Box::new(move || {
        let configured = read(&configuration, span::Style::Plain).map_err(|wrong| match wrong {
            Wrong::Values(_, told) => told,
            Wrong::Other(error) => format!("{error:#}"),
        })?;
        let mut config = configured.config;
        if has_stdin {
            add_stdin(&mut config).map_err(|it| it.to_string())?;
        }
        Ok(config)
    })
}
