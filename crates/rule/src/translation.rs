//! The prose of a rule in another language: `<name>.zh-CN.toml` beside `<name>.toml`.

use span::Span;

use crate::check::{Text, check_table};
use crate::error::Findings;
use crate::format::{Entry, Form};
use crate::text::{Node, Syntax, parse_toml};
use crate::{Guide, GuideLanguage, LoadError, Note, Rule, Step};

const NOTE: &[Entry] = &[
    Entry::new("title", Form::Words, "One line.").required(),
    Entry::new("text", Form::Words, "Markdown.").required(),
];

const RESPONSE: &[Entry] = &[
    Entry::new("title", Form::Words, "One line.").required(),
    Entry::new("text", Form::Words, "Markdown.").required(),
    Entry::new("reason", Form::Words, "Why."),
    Entry::new("breaks", Form::Words, "What stops working."),
    Entry::new("undo", Form::Words, "How to take it back."),
    Entry::new("verify", Form::Words, "How to see that it worked."),
];

const GUIDE: &[Entry] = &[
    Entry::new("overview", Form::Words, "What an alert means."),
    Entry::new("triage", Form::Tables { entries: NOTE, min: 0 }, "The steps, in the order of the rule."),
    Entry::new(
        "false_positive",
        Form::Tables { entries: NOTE, min: 0 },
        "The notes, in the order of the rule.",
    ),
    Entry::new(
        "response",
        Form::Tables { entries: RESPONSE, min: 0 },
        "The steps, in the order of the rule.",
    ),
];

const RULE: &[Entry] = &[
    Entry::new("name", Form::Words, "The name."),
    Entry::new("description", Form::Words, "The description."),
    Entry::new("false_positives", Form::Texts { min: 0, max: usize::MAX }, "In the order of the rule."),
    Entry::new("note", Form::Words, "The investigation guide, if the rule has it as Markdown."),
    Entry::new("setup", Form::Words, "The setup guide."),
];

const ROOT: &[Entry] = &[
    Entry::new("rule", Form::Table(RULE), "The prose of `[rule]`.").required(),
    Entry::new("guide", Form::Table(GUIDE), "The prose of `[guide]`."),
];

/// The prose of one rule in one language.
#[derive(Clone, Debug)]
pub(crate) struct Translation {
    pub(crate) language: GuideLanguage,
    name: Option<String>,
    description: Option<String>,
    false_positives: Vec<String>,
    note: Option<String>,
    setup: Option<String>,
    overview: Option<String>,
    triage: Vec<Note>,
    guide_false_positives: Vec<Note>,
    response: Vec<Note>,
    /// Reason, what it breaks, how to undo and to verify it, of each step of response.
    more: Vec<[Option<String>; 4]>,
    /// Where the lists stand, to say which one does not fit.
    spans: [Span; 4],
}

impl Translation {
    /// Reads a translation.
    pub(crate) fn parse(language: GuideLanguage, text: &str, findings: &mut Findings) -> Option<Self> {
        let root = match parse_toml(text) {
            Ok(root) => root,
            Err(errors) => {
                findings.extend(errors);
                return None;
            }
        };
        check_table(&root, "", ROOT, None, Text { text, syntax: Syntax::Toml }, findings);
        if findings.refuse() {
            return None;
        }
        let at = |path: &[&str]| root.at(path).and_then(Node::text).map(str::to_owned);
        let notes = |key: &str| -> Vec<Note> {
            let part = |node: &Node, key| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
            let items = root.at(&["guide", key]).map_or(&[][..], Node::items);
            items.iter().map(|item| Note { title: part(item, "title"), text: part(item, "text") }).collect()
        };
        let list = root.at(&["rule", "false_positives"]).map_or(&[][..], Node::items);
        let place = |table: &str, key: &str| {
            root.get(table).and_then(|table| table.member(key)).map_or(Span::at(0), |member| member.key_span)
        };
        Some(Self {
            language,
            name: at(&["rule", "name"]),
            description: at(&["rule", "description"]),
            false_positives: list.iter().filter_map(Node::text).map(str::to_owned).collect(),
            note: at(&["rule", "note"]),
            setup: at(&["rule", "setup"]),
            overview: at(&["guide", "overview"]),
            triage: notes("triage"),
            guide_false_positives: notes("false_positive"),
            response: notes("response"),
            more: root
                .at(&["guide", "response"])
                .map_or(&[][..], Node::items)
                .iter()
                .map(|it| {
                    ["reason", "breaks", "undo", "verify"]
                        .map(|key| it.get(key).and_then(Node::text).map(str::to_owned))
                })
                .collect(),
            spans: [
                place("rule", "false_positives"),
                place("guide", "triage"),
                place("guide", "false_positive"),
                place("guide", "response"),
            ],
        })
    }

    /// What does not fit the rule, step by step. A list that does not fit is not used.
    pub(crate) fn compare(&self, rule: &Rule) -> Vec<LoadError> {
        let guide = rule.guide.clone().unwrap_or_default();
        let lists = [
            ("rule.false_positives", self.false_positives.len(), rule.false_positives.len()),
            ("guide.triage", self.triage.len(), guide.triage.len()),
            ("guide.false_positive", self.guide_false_positives.len(), guide.false_positives.len()),
            ("guide.response", self.response.len(), guide.response.len()),
        ];
        std::iter::zip(lists, self.spans)
            .filter(|((_, found, expected), _)| found != expected)
            .map(|((list, found, expected), span)| LoadError::TranslationCount {
                list,
                found,
                expected,
                span,
            })
            .collect()
    }

    /// Puts the translated words into the rule.
    fn apply(&self, rule: &mut Rule) {
        let replace = |text: &mut String, by: &Option<String>| {
            if let Some(by) = by {
                text.clone_from(by);
            }
        };
        replace(&mut rule.name, &self.name);
        replace(&mut rule.description, &self.description);
        replace(&mut rule.setup, &self.setup);
        if self.false_positives.len() == rule.false_positives.len() {
            rule.false_positives.clone_from(&self.false_positives);
        }
        // A note that was made of the guide is made again; one of the file's own needs its own translation.
        let made = rule.guide.as_ref().map(|guide| crate::note::note(guide, GuideLanguage::English));
        let note_is_made = made.is_some() && made == rule.note;
        if let Some(guide) = &mut rule.guide {
            self.apply_guide(guide);
            if note_is_made {
                rule.note = Some(crate::note::note(guide, self.language));
            }
        }
        if self.note.is_some() {
            rule.note.clone_from(&self.note);
        }
    }

    fn apply_guide(&self, guide: &mut Guide) {
        if self.overview.is_some() {
            guide.overview.clone_from(&self.overview);
        }
        let steps = |steps: &mut Vec<Step>, by: &[Note]| {
            if steps.len() == by.len() {
                for (step, note) in steps.iter_mut().zip(by) {
                    (step.title, step.text) = (note.title.clone(), note.text.clone());
                }
            }
        };
        steps(&mut guide.triage, &self.triage);
        steps(&mut guide.response, &self.response);
        if guide.response.len() == self.more.len() {
            for (step, more) in guide.response.iter_mut().zip(&self.more) {
                let its = [&mut step.reason, &mut step.breaks, &mut step.undo, &mut step.verify];
                for (mine, by) in its.into_iter().zip(more) {
                    // What the rule does not say has no translation.
                    if mine.is_some() && by.is_some() {
                        mine.clone_from(by);
                    }
                }
            }
        }
        if guide.false_positives.len() == self.guide_false_positives.len() {
            guide.false_positives.clone_from(&self.guide_false_positives);
        }
    }
}

impl Rule {
    /// The rule with the prose of a translation; nothing if the text is none, or does not fit the rule.
    #[must_use]
    pub fn translated(&self, language: GuideLanguage, text: &str) -> Option<Self> {
        let mut findings = Findings::default();
        let translation = Translation::parse(language, text, &mut findings)?;
        if !translation.compare(self).is_empty() {
            return None;
        }
        let mut rule = self.clone();
        translation.apply(&mut rule);
        Some(rule)
    }

    /// The rule with its prose in that language, as far as it is translated.
    #[must_use]
    pub fn localised(&self, language: GuideLanguage) -> Self {
        let mut rule = self.clone();
        rule.localise(language);
        rule
    }

    /// As [`Rule::localised`], of the rule itself.
    pub(crate) fn localise(&mut self, language: GuideLanguage) {
        let translations = std::mem::take(&mut self.translations);
        if let Some(translation) = translations.iter().find(|it| it.language == language) {
            translation.apply(self);
        }
        self.translations = translations;
    }
}
