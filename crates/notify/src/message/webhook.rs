//! Webhooks: any body, signed.

use ring::hmac;
use serde_json::{Value, json};

use super::{Message, context};
use crate::template::{Escape, Template};

/// The body of a webhook: by a template, by a rule's action, or the message as JSON.
pub fn webhook(message: &Message<'_>, template: Option<&Template>) -> String {
    if let Some(template) = template {
        return template.render(&context(message), Escape::Json);
    }
    if let Some(body) = message.param("body", Escape::Json) {
        return body;
    }
    let delivery = message.delivery;
    let items: Vec<Value> = delivery
        .items
        .iter()
        .zip(&message.documents)
        .map(|(item, document)| {
            json!({
                "id": item.alert,
                "rule_id": item.rule_id,
                "rule": item.rule,
                "severity": item.severity,
                "time": ecs::date::to_iso(item.time),
                "text": item.line,
                "alert": document,
            })
        })
        .collect();
    json!({
        "type": format!("trailwarden.{}", delivery.what.as_str()),
        "id": delivery.id,
        "timestamp": ecs::date::to_iso(delivery.made),
        "title": message.title(),
        "count": items.len(),
        "severity": message.worst(),
        "items": items,
    })
    .to_string()
}

/// The signature of a body, as Standard Webhooks have it: `v1,` and the HMAC-SHA256 of `ID.SECONDS.BODY` in Base64.
pub fn signature(secret: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    for part in [id, ".", &seconds.to_string(), ".", body] {
        context.update(part.as_bytes());
    }
    format!("v1,{}", base64(context.sign().as_ref()))
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
