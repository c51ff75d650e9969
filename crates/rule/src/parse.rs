//! One text becomes the rules in it.

use std::sync::Arc;

use crate::check::{Text, check_rule, check_table};
use crate::error::{Findings, Ruleless};
use crate::exceptions::{self, Item, ListKey};
use crate::format::GUIDE;
use crate::layout::parts;
use crate::source::{Source, place};
use crate::suggest::nearest;
use crate::text::{Data, JsonError, Member, Node, Syntax, parse_json, parse_toml};
use crate::{FACTS, LoadError, QueryLanguage, RuleSet, When};

/// A text of a rule file or an export.
pub(crate) struct Input<'t> {
    /// Its name in messages.
    pub(crate) name: &'t str,
    /// What it says.
    pub(crate) text: Arc<str>,
    /// How it is written.
    pub(crate) syntax: Syntax,
    /// The user named it, so that it ought to hold rules.
    pub(crate) expected: bool,
    /// It came with the engine.
    pub(crate) built_in: bool,
}

/// How a text of unknown origin is written: JSON begins with an object or a list of objects.
pub(crate) fn sniff(text: &str) -> Syntax {
    let body = text.trim_start_matches('\u{feff}').trim_start();
    let list = body.strip_prefix('[').map(str::trim_start);
    if body.starts_with('{') || list.is_some_and(|rest| rest.starts_with(['{', ']'])) {
        Syntax::Json
    } else {
        Syntax::Toml
    }
}

/// Reads all rules of a text into the set.
pub(crate) fn parse(input: &Input<'_>, set: &mut RuleSet) {
    set.texts.insert(input.name.to_owned(), Arc::clone(&input.text));
    match input.syntax {
        // Only tests are written in YAML, and they come another way.
        Syntax::Toml | Syntax::Yaml => parse_rule_file(input, set),
        Syntax::Json => parse_export(input, set),
    }
}

fn parse_rule_file(input: &Input<'_>, set: &mut RuleSet) {
    let mut findings = Findings::default();
    match parse_toml(&input.text) {
        Err(errors) => findings.extend(errors),
        Ok(mut root) => {
            let beside = read_beside(&mut root, input, set);
            if let Some(parts) = parts(root, &mut findings) {
                let source = Source {
                    name: input.name.to_owned(),
                    text: Arc::clone(&input.text),
                    syntax: Syntax::Toml,
                    built_in: input.built_in,
                    rule: parts.rule,
                    guide: parts.guide,
                };
                accept(input.name.to_owned(), parts.metadata.as_ref(), source, &mut findings, set);
            } else if beside {
                findings = Findings::default();
            } else {
                // Whatever else was found, it was found in something that is no rule.
                findings = Findings::default();
                let span = span::Span::at(0);
                findings.push(&LoadError::NoRule { what: Ruleless::File, span, expected: input.expected });
            }
        }
    }
    set.report(input.name, findings.into_diagnostics());
}

/// What the tools of the rule repository write into files of their own: exceptions, which are read, and actions and
/// their connectors, which no rule needs here. Says whether there was any of it.
fn read_beside(root: &mut Node, input: &Input<'_>, set: &mut RuleSet) -> bool {
    let others = ["actions", "action_connectors"].map(|key| root.take(key).is_some());
    let exceptions = root.take("exceptions");
    let any = exceptions.is_some() || others.contains(&true);
    if let Some(member) = exceptions {
        exceptions::read_all(member.value, input, set);
    }
    any
}

/// Kibana exports rules, exception lists and items, connectors and a summary, one JSON object a line; its API
/// answers with arrays and pages; packages wrap a rule as a saved object.
fn parse_export(input: &Input<'_>, set: &mut RuleSet) {
    let (nodes, errors) = parse_json(&input.text);
    let is_json = errors.is_empty();
    set.report(
        input.name,
        errors.into_iter().map(|JsonError { message, span }| LoadError::Json { message, span }.diagnostic()),
    );
    let mut objects = Vec::new();
    for node in nodes {
        unwrap(node, &mut objects);
    }
    if objects.is_empty() && is_json {
        let span = span::Span::at(0);
        let error = LoadError::NoRule { what: Ruleless::File, span, expected: input.expected };
        set.report(input.name, [error.diagnostic()]);
    }
    let many = objects.len() > 1;
    for (at, node) in objects.into_iter().enumerate() {
        match role(&node) {
            Part::Rule => {
                let mut findings = Findings::default();
                let file = if many { format!("{}#{}", input.name, at + 1) } else { input.name.to_owned() };
                let source = Source {
                    name: input.name.to_owned(),
                    text: Arc::clone(&input.text),
                    syntax: Syntax::Json,
                    built_in: input.built_in,
                    rule: node,
                    guide: None,
                };
                accept(file, None, source, &mut findings, set);
                set.report(input.name, findings.into_diagnostics());
            }
            Part::ExceptionList => {
                let (list, found) = ListKey::read(&node, input);
                set.exceptions.add_container(list, node);
                set.report(input.name, found);
            }
            Part::ExceptionItem => {
                let (item, found) = Item::read(node, input);
                set.exceptions.add_item(item);
                set.report(input.name, found);
            }
            Part::Value => {
                let text = |key: &str| node.get(key).and_then(Node::text).unwrap_or_default().to_owned();
                set.exceptions.value_lists.add_value(text("list_id"), text("value"));
            }
            Part::ValueList => {
                let id = node.get("id").and_then(Node::text).unwrap_or_default();
                set.exceptions.value_lists.add_list(id.to_owned());
            }
            Part::Other => {}
            Part::Unknown => {
                let span = span::Span::new(node.span.start, node.span.start + 1);
                let error =
                    LoadError::NoRule { what: Ruleless::Object, span, expected: input.expected && !many };
                set.report(input.name, [error.diagnostic()]);
            }
        }
    }
}

/// Takes arrays, pages of the API and saved objects apart.
fn unwrap(node: Node, objects: &mut Vec<Node>) {
    match node.data {
        Data::List(items) => items.into_iter().for_each(|item| unwrap(item, objects)),
        Data::Table(_) => {
            let mut node = node;
            let is_list = |node: &Node| matches!(node.data, Data::List(_));
            let is_saved = node.get("type").and_then(Node::text) == Some("security-rule");
            let page = ["data", "rules"].into_iter().find(|key| node.get(key).is_some_and(is_list));
            if is_saved && let Some(Member { value, .. }) = node.take("attributes") {
                unwrap(value, objects);
            } else if let Some(key) = page
                && node.get("name").is_none()
                && let Some(Member { value, .. }) = node.take(key)
            {
                unwrap(value, objects);
            } else {
                objects.push(node);
            }
        }
        // Numbers, strings and the like: reported as objects that hold no rule.
        _ => objects.push(node),
    }
}

/// What an object of an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A rule.
    Rule,
    /// The container of an exception list.
    ExceptionList,
    /// An item of such a list.
    ExceptionItem,
    /// A value of a value list,
    Value,
    /// and such a list.
    ValueList,
    /// Known, and not ours: connectors, the closing summary.
    Other,
    /// Nothing that is known.
    Unknown,
}

/// What the one object of a text is; nothing that is known, if it is not one object.
pub fn part(text: &str) -> Part {
    match parse_json(text) {
        (nodes, errors) if errors.is_empty() && nodes.len() == 1 => role(&nodes[0]),
        _ => Part::Unknown,
    }
}

/// The types of the values of value lists.
const VALUE_TYPES: [&str; 21] = [
    "binary",
    "boolean",
    "byte",
    "date",
    "date_nanos",
    "date_range",
    "double",
    "double_range",
    "float",
    "float_range",
    "half_float",
    "integer",
    "integer_range",
    "ip",
    "ip_range",
    "keyword",
    "long",
    "long_range",
    "short",
    "text",
    "unsigned_long",
];

fn role(node: &Node) -> Part {
    let has = |key: &str| node.get(key).is_some();
    if has("exported_count") || has("exported_rules_count") || has("exported_exception_list_count") {
        Part::Other
    } else if has("list_id") && (has("item_id") || has("entries")) {
        Part::ExceptionItem
    } else if has("list_id") && has("value") {
        Part::Value
    } else if has("id") && node.get("type").and_then(Node::text).is_some_and(|it| VALUE_TYPES.contains(&it)) {
        Part::ValueList
    } else if has("list_id") && !has("risk_score") {
        Part::ExceptionList
    } else if has("attributes") && node.get("type").and_then(Node::text) == Some("action") {
        Part::Other
    } else if has("rule_id") || has("risk_score") || has("severity") || has("query") {
        Part::Rule
    } else {
        Part::Unknown
    }
}

/// Checks a rule and takes it in if nothing refuses it.
fn accept(file: String, metadata: Option<&Node>, source: Source, findings: &mut Findings, set: &mut RuleSet) {
    let text = Text { text: &source.text, syntax: source.syntax };
    check_rule(&source.rule, text, findings);
    if let Some(guide) = &source.guide {
        check_table(guide, "guide", GUIDE, None, text, findings);
        for list in ["triage", "response"] {
            for step in guide.get(list).map_or(&[][..], Node::items) {
                for query in crate::read::step_queries(step) {
                    check_query(query.get("query"), query.get("language"), with_stand_ins, text, findings);
                }
                check_when(step.get("when"), findings);
            }
        }
    }
    let query = |key| source.rule.get(key);
    check_query(query("query"), query("language"), str::to_owned, text, findings);
    check_query(query("threat_query"), query("threat_language"), str::to_owned, text, findings);
    if !findings.refuse() {
        set.rules.push(crate::read::rule(file, metadata, source));
    }
}

/// A condition that says nothing, or that asks for a fact that there is not, would silently leave a step out.
fn check_when(node: Option<&Node>, findings: &mut Findings) {
    let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) else { return };
    let span = node.span;
    match When::parse(text) {
        Err(reason) => findings.push(&LoadError::BadWhen { reason, span }),
        Ok(when) => {
            for fact in when.facts().into_iter().filter(|it| !FACTS.contains(it)) {
                let similar = nearest(fact, FACTS.iter().copied());
                let similar = similar.map(|it| format!(": did you mean `{it}`?")).unwrap_or_default();
                let reason = format!("there is no fact `{fact}`{similar}");
                findings.push(&LoadError::BadWhen { reason, span });
            }
        }
    }
}

/// Parses a query, to report its errors where they stand in the file. `prepare` must keep all places.
fn check_query(
    query: Option<&Node>,
    language: Option<&Node>,
    prepare: impl Fn(&str) -> String,
    text: Text<'_>,
    findings: &mut Findings,
) {
    let name = language.map_or(Some(QueryLanguage::Kuery.as_str()), Node::text);
    let language = name.and_then(QueryLanguage::from_name).map(crate::language::language);
    let Some((language, words)) = language.zip(query.and_then(Node::text)) else { return };
    for diagnostic in (language.errors)(&prepare(words)) {
        findings.diagnostic(place(diagnostic, query, text.text, text.syntax));
    }
}

/// The query of a guide's step with a word of the same length for every `{{field}}`.
pub(crate) fn with_stand_ins(query: &str) -> String {
    let mut out = String::with_capacity(query.len());
    let mut rest = query;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((field, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        out.extend(std::iter::repeat_n('x', field.len() + 4));
        rest = after;
    }
    out.push_str(rest);
    out
}
