//! Grok: regular expressions with named patterns in them.

use std::sync::LazyLock;

use crate::oniguruma;

/// How deep named patterns may refer to one another.
const MAX_DEPTH: usize = 20;

/// How large an automaton may be.
const MAX_BYTES: usize = 10 * 1024 * 1024;

/// The named patterns: a line each, the name and what it means.
static LIBRARY: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    include_str!("patterns.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// Patterns that are known to be good, of which the first that fits counts.
#[derive(Clone, Debug)]
pub struct Grok {
    patterns: Vec<Pattern>,
    outputs: Vec<Output>,
}

#[derive(Clone, Debug)]
struct Pattern {
    regex: regex::Regex,
    /// For each group of the expression, the output it goes to.
    groups: Vec<usize>,
}

/// What comes of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The name.
    pub name: String,
    /// The type that the pattern asks for.
    pub kind: Kind,
}

/// The types that a pattern can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As it stands there.
    Keyword,
    /// `int`.
    Integer,
    /// `long`.
    Long,
    /// `float` and `double`.
    Double,
    /// `boolean`.
    Boolean,
}

/// Why a pattern was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrokError {
    /// No pattern of that name exists.
    #[error("Unable to find pattern [{name}] in Grok's pattern dictionary{}", suggestion(.near.as_deref()))]
    Unknown {
        /// The name.
        name: String,
        /// One like it.
        near: Option<String>,
    },
    /// The syntax does not allow what stands there.
    #[error("{what} in `{pattern}`")]
    Syntax {
        /// What is wrong.
        what: String,
        /// The pattern.
        pattern: String,
    },
    /// What takes more than time linear in the text.
    #[error("{what} in `{pattern}` is not supported: write the pattern without it")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// The pattern.
        pattern: String,
    },
    /// The automaton would be too large, or named patterns refer to one another too deeply.
    #[error("the pattern `{pattern}` is too large")]
    TooLarge {
        /// The pattern.
        pattern: String,
    },
}

fn suggestion(name: Option<&str>) -> String {
    name.map(|name| format!(", did you mean [{name}]?")).unwrap_or_default()
}

impl GrokError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => "EXT011",
            Self::Syntax { .. } => "EXT012",
            Self::Unsupported { .. } => "EXT013",
            Self::TooLarge { .. } => "EXT014",
        }
    }
}

/// What a pattern captures, as it is read: the names in the order of their groups.
#[derive(Default)]
pub(crate) struct Captured(pub(crate) Vec<(String, Kind)>);

impl Grok {
    /// Reads patterns. Their outputs are sorted by name.
    pub fn new(patterns: &[&str]) -> Result<Self, GrokError> {
        let read: Vec<(regex::Regex, Captured)> =
            patterns.iter().map(|it| compile(it)).collect::<Result<_, _>>()?;
        let mut outputs: Vec<Output> = Vec::new();
        for (name, kind) in read.iter().flat_map(|(_, captured)| &captured.0) {
            if !outputs.iter().any(|it| it.name == *name) {
                outputs.push(Output { name: name.clone(), kind: *kind });
            }
        }
        outputs.sort_by(|a, b| a.name.cmp(&b.name));
        let place = |(name, _): &(String, Kind)| outputs.iter().position(|it| it.name == *name);
        let patterns = read
            .into_iter()
            .map(|(regex, captured)| Pattern { regex, groups: captured.0.iter().filter_map(place).collect() })
            .collect();
        Ok(Self { patterns, outputs })
    }

    /// What comes of a match, sorted by name.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Searches the text, and gives every value of the first pattern that fits, with the number of its output: in the order
    /// of the pattern. Whether one fits.
    pub fn find<'t>(&self, text: &'t str, mut take: impl FnMut(usize, &'t str)) -> bool {
        for pattern in &self.patterns {
            let Some(found) = pattern.regex.captures(text) else { continue };
            for (group, output) in found.iter().skip(1).zip(&pattern.groups) {
                if let Some(value) = group {
                    take(*output, value.as_str());
                }
            }
            return true;
        }
        false
    }
}

fn compile(pattern: &str) -> Result<(regex::Regex, Captured), GrokError> {
    let mut captured = Captured::default();
    let text = translate(pattern, 0, &mut captured)?;
    let regex =
        regex::RegexBuilder::new(&text).multi_line(true).size_limit(MAX_BYTES).build().map_err(|error| {
            match error {
                regex::Error::CompiledTooBig(_) => GrokError::TooLarge { pattern: pattern.to_owned() },
                error => {
                    let last = error.to_string().lines().last().unwrap_or_default().to_owned();
                    let what = last.strip_prefix("error: ").unwrap_or(&last).to_owned();
                    GrokError::Syntax { what, pattern: pattern.to_owned() }
                }
            }
        })?;
    Ok((regex, captured))
}

/// The expression of a pattern, in which named patterns are put in their places.
pub(crate) fn translate(pattern: &str, depth: usize, captured: &mut Captured) -> Result<String, GrokError> {
    if depth > MAX_DEPTH {
        return Err(GrokError::TooLarge { pattern: pattern.to_owned() });
    }
    oniguruma::translate(pattern, captured, &mut |reference, captured| {
        let mut parts = reference.splitn(3, ':');
        let syntax = parts.next().unwrap_or_default();
        let name = parts.next().filter(|it| !it.is_empty()).map(plain_name);
        let kind = match parts.next() {
            Some("int") => Kind::Integer,
            Some("long") => Kind::Long,
            Some("float" | "double") => Kind::Double,
            Some("boolean") => Kind::Boolean,
            _ => Kind::Keyword,
        };
        let Some((_, meaning)) = LIBRARY.iter().find(|it| it.0 == syntax) else {
            return Err(unknown(syntax));
        };
        let opening = match name {
            Some(name) => {
                captured.0.push((name, kind));
                "("
            }
            None => "(?:",
        };
        Ok(format!("{opening}{})", translate(meaning, depth + 1, captured)?))
    })
}

fn unknown(name: &str) -> GrokError {
    let upper = name.to_ascii_uppercase();
    let near = LIBRARY.iter().find(|it| it.0 == upper || (upper.len() > 3 && it.0.starts_with(&upper)));
    GrokError::Unknown { name: name.to_owned(), near: near.map(|it| it.0.to_owned()) }
}

/// `[a][b]` is another way to write `a.b`.
fn plain_name(name: &str) -> String {
    match name.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        Some(inner) => inner.replace("][", "."),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(pattern: &str, text: &str) -> Option<Vec<(String, String)>> {
        let grok = Grok::new(&[pattern]).unwrap();
        let mut values = Vec::new();
        grok.find(text, |output, value| values.push((grok.outputs[output].name.clone(), value.to_owned())))
            .then_some(values)
    }

    #[test]
    fn every_pattern_of_the_library_compiles_and_fits_what_it_names() {
        assert!(LIBRARY.len() > 70, "{}", LIBRARY.len());
        for (name, _) in LIBRARY.iter() {
            if let Err(error) = Grok::new(&[&format!("%{{{name}:x}}")]) {
                panic!("{name}: {error}");
            }
        }
        for (name, text, expected) in [
            ("IP", "at 10.20.30.255, then", Some("10.20.30.255")),
            ("IP", "at 2001:db8::1 then", Some("2001:db8::1")),
            ("IPV4", "1234.5.6.7", None),
            ("IPV4", "10.0.0.2567", None),
            ("NUMBER", "costs -17.50 each", Some("-17.50")),
            ("NUMBER", "=.5", Some(".5")),
            ("INT", "x-12y", Some("-12")),
            ("POSINT", "0 12", Some("12")),
            ("WORD", "…a_b c", Some("a_b")),
            ("QUOTEDSTRING", r#"said "a \" b" c"#, Some(r#""a \" b""#)),
            ("TIMESTAMP_ISO8601", "[2024-05-01T10:30:00.123Z]", Some("2024-05-01T10:30:00.123Z")),
            ("EMAILADDRESS", "<a.b@mail.example.com>", Some("a.b@mail.example.com")),
            (
                "URI",
                "get https://u:p@host.example:8443/a/b?c=d#e now",
                Some("https://u:p@host.example:8443/a/b?c=d#e"),
            ),
            ("URIHOST", "//[x] host.example:80/", Some("x")),
            (
                "UUID",
                "id 123e4567-e89b-12d3-a456-426614174000.",
                Some("123e4567-e89b-12d3-a456-426614174000"),
            ),
            ("MAC", "00:1A:2b:3c:4d:5e", Some("00:1A:2b:3c:4d:5e")),
            ("PATH", "cat /etc/passwd", Some("/etc/passwd")),
            ("WINPATH", "run C:\\Windows\\x.exe", Some("C:\\Windows\\x.exe")),
            ("HTTPDATE", "[17/May/2015:08:05:32 +0000]", Some("17/May/2015:08:05:32 +0000")),
            ("SYSLOGTIMESTAMP", "May  7 08:05:32 host", Some("May  7 08:05:32")),
            ("LOGLEVEL", "[WARN] x", Some("WARN")),
            ("BASE16NUM", "to 0xFf", Some("0xFf")),
        ] {
            let values = found(&format!("%{{{name}:x}}"), text);
            let value = values.as_ref().map(|it| it.last().unwrap().1.as_str());
            assert_eq!(value, expected, "{name} in {text}");
        }
    }

    #[test]
    fn outputs_are_sorted_and_typed_and_repeat() {
        let grok =
            Grok::new(&["%{INT:b:int} %{WORD:a} (?<c.d>x+)?%{NOTSPACE:b}", "%{GREEDYDATA:z}"]).unwrap();
        let names: Vec<_> = grok.outputs().iter().map(|it| (it.name.as_str(), it.kind)).collect();
        let keyword = Kind::Keyword;
        assert_eq!(names, [("a", keyword), ("b", Kind::Integer), ("c.d", keyword), ("z", keyword)]);
        let mut values = Vec::new();
        assert!(grok.find("1 w y", |output, value| values.push((output, value))));
        assert_eq!(values, [(1, "1"), (0, "w"), (1, "y")]);
        values.clear();
        assert!(grok.find("-", |output, value| values.push((output, value))));
        assert_eq!(values, [(3, "-")]);
    }

    #[test]
    fn oniguruma_is_not_the_same() {
        assert!(found("(?m)^a.b$", "x\na\nb").is_some());
        assert!(found("^b$", "a\nb").is_some());
        assert!(found("(?i)(?<x>ABC)", "abc").is_some());
        assert!(found(r"(?<x>\h+)", "zzbeef").is_some_and(|it| it[0].1 == "beef"));
        assert!(found(r"\<(?<x>[[:alnum:]-]+)\>", "<a-1>").is_some_and(|it| it[0].1 == "a-1"));
        assert!(found(r"{(?<x>[^}]*)}", "{a}").is_some_and(|it| it[0].1 == "a"));
    }

    #[test]
    fn refusals() {
        for (pattern, code, says) in [
            ("%{NOSUCH:x}", "EXT011", "[NOSUCH]"),
            ("%{word:x}", "EXT011", "did you mean [WORD]?"),
            ("(?<x>a", "EXT012", "unclosed group"),
            ("(?<!a)b", "EXT013", "a look behind"),
            ("(?=a)b", "EXT013", "a look ahead"),
            ("(?>a+)b", "EXT013", "gives nothing back"),
            ("a++b", "EXT013", "gives nothing back"),
            (r"(a)\1", "EXT013", "a reference to a group"),
            ("(?:(?:a{1000}){1000}){1000}", "EXT014", "too large"),
        ] {
            let error = Grok::new(&[pattern]).unwrap_err();
            assert_eq!(error.code(), code, "{pattern}: {error}");
            assert!(error.to_string().contains(says), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(pattern in "[]\\[(){}|&~%:?<>0-9,.\\\\^$a-c*+-]{0,16}", text in ".{0,8}") {
            if let Ok(it) = Grok::new(&[&pattern]) {
                it.find(&text, |_, _| {});
            }
        }
    }
}
