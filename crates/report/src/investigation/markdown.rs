//! Markdown, which is the page, too. Values are escaped: they are the caller's to choose.

use investigate::{Evidence, Found, Investigation};

use super::words::Words;
use crate::{clean, when};

/// Characters of a cell.
const CELL: usize = 300;

pub(super) fn one(it: &Investigation, words: &Words) -> String {
    let mut out = String::new();
    whole(&mut out, it, words);
    out
}

fn whole(out: &mut String, it: &Investigation, words: &Words) {
    let title = it.rule.as_ref().map_or(words.investigation, |it| it.name.as_str());
    *out += &format!("# {}\n\n{}\n\n", escape(title), prose(&it.sentence));
    *out += &format!("{}: `{}`\n", words.alert, code(&it.id));
    if let Some(grade) = it.fact("grade") {
        *out += &format!(
            "\n{} **{}**: {}\n",
            words.grade,
            investigate::fact_text(&grade.value),
            prose(&grade.text)
        );
    }
    list(out, words.deviations, &it.deviations);
    let mut number = 0;
    for step in &it.steps {
        if step.is_prose {
            *out += &format!("\n{}\n", step.text.trim_matches('\n'));
        } else {
            number += 1;
            *out += &format!("\n## {number}. {}\n\n{}\n", escape(&step.title), step.text);
        }
        evidence(out, step, words);
    }
    if !it.harmless.is_empty() {
        *out += &format!("\n## {}\n", words.harmless);
        for list in &it.harmless {
            *out += &format!("\n### {}\n\n{}\n\n", escape(&list.title), list.text);
            for (what, lines) in [
                (words.supports, &list.supports),
                (words.against, &list.against),
                (words.unknown, &list.unknown),
            ] {
                for line in lines {
                    *out += &format!("- {what}: {}\n", prose(line));
                }
            }
        }
        if let Some(exception) = &it.exception {
            *out += &format!("\n{}:\n\n", words.exception);
            for it in &exception.entries {
                *out += &format!("- `{}`: `{}`\n", code(&it.name()), code(&it.value));
            }
            *out += &format!(
                "\n{} {}, {} {}\n",
                exception.hides,
                words.hides,
                words.expires,
                when(exception.expires)
            );
        }
    }
    *out += &format!("\n## {}\n\n| | | |\n|---|---|---|\n", words.facts);
    for fact in &it.facts {
        *out += &format!(
            "| `{}` | {} | {} ({}) |\n",
            fact.name,
            cell(&investigate::fact_text(&fact.value)),
            cell(&fact.text),
            words.word(fact.confidence.name())
        );
    }
    let missing: Vec<String> =
        it.all_missing().iter().map(|it| format!("{} ({})", it.text, it.lack.id())).collect();
    list(out, words.missing, &missing);
}

fn list(out: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        *out += &format!("\n## {title}\n\n");
        for line in lines {
            *out += &format!("- {}\n", prose(line));
        }
    }
}

fn evidence(out: &mut String, step: &Evidence, words: &Words) {
    if !step.statements.is_empty() {
        out.push('\n');
    }
    for statement in &step.statements {
        *out += &format!("- {}\n", prose(statement));
    }
    if let Some((from, to)) = step.range {
        *out += &format!("\n{} {} … {}", words.looked, when(from), when(to));
        if let Some(from) = step.data_from {
            *out += &format!("; {} {}", words.exist_from, when(from));
        }
        out.push('\n');
    }
    for snippet in &step.snippets {
        *out += &format!("\n**{}** ({})\n\n", escape(&snippet.label), words.not_run);
        for note in &snippet.command.notes {
            *out += &format!("{}\n\n", prose(note));
        }
        *out += &fenced("sql", &snippet.command.text);
    }
    for found in step.results.iter().filter(|it| !it.rows.is_empty()) {
        table(out, found, words);
    }
    if let Some(command) = &step.command {
        *out += &format!("\n{}:\n\n", words.next);
        for note in &command.notes {
            *out += &format!("{}\n\n", prose(note));
        }
        *out += &fenced("sh", &command.text);
    }
}

/// Text inside a fence: nothing in it ends it, nothing steers a terminal.
fn fenced(language: &str, text: &str) -> String {
    let text = text.lines().map(clean).collect::<Vec<_>>().join("\n").replace("```", "` ` `");
    format!("```{language}\n{text}\n```\n")
}

fn table(out: &mut String, found: &Found, words: &Words) {
    *out += &format!("\n**{}** ({})\n\n", escape(words.word(&found.id)), crate::count(found.events));
    let heads: Vec<String> = found.columns.iter().map(|it| cell(&words.head(it))).collect();
    *out += &format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len()));
    for row in &found.rows {
        let mut cells: Vec<String> = row.cells.iter().map(|it| cell(it)).collect();
        if let Some(first) = cells.first_mut().filter(|_| row.is_own) {
            *first = format!("**{first}**");
        }
        *out += &format!("| {} |\n", cells.join(" | "));
    }
    if found.rows.iter().any(|it| it.is_own) {
        *out += &format!("\n**…** {}\n", words.own);
    }
}

/// A sentence of ours, in which values stand as code.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::new();
    for (at, part) in text.split('`').enumerate() {
        if at % 2 == 1 {
            out += &format!("`{}`", code(part));
        } else {
            out += &escape(part);
        }
    }
    out
}

/// A value in a code span.
fn code(text: &str) -> String {
    let text = clean(text).replace('`', "'").replace('|', "\u{2502}");
    if text.is_empty() { " ".to_owned() } else { text }
}

/// A cell: no character in it means anything.
fn cell(text: &str) -> String {
    let short: String = text.chars().take(CELL).collect();
    let short = if text.chars().nth(CELL).is_some() { short + "…" } else { short };
    prose(&short)
}

/// Text in which no character means anything to Markdown.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        if c.is_ascii_punctuation()
            && !matches!(
                c,
                ',' | '.' | ':' | ';' | '/' | '%' | '(' | ')' | '-' | '\'' | '"' | '?' | '=' | '@'
            )
        {
            out.push('\\');
        }
        // A link that nobody meant is none without its colon.
        out.push(c);
    }
    out
}
