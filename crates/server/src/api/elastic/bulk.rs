//! `_bulk`: lines that say what to do, each with a document below it.

use std::time::Instant;

use serde_json::{Value, json};

use super::item::{Action, Item, Outcome, store, told};
use crate::http::{Answer, Asked, Kind, Problem};

/// An entry of a request.
struct Entry<'a> {
    /// What it says is to be done.
    name: String,
    index: String,
    id: Option<String>,
    item: Result<Item<'a>, Outcome>,
}

pub(in super::super) fn bulk(asked: &Asked<'_>) -> Result<Answer, Problem> {
    let started = Instant::now();
    let body = asked.unpacked()?;
    let text = std::str::from_utf8(&body).map_err(|it| {
        Problem::new(Kind::Body, format!("the body is no UTF-8 at byte {}", it.valid_up_to()))
    })?;
    let entries = parse(text, Some(asked.part("index")).filter(|it| !it.is_empty()))?;
    let items: Vec<Result<&Item<'_>, Outcome>> = entries
        .iter()
        .map(|it| match &it.item {
            Ok(item) => Ok(item),
            Err(outcome) => Err(outcome.clone()),
        })
        .collect();
    let outcomes = store(asked.app, &items)?;
    let errors = outcomes.iter().any(|it| matches!(it, Outcome::Refused { .. }));
    let one = |(entry, outcome): (&Entry<'_>, &Outcome)| json!({entry.name.as_str(): told(&entry.index, entry.id.as_deref(), outcome)});
    let items: Vec<Value> = entries.iter().zip(&outcomes).map(one).collect();
    let took = started.elapsed().as_millis() as u64;
    Ok(Answer::json(&json!({"took": took, "errors": errors, "items": items})))
}

/// The entries. A line that says what to do and cannot be read makes all that follows unclear: nothing is stored then.
fn parse<'a>(text: &'a str, index: Option<&str>) -> Result<Vec<Entry<'a>>, Problem> {
    let mut lines = text.lines().enumerate().filter(|(_, it)| !it.trim().is_empty());
    let mut entries = Vec::new();
    while let Some((number, line)) = lines.next() {
        let wrong = |what: &str| {
            Problem::new(
                Kind::Body,
                format!("line {}: {what}; nothing of the request was stored", number + 1),
            )
        };
        let action: Value = serde_json::from_str(line).map_err(|it| wrong(&format!("not JSON: {it}")))?;
        let members = action.as_object().filter(|it| it.len() == 1);
        let (name, meta) = members.and_then(|it| it.iter().next()).ok_or_else(|| {
            wrong("expected an object such as {\"index\":{}} or {\"create\":{\"_index\":\"name\"}}")
        })?;
        let said = |key: &str| {
            meta.get(key).and_then(|it| match it {
                Value::String(text) => Some(text.clone()),
                Value::Number(number) => Some(number.to_string()),
                _ => None,
            })
        };
        let action = match name.as_str() {
            "index" => Some(Action::Index),
            "create" => Some(Action::Create),
            "update" | "delete" => None,
            other => return Err(wrong(&format!("`{other}` is not known: index, create"))),
        };
        let document = if name == "delete" {
            ""
        } else {
            lines.next().ok_or_else(|| wrong("its document is missing"))?.1
        };
        let id = said("_id").filter(|it| !it.is_empty());
        let index = said("_index")
            .or_else(|| index.map(str::to_owned))
            .ok_or_else(|| wrong("`_index` is missing"))?;
        let item = match action {
            Some(action) => {
                Ok(Item { action, index: index.clone(), id: id.clone(), document: document.trim() })
            }
            None => Err(Outcome::Refused {
                status: 400,
                kind: "illegal_argument_exception",
                reason: format!("`{name}`: what was delivered is kept as it is; index and create are taken"),
            }),
        };
        entries.push(Entry { name: name.clone(), index, id, item });
    }
    if entries.is_empty() {
        return Err(Problem::new(Kind::Body, "the request has no document"));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries() {
        let text = "{\"index\":{}}\n{\"a\":1}\r\n\n{\"create\":{\"_index\":\"x\",\"_id\":7}}\n{\"b\":2}\n{\"delete\":{\"_id\":\"d\"}}\n\
                    {\"update\":{\"_id\":\"u\"}}\n{\"doc\":{}}\n{\"index\":{\"_id\":\"\"}}\n[1]";
        let all = parse(text, Some("logs")).unwrap();
        let names: Vec<(&str, &str, Option<&str>)> =
            all.iter().map(|it| (it.name.as_str(), it.index.as_str(), it.id.as_deref())).collect();
        assert_eq!(
            names,
            [
                ("index", "logs", None),
                ("create", "x", Some("7")),
                ("delete", "logs", Some("d")),
                ("update", "logs", Some("u")),
                ("index", "logs", None),
            ]
        );
        assert_eq!(all[0].item.as_ref().unwrap().document, "{\"a\":1}");
        assert!(all[2].item.is_err() && all[3].item.is_err());
    }

    #[test]
    fn what_is_unclear_is_refused_as_a_whole() {
        for text in [
            "",
            "\n",
            "{\"index\":{}}",
            "index\n{}\n",
            "{}\n{}\n",
            "{\"index\":{},\"create\":{}}\n{}\n",
            "{\"put\":{}}\n{}\n",
            "[1]\n{}\n",
        ] {
            assert_eq!(parse(text, Some("logs")).err().map(|it| it.kind), Some(Kind::Body), "{text}");
        }
        assert!(parse("{\"index\":{}}\n{}\n", None).is_err());
    }
}
