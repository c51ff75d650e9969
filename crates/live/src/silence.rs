//! Silences: for a while nobody wants to hear of some alerts.
//!
//! A silence is about the alerts of a rule, or about those that satisfy a query, or both. An alert that is raised while one
//! is in force is raised and kept like any other, and says in which silence it was: it is left out of lists unless they ask
//! for it, is not notified of, and is counted. Rules over alerts see it as if there was no silence.

use ecs::{Catalog, Millis};
use plan::naive::Evaluator;
use rule::QueryLanguage;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::json;

use crate::actions::{ENGINE, act};
use crate::ledger::AlertRecord;
use crate::report::NewAlert;
use crate::schema::Refusal;
use crate::search::{Search, Silenced};
use crate::{Book, LiveError};

/// A silence that is to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSilence {
    /// The rule whose alerts it is about, by its `rule_id`, its object id or its name,
    pub rule: Option<String>,
    /// and KQL over the alerts' fields. One of them must be there; if both are, both must hold.
    pub query: Option<String>,
    /// Why.
    pub reason: String,
    /// When it ends by itself.
    pub until: Millis,
}

/// A silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// The `rule_id` of the rule that it is about.
    pub rule_id: Option<String>,
    /// The query that it is about.
    pub query: Option<String>,
    /// Why.
    pub reason: String,
    /// Who made it,
    pub author: String,
    /// and when.
    pub made: Millis,
    /// When it ends by itself.
    pub until: Millis,
    /// When it ended, and who ended it.
    pub ended: Option<(Millis, String)>,
    /// How many alerts were raised in it.
    pub alerts: u64,
}

/// What a silence would have been about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// Alerts of that time that it would have silenced.
    pub alerts: u64,
    /// The ids of the newest of them.
    pub ids: Vec<String>,
}

/// The longest time that a silence lasts: what nobody wants to hear of for good is an exception.
pub const SILENCE_MAX: Millis = 366 * 24 * 3_600_000;
/// So many ids of alerts are given of a silence that is tried.
const IDS: usize = 20;

impl Silence {
    /// Whether it is in force.
    pub fn is_active(&self, now: Millis) -> bool {
        self.ended.is_none() && now < self.until
    }
}

impl Book {
    /// Makes a silence.
    pub fn silence(&mut self, new: &NewSilence, author: &str, now: Millis) -> Result<Silence, LiveError> {
        let rule_id = self.checked(new)?;
        if new.reason.trim().is_empty() {
            return Err(LiveError::NoReason);
        }
        if new.until <= now || new.until - now > SILENCE_MAX {
            return Err(LiveError::SilenceEnds { days: SILENCE_MAX / 86_400_000 });
        }
        let id = self.database.change(|it| {
            let add = "INSERT INTO silences (rule_id, query, reason, author, made_ms, until_ms)
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let values = params![rule_id, new.query, new.reason.trim(), author, now, new.until];
            it.execute(add, values)?;
            let id = it.last_insert_rowid();
            let detail = json!({
                "rule_id": rule_id,
                "query": new.query,
                "reason": new.reason.trim(),
                "until": ecs::date::to_iso(new.until),
            });
            act(it, now, author, &subject(id), "silence", &detail)?;
            Ok(id)
        })?;
        self.silence_of(id)
    }

    /// Ends a silence before its time.
    pub fn end_silence(&mut self, id: i64, author: &str, now: Millis) -> Result<Silence, LiveError> {
        let silence = self.silence_of(id)?;
        if !silence.is_active(now) {
            return Err(LiveError::SilenceEnded { id });
        }
        self.database.change(|it| {
            let end = "UPDATE silences SET ended_ms = ?2, ended_by = ?3 WHERE id = ?1 AND ended_ms IS NULL";
            if it.execute(end, params![id, now, author])? == 0 {
                return Err(Refusal::Other(LiveError::SilenceEnded { id }));
            }
            act(it, now, author, &subject(id), "end silence", &json!({}))?;
            Ok(())
        })?;
        self.silence_of(id)
    }

    /// All silences, the newest first.
    pub fn silences(&self) -> Result<Vec<Silence>, LiveError> {
        self.database.ask(|it| read(it, None))
    }

    fn silence_of(&self, id: i64) -> Result<Silence, LiveError> {
        let found = self.database.ask(|it| read(it, Some(id)))?;
        found.into_iter().next().ok_or(LiveError::NoSilence { id })
    }

    /// What a silence would have been about of the alerts that were raised at `since` or later.
    pub fn try_silence(&self, new: &NewSilence, since: Millis, now: Millis) -> Result<Tried, LiveError> {
        let rule_id = self.checked(new)?;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let of_rule = rule_id.map(|it| format!("kibana.alert.rule.rule_id: {}", quoted(&it)));
        let parts = of_rule.into_iter().chain(new.query.iter().map(|it| format!("({it})")));
        let query = parts.collect::<Vec<_>>().join(" and ");
        let silenced = Silenced::Included;
        let search = Search { query, since: Some(since), silenced, now, ..Search::default() };
        let mut ids = self.ids(&search)?;
        let alerts = ids.len() as u64;
        ids.truncate(IDS);
        Ok(Tried { alerts, ids })
    }

    /// Refuses a silence of everything, or of nothing that there is. Gives the `rule_id` of its rule.
    fn checked(&self, new: &NewSilence) -> Result<Option<String>, LiveError> {
        let query = new.query.as_deref().map(str::trim);
        if let Some(query) = query.filter(|it| !it.is_empty()) {
            let query = rule::check_query(QueryLanguage::Kuery, query, &Catalog::ecs());
            query.map_err(LiveError::Query)?;
        } else if new.rule.is_none() || query.is_some() {
            return Err(LiveError::NoScope);
        }
        let Some(name) = &new.rule else { return Ok(None) };
        let text = "SELECT rule_id FROM rules WHERE rule_id = ?1 OR uuid = ?1 OR name = ?1
                    UNION ALL SELECT rule_id FROM alert_rules WHERE rule_id = ?1 OR name = ?1 LIMIT 1";
        let found: Option<String> =
            self.database.ask(|it| it.query_row(text, [name], |row| row.get(0)).optional())?;
        found.map(Some).ok_or_else(|| LiveError::NoRule { name: name.clone() })
    }
}

fn subject(id: i64) -> String {
    format!("silence {id}")
}

fn read(connection: &Connection, id: Option<i64>) -> rusqlite::Result<Vec<Silence>> {
    let text = "SELECT id, rule_id, query, reason, author, made_ms, until_ms, ended_ms, ended_by,
            (SELECT count(*) FROM alerts WHERE alerts.silence = silences.id)
        FROM silences WHERE ?1 IS NULL OR id = ?1 ORDER BY id DESC";
    let mut statement = connection.prepare_cached(text)?;
    let silences = statement.query_map([id], |row| {
        let ended_by: Option<String> = row.get("ended_by")?;
        Ok(Silence {
            id: row.get("id")?,
            rule_id: row.get("rule_id")?,
            query: row.get("query")?,
            reason: row.get("reason")?,
            author: row.get("author")?,
            made: row.get("made_ms")?,
            until: row.get("until_ms")?,
            ended: row.get::<_, Option<Millis>>("ended_ms")?.zip(ended_by),
            alerts: row.get::<_, i64>(9)? as u64,
        })
    })?;
    silences.collect()
}

/// Says in alerts that are about to be written in which silence they are raised, if they are in one: the oldest that is
/// about them.
pub(crate) fn silence(
    connection: &Connection,
    now: Millis,
    records: &mut [AlertRecord],
    alerts: &mut [NewAlert],
) -> rusqlite::Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let text = "SELECT id, rule_id, query FROM silences
        WHERE ended_ms IS NULL AND made_ms <= ?1 AND until_ms > ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(text)?;
    let mut rows = statement.query([now])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let (rule_id, query): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
        let evaluator = match &query {
            None => None,
            Some(query) => match rule::check_query(QueryLanguage::Kuery, query, &Catalog::ecs()) {
                Ok(condition) => Some(Evaluator::new(&condition.at(now))),
                // It was checked when it was made. If it cannot be understood any more, better to be heard of too much.
                Err(_) => continue,
            },
        };
        for (record, alert) in records.iter_mut().zip(&mut *alerts) {
            let is_of_rule = rule_id.as_ref().is_none_or(|it| *it == alert.rule_id);
            if alert.silence.is_none()
                && is_of_rule
                && evaluator.as_ref().is_none_or(|it| it.matches(&alert.document))
            {
                (record.silence, alert.silence) = (Some(id), Some(id));
            }
        }
    }
    Ok(())
}

/// Writes down that silences have ended by themselves.
pub(crate) fn expire(connection: &Connection, now: Millis) -> rusqlite::Result<()> {
    let text = "UPDATE silences SET ended_ms = until_ms, ended_by = ?2
                WHERE ended_ms IS NULL AND until_ms <= ?1 RETURNING id, until_ms";
    let ended: Vec<(i64, Millis)> = connection
        .prepare_cached(text)?
        .query_map(params![now, ENGINE], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (id, until) in ended {
        act(connection, until, ENGINE, &subject(id), "expire", &json!({}))?;
    }
    Ok(())
}
