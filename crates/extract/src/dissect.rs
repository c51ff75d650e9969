//! Dissect patterns: keys in braces, and the delimiters between them.

/// A pattern that is known to be good.
#[derive(Clone, Debug)]
pub struct Dissect {
    /// What the text must begin with.
    leading: String,
    keys: Vec<Key>,
    outputs: Vec<String>,
    /// Which outputs are made of all values of their name.
    appends: Vec<bool>,
    separator: String,
}

#[derive(Clone, Debug)]
struct Key {
    /// Where its value goes; none if it is skipped.
    output: Option<usize>,
    /// The place among the values that are appended, if it says one.
    order: Option<u32>,
    /// Whether further copies of the delimiter belong to it.
    padded: bool,
    /// What follows it.
    delimiter: String,
}

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DissectError {
    /// There is no key at all, or one that is not closed.
    #[error("a dissect pattern needs keys such as `%{{name}}`, and `{pattern}` has none")]
    NoKey {
        /// The pattern.
        pattern: String,
    },
    /// Nothing would come of it.
    #[error("the dissect pattern `{pattern}` names no output")]
    NoOutput {
        /// The pattern.
        pattern: String,
    },
    /// Keys with `*` and `&`.
    #[error("reference keys such as `%{{{key}}}` are not supported: name the output in the pattern")]
    Reference {
        /// The text between the braces.
        key: String,
    },
    /// Several modifiers at one key.
    #[error("the key `%{{{key}}}` has more than one modifier")]
    Modifiers {
        /// The text between the braces.
        key: String,
    },
    /// A modifier without a name.
    #[error("the key `%{{{key}}}` has no name")]
    NoName {
        /// The text between the braces.
        key: String,
    },
}

impl DissectError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoKey { .. } => "EXT001",
            Self::NoOutput { .. } => "EXT002",
            Self::Reference { .. } => "EXT003",
            Self::Modifiers { .. } => "EXT004",
            Self::NoName { .. } => "EXT005",
        }
    }
}

impl Dissect {
    /// Reads a pattern. `separator` stands between values that are appended.
    pub fn new(pattern: &str, separator: &str) -> Result<Self, DissectError> {
        let no_key = || DissectError::NoKey { pattern: pattern.to_owned() };
        let (leading, mut rest) = pattern.split_once("%{").ok_or_else(no_key)?;
        let mut it = Self {
            leading: leading.to_owned(),
            keys: Vec::new(),
            outputs: Vec::new(),
            appends: Vec::new(),
            separator: separator.to_owned(),
        };
        loop {
            let (key, after) = rest.split_once('}').ok_or_else(no_key)?;
            let (delimiter, next) = match after.split_once("%{") {
                Some((delimiter, next)) => (delimiter, Some(next)),
                None => (after, None),
            };
            it.key(key, delimiter)?;
            let Some(next) = next else { break };
            rest = next;
        }
        if it.outputs.is_empty() {
            return Err(DissectError::NoOutput { pattern: pattern.to_owned() });
        }
        Ok(it)
    }

    /// A modifier counts wherever it stands; what is before it does not.
    fn key(&mut self, key: &str, delimiter: &str) -> Result<(), DissectError> {
        let (inner, padded) = key.strip_suffix("->").map_or((key, false), |inner| (inner, true));
        let (modifier, name) = match inner.find(['+', '*', '&', '?']) {
            Some(at) => (Some(inner.as_bytes()[at]), &inner[at + 1..]),
            None => (None, inner),
        };
        if modifier.is_some() && name.starts_with(['+', '*', '&', '?']) {
            return Err(DissectError::Modifiers { key: key.to_owned() });
        }
        let (name, order) = match (modifier, name.rsplit_once('/')) {
            (Some(b'+'), Some((before, order))) if !order.is_empty() => match order.parse() {
                Ok(order) => (before, Some(order)),
                Err(_) => (name, None),
            },
            _ => (name, None),
        };
        let skipped = match modifier {
            None => name.is_empty(),
            Some(b'+') if name.is_empty() => return Err(DissectError::NoName { key: key.to_owned() }),
            Some(b'+') => false,
            Some(b'?') => true,
            Some(_) => return Err(DissectError::Reference { key: key.to_owned() }),
        };
        let output = (!skipped).then(|| {
            self.outputs.iter().position(|it| it == name).unwrap_or_else(|| {
                self.outputs.push(name.to_owned());
                self.appends.push(false);
                self.outputs.len() - 1
            })
        });
        if let Some(output) = output {
            self.appends[output] |= modifier == Some(b'+');
        }
        self.keys.push(Key { output, order, padded, delimiter: delimiter.to_owned() });
        Ok(())
    }

    /// The names of what comes of it, in order of appearance.
    pub fn outputs(&self) -> &[String] {
        &self.outputs
    }

    /// The values of the outputs, or none if the text does not fit.
    pub fn find(&self, text: &str) -> Option<Vec<String>> {
        let mut rest = text.strip_prefix(self.leading.as_str()).filter(|rest| !rest.is_empty())?;
        let mut values: Vec<&str> = Vec::with_capacity(self.keys.len());
        while let Some(key) = self.keys.get(values.len()) {
            if key.delimiter.is_empty() {
                // Only the last key takes what is left; one in the middle has nothing to end at.
                if values.len() + 1 < self.keys.len() {
                    return None;
                }
                values.push(rest);
                break;
            }
            let at = rest.find(key.delimiter.as_str())?;
            values.push(&rest[..at]);
            rest = &rest[at + key.delimiter.len()..];
            // Further copies of the delimiter have empty values between them.
            while let Some(after) = rest.strip_prefix(key.delimiter.as_str()) {
                if !key.padded {
                    if values.len() == self.keys.len() {
                        break;
                    }
                    values.push("");
                }
                rest = after;
            }
        }
        Some(self.collect(&values))
    }

    fn collect(&self, values: &[&str]) -> Vec<String> {
        let mut found: Vec<Vec<(u32, &str)>> = vec![Vec::new(); self.outputs.len()];
        for (key, value) in self.keys.iter().zip(values) {
            let Some(output) = key.output else { continue };
            if !self.appends[output] {
                found[output].clear();
            }
            // Those without a number come first, in order of appearance.
            found[output].push((key.order.map_or(0, |it| it.saturating_add(1)), value));
        }
        let join = |mut parts: Vec<(u32, &str)>| {
            parts.sort_by_key(|it| it.0);
            parts.iter().map(|it| it.1).collect::<Vec<_>>().join(&self.separator)
        };
        found.into_iter().map(join).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values() {
        let cases: &[(&str, &str, &str, Option<&[&str]>)] = &[
            ("%{a} %{b}", "", "x y z", Some(&["x", "y z"])),
            ("%{a} %{b}", "", "x", None),
            ("%{a},%{b},%{c}", "", "1,,3", Some(&["1", "", "3"])),
            ("%{a->} %{b}", "", "1    2", Some(&["1", "2"])),
            ("%{a} %{+a}", "-", "x y", Some(&["x-y"])),
            ("%{+a/2} %{+a/1}", " ", "x y", Some(&["y x"])),
            ("[%{a}] %{?skip} %{}: %{b}", "", "[1] two three: four", Some(&["1", "four"])),
            ("%{a}:%{b};", "", "1:2;rest", Some(&["1", "2"])),
            ("id=%{a}", "", "id=", None),
            ("%{{?bucket.name.key}=%{a}", "", "{k=v", Some(&["v"])),
        ];
        for (pattern, separator, text, expected) in cases {
            let found = Dissect::new(pattern, separator).unwrap().find(text);
            let expected = expected.map(|it| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>());
            assert_eq!(found, expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn refusals() {
        for (pattern, code) in [
            ("no key", "EXT001"),
            ("%{open", "EXT001"),
            ("%{?a} %{}", "EXT002"),
            ("%{*a} %{&a}", "EXT003"),
            ("%{+?a}", "EXT004"),
            ("%{+}", "EXT005"),
        ] {
            assert_eq!(Dissect::new(pattern, "").unwrap_err().code(), code, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_text_made_of_values_gives_them_back(values in prop::collection::vec("[a-z]{0,3}", 1..5)) {
            let pattern: Vec<String> = (0..values.len()).map(|at| format!("%{{k{at}}}")).collect();
            let text = format!("<{}", values.join("::"));
            let found = Dissect::new(&format!("<{}", pattern.join("::")), "").unwrap().find(&text);
            prop_assert_eq!(found, (text.len() > 1).then_some(values));
        }

        #[test]
        fn nothing_panics(pattern in "[%{}a-b+?/1> -]{0,20}", text in "[a-b %-]{0,10}") {
            if let Ok(it) = Dissect::new(&pattern, ",") {
                let _ = it.find(&text);
            }
        }
    }
}
