//! Suppression by the book: every execution offers all that it sees, and looks at all alerts that there are.

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use rule::{AlertSuppression, MissingFields, Rule, RuleKind};
use serde_json::Value;

use super::naive::{Delivery, Memory, Naive, Range, SaidAlert, combinations};
use crate::{Detail, KnownAlerts, Origin, Suppressed, id};

/// An alert that an execution offers.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) origin: Origin,
    pub(super) timestamp: Millis,
    pub(super) detail: Detail,
    /// None is raised anyway.
    pub(super) alike: Option<Alike>,
}

#[derive(Clone, Debug)]
pub(super) struct Alike {
    pub(super) terms: Vec<(String, Value)>,
    pub(super) start: Millis,
    pub(super) end: Millis,
    pub(super) docs_count: u64,
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Became {
    There,
    Suppressed,
    Full,
}

#[derive(Debug)]
pub(super) struct Raised {
    terms: Vec<(String, Value)>,
    at: Millis,
    end: Millis,
    /// Where it stands among what was said.
    place: Option<usize>,
}

/// All alerts that there are.
pub(super) struct Book<'a> {
    pub(super) rule: &'a Rule,
    pub(super) known: &'a KnownAlerts,
    pub(super) memory: &'a mut Memory,
}

impl Book<'_> {
    pub(super) fn is_there(&self, id: &str) -> bool {
        self.known.contains(id) || self.memory.created.contains(id)
    }

    /// Creates one alert, if there is room.
    pub(super) fn create(&mut self, range: &Range, offer: &Offer, budget: &mut u32) -> Became {
        let is_known = self.known.contains(&offer.id);
        if self.memory.created.contains(&offer.id) {
            return Became::There;
        }
        if !is_known && *budget == 0 {
            return Became::Full;
        }
        self.memory.created.insert(offer.id.clone());
        let suppressed = offer.alike.as_ref().map(|it| Suppressed {
            terms: it.terms.clone(),
            instance: id::instance(&it.terms, &self.rule.id, "default"),
            start: it.start,
            end: it.end,
            docs_count: it.docs_count,
            last_detected: range.started_at,
        });
        let Offer { id, origin, timestamp, detail, .. } = offer.clone();
        let execution = range.started_at;
        let alert = SaidAlert { execution, id, origin, timestamp, detail, suppressed };
        if is_known {
            self.memory.existing.push(alert);
        } else {
            *budget -= 1;
            self.memory.said.alerts.push(alert);
        }
        Became::There
    }

    /// What Elastic's engine does with a batch of alerts. Counts what is suppressed.
    pub(super) fn write(
        &mut self,
        range: &Range,
        offers: &[Offer],
        budget: &mut u32,
        suppressed: &mut u64,
    ) -> Vec<Became> {
        let now = range.started_at;
        let suppression = self.rule.alert_suppression.as_ref();
        let duration = suppression.and_then(|it| it.duration.as_ref());
        let since = duration.map_or(range.from, |it| now - it.millis());
        let mut became = vec![Became::There; offers.len()];
        for (at, offer) in offers.iter().enumerate().filter(|(_, it)| it.alike.is_none()) {
            became[at] = self.create(range, offer, budget);
        }
        let mut left: Vec<usize> = Vec::new();
        for (at, offer) in offers.iter().enumerate() {
            let Some(alike) = &offer.alike else { continue };
            if !self.is_there(&offer.id) {
                left.push(at);
            } else if !self.memory.created.contains(&offer.id) {
                // An earlier hunt raised it in this execution.
                self.create(range, offer, &mut 0);
                let terms = alike.terms.clone();
                self.memory.raised.push(Raised { terms, at: now, end: alike.end, place: None });
            }
        }
        let alike = |at: usize| offers[at].alike.as_ref().unwrap();
        let newest = |raised: &[Raised], at: usize| {
            raised.iter().rposition(|it| it.terms == alike(at).terms && it.at >= since)
        };
        left.retain(|&at| {
            let is_counted = newest(&self.memory.raised, at).is_some_and(|it| {
                self.memory.raised[it].at < now && self.memory.raised[it].end >= alike(at).end
            });
            if is_counted {
                became[at] = Became::Suppressed;
            }
            !is_counted
        });
        left.sort_by_key(|&at| alike(at).start);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for at in left {
            match groups.iter_mut().find(|it| alike(it[0]).terms == alike(at).terms) {
                Some(group) => group.push(at),
                None => groups.push(vec![at]),
            }
        }
        for group in groups {
            let others: u64 = group[1..].iter().map(|&at| alike(at).docs_count + 1).sum();
            let end = group.iter().map(|&at| alike(at).end).max().unwrap();
            let mut first = offers[group[0]].clone();
            let it = first.alike.as_mut().unwrap();
            it.docs_count += others;
            it.end = end;
            let (docs_count, start) = (it.docs_count, it.start);
            let existing = newest(&self.memory.raised, group[0]);
            if let Some(raised) =
                existing.filter(|&it| duration.is_some() || self.memory.raised[it].at == now)
            {
                let raised = &mut self.memory.raised[raised];
                raised.end = raised.end.max(end);
                if let Some(place) = raised.place {
                    let alert = self.memory.said.alerts[place].suppressed.as_mut().unwrap();
                    alert.docs_count += docs_count + 1;
                    alert.end = alert.end.max(end);
                    alert.last_detected = now;
                    if raised.at == now {
                        alert.start = alert.start.min(start);
                    }
                }
                *suppressed += group.len() as u64;
                for at in group {
                    became[at] = Became::Suppressed;
                }
                continue;
            }
            let of_first = self.create(range, &first, budget);
            for &at in &group {
                became[at] = if of_first == Became::There { Became::Suppressed } else { of_first };
            }
            became[group[0]] = of_first;
            if of_first == Became::There {
                *suppressed += group.len() as u64 - 1;
                let place = Some(self.memory.said.alerts.len() - 1);
                self.memory.raised.push(Raised { terms: alike(group[0]).terms.clone(), at: now, end, place });
            }
        }
        became
    }

    /// Batch after batch, as they are offered to an execution, until it has had enough.
    pub(super) fn write_all(
        &mut self,
        range: &Range,
        offers: &[Offer],
        page: usize,
        limit: u32,
    ) -> Vec<Became> {
        let (mut budget, mut suppressed) = (limit, 0);
        let mut became = Vec::new();
        let most = 5 * limit as usize;
        // What is there already belongs to no batch.
        let mut batches: Vec<Vec<Offer>> = Vec::new();
        for page in offers.chunks(page) {
            batches.push(Vec::new());
            for it in page {
                let batch = batches.last().unwrap();
                if batch.iter().filter(|it| !self.is_there(&it.id)).count() == most {
                    batches.push(Vec::new());
                }
                batches.last_mut().unwrap().push(it.clone());
            }
        }
        for batch in &batches {
            became.extend(self.write(range, batch, &mut budget, &mut suppressed));
            let created = u64::from(limit - budget);
            if created >= u64::from(limit) || created + suppressed >= 5 * u64::from(limit) {
                self.memory.said.truncated.push(range.started_at);
                break;
            }
        }
        became
    }
}

impl Naive<'_> {
    /// One execution of a rule whose alerts suppress one another, after those that are remembered.
    pub(super) fn suppress(&self, suppression: &AlertSuppression, range: Range, memory: &mut Memory) {
        let RuleKind::NewTerms(terms) = &self.rule.kind else {
            return self.groups(suppression, &range, memory);
        };
        let found = self.new_terms(range, &memory.handled);
        let alike = |it: &Delivery| {
            let mut all = Vec::new();
            for (field, values) in suppression.group_by.iter().zip(&it.terms[terms.fields.len()..]) {
                let mut values = values.clone();
                values.sort();
                if values.is_empty() && suppression.missing_fields == MissingFields::DoNotSuppress {
                    return None;
                }
                let value = if values.is_empty() { Value::Null } else { values.into() };
                all.push((field.clone(), value));
            }
            let time = self.time(it).unwrap();
            Some(Alike { terms: all, start: time, end: time, docs_count: 0 })
        };
        let offer = |(id, it, detail, _): &(String, &Delivery, Detail, Vec<String>)| Offer {
            id: id.clone(),
            origin: it.origin,
            timestamp: it.timestamp,
            detail: detail.clone(),
            alike: alike(it),
        };
        let offers: Vec<Offer> = found.iter().map(offer).collect();
        let mut book = Book { rule: self.rule, known: self.known, memory: &mut *memory };
        let became = book.write_all(&range, &offers, self.page, self.budget);
        for ((_, it, _, key), became) in found.into_iter().zip(became) {
            if became == Became::There {
                memory.handled.insert((key, it.origin));
            }
        }
    }

    /// One alert for each group of a query rule.
    fn groups(&self, suppression: &AlertSuppression, range: &Range, memory: &mut Memory) {
        let mut counted = std::mem::take(&mut memory.groups);
        let mut book = Book { rule: self.rule, known: self.known, memory: &mut *memory };
        counted.retain(|_, end| *end > range.from);
        let is_apart = suppression.missing_fields == MissingFields::DoNotSuppress;
        let keys = |it: &Delivery| -> BTreeSet<Vec<(bool, String)>> {
            // What is missing comes last.
            let filled = it.terms.iter().map(|values| {
                let there = values.iter().map(|it| format!("0{it}"));
                let missing = (values.is_empty() && !is_apart).then(|| "1".to_owned());
                there.chain(missing).collect()
            });
            let all = combinations(&filled.collect::<Vec<Vec<String>>>());
            all.into_iter()
                .map(|key| key.into_iter().map(|it| (it.starts_with('1'), it[1..].to_owned())).collect())
                .collect()
        };
        let mut buckets: BTreeMap<Vec<(bool, String)>, Vec<&Delivery>> = BTreeMap::new();
        let mut apart: Vec<&Delivery> = Vec::new();
        // In the order of a search.
        for (_, it, ..) in self.query(*range) {
            let (time, keys) = (self.time(it).unwrap(), keys(it));
            if keys.is_empty() {
                apart.push(it);
            } else if !counted.iter().any(|(key, end)| time <= *end && keys.contains(key)) {
                for key in keys {
                    buckets.entry(key).or_default().push(it);
                }
            }
        }
        let mut is_truncated = buckets.len() > self.budget as usize;
        let buckets: Vec<_> = buckets.into_iter().take(self.budget as usize).collect();
        let mut room = self.budget - buckets.len() as u32;
        for it in apart {
            let id = id::event_alert(&self.indices[it.index as usize], &it.id, &self.space_and_rule());
            let (origin, timestamp) = (it.origin, it.timestamp);
            let offer = Offer { id, origin, timestamp, detail: Detail::Event, alike: None };
            if book.create(range, &offer, &mut room) == Became::Full {
                is_truncated = true;
                break;
            }
        }
        let mut offers = Vec::new();
        for (key, bucket) in buckets {
            let time = |it: &&&Delivery| self.time(it).unwrap();
            let (start, end) = (
                bucket.iter().map(|it| time(&it)).min().unwrap(),
                bucket.iter().map(|it| time(&it)).max().unwrap(),
            );
            let by_time =
                |it: &&&Delivery| (time(it), it.timestamp, it.id.clone(), &self.indices[it.index as usize]);
            let base = bucket.iter().min_by_key(by_time).unwrap();
            let value = |(is_missing, text): &(bool, String)| {
                if *is_missing { Value::Null } else { text.as_str().into() }
            };
            let terms: Vec<(String, Value)> =
                suppression.group_by.iter().cloned().zip(key.iter().map(value)).collect();
            counted.insert(key, end);
            let index = &self.indices[base.index as usize];
            offers.push(Offer {
                id: id::group_alert(index, &base.id, &self.space_and_rule(), &terms, (start, end)),
                origin: base.origin,
                timestamp: base.timestamp,
                detail: Detail::Event,
                alike: Some(Alike { terms, start, end, docs_count: bucket.len() as u64 - 1 }),
            });
        }
        if is_truncated {
            book.memory.said.truncated.push(range.started_at);
        }
        let mut budget = offers.len() as u32;
        if suppression.duration.is_some() {
            book.write(range, &offers, &mut budget, &mut 0);
        } else {
            for it in &offers {
                book.create(range, it, &mut budget);
            }
        }
        memory.groups = counted;
    }
}
