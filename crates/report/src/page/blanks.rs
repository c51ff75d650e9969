//! The guide of a rule where nobody investigated: the script puts an alert's values into its blanks.

use investigate::{Case, Subject, fill};
use rule::{GuideLanguage, Rule};

use super::escape::html;
use crate::markdown::to_html;
use crate::{guide, rules};

/// What stands around the name of a blank until the rest is HTML. No text has it that people read.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// A rule with its guide. A blank says in words what belongs there.
pub(super) fn about(rule: &Rule, language: GuideLanguage) -> String {
    let text = rules::with_blanks(rule, language, |name| format!("{OPEN}{name}{CLOSE}"));
    let mut out = String::new();
    for (at, part) in to_html(&text).split(OPEN).enumerate() {
        match part.split_once(CLOSE).filter(|(name, _)| at > 0 && fill::is_name(name)) {
            Some((name, rest)) => {
                let words = html(&guide::in_words(name));
                out += &format!("<var data-fill=\"{}\">{words}</var>{rest}", html(name));
            }
            None => out += part,
        }
    }
    out
}

/// A value that a guide asks of an alert: its name, the value, and whether it may stand in a command.
pub type CaseValue = (String, String, bool);

/// The values that the guide of its rule asks of an alert. Of several the first stands for all.
pub fn values_of(subject: &Subject, now: ecs::Millis) -> Vec<CaseValue> {
    let Some(guide) = subject.rule.as_ref().and_then(|it| it.guide.as_ref()) else { return Vec::new() };
    let case = Case::of(subject, now);
    let value = |name: &str| {
        let value = case.values.first(name)?;
        Some((name.to_owned(), value.to_owned(), fill::is_accepted(name, value)))
    };
    guide::placeholders(guide).into_iter().filter_map(value).collect()
}
