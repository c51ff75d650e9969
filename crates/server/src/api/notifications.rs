//! Notifications: who is told, what waits, what could not be delivered.

use notify::{Delivery, Item, NotifyError, ReceiverState, State};
use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use crate::http::{Answer, Asked, Kind, Problem};

/// Messages that one request gives.
const SIZE_MAX: usize = 1_000;
/// Ids of one request.
const IDS_MAX: usize = 1_000;
/// Of what a message tells of, so much is given.
const ITEMS_MAX: usize = 20;

fn problem(error: &NotifyError) -> Problem {
    let kind = match error {
        NotifyError::NoDelivery { .. } => Kind::NoSuchResource,
        NotifyError::NoOutbox { .. } | NotifyError::Newer { .. } | NotifyError::Database { .. } => {
            Kind::Failed
        }
    };
    Problem::new(kind, format!("{} {error}", error.code()))
}

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&[])?;
    let app = asked.app;
    let config = app.config();
    let states = app.notifier.receivers(&config).map_err(|it| problem(&it))?;
    let date = |it: Option<i64>| it.map(ecs::date::to_iso);
    let one = |it: ReceiverState| {
        let configured = config.receivers.iter().find(|known| known.name == it.name);
        json!({
            "name": it.name,
            "type": configured.map(|it| it.kind.as_str()),
            "sent": it.sent,
            "failed": it.failed,
            "left_out": it.left_out,
            "waiting": it.waiting,
            "oldest_waiting": date(it.oldest),
            "held": it.held,
            "dead": it.dead,
            "last_sent": date(it.last_sent),
            "failing_since": date(it.failing),
            "left_alone_until": date(it.not_before),
            "error": it.error,
        })
    };
    let conditions = app.notifier.outbox().conditions().map_err(|it| problem(&it))?;
    let conditions: Vec<Value> = conditions
        .into_iter()
        .map(|(key, since, text)| json!({"key": key, "since": ecs::date::to_iso(since), "text": text}))
        .collect();
    let receivers: Vec<Value> = states.into_iter().map(one).collect();
    Ok(Answer::json(&json!({"receivers": receivers, "conditions": conditions})))
}

pub(super) fn messages(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["state", "receiver", "size"])?;
    let state = match asked.query.get("state") {
        None | Some("dead") => State::Dead,
        Some("waiting") => State::Waiting,
        Some("sent") => State::Sent,
        Some(_) => return Err(Problem::new(Kind::Parameter, "`state` is one of dead, waiting, sent")),
    };
    let size = asked.query.number("size", 50, SIZE_MAX)?.max(1);
    let found = asked.app.notifier.outbox().deliveries(state, asked.query.get("receiver"), size);
    let found: Vec<Value> = found.map_err(|it| problem(&it))?.iter().map(message).collect();
    Ok(Answer::json(&json!({"state": state.as_str(), "messages": found})))
}

fn message(it: &Delivery) -> Value {
    let item = |it: &Item| {
        json!({
            "alert": it.alert,
            "rule_id": it.rule_id,
            "rule": it.rule,
            "severity": it.severity,
            "time": ecs::date::to_iso(it.time),
            "text": it.line,
        })
    };
    json!({
        "id": it.id,
        "receiver": it.receiver,
        "notification": it.route,
        "type": it.what.as_str(),
        "made": ecs::date::to_iso(it.made),
        "attempts": it.attempts,
        "error": it.error,
        "count": it.items.len(),
        "items": it.items.iter().take(ITEMS_MAX).map(item).collect::<Vec<_>>(),
    })
}

/// The members of a body, of which there are no others.
fn members(asked: &Asked<'_>, known: &[&str]) -> Result<Map<String, Value>, Problem> {
    let wrong = |detail: String| Problem::new(Kind::Body, detail);
    let Value::Object(members) = asked.json()? else { return Err(wrong("the body is no object".to_owned())) };
    match members.keys().find(|it| !known.contains(&it.as_str())) {
        Some(unknown) => Err(wrong(format!("`{unknown}` is not known; there are: {}", known.join(", ")))),
        None => Ok(members),
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Result<Option<&'m str>, Problem> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::new(Kind::Body, format!("`{name}` is a text"))),
    }
}

pub(super) fn retry(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let body = members(asked, &["ids", "receiver"])?;
    let receiver = text(&body, "receiver")?;
    let ids: Option<Vec<String>> = match body.get("ids") {
        None => Some(Vec::new()),
        Some(Value::Array(ids)) if (1..=IDS_MAX).contains(&ids.len()) => {
            ids.iter().map(|it| it.as_str().map(str::to_owned)).collect()
        }
        Some(_) => None,
    };
    let ids =
        ids.ok_or_else(|| Problem::new(Kind::Body, format!("`ids` is a list of 1 to {IDS_MAX} texts")))?;
    let app = asked.app;
    let again = app.notifier.outbox().retry(&ids, receiver, app.now()).map_err(|it| problem(&it))?;
    app.notifier.ring();
    let details = [("messages", Value::from(again)), ("by", asked.author().into())];
    app.log.info("SRV078", "notifications that could not be delivered are sent again", &details);
    Ok(Answer::json(&json!({"again": again})))
}

pub(super) fn test(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let body = members(asked, &["receiver"])?;
    let app = asked.app;
    let config = app.config();
    let receiver = text(&body, "receiver")?.unwrap_or_default();
    if !config.receivers.iter().any(|it| it.name == receiver) {
        let names: Vec<&str> = config.receivers.iter().map(|it| it.name.as_str()).collect();
        let detail = format!("no receiver is named `{receiver}`; there are: {}", names.join(", "));
        return Err(Problem::new(Kind::NoSuchResource, detail));
    }
    let tested = Handle::current().block_on(crate::notify::test(&config, receiver, app.now(), app.version));
    let (is_delivered, answer) = match tested {
        Ok(answer) => (true, answer),
        Err(why) => (false, why),
    };
    let details = [
        ("receiver", Value::from(receiver)),
        ("delivered", is_delivered.into()),
        ("by", asked.author().into()),
    ];
    app.log.info("SRV079", "a receiver was tested", &details);
    Ok(Answer::json(&json!({"receiver": receiver, "delivered": is_delivered, "answer": answer})))
}
