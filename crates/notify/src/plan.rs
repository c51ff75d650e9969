//! Who is told of what.

use ecs::document::lookup;
use ecs::{Catalog, Millis, Object};
use plan::naive::Evaluator;
use rule::{QueryLanguage, Severity};
use serde_json::Value;
use span::Diagnostic;

use crate::timeframe::Timeframe;

/// Alerts with this field are parts of others. They are told only if somebody asks for them.
const BUILDING_BLOCK: &str = "kibana.alert.building_block_type";

/// All receivers, and what they are told.
#[derive(Debug, Default)]
pub struct Plan {
    /// The receivers.
    pub receivers: Vec<Receiver>,
    /// What they are told by configuration. What rules say themselves comes beside it.
    pub routes: Vec<Route>,
}

impl Plan {
    /// The receiver of that name.
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.receivers.iter().find(|it| it.name == name)
    }

    /// The receiver that an action's connector stands for: by name, or by an id that it lists.
    pub fn connected(&self, id: &str) -> Option<&Receiver> {
        let lists = |it: &&Receiver| it.connectors.iter().any(|it| it == id);
        self.receiver(id).or_else(|| self.receivers.iter().find(lists))
    }
}

/// Somebody who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// Ids of Kibana's connectors that it stands for, in the actions of rules.
    pub connectors: Vec<String>,
    /// Of what comes at once, so many are told one by one; the rest is told together. Nobody reads a thousand messages.
    pub each_max: usize,
    /// What it did not take for so long is put aside.
    pub give_up: Millis,
}

/// Whether alerts are told one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gather {
    /// A message each.
    Each,
    /// One message of all that come at once.
    Summary,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "it is a set of words")]
pub struct On {
    /// Alerts that are raised.
    pub alerts: bool,
    /// Alerts that stand for more than when they were told.
    pub suppressed: bool,
    /// Alerts that were told, and are closed now.
    pub closed: bool,
    /// What is not well with detection itself.
    pub health: bool,
}

impl On {
    /// Alerts that are raised.
    pub const ALERTS: Self = Self { alerts: true, suppressed: false, closed: false, health: false };
    /// Whether nothing is told.
    pub const fn is_empty(self) -> bool {
        !(self.alerts || self.suppressed || self.closed || self.health)
    }

    /// The words for them, in the order of the fields.
    pub const WORDS: [&str; 4] = ["alerts", "suppressed", "closed", "health"];

    /// Those of some words; the word that is none otherwise.
    pub fn of_words(words: &[String]) -> Result<Self, &str> {
        let mut on = Self { alerts: false, ..Self::ALERTS };
        for word in words {
            match word.as_str() {
                "alerts" => on.alerts = true,
                "suppressed" => on.suppressed = true,
                "closed" => on.closed = true,
                "health" => on.health = true,
                _ => return Err(word),
            }
        }
        Ok(on)
    }
}

/// What a receiver is told.
#[derive(Debug)]
pub struct Route {
    /// What it is called: it stays, so that what is held finds it again.
    pub name: String,
    /// The receiver's name.
    pub receiver: String,
    /// What is told.
    pub on: On,
    /// The least severity of alerts.
    pub severity: Severity,
    /// Which alerts.
    pub filter: Option<Filter>,
    /// Whether they are told one by one.
    pub gather: Gather,
    /// After a message so long nothing is told of the same; what comes meanwhile is told together then. 0: at once.
    pub throttle: Millis,
    /// What is the same: alerts whose values of these fields are equal. None: all.
    pub by: Vec<String>,
    /// What a rule's action says of the message.
    pub params: Option<Value>,
    /// When it is told, if a rule's action says so: at other times it is left out.
    pub hours: Option<Timeframe>,
}

impl Route {
    /// Whether it is for an alert.
    pub(crate) fn wants(&self, document: &Object) -> bool {
        let severity = lookup(document, "kibana.alert.severity").and_then(Value::as_str);
        // What says nothing is no reason to be silent.
        let severity = severity.and_then(Severity::from_name).unwrap_or(Severity::Critical);
        let asks_blocks = self.params.is_some() || self.filter.as_ref().is_some_and(|it| it.asks_blocks);
        severity >= self.severity
            && (asks_blocks || lookup(document, BUILDING_BLOCK).is_none())
            && self.filter.as_ref().is_none_or(|it| it.matches(document))
    }

    /// What alerts that are told as one have in common.
    pub(crate) fn key(&self, document: &Object) -> String {
        let value = |path: &String| lookup(document, path).cloned().unwrap_or_default();
        if self.by.is_empty() {
            String::new()
        } else {
            Value::Array(self.by.iter().map(value).collect()).to_string()
        }
    }
}

/// Which alerts.
#[derive(Debug)]
pub struct Filter {
    /// All of them must hold.
    evaluators: Vec<Evaluator>,
    asks_blocks: bool,
}

impl Filter {
    /// Those that satisfy a query in KQL over an alert's fields; `now` in it is the time of reading it.
    pub fn kql(query: &str, now: Millis) -> Result<Self, Vec<Diagnostic>> {
        let condition = rule::check_query(QueryLanguage::Kuery, query, &Catalog::ecs())?;
        Ok(Self {
            evaluators: vec![Evaluator::new(&condition.at(now))],
            asks_blocks: query.contains(BUILDING_BLOCK),
        })
    }

    /// Those that satisfy Kibana's filters, too.
    pub(crate) fn filters(filters: &[Value], now: Millis) -> Result<Self, String> {
        let catalog = Catalog::ecs();
        let first = |text: Option<String>| text.unwrap_or_else(|| "it cannot be read".to_owned());
        let query = plan::filters::parse(filters, &catalog)
            .map_err(|errors| first(errors.first().map(ToString::to_string)))?;
        let condition = plan::condition(&query, &catalog)
            .map_err(|errors| first(errors.first().map(ToString::to_string)))?;
        Ok(Self { evaluators: vec![Evaluator::new(&condition.at(now))], asks_blocks: true })
    }

    /// Whether an alert is one of them.
    pub(crate) fn matches(&self, document: &Object) -> bool {
        self.evaluators.iter().all(|it| it.matches(document))
    }

    /// Those that satisfy both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.evaluators.extend(other.evaluators);
        self.asks_blocks |= other.asks_blocks;
        self
    }
}
