//! The database's tables, and how they came to be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::LiveError;

/// The database's file.
pub(crate) const FILE: &str = "live.db";

/// How the database came to be, step by step: its format is how many of them were taken. A step is never changed, once it is
/// in a release; a change is another step.
///
/// * `rules`: each that ever ran. `next_ms` is its next slot, `first_ms` its first; `enabled` says whether it runs.
/// * `slots`: executions that took place together, in their order. `seen_ms` says what had been ingested then. `turn` is 1 if
///   the slots were executed once more, or as part of a gap.
/// * `executions`: one a rule and slot.
/// * `gaps`: slots of a rule that were not executed, or did not see everything; `next_ms` is the next to be filled, and none
///   once all are.
/// * `alerts`: the documents as they were raised; what became of them since stands in the other columns. `suppressed_slot` is
///   the last slot in which one came to stand for more.
/// * `alert_rules`: what alerts call their rules, each pair once (`alerts.named`). `labels`: assignees (0) and tags (1) of
///   alerts, one a row, so that a search finds them. `silences`, `incidents`: see the modules. `actions`: what was done with
///   these. `settings`: what the server says of itself to whoever opens the database without it.
/// * `tallies`: how many executions there ever were, and how many failed, kept with each of them.
/// * `kept`: rules, exceptions and value lists that people made (see `rulebook`); `rulebook` has one row, which counts changes.
/// * `versions`: what rules said that ran, with all that was excepted from them. Executions name theirs.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE rules (
        id INTEGER PRIMARY KEY,
        uuid TEXT NOT NULL UNIQUE,
        rule_id TEXT NOT NULL,
        name TEXT NOT NULL,
        interval_ms INTEGER NOT NULL,
        first_ms INTEGER NOT NULL,
        next_ms INTEGER NOT NULL,
        enabled INTEGER NOT NULL,
        late_events INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE slots (
        id INTEGER PRIMARY KEY,
        slot_ms INTEGER NOT NULL,
        started_ms INTEGER NOT NULL,
        seen_ms INTEGER NOT NULL,
        turn INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE executions (
        slot INTEGER NOT NULL REFERENCES slots (id),
        rule INTEGER NOT NULL REFERENCES rules (id),
        status INTEGER NOT NULL,
        alerts INTEGER NOT NULL,
        suppressed INTEGER NOT NULL,
        known INTEGER NOT NULL,
        messages TEXT,
        PRIMARY KEY (slot, rule)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX executions_by_rule ON executions (rule, slot);
    CREATE TABLE gaps (
        id INTEGER PRIMARY KEY,
        rule INTEGER NOT NULL REFERENCES rules (id),
        from_ms INTEGER NOT NULL,
        to_ms INTEGER NOT NULL,
        reason INTEGER NOT NULL,
        events INTEGER NOT NULL,
        found_ms INTEGER NOT NULL,
        next_ms INTEGER
    ) STRICT;
    CREATE INDEX gaps_unfilled ON gaps (next_ms) WHERE next_ms IS NOT NULL;
    CREATE TABLE alerts (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        rule INTEGER NOT NULL REFERENCES rules (id),
        slot INTEGER NOT NULL REFERENCES slots (id),
        slot_ms INTEGER NOT NULL,
        time_ms INTEGER NOT NULL,
        severity TEXT NOT NULL,
        document TEXT NOT NULL,
        suppressed INTEGER NOT NULL DEFAULT 0,
        suppressed_start_ms INTEGER,
        suppressed_end_ms INTEGER,
        last_detected_ms INTEGER,
        status INTEGER NOT NULL DEFAULT 0,
        status_ms INTEGER,
        status_by TEXT,
        reason TEXT,
        assignees TEXT NOT NULL DEFAULT '[]',
        tags TEXT NOT NULL DEFAULT '[]',
        updated_ms INTEGER,
        updated_by TEXT
    ) STRICT;
    CREATE INDEX alerts_by_slot ON alerts (slot_ms);
    CREATE INDEX alerts_by_status ON alerts (status, slot_ms);
    CREATE INDEX alerts_by_rule ON alerts (rule, slot_ms);
    CREATE TABLE blocks (
        alert INTEGER NOT NULL REFERENCES alerts (number),
        place INTEGER NOT NULL,
        id TEXT NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (alert, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY,
        alert INTEGER NOT NULL REFERENCES alerts (number),
        at_ms INTEGER NOT NULL,
        author TEXT NOT NULL,
        what TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_by_alert ON audit (alert, id);
",
    "
    ALTER TABLE alerts ADD COLUMN suppressed_slot INTEGER;
    CREATE INDEX alerts_suppressed ON alerts (suppressed_slot) WHERE suppressed_slot IS NOT NULL;
",
    r#"
    CREATE TABLE alert_rules (
        id INTEGER PRIMARY KEY,
        rule_id TEXT NOT NULL,
        name TEXT NOT NULL,
        UNIQUE (rule_id, name)
    ) STRICT;
    CREATE TABLE silences (
        id INTEGER PRIMARY KEY,
        rule_id TEXT,
        query TEXT,
        reason TEXT NOT NULL,
        author TEXT NOT NULL,
        made_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        ended_ms INTEGER,
        ended_by TEXT
    ) STRICT;
    CREATE INDEX silences_open ON silences (until_ms) WHERE ended_ms IS NULL;
    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY,
        root TEXT NOT NULL,
        first_ms INTEGER NOT NULL,
        last_ms INTEGER NOT NULL,
        made_ms INTEGER NOT NULL,
        slot_ms INTEGER NOT NULL,
        status INTEGER NOT NULL DEFAULT 0,
        reason TEXT,
        assignees TEXT NOT NULL DEFAULT '[]',
        updated_ms INTEGER,
        updated_by TEXT
    ) STRICT;
    CREATE INDEX incidents_by_root ON incidents (root, slot_ms);
    CREATE TABLE actions (
        id INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        author TEXT NOT NULL,
        subject TEXT NOT NULL,
        what TEXT NOT NULL,
        detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX actions_by_time ON actions (at_ms);
    CREATE INDEX actions_by_subject ON actions (subject, id);
    CREATE INDEX audit_by_time ON audit (at_ms);
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    ALTER TABLE alerts ADD COLUMN named INTEGER REFERENCES alert_rules (id);
    ALTER TABLE alerts ADD COLUMN root TEXT;
    ALTER TABLE alerts ADD COLUMN silence INTEGER REFERENCES silences (id);
    ALTER TABLE alerts ADD COLUMN incident INTEGER REFERENCES incidents (id);
    INSERT OR IGNORE INTO alert_rules (rule_id, name)
        SELECT document ->> '$."kibana.alert.rule.rule_id"', document ->> '$."kibana.alert.rule.name"' FROM alerts;
    UPDATE alerts SET root = document ->> '$."trailwarden.identity.root.arn"', named = (
        SELECT alert_rules.id FROM alert_rules
        WHERE alert_rules.rule_id = alerts.document ->> '$."kibana.alert.rule.rule_id"'
            AND alert_rules.name = alerts.document ->> '$."kibana.alert.rule.name"'
    );
    CREATE INDEX alerts_by_name ON alerts (named, slot_ms);
    CREATE INDEX alerts_by_severity ON alerts (severity, slot_ms);
    CREATE INDEX alerts_by_root ON alerts (root, slot_ms) WHERE root IS NOT NULL;
    CREATE INDEX alerts_by_silence ON alerts (silence) WHERE silence IS NOT NULL;
    CREATE INDEX alerts_by_incident ON alerts (incident) WHERE incident IS NOT NULL;
    CREATE TABLE labels (
        kind INTEGER NOT NULL,
        value TEXT NOT NULL,
        alert INTEGER NOT NULL REFERENCES alerts (number),
        PRIMARY KEY (kind, value, alert)
    ) STRICT, WITHOUT ROWID;
    INSERT OR IGNORE INTO labels SELECT 0, value, number FROM alerts, json_each(alerts.assignees);
    INSERT OR IGNORE INTO labels SELECT 1, value, number FROM alerts, json_each(alerts.tags);
"#,
    "
    CREATE TABLE tallies (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO tallies SELECT 'executions', count(*) FROM executions;
    INSERT INTO tallies SELECT 'failed', count(*) FROM executions WHERE status = 2;
    CREATE TRIGGER executions_tallied AFTER INSERT ON executions BEGIN
        UPDATE tallies SET value = value + 1 WHERE name = 'executions';
        UPDATE tallies SET value = value + 1 WHERE name = 'failed' AND NEW.status = 2;
    END;
",
    "
    CREATE TABLE kept (
        number INTEGER PRIMARY KEY,
        kind INTEGER NOT NULL,
        id TEXT NOT NULL,
        key TEXT NOT NULL,
        parent TEXT NOT NULL,
        document TEXT NOT NULL,
        revision INTEGER NOT NULL,
        created_ms INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        updated_ms INTEGER NOT NULL,
        updated_by TEXT NOT NULL,
        UNIQUE (kind, id),
        UNIQUE (kind, key)
    ) STRICT;
    CREATE INDEX kept_by_parent ON kept (kind, parent);
    CREATE TABLE rulebook (revision INTEGER NOT NULL) STRICT;
    INSERT INTO rulebook (revision) VALUES (0);
    CREATE TABLE versions (
        id INTEGER PRIMARY KEY,
        rule INTEGER NOT NULL REFERENCES rules (id),
        since_ms INTEGER NOT NULL,
        definition TEXT NOT NULL
    ) STRICT;
    CREATE INDEX versions_by_rule ON versions (rule, id);
    ALTER TABLE rules ADD COLUMN version INTEGER REFERENCES versions (id);
    ALTER TABLE executions ADD COLUMN version INTEGER REFERENCES versions (id);
",
];

/// How long somebody waits for another who writes: not as long as clients of a server wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open database.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) path: PathBuf,
    pub(crate) connection: Connection,
}

impl Database {
    /// Opens the one in a store's folder; makes one, if that is asked for.
    pub(crate) fn open(folder: &Path, makes: bool, is_durable: bool) -> Result<Self, LiveError> {
        let path = folder.join(FILE);
        if !makes && !path.is_file() {
            return Err(LiveError::NoBook { path: folder.to_owned() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let flags = if makes { flags | OpenFlags::SQLITE_OPEN_CREATE } else { flags };
        let open = || -> rusqlite::Result<(Connection, i64)> {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "foreign_keys", true)?;
            let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, found))
        };
        let failed = |source| LiveError::Database { path: path.clone(), source };
        let (mut connection, found) = open().map_err(failed)?;
        let known = MIGRATIONS.len() as i64;
        if !(0..=known).contains(&found) {
            return Err(LiveError::Newer { found, known });
        }
        let mut migrate = || -> rusqlite::Result<()> {
            // What is committed stays, whatever happens to the machine.
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", if is_durable { "full" } else { "off" })?;
            if found < known {
                let transaction =
                    connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
                // Somebody else may have come first.
                let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
                for step in &MIGRATIONS[(found.clamp(0, known)) as usize..] {
                    transaction.execute_batch(step)?;
                }
                transaction.pragma_update(None, "user_version", known)?;
                transaction.commit()?;
            }
            Ok(())
        };
        migrate().map_err(failed)?;
        Ok(Self { path, connection })
    }

    /// Does something with the database.
    pub(crate) fn ask<T>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LiveError> {
        ask(&self.connection).map_err(|source| LiveError::Database { path: self.path.clone(), source })
    }

    /// Does something with the database, all of it or nothing.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&Connection) -> Result<T, Refusal>,
    ) -> Result<T, LiveError> {
        let Self { path, connection } = self;
        let failed = |source| LiveError::Database { path: path.clone(), source };
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(behavior).map_err(failed)?;
        let done = change(&transaction).map_err(|refusal| match refusal {
            Refusal::Database(source) => failed(source),
            Refusal::Other(error) => error,
        })?;
        transaction.commit().map_err(failed)?;
        Ok(done)
    }
}

/// Why a change was not made.
pub(crate) enum Refusal {
    /// The database refused.
    Database(rusqlite::Error),
    /// Something else.
    Other(LiveError),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<LiveError> for Refusal {
    fn from(error: LiveError) -> Self {
        Self::Other(error)
    }
}
