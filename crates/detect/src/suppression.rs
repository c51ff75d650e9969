//! Alert suppression: of alerts alike one is raised, and the others are counted in it.
//!
//! Alerts of a rule are alike if they have the same values of the fields that it names: they are of one *instance*. An
//! execution offers all that it would raise at once; of each instance the oldest is raised, unless an alert of the
//! instance was raised within the rule's `duration`. What is suppressed is counted in the alert that stands for it. The
//! window begins when that was raised, and does not move. All that later executions need to know is what alerts say of
//! themselves, so that a replay and executions that were really scheduled agree; hence an alert that somebody closed
//! suppresses on until its window ends, unless [`KnownAlerts::add_line`](crate::KnownAlerts::add_line) is told otherwise.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ecs::{Catalog, Millis};
use rule::{AlertSuppression, MissingFields};
use serde_json::Value;

use crate::id;
use crate::known::KnownThreshold;
use crate::outcome::{AlertSeed, DataSpan, SeedEvent};
use crate::rule_type::{Detail, FIELDS_MAX};
use crate::schedule::Ticks;
use crate::tail::{SPACE, Tail, TailError};
use crate::tails::Column;
use crate::term::TermType;
use crate::writer::{Writer, Written};
use crate::{KnownAlerts, Mode};

/// An execution stops when it raised or suppressed so many times what it may raise.
const OFFERED_MAX: u64 = 5;

/// What a rule says of alerts alike.
#[derive(Clone, Debug)]
pub(crate) struct Suppression {
    /// How long after an alert was raised; `None` is only in the execution that raised it.
    pub(crate) duration: Option<Millis>,
    /// Whether alerts that lack a field are alike. Else each is raised.
    pub(crate) keeps_missing: bool,
    /// The fields whose values make alerts alike, unless the rule's type has them among its own columns.
    pub(crate) columns: Vec<Column>,
}

impl Suppression {
    pub(crate) fn new(
        suppression: &AlertSuppression,
        has_own_groups: bool,
        catalog: &Catalog,
    ) -> Result<Self, TailError> {
        let columns = if has_own_groups {
            Vec::new()
        } else {
            group_by(suppression, |path| TermType::of(path, catalog).or_else(as_delivered))?
        };
        Ok(Self {
            duration: suppression.duration.as_ref().map(rule::Interval::millis),
            keeps_missing: suppression.missing_fields == MissingFields::Suppress,
            columns,
        })
    }
}

/// A text has no values to search groups by, yet it has one.
fn as_delivered(ty: &'static str) -> Result<TermType, &'static str> {
    if ty == "text" { Ok(TermType::Dynamic) } else { Err(ty) }
}

/// The columns of the fields that alerts are grouped by.
pub(crate) fn group_by(
    suppression: &AlertSuppression,
    ty: impl Fn(&str) -> Result<TermType, &'static str>,
) -> Result<Vec<Column>, TailError> {
    let fields = &suppression.group_by;
    if fields.is_empty() || fields.len() > FIELDS_MAX {
        return Err(TailError::SuppressionFields { count: fields.len() });
    }
    let column = |path: &String| match ty(path) {
        Ok(ty) => Ok(Column { path: path.clone(), shape: ty.shape(), ty }),
        Err(ty) => Err(TailError::NothingAlike { field: path.clone(), ty }),
    };
    fields.iter().map(column).collect()
}

/// What an alert says of those that it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Suppressed {
    /// The fields that make alerts alike, each with the value.
    pub terms: Vec<(String, Value)>,
    /// The id of these alerts alike.
    pub instance: String,
    /// When the oldest of the events was that it speaks of.
    pub start: Millis,
    /// When the newest of them was.
    pub end: Millis,
    /// How many alerts were suppressed; of a query rule, how many events.
    pub docs_count: u64,
    /// The start of the last execution that had something to add.
    pub last_detected: Millis,
}

/// What was suppressed in favour of an alert that an earlier execution raised: what that says of itself changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressedMore {
    /// The alert.
    pub id: String,
    /// How many more it stands for.
    pub docs_count: u64,
    /// When the oldest of their events was, if it was this execution that raised the alert, when it was executed first.
    pub start: Option<Millis>,
    /// When the newest of their events was.
    pub end: Millis,
    /// The start of the execution.
    pub last_detected: Millis,
}

/// An alert that may be raised.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) id: String,
    pub(crate) event: SeedEvent,
    pub(crate) detail: Detail,
    /// What makes it alike others; nothing if it is raised anyway.
    pub(crate) group: Option<Group>,
}

/// What makes an alert alike others, and what it stands for. Alerts of one event share the values: each of thousands of new
/// terms may come with thousands of these.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) terms: Arc<[(String, Value)]>,
    /// The id of these alerts alike.
    instance: Arc<str>,
    pub(crate) start: Millis,
    pub(crate) end: Millis,
    pub(crate) docs_count: u64,
    /// The `_id` and `_index` of watched events that it stands for, besides its own.
    pub(crate) about: Vec<(String, String)>,
}

impl Group {
    /// That of one alert of the rule with that uuid, which stands for itself.
    pub(crate) fn new(terms: Vec<(String, Value)>, rule: &str, (start, end): (Millis, Millis)) -> Self {
        let instance = id::instance(&terms, rule, SPACE).into();
        Self { terms: terms.into(), instance, start, end, docs_count: 0, about: Vec::new() }
    }

    pub(crate) fn says(self, last_detected: Millis) -> Suppressed {
        let Self { terms, instance, start, end, docs_count, .. } = self;
        let (terms, instance) = (terms.to_vec(), instance.to_string());
        Suppressed { terms, instance, start, end, docs_count, last_detected }
    }
}

/// An alert that was counted in another, for whoever asks about its events.
#[derive(Clone, Debug)]
pub(crate) struct Merged {
    /// Its id.
    pub(crate) id: String,
    /// The `_id` and `_index` of its events.
    pub(crate) about: Vec<(String, String)>,
    /// The alert that stands for it.
    pub(crate) by: String,
    /// The start of the execution.
    pub(crate) execution: Millis,
    pub(crate) terms: Vec<Value>,
}

/// What executions of one rule know of the alerts that were raised.
#[derive(Debug)]
pub(crate) struct Suppressor {
    duration: Option<Millis>,
    /// The newest alert of each instance.
    raised: HashMap<String, Raised>,
    /// Alerts from earlier hunts, the newest last: each is there from when it was raised.
    known: HashMap<String, Vec<Raised>>,
    /// Their ids. Of others that exist nothing else is known.
    described: HashSet<String>,
    /// The latest time at which an alert that is asked for suppresses others.
    counts_until: Millis,
    /// The first execution, if it does not know what was raised before.
    first: Option<Millis>,
    /// When alerts of an instance were offered last, and whether it is known what was raised within the duration before.
    offered: HashMap<String, (Millis, bool)>,
    /// The last execution that said something without knowing that.
    uncertain: Option<Millis>,
    /// What the last execution counted.
    counted: Vec<KnownThreshold>,
    /// What was suppressed, if somebody asks.
    merged: Option<Vec<Merged>>,
    /// What was suppressed in favour of alerts that earlier hunts raised.
    more: Vec<SuppressedMore>,
    /// Whether what is executed was executed before.
    is_again: bool,
}

/// An alert that suppresses others.
#[derive(Debug)]
struct Raised {
    id: String,
    at: Millis,
    end: Millis,
    /// Its place among those that are asked for.
    place: Option<usize>,
}

/// Alerts alike that one execution offers.
struct Alike {
    instance: String,
    /// The oldest, which stands for all.
    first: Candidate,
    group: Group,
    /// Their places among those that were offered.
    offered: Vec<usize>,
    /// The others.
    others: Vec<Candidate>,
}

impl Suppressor {
    /// With the alerts of earlier hunts.
    pub(crate) fn new(
        suppression: &Suppression,
        tail: &Tail,
        known: &KnownAlerts,
        ticks: &Ticks,
        span: DataSpan,
    ) -> Self {
        let first = ticks.window(ticks.first).started_at;
        let mut of_rule: Vec<_> = known.suppressing().iter().filter(|it| it.rule == tail.rule_uuid).collect();
        of_rule.sort_by_key(|it| (it.created, &it.id));
        let described = of_rule.iter().map(|it| it.id.clone()).collect();
        let mut known: HashMap<String, Vec<Raised>> = HashMap::new();
        for it in of_rule {
            let alert = Raised { id: it.id.clone(), at: it.created, end: it.end, place: None };
            known.entry(it.instance.clone()).or_default().push(alert);
        }
        let is_replay = matches!(tail.mode, Mode::Replay { .. });
        Self {
            duration: suppression.duration,
            raised: HashMap::new(),
            known,
            described,
            counts_until: Millis::MIN,
            first: (is_replay && span.complete_from.is_some()).then_some(first),
            offered: HashMap::new(),
            uncertain: None,
            counted: Vec::new(),
            merged: None,
            more: Vec::new(),
            is_again: false,
        }
    }

    /// What is executed was executed before: an alert that exists may be raised by this very execution.
    pub(crate) fn execute_again(&mut self) {
        self.is_again = true;
    }

    /// What was suppressed in favour of alerts that earlier hunts raised.
    pub(crate) fn take_more(&mut self) -> Vec<SuppressedMore> {
        std::mem::take(&mut self.more)
    }

    /// Remembers what is suppressed from now on.
    pub(crate) fn listen(&mut self) {
        self.merged = Some(Vec::new());
    }

    /// Whether an execution at `now` could add to an alert that is asked for.
    pub(crate) fn counts(&self, now: Millis) -> bool {
        now <= self.counts_until
    }

    /// How long alerts suppress others, if what was said from `first` on could be otherwise if all were known that was
    /// raised before.
    pub(crate) fn uncertain_window(&self, first: Millis) -> Option<Millis> {
        self.duration.filter(|_| self.uncertain.is_some_and(|it| it >= first))
    }

    /// What was suppressed.
    pub(crate) fn take_merged(&mut self) -> Vec<Merged> {
        self.merged.take().unwrap_or_default()
    }

    /// What executions counted since this was asked last.
    pub(crate) fn take_counted(&mut self) -> Vec<KnownThreshold> {
        std::mem::take(&mut self.counted)
    }

    /// Alerts of the instance are offered. Nothing suppresses them from before what is known if nothing was offered for
    /// as long as that could do so.
    fn offer(&mut self, instance: &str, now: Millis) {
        for known in
            self.known.get_mut(instance).into_iter().flat_map(|it| it.extract_if(.., |it| it.at <= now))
        {
            if self.raised.get(instance).is_none_or(|it| it.at < known.at) {
                self.raised.insert(instance.to_owned(), known);
            }
        }
        let (Some(first), Some(duration)) = (self.first, self.duration) else { return };
        let since = now.saturating_sub(duration);
        let before = self.offered.get(instance).copied();
        let is_known = since >= first || before.is_some_and(|(last, is_known)| is_known || last < since);
        self.offered.insert(instance.to_owned(), (now, is_known));
        if !is_known {
            self.uncertain = Some(now);
        }
    }

    fn tell(&mut self, merged: impl FnOnce() -> Merged) {
        if let Some(all) = &mut self.merged {
            all.push(merged());
        }
    }
}

impl Candidate {
    /// The events that it is about.
    fn about(&self) -> Vec<(String, String)> {
        let of = |it: &SeedEvent| (it.id.clone(), it.index.clone());
        let mut about = match &self.detail {
            Detail::Event | Detail::NewTerms(_) => vec![of(&self.event)],
            Detail::Row(it) if it.is_of_event => vec![of(&self.event)],
            Detail::Threshold(_) | Detail::Row(_) => Vec::new(),
            Detail::Sequence(it) => it.present().map(|it| of(&it.event)).collect(),
        };
        about.extend(self.group.iter().flat_map(|it| it.about.iter().cloned()));
        about
    }

    /// That it was counted in another.
    fn merged(self, by: String, execution: Millis) -> Merged {
        let (about, terms) = (self.about(), self.detail.terms().to_vec());
        Merged { id: self.id, about, by, execution, terms }
    }
}

impl Writer<'_> {
    /// How many alerts are offered at once, if alerts of the rule are suppressed.
    pub(crate) fn offered_max(&self) -> usize {
        usize::try_from(OFFERED_MAX * u64::from(self.limit.max(1))).unwrap_or(usize::MAX)
    }

    /// Whether there is an alert with that id.
    pub(crate) fn is_there(&self, id: &str) -> bool {
        self.created.contains(id) || self.known.contains(id)
    }

    /// Whether nothing more may be offered.
    pub(crate) fn is_exhausted(&self) -> bool {
        let (limit, created) = (u64::from(self.limit), u64::from(self.limit - self.budget));
        created >= limit || created + self.suppressed >= OFFERED_MAX * limit
    }

    /// Offers alerts of which those alike suppress one another; says what became of each. What is
    /// [suppressed](Written::Suppressed) may be offered again by a later execution.
    pub(crate) fn offer_alike(&mut self, candidates: Vec<Candidate>) -> Vec<Written> {
        let mut written = vec![Written::Duplicate; candidates.len()];
        let mut waiting: Vec<(usize, String, Candidate, Group)> = Vec::new();
        for (at, mut it) in candidates.into_iter().enumerate() {
            let Some(group) = it.group.take() else {
                written[at] = self.create(it);
                continue;
            };
            let instance = group.instance.to_string();
            if !self.exists(&it, &instance, &group) {
                waiting.push((at, instance, it, group));
            }
        }
        waiting.sort_by_key(|(.., group)| group.start);
        for alike in self.collapse(waiting, &mut written) {
            self.write_alike(alike, &mut written);
        }
        written
    }

    /// Whether the alert exists. If it does because an earlier hunt raised it, and it is not known when, then it was in this
    /// same execution.
    fn exists(&mut self, it: &Candidate, instance: &str, group: &Group) -> bool {
        if self.created.contains(&it.id) {
            return true;
        }
        if !self.known.contains(&it.id) {
            return false;
        }
        self.create(Candidate { group: Some(group.clone()), ..it.clone() });
        self.created.insert(it.id.clone());
        let at = self.execution.started_at;
        if let Some(suppressor) = &mut self.suppressor
            && !suppressor.described.contains(&it.id)
        {
            let alert = Raised { id: it.id.clone(), at, end: group.end, place: None };
            suppressor.raised.insert(instance.to_owned(), alert);
        }
        true
    }

    /// Where the window begins in which an alert must have been raised to suppress others.
    fn suppressed_since(&self) -> Millis {
        let duration = self.suppressor.as_ref().and_then(|it| it.duration);
        duration.map_or(self.execution.from, |it| self.execution.started_at.saturating_sub(it))
    }

    /// One for all alerts alike, but for what is counted in an alert already.
    fn collapse(
        &mut self,
        waiting: Vec<(usize, String, Candidate, Group)>,
        written: &mut [Written],
    ) -> Vec<Alike> {
        let (now, since) = (self.execution.started_at, self.suppressed_since());
        let mut all: Vec<Alike> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let Some(suppressor) = &mut self.suppressor else { return all };
        for (at, instance, candidate, group) in waiting {
            suppressor.offer(&instance, now);
            let is_again = suppressor.is_again;
            let is_counted = |it: &&Raised| {
                let is_earlier = it.at < now || is_again && it.at == now && it.place.is_none();
                since <= it.at && is_earlier && it.end >= group.end
            };
            if let Some(raised) = suppressor.raised.get(&instance).filter(is_counted) {
                written[at] = Written::Suppressed;
                let by = raised.id.clone();
                suppressor.tell(|| Candidate { group: Some(group), ..candidate }.merged(by, now));
                continue;
            }
            if let Some(&place) = places.get(&instance) {
                let alike = &mut all[place];
                alike.group.docs_count += group.docs_count + 1;
                alike.group.end = alike.group.end.max(group.end);
                alike.offered.push(at);
                if suppressor.merged.is_some() {
                    alike.others.push(Candidate { group: Some(group), ..candidate });
                }
            } else {
                places.insert(instance.clone(), all.len());
                all.push(Alike { instance, first: candidate, group, offered: vec![at], others: Vec::new() });
            }
        }
        all
    }

    /// Counts alerts alike in the alert that suppresses them, or raises the first.
    fn write_alike(&mut self, alike: Alike, written: &mut [Written]) {
        let (now, since) = (self.execution.started_at, self.suppressed_since());
        let Some(suppressor) = &mut self.suppressor else { return };
        let Alike { instance, mut first, group, offered, mut others } = alike;
        let (docs_count, end) = (group.docs_count, group.end);
        let is_window = suppressor.duration.is_some();
        let mut more = None;
        let raised = suppressor.raised.get_mut(&instance);
        let by = if let Some(raised) = raised.filter(|it| since <= it.at && (is_window || it.at == now)) {
            raised.end = raised.end.max(end);
            if let Some(it) = raised.place.and_then(|at| self.alerts.get_mut(at)?.suppressed.as_mut()) {
                it.docs_count += docs_count + 1;
                it.end = it.end.max(end);
                if raised.at == now {
                    it.start = it.start.min(group.start);
                }
                it.last_detected = now;
                self.metrics.suppressed += docs_count + 1;
            } else if self.known.contains(&raised.id) && self.mode.selects(first.event.timestamp) {
                self.metrics.suppressed += docs_count + 1;
                let start = (raised.at == now).then_some(group.start);
                let (id, docs_count) = (raised.id.clone(), docs_count + 1);
                more = Some(SuppressedMore { id, docs_count, start, end, last_detected: now });
            }
            self.suppressed += offered.len() as u64;
            for &at in &offered {
                written[at] = Written::Suppressed;
            }
            first.group = Some(group);
            others.insert(0, first);
            raised.id.clone()
        } else {
            let (id, before) = (first.id.clone(), self.alerts.len());
            first.group = Some(group);
            let became = self.create(first);
            written[offered[0]] = became;
            let rest = if became == Written::Created { Written::Suppressed } else { became };
            for &at in &offered[1..] {
                written[at] = rest;
            }
            if became != Written::Created {
                return;
            }
            self.suppressed += offered.len() as u64 - 1;
            let place = (self.alerts.len() > before).then_some(before);
            let Some(suppressor) = &mut self.suppressor else { return };
            if place.is_some()
                && let Some(duration) = suppressor.duration
            {
                suppressor.counts_until = suppressor.counts_until.max(now.saturating_add(duration));
            }
            suppressor.raised.insert(instance, Raised { id: id.clone(), at: now, end, place });
            id
        };
        let Some(suppressor) = &mut self.suppressor else { return };
        suppressor.more.extend(more);
        for it in others {
            suppressor.tell(|| it.merged(by.clone(), now));
        }
    }

    /// The events of a group are counted up to that time, whatever becomes of the alert.
    pub(crate) fn count(&mut self, terms: Vec<(String, Value)>, to: Millis) {
        let (rule, created) = (self.rule().to_owned(), self.execution.started_at);
        if let Some(suppressor) = &mut self.suppressor {
            suppressor.counted.push(KnownThreshold { rule, created, result_to: to, terms });
        }
    }

    /// An event is taken to be counted in the alert, or in that which suppresses it.
    pub(crate) fn stands_for(&mut self, alert: &str, event: (String, String)) {
        let execution = self.execution.started_at;
        let Some(suppressor) = &mut self.suppressor else { return };
        let merged = suppressor.merged.iter().flatten().find(|it| it.id == alert);
        let (id, by) = (alert.to_owned(), merged.map_or(alert, |it| &it.by).to_owned());
        suppressor.tell(|| Merged { id, about: vec![event], by, execution, terms: Vec::new() });
    }

    /// An alert was raised that stands for a group.
    pub(crate) fn raised(&mut self, id: &str, group: &Group) {
        let execution = self.execution.started_at;
        if let Some(suppressor) = &mut self.suppressor
            && !group.about.is_empty()
        {
            let (id, about) = (id.to_owned(), group.about.clone());
            suppressor.tell(|| Merged { id: id.clone(), about, by: id, execution, terms: Vec::new() });
        }
    }
}

impl AlertSeed {
    /// How many alerts, or events, were suppressed in its favour.
    pub fn suppressed_count(&self) -> u64 {
        self.suppressed.as_ref().map_or(0, |it| it.docs_count)
    }
}
