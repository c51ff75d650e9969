//! For a terminal: the sentence first, then what differs, the steps, what is missing, what to run next.

use investigate::{Evidence, Found, Investigation};

use super::BareSteps;
use super::lean::Lean;
use super::words::Words;
use crate::table::{clip, is_wide};
use crate::{Cell, Terminal, clean, grid, when};

/// Columns of a line where nothing is known of the terminal.
const WIDTH: usize = 80;
/// Rows of a table here; the other formats have all.
const ROWS: usize = 8;
/// Columns of a table here.
const COLUMNS: usize = 6;
/// Characters of the name of a cell that stands in a line of its own.
const NAME: usize = 12;
/// Characters of a cell here.
const CELL: usize = 60;

pub(super) fn text(it: &Investigation, words: &Words, terminal: Terminal, bare: BareSteps) -> String {
    let width = terminal.width.map_or(WIDTH, usize::from).min(120);
    let mut out = String::new();
    let bold = |text: &str| terminal.paint("1", text);
    wrap(&mut out, "", &it.sentence, width);
    if let Some(grade) = it.fact("grade") {
        let grade = format!("{} {}: {}", words.grade, investigate::fact_text(&grade.value), grade.text);
        wrap(&mut out, "", &grade, width);
    }
    let rule = it.rule.as_ref().map(|it| it.name.as_str()).unwrap_or_default();
    if !rule.is_empty() {
        wrap(&mut out, "", &format!("{}: {rule}", words.rule), width);
    }
    wrap(&mut out, "", &format!("{}: {}", words.alert, it.id), width);
    if !it.deviations.is_empty() {
        out += &format!("\n{}\n", bold(words.deviations));
        for deviation in &it.deviations {
            wrap(&mut out, "- ", deviation, width);
        }
    }
    let mut number = 0;
    for step in &it.steps {
        if step.is_prose {
            out += "\n";
            for line in step.text.trim_matches('\n').lines() {
                written(&mut out, line, width);
            }
        } else {
            number += 1;
            let title = bold(&clean(&format!("{number}. {}", step.title)));
            out += &format!("\n{title}\n");
            if bare == BareSteps::InALine && !step.has_found() && step.snippets.is_empty() {
                wrap(&mut out, "  ", &nothing_found(step, words), width);
                continue;
            }
        }
        one(&mut out, step, words, width);
    }
    if !it.harmless.is_empty() {
        out += &format!("\n{}\n", bold(words.harmless));
        for list in &it.harmless {
            wrap(&mut out, "", &list.title, width);
            for (sign, lines) in [("+ ", &list.supports), ("- ", &list.against), ("? ", &list.unknown)] {
                for line in lines {
                    wrap(&mut out, &format!("  {sign}"), line, width);
                }
            }
        }
        if let Some(exception) = &it.exception {
            let entries: Vec<String> =
                exception.entries.iter().map(|it| format!("{}: {}", it.name(), it.value)).collect();
            let text = format!(
                "{}: {} ({} {}, {} {})",
                words.exception,
                entries.join(", "),
                exception.hides,
                words.hides,
                words.expires,
                when(exception.expires)
            );
            wrap(&mut out, "", &text, width);
        }
    }
    out += &format!("\n{}\n", bold(words.missing));
    let missing = it.all_missing();
    if missing.is_empty() {
        wrap(&mut out, "", words.nothing, width);
    }
    for missing in missing {
        wrap(&mut out, "- ", &format!("{} ({})", missing.text, missing.lack.id()), width);
    }
    let commands: Vec<_> = it.steps.iter().filter_map(|step| step.command.as_ref()).collect();
    if !commands.is_empty() {
        out += &format!("\n{}\n", bold(words.next));
        for command in commands {
            for note in &command.notes {
                wrap(&mut out, "# ", note, width);
            }
            for line in command.text.lines() {
                // A command that is broken is no command: its lines end with a backslash.
                shell_line(&mut out, &clean(line), width);
            }
        }
    }
    out
}

/// That a step found nothing, with what was asked; if nothing could be, with why.
fn nothing_found(step: &Evidence, words: &Words) -> String {
    let asked: Vec<&str> = step.results.iter().map(|it| words.word(&it.id)).collect();
    let why: Vec<&str> = step.missing.iter().map(|it| it.text.as_str()).collect();
    match (asked.as_slice(), why.as_slice()) {
        ([], []) => words.nothing.to_owned(),
        ([], why) => format!("{}: {}", words.nothing, why.join("; ")),
        (asked, _) => format!("{}: {}", words.nothing, asked.join(", ")),
    }
}

fn one(out: &mut String, step: &Evidence, words: &Words, width: usize) {
    for statement in &step.statements {
        wrap(out, "  ", statement, width);
    }
    if let Some((from, to)) = step.range {
        let mut text = format!("{} {} … {}", words.looked, when(from), when(to));
        if let Some(from) = step.data_from {
            text += &format!("; {} {}", words.exist_from, when(from));
        }
        wrap(out, "  ", &text, width);
    }
    for snippet in &step.snippets {
        wrap(out, "  ", &format!("{} ({})", snippet.label, words.not_run), width);
        for note in &snippet.command.notes {
            wrap(out, "    # ", note, width);
        }
        for line in snippet.command.text.lines() {
            wrap(out, "    ", line, width);
        }
    }
    for (at, found) in step.results.iter().enumerate() {
        let is_same = |it: &&Found| (&it.columns, &it.rows) == (&found.columns, &found.rows);
        if found.rows.is_empty() {
            continue;
        }
        if let Some(same) = step.results[..at].iter().find(is_same) {
            let text = format!(
                "{} ({}): {} {}",
                words.word(&found.id),
                crate::count(found.events),
                words.same,
                words.word(&same.id)
            );
            wrap(out, "  ", &text, width);
            continue;
        }
        table(out, found, words, width);
    }
    let empty: Vec<&str> =
        step.results.iter().filter(|it| it.rows.is_empty()).map(|it| words.word(&it.id)).collect();
    if !empty.is_empty() {
        wrap(out, "  ", &format!("{}: {}", words.nothing, empty.join(", ")), width);
    }
}

/// Of an ARN the resource, which is what differs; the other formats have all of it.
fn resource(text: &str) -> &str {
    let mut parts = text.splitn(6, ':');
    match (parts.next(), parts.nth(4)) {
        (Some("arn"), Some(resource)) if !text.contains(' ') => resource,
        _ => text,
    }
}

/// A line of Markdown that somebody else wrote, wrapped at its own indent.
fn written(out: &mut String, line: &str, width: usize) {
    let text = line.trim_start();
    let indent = " ".repeat((line.len() - text.len()).min(width / 2));
    let lead = if text.starts_with("- ") || text.starts_with("* ") { &text[..2] } else { "" };
    if text.is_empty() {
        *out += "\n";
    } else {
        wrap(out, &format!("{indent}{lead}"), &text[lead.len()..], width);
    }
}

fn table(out: &mut String, found: &Found, words: &Words, width: usize) {
    let lean = Lean::of(found);
    let mut head = format!("{} ({})", words.word(&found.id), crate::count(found.events));
    if let Some(day) = lean.day {
        head += &format!(" · {day}");
    }
    if !lean.common.is_empty() {
        let common: Vec<String> = lean
            .common
            .iter()
            .map(|(head, value)| format!("{} {}", words.head(head), cut(resource(value))).trim().to_owned())
            .collect();
        head += &format!(" · {}: {}", words.common, common.join(", "));
    }
    wrap(out, "  ", &head, width);
    let inner = width - 4;
    if let [row] = &lean.rows[..]
        && lean.width() > inner
    {
        // A single row has room below itself.
        for (head, cell) in lean.heads.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
            let name: String = words.head(head).chars().take(3 * NAME).collect();
            let pad = NAME.saturating_sub(name.chars().map(columns).sum());
            wrap(out, &format!("    {name}{}  ", " ".repeat(pad)), &clip(resource(cell)), width);
        }
        return;
    }
    let count = lean.heads.len().min(COLUMNS);
    let rows = lean.rows.iter().zip(&found.rows).take(ROWS).map(|(cells, row)| {
        let cell = |(at, text): (usize, &&str)| {
            let mark = if at == 0 && row.is_own { "* " } else { "" };
            Cell::from(format!("{mark}{}", cut(resource(text))))
        };
        cells[..count].iter().enumerate().map(cell).collect()
    });
    let inner = Terminal { width: Some(u16::try_from(inner).unwrap_or(76)), colour: false };
    let heads: Vec<String> = lean.heads[..count].iter().map(|it| words.head(it)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    for line in grid(&heads, rows, inner).lines() {
        *out += &format!("    {}\n", line.trim_end());
    }
    let more = found.total.saturating_sub(ROWS as u64);
    if more > 0 {
        wrap(out, "    ", &format!("… {} {}", crate::count(more), words.more), width);
    }
}

fn cut(text: &str) -> String {
    text.chars().take(CELL).collect()
}

/// Appends a text in lines of that width; the first begins with `lead`, the others are indented as far.
pub(crate) fn wrap(out: &mut String, lead: &str, text: &str, width: usize) {
    let indent = " ".repeat(lead.chars().count());
    let room = width.saturating_sub(indent.len()).max(20);
    let (mut line, mut used, mut first) = (String::new(), 0, true);
    let flush = |line: &mut String, used: &mut usize, first: &mut bool, out: &mut String| {
        *out += &format!("{}{}\n", if *first { lead } else { &indent }, line.trim_end());
        line.clear();
        (*used, *first) = (0, false);
    };
    for word in clean(text).split(' ') {
        let wide: usize = word.chars().map(columns).sum();
        if used > 0 && used + wide > room {
            flush(&mut line, &mut used, &mut first, out);
        }
        for c in word.chars() {
            if used + columns(c) > room {
                flush(&mut line, &mut used, &mut first, out);
            }
            line.push(c);
            used += columns(c);
        }
        line.push(' ');
        used += 1;
    }
    if !line.trim().is_empty() || first {
        flush(&mut line, &mut used, &mut first, out);
    }
}

/// Columns of a terminal that a character takes.
pub(super) fn columns(c: char) -> usize {
    if is_wide(c) { 2 } else { 1 }
}

fn shell_line(out: &mut String, line: &str, width: usize) {
    let (mut rest, mut indent) = (line, "");
    loop {
        let room = width - indent.len() - 2;
        if rest.chars().count() <= room + 2 {
            *out += &format!("{indent}{rest}\n");
            return;
        }
        // Only between arguments, and outside of quotes.
        let (mut cut, mut quote) = (None, None);
        for (at, c) in rest.char_indices() {
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (None, ' ') if rest[..at].chars().count() <= room || cut.is_none() => {
                    cut = (at > 0).then_some(at);
                }
                _ => {}
            }
        }
        let Some(at) = cut else {
            *out += &format!("{indent}{rest}\n");
            return;
        };
        *out += &format!("{indent}{} \\\n", &rest[..at]);
        rest = &rest[at + 1..];
        indent = "    ";
    }
}
