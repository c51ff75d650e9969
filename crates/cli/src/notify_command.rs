//! `trailwarden notify`.

use std::io::Write as _;

use anyhow::{Context as _, anyhow, bail};
use ecs::Millis;
use notify::{Delivery, NotifyError, Outbox, ReceiverState, State};
use serde_json::{Value, json};

use crate::args::Global;
use crate::notify_args::{Data, List, Messages, Notify, Retry, Test, Which};
use crate::status::{DONE, FOUND};
use crate::store_args::StoreFormat;
use crate::{VERSION, input, output, serve_command, terminal};

/// Of what a message tells of, so much is printed.
const ITEMS_SHOWN: usize = 5;

pub(crate) fn run(args: &Notify, global: &Global) -> anyhow::Result<u8> {
    match args {
        Notify::Test(args) => test(args),
        Notify::List(args) => list(args),
        Notify::Dead(args) => messages(args),
        Notify::Retry(args) => retry(args, global),
    }
}

fn coded(error: &NotifyError) -> anyhow::Error {
    anyhow!("{} {error}", error.code())
}

fn open(data: &Data) -> anyhow::Result<Outbox> {
    Outbox::existing(&data.folder).map_err(|it| coded(&it))
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = output::open(None)?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")
}

fn test(args: &Test) -> anyhow::Result<u8> {
    let config = serve_command::configured(&args.configuration, span::Style::Plain)?.config;
    let names: Vec<&str> = config.receivers.iter().map(|it| it.name.as_str()).collect();
    if names.is_empty() {
        bail!("nobody is told: the configuration has no [[receivers]] (--config FILE)");
    }
    let wanted: Vec<&str> = match args.receiver.as_deref() {
        None => names,
        Some(it) if names.contains(&it) => vec![it],
        Some(it) => bail!("no receiver is named `{it}`; there are: {}", names.join(", ")),
    };
    let mut is_well = true;
    for name in wanted {
        let line = match server::test_receiver(&config, name, input::now(None)?, VERSION) {
            Ok(answer) => format!("{name}: told; {answer}\n"),
            Err(why) => {
                is_well = false;
                format!("{name}: not told: {why}\n")
            }
        };
        print(&line)?;
    }
    Ok(if is_well { DONE } else { FOUND })
}

fn date(time: Option<Millis>) -> String {
    time.map(ecs::date::to_iso).unwrap_or_default()
}

fn list(args: &List) -> anyhow::Result<u8> {
    let outbox = open(&args.data)?;
    let states = outbox.receivers(&[]).map_err(|it| coded(&it))?;
    let conditions = outbox.conditions().map_err(|it| coded(&it))?;
    let text = match args.format {
        StoreFormat::Json => {
            let one = |it: &ReceiverState| {
                json!({
                    "name": it.name, "sent": it.sent, "failed": it.failed, "left_out": it.left_out,
                    "waiting": it.waiting, "oldest_waiting": it.oldest.map(ecs::date::to_iso), "held": it.held,
                    "dead": it.dead, "last_sent": it.last_sent.map(ecs::date::to_iso),
                    "failing_since": it.failing.map(ecs::date::to_iso), "error": it.error,
                })
            };
            let condition = |(key, since, text): &(String, Millis, String)| json!({"key": key, "since": ecs::date::to_iso(*since), "text": text});
            let receivers: Vec<Value> = states.iter().map(one).collect();
            let conditions: Vec<Value> = conditions.iter().map(condition).collect();
            format!("{:#}\n", json!({"receivers": receivers, "conditions": conditions}))
        }
        StoreFormat::Text if states.is_empty() && conditions.is_empty() => {
            "nobody was told of anything yet\n".to_owned()
        }
        StoreFormat::Text => {
            let mut text = String::new();
            for it in &states {
                text += &format!(
                    "{}: {} sent, {} waiting, {} held, {} dead, {} left out\n",
                    it.name,
                    report::count(it.sent),
                    report::count(it.waiting),
                    report::count(it.held),
                    report::count(it.dead),
                    report::count(it.left_out)
                );
                let details = [
                    ("last sent", date(it.last_sent)),
                    ("oldest waiting", date(it.oldest)),
                    ("failing since", date(it.failing)),
                    ("last error", it.error.clone().unwrap_or_default()),
                ];
                for (name, value) in details.iter().filter(|it| !it.1.is_empty()) {
                    text += &format!("    {name:15} {}\n", report::clean(value));
                }
            }
            if !conditions.is_empty() {
                text += "\nnot well:\n";
            }
            for (_, since, told) in &conditions {
                text += &format!("    since {}  {}\n", ecs::date::to_iso(*since), report::clean(told));
            }
            text
        }
    };
    print(&text)?;
    Ok(DONE)
}

fn messages(args: &Messages) -> anyhow::Result<u8> {
    let state = match args.state {
        Which::Dead => State::Dead,
        Which::Waiting => State::Waiting,
        Which::Sent => State::Sent,
    };
    let found = open(&args.data)?.deliveries(state, args.receiver.as_deref(), args.limit);
    let found = found.map_err(|it| coded(&it))?;
    let text = match args.format {
        StoreFormat::Json => {
            let item = |it: &notify::Item| {
                json!({
                    "alert": it.alert, "rule_id": it.rule_id, "rule": it.rule, "severity": it.severity,
                    "time": ecs::date::to_iso(it.time), "text": it.line,
                })
            };
            let one = |it: &Delivery| {
                json!({
                    "id": it.id, "receiver": it.receiver, "notification": it.route, "type": it.what.as_str(),
                    "made": ecs::date::to_iso(it.made), "attempts": it.attempts, "error": it.error,
                    "items": it.items.iter().map(item).collect::<Vec<_>>(),
                })
            };
            format!("{:#}\n", Value::from(found.iter().map(one).collect::<Vec<_>>()))
        }
        StoreFormat::Text if found.is_empty() => "there are none\n".to_owned(),
        StoreFormat::Text => found.iter().map(shown).collect::<Vec<_>>().concat(),
    };
    print(&text)?;
    Ok(DONE)
}

/// A message for people.
fn shown(it: &Delivery) -> String {
    let id: String = it.id.chars().take(12).collect();
    let mut text = format!(
        "{}  {id}  to {}: {} ({}), {}\n",
        ecs::date::to_iso(it.made),
        report::clean(&it.receiver),
        it.what.as_str(),
        report::clean(&it.route),
        report::plural(u64::from(it.attempts), "attempt", "attempts")
    );
    if let Some(error) = &it.error {
        text += &format!("    {}\n", report::clean(error));
    }
    for item in it.items.iter().take(ITEMS_SHOWN) {
        let id: String = item.alert.iter().flat_map(|it| it.chars().take(12)).collect();
        text += &format!("    {:8}  {id:12}  {}\n", report::clean(&item.severity), report::clean(&item.line));
    }
    if it.items.len() > ITEMS_SHOWN {
        text += &format!("    … and {} more\n", it.items.len() - ITEMS_SHOWN);
    }
    text
}

fn retry(args: &Retry, global: &Global) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let again = open(&args.data)?.retry(&args.ids, args.receiver.as_deref(), now).map_err(|it| coded(&it))?;
    terminal::note(global, &format!("{} sent again", report::plural(again, "message is", "messages are")));
    Ok(DONE)
}
