//! `trailwarden alerts exception`.

use anyhow::{anyhow, bail};
use ecs::Millis;
use investigate::Subject;
use live::{KeptKind, LiveError, NewException, Rulebook, Search};
use rule::Rule;
use serde_json::{Value, json};

use crate::alerts_command::{coded, line, open};
use crate::analyst_args::{AddException, ExceptionCommand};
use crate::args::Global;
use crate::count_command::write;
use crate::store_args::StoreFormat;
use crate::{input, terminal};

/// An exception is tried on the alerts of so long before.
const TRIED: Millis = 30 * 24 * 3_600_000;
/// Alerts that are printed of those that it would have hidden.
const SHOWN: usize = 20;

pub(crate) fn run(command: &ExceptionCommand, global: &Global) -> anyhow::Result<u8> {
    match command {
        ExceptionCommand::Add(args) => add(args, global),
        ExceptionCommand::List { folder, format } => {
            let kept = Rulebook::open(&folder.path).and_then(|it| it.all(KeptKind::Item, None));
            let mut text = String::new();
            for it in kept.map_err(|it| coded(&it))? {
                let document = it.with_bookkeeping();
                if *format == StoreFormat::Json {
                    text += &format!("{}\n", Value::Object(document));
                    continue;
                }
                let of = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
                let end = Some(of("expire_time")).filter(|it| !it.is_empty());
                let end = end.map_or_else(|| "for good".to_owned(), |it| format!("until {it}"));
                let told = format!(
                    "{}  {end}  {}: {}  {}  ({})",
                    of("item_id"),
                    of("list_id"),
                    of("description"),
                    document.get("entries").unwrap_or(&Value::Null),
                    it.created_by
                );
                text += &format!("{}\n", report::clean(&told));
            }
            write(&text)
        }
        ExceptionCommand::Remove { id, by } => {
            let now = input::now(by.now.as_deref())?;
            let mut book = Rulebook::open(&by.folder.path).map_err(|it| coded(&it))?;
            let all = book.all(KeptKind::Item, None).map_err(|it| coded(&it))?;
            let is_it = |it: &&live::Kept| it.id == *id || it.document.get("item_id") == Some(&json!(id));
            let kept = all.iter().find(is_it).ok_or_else(|| anyhow!("there is no exception `{id}`"))?;
            let removed = book
                .change(&by.author, now, |it| it.remove(KeptKind::Item, &kept.id))
                .map_err(|it: LiveError| coded(&it))?;
            if removed {
                terminal::note(global, "removed: executions that are due from now on are without it");
            }
            write("")
        }
    }
}

fn add(args: &AddException, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.by.now.as_deref())?;
    let folder = &args.by.folder.path;
    let book = open(folder)?;
    let document = book.alert(&args.id).map_err(|it| coded(&it))?;
    let id = ecs::alert::id(&document).unwrap_or_default().to_owned();
    let blocks = book.blocks(&id).map_err(|it| coded(&it))?;
    let subject = Subject::kept(document, blocks, None);
    let rule_id = ecs::alert::field(&subject.document, "rule.rule_id").and_then(Value::as_str);
    let rule_id = rule_id.unwrap_or_default().to_owned();
    let proposal = investigate::exception(&subject, now);
    let entries: Vec<Value> = if args.fields.is_empty() {
        proposal.iter().flat_map(|it| &it.entries).map(investigate::ExceptionEntry::item).collect()
    } else {
        args.fields.iter().map(|it| entry(&subject.document, it)).collect::<Result<_, _>>()?
    };
    if entries.is_empty() {
        bail!(
            "the alert counts events, or nobody is known to have caused it: say what is excepted with --field"
        );
    }
    let expires = match &args.expires {
        None => proposal.map(|it| it.expires),
        Some(text) if text == "never" => None,
        Some(text) => Some(input::time("--expires", text, now)?),
    };
    if expires.is_some_and(|it| it <= now) {
        bail!("--expires lies in the past");
    }
    let comment = args.comment.clone();
    let (closes, reason) = (args.close, args.reason);
    let new = NewException { alert: id, entries, comment, expires, closes, reason };
    let since = Some(now.saturating_sub(TRIED));
    let search = Search { since, now, ..Search::default() };
    let tried = book.try_exceptions(&rule_id, &[new.item()], &search).map_err(|it| coded(&it))?;
    let mut text = String::new();
    for it in &new.entries {
        let of = |name: &str| {
            it.get(name)
                .map_or_else(String::new, |it| it.as_str().map_or_else(|| it.to_string(), str::to_owned))
        };
        text += &report::clean(&format!("{} {}: {}", of("field"), of("type"), of("value")));
        text.push('\n');
    }
    let alerts = report::plural(tried.alerts, "alert", "alerts");
    text += &format!("it would have hidden {alerts} of the last 30 days\n");
    for id in tried.ids.iter().take(SHOWN) {
        text += &line(&book.alert(id).map_err(|it| coded(&it))?);
    }
    if args.dry_run {
        return write(&text);
    }
    let rule = rule(args, &rule_id)?;
    let made = live::except(folder, &rule, &new, &args.by.author, now).map_err(|it| coded(&it))?;
    write(&text)?;
    let closed = report::plural(made.closed.len() as u64, "alert was", "alerts were");
    terminal::note(global, &format!("exception {} of {}: {closed} closed", made.item_id, rule.name));
    write("")
}

/// The rule, as it is in force.
fn rule(args: &AddException, rule_id: &str) -> anyhow::Result<Rule> {
    let set = input::rules(&args.rules, input::threads(None))?;
    let book = Rulebook::open(&args.by.folder.path);
    let force = book.and_then(|it| it.in_force(&set.rules, &set.exceptions)).map_err(|it| coded(&it))?;
    let found = force.rules.into_iter().find(|it| it.rule_id == rule_id);
    found.ok_or_else(|| {
        anyhow!("the rule `{rule_id}` is not among those that were loaded: name its file with --rules")
    })
}

/// What a field of the alert is, as an entry.
fn entry(alert: &ecs::Object, field: &str) -> anyhow::Result<Value> {
    let mut values = Vec::new();
    ecs::document::values(alert, field, ecs::Shape::Leaf, |it| values.push(it.text().into_owned()));
    match values.as_slice() {
        [] => bail!("the alert has no `{field}`"),
        [one] => Ok(json!({"type": "match", "field": field, "operator": "included", "value": one})),
        several => Ok(json!({"type": "match_any", "field": field, "operator": "included", "value": several})),
    }
}
