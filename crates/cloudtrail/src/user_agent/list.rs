//! The three lists of expressions.

use std::borrow::Cow;
use std::sync::OnceLock;

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::prefilter::{Prefilter, required_texts};

/// Programs, systems, devices.
pub(super) struct Lists {
    pub(super) programs: List,
    pub(super) systems: List,
    pub(super) devices: List,
}

/// Expressions in the order they are tried.
#[derive(Default)]
pub(super) struct List {
    entries: Vec<Entry>,
    prefilter: OnceLock<Prefilter>,
}

/// One expression.
#[derive(Default)]
struct Entry {
    pattern: String,
    ignore_case: bool,
    /// Replacements of the name and of the parts of the version.
    replacements: [Option<&'static str>; 5],
    compiled: OnceLock<Option<Regex>>,
}

/// A match, with what its entry says instead of its groups.
pub(super) struct Replacements<'t> {
    captures: Captures<'t>,
    replacements: [Option<&'static str>; 5],
}

impl Lists {
    /// Reads the file, which is YAML of the plainest kind: three keys, below each a list of maps, each value a
    /// text on one line.
    pub(super) fn read(text: &'static str) -> Self {
        let mut lists = [List::default(), List::default(), List::default()];
        let mut current = 0;
        for line in text.lines() {
            match line.trim_end() {
                "user_agent_parsers:" => current = 0,
                "os_parsers:" => current = 1,
                "device_parsers:" => current = 2,
                line => {
                    let line = line.trim_start();
                    if line.starts_with('#') {
                        continue;
                    }
                    let entries = &mut lists[current].entries;
                    let line = match line.strip_prefix("- ") {
                        Some(first) => {
                            entries.push(Entry::default());
                            first.trim_start()
                        }
                        None => line,
                    };
                    if let (Some((key, value)), Some(entry)) = (line.split_once(':'), entries.last_mut()) {
                        entry.set(key, unquoted(value.trim()));
                    }
                }
            }
        }
        let [programs, systems, devices] = lists;
        Self { programs, systems, devices }
    }
}

/// The text of a quoted scalar; a comment may follow it.
fn unquoted(value: &'static str) -> &'static str {
    let Some(quote) = value.chars().next().filter(|it| matches!(it, '\'' | '"')) else { return value };
    match value[1..].rfind(quote) {
        Some(end) => &value[1..=end],
        None => value,
    }
}

impl Entry {
    fn set(&mut self, key: &str, value: &'static str) {
        match key {
            "regex" => self.pattern = value.replace("''", "'"),
            "regex_flag" => self.ignore_case = value == "i",
            "family_replacement" | "os_replacement" | "device_replacement" => {
                self.replacements[0] = Some(value);
            }
            "v1_replacement" | "os_v1_replacement" => self.replacements[1] = Some(value),
            "v2_replacement" | "os_v2_replacement" => self.replacements[2] = Some(value),
            "v3_replacement" | "os_v3_replacement" => self.replacements[3] = Some(value),
            "v4_replacement" | "os_v4_replacement" => self.replacements[4] = Some(value),
            // Brand and model are not used.
            _ => {}
        }
    }

    /// The expression, unless it does not compile: then it never matches.
    fn regex(&self) -> Option<&Regex> {
        // Java's classes and its case folding are those of ASCII, as are those of an expression over bytes.
        let build = || {
            RegexBuilder::new(&self.pattern).unicode(false).case_insensitive(self.ignore_case).build().ok()
        };
        self.compiled.get_or_init(build).as_ref()
    }
}

impl List {
    /// The first entry that matches anywhere in the text.
    pub(super) fn first_match<'t>(&'t self, text: &'t str) -> Option<Replacements<'t>> {
        let texts =
            || self.entries.iter().map(|entry| required_texts(&entry.pattern, entry.ignore_case)).collect();
        let prefilter = self.prefilter.get_or_init(|| Prefilter::new(texts()));
        for candidate in prefilter.candidates(text) {
            let entry = &self.entries[candidate];
            // Most candidates do not match, and to tell that takes less than to look for groups.
            let regex = entry.regex().filter(|it| it.is_match(text.as_bytes()));
            if let Some(captures) = regex.and_then(|it| it.captures(text.as_bytes())) {
                return Some(Replacements { captures, replacements: entry.replacements });
            }
        }
        None
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The slow twin of [`List::first_match`]: tries every entry.
    #[cfg(test)]
    pub(super) fn first_match_of_all<'t>(&'t self, text: &'t str) -> Option<Replacements<'t>> {
        self.entries.iter().find_map(|entry| {
            let regex = entry.regex().unwrap_or_else(|| panic!("{} does not compile", entry.pattern));
            let captures = regex.captures(text.as_bytes())?;
            Some(Replacements { captures, replacements: entry.replacements })
        })
    }
}

impl Replacements<'_> {
    /// The name: the replacement, in which `$1` stands for the first group, else that group.
    pub(super) fn name(&self) -> Option<String> {
        let group = self.group(1);
        match self.replacements[0] {
            Some(text) => Some(text.replacen("$1", group.as_deref().unwrap_or_default(), 1)),
            None => group.map(Cow::into_owned),
        }
    }

    /// A part of the version, the first being 1: the replacement as it is, else the group after the name's.
    pub(super) fn part(&self, part: usize) -> Option<Cow<'_, str>> {
        match self.replacements[part] {
            Some(text) => Some(text.into()),
            None => self.group(part + 1),
        }
    }

    fn group(&self, group: usize) -> Option<Cow<'_, str>> {
        self.captures.get(group).map(|it| String::from_utf8_lossy(it.as_bytes()))
    }
}
