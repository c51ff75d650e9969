//! `query` and `saved_query` with suppression: one alert for each group of events, by the values of the rule's fields.
//!
//! What an alert stands for is not counted again. An event that lacks a field is in the group of those that lack it, or
//! alerts by itself, where there is room beside the groups.

use std::collections::HashMap;

use ecs::{Catalog, Millis};
use rule::{AlertSuppression, MissingFields};
use serde_json::Value;

use super::groups::{Bucket, Counting, GroupBy, Key, Lacking, values_of};
use super::listed::{Listed, ListedExecutions};
use super::query::{self, QueryExecutions};
use super::{Detail, Executions, Run};
use crate::fate::{Fate, Watched};
use crate::id;
use crate::schedule::{Ticks, Window};
use crate::suppression::{Candidate, Group, group_by};
use crate::tail::TailError;
use crate::tails::Column;
use crate::term::{TermId, TermType};
use crate::writer::Writer;

/// What a rule says.
#[derive(Clone, Debug)]
pub(crate) struct Grouped {
    by: GroupBy,
    /// Whether alerts also suppress those of later executions.
    has_window: bool,
}

impl Grouped {
    pub(super) fn new(suppression: &AlertSuppression, catalog: &Catalog) -> Result<Self, TailError> {
        let columns = group_by(suppression, |path| TermType::of(path, catalog))?;
        let lacking = match suppression.missing_fields {
            MissingFields::Suppress => Lacking::Grouped,
            MissingFields::DoNotSuppress => Lacking::Apart,
        };
        let fields = columns.len();
        Ok(Self {
            by: GroupBy { columns, fields, lacking, value: 1, cardinality: None },
            has_window: suppression.duration.is_some(),
        })
    }

    pub(super) fn by(&self) -> &GroupBy {
        &self.by
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.by.columns
    }

    /// The values of a group, as alerts have them.
    fn terms(&self, run: Run<'_>, key: &Key) -> Vec<(String, Value)> {
        let fields = self.by.columns.iter().map(|it| it.path.clone());
        fields.zip(values_of(run, self.by.fields, key)).collect()
    }

    /// The alert about a group.
    fn candidate(
        &self,
        run: Run<'_>,
        bucket: &Bucket,
        about: Vec<(String, String)>,
        writer: &Writer<'_>,
    ) -> Candidate {
        let event = writer.seed(bucket.oldest);
        let (terms, times) = (self.terms(run, &bucket.key), (bucket.start, bucket.end));
        let id = id::group_alert(&event.index, &event.id, writer.space_and_rule, &terms, times);
        let about = about.into_iter().filter(|it| (&it.0, &it.1) != (&event.id, &event.index)).collect();
        let mut group = Group::new(terms, &run.tail.rule_uuid, times);
        (group.docs_count, group.about) = (bucket.count - 1, about);
        Candidate { id, event, detail: Detail::Event, group: Some(group) }
    }

    /// Why no alert is about an event, nor stands for it.
    pub(super) fn why_not(
        &self,
        counting: &Counting<'_>,
        apart: &Apart<'_>,
        watched: &Watched,
        run: Run<'_>,
    ) -> Vec<Fate> {
        if self.by.is_apart(&watched.values) {
            return apart.why_not(watched, run);
        }
        if !self.keys(run, watched).iter().any(|key| counting.holds(key, watched)) {
            return vec![Fate::Copy];
        }
        let Some(first) = run.ticks.first_holding(watched.at.time) else { return vec![Fate::Unseen] };
        let windows = (first..=run.ticks.last_for(Some(watched.at.time))).map(|tick| run.ticks.window(tick));
        let mut holding = windows.take_while(|window| window.from <= watched.at.time);
        match holding.find(|window| counting.is_match(watched, window.started_at)) {
            Some(window) => vec![Fate::Cut { execution: window.started_at, terms: Vec::new() }],
            None => vec![Fate::NotThen],
        }
    }

    fn keys(&self, run: Run<'_>, watched: &Watched) -> Vec<Key> {
        let values: Vec<&[TermId]> = watched.values.iter().map(Vec::as_slice).collect();
        let (columns, mut keys) = (run.columns(), Vec::new());
        let term = |column: usize, id| run.matches.values(columns[column]).get(id);
        self.by.keys(&values, term, |key| keys.push(key));
        keys
    }
}

/// The events that lack a field, where these alert by themselves.
pub(super) enum Apart<'a> {
    Table(&'a query::Complete, QueryExecutions<'a>),
    /// Of a rule with a residue.
    Listed(&'a Listed, ListedExecutions<'a>),
}

impl<'a> Apart<'a> {
    pub(super) fn table(apart: &'a query::Complete) -> Self {
        Self::Table(apart, QueryExecutions::new(apart))
    }

    pub(super) fn listed(listed: &'a Listed, run: Run<'a>) -> Self {
        Self::Listed(listed, ListedExecutions::new(listed, run))
    }

    fn why_not(&self, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
        match self {
            Self::Table(it, _) => it.why_not(watched, run),
            Self::Listed(it, _) => it.why_not(watched, run),
        }
    }

    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        match self {
            Self::Table(_, it) => it.next(ticks, tick),
            Self::Listed(_, it) => it.next(ticks, tick),
        }
    }

    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>) {
        match self {
            Self::Table(_, it) => it.execute(tick, window, writer),
            Self::Listed(_, it) => it.execute(tick, window, writer),
        }
    }
}

/// The executions of such a rule.
pub(super) struct GroupedExecutions<'a> {
    rule: &'a Grouped,
    run: Run<'a>,
    counting: Counting<'a>,
    apart: Apart<'a>,
    /// Of groups, while somebody asks about events: the alert that counted them last,
    said: Vec<(Key, String)>,
    /// and the watched events that were counted.
    told: Vec<(&'a str, u32)>,
}

impl<'a> GroupedExecutions<'a> {
    pub(super) fn new(rule: &'a Grouped, run: Run<'a>, mut counting: Counting<'a>, apart: Apart<'a>) -> Self {
        rule.recall(run, &mut counting);
        Self { rule, run, counting, apart, said: Vec::new(), told: Vec::new() }
    }

    /// The watched events that this execution counts, each with its groups. Of those that count as counted although they
    /// never were, because they were no match then, it is said which alert is taken to stand for them.
    fn watched(&self, window: &Window, writer: &mut Writer<'_>) -> Vec<(&'a Watched, Vec<Key>)> {
        let (run, counting) = (self.run, &self.counting);
        let mut found = Vec::new();
        for it in run.matches.watched.iter().filter(|it| it.rule == run.rule && it.seen.is_some()) {
            let (time, keys) = (it.at.time, self.rule.keys(run, it));
            let is_seen = window.from <= time
                && time <= window.to
                && counting.is_match(it, window.started_at)
                && keys.iter().any(|key| counting.holds(key, it));
            if !is_seen {
                continue;
            }
            if !counting.is_counted(&keys, time, window.from) {
                found.push((it, keys));
            } else if !self.told.contains(&(&*it.id, it.index))
                && let Some((_, by)) = self.said.iter().rfind(|(key, _)| keys.contains(key))
            {
                writer.stands_for(by, self.about(it));
            }
        }
        found
    }

    fn about(&self, watched: &Watched) -> (String, String) {
        (watched.id.clone(), self.run.matches.events.name(watched.index).to_owned())
    }

    /// Remembers, for those who ask about events, which alerts counted them.
    fn remember(
        &mut self,
        watched: &[(&'a Watched, Vec<Key>)],
        buckets: &[Bucket],
        candidates: &[Candidate],
    ) {
        if self.run.matches.watched.is_empty() {
            return;
        }
        for (bucket, candidate) in buckets.iter().zip(candidates) {
            self.said.push((bucket.key, candidate.id.clone()));
            let counted = watched.iter().filter(|(_, keys)| keys.contains(&bucket.key));
            self.told.extend(counted.map(|(it, _)| (&*it.id, it.index)));
        }
    }
}

impl Grouped {
    /// What was counted before the first execution is not counted again.
    fn recall(&self, run: Run<'_>, counting: &mut Counting<'_>) {
        if run.counted.is_empty() {
            return;
        }
        let instance = |terms: &[(String, Value)]| id::instance(terms, &run.tail.rule_uuid, crate::SPACE);
        let mut counted: HashMap<String, Millis> = HashMap::new();
        for it in run.counted {
            let to = counted.entry(instance(&it.terms)).or_insert(it.result_to);
            *to = it.result_to.max(*to);
        }
        for key in counting.groups() {
            if let Some(&to) = counted.get(&instance(&self.terms(run, &key))) {
                counting.count_to(&key, to);
            }
        }
    }
}

impl Executions for GroupedExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        let groups = self.counting.next(ticks, tick);
        groups.into_iter().chain(self.apart.next(ticks, tick)).min()
    }

    fn execute(&mut self, tick: i64, window: &Window, writer: &mut Writer<'_>) {
        let (rule, run) = (self.rule, self.run);
        let watched = self.watched(window, writer);
        let limit = writer.budget;
        let (buckets, is_more) = self.counting.execute(tick, window, limit as usize, &mut |_| true);
        // Events that lack a field have the room that the groups leave.
        let room = limit.saturating_sub(buckets.len() as u32);
        writer.budget = room;
        self.apart.execute(tick, window, writer);
        writer.budget = limit - (room - writer.budget);
        let about = |bucket: &Bucket| {
            let of = watched.iter().filter(|(_, keys)| keys.contains(&bucket.key));
            of.map(|(it, _)| self.about(it)).collect()
        };
        let candidates = buckets.iter().map(|it| rule.candidate(run, it, about(it), writer));
        let candidates: Vec<Candidate> = candidates.collect();
        for (bucket, candidate) in buckets.iter().zip(&candidates) {
            let terms = candidate.group.as_ref().map(|it| it.terms.to_vec());
            writer.count(terms.unwrap_or_default(), bucket.end);
        }
        self.remember(&watched, &buckets, &candidates);
        if rule.has_window {
            writer.offer_alike(candidates);
        } else {
            for it in candidates {
                writer.create(it);
            }
        }
        if is_more {
            writer.cut_off();
        }
    }

    fn depends_on_earlier(&self, first: i64) -> bool {
        self.counting.depends_on_earlier(first)
    }
}
