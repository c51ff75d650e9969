//! Slack: blocks in which values are text elements. These are shown as they are: no mark, mention or address in them is any.

use serde_json::{Value, json};

use super::Message;
use crate::template::{self, Escape};

/// The longest text of a header.
const HEADER_MAX: usize = 150;

/// The body for an incoming webhook.
pub fn slack(message: &Message<'_>) -> Value {
    // What stands in a notification, and where blocks are not shown. It is read for marks.
    let fallback = template::slack(&message.title());
    if let Some(text) = message.param("message", Escape::Slack) {
        let text = super::shortened(&text, 3_000);
        let section = json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}});
        return json!({"text": fallback, "blocks": [section]});
    }
    let title = super::shortened(&message.title(), HEADER_MAX - 1);
    let mut blocks =
        vec![json!({"type": "header", "text": {"type": "plain_text", "text": title, "emoji": false}})];
    let text = |it: &str| json!({"type": "text", "text": it});
    let bold = |it: &str| json!({"type": "text", "text": it, "style": {"bold": true}});
    let link = |url: &str, name: &str| json!({"type": "link", "url": url, "text": name});
    let section = |elements: Vec<Value>| json!({"type": "rich_text_section", "elements": elements});
    if let Some(telling) = message.telling() {
        let mut lines: Vec<Value> = Vec::new();
        let mut fact = |name: &str, value: &str| {
            lines.push(bold(&format!("{name}: ")));
            lines.push(text(&format!("{value}\n")));
        };
        for (name, value) in &telling.facts {
            fact(name, value);
        }
        fact("When", &telling.time);
        fact("Severity", &telling.severity);
        if let Some(step) = &telling.step {
            fact("First step", step);
        }
        fact("Alert", &telling.id);
        lines.extend(telling.link.map(|it| link(&it, "Open the alert")));
        blocks.push(json!({"type": "rich_text", "elements": [section(lines)]}));
    } else {
        let (lines, left) = message.lines();
        let items: Vec<Value> = lines
            .iter()
            .map(|(line, url)| {
                let mut elements = vec![text(line)];
                if let Some(url) = url {
                    elements.extend([text(" "), link(url, "open")]);
                }
                section(elements)
            })
            .collect();
        let mut elements = vec![json!({"type": "rich_text_list", "style": "bullet", "elements": items})];
        let counts: Vec<String> =
            message.by_rule().iter().map(|(rule, count)| format!("{count} × {rule}\n")).collect();
        let counts = counts.concat();
        if !counts.is_empty() {
            elements.insert(0, section(vec![text(&counts)]));
        }
        if left > 0 {
            elements.push(section(vec![text(&format!("… and {left} more"))]));
        }
        blocks.push(json!({"type": "rich_text", "elements": elements}));
    }
    json!({"text": fallback, "blocks": blocks})
}
