//! What happened since, for whoever tells others of it.

use ecs::{Millis, Object};
use rusqlite::{Connection, params};

use crate::compose::{ALERTS, AlertRow, COLUMNS};
use crate::gap::{Gap, Reason};
use crate::report::Status;
use crate::{Book, LiveError};

/// Slots whose executions are given at once.
const SLOTS_MAX: i64 = 200;

/// How far somebody has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Alerts that were raised.
    pub alerts: i64,
    /// Slots in which alerts came to stand for more.
    pub suppressed: i64,
    /// What people did with alerts.
    pub audit: i64,
    /// Slots whose executions are known.
    pub slots: i64,
    /// Gaps.
    pub gaps: i64,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The rule's `rule_id`.
    pub rule_id: String,
    /// Its name.
    pub rule_name: String,
    /// When it was due.
    pub slot: Millis,
    /// How.
    pub status: Status,
    /// What is to be known of it.
    pub messages: Vec<String>,
}

/// What happened. Alerts are as they are by now; nothing is told of those that were raised in a silence.
#[derive(Clone, Debug, Default)]
pub struct News {
    /// Alerts that were raised, in their order.
    pub raised: Vec<Object>,
    /// Alerts that stand for more than before.
    pub suppressed: Vec<Object>,
    /// Alerts that were closed. None that was not given as raised by now.
    pub closed: Vec<Object>,
    /// Executions.
    pub ended: Vec<Ended>,
    /// Gaps that were found.
    pub gaps: Vec<Gap>,
    /// How far this goes.
    pub place: Place,
}

impl Book {
    /// Where whoever begins now begins.
    pub fn place(&self) -> Result<Place, LiveError> {
        self.database.ask(|it| {
            let last = |text: &str| it.query_row(text, [], |row| row.get::<_, i64>(0));
            Ok(Place {
                alerts: last("SELECT coalesce(max(number), 0) FROM alerts")?,
                suppressed: last("SELECT coalesce(max(id), 0) FROM slots")?,
                audit: last("SELECT coalesce(max(id), 0) FROM audit")?,
                slots: last("SELECT coalesce(max(id), 0) FROM slots")?,
                gaps: last("SELECT coalesce(max(id), 0) FROM gaps")?,
            })
        })
    }

    /// What happened since, so many of each at most.
    pub fn news(&self, since: &Place, limit: usize) -> Result<News, LiveError> {
        let url = self.url.as_deref();
        self.database.ask(|it| {
            // All of it as it was at one moment.
            let it = it.unchecked_transaction()?;
            let mut news = News { place: *since, ..News::default() };
            raised(&it, limit, url, &mut news)?;
            suppressed(&it, limit, url, &mut news)?;
            closed(&it, limit, url, &mut news)?;
            ended(&it, &mut news)?;
            gaps(&it, limit, &mut news)?;
            Ok(news)
        })
    }
}

fn raised(it: &Connection, limit: usize, url: Option<&str>, news: &mut News) -> rusqlite::Result<()> {
    let text = format!(
        "SELECT {COLUMNS} alerts.document FROM {ALERTS}
         WHERE alerts.number > ?1 ORDER BY alerts.number LIMIT ?2"
    );
    let mut statement = it.prepare_cached(&text)?;
    let mut rows = statement.query(params![news.place.alerts, limit as i64])?;
    while let Some(row) = rows.next()? {
        let row = AlertRow::of(row)?;
        news.place.alerts = row.number;
        if row.silence.is_none() {
            news.raised.push(row.composed(url));
        }
    }
    Ok(())
}

fn suppressed(it: &Connection, limit: usize, url: Option<&str>, news: &mut News) -> rusqlite::Result<()> {
    // Whole slots: in one of them several come to stand for more.
    let last =
        "SELECT max(suppressed_slot) FROM (SELECT suppressed_slot FROM alerts WHERE suppressed_slot > ?1
                ORDER BY suppressed_slot LIMIT ?2)";
    let last: Option<i64> =
        it.prepare_cached(last)?.query_row(params![news.place.suppressed, limit as i64], |row| row.get(0))?;
    let Some(last) = last else { return Ok(()) };
    let text = format!(
        "SELECT {COLUMNS} alerts.document FROM {ALERTS}
         WHERE alerts.suppressed_slot > ?1 AND alerts.suppressed_slot <= ?2 AND alerts.number <= ?3
         ORDER BY alerts.suppressed_slot, alerts.number"
    );
    let mut statement = it.prepare_cached(&text)?;
    let mut rows = statement.query(params![news.place.suppressed, last, news.place.alerts])?;
    while let Some(row) = rows.next()? {
        let row = AlertRow::of(row)?;
        if row.silence.is_none() {
            news.suppressed.push(row.composed(url));
        }
    }
    news.place.suppressed = last;
    Ok(())
}

fn closed(it: &Connection, limit: usize, url: Option<&str>, news: &mut News) -> rusqlite::Result<()> {
    let text = format!(
        "SELECT {COLUMNS} alerts.document, audit.id, audit.what FROM {ALERTS}
         JOIN audit ON audit.alert = alerts.number WHERE audit.id > ?1 ORDER BY audit.id LIMIT ?2"
    );
    let mut statement = it.prepare_cached(&text)?;
    let mut rows = statement.query(params![news.place.audit, limit as i64])?;
    while let Some(row) = rows.next()? {
        // They stand behind the columns of the alert, however many these are.
        let columns = row.as_ref().column_count();
        let (entry, what): (i64, String) = (row.get(columns - 2)?, row.get(columns - 1)?);
        let alert = AlertRow::of(row)?;
        if alert.number > news.place.alerts {
            break;
        }
        news.place.audit = entry;
        if what == "close" && alert.silence.is_none() {
            news.closed.push(alert.composed(url));
        }
    }
    Ok(())
}

fn ended(it: &Connection, news: &mut News) -> rusqlite::Result<()> {
    let last: i64 = it.query_row("SELECT coalesce(max(id), 0) FROM slots", [], |row| row.get(0))?;
    let last = last.min(news.place.slots + SLOTS_MAX);
    let text = "SELECT rules.rule_id, name, slot_ms, status, messages FROM executions
                JOIN slots ON slots.id = executions.slot JOIN rules ON rules.id = executions.rule
                WHERE executions.slot > ?1 AND executions.slot <= ?2 ORDER BY executions.slot, name";
    let mut statement = it.prepare_cached(text)?;
    let rows = statement.query_map(params![news.place.slots, last], |row| {
        Ok(Ended {
            rule_id: row.get(0)?,
            rule_name: row.get(1)?,
            slot: row.get(2)?,
            status: Status::of(row.get(3)?),
            messages: crate::book::messages(row.get::<_, Option<String>>(4)?.as_deref()),
        })
    })?;
    news.ended = rows.collect::<Result<_, _>>()?;
    news.place.slots = last.max(news.place.slots);
    Ok(())
}

fn gaps(it: &Connection, limit: usize, news: &mut News) -> rusqlite::Result<()> {
    let text = "SELECT rules.rule_id, name, from_ms, to_ms, reason, events, found_ms, gaps.next_ms, gaps.id
                FROM gaps JOIN rules ON rules.id = gaps.rule WHERE gaps.id > ?1 ORDER BY gaps.id LIMIT ?2";
    let mut statement = it.prepare_cached(text)?;
    let mut rows = statement.query(params![news.place.gaps, limit as i64])?;
    while let Some(row) = rows.next()? {
        news.place.gaps = row.get(8)?;
        news.gaps.push(Gap {
            rule_id: row.get(0)?,
            rule_name: row.get(1)?,
            from: row.get(2)?,
            to: row.get(3)?,
            reason: Reason::of(row.get(4)?),
            events: row.get::<_, i64>(5)? as u64,
            found: row.get(6)?,
            next: row.get(7)?,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Database;

    /// What happened is told once, in order, and nothing of an alert before that it was raised.
    #[test]
    fn news_are_new_once() {
        let folder = tempfile::tempdir().unwrap();
        let book = Book { database: Database::open(folder.path(), true, false).unwrap(), url: None };
        let run = |text: &str| book.database.ask(|it| it.execute_batch(text)).unwrap();
        assert_eq!(book.place().unwrap(), Place::default());
        run("INSERT INTO rules (uuid, rule_id, name, interval_ms, first_ms, next_ms, enabled)
             VALUES ('u', 'r', 'A rule', 1, 1, 1, 1);
             INSERT INTO slots (slot_ms, started_ms, seen_ms, turn) VALUES (1, 1, 1, 0), (2, 2, 2, 0);
             INSERT INTO executions (slot, rule, status, alerts, suppressed, known, messages)
             VALUES (1, 1, 2, 0, 0, 0, 'DET001 no'), (2, 1, 0, 1, 0, 0, NULL);
             INSERT INTO gaps (rule, from_ms, to_ms, reason, events, found_ms, next_ms) VALUES (1, 1, 1, 2, 0, 1, 1);
             INSERT INTO alerts (id, rule, slot, slot_ms, time_ms, severity, document, suppressed, suppressed_slot)
             VALUES ('a', 1, 2, 2, 2, 'low', '{\"kibana.alert.uuid\":\"a\"}', 1, 2),
                    ('b', 1, 2, 2, 2, 'low', '{\"kibana.alert.uuid\":\"b\"}', 0, NULL);
             INSERT INTO audit (alert, at_ms, author, what, detail)
             VALUES (1, 3, 'kim', 'note', '{}'), (1, 3, 'kim', 'close', '{}'), (2, 4, 'kim', 'close', '{}');");
        let ids = |all: &[Object]| -> Vec<String> {
            all.iter().filter_map(|it| ecs::alert::id(it).map(str::to_owned)).collect()
        };
        let first = book.news(&Place::default(), 1).unwrap();
        assert_eq!(
            (ids(&first.raised), ids(&first.suppressed)),
            (vec!["a".to_owned()], vec!["a".to_owned()])
        );
        assert_eq!((first.ended.len(), first.gaps.len(), first.closed.len()), (2, 1, 0));
        assert_eq!((first.ended[0].status, first.ended[0].messages.len()), (Status::Failed, 1));
        let mut place = first.place;
        let (mut raised, mut closed) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let news = book.news(&place, 1).unwrap();
            assert!(news.ended.is_empty() && news.gaps.is_empty() && news.suppressed.is_empty());
            raised.extend(ids(&news.raised));
            for it in ids(&news.closed) {
                assert!(it == "a" || raised.contains(&it), "{it} is closed before it is raised");
                closed.push(it);
            }
            place = news.place;
        }
        assert_eq!((raised, closed), (vec!["b".to_owned()], vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(place, book.place().unwrap());
    }
}
