//! Alerts, searched for and counted.

mod columns;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use ecs::{Catalog, Millis, Object, Shape, document};
use plan::Expr;
use plan::naive::Evaluator;
use rule::QueryLanguage;
use rusqlite::params_from_iter;
use rusqlite::types::Value as Parameter;

use crate::compose::{ALERTS, AlertRow, COLUMNS, list};
use crate::workflow::WorkflowStatus;
use crate::{Book, LiveError};
use columns::Columns;

/// Which alerts.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// KQL over their documents; empty for all.
    pub query: String,
    /// What became of them.
    pub status: Option<WorkflowStatus>,
    /// The first slot,
    pub since: Option<Millis>,
    /// and the first that is not wanted any more.
    pub until: Option<Millis>,
    /// Only those of this incident.
    pub incident: Option<i64>,
    /// What of those that were raised in a silence.
    pub silenced: Silenced,
    /// What their documents must satisfy besides.
    pub also: Option<Expr>,
    /// So many of those that are found are left out,
    pub offset: usize,
    /// and so many are given then; all, if this is 0.
    pub limit: usize,
    /// What `now` in the query stands for.
    pub now: Millis,
}

/// What of alerts that were raised in a silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silenced {
    /// They are left out, and counted.
    #[default]
    LeftOut,
    /// They are there like others.
    Included,
    /// They alone are wanted.
    Only,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct FoundAlerts {
    /// How many there are in all.
    pub total: u64,
    /// How many more there are that were left out because they were raised in a silence.
    pub silenced: u64,
    /// Those that were asked for, the newest first.
    pub alerts: Vec<Object>,
}

/// How often a field has which values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: String,
    /// Its most frequent values, and how many alerts have each.
    pub values: Vec<(String, u64)>,
    /// How many values there are beside these,
    pub others: u64,
    /// and how many alerts have none.
    pub missing: u64,
}

/// Alerts over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The length of a bucket.
    pub interval: Millis,
    /// The buckets from the first that has an alert to the last, each with when it begins: how many alerts were raised in it
    /// of each severity, from the lowest on.
    pub buckets: Vec<(Millis, [u64; 4])>,
}

/// Buckets of a histogram.
pub const BUCKETS_MAX: usize = 2_000;

/// The lengths of buckets that are chosen if none is asked for, in minutes.
const INTERVALS: [Millis; 12] = [1, 5, 10, 30, 60, 180, 720, 1_440, 10_080, 43_200, 525_600, 52_560_000];
/// So many buckets are chosen at most then.
const BUCKETS: Millis = 100;

/// A search that is ready to be asked.
struct Ready {
    /// What stands after `WHERE`, and its parameters.
    condition: String,
    params: Vec<Parameter>,
    /// What documents must satisfy besides.
    evaluator: Option<Evaluator>,
}

/// What is read of rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Columns,
    Documents,
}

impl Book {
    /// The alerts that are wanted.
    pub fn search(&self, search: &Search) -> Result<FoundAlerts, LiveError> {
        let ready = self.ready(search)?;
        let mut found = FoundAlerts::default();
        let limit = if search.limit == 0 { usize::MAX } else { search.limit };
        if ready.evaluator.is_some() {
            let wanted = search.offset..search.offset.saturating_add(limit);
            self.each(&ready, Needs::Documents, &mut |row, document| {
                if row.silence.is_some() && search.silenced == Silenced::LeftOut {
                    found.silenced += 1;
                    return;
                }
                let at = found.total as usize;
                found.total += 1;
                if wanted.contains(&at) {
                    found.alerts.push(document);
                }
            })?;
            return Ok(found);
        }
        // Only what is given is read.
        let Ready { condition, params, .. } = ready;
        let count = format!("SELECT count(*), count(alerts.silence) FROM {ALERTS} WHERE {condition}");
        let (all, silenced) = self.database.ask(|it| {
            it.query_row(&count, params_from_iter(&params), |row| {
                Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64))
            })
        })?;
        found.silenced = if search.silenced == Silenced::LeftOut { silenced } else { 0 };
        found.total = all - found.silenced;
        let without = if search.silenced == Silenced::LeftOut { "alerts.silence IS NULL" } else { "1" };
        let text = format!(
            "SELECT {COLUMNS} alerts.document FROM {ALERTS} WHERE ({condition}) AND {without}
             ORDER BY alerts.slot_ms DESC, alerts.number DESC LIMIT {} OFFSET {}",
            i64::try_from(limit).unwrap_or(i64::MAX),
            i64::try_from(search.offset).unwrap_or(i64::MAX)
        );
        let url = self.url.as_deref();
        found.alerts = self.database.ask(|it| {
            let mut statement = it.prepare(&text)?;
            let rows = statement.query_map(params_from_iter(&params), AlertRow::of)?;
            rows.map(|it| it.map(|it| it.composed(url))).collect()
        })?;
        Ok(found)
    }

    /// The ids of the alerts that are wanted, the newest first; offset and limit are not heeded.
    pub fn ids(&self, search: &Search) -> Result<Vec<String>, LiveError> {
        let mut ids = Vec::new();
        self.each_wanted(search, Needs::Columns, &mut |row, _| ids.push(row.id))?;
        Ok(ids)
    }

    /// Gives each alert that is wanted with its id, the newest first; offset and limit are not heeded.
    pub fn each_alert(&self, search: &Search, take: &mut dyn FnMut(&str, Object)) -> Result<(), LiveError> {
        self.each_wanted(search, Needs::Documents, &mut |row, document| take(&row.id, document))
    }

    /// How often fields of the alerts that are wanted have which values: of each the `size` most frequent ones.
    pub fn facets(
        &self,
        search: &Search,
        fields: &[String],
        size: usize,
    ) -> Result<(u64, Vec<Facet>), LiveError> {
        let needs = if fields.iter().all(|it| in_columns(it)) { Needs::Columns } else { Needs::Documents };
        let mut counts: Vec<(HashMap<String, u64>, u64)> = vec![(HashMap::new(), 0); fields.len()];
        let mut total = 0;
        self.each_wanted(search, needs, &mut |row, document| {
            total += 1;
            for (field, (counts, missing)) in fields.iter().zip(&mut counts) {
                let mut values = if needs == Needs::Columns { of_columns(&row, field) } else { Vec::new() };
                if needs == Needs::Documents {
                    document::values(&document, field, Shape::Leaf, |it| values.push(it.text().into_owned()));
                }
                values.sort_unstable();
                values.dedup();
                *missing += u64::from(values.is_empty());
                for value in values {
                    *counts.entry(value).or_default() += 1;
                }
            }
        })?;
        let facet = |(field, (counts, missing)): (&String, (HashMap<String, u64>, u64))| {
            let mut values: Vec<(String, u64)> = counts.into_iter().collect();
            values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let others = values.len().saturating_sub(size) as u64;
            values.truncate(size);
            Facet { field: field.clone(), values, others, missing }
        };
        Ok((total, fields.iter().zip(counts).map(facet).collect()))
    }

    /// The alerts that are wanted over time, in buckets of that length; if none is given, of one that makes few of them.
    pub fn histogram(&self, search: &Search, interval: Option<Millis>) -> Result<Histogram, LiveError> {
        let mut slots: BTreeMap<Millis, [u64; 4]> = BTreeMap::new();
        self.each_wanted(search, Needs::Columns, &mut |row, _| {
            let severity = rule::Severity::from_name(&row.severity).unwrap_or(rule::Severity::Low);
            slots.entry(row.slot).or_default()[severity as usize] += 1;
        })?;
        let (Some((&first, _)), Some((&last, _))) = (slots.first_key_value(), slots.last_key_value()) else {
            return Ok(Histogram { interval: interval.unwrap_or(60_000), buckets: Vec::new() });
        };
        let few = || {
            let mut intervals = INTERVALS.iter().map(|it| it * 60_000);
            intervals.find(|it| (last - first) / it < BUCKETS).unwrap_or(Millis::MAX)
        };
        let interval = interval.unwrap_or_else(few).max(1);
        let begin = |slot: Millis| slot.div_euclid(interval).saturating_mul(interval);
        let count = (begin(last) - begin(first)) / interval + 1;
        if count > BUCKETS_MAX as Millis {
            return Err(LiveError::TooManyBuckets { count: count as u64, most: BUCKETS_MAX });
        }
        let mut buckets: Vec<(Millis, [u64; 4])> =
            (0..count).map(|at| (begin(first) + at * interval, [0; 4])).collect();
        for (slot, counts) in slots {
            let at = ((begin(slot) - begin(first)) / interval) as usize;
            for (sum, count) in buckets[at].1.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        Ok(Histogram { interval, buckets })
    }

    /// Gives each alert that is wanted, and its document if that is needed.
    fn each_wanted(
        &self,
        search: &Search,
        needs: Needs,
        take: &mut dyn FnMut(AlertRow, Object),
    ) -> Result<(), LiveError> {
        let ready = self.ready(search)?;
        self.each(&ready, needs, &mut |row, document| {
            if row.silence.is_none() || search.silenced != Silenced::LeftOut {
                take(row, document);
            }
        })
    }

    /// A search as a question to the database, and what is left to the documents.
    fn ready(&self, search: &Search) -> Result<Ready, LiveError> {
        let mut condition = "alerts.slot_ms >= ?1 AND alerts.slot_ms < ?2".to_owned();
        let times = [search.since.unwrap_or(Millis::MIN), search.until.unwrap_or(Millis::MAX)];
        let mut params: Vec<Parameter> = times.map(Parameter::Integer).to_vec();
        if let Some(status) = search.status {
            condition += &format!(" AND alerts.status = {}", status.number());
        }
        if let Some(incident) = search.incident {
            condition += &format!(" AND alerts.incident = {incident}");
        }
        if search.silenced == Silenced::Only {
            condition += " AND alerts.silence IS NOT NULL";
        }
        let mut asked: Vec<Expr> = search.also.iter().cloned().collect();
        let query = search.query.trim();
        if !query.is_empty() {
            let query = rule::check_query(QueryLanguage::Kuery, query, &Catalog::ecs());
            asked.push(query.map_err(LiveError::Query)?.into_expr(search.now));
        }
        if asked.is_empty() {
            return Ok(Ready { condition, params, evaluator: None });
        }
        let query = Expr::And(asked);
        let evaluator = self.database.ask(|it| {
            let mut columns = Columns::new(it);
            let (clause, asked) = columns.of(&query)?.into_sql();
            condition += &format!(" AND {clause}");
            params.extend(asked);
            Ok((!columns.is_exact).then(|| Evaluator::new(&query)))
        })?;
        Ok(Ready { condition, params, evaluator })
    }

    /// Gives each alert that satisfies all of it, whether it was raised in a silence or not, the newest first. Without need
    /// of documents these are empty.
    fn each(
        &self,
        ready: &Ready,
        needs: Needs,
        take: &mut dyn FnMut(AlertRow, Object),
    ) -> Result<(), LiveError> {
        let reads = needs == Needs::Documents || ready.evaluator.is_some();
        let document = if reads { "alerts.document" } else { "NULL" };
        let text = format!(
            "SELECT {COLUMNS} {document} FROM {ALERTS} WHERE {}
             ORDER BY alerts.slot_ms DESC, alerts.number DESC",
            ready.condition
        );
        let url = self.url.as_deref();
        self.database.ask(|it| {
            let mut statement = it.prepare(&text)?;
            let mut rows = statement.query(params_from_iter(&ready.params))?;
            while let Some(row) = rows.next()? {
                let row = AlertRow::of(row)?;
                if !reads {
                    take(row, Object::new());
                    continue;
                }
                let mut document = row.composed(url);
                if let Some(evaluator) = &ready.evaluator {
                    // What stands beside a document in an index.
                    document.insert("_id".to_owned(), row.id.as_str().into());
                    document.insert("_index".to_owned(), ecs::ALERTS_INDEX.into());
                    if !evaluator.matches(&document) {
                        continue;
                    }
                    document.shift_remove("_id");
                    document.shift_remove("_index");
                }
                take(row, document);
            }
            Ok(())
        })
    }
}

/// Whether the columns know the values of a field.
fn in_columns(field: &str) -> bool {
    matches!(
        field,
        "kibana.alert.workflow_status"
            | "kibana.alert.severity"
            | "kibana.alert.workflow_reason"
            | "kibana.alert.rule.rule_id"
            | "kibana.alert.rule.name"
            | "kibana.alert.workflow_assignee_ids"
            | "kibana.alert.workflow_tags"
    )
}

/// The values of such a field.
fn of_columns(row: &AlertRow, field: &str) -> Vec<String> {
    match field {
        "kibana.alert.workflow_status" => vec![row.status.as_str().to_owned()],
        "kibana.alert.severity" => vec![row.severity.clone()],
        "kibana.alert.workflow_reason" => row.reason.iter().cloned().collect(),
        "kibana.alert.rule.rule_id" => row.rule_id.iter().cloned().collect(),
        "kibana.alert.rule.name" => row.rule_name.iter().cloned().collect(),
        "kibana.alert.workflow_assignee_ids" => list(&row.assignees),
        "kibana.alert.workflow_tags" => list(&row.tags),
        _ => Vec::new(),
    }
}
