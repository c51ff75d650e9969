//! One self-contained page: alerts, their evidence, the guides of their rules.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use ecs::Layered;
use rule::Rule;
use serde_json::Value;

use crate::alert::{Line, text};
use crate::markdown::to_html;
use crate::table::is_invisible;
use crate::{Alert, Summary, bytes, count, plural, rules, when};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Fields of an alert's rule that are shown with the rule and not again with each alert.
const OF_THE_RULE: &str = "kibana.alert.rule.";

/// Writes the page of alerts, each with its [`alert`]. In memory it is as large as on disk.
pub(crate) fn page(
    to: &mut dyn io::Write,
    alerts: &mut dyn Iterator<Item = (Line, Vec<u8>)>,
    about: &Summary<'_>,
) -> io::Result<()> {
    let mut counted = Counted::default();
    let mut body = Vec::new();
    for (line, text) in alerts {
        counted.alert(line);
        body.extend_from_slice(&text);
    }
    to.write_all(head(&counted, about).as_bytes())?;
    to.write_all(&body)?;
    let mut out = "</section>\n".to_owned();
    guides(&mut out, &counted, about);
    write_to(&mut out, format_args!("</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"));
    to.write_all(out.as_bytes())
}

/// What of all alerts stands above and below them.
#[derive(Default)]
struct Counted {
    alerts: u64,
    severities: BTreeMap<String, u64>,
    rules: Vec<String>,
}

impl Counted {
    fn alert(&mut self, alert: Line) {
        self.alerts += 1;
        *self.severities.entry(alert.severity).or_default() += 1;
        if !self.rules.contains(&alert.rule_id) {
            self.rules.push(alert.rule_id);
        }
    }
}

/// The page up to its first alert.
fn head(counted: &Counted, about: &Summary<'_>) -> String {
    let it = &about.coverage;
    let mut out = String::new();
    let title = format!("Trailwarden: {}", plural(counted.alerts, "alert", "alerts"));
    // Nothing but this page's own style and script may run or load.
    write_to(
        &mut out,
        format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n<p>{} in {} ({} of text){}; {}, {}</p>\n",
            escape(&title),
            escape(&title),
            plural(it.records, "record", "records"),
            plural(it.files, "file", "files"),
            bytes(it.bytes_text),
            match (it.first, it.last) {
                (Some(first), Some(last)) => format!(", {} to {} UTC", when(first), when(last)),
                _ => String::new(),
            },
            plural(about.rules.len() as u64, "rule", "rules"),
            plural(it.executions, "execution", "executions"),
        ),
    );
    chips(&mut out, counted);
    out += "</header>\n<main>\n";
    for notice in &about.notices {
        let class = if notice.severe { "notice severe" } else { "notice" };
        write_to(&mut out, format_args!("<p class=\"{class}\">{}</p>\n", escape(&notice.text)));
    }
    out += "<section id=\"alerts\">\n";
    out
}

/// Filters by severity, and a search box.
fn chips(out: &mut String, counted: &Counted) {
    if counted.alerts == 0 {
        return;
    }
    *out += "<nav>\n";
    for severity in ["critical", "high", "medium", "low"] {
        if let Some(&number) = counted.severities.get(severity) {
            write_to(
                out,
                format_args!(
                    "<button type=\"button\" class=\"chip {severity}\" data-severity=\"{severity}\" aria-pressed=\"true\">{} {severity}</button>\n",
                    count(number)
                ),
            );
        }
    }
    *out += "<input id=\"search\" type=\"search\" placeholder=\"Search: role, address, action…\" aria-label=\"Search the alerts\">\n<button type=\"button\" id=\"open\">Open all</button>\n</nav>\n";
}

/// What the page says of an alert.
pub(crate) fn alert(document: &Layered) -> String {
    let mut out = String::new();
    let alert = Alert::of(document);
    let severity = escape(&alert.severity());
    write_to(
        &mut out,
        format_args!(
            "<details class=\"alert {severity}\" data-severity=\"{severity}\" id=\"{}\">\n<summary><time>{}</time> <span class=\"badge {severity}\">{severity}</span> <b>{}</b><div class=\"facts\"><span>{}</span> <span>{}</span> <span>{}</span> <span>{}</span></div></summary>\n<p>{}{}</p>\n",
            escape(&alert.id()),
            alert.time().map(when).unwrap_or_default(),
            escape(&alert.rule_name()),
            escape(&alert.what()),
            escape(&alert.who()),
            escape(&alert.from_where()),
            escape(&alert.outcome()),
            escape(&alert.text("kibana.alert.reason").unwrap_or_default()),
            alert.stands_for().map(|it| format!(" ({})", escape(&it))).unwrap_or_default(),
        ),
    );
    write_to(
        &mut out,
        format_args!(
            "<p><a href=\"#rule-{}\">Guide of the rule</a></p>\n<table>\n",
            escape(&alert.rule_id())
        ),
    );
    let mut fields = Vec::new();
    for (key, value) in document.iter() {
        if !key.starts_with(OF_THE_RULE) && key != "event.original" {
            leaves(key, value, &mut fields);
        }
    }
    fields.sort();
    for (path, value) in fields {
        write_to(&mut out, format_args!("<tr><th>{}</th><td>{}</td></tr>\n", escape(&path), escape(&value)));
    }
    out += "</table>\n</details>\n";
    out
}

/// The leaves below a value, as dotted paths and texts.
fn leaves(path: &str, value: &Value, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                leaves(&format!("{path}.{key}"), inner, out);
            }
        }
        _ => out.extend(text(value).map(|text| (path.to_owned(), text.into_owned()))),
    }
}

/// The rules that alerted, each once, with its guide.
fn guides(out: &mut String, counted: &Counted, about: &Summary<'_>) {
    let known: BTreeMap<&str, &Rule> =
        about.rules.iter().map(|&rule| (rule.rule_id.as_str(), rule)).collect();
    let shown: Vec<&Rule> = counted.rules.iter().filter_map(|id| known.get(id.as_str()).copied()).collect();
    if shown.is_empty() {
        return;
    }
    *out += "<section id=\"rules\">\n<h2>Rules and their guides</h2>\n";
    for rule in shown {
        let markdown = rules::show(rule, about.language);
        write_to(
            out,
            format_args!(
                "<details class=\"rule\" id=\"rule-{}\">\n<summary><span class=\"badge {1}\">{1}</span> <b>{2}</b></summary>\n{3}</details>\n",
                escape(&rule.rule_id),
                rule.severity.as_str(),
                escape(&rule.name),
                to_html(&markdown),
            ),
        );
    }
    *out += "</section>\n";
}

/// Text inside HTML, attribute values included.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            // A name with its direction turned around reads as another.
            other if other.is_control() || is_invisible(other) => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

fn write_to(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string does not fail");
}
