//! Index patterns: which `_index` a rule reads.

pub use ecs::{ALERTS_INDEX, CLOUDTRAIL_INDEX};

use crate::Rule;

/// The indices that alerts lie in, behind the aliases `.alerts-*`. They are hidden: only a pattern that begins with
/// a dot names them.
pub(crate) const ALERTS: &str = ".internal.alerts-*";

/// The index patterns of a rule, as Elasticsearch resolves them: in order, `-pattern` takes away what those
/// before it gave; a name stands for a data stream, too, whose documents lie in `.ds-<name>-…`, or for the alias of
/// alerts, which lie in `.internal<name>-…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexPatterns {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// With `*` as the only wildcard.
    pub(crate) glob: String,
    /// Takes away.
    pub(crate) exclude: bool,
    /// `cluster:` before the name, which is not looked at here.
    pub(crate) cluster: Option<String>,
}

impl IndexPatterns {
    /// Takes the patterns of a rule apart: an item may be a list with commas.
    pub(crate) fn new<S: AsRef<str>>(patterns: &[S]) -> Self {
        let patterns = patterns
            .iter()
            .flat_map(|item| item.as_ref().split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| {
                let (cluster, name) = match item.split_once(':') {
                    // `::data` selects the documents of a stream, which are all that is read here.
                    Some((cluster, name)) if !name.starts_with(':') => (Some(cluster.to_owned()), name),
                    Some((name, _)) => (None, name),
                    None => (None, item),
                };
                let exclude =
                    name.starts_with('-') || cluster.as_deref().is_some_and(|name| name.starts_with('-'));
                Pattern { glob: name.trim_start_matches('-').to_owned(), exclude, cluster }
            })
            .collect();
        Self { patterns }
    }

    /// Whether the patterns name that index. No patterns name all indices, except for the hidden ones.
    pub(crate) fn matches(&self, index: &str) -> bool {
        let hidden = glob_matches(ALERTS, index);
        let named = |pattern: &Pattern| {
            pattern.globs().iter().any(|glob| glob_matches(glob, index))
                && !(hidden && pattern.spares_hidden())
        };
        let mut matched = !hidden && !self.patterns.iter().any(|pattern| !pattern.exclude);
        for pattern in &self.patterns {
            if named(pattern) {
                matched = !pattern.exclude;
            }
        }
        matched
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pattern> {
        self.patterns.iter()
    }
}

impl Pattern {
    /// Whether it does not stand for hidden indices, though its wildcard would.
    pub(crate) fn spares_hidden(&self) -> bool {
        self.glob.starts_with('*')
    }

    /// The names of indices that it stands for: its own, and those behind a data stream or an alias of the name.
    pub(crate) fn globs(&self) -> Vec<String> {
        if self.glob.starts_with('*') {
            return vec![self.glob.clone()];
        }
        if self.glob.starts_with('.') {
            let fixed = self.glob.split('*').next().unwrap_or_default();
            let names_alias = ALERTS_ALIAS.starts_with(fixed) || fixed.starts_with(ALERTS_ALIAS);
            // Numbers of six digits follow: what else begins so is the name of another space.
            let end = if self.glob.ends_with('*') { "" } else { "-0*" };
            let behind = names_alias.then(|| format!(".internal{}{end}", self.glob));
            return std::iter::once(self.glob.clone()).chain(behind).collect();
        }
        let behind = if self.glob.ends_with('*') {
            format!(".ds-{}", self.glob)
        } else {
            format!(".ds-{}-*", self.glob)
        };
        vec![self.glob.clone(), behind]
    }
}

/// How the aliases of alerts begin.
const ALERTS_ALIAS: &str = ".alerts-";

/// Whether `text` is of the form of `glob`, whose `*` is any text. Linear: every piece is looked for once.
pub(crate) fn glob_matches(glob: &str, text: &str) -> bool {
    let Some((first, rest)) = glob.split_once('*') else { return glob == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return left.ends_with(piece);
        }
        match left.find(piece) {
            Some(at) => left = &left[at + piece.len()..],
            None => return false,
        }
    }
    true
}

/// Whether patterns of indices name that one. No patterns name all, except for those of alerts.
pub fn matches_index<S: AsRef<str>>(patterns: &[S], index: &str) -> bool {
    IndexPatterns::new(patterns).matches(index)
}

/// Whether the rule reads alerts: it executes after the rules over events, and sees what they raise.
pub fn reads_alerts(rule: &Rule) -> bool {
    IndexPatterns::new(&rule.index).matches(ALERTS_INDEX)
}

/// Whether alerts are all that the rule reads.
pub fn reads_only_alerts(rule: &Rule) -> bool {
    let patterns = IndexPatterns::new(&rule.index);
    reads_alerts(rule) && patterns.iter().all(|it| it.exclude || it.glob.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_wildcards_and_exclusions() {
        let stream = "logs-aws.cloudtrail-default";
        let backing = ".ds-logs-aws.cloudtrail-default-2026.08.01-000004";
        for (patterns, index, expected) in [
            (&[][..], stream, true),
            (&["logs-aws.cloudtrail-default"], stream, true),
            (&["logs-aws.cloudtrail-default"], backing, true),
            (&["logs-aws.cloudtrail*"], backing, true),
            (&["logs-aws*-default"], stream, true),
            (&["*"], backing, true),
            (&["filebeat-*"], stream, false),
            (&["filebeat-*, logs-*"], stream, true),
            (&["logs-*", "-logs-aws.*"], stream, false),
            (&["logs-*", "-logs-aws.*"], backing, false),
            (&["-logs-aws.*", "logs-*"], stream, true),
            (&["-filebeat-*"], stream, true),
            (&["other:logs-*"], stream, true),
            (&["logs-aws.cloudtrail-default::data"], stream, true),
            (&["logs-aws.cloudtrail"], stream, false),
            (&[".alerts-security.alerts-default"], ALERTS_INDEX, true),
            (&[".alerts-security.alerts-*"], ALERTS_INDEX, true),
            (&[".alerts-*"], ALERTS_INDEX, true),
            (&[".al*-default"], ALERTS_INDEX, true),
            (&[".*"], ALERTS_INDEX, true),
            (&[".internal.alerts-*"], ALERTS_INDEX, true),
            (&[ALERTS_INDEX], ALERTS_INDEX, true),
            (&[".alerts-security.alerts"], ALERTS_INDEX, false),
            (&[".alerts-security.alerts-other"], ALERTS_INDEX, false),
            (&[".ds-*"], ALERTS_INDEX, false),
            (&["*"], ALERTS_INDEX, false),
            (&["*alerts*"], ALERTS_INDEX, false),
            (&[], ALERTS_INDEX, false),
            (&["-logs-*"], ALERTS_INDEX, false),
            (&[".alerts-*", "-.alerts-security.alerts-default"], ALERTS_INDEX, false),
            (&["*", ".alerts-*"], stream, true),
        ] {
            assert_eq!(IndexPatterns::new(patterns).matches(index), expected, "{patterns:?} on {index}");
        }
    }

    #[test]
    fn globs() {
        assert!(glob_matches("a*b*c", "a-b-b-c"));
        assert!(glob_matches("**", ""));
        assert!(!glob_matches("a*a", "a"));
        assert!(!glob_matches("ab*bc", "abc"));
    }
}
