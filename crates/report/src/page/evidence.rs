//! The filled guide of an alert: its evidence, and the plan of response.

use investigate::{Checklist, Command, Evidence, Found, Investigation, Plan, PlanStep, fact_text};
use rule::{GuideLanguage, Risk};

use super::escape::{each, html, sentence};
use super::parts::Parts;
use super::words::{Words, fill};
use crate::investigation::head_of;
use crate::markdown::to_html;
use crate::{clean, count, when};

/// Rows of a table on the page; `investigate` has all.
const ROWS: usize = 12;
/// Columns of a table on the page.
const COLUMNS: usize = 8;
/// Characters of a cell.
const CELL: usize = 160;

/// The guide and the plan.
pub(super) fn guide(it: &Investigation, plan: &Plan, words: &Words, parts: &mut Parts) -> String {
    let mut out = format!("<p class=\"lead\">{}</p>\n", sentence(&it.sentence));
    if let Some(grade) = it.fact("grade") {
        out += &format!(
            "<p><span class=\"pill grade\">{} {}</span> {}</p>\n",
            words.grade,
            html(&fact_text(&grade.value)),
            sentence(&grade.text)
        );
    }
    out += &list(words.deviations, &it.deviations);
    let mut number = 0;
    for step in &it.steps {
        if step.is_prose {
            // What the author of the guide wrote goes on through the steps.
            out += &format!(
                "<div class=\"prose\">\n{}{}</div>\n",
                to_html(&step.text),
                found(step, words, parts)
            );
        } else {
            number += 1;
            out += &one(number, step, words, parts);
        }
    }
    let harmless = harmless(it, words);
    out += &parts.put(harmless);
    let missing: Vec<String> = it.all_missing().iter().map(|it| it.text.clone()).collect();
    out += &list(words.missing, &missing);
    out += &format!(
        "<details class=\"plan\"><summary>{}</summary>\n{}</details>\n",
        words.plan,
        planned(plan, words, parts)
    );
    out
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let lines = each(lines, |it| format!("<li>{}</li>\n", sentence(&clean(it))));
    format!("<h5>{title}</h5>\n<ul>\n{lines}</ul>\n")
}

fn one(number: usize, step: &Evidence, words: &Words, parts: &mut Parts) -> String {
    // On paper only what found something is opened.
    let (class, said) = if step.has_found() {
        ("step", step.statements.first().map(|it| format!(" <span>{}</span>", sentence(&clean(it)))))
    } else {
        ("step bare", Some(format!(" <span>{}</span>", words.nothing)))
    };
    let mut out = format!(
        "<details class=\"{class}\"><summary><b>{number}. {}</b>{}</summary>\n{}",
        html(&step.title),
        said.unwrap_or_default(),
        parts.put(to_html(&step.text))
    );
    if !step.statements.is_empty() {
        out += "<ul>\n";
        for it in &step.statements {
            out += &format!("<li>{}</li>\n", sentence(&clean(it)));
        }
        out += "</ul>\n";
    }
    out += &found(step, words, parts);
    if let Some(it) = &step.command {
        out += &parts.put(format!("<p>{}</p>\n{}", words.next, command(it)));
    }
    out + "</details>\n"
}

/// What the queries of a step found, and those that are for something else.
fn found(step: &Evidence, words: &Words, parts: &mut Parts) -> String {
    let mut out = String::new();
    if let Some((from, to)) = step.range {
        let mut text = fill(words.looked, &[("from", &when(from)), ("to", &when(to))]);
        if let Some(from) = step.data_from {
            text += &fill(words.exist_from, &[("from", &when(from))]);
        }
        out += &format!("<p class=\"range\">{text}</p>\n");
    }
    for found in step.results.iter().filter(|it| !it.rows.is_empty()) {
        out += &parts.put(table(found, words));
    }
    for snippet in &step.snippets {
        out += &format!(
            "<p><b>{}</b> ({})</p>\n{}",
            html(&snippet.label),
            words.not_run,
            command(&snippet.command)
        );
    }
    out
}

fn table(found: &Found, words: &Words) -> String {
    let columns = found.columns.len().min(COLUMNS);
    let language = GuideLanguage::from_tag(words.tag).unwrap_or_default();
    let heads = each(&found.columns[..columns], |it| format!("<th>{}</th>", html(&head_of(language, it))));
    let mut out = format!(
        "<div class=\"wide\"><table><caption>{} ({})</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n",
        html(investigate::word(language, &found.id)),
        count(found.events)
    );
    for row in found.rows.iter().take(ROWS) {
        let cells = &row.cells[..columns.min(row.cells.len())];
        let cells = each(cells, |it| format!("<td>{}</td>", sentence(&short(it))));
        out += &format!("<tr{}>{cells}</tr>\n", if row.is_own { " class=\"own\"" } else { "" });
    }
    out += "</tbody></table></div>\n";
    let more = (found.total.max(found.rows.len() as u64)).saturating_sub(ROWS as u64);
    if more > 0 {
        out +=
            &format!("<p class=\"range\">{}</p>\n", sentence(&fill(words.rows_more, &[("n", &count(more))])));
    }
    if found.rows.iter().take(ROWS).any(|it| it.is_own) {
        out += &format!("<p class=\"range\">{}</p>\n", words.own);
    }
    out
}

fn short(text: &str) -> String {
    let text = clean(text);
    match text.char_indices().nth(CELL) {
        // A value that is cut stays one.
        Some((at, _)) => format!("{}…", text[..at].replace('`', "'")),
        None => text,
    }
}

fn command(it: &Command) -> String {
    let mut out = each(&it.notes, |it| format!("<p class=\"range\">{}</p>\n", sentence(&clean(it))));
    if !it.text.is_empty() {
        let lines: Vec<String> = it.text.lines().map(|it| html(&clean(it))).collect();
        out += &format!("<pre><code>{}</code></pre>\n", lines.join("\n"));
    }
    out
}

fn harmless(it: &Investigation, words: &Words) -> String {
    if it.harmless.is_empty() && it.exception.is_none() {
        return String::new();
    }
    let mut out = format!("<details class=\"step\"><summary><b>{}</b></summary>\n", words.harmless);
    for Checklist { title, text, supports, against, unknown } in &it.harmless {
        out += &format!("<h5>{}</h5>\n{}<ul>\n", html(title), to_html(text));
        for (what, lines) in [(words.supports, supports), (words.against, against), (words.unknown, unknown)]
        {
            for line in lines {
                out += &format!("<li><b>{what}</b>: {}</li>\n", sentence(&clean(line)));
            }
        }
        out += "</ul>\n";
    }
    if let Some(exception) = &it.exception {
        out += &format!("<h5>{}</h5>\n<ul>\n", words.exception);
        for it in &exception.entries {
            let (name, value) = (html(&it.name()), html(&short(&it.value)));
            out += &format!("<li><code>{name}</code>: <code>{value}</code></li>\n");
        }
        let values = [("n", count(exception.hides)), ("until", when(exception.expires))];
        let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        out += &format!("</ul>\n<p>{}</p>\n", fill(words.hides, &values));
    }
    out + "</details>\n"
}

fn planned(plan: &Plan, words: &Words, parts: &mut Parts) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        out += &parts.put(planned_step(step, plan.watch_of(step), words));
    }
    if !plan.not_indicated.is_empty() {
        let mut others =
            format!("<details class=\"step\"><summary>{}</summary>\n<ul>\n", words.not_indicated);
        for (step, why) in &plan.not_indicated {
            others += &format!(
                "<li><b>{} {}</b>: {}</li>\n",
                html(&step.id),
                html(&step.title),
                sentence(&clean(why))
            );
        }
        others += "</ul>\n</details>\n";
        out += &parts.put(others);
    }
    out
}

fn planned_step(step: &PlanStep, watch: Option<&str>, words: &Words) -> String {
    let (class, risk) = match step.risk {
        None | Some(Risk::Read) => ("read", words.risk_read),
        Some(Risk::Reversible) => ("reversible", words.risk_reversible),
        Some(Risk::Destructive) => ("destructive", words.risk_destructive),
    };
    let mut out = format!(
        "<details class=\"step\"><summary><b>{} {}</b> <span class=\"pill {class}\">{risk}</span></summary>\n{}",
        html(&step.id),
        html(&step.title),
        to_html(&step.text)
    );
    for (what, text) in [
        (words.reason, &step.reason),
        (words.breaks, &step.breaks),
        (words.undo, &step.undo),
        (words.verify, &step.verify),
    ] {
        if let Some(text) = text {
            out += &format!("<div class=\"why\"><b>{what}</b> {}</div>\n", to_html(text));
        }
    }
    if !step.needs.is_empty() {
        let needs: Vec<String> = step.needs.iter().map(|it| format!("<code>{}</code>", html(it))).collect();
        out += &format!("<p><b>{}</b> {}</p>\n", words.needs, needs.join(", "));
    }
    out += &command(&step.command);
    if let Some(watch) = watch {
        let lines: Vec<String> = watch.lines().map(|it| html(&clean(it))).collect();
        out += &format!("<pre><code>{}</code></pre>\n", lines.join("\n"));
    }
    out + "</details>\n"
}
