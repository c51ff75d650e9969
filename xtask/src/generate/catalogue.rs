//! The calls that can happen, read from `catalogue.toml`.

use super::seed::Choice;
use super::template::Template;
use super::world::Persona;
use anyhow::{Context as _, Result};
use fastrand::Rng;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One kind of call.
#[expect(clippy::struct_excessive_bools, reason = "a call has that many properties it has or has not")]
#[derive(Debug)]
pub(super) struct Event {
    /// `ec2` of `ec2.amazonaws.com`.
    pub(super) service: String,
    /// `eventSource`, `ec2.amazonaws.com`.
    pub(super) source: String,
    pub(super) name: String,
    pub(super) by: Vec<Persona>,
    weight: u64,
    pub(super) sensitive: bool,
    pub(super) global: bool,
    pub(super) read: bool,
    pub(super) data: bool,
    /// What kind of role the call is about, where it is about one.
    pub(super) target: Persona,
    /// Whether a service's call carries `sharedEventID`.
    pub(super) shared: bool,
    pub(super) kind: String,
    /// Services that make the call for themselves.
    pub(super) invoked_by: Vec<String>,
    pub(super) request: Template,
    pub(super) response: Template,
    pub(super) resources: Option<Template>,
    pub(super) extra: Option<Template>,
    /// Code and message of errors that are its own.
    pub(super) errors: Vec<(String, Template)>,
}

/// All calls.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) events: Vec<Event>,
    /// `ec2:RunInstances`, or `ec2:RunInstances/gpu` for a variant.
    by_key: BTreeMap<String, usize>,
    /// The calls that are no habit, though people make them.
    pub(super) sensitive: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    event: Vec<Entry>,
}

#[expect(clippy::struct_excessive_bools, reason = "a call has that many properties it has or has not")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    call: String,
    variant: Option<String>,
    #[serde(default)]
    by: Vec<Persona>,
    weight: Option<u64>,
    #[serde(default)]
    sensitive: bool,
    #[serde(default)]
    global: bool,
    #[serde(default)]
    read: bool,
    #[serde(default)]
    data: bool,
    #[serde(default)]
    shared: bool,
    target: Option<Persona>,
    kind: Option<String>,
    #[serde(default)]
    invoked_by: Vec<String>,
    request: Option<String>,
    response: Option<String>,
    resources: Option<String>,
    extra: Option<String>,
    #[serde(default)]
    errors: Vec<String>,
}

impl Catalogue {
    pub(super) fn load() -> Result<Self> {
        let file: File = toml::from_str(include_str!("catalogue.toml")).context("catalogue.toml")?;
        let mut catalogue = Self { events: Vec::new(), by_key: BTreeMap::new(), sensitive: Vec::new() };
        for entry in file.event {
            let key = match &entry.variant {
                Some(variant) => format!("{}/{variant}", entry.call),
                None => entry.call.clone(),
            };
            let event = Event::new(entry).with_context(|| format!("catalogue.toml: {key}"))?;
            let index = catalogue.events.len();
            if event.sensitive && !event.by.is_empty() {
                catalogue.sensitive.push(index);
            }
            catalogue.events.push(event);
            anyhow::ensure!(
                catalogue.by_key.insert(key.clone(), index).is_none(),
                "catalogue.toml: {key} twice"
            );
        }
        Ok(catalogue)
    }

    /// The call that attacks name by `ec2:RunInstances/gpu`.
    pub(super) fn event(&self, key: &str) -> Result<&Event> {
        let index = self.by_key.get(key).with_context(|| format!("catalogue.toml has no call {key}"))?;
        Ok(&self.events[*index])
    }

    /// What one principal of this kind does, most frequent first. Which calls those are is its own.
    pub(super) fn habit(&self, persona: Persona, rng: &mut Rng) -> Vec<usize> {
        const CALLS: std::ops::RangeInclusive<usize> = 8..=16;
        let mut pool: Vec<usize> = (0..self.events.len())
            .filter(|&index| !self.events[index].sensitive && self.events[index].by.contains(&persona))
            .collect();
        let wanted = rng.usize(CALLS);
        let mut habit = Vec::new();
        while habit.len() < wanted && !pool.is_empty() {
            let choice = Choice::new(pool.iter().map(|&index| self.events[index].weight));
            habit.push(pool.swap_remove(choice.draw(rng)));
        }
        habit
    }
}

impl Event {
    fn new(entry: Entry) -> Result<Self> {
        let (service, name) = entry.call.split_once(':').context("a call is written service:Name")?;
        let parse = |text: Option<String>| text.as_deref().map(Template::parse).transpose();
        let errors = entry
            .errors
            .iter()
            .map(|error| {
                let (code, message) = error.split_once(": ").context("an error is written Code: message")?;
                Ok((code.to_owned(), Template::parse(message)?))
            })
            .collect::<Result<_>>()?;
        let null = || "null".to_owned();
        Ok(Self {
            service: service.to_owned(),
            source: format!("{service}.amazonaws.com"),
            name: name.to_owned(),
            by: entry.by,
            weight: entry.weight.unwrap_or(1),
            sensitive: entry.sensitive,
            global: entry.global,
            read: entry.read,
            data: entry.data,
            target: entry.target.unwrap_or(Persona::App),
            shared: entry.shared,
            kind: entry.kind.unwrap_or_else(|| "AwsApiCall".to_owned()),
            invoked_by: entry.invoked_by,
            request: Template::parse(&entry.request.unwrap_or_else(null))?,
            response: Template::parse(&entry.response.unwrap_or_else(null))?,
            resources: parse(entry.resources)?,
            extra: parse(entry.extra)?,
            errors,
        })
    }

    pub(super) fn is_sign_in(&self) -> bool {
        self.kind == "AwsConsoleSignIn"
    }
}
