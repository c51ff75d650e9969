//! YAML by the `saphyr-parser` crate, kept with its positions.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use span::Span;

use super::{Data, Member, Node};
use crate::LoadError;

/// Values nested deeper than this are refused, as in the other syntaxes.
const MAX_DEPTH: usize = 64;

/// Aliases repeat what an anchor names, and may be nested: a text of a few lines could otherwise become billions of
/// values.
const MAX_NODES: usize = 1_000_000;

/// The first document of a YAML text, `null` if there is none; or what is wrong with it.
///
/// Plain words mean what YAML 1.2's core schema says: `no` and `on` are texts. An alias is a copy of what its anchor
/// names; a `<<` key is no merge but a key like any other.
pub(crate) fn parse_yaml(text: &str) -> Result<Node, LoadError> {
    let offsets = Offsets::new(text);
    let mut builder = Builder { offsets, anchors: HashMap::new(), open: Vec::new(), root: None, nodes: 0 };
    for event in Parser::new_from_str(text) {
        let (event, at) = event.map_err(|error| LoadError::Yaml {
            message: error.info().to_owned(),
            span: Span::at(builder.offsets.byte(*error.marker())),
        })?;
        let place = builder.offsets.span(at);
        if builder.event(event, place)? {
            break;
        }
    }
    Ok(builder.root.unwrap_or(Node { span: Span::at(0), data: Data::Null }))
}

/// The parser counts characters; messages underline bytes.
struct Offsets {
    /// The byte at which each character begins, and the end; `None` if every character is one byte.
    bytes: Option<Vec<usize>>,
    len: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = (!text.is_ascii())
            .then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).collect::<Vec<_>>());
        Self { bytes, len: text.len() }
    }

    fn byte(&self, at: Marker) -> usize {
        let at = at.index();
        self.bytes.as_ref().map_or(at, |bytes| bytes.get(at).copied().unwrap_or(self.len)).min(self.len)
    }

    fn span(&self, at: saphyr_parser::Span) -> Span {
        let (start, end) = (self.byte(at.start), self.byte(at.end));
        Span::new(start, end.max(start))
    }
}

struct Builder {
    offsets: Offsets,
    anchors: HashMap<usize, (Node, usize)>,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

/// A list or mapping of which the end was not seen yet.
struct Open {
    anchor: usize,
    start: Span,
    /// How many nodes there were before it.
    before: usize,
    body: Body,
}

enum Body {
    List(Vec<Node>),
    /// The members, and a key whose value comes next.
    Table(Vec<Member>, Option<(String, Span)>),
}

impl Builder {
    /// Says whether the first document has ended.
    fn event(&mut self, event: Event<'_>, at: Span) -> Result<bool, LoadError> {
        match event {
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => {}
            Event::StreamEnd | Event::DocumentEnd => return Ok(true),
            Event::Alias(anchor) => {
                // The parser refuses names that no anchor has; one that is still open names what holds it.
                let Some((node, nodes)) = self.anchors.get(&anchor).cloned() else {
                    let message = "an alias of what it stands in".to_owned();
                    return Err(LoadError::Yaml { message, span: at });
                };
                self.grow(nodes, at)?;
                if depth(&node) + self.open.len() > MAX_DEPTH {
                    return Err(LoadError::TooDeep { limit: MAX_DEPTH, span: at });
                }
                self.value(Node { span: at, ..node }, at)?;
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.grow(1, at)?;
                let is_text = tag.is_some_and(|it| it.is_yaml_core_schema() && it.suffix == "str");
                let data = match style {
                    ScalarStyle::Plain if !is_text => plain(&text),
                    _ => Data::Text(text.into_owned()),
                };
                let node = Node { span: at, data };
                if anchor > 0 {
                    self.anchors.insert(anchor, (node.clone(), 1));
                }
                self.value(node, at)?;
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, at, Body::List(Vec::new()))?,
            Event::MappingStart(anchor, _) => self.open(anchor, at, Body::Table(Vec::new(), None))?,
            Event::SequenceEnd | Event::MappingEnd => self.close(at)?,
        }
        Ok(false)
    }

    fn grow(&mut self, nodes: usize, at: Span) -> Result<(), LoadError> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            return Err(LoadError::TooManyValues { limit: MAX_NODES, span: at });
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, start: Span, body: Body) -> Result<(), LoadError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(LoadError::TooDeep { limit: MAX_DEPTH, span: start });
        }
        let before = self.nodes;
        self.grow(1, start)?;
        self.open.push(Open { anchor, start, before, body });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), LoadError> {
        // The parser closes only what was opened.
        let Some(Open { anchor, start, before, body }) = self.open.pop() else { return Ok(()) };
        let data = match body {
            Body::List(items) => Data::List(items),
            Body::Table(members, _) => Data::Table(members),
        };
        let node = Node { span: Span::new(start.start, end.end.max(start.end)), data };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before));
        }
        self.value(node, start)
    }

    fn value(&mut self, node: Node, at: Span) -> Result<(), LoadError> {
        match self.open.last_mut().map(|it| &mut it.body) {
            None => self.root = Some(node),
            Some(Body::List(items)) => items.push(node),
            Some(Body::Table(members, key)) => {
                if let Some((key, key_span)) = key.take() {
                    members.push(Member { key, key_span, value: node });
                } else {
                    let name = name_of(node.data, at)?;
                    if members.iter().any(|it| it.key == name) {
                        let message = format!("the key `{name}` stands here twice");
                        return Err(LoadError::Yaml { message, span: at });
                    }
                    *key = Some((name, at));
                }
            }
        }
        Ok(())
    }
}

/// The name that a key says, whatever its words mean elsewhere.
fn name_of(data: Data, at: Span) -> Result<String, LoadError> {
    match data {
        Data::Text(text) | Data::Number(text) | Data::Date(text) => Ok(text),
        Data::Bool(flag) => Ok(flag.to_string()),
        Data::Null => Ok("null".to_owned()),
        Data::List(_) | Data::Table(_) => {
            Err(LoadError::Yaml { message: "a key must be a word".to_owned(), span: at })
        }
    }
}

fn depth(node: &Node) -> usize {
    match &node.data {
        Data::List(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Data::Table(members) => 1 + members.iter().map(|it| depth(&it.value)).max().unwrap_or_default(),
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Date(_) => 0,
    }
}

/// A word without quotes, by the core schema. Whole numbers in other bases become decimal; what JSON has no number for
/// (`.inf`) stays a text.
fn plain(text: &str) -> Data {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Data::Null,
        "true" | "True" | "TRUE" => return Data::Bool(true),
        "false" | "False" | "FALSE" => return Data::Bool(false),
        _ => {}
    }
    let based =
        |prefix: &str, radix| text.strip_prefix(prefix).and_then(|it| u64::from_str_radix(it, radix).ok());
    if let Some(number) = based("0x", 16).or_else(|| based("0o", 8)) {
        return Data::Number(number.to_string());
    }
    // An account id with a zero in front is a text to JSON, and to people.
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let begins = digits.starts_with(|it: char| it.is_ascii_digit());
    let is_json = begins && serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_json { Data::Number(text.to_owned()) } else { Data::Text(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json(text: &str) -> serde_json::Value {
        parse_yaml(text).unwrap().to_json()
    }

    fn error(text: &str) -> String {
        parse_yaml(text).unwrap_err().to_string()
    }

    #[test]
    fn values_by_the_core_schema() {
        let text = "a: 1\nb: 1.50\nc: 'x'\nd: no\ne: true\nf: ~\ng: [0x10, 0123, -4, +5, .inf, 1e3]\nh: !!str 7\ni: |\n  two\n  lines\n";
        let expected = serde_json::from_str::<serde_json::Value>(
            r#"{"a":1,"b":1.50,"c":"x","d":"no","e":true,"f":null,"g":[16,"0123",-4,"+5",".inf",1e3],"h":"7","i":"two\nlines\n"}"#,
        );
        assert_eq!(json(text), expected.unwrap());
        assert_eq!(json(""), json!(null));
        assert_eq!(json("# nothing\n"), json!(null));
    }

    #[test]
    fn places_are_bytes() {
        let text = "ä: ö\nname: wörd\n";
        let node = parse_yaml(text).unwrap();
        let member = node.member("name").unwrap();
        assert_eq!(&text[member.key_span.range()], "name");
        assert_eq!(&text[member.value.span.range()], "wörd");
    }

    #[test]
    fn aliases_are_copies_and_bounded() {
        assert_eq!(json("a: &x {k: 1}\nb: [*x, *x]\n"), json!({"a": {"k": 1}, "b": [{"k": 1}, {"k": 1}]}));
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for at in 1..12 {
            let before = vec![format!("*a{}", at - 1); 10].join(",");
            bomb += &format!("a{at}: &a{at} [{before}]\n");
        }
        assert_eq!(error(&bomb), "the file has more than 1000000 values, aliases written out");
        assert!(error(&"[".repeat(100)).contains("64"));
        assert!(error("a: &x [*x]").contains("alias") || error("a: &x [*x]").contains("anchor"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(error("a: 1\na: 2\n"), "this is not YAML: the key `a` stands here twice");
        assert_eq!(error("? [a]\n: 1\n"), "this is not YAML: a key must be a word");
        assert!(error("a: [1, 2\nb: 3\n").starts_with("this is not YAML"));
    }
}
