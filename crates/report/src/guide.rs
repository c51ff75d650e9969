//! Guides as they stand with their rules, in Markdown. The values of an alert come into them by investigations.

use investigate::fill;
use rule::{Asks, Guide, GuideLanguage, Rule, Step};

use crate::rules::{Words, indent, words};

/// The guide of a rule, with its placeholders.
pub(crate) fn raw(rule: &Rule, language: GuideLanguage) -> String {
    let words = words(language);
    let mut out = String::new();
    if let Some(it) = &rule.guide {
        guide(it, words, &mut out);
    } else {
        let note = rule.note.as_deref().unwrap_or_default().trim();
        if !note.is_empty() {
            out += &format!("\n## {}\n\n{}\n", words.guide, readable(note, words));
        }
        if !rule.false_positives.is_empty() {
            out += &format!("\n## {}\n\n", words.false_positives);
            for text in &rule.false_positives {
                out += &format!("- {}\n", text.trim());
            }
        }
    }
    if has_placeholders(rule) {
        out += &format!("\n{}\n", words.placeholders);
    }
    out
}

/// Whether an alert would fill anything in.
fn has_placeholders(rule: &Rule) -> bool {
    let is_open = |text: &str| !fill::placeholders(text).is_empty();
    match &rule.guide {
        Some(guide) => guide.triage.iter().chain(&guide.response).any(|it| {
            let texts = [Some(&it.text), it.command.as_ref()];
            texts.into_iter().flatten().any(|it| is_open(it))
                || it.queries.iter().any(|it| is_open(&it.query))
        }),
        None => rule.note.as_deref().is_some_and(is_open),
    }
}

fn guide(guide: &Guide, words: &Words, out: &mut String) {
    if let Some(overview) = &guide.overview {
        *out += &format!("\n## {}\n\n{}\n", words.guide, overview.trim());
    }
    steps(words.triage, &guide.triage, words, out);
    steps(words.response, &guide.response, words, out);
    if !guide.false_positives.is_empty() {
        *out += &format!("\n## {}\n\n", words.false_positives);
        for note in &guide.false_positives {
            *out += &format!("- **{}** {}\n", note.title, note.text.trim());
        }
    }
}

fn steps(title: &str, steps: &[Step], words: &Words, out: &mut String) {
    if steps.is_empty() {
        return;
    }
    *out += &format!("\n## {title}\n\n");
    for (at, step) in steps.iter().enumerate() {
        *out += &format!("{}. **{}**\n\n{}\n", at + 1, step.title, indent(step.text.trim()));
        for query in &step.queries {
            let window = format!("{}: -{} … +{}", words.window, query.before, query.after);
            let text =
                format!("{} ({window}):\n\n```{}\n{}\n```", words.query, query.language, query.query.trim());
            *out += &format!("\n{}\n", indent(&text));
        }
        if let Some(command) = &step.command {
            let text = format!("{}:\n\n```sh\n{}\n```", words.command, command.trim());
            *out += &format!("\n{}\n", indent(&text));
        }
        out.push('\n');
    }
}

/// A note of Kibana's with the queries that it embeds as queries, not as JSON.
fn readable(note: &str, words: &Words) -> String {
    rule::with_inquiries(note, |at, it| {
        let label =
            if it.label.is_empty() { format!("{} {}", words.query, at + 1) } else { it.label.clone() };
        let (language, query) = match &it.asks {
            Ok(Asks::Events(asked)) => match asked.alternatives.as_slice() {
                [one] => ("kuery", one.clone()),
                several => ("kuery", format!("({})", several.join(") or ("))),
            },
            Ok(Asks::Host(query)) => ("osquery", query.clone()),
            // What is broken is shown as it is.
            Err(_) => return note[it.at.clone()].to_owned(),
        };
        let about = if it.description.is_empty() { String::new() } else { format!(" {}", it.description) };
        // It may stand in an item of a list, however deep, which a fence would end.
        let query = query.lines().map(str::trim).collect::<Vec<_>>().join(" ").replace('`', "'");
        format!("**{label}**{about} ({language}): `{}`", query.trim())
    })
}
