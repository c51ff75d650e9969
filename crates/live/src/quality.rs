//! How good rules are, by what became of their alerts.

use ecs::Millis;
use rusqlite::params;

use crate::workflow::{ClosingReason, WorkflowStatus};
use crate::{Book, LiveError};

/// What became of the alerts of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// All of them,
    pub alerts: u64,
    /// those that nobody has said anything of,
    pub open: u64,
    /// those that somebody looks at,
    pub acknowledged: u64,
    /// those that are done with,
    pub closed: u64,
    /// of these how many for each reason,
    pub reasons: [u64; ClosingReason::ALL.len()],
    /// and how many were raised in a silence.
    pub silenced: u64,
}

/// A rule, by what became of its alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleQuality {
    /// Its `rule_id`.
    pub rule_id: String,
    /// Its name, as its last alert has it.
    pub name: String,
    /// What became of its alerts.
    pub quality: Quality,
}

impl Quality {
    /// How many were closed for a reason.
    pub fn closed_as(&self, reason: ClosingReason) -> u64 {
        self.reasons[reason as usize]
    }

    /// Alerts of which somebody said whether what the rule looks for was there.
    pub fn judged(&self) -> u64 {
        let verdicts =
            [ClosingReason::FalsePositive, ClosingReason::TruePositive, ClosingReason::BenignPositive];
        verdicts.into_iter().map(|it| self.closed_as(it)).sum()
    }

    /// How many of those that somebody judged were false; nothing if nobody judged one.
    pub fn false_positives(&self) -> Option<f64> {
        let judged = self.judged();
        (judged > 0).then(|| self.closed_as(ClosingReason::FalsePositive) as f64 / judged as f64)
    }
}

impl Book {
    /// The rules that raised alerts in slots from `since` on and before `until`, those with the most alerts first.
    pub fn quality(
        &self,
        (since, until): (Option<Millis>, Option<Millis>),
    ) -> Result<Vec<RuleQuality>, LiveError> {
        let text = "
            SELECT alert_rules.rule_id, alert_rules.name, alerts.status, alerts.reason, count(*),
                count(alerts.silence), max(alerts.number)
            FROM alerts JOIN alert_rules ON alert_rules.id = alerts.named
            WHERE alerts.slot_ms >= ?1 AND alerts.slot_ms < ?2
            GROUP BY alert_rules.id, alerts.status, alerts.reason
            ORDER BY alert_rules.rule_id, max(alerts.number)";
        let times = params![since.unwrap_or(Millis::MIN), until.unwrap_or(Millis::MAX)];
        let mut rules: Vec<RuleQuality> = Vec::new();
        self.database.ask(|it| {
            let mut statement = it.prepare_cached(text)?;
            let mut rows = statement.query(times)?;
            while let Some(row) = rows.next()? {
                let (rule_id, name): (String, String) = (row.get(0)?, row.get(1)?);
                let (status, reason): (WorkflowStatus, Option<String>) = (row.get(2)?, row.get(3)?);
                let (count, silenced) = (row.get::<_, i64>(4)? as u64, row.get::<_, i64>(5)? as u64);
                if rules.last().is_none_or(|it| it.rule_id != rule_id) {
                    rules.push(RuleQuality { rule_id, name: String::new(), quality: Quality::default() });
                }
                let Some(RuleQuality { name: last, quality, .. }) = rules.last_mut() else { continue };
                *last = name;
                quality.alerts += count;
                quality.silenced += silenced;
                match status {
                    WorkflowStatus::Open => quality.open += count,
                    WorkflowStatus::Acknowledged => quality.acknowledged += count,
                    WorkflowStatus::Closed => quality.closed += count,
                }
                if let Some(reason) = reason.as_deref().and_then(ClosingReason::from_name) {
                    quality.reasons[reason as usize] += count;
                }
            }
            Ok(())
        })?;
        rules.sort_by(|a, b| b.quality.alerts.cmp(&a.quality.alerts).then_with(|| a.name.cmp(&b.name)));
        Ok(rules)
    }
}
