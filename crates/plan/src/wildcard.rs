//! Patterns with `*` and `?`.

/// A pattern over a whole text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wildcard {
    parts: Vec<Glob>,
    fold: bool,
}

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Glob {
    /// Exactly this text.
    Text(String),
    /// One character.
    One,
    /// Any characters, also none.
    Any,
}

impl Wildcard {
    /// A pattern of these parts. `fold`: upper and lower case of ASCII letters are the same.
    pub fn new(parts: impl IntoIterator<Item = Glob>, fold: bool) -> Self {
        let mut tidy: Vec<Glob> = Vec::new();
        for part in parts {
            match (tidy.last_mut(), part) {
                (_, Glob::Text(text)) if text.is_empty() => {}
                (Some(Glob::Text(before)), Glob::Text(text)) => before.push_str(&text),
                (Some(Glob::Any), Glob::Any) => {}
                // `*?` and `?*` mean the same: one of them is the canonical form.
                (Some(last @ Glob::Any), Glob::One) => {
                    *last = Glob::One;
                    tidy.push(Glob::Any);
                }
                (_, part) => tidy.push(part),
            }
        }
        if fold {
            for part in &mut tidy {
                if let Glob::Text(text) = part {
                    text.make_ascii_lowercase();
                }
            }
        }
        Self { parts: tidy, fold }
    }

    /// Reads `*`, `?` and `\` as Elasticsearch's `wildcard` query does; a backslash at the end is itself.
    pub fn parse(pattern: &str, fold: bool) -> Self {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut chars = pattern.chars();
        while let Some(it) = chars.next() {
            let part = match it {
                '*' => Glob::Any,
                '?' => Glob::One,
                '\\' => {
                    text.push(chars.next().unwrap_or('\\'));
                    continue;
                }
                _ => {
                    text.push(it);
                    continue;
                }
            };
            parts.extend([Glob::Text(std::mem::take(&mut text)), part]);
        }
        parts.push(Glob::Text(text));
        Self::new(parts, fold)
    }

    /// Reads `*` and `?`; a backslash is itself.
    pub fn without_escapes(pattern: &str, fold: bool) -> Self {
        let mut parts = Vec::new();
        for text in pattern.split_inclusive(['*', '?']) {
            let (text, sign) = match text.strip_suffix('*') {
                Some(text) => (text, Some(Glob::Any)),
                None => text.strip_suffix('?').map_or((text, None), |text| (text, Some(Glob::One))),
            };
            parts.push(Glob::Text(text.to_owned()));
            parts.extend(sign);
        }
        Self::new(parts, fold)
    }

    /// The parts: no empty text, no two texts in a row, no two `*` in a row.
    pub fn parts(&self) -> &[Glob] {
        &self.parts
    }

    /// The text, if the pattern is one with an asterisk behind it.
    pub fn beginning(&self) -> Option<&str> {
        match self.parts() {
            [Glob::Text(text), Glob::Any] => Some(text),
            _ => None,
        }
    }

    /// Whether upper and lower case of ASCII letters are the same.
    pub fn fold(&self) -> bool {
        self.fold
    }

    /// Whether the whole text fits. No allocation; at worst the lengths multiplied.
    pub fn matches(&self, text: &str) -> bool {
        let (mut rest, mut at) = (text, 0);
        // Where to go on after the last `*`, if what follows it does not fit here.
        let mut retry: Option<(&str, usize)> = None;
        loop {
            let fits = match self.parts.get(at) {
                None => rest.is_empty(),
                Some(Glob::Any) => {
                    at += 1;
                    if at == self.parts.len() {
                        return true;
                    }
                    retry = Some((rest, at));
                    continue;
                }
                Some(Glob::One) => {
                    let mut chars = rest.chars();
                    let found = chars.next().is_some();
                    rest = chars.as_str();
                    found
                }
                Some(Glob::Text(part)) => match strip(rest, part, self.fold) {
                    Some(after) => {
                        rest = after;
                        true
                    }
                    None => false,
                },
            };
            if fits {
                if at == self.parts.len() {
                    return true;
                }
                at += 1;
                continue;
            }
            let Some((from, resume)) = retry else { return false };
            let mut chars = from.chars();
            if chars.next().is_none() {
                return false;
            }
            let mut next = chars.as_str();
            if let (Glob::Text(part), false) = (&self.parts[resume], self.fold) {
                // Skip to where the text after the `*` occurs at all.
                match next.find(part.as_str()) {
                    Some(found) => next = &next[found..],
                    None => return false,
                }
            }
            retry = Some((next, resume));
            (rest, at) = (next, resume);
        }
    }
}

impl std::fmt::Display for Wildcard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.parts {
            match part {
                Glob::Text(text) => {
                    for it in text.chars() {
                        if matches!(it, '*' | '?' | '\\') {
                            write!(f, "\\")?;
                        }
                        write!(f, "{it}")?;
                    }
                }
                Glob::One => write!(f, "?")?,
                Glob::Any => write!(f, "*")?,
            }
        }
        Ok(())
    }
}

fn strip<'a>(text: &'a str, part: &str, fold: bool) -> Option<&'a str> {
    if !fold {
        return text.strip_prefix(part);
    }
    let head = text.get(..part.len())?;
    head.eq_ignore_ascii_case(part).then(|| &text[part.len()..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn verdicts() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("*bc*", "abcd", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a\\", "a\\", true),
            ("*a*b*a", "xaxbxbxa", true),
            ("", "", true),
            ("", "x", false),
            ("*", "", true),
            ("?*", "", false),
        ] {
            assert_eq!(Wildcard::parse(pattern, false).matches(text), expected, "{pattern} {text}");
        }
        assert!(Wildcard::parse("C:\\\\users*", true).matches("c:\\USERS\\x"));
        assert!(!Wildcard::parse("É", true).matches("é"), "only ASCII is folded");
        assert_eq!(Wildcard::parse("a*?**b", false), Wildcard::parse("a?*b", false));
    }

    proptest! {
        #[test]
        fn agrees_with_a_regular_expression(pattern in "[ab?*]{0,8}", text in "[abAé]{0,10}", fold: bool) {
            let wildcard = Wildcard::parse(&pattern, fold);
            let source = pattern.replace('?', ".").replace('*', ".*");
            let flags = if fold { "(?si)" } else { "(?s)" };
            let regex = regex::Regex::new(&format!("{flags}^(?:{source})$")).unwrap();
            prop_assert_eq!(wildcard.matches(&text), regex.is_match(&text));
            prop_assert_eq!(Wildcard::parse(&wildcard.to_string(), fold), wildcard);
        }
    }
}
