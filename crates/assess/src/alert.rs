//! An alert as far as it is compared and counted.

use ecs::Millis;
use hunt::Found;
use report::{Alert, Format};

/// What of an alert is compared and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertLine {
    /// Its id.
    pub id: String,
    /// The `rule_id` of its rule.
    pub rule_id: String,
    /// The rule's name, as the alert has it.
    pub rule: String,
    /// Its severity.
    pub severity: String,
    /// When its event happened.
    pub time: Option<Millis>,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub what: String,
    /// From where.
    pub from: String,
    /// The event.
    pub event: String,
    /// How many events it counted, if it is one of a threshold rule.
    pub count: Option<u64>,
    /// Of which instance it is, if alerts of its rule suppress one another.
    pub instance: Option<Instance>,
}

/// What an alert says of those that are suppressed in its favour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The id of alerts alike.
    pub id: String,
    /// How many others it stands for.
    pub suppressed: u64,
    /// When the oldest of their events was, and the newest.
    pub span: Option<(Millis, Millis)>,
}

impl Instance {
    fn of(alert: Alert<'_>) -> Option<Self> {
        let id = alert.text("kibana.alert.instance.id")?.into_owned();
        let time = |path: &str| ecs::date::parse(&alert.text(path)?).ok();
        let span = time("kibana.alert.suppression.start").zip(time("kibana.alert.suppression.end"));
        Some(Self { id, suppressed: alert.suppressed().unwrap_or_default(), span })
    }
}

/// The alerts of a hunt, in order.
pub(crate) fn lines(found: &Found) -> Vec<AlertLine> {
    let make = |alert: &mut hunt::Alert<'_, '_>| {
        let document = alert.brief();
        let alert = Alert::of(&document);
        AlertLine {
            id: alert.id().into_owned(),
            rule_id: alert.rule_id().into_owned(),
            rule: alert.rule_name().into_owned(),
            severity: alert.severity().into_owned(),
            time: alert.time(),
            who: alert.who(),
            what: alert.what(),
            from: alert.from_where(),
            event: alert.text("event.id").unwrap_or_default().into_owned(),
            count: alert.count(),
            instance: Instance::of(alert),
        }
    };
    found.alerts(Format::Table.event_paths(), make, |lines| lines.collect())
}
