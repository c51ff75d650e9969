//! Options that several commands have, made into what the crates take.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use cloudtrail::Geo;
use ecs::Millis;
use jiff::Timestamp;
use rule::{GuideLanguage, RuleSet};

use crate::args::{Input, Lang, RuleSource};

/// The time that `now` stands for: what the user says, else the clock.
pub(crate) fn now(given: Option<&str>) -> anyhow::Result<Millis> {
    let clock = Timestamp::now().as_millisecond();
    given.map_or(Ok(clock), |text| time("--now", text, clock))
}

/// A time of an option: a date or date math.
pub(crate) fn time(option: &str, text: &str, now: Millis) -> anyhow::Result<Millis> {
    ecs::date::datemath(text, now).with_context(|| {
        format!("{option} {text}: write a date such as 2026-03-01, 2026-03-01T10:00:00Z, or now-30d")
    })
}

impl Input {
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.paths.iter().map(PathBuf::from).collect()
    }

    pub(crate) fn limits(&self) -> reader::Limits {
        reader::Limits {
            record_bytes: self.max_record_bytes,
            depth: self.max_depth,
            ratio: self.max_ratio,
            decompressed_bytes: self.max_file_bytes,
            ..reader::Limits::default()
        }
    }

    pub(crate) fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or_else(cores).max(1)
    }
}

/// The databases of `--geoip`.
pub(crate) fn geo(folder: Option<&Path>) -> anyhow::Result<Option<Arc<Geo>>> {
    folder.map(|folder| Ok(Arc::new(Geo::open(folder)?))).transpose()
}

/// The language of `--lang`.
pub(crate) fn language(lang: Lang) -> GuideLanguage {
    match lang {
        Lang::En => GuideLanguage::English,
        Lang::ZhCn => GuideLanguage::SimplifiedChinese,
    }
}

/// The rules that the options name, and what was wrong with their files.
pub(crate) fn rules(source: &RuleSource) -> anyhow::Result<RuleSet> {
    for path in &source.rules {
        if !path.exists() {
            bail!("--rules `{}`: there is no such file or folder", path.display());
        }
    }
    let mut set = if source.rules.is_empty() { RuleSet::default() } else { rule::load(&source.rules) };
    if source.rules.is_empty() || source.builtin {
        set.extend(rule::builtin(GuideLanguage::English));
    }
    let mut set = set.localised(language(source.lang));
    let wanted: Vec<String> = source.only.iter().map(|text| text.to_lowercase()).collect();
    if !wanted.is_empty() {
        let all = set.rules.len();
        set.rules.retain(|rule| wanted.iter().any(|text| rule_has(rule, text)));
        if set.rules.is_empty() {
            bail!(
                "--only: none of the {all} rules has {} in its id, name, tags or type",
                source.only.join(" or ")
            );
        }
    }
    Ok(set)
}

/// Whether a rule's id, name, tags or type contain a text, given in lower case.
pub(crate) fn rule_has(rule: &rule::Rule, text: &str) -> bool {
    let words = [rule.rule_id.as_str(), &rule.name, rule.kind.type_name()];
    words.into_iter().chain(rule.tags.iter().map(String::as_str)).any(|it| it.to_lowercase().contains(text))
}
