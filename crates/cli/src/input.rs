//! Options that several commands have, made into what the crates take.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{anyhow, bail};
use cloudtrail::Geo;
use ecs::Millis;
use ecs::date::{DateError, DateMath};
use hunt::Trouble;
use jiff::Timestamp;
use rule::{GuideLanguage, Rule, RuleSet};

use crate::args::{self, Lang, Limits, RuleSource};
use crate::notices;

/// The time that `now` stands for: what the user says, else the clock.
pub(crate) fn now(given: Option<&str>) -> anyhow::Result<Millis> {
    let clock = Timestamp::now().as_millisecond();
    given.map_or(Ok(clock), |text| time("--now", text, clock))
}

/// A time of an option: a date or date math.
pub(crate) fn time(option: &str, text: &str, now: Millis) -> anyhow::Result<Millis> {
    DateMath::of_rule(text).map(|math| math.millis_at(now)).map_err(|error| match error {
        DateError::NotADate { .. } => {
            anyhow!(
                "{option} `{text}`: no such date; write 2026-03-01, \"2026-03-01 10:00\" (UTC) or now-30d"
            )
        }
        DateError::Math { .. } | DateError::OutOfRange { .. } | DateError::Format { .. } => {
            anyhow!("{option}: {error}")
        }
    })
}

/// The times of `--since` and `--until`, in that order.
pub(crate) fn range(
    since: Option<&str>,
    until: Option<&str>,
    now: Millis,
) -> anyhow::Result<(Option<Millis>, Option<Millis>)> {
    let time = |option: &str, text: Option<&str>| text.map(|text| time(option, text, now)).transpose();
    let (since, until) = (time("--since", since)?, time("--until", until)?);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        bail!(
            "--since {} does not lie before --until {}: swap them, or leave one out",
            report::when(since),
            report::when(until)
        );
    }
    Ok((since, until))
}

impl args::Input {
    /// The segments of the store that is read, if one is.
    pub(crate) fn stored(&self) -> anyhow::Result<Vec<reader::Input>> {
        #[cfg(feature = "store")]
        return self.store.inputs();
        #[cfg(not(feature = "store"))]
        return Ok(Vec::new());
    }
}

impl args::Query {
    /// The segments of the store that is read, if one is.
    pub(crate) fn stored(&self) -> anyhow::Result<Vec<reader::Input>> {
        #[cfg(feature = "store")]
        return self.store.inputs();
        #[cfg(not(feature = "store"))]
        return Ok(Vec::new());
    }

    /// Whether a store is read.
    pub(crate) fn has_store(&self) -> bool {
        #[cfg(feature = "store")]
        return self.store.store.is_some();
        #[cfg(not(feature = "store"))]
        return false;
    }
}

macro_rules! stored {
    ($($args:ident),*) => {
        $(impl args::$args {
            /// The segments of the store that rules are tried on, if they are.
            pub(crate) fn stored(&self) -> anyhow::Result<Vec<reader::Input>> {
                #[cfg(feature = "store")]
                return self.store.inputs();
                #[cfg(not(feature = "store"))]
                return Ok(Vec::new());
            }
        })*
    };
}

stored!(ForecastArgs, DiffArgs);

impl args::Hunt {
    /// The executions over the store, if a hunt is to be as if live. Unless rules are named, they are what was executed, as it
    /// was then; of `set` is left what was executed and not written down.
    #[cfg_attr(
        not(feature = "store"),
        expect(
            clippy::unused_self,
            clippy::unnecessary_wraps,
            reason = "without a store there is nothing live"
        )
    )]
    pub(crate) fn as_live(&self, set: &mut RuleSet) -> anyhow::Result<Option<hunt::AsLive>> {
        #[cfg(feature = "store")]
        if let Some(folder) = self.input.store.store.as_ref().filter(|_| self.as_live.as_live) {
            let executed = live::Book::open(folder).and_then(|it| it.as_live());
            let mut as_live = match executed {
                Ok(it) => it,
                // Nothing was executed: all rules as if on time.
                Err(live::LiveError::NoBook { .. }) => return Ok(Some(hunt::AsLive::default())),
                Err(error) => return Err(crate::alerts_command::coded(&error)),
            };
            if !self.rules.rules.is_empty() || self.rules.builtin {
                as_live.versions.clear();
            } else if !as_live.versions.is_empty() {
                let wanted: Vec<String> = self.rules.only.iter().map(|text| text.to_lowercase()).collect();
                as_live.retain(|rule| wanted.is_empty() || wanted.iter().any(|text| rule_has(rule, text)));
                let unwritten = as_live.unwritten();
                set.rules.retain(|rule| unwritten.contains(rule.id.as_str()));
            }
            return Ok(Some(as_live));
        }
        #[cfg(not(feature = "store"))]
        let _ = set;
        Ok(None)
    }
}

#[cfg(feature = "store")]
impl args::FromStore {
    fn inputs(&self) -> anyhow::Result<Vec<reader::Input>> {
        let Some(folder) = &self.store else { return Ok(Vec::new()) };
        let open = || store::Store::open(folder)?.inputs();
        open().map_err(|it| crate::store_command::coded(&it))
    }
}

impl Limits {
    pub(crate) fn reader(&self) -> reader::Limits {
        reader::Limits {
            record_bytes: usize::try_from(self.record_bytes).unwrap_or(usize::MAX),
            depth: self.depth,
            ratio: self.ratio,
            decompressed_bytes: self.file_bytes,
            ..reader::Limits::default()
        }
    }
}

/// What could not be read, fit for a terminal (the names of files and of what is in archives may hold anything),
/// with the option that raises the limit where there is one.
pub(crate) fn trouble(trouble: &Trouble) -> String {
    let option = match trouble.code {
        Some("READ005") => " (--max-ratio)",
        Some("READ006") => " (--max-file-bytes)",
        Some("READ016" | "READ028") => " (--max-record-bytes)",
        _ => "",
    };
    report::clean(&trouble.text) + option
}

/// The folders among `paths` hold rules or exceptions, or at least something that was meant as one.
fn check_rules(option: &str, paths: &[PathBuf], set: &RuleSet) -> anyhow::Result<()> {
    if set.is_empty() {
        let paths: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let foreign: Vec<String> =
            notices::foreign(set).into_iter().map(|it| format!("\n    {}", it.text)).collect();
        bail!(
            "{option}{}: no rule in there; rules are .toml, .ndjson or .json files{}",
            paths.join(", "),
            foreign.concat()
        );
    }
    Ok(())
}

/// Reads the rules of files and folders, as `option` names them.
pub(crate) fn load_rules(option: &str, paths: &[PathBuf], threads: NonZeroUsize) -> anyhow::Result<RuleSet> {
    for path in paths {
        if !path.exists() {
            bail!("{option}`{}`: there is no such file or folder", path.display());
        }
    }
    let set = rule::load_with(paths, threads);
    check_rules(option, paths, &set)?;
    Ok(set)
}

/// The databases of `--geoip`.
pub(crate) fn geo(folder: Option<&Path>) -> anyhow::Result<Option<Arc<Geo>>> {
    folder.map(|folder| Ok(Arc::new(Geo::open(folder)?))).transpose()
}

/// How records become events where rules are tried on them: as in a hunt.
pub(crate) fn normalise(geoip: Option<&Path>) -> anyhow::Result<cloudtrail::Options> {
    Ok(cloudtrail::Options {
        tags: vec!["forwarded".to_owned(), "aws-cloudtrail".to_owned(), "actor_target_mapping".to_owned()],
        geo: geo(geoip)?,
        original: cloudtrail::Original::Tagged,
        envelope: Some(cloudtrail::Envelope::default()),
        ..cloudtrail::Options::default()
    })
}

/// The language of `--lang`.
pub(crate) fn language(lang: Lang) -> GuideLanguage {
    match lang {
        Lang::En => GuideLanguage::English,
        Lang::ZhCn => GuideLanguage::SimplifiedChinese,
    }
}

/// The number of threads: what the user says, else one a core.
pub(crate) fn threads(given: Option<u16>) -> NonZeroUsize {
    let given = given.and_then(|threads| NonZeroUsize::new(threads.into()));
    given.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// The rules that the options name, their texts as they were written, and what was wrong with their files.
pub(crate) fn rules(source: &RuleSource, threads: NonZeroUsize) -> anyhow::Result<RuleSet> {
    let (set, all) = rules_or_none(source, threads)?;
    some_of(source, &set, all)?;
    Ok(set)
}

/// That `--only` left some of all the rules.
pub(crate) fn some_of(source: &RuleSource, set: &RuleSet, all: usize) -> anyhow::Result<()> {
    if set.rules.is_empty() && !source.only.is_empty() {
        bail!(
            "--only: none of the {all} rules has {} in its id, name, tags or type",
            source.only.join(" or ")
        );
    }
    Ok(())
}

/// As [`rules`], but `--only` may leave none; and of how many it left them.
pub(crate) fn rules_or_none(source: &RuleSource, threads: NonZeroUsize) -> anyhow::Result<(RuleSet, usize)> {
    let mut set = if source.rules.is_empty() {
        RuleSet::default()
    } else {
        load_rules("--rules ", &source.rules, threads)?
    };
    if source.rules.is_empty() || source.builtin {
        set.extend(rule::builtin(GuideLanguage::English));
    }
    let wanted: Vec<String> = source.only.iter().map(|text| text.to_lowercase()).collect();
    let all = set.rules.len();
    if !wanted.is_empty() {
        set.rules.retain(|rule| wanted.iter().any(|text| rule_has(rule, text)));
    }
    Ok((set, all))
}

/// Whether a rule's id, name (in any language), tags or type contain a text, given in lower case.
pub(crate) fn rule_has(rule: &Rule, text: &str) -> bool {
    let words = [rule.rule_id.as_str(), rule.kind.type_name()];
    let words = words.into_iter().chain(rule.tags.iter().map(String::as_str));
    words.map(str::to_lowercase).chain(names(rule)).any(|it| it.contains(text))
}

/// The names of a rule in all languages, in lower case.
pub(crate) fn names(rule: &Rule) -> impl Iterator<Item = String> {
    GuideLanguage::ALL.into_iter().map(|language| rule.localised(language).name.to_lowercase())
}

/// The one rule that a text names: by its id or its name, else by a part of its id, name, tags or type.
pub(crate) fn named<'s>(set: &'s RuleSet, name: &str) -> anyhow::Result<&'s Rule> {
    let text = name.to_lowercase();
    let exact: Vec<&Rule> =
        set.rules.iter().filter(|it| it.rule_id == name || names(it).any(|it| it == text)).collect();
    let found =
        if exact.is_empty() { set.rules.iter().filter(|it| rule_has(it, &text)).collect() } else { exact };
    match found.as_slice() {
        [] => bail!("no rule has `{name}` in its id, name, tags or type; `trailwarden rules list` shows all"),
        [rule] => Ok(rule),
        several => {
            let names: Vec<String> =
                several.iter().map(|it| format!("  {}  {}", it.rule_id, it.name)).collect();
            bail!("`{name}` names {} rules; say which by its id:\n{}", several.len(), names.join("\n"))
        }
    }
}
