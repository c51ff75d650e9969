//! Query text to syntax tree.

use std::path::Path;

use ::kql::{Ast, Node, NodeKind, RangeOp, Term, TermKind};
use serde_json::{Value, json};

use super::super::CaseResult;

/// All cases of `parse.json`, key `parse`.
pub(crate) fn cases(data: &Path) -> anyhow::Result<Vec<CaseResult>> {
    let file = super::read(data, "kql/parse.json")?;
    let mut results = Vec::new();
    for case in super::list(&file, "parse")? {
        let expected = case.get("expect").cloned().unwrap_or_default();
        let got = match ::kql::parse(super::text(case, "query")?) {
            Ok(ast) => tree(&ast),
            Err(_) => json!("error"),
        };
        results.push(CaseResult::compare(super::text(case, "id")?, sorted(&expected), sorted(&got)));
    }
    Ok(results)
}

/// JSON as text, the keys of objects in order: order means nothing there.
pub(super) fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// A tree in the shape of the cases.
fn tree(ast: &Ast) -> Value {
    ast.root.as_ref().map_or_else(|| json!({"match_all": true}), node)
}

fn node(it: &Node) -> Value {
    let all = |nodes: &[Node]| nodes.iter().map(node).collect::<Vec<_>>();
    match &it.kind {
        NodeKind::Or(nodes) => json!({"or": all(nodes)}),
        NodeKind::And(nodes) => json!({"and": all(nodes)}),
        NodeKind::Not(inner) => json!({"not": node(inner)}),
        NodeKind::Nested { path, query } => json!({"nested": {"path": term(path), "query": node(query)}}),
        NodeKind::Is { field, value } => {
            let field = field.as_ref().map_or_else(|| json!({"literal": null}), term);
            json!({"is": {"field": field, "value": term(value)}})
        }
        NodeKind::Range { field, op, value } => {
            let op = match op {
                RangeOp::Gt => "gt",
                RangeOp::Gte => "gte",
                RangeOp::Lt => "lt",
                RangeOp::Lte => "lte",
            };
            json!({"range": {"field": term(field), "op": op, "value": term(value)}})
        }
    }
}

fn term(it: &Term) -> Value {
    match &it.kind {
        TermKind::Null => json!({"literal": null}),
        TermKind::Bool(value) => json!({"literal": value}),
        TermKind::Text { text, quoted } => json!({"literal": text, "quoted": quoted}),
        TermKind::Pattern(pieces) => json!({"wildcard": pieces}),
    }
}
