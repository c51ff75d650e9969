//! `trailwarden alerts silence`.

use ecs::Millis;
use live::{NewSilence, Silence};
use serde_json::{Value, json};

use crate::alerts_command::{coded, open};
use crate::analyst_args::{AddSilence, SilenceCommand};
use crate::args::Global;
use crate::count_command::write;
use crate::store_args::StoreFormat;
use crate::{input, terminal};

/// A silence that is tried is tried on the alerts of so long before.
const TRIED: Millis = 30 * 24 * 3_600_000;

pub(crate) fn run(command: &SilenceCommand, global: &Global) -> anyhow::Result<u8> {
    match command {
        SilenceCommand::Add(args) => add(args),
        SilenceCommand::List { folder, all, now, format } => {
            let now = input::now(now.as_deref())?;
            let silences = open(&folder.path)?.silences().map_err(|it| coded(&it))?;
            let wanted: Vec<&Silence> = silences.iter().filter(|it| *all || it.is_active(now)).collect();
            if *format == StoreFormat::Json {
                let all: Vec<Value> = wanted.iter().map(|it| it.told(now)).collect();
                return write(&(json!({"silences": all}).to_string() + "\n"));
            }
            let lines: String = wanted.iter().map(|it| line(it) + "\n").collect();
            write(&lines)
        }
        SilenceCommand::End { id, by } => {
            let now = input::now(by.now.as_deref())?;
            let ended = open(&by.folder.path)?.end_silence(*id, &by.author, now);
            let alerts = ended.map_err(|it| coded(&it))?.alerts;
            let alerts = report::plural(alerts, "alert was", "alerts were");
            terminal::note(global, &format!("silence {id} is over; {alerts} raised in it"));
            write("")
        }
    }
}

fn add(args: &AddSilence) -> anyhow::Result<u8> {
    let now = input::now(args.by.now.as_deref())?;
    let new = NewSilence {
        rule: args.rule.clone(),
        query: args.query.clone(),
        reason: args.reason.clone(),
        until: input::time("--until", &args.until, now)?,
    };
    let mut book = open(&args.by.folder.path)?;
    if args.dry_run {
        let tried = book.try_silence(&new, now.saturating_sub(TRIED), now).map_err(|it| coded(&it))?;
        let alerts = report::plural(tried.alerts, "alert", "alerts");
        let mut text = format!("it would have been about {alerts} of the last 30 days\n");
        for id in &tried.ids {
            text += &crate::alerts_command::line(&book.alert(id).map_err(|it| coded(&it))?);
        }
        if tried.alerts > tried.ids.len() as u64 {
            text += &format!("and {} more\n", tried.alerts - tried.ids.len() as u64);
        }
        return write(&text);
    }
    let made = book.silence(&new, &args.by.author, now).map_err(|it| coded(&it))?;
    write(&(line(&made) + "\n"))
}

/// A silence in a line.
fn line(it: &Silence) -> String {
    let rule = it.rule_id.iter().map(|it| format!("rule {it}"));
    let about: Vec<String> = rule.chain(it.query.clone()).collect();
    let end = match &it.ended {
        None => format!("until {}", report::when(it.until)),
        Some((at, by)) => format!("ended {} by {by}", report::when(*at)),
    };
    let alerts = report::plural(it.alerts, "alert", "alerts");
    let text =
        format!("{:>4}  {end}  {}: {}  ({}, {alerts})", it.id, about.join(" and "), it.reason, it.author);
    report::clean(&text)
}
