//! Comments that say which findings are known: `# lint: ignore RULE127` on the line of the finding or above it.
//!
//! A value of several lines can hold no comment, so one before or behind the value counts for all of it. JSON knows no
//! comments. An error is never ignored: what cannot run is not run.

use std::ops::Range;

use span::{Diagnostic, Severity, Span};

use crate::parse::sniff;
use crate::text::Syntax;
use crate::{Problem, RuleSet};

/// What remains when comments are heeded.
#[derive(Clone, Debug, Default)]
pub struct Heeded {
    /// The findings that no comment names, and a note on each comment that names none.
    pub kept: Vec<Problem>,
    /// How many others there are.
    pub ignored: usize,
}

/// Takes out the findings that comments in their files say are known.
pub fn heed(set: &RuleSet, problems: Vec<Problem>) -> Heeded {
    let mut files: Vec<(&str, File<'_>)> = set
        .texts
        .iter()
        .filter(|(_, text)| text.contains(MARK) && sniff(text) == Syntax::Toml)
        .map(|(name, text)| (name.as_str(), File::read(text)))
        .collect();
    let mut heeded = Heeded::default();
    for problem in problems {
        let file = files.iter_mut().find(|(name, _)| *name == problem.file);
        if file.is_some_and(|(_, file)| file.ignores(&problem.diagnostic)) {
            heeded.ignored += 1;
        } else {
            heeded.kept.push(problem);
        }
    }
    for (name, file) in files {
        for comment in file.comments.iter().filter(|comment| !comment.used) {
            let message = "this comment ignores nothing";
            let diagnostic = Diagnostic::new(Severity::Note, "RULE150", message, comment.span)
                .help("remove it; it stands on the line of the finding or above it, and names its code");
            heeded.kept.push(Problem { file: name.to_owned(), diagnostic });
        }
    }
    heeded
}

const MARK: &str = "lint: ignore";

/// What matters of a file.
struct File<'t> {
    text: &'t str,
    comments: Vec<Comment<'t>>,
    /// Where strings of several lines stand.
    long: Vec<Range<usize>>,
}

struct Comment<'t> {
    span: Span,
    line: usize,
    /// Nothing else stands on its line.
    alone: bool,
    codes: Vec<&'t str>,
    used: bool,
}

impl<'t> File<'t> {
    /// Finds comments and long strings: what begins a comment within a string begins none.
    fn read(text: &'t str) -> Self {
        let mut file = Self { text, comments: Vec::new(), long: Vec::new() };
        let mut at = 0;
        while let Some(found) = text[at..].find(['#', '"', '\'']) {
            let start = at + found;
            let rest = &text[start..];
            at = start
                + if rest.starts_with('#') {
                    let length = rest.find('\n').unwrap_or(rest.len());
                    file.comment(start, rest[..length].trim_end());
                    length
                } else if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
                    let length = long_string(rest);
                    file.long.push(start..start + length);
                    length
                } else {
                    short_string(rest)
                };
        }
        file
    }

    fn comment(&mut self, start: usize, comment: &'t str) {
        let Some((_, list)) = comment.split_once(MARK) else { return };
        let is_code = |word: &&str| {
            let letters = word.trim_end_matches(|it: char| it.is_ascii_digit());
            letters.len() < word.len()
                && !letters.is_empty()
                && letters.bytes().all(|it| it.is_ascii_uppercase())
        };
        let words = list.split([' ', ',', '\t']).filter(|word| !word.is_empty());
        let codes = words.take_while(is_code).collect();
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        self.comments.push(Comment {
            span: Span::new(start, start + comment.len()),
            line: self.line(start),
            alone: self.text[line_start..start].trim().is_empty(),
            codes,
            used: false,
        });
    }

    fn line(&self, at: usize) -> usize {
        span::position(self.text, at).line
    }

    /// Whether a comment says that this is known.
    fn ignores(&mut self, diagnostic: &Diagnostic) -> bool {
        let Some(span) = diagnostic.span().filter(|_| diagnostic.severity < Severity::Error) else {
            return false;
        };
        let mut lines = vec![self.line(span.start)];
        if let Some(long) = self.long.iter().find(|range| range.contains(&span.start)) {
            lines.extend([self.line(long.start), self.line(long.end)]);
        }
        // Comments of their own may stand above one another.
        for at in 0..lines.len() {
            let mut above = lines[at];
            while self.comments.iter().any(|it| it.alone && it.line + 1 == above) {
                above -= 1;
                lines.push(above);
            }
        }
        let mut ignored = false;
        for comment in &mut self.comments {
            let is_near = lines.contains(&comment.line);
            if is_near && comment.codes.contains(&diagnostic.code) {
                comment.used = true;
                ignored = true;
            }
        }
        ignored
    }
}

/// The length of a string of several lines that begins here, to the end of the text if nothing closes it.
fn long_string(rest: &str) -> usize {
    let quote = &rest[..3];
    let mut at = 3;
    while let Some(byte) = rest.as_bytes().get(at) {
        if *byte == b'\\' && quote == "\"\"\"" {
            at += 2;
        } else if rest[at..].starts_with(quote) {
            // Up to two more quotes belong to the string.
            let more = rest[at + 3..].bytes().take(2).take_while(|it| *it == quote.as_bytes()[0]).count();
            return at + 3 + more;
        } else {
            at += 1;
            while !rest.is_char_boundary(at) {
                at += 1;
            }
        }
        at = at.min(rest.len());
        while !rest.is_char_boundary(at) {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a string of one line.
fn short_string(rest: &str) -> usize {
    let quote = rest.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return at,
            _ if escaped => escaped = false,
            b'\\' if quote == b'"' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "a = 'no # lint: ignore RULE101' # lint: ignore RULE102, KQL201 it is so\n\
        # lint: ignore RULE103\n# lint: ignore RULE104\nb = '''\nx # lint: ignore RULE105\ny''' # lint: ignore RULE106\n\
        c = \"\"\"\\\"\"\"\\\n\"\"\"\"\nd = 1 # lint: ignore RULE107\ne = 2\n";

    fn ignored(code: &'static str, at: &str) -> bool {
        let start = TEXT.find(at).unwrap();
        let diagnostic = Diagnostic::new(Severity::Warning, code, "odd", Span::new(start, start + 1));
        File::read(TEXT).ignores(&diagnostic)
    }

    #[test]
    fn comments_count_on_their_line_and_below() {
        for (code, at, expected) in [
            ("RULE102", "a =", true),
            ("KQL201", "a =", true),
            ("RULE101", "a =", false),
            ("RULE103", "b =", true),
            ("RULE104", "b =", true),
            ("RULE103", "y'", true),
            ("RULE106", "x #", true),
            ("RULE105", "x #", false),
            ("RULE107", "d =", true),
            ("RULE107", "e =", false),
            ("RULE106", "c =", false),
        ] {
            assert_eq!(ignored(code, at), expected, "{code} at {at}");
        }
    }

    #[test]
    fn an_error_is_not_ignored() {
        let diagnostic = Diagnostic::new(Severity::Error, "RULE102", "wrong", Span::at(0));
        assert!(!File::read(TEXT).ignores(&diagnostic));
    }

    #[test]
    fn open_strings_end_somewhere() {
        for text in ["'", "\"", "'''", "\"\"\"\\", "\"\\", "# lint: ignore", "'''ü\\", "\"\"\"\\ü"] {
            File::read(text);
        }
    }
}
