//! What a person is told of an alert, in words.
//!
//! What an alert says of its event is what an attacker wrote. It goes through [`quoted`]: no character that shows nothing or
//! turns others round, no address that a program would make a link of. What a receiver makes of marks is its format's affair.

use ecs::document::lookup;
use ecs::{Millis, Object};
use serde_json::Value;

/// The longest value that is told; documents hold all of it.
const VALUE_MAX: usize = 300;
/// The longest line.
const LINE_MAX: usize = 500;

/// A value of an event: in one line, without what shows nothing, without what becomes a link.
pub(crate) fn quoted(text: &str) -> String {
    shortened(&harmless(text), VALUE_MAX)
}

/// A text without what shows nothing, and without what becomes a link.
pub(crate) fn harmless(text: &str) -> String {
    let clean = report::clean(text);
    let mut out = String::with_capacity(clean.len());
    let mut rest = clean.as_str();
    while let Some(it) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("://") {
            out += "[:]//";
            rest = after;
        } else if rest.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("www.")) {
            out += &rest[..3];
            out += "[.]";
            rest = &rest[4..];
        } else {
            out.push(it);
            rest = &rest[it.len_utf8()..];
        }
    }
    out
}

/// At most so many characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// An alert in a line, without its rule's name: `ada did s3:DeleteBucket from 203.0.113.9: success; to bucket-1`.
pub(crate) fn line(document: &Object) -> String {
    let alert = report::Alert::new(document);
    let (sentence, target) = (alert.sentence(), alert.target());
    let text = if target.is_empty() { sentence } else { format!("{sentence}, to {target}") };
    shortened(&harmless(&text), LINE_MAX)
}

/// What a person is told of an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Telling {
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) time: String,
    /// A name and a value each, those that have one.
    pub(crate) facts: Vec<(&'static str, String)>,
    /// Where more is to be seen: what this product has set, and nothing of an event.
    pub(crate) link: Option<String>,
    /// The first step of the rule's guide.
    pub(crate) step: Option<String>,
    pub(crate) id: String,
}

impl Telling {
    pub(crate) fn of(document: &Object, now: Millis, step: Option<&str>) -> Self {
        let alert = report::Alert::new(document);
        let time = ecs::date::to_iso(alert.time().unwrap_or(now));
        let all = [
            ("Who", alert.who()),
            ("What", alert.what()),
            ("To", alert.target()),
            ("From", alert.from_where()),
            ("Outcome", alert.outcome().into_owned()),
            ("Account", alert.text("cloud.account.id").unwrap_or_default().into_owned()),
            ("Region", alert.text("cloud.region").unwrap_or_default().into_owned()),
            ("Also", alert.stands_for().unwrap_or_default()),
        ];
        let facts =
            all.into_iter().filter(|it| !it.1.is_empty()).map(|(name, it)| (name, quoted(&it))).collect();
        let own = || first_step(alert.text("kibana.alert.rule.note").unwrap_or_default().as_ref());
        Self {
            rule: quoted(&alert.rule_name()),
            severity: quoted(&alert.severity()),
            time,
            facts,
            link: link(document),
            step: step.map(str::to_owned).or_else(own).map(|it| quoted(&it)),
            id: quoted(&alert.id()),
        }
    }
}

/// Where an alert is to be seen.
pub(crate) fn link(document: &Object) -> Option<String> {
    let url = lookup(document, "kibana.alert.url").and_then(Value::as_str)?;
    let is_plain = |it: char| it.is_ascii_graphic() && !"<>|\"'`()[]{}\\^".contains(it);
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    (is_web && url.len() <= 2_048 && url.chars().all(is_plain)).then(|| url.to_owned())
}

/// The first step of a guide in Markdown: the first item of a list below a heading that speaks of triage or investigation.
fn first_step(note: &str) -> Option<String> {
    let mut is_below = false;
    for line in note.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('#') {
            let heading = heading.to_ascii_lowercase();
            is_below = ["triage", "investigat", "analysis"].iter().any(|it| heading.contains(it));
        } else if is_below {
            let number = line.find(|it: char| !it.is_ascii_digit()).filter(|it| *it > 0);
            let numbered = number.and_then(|at| line[at..].strip_prefix(". "));
            let item = ["- ", "* "].into_iter().find_map(|it| line.strip_prefix(it)).or(numbered);
            if let Some(item) = item.map(|it| it.replace(['*', '`'], "")).filter(|it| !it.trim().is_empty()) {
                return Some(item.trim().to_owned());
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_become_no_links_and_hide_nothing() {
        for (text, expected) in [
            ("http://evil.example/x", "http[:]//evil.example/x"),
            ("WWW.evil.example", "WWW[.]evil.example"),
            ("a\u{202e}b\n\u{200b}c", "a\u{fffd}b\u{fffd}\u{fffd}c"),
            ("arn:aws:iam::1:role/x", "arn:aws:iam::1:role/x"),
            ("ü://", "ü[:]//"),
        ] {
            assert_eq!(quoted(text), expected);
        }
        assert_eq!(quoted(&"ä".repeat(400)).chars().count(), VALUE_MAX + 1);
    }

    #[test]
    fn links_are_only_links() {
        let of = |url: &str| link(json!({"kibana.alert.url": url}).as_object().unwrap());
        assert!(
            of("https://kibana.example/app/security/alerts/redirect/1?index=.alerts&timestamp=2").is_some()
        );
        for wrong in ["javascript:alert(1)", "https://x|<!channel>", "https://x\n", "x", "https://x y"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_first_step_of_a_note() {
        let note = "## Overview\n- not this\n\n### Possible investigation steps\n\n1. **Look** at `user.name`.\n2. More";
        assert_eq!(first_step(note).as_deref(), Some("Look at user.name."));
        assert_eq!(first_step("## Triage\ntext\n* one\n"), Some("one".to_owned()));
        assert_eq!(first_step("# Investigation"), None);
        assert_eq!(first_step(""), None);
    }
}
