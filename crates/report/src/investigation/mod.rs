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

use words::Words;

use crate::Terminal;
use crate::one_by_one::JsonList;

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

/// Prints investigations that are all there.
pub fn write(
    to: &mut dyn io::Write,
    format: InvestigationFormat,
    investigations: &[Investigation],
    language: GuideLanguage,
    terminal: Terminal,
    bare: BareSteps,
) -> io::Result<()> {
    let mut writer = Writer::new(to, format, language, terminal, bare);
    for it in investigations {
        writer.add(it)?;
    }
    writer.finish()
}

/// Prints investigations as they come: all of them together are large.
pub struct Writer<'t> {
    to: &'t mut dyn io::Write,
    format: InvestigationFormat,
    words: &'static Words,
    terminal: Terminal,
    bare: BareSteps,
    count: usize,
    list: JsonList,
}

impl<'t> Writer<'t> {
    /// Prints to `to`.
    pub fn new(
        to: &'t mut dyn io::Write,
        format: InvestigationFormat,
        language: GuideLanguage,
        terminal: Terminal,
        bare: BareSteps,
    ) -> Self {
        let list = JsonList::new("investigations");
        Self { to, format, words: words::of(language), terminal, bare, count: 0, list }
    }

    /// Prints one more.
    pub fn add(&mut self, it: &Investigation) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        let text = match self.format {
            InvestigationFormat::Text => {
                let gap = if is_first { "" } else { "\n\n" };
                format!("{gap}{}", text::text(it, self.words, self.terminal, self.bare))
            }
            InvestigationFormat::Markdown => {
                let rule = if is_first { "" } else { "\n---\n\n" };
                format!("{rule}{}", markdown::one(it, self.words))
            }
            InvestigationFormat::Html => {
                let body = crate::markdown::to_html(&markdown::one(it, self.words));
                if is_first { self.head() + &body } else { format!("<hr />\n{body}") }
            }
            InvestigationFormat::Json => return self.list.add(self.to, &json::one(it)),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Prints what comes at the end.
    pub fn finish(self) -> io::Result<()> {
        match self.format {
            InvestigationFormat::Text | InvestigationFormat::Markdown => Ok(()),
            InvestigationFormat::Html => {
                let head = if self.count == 0 { self.head() } else { String::new() };
                self.to.write_all(format!("{head}</body>\n</html>\n").as_bytes())
            }
            InvestigationFormat::Json => self.list.finish(self.to),
        }
    }

    /// The head of a page by itself: nothing loads, nothing runs.
    fn head(&self) -> String {
        const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;display:block;overflow-x:auto;font-size:.85em}td,th{border:1px solid #8886;padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}code,pre{font-family:ui-monospace,monospace;overflow-wrap:anywhere}pre{overflow-x:auto;padding:.5rem;border:1px solid #8886}@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}a{color:#8bf}}";
        format!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
            self.words.language.tag(),
            self.words.investigation
        )
    }
}
