//! Investigations for people and for scripts: text for a terminal, Markdown, a page, JSON.

mod json;
mod lean;
mod markdown;
mod text;
mod words;

pub(crate) use json::command;
pub(crate) use markdown::{escape, prose};
pub(crate) use words::head_of;

use std::io;

use investigate::Investigation;
use rule::GuideLanguage;

use crate::Terminal;

/// How investigations are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvestigationFormat {
    /// For a terminal.
    Text,
    /// Markdown.
    Markdown,
    /// A page.
    Html,
    /// JSON, the facts by name.
    Json,
}

/// How steps that found nothing are told on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BareSteps {
    /// In a line, with what was asked.
    InALine,
    /// Like the others.
    Whole,
}

/// Prints investigations, one after the other.
pub fn write(
    to: &mut dyn io::Write,
    format: InvestigationFormat,
    investigations: &[Investigation],
    language: GuideLanguage,
    terminal: Terminal,
    bare: BareSteps,
) -> io::Result<()> {
    let words = words::of(language);
    match format {
        InvestigationFormat::Text => {
            for (at, it) in investigations.iter().enumerate() {
                let gap = if at == 0 { "" } else { "\n\n" };
                to.write_all(format!("{gap}{}", text::text(it, words, terminal, bare)).as_bytes())?;
            }
            Ok(())
        }
        InvestigationFormat::Markdown => to.write_all(markdown::all(investigations, words).as_bytes()),
        InvestigationFormat::Html => {
            let page = page(words.investigation, language, &markdown::all(investigations, words));
            to.write_all(page.as_bytes())
        }
        InvestigationFormat::Json => {
            serde_json::to_writer_pretty(&mut *to, &json::all(investigations))?;
            to.write_all(b"\n")
        }
    }
}

/// Markdown as a page by itself: nothing loads, nothing runs.
pub(crate) fn page(title: &str, language: GuideLanguage, markdown: &str) -> String {
    const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;display:block;overflow-x:auto;font-size:.85em}td,th{border:1px solid #8886;padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}code,pre{font-family:ui-monospace,monospace;overflow-wrap:anywhere}pre{overflow-x:auto;padding:.5rem;border:1px solid #8886}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}}";
    format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
        language.tag(),
        crate::markdown::to_html(markdown)
    )
}
