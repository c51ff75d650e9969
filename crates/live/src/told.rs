//! What is known of alerts as JSON: the answers of the API, and what commands print.

use ecs::Millis;
use ecs::date::to_iso;
use rule::Severity;
use serde_json::{Map, Value, json};

use crate::actions::LogEntry;
use crate::incident::Incident;
use crate::quality::RuleQuality;
use crate::search::{Facet, Histogram};
use crate::silence::Silence;
use crate::workflow::{AuditEntry, ClosingReason};

impl Facet {
    /// As JSON.
    pub fn told(&self) -> Value {
        let value = |(value, count): &(String, u64)| json!({"value": value, "alerts": count});
        let values: Vec<Value> = self.values.iter().map(value).collect();
        json!({"field": self.field, "values": values, "other_values": self.others, "missing": self.missing})
    }
}

impl Histogram {
    /// As JSON.
    pub fn told(&self) -> Value {
        let bucket = |(from, counts): &(Millis, [u64; 4])| {
            let mut told = Map::new();
            told.insert("from".to_owned(), to_iso(*from).into());
            told.insert("alerts".to_owned(), counts.iter().sum::<u64>().into());
            for (severity, count) in Severity::ALL.iter().zip(counts) {
                told.insert(severity.as_str().to_owned(), (*count).into());
            }
            Value::Object(told)
        };
        let buckets: Vec<Value> = self.buckets.iter().map(bucket).collect();
        json!({"interval_ms": self.interval, "buckets": buckets})
    }
}

impl RuleQuality {
    /// As JSON.
    pub fn told(&self) -> Value {
        let Self { rule_id, name, quality } = self;
        let reason = |it: ClosingReason| (it.as_str().to_owned(), quality.closed_as(it).into());
        let reasons: Map<String, Value> = ClosingReason::ALL.into_iter().map(reason).collect();
        json!({
            "rule_id": rule_id,
            "name": name,
            "alerts": quality.alerts,
            "open": quality.open,
            "acknowledged": quality.acknowledged,
            "closed": quality.closed,
            "silenced": quality.silenced,
            "reasons": reasons,
            "judged": quality.judged(),
            "false_positive_ratio": quality.false_positives(),
        })
    }
}

impl LogEntry {
    /// As JSON.
    pub fn told(&self) -> Value {
        let Self { at, author, subject, what, detail } = self;
        json!({"at": to_iso(*at), "author": author, "subject": subject, "what": what, "detail": detail})
    }
}

impl AuditEntry {
    /// As JSON.
    pub fn told(&self) -> Value {
        let Self { at, author, what, detail } = self;
        json!({"at": to_iso(*at), "author": author, "what": what, "detail": detail})
    }
}

impl Silence {
    /// As JSON.
    pub fn told(&self, now: Millis) -> Value {
        json!({
            "id": self.id,
            "rule_id": self.rule_id,
            "query": self.query,
            "reason": self.reason,
            "author": self.author,
            "made": to_iso(self.made),
            "until": to_iso(self.until),
            "ended": self.ended.as_ref().map(|it| to_iso(it.0)),
            "ended_by": self.ended.as_ref().map(|it| &it.1),
            "active": self.is_active(now),
            "alerts": self.alerts,
        })
    }
}

impl Incident {
    /// As JSON, without its alerts.
    pub fn told(&self) -> Value {
        json!({
            "id": self.id,
            "root": self.root,
            "first": to_iso(self.first),
            "last": to_iso(self.last),
            "made": to_iso(self.made),
            "status": self.status.as_str(),
            "reason": self.reason,
            "assignees": self.assignees,
            "updated": self.updated.as_ref().map(|it| to_iso(it.0)),
            "updated_by": self.updated.as_ref().map(|it| &it.1),
            "alert_count": self.alerts,
            "rules": self.rules,
            "severity": self.severity,
        })
    }
}
