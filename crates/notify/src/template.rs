//! Templates of messages: `{{name}}` in a text, as mustache has it and Kibana's actions do.
//!
//! Variables (`{{a.b}}`, escaped for whoever reads it; `{{{a.b}}}` and `{{&a.b}}` as they are), sections (`{{#a}}…{{/a}}`, of lists once for
//! each), inverted sections (`{{^a}}…{{/a}}`) and comments. No partials, no functions.

use ecs::document::lookup;
use serde_json::Value;

/// How deep sections lie in one another.
const DEPTH_MAX: usize = 16;
/// The longest text of a template,
const TEXT_MAX: usize = 256 << 10;
/// and the longest that becomes of one.
const RESULT_MAX: usize = 1 << 20;

/// A template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Node>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Text(String),
    Value { name: String, is_raw: bool },
    Section { name: String, is_inverted: bool, inner: Vec<Node> },
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A tag does not end.
    #[error("`{{{{` at character {at} has no end")]
    Open {
        /// Where, in characters from 1.
        at: usize,
    },
    /// A tag that is none.
    #[error("`{{{{{tag}}}}}` at character {at} is no tag that is known")]
    Tag {
        /// What stands in it.
        tag: String,
        /// Where.
        at: usize,
    },
    /// A section ends that did not begin, or does not end.
    #[error("the section `{name}` begins or ends without the other (character {at})")]
    Section {
        /// Its name.
        name: String,
        /// Where.
        at: usize,
    },
    /// It is too long, or too deep.
    #[error("a template has {TEXT_MAX} bytes and {DEPTH_MAX} sections in one another at most")]
    TooLarge,
}

/// How values are made harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escape {
    /// Not at all, but for what no text shows.
    Plain,
    /// For the inside of a text of JSON.
    Json,
    /// For Slack.
    Slack,
    /// For Markdown.
    Markdown,
}

impl Escape {
    /// A value, made harmless.
    pub(crate) fn apply(self, text: &str) -> String {
        match self {
            Self::Plain => crate::words::harmless(text),
            Self::Json => {
                let quoted = Value::from(text).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Slack => slack(&crate::words::harmless(text)),
            Self::Markdown => markdown(&crate::words::harmless(text)),
        }
    }
}

/// Slack reads `<…>` as links and mentions, and some marks as formats. The marks stay, with what keeps them from being any.
pub(crate) fn slack(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            // A word joiner: nothing is seen of it, and no mark stands at a word's edge.
            '*' | '_' | '~' | '`' | '@' | '#' => out.extend([it, '\u{2060}']),
            it => out.push(it),
        }
    }
    out
}

/// Markdown, with its marks taken as they are.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for it in text.chars() {
        match it {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '!' | '|'
            | '~' => {
                out.extend(['\\', it]);
            }
            it => out.push(it),
        }
    }
    out
}

impl Template {
    /// Reads one.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEXT_MAX {
            return Err(TemplateError::TooLarge);
        }
        let place = |rest: &str| text[..text.len() - rest.len()].chars().count() + 1;
        // The section that is open, and all around it.
        let mut open: Vec<(String, bool, usize, Vec<Node>)> = Vec::new();
        let mut nodes = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            if start > 0 {
                nodes.push(Node::Text(rest[..start].to_owned()));
            }
            let tag = &rest[start..];
            let at = place(tag);
            let (end, is_triple) = if tag.starts_with("{{{") { ("}}}", true) } else { ("}}", false) };
            let inside = &tag[end.len()..];
            let length = inside.find(end).ok_or(TemplateError::Open { at })?;
            let whole = inside[..length].trim();
            rest = &inside[length + end.len()..];
            let (kind, name) = match whole.chars().next() {
                Some(it @ ('#' | '^' | '/' | '&' | '!')) if !is_triple => (it, whole[1..].trim()),
                _ => (if is_triple { '&' } else { ' ' }, whole),
            };
            let is_name =
                name.chars().all(|it| it.is_alphanumeric() || "._-@".contains(it)) && !name.is_empty();
            if kind != '!' && !is_name {
                return Err(TemplateError::Tag { tag: whole.to_owned(), at });
            }
            match kind {
                '!' => {}
                '#' | '^' => {
                    if open.len() >= DEPTH_MAX {
                        return Err(TemplateError::TooLarge);
                    }
                    open.push((name.to_owned(), kind == '^', at, std::mem::take(&mut nodes)));
                }
                '/' => match open.pop() {
                    Some((opened, is_inverted, _, around)) if opened == name => {
                        let inner = std::mem::replace(&mut nodes, around);
                        nodes.push(Node::Section { name: opened, is_inverted, inner });
                    }
                    _ => return Err(TemplateError::Section { name: name.to_owned(), at }),
                },
                kind => nodes.push(Node::Value { name: name.to_owned(), is_raw: kind == '&' }),
            }
        }
        if let Some((name, _, at, _)) = open.pop() {
            return Err(TemplateError::Section { name, at });
        }
        if !rest.is_empty() {
            nodes.push(Node::Text(rest.to_owned()));
        }
        Ok(Self(nodes))
    }

    /// Its text with the values of an object. What is not there is nothing.
    pub fn render(&self, values: &Value, escape: Escape) -> String {
        let mut out = String::new();
        write(&self.0, &mut vec![values], escape, &mut out);
        out
    }
}

fn write(nodes: &[Node], stack: &mut Vec<&Value>, escape: Escape, out: &mut String) {
    for node in nodes {
        if out.len() > RESULT_MAX {
            return;
        }
        match node {
            Node::Text(text) => *out += text,
            Node::Value { name, is_raw } => {
                let text = find(stack, name).map(shown).unwrap_or_default();
                *out += &if *is_raw { text } else { escape.apply(&text) };
            }
            Node::Section { name, is_inverted, inner } => {
                let value = find(stack, name);
                let is_there = value.is_some_and(is_there);
                if *is_inverted {
                    if !is_there {
                        write(inner, stack, escape, out);
                    }
                } else if let Some(value) = value.filter(|_| is_there) {
                    let one = std::slice::from_ref(value);
                    for it in value.as_array().map_or(one, Vec::as_slice) {
                        stack.push(it);
                        write(inner, stack, escape, out);
                        stack.pop();
                    }
                }
            }
        }
    }
}

fn find<'v>(stack: &[&'v Value], name: &str) -> Option<&'v Value> {
    if name == "." {
        return stack.last().copied();
    }
    stack.iter().rev().find_map(|it| at(it, name))
}

/// The value at a path: keys with dots and objects in objects are the same; a number is a place of a list.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    match value {
        Value::Object(object) => lookup(object, path).or_else(|| {
            path.match_indices('.').find_map(|(end, _)| {
                let inner = object.get(&path[..end])?;
                at(inner, &path[end + 1..])
            })
        }),
        Value::Array(items) => {
            let (place, rest) = path.split_once('.').unwrap_or((path, ""));
            let item = items.get(place.parse::<usize>().ok()?)?;
            if rest.is_empty() { Some(item) } else { at(item, rest) }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn is_there(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::Object(_) => true,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(|it| !it.is_object() && !it.is_array()) => {
            items.iter().map(shown).collect::<Vec<_>>().join(",")
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(text: &str, escape: Escape) -> String {
        let values = json!({
            "rule": {"name": "A \"rule\"", "tags": ["a", "b"]},
            "user.name": "<!channel> *x*",
            "alerts": [{"id": 1, "user": {"name": "ada"}}, {"id": 2, "user.name": "bob"}],
            "none": [],
            "zero": 0,
            "no": false,
        });
        Template::parse(text).unwrap().render(&values, escape)
    }

    #[test]
    fn what_a_template_becomes() {
        for (text, expected) in [
            ("plain } text {", "plain } text {"),
            ("{{rule.name}}", "A \"rule\""),
            ("{{ rule.tags }} {{zero}}{{no}}{{gone}}", "a,b 0false"),
            ("{{#alerts}}{{id}}={{user.name}};{{/alerts}}", "1=ada;2=bob;"),
            ("{{#none}}x{{/none}}{{^none}}nobody{{/none}}", "nobody"),
            ("{{#rule}}{{name}}{{/rule}}", "A \"rule\""),
            ("{{#rule.tags}}[{{.}}]{{/rule.tags}}", "[a][b]"),
            ("{{#no}}x{{/no}}{{#zero}}z{{/zero}}", "z"),
            ("{{alerts.1.id}}{{! a comment }}", "2"),
            ("{{#alerts}}{{#user}}{{rule.tags}}{{/user}}{{/alerts}}", "a,b"),
        ] {
            assert_eq!(render(text, Escape::Plain), expected, "{text}");
        }
    }

    #[test]
    fn values_are_escaped_for_whoever_reads_them() {
        assert_eq!(render("{\"a\": \"{{rule.name}}\"}", Escape::Json), "{\"a\": \"A \\\"rule\\\"\"}");
        assert_eq!(render("{{user.name}}", Escape::Slack), "&lt;!channel&gt; *\u{2060}x*\u{2060}");
        assert_eq!(render("{{user.name}}", Escape::Markdown), "&lt;\\!channel&gt; \\*x\\*");
        assert_eq!(render("{{{user.name}}}{{&user.name}}", Escape::Slack), "<!channel> *x*<!channel> *x*");
    }

    #[test]
    fn what_is_no_template_is_told_with_its_place() {
        for (text, error) in [
            ("ü {{a", "`{{` at character 3 has no end"),
            ("{{#a}}x", "the section `a` begins or ends without the other (character 1)"),
            ("{{#a}}{{/b}}", "the section `b` begins or ends without the other (character 7)"),
            ("{{/a}}", "the section `a` begins or ends without the other (character 1)"),
            ("{{> partial}}", "`{{> partial}}` at character 1 is no tag that is known"),
            ("{{}}", "`{{}}` at character 1 is no tag that is known"),
            ("{{{a}}", "`{{` at character 1 has no end"),
        ] {
            assert_eq!(Template::parse(text).unwrap_err().to_string(), error);
        }
        assert_eq!(Template::parse(&"{{#a}}".repeat(20)), Err(TemplateError::TooLarge));
    }
}
