//! Microsoft Teams: an Adaptive Card for a workflow's webhook. Values stand in text runs, which know no Markdown.

use serde_json::{Value, json};

use super::Message;
use crate::template::Escape;

/// The body for the webhook of a workflow.
pub fn teams(message: &Message<'_>) -> Value {
    let run = |text: &str| json!({"type": "TextRun", "text": plain(text)});
    let bold = |text: &str| json!({"type": "TextRun", "text": plain(text), "weight": "Bolder"});
    let block = |inlines: Vec<Value>| json!({"type": "RichTextBlock", "inlines": inlines});
    let colour = match message.worst() {
        Some("critical" | "high") => "Attention",
        Some("medium") => "Warning",
        Some(_) | None => "Default",
    };
    let title = json!({
        "type": "TextRun", "text": plain(&message.title()), "weight": "Bolder", "size": "Large", "color": colour,
    });
    let mut body = vec![block(vec![title])];
    let mut actions = Vec::new();
    if let Some(text) = message.param("message", Escape::Markdown) {
        body.push(json!({"type": "TextBlock", "text": super::shortened(&text, 10_000), "wrap": true}));
    } else if let Some(telling) = message.telling() {
        let mut fact =
            |name: &str, value: &str| body.push(block(vec![bold(&format!("{name}: ")), run(value)]));
        for (name, value) in &telling.facts {
            fact(name, value);
        }
        fact("When", &telling.time);
        fact("Severity", &telling.severity);
        if let Some(step) = &telling.step {
            fact("First step", step);
        }
        fact("Alert", &telling.id);
        let open = |url: String| json!({"type": "Action.OpenUrl", "title": "Open the alert", "url": url});
        actions.extend(telling.link.map(open));
    } else {
        for (rule, count) in message.by_rule() {
            body.push(block(vec![bold(&format!("{count} × ")), run(&rule)]));
        }
        let (lines, left) = message.lines();
        body.extend(lines.iter().map(|(line, _)| block(vec![run(line)])));
        if left > 0 {
            body.push(block(vec![run(&format!("… and {left} more"))]));
        }
    }
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": actions,
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

/// What cards take for functions, such as `{{DATE(…)}}`, or Teams for mentions, is none.
fn plain(text: &str) -> String {
    text.replace("{{", "{ {").replace("<at>", "< at>").replace("</at>", "< /at>")
}
