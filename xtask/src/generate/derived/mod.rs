//! Records derived from real ones: their shapes, with other values in them.
//!
//! Real records hold what no catalogue of calls thinks of: long answers, keys that come and go, odd agents, many ways to
//! fail. Each distinct one becomes a template; what tells whose it was is replaced: times, ids, accounts, addresses, keys
//! and who made the call. Nothing of them is kept but what the person who generates has at hand.

mod template;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use fastrand::Rng;
use reader::{Discovery, Options, Problem, Reader, Record, RecordKind, Sink};
use serde_json::Value;

use super::seed::{Choice, mix};
use super::world::{Account, Persona, Principal};
use template::{Scene, Template};

/// Of a hundred records, how many services make for themselves,
const OF_SERVICES: u32 = 19;
/// and how many change something. Real accounts read much more than they write; collections of attacks do not.
const WRITING: u32 = 10;
/// As often as this a record of one shape becomes a template: real files hold bursts of the same.
const COPIES_MAX: u32 = 4;

/// The templates that real records make.
#[derive(Debug)]
pub(super) struct Derived {
    /// By who calls and whether that changes something.
    groups: [Vec<Template>; 4],
    /// Few of an account's principals make most of the calls.
    ranks: Choice,
}

/// The place of a group.
fn group(of_service: bool, writes: bool) -> usize {
    usize::from(of_service) * 2 + usize::from(writes)
}

impl Derived {
    /// Templates of all CloudTrail records in these folders, for accounts with so many principals.
    pub(super) fn read(folders: &[PathBuf], principals: usize) -> Result<Self> {
        let found = Discovery::find(folders, &mut std::io::empty());
        let found = found.map_err(|errors| {
            anyhow::anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })?;
        let mut records = Records::default();
        let mut reader = Reader::new(Options::default());
        for input in &found.inputs {
            reader.read(input, &mut records);
        }
        let mut derived = Self { groups: Default::default(), ranks: Choice::zipf(principals) };
        let mut copies: HashMap<(String, String, usize), u32> = HashMap::new();
        for text in records.texts {
            let Ok(Value::Object(record)) = ecs::json::parse(&text) else { continue };
            let word = |key: &str| record.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let copies = copies.entry((word("eventName"), word("errorCode"), text.len())).or_default();
            *copies += 1;
            if *copies > COPIES_MAX || record.get("userIdentity").is_none_or(|it| !it.is_object()) {
                continue;
            }
            let template = Template::new(&record);
            let writes = record.get("readOnly").and_then(Value::as_bool) != Some(true);
            derived.groups[group(!template.has_caller, writes)].push(template);
        }
        ensure!(
            !derived.groups[group(false, false)].is_empty(),
            "--from: there is no CloudTrail record of somebody who reads in {}",
            folders.iter().map(|it| it.display().to_string()).collect::<Vec<_>>().join(", ")
        );
        Ok(derived)
    }

    /// How many templates there are.
    pub(super) fn len(&self) -> usize {
        self.groups.iter().map(Vec::len).sum()
    }

    /// Appends a record.
    pub(super) fn push(
        &self,
        account: &Account,
        region: &str,
        seconds: i64,
        rng: &mut Rng,
        out: &mut String,
    ) {
        let writes = rng.u32(0..100) < WRITING;
        let of_service = rng.u32(0..100) < OF_SERVICES;
        // What the records do not have, others make up for.
        let groups =
            [group(of_service, writes), group(of_service, false), group(false, writes), group(false, false)];
        let templates = groups.iter().map(|&group| &self.groups[group]).find(|it| !it.is_empty());
        let templates = templates.expect("there are records of somebody who reads");
        let template = &templates[rng.usize(..templates.len())];
        let (index, caller) = self.caller(account, rng);
        let seed = mix(account.seed, 10_000 + index as u64);
        template.fill(&Scene { account, region, seconds, caller, seed }, rng, out);
    }

    /// Who calls: one of the account's people and programs.
    fn caller<'a>(&self, account: &'a Account, rng: &mut Rng) -> (usize, &'a Principal) {
        loop {
            let index = self.ranks.draw(rng).min(account.principals.len() - 1);
            let principal = &account.principals[index];
            // Two of them are services, all others call.
            if !matches!(principal.persona, Persona::Service | Persona::Linked) {
                return (index, principal);
            }
        }
    }
}

/// The texts of records, in the order of the files.
#[derive(Default)]
struct Records {
    texts: Vec<String>,
}

impl Sink for Records {
    fn record(&mut self, record: Record<'_>) -> ControlFlow<()> {
        if record.kind == RecordKind::CloudTrail {
            self.texts.push(record.text.to_owned());
        }
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        eprintln!("{problem}");
    }
}
