//! What is in force: the rules of files and the built-in ones, with what people changed of them, and the rules that they made.

use ecs::Object;
use ecs::date::to_iso;
use rule::{Exceptions, Part, Rule};
use serde_json::Value;

use super::{Kept, KeptKind, Rulebook, all, revision};
use crate::LiveError;

/// What is in force.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// The revision of the rulebook.
    pub revision: u64,
    /// All rules, whether or not they run.
    pub rules: Vec<Rule>,
    /// All exceptions.
    pub exceptions: Exceptions,
    /// What is kept and cannot be read by this version.
    pub unread: Vec<Unread>,
}

/// Something that is kept and cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its `rule_id`, or what else it is known by.
    pub key: String,
    /// Why.
    pub reason: String,
}

impl Rulebook {
    /// What is in force, with rules and exceptions that come from files.
    pub fn in_force(&self, rules: &[Rule], exceptions: &Exceptions) -> Result<InForce, LiveError> {
        let kinds = [KeptKind::Rule, KeptKind::Changes, KeptKind::List, KeptKind::Item, KeptKind::Value];
        let (revision, [made, changes, lists, items, values], value_lists) = self.database.ask(|it| {
            // One state of all of them.
            let reading = it.unchecked_transaction()?;
            let mut found = kinds.map(|_| Vec::new());
            for (found, kind) in found.iter_mut().zip(kinds) {
                *found = all(&reading, kind, None)?;
            }
            Ok((revision(&reading)?, found, all(&reading, KeptKind::ValueList, None)?))
        })?;
        let mut force = InForce { revision, exceptions: exceptions.clone(), ..InForce::default() };
        for rule in rules {
            match changes.iter().find(|it| it.key == rule.rule_id) {
                None => force.rules.push(rule.clone()),
                Some(its) => match rule.changed(&its.document) {
                    Ok(changed) => force.rules.push(changed),
                    Err(wrong) => {
                        force.unread.push(Unread::new(its, &wrong));
                        force.rules.push(rule.clone());
                    }
                },
            }
        }
        for kept in &made {
            match kept.rule() {
                Ok(rule) => force.rules.push(rule),
                Err(unread) => force.unread.push(unread),
            }
        }
        let parts = lists.iter().chain(&items).chain(&value_lists).chain(&values);
        let mut text = String::new();
        for it in parts {
            text += &format!("{}\n", Value::Object(it.with_bookkeeping()));
        }
        force.exceptions.extend(rule::load_text("rulebook", &text).exceptions);
        Ok(force)
    }
}

impl Kept {
    /// The rule of a document.
    pub fn rule(&self) -> Result<Rule, Unread> {
        let mut document = self.with_bookkeeping();
        document.insert("revision".to_owned(), self.revision.into());
        let text = Value::Object(document).to_string();
        if rule::part(&text) != Part::Rule {
            return Err(Unread { key: self.key.clone(), reason: "it is no rule".to_owned() });
        }
        let mut set = rule::load_text(&format!("rule {}", self.key), &text);
        if let Some(rule) = set.rules.pop() {
            return Ok(rule);
        }
        let wrong: Vec<_> = set.problems.into_iter().map(|it| it.diagnostic).collect();
        Err(Unread::new(self, &wrong))
    }

    /// The document with its object id, and who made and changed it when.
    pub fn with_bookkeeping(&self) -> Object {
        let mut document = self.document.clone();
        let mut set = |key: &str, value: &str| drop(document.insert(key.to_owned(), value.into()));
        set("id", &self.id);
        set("created_at", &to_iso(self.created));
        set("created_by", &self.created_by);
        set("updated_at", &to_iso(self.updated));
        set("updated_by", &self.updated_by);
        document
    }
}

impl Unread {
    fn new(kept: &Kept, wrong: &[span::Diagnostic]) -> Self {
        let reasons: Vec<String> = wrong.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
        Self { key: kept.key.clone(), reason: reasons.join("; ") }
    }
}
