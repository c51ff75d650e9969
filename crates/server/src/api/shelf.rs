//! All rules, wherever they come from, for whoever lists and changes them.

use std::collections::HashMap;
use std::sync::Arc;

use ecs::{Catalog, Millis, Object};
use hunt::{HuntError, HuntOptions, Standing};
use live::{Counted, Edit, InForce, Kept, KeptKind, LiveError, NewKept, RuleState, Rulebook, Status};
use ring::rand::{SecureRandom as _, SystemRandom};
use rule::{Exceptions, Rule, RuleKind, Selection};
use serde_json::{Value, json};

use super::alerts::{book, problem};
use crate::app::App;
use crate::detection::Base;
use crate::http::{Asked, Kind, Problem};

impl From<LiveError> for Problem {
    fn from(error: LiveError) -> Self {
        problem(&error)
    }
}

/// The most rules that are kept.
const RULES_MAX: u64 = 20_000;

/// What of a rule is kept beside its document, or told anew each time.
const BOOKKEEPING: [&str; 10] = [
    "id",
    "revision",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "immutable",
    "rule_source",
    "execution_summary",
    "outcome",
];

/// What can be changed of a rule that stands in a file, or is built in.
const OF_FILES: [&str; 3] = ["enabled", "exceptions_list", "actions"];

/// Where a rule comes from.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    /// Somebody made it here.
    Made(Box<Kept>),
    /// It stands in a file or is built in, perhaps with something changed.
    File(Option<Box<Kept>>),
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// As it is in force, or would be.
    pub(super) rule: Rule,
    pub(super) origin: Origin,
    /// Whether it is to run.
    pub(super) is_enabled: bool,
}

/// All of them.
pub(super) struct Shelf<'a> {
    app: &'a App,
    pub(super) rulebook: Rulebook,
    base: Arc<Base>,
    pub(super) author: String,
    pub(super) now: Millis,
}

impl<'a> Shelf<'a> {
    pub(super) fn open(asked: &Asked<'a>) -> Result<Self, Problem> {
        let app = asked.app;
        Ok(Self {
            app,
            rulebook: Rulebook::open(&app.data)?,
            base: app.detection.base(),
            author: asked.author().to_owned(),
            now: app.now(),
        })
    }

    /// What is in force once the next slot begins.
    pub(super) fn in_force(&self) -> Result<InForce, Problem> {
        Ok(self.rulebook.in_force(&self.base.rules, &self.base.exceptions)?)
    }

    /// All rules, those of files first.
    pub(super) fn all(&self) -> Result<Vec<Entry>, Problem> {
        let force = self.in_force()?;
        let by_key = |kind: KeptKind| -> Result<HashMap<String, Kept>, Problem> {
            Ok(self.rulebook.all(kind, None)?.into_iter().map(|it| (it.key.clone(), it)).collect())
        };
        let (mut made, mut changes) = (by_key(KeptKind::Rule)?, by_key(KeptKind::Changes)?);
        let files = self.base.rules.len();
        let entries = force.rules.into_iter().enumerate().map(|(at, rule)| {
            let origin = if at < files {
                Origin::File(changes.remove(&rule.rule_id).map(Box::new))
            } else {
                made.remove(&rule.rule_id).map_or(Origin::File(None), |it| Origin::Made(Box::new(it)))
            };
            Entry::new(rule, origin)
        });
        Ok(entries.collect())
    }

    /// The rule with that object id, or that `rule_id`.
    pub(super) fn find(&self, id: Option<&str>, rule_id: Option<&str>) -> Result<Entry, Problem> {
        let found = match (id, rule_id) {
            (Some(id), None) => self.rulebook.get(KeptKind::Rule, id)?,
            (None, Some(rule_id)) => self.rulebook.by_key(KeptKind::Rule, rule_id)?,
            (Some(_), Some(_)) | (None, None) => {
                return Err(Problem::new(Kind::Parameter, "one of `id` and `rule_id` is to be given"));
            }
        };
        if let Some(kept) = found {
            return Self::made(kept);
        }
        let is_it =
            |it: &&Rule| id.is_some_and(|id| it.id == id) || rule_id.is_some_and(|id| it.rule_id == id);
        let Some(rule) = self.base.rules.iter().find(is_it) else {
            let (name, value) =
                if let Some(id) = id { ("id", id) } else { ("rule_id", rule_id.unwrap_or_default()) };
            return Err(Problem::new(Kind::NoSuchResource, format!("{name}: \"{value}\" not found")));
        };
        let changes = self.rulebook.by_key(KeptKind::Changes, &rule.rule_id)?;
        Ok(Self::of_file(rule, changes))
    }

    /// As [`find`](Self::find), by either id.
    pub(super) fn find_any(&self, id: &str) -> Result<Entry, Problem> {
        match self.find(Some(id), None) {
            Err(problem) if problem.kind == Kind::NoSuchResource => self.find(None, Some(id)),
            found => found,
        }
    }

    fn of_file(rule: &Rule, changes: Option<Kept>) -> Entry {
        let changed = changes.as_ref().and_then(|it| rule.changed(&it.document).ok());
        Entry::new(changed.unwrap_or_else(|| rule.clone()), Origin::File(changes.map(Box::new)))
    }

    fn made(kept: Kept) -> Result<Entry, Problem> {
        match kept.rule() {
            Ok(rule) => Ok(Entry::new(rule, Origin::Made(Box::new(kept)))),
            Err(unread) => Err(Problem::new(
                Kind::Conflict,
                format!("rule {} cannot be read: {}", unread.key, unread.reason),
            )),
        }
    }

    /// Whether there is an exception list of that id.
    pub(super) fn has_list(&self, list_id: &str, namespace: &str) -> bool {
        list_id == "endpoint_list" || self.base.exceptions.has_list(list_id, namespace)
    }

    /// Reads a rule as it is to be kept, and refuses what cannot be read.
    pub(super) fn read(fields: &Object) -> Result<Rule, Problem> {
        let mut fields = fields.clone();
        if !fields.contains_key("rule_id") {
            fields.insert("rule_id".to_owned(), random_id()?.into());
        }
        let text = Value::Object(fields).to_string();
        let mut set = rule::load_text("[request body]", &text);
        match set.rules.pop() {
            Some(rule) if set.rules.is_empty() => Ok(rule),
            Some(_) | None => {
                let errors = set.problems.iter().filter(|it| it.diagnostic.severity == span::Severity::Error);
                let told: Vec<String> =
                    errors.map(|it| format!("{} {}", it.diagnostic.code, it.diagnostic.message)).collect();
                let told = if told.is_empty() { "it is no rule".to_owned() } else { told.join(", ") };
                Err(Problem::new(Kind::Body, format!("[request body]: {told}")))
            }
        }
    }

    /// Refuses a rule that is to run and cannot.
    pub(super) fn check_runs(&self, rule: &Rule) -> Result<(), Problem> {
        match self.cannot_run(rule) {
            None => Ok(()),
            Some(why) => {
                let detail = format!("rule {} cannot run, so that it cannot be enabled: {why}", rule.rule_id);
                Err(Problem::new(Kind::NotSupported, detail))
            }
        }
    }

    /// Why a rule cannot run.
    pub(super) fn cannot_run(&self, rule: &Rule) -> Option<String> {
        let normalise = self.app.detection.normalise.clone();
        let only = Selection::only(Arc::new(rule.clone()));
        let options =
            HuntOptions::new(Vec::new(), only, Exceptions::default(), normalise, self.now, self.app.version);
        match Standing::new(options, &[]) {
            Ok(_) => None,
            Err(HuntError::AllRefused(refused)) => {
                Some(refused.into_iter().map(|it| it.reason).collect::<Vec<_>>().join("; "))
            }
            Err(error) => Some(error.to_string()),
        }
    }

    /// Makes a rule, as part of a change.
    pub(super) fn add(&self, edit: &mut Edit<'_>, rule: &Rule) -> Result<Entry, Problem> {
        if edit.by_key(KeptKind::Rule, &rule.rule_id)?.is_some() || self.is_of_file(&rule.rule_id) {
            let detail = format!("rule_id: \"{}\" already exists", rule.rule_id);
            return Err(Problem::new(Kind::Conflict, detail));
        }
        if edit.get(KeptKind::Rule, &rule.id)?.is_some() || self.base.rules.iter().any(|it| it.id == rule.id)
        {
            return Err(Problem::new(Kind::Conflict, format!("id: \"{}\" already exists", rule.id)));
        }
        if edit.count(KeptKind::Rule, None)? >= RULES_MAX {
            return Err(Problem::new(
                Kind::Conflict,
                format!("there are {RULES_MAX} rules, and no more are kept"),
            ));
        }
        let new = NewKept {
            id: rule.id.clone(),
            key: rule.rule_id.clone(),
            parent: String::new(),
            document: document(rule, rule.enabled.unwrap_or(false)),
        };
        Self::made(edit.add(KeptKind::Rule, &new)?)
    }

    /// Lets a rule that was made here say something else.
    pub(super) fn replace(edit: &mut Edit<'_>, kept: &Kept, rule: &Rule) -> Result<Entry, Problem> {
        let was = kept.document.get("enabled") == Some(&Value::Bool(true));
        let document = document(rule, rule.enabled.unwrap_or(was));
        let switched: Object = document
            .iter()
            .map(|(key, value)| {
                let its = if key == "enabled" { kept.document.get(key).unwrap_or(value) } else { value };
                (key.clone(), its.clone())
            })
            .collect();
        let counted = if switched == kept.document { Counted::No } else { Counted::Yes };
        Self::made(edit.set(KeptKind::Rule, &kept.id, &document, counted)?)
    }

    /// Whether a rule of that `rule_id` stands in a file, or is built in.
    pub(super) fn is_of_file(&self, rule_id: &str) -> bool {
        self.base.rules.iter().any(|it| it.rule_id == rule_id)
    }

    /// Changes some fields of a rule. Says what it is like then.
    pub(super) fn patch(
        &self,
        edit: &mut Edit<'_>,
        entry: &Entry,
        fields: &Object,
    ) -> Result<Entry, Problem> {
        match &entry.origin {
            Origin::Made(kept) => {
                let mut merged = kept.document.clone();
                merged.insert("id".to_owned(), kept.id.as_str().into());
                for (key, value) in fields {
                    merged.insert(key.clone(), value.clone());
                }
                merged.insert("rule_id".to_owned(), kept.key.as_str().into());
                let rule = Self::read(&merged)?;
                if rule.enabled == Some(true) {
                    self.check_runs(&rule)?;
                }
                Self::replace(edit, kept, &rule)
            }
            Origin::File(kept) => {
                let mut changes = kept.as_ref().map_or_else(Object::new, |it| it.document.clone());
                for (key, value) in fields.iter().filter(|(key, _)| !BOOKKEEPING.contains(&key.as_str())) {
                    // Whoever sends a rule as it was given changes nothing of it.
                    if OF_FILES.contains(&key.as_str()) {
                        changes.insert(key.clone(), value.clone());
                    } else if entry.rule.api().get(key) != Some(value) {
                        let detail = format!(
                            "rule {} stands in a file, or is built in: of it {} can be changed, and not `{key}`; make a \
                             duplicate for anything else",
                            entry.rule.rule_id,
                            OF_FILES.join(", ")
                        );
                        return Err(Problem::new(Kind::NotSupported, detail));
                    }
                }
                let changed = entry.rule.changed(&changes).map_err(|wrong| {
                    let told: Vec<String> =
                        wrong.iter().map(|it| format!("{} {}", it.code, it.message)).collect();
                    Problem::new(Kind::Body, format!("[request body]: {}", told.join(", ")))
                })?;
                if fields.get("enabled") == Some(&Value::Bool(true)) {
                    self.check_runs(&changed)?;
                }
                let counted =
                    if fields.keys().all(|it| it == "enabled") { Counted::No } else { Counted::Yes };
                let kept = if let Some(kept) = kept {
                    edit.set(KeptKind::Changes, &kept.id, &changes, counted)?
                } else {
                    let (id, key) = (entry.rule.id.clone(), entry.rule.rule_id.clone());
                    let new = NewKept { id, key, parent: String::new(), document: changes };
                    edit.add(KeptKind::Changes, &new)?
                };
                Ok(Entry::new(changed, Origin::File(Some(Box::new(kept)))))
            }
        }
    }

    /// Removes a rule.
    pub(super) fn remove(edit: &mut Edit<'_>, entry: &Entry) -> Result<(), Problem> {
        let Origin::Made(kept) = &entry.origin else {
            let detail = format!(
                "rule {} stands in a file, or is built in, and cannot be deleted; disable it",
                entry.rule.rule_id
            );
            return Err(Problem::new(Kind::NotSupported, detail));
        };
        edit.remove(KeptKind::Rule, &kept.id)?;
        Ok(())
    }

    /// Changes something, all or nothing.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&Self, &mut Edit<'_>) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        // Whoever changes looks at the rest as well.
        let mut rulebook = Rulebook::open(&self.app.data)?;
        let (author, now) = (self.author.clone(), self.now);
        rulebook.change(&author, now, |edit| change(self, edit))
    }

    /// What is known of the executions of all rules, by object id.
    pub(super) fn states(asked: &Asked<'_>) -> Result<HashMap<String, RuleState>, Problem> {
        Ok(book(asked)?.rules()?.into_iter().map(|it| (it.uuid.clone(), it)).collect())
    }

    /// A rule as it is told: as it is exported, with what its last execution came to.
    pub(super) fn told(&self, entry: &Entry, state: Option<&RuleState>) -> Value {
        let mut told = entry.exported(self.app.started_ms);
        let summary = match state.and_then(|it| it.last.as_ref()) {
            Some((slot, status, messages)) => Some((*slot, status.as_str(), messages.join("\n"))),
            None => unsupported(&entry.rule).map(|why| (self.now, Status::Failed.as_str(), why)),
        };
        if let Some((at, status, message)) = summary {
            told.insert("execution_summary".to_owned(), json!({"last_execution": {
                "date": ecs::date::to_iso(at), "status": status, "status_order": order(status), "message": message,
                "metrics": {},
            }}));
        }
        Value::Object(told)
    }
}

impl Entry {
    fn new(rule: Rule, origin: Origin) -> Self {
        let is_enabled = match &origin {
            Origin::Made(_) => rule.enabled == Some(true),
            Origin::File(_) => rule.withheld().next().is_none(),
        };
        Self { rule, origin, is_enabled }
    }

    /// As it is exported. What stands in a file has been there since `started`, as far as anybody knows.
    pub(super) fn exported(&self, started: Millis) -> Object {
        let mut api = self.rule.api();
        let (kept, is_made) = match &self.origin {
            Origin::Made(kept) => (Some(kept), true),
            Origin::File(kept) => (kept.as_ref(), false),
        };
        let mut set = |key: &str, value: Value| drop(api.insert(key.to_owned(), value));
        set("id", self.rule.id.as_str().into());
        set("enabled", self.is_enabled.into());
        set("immutable", (!is_made).into());
        let source = if is_made {
            json!({"type": "internal"})
        } else {
            json!({"type": "external", "is_customized": false})
        };
        set("rule_source", source);
        let (created, updated) = kept.map_or((started, started), |it| (it.created, it.updated));
        set("created_at", ecs::date::to_iso(if is_made { created } else { started.min(created) }).into());
        set("updated_at", ecs::date::to_iso(updated).into());
        let by = |name: Option<&String>| Value::from(name.map_or("trailwarden", String::as_str));
        set("created_by", by(kept.filter(|_| is_made).map(|it| &it.created_by)));
        set("updated_by", by(kept.map(|it| &it.updated_by)));
        set("revision", kept.map_or(u64::from(self.rule.revision), |it| it.revision).into());
        api
    }

    /// The types of rules that are made of a query.
    pub(super) fn reads_index(&self) -> bool {
        !matches!(self.rule.kind, RuleKind::Esql | RuleKind::MachineLearning { .. })
    }
}

/// Where Kibana sorts how an execution ended.
fn order(status: &str) -> u64 {
    match status {
        "failed" => 40,
        "partial failure" => 20,
        _ => 0,
    }
}

/// Why a rule cannot run, as far as its filter tells.
fn unsupported(rule: &Rule) -> Option<String> {
    let compiled =
        rule::compile_with(rule, &Exceptions::default(), &Catalog::ecs(), &(Millis::MIN..=Millis::MAX));
    let wrong = compiled.err()?;
    Some(wrong.iter().map(|it| format!("{} {}", it.code, it.message)).collect::<Vec<_>>().join("; "))
}

/// What is kept of a rule: all that it says.
fn document(rule: &Rule, is_enabled: bool) -> Object {
    let mut api = rule.api();
    for key in BOOKKEEPING {
        api.shift_remove(key);
    }
    api.insert("enabled".to_owned(), is_enabled.into());
    api
}

/// A random id, in the form of a UUID (version 4).
pub(super) fn random_id() -> Result<String, Problem> {
    let mut bytes = [0_u8; 16];
    let failed = |_| Problem::new(Kind::Failed, "the operating system gives no random numbers");
    SystemRandom::new().fill(&mut bytes).map_err(failed)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = bytes.iter().fold(String::new(), |text, it| text + &format!("{it:02x}"));
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}
