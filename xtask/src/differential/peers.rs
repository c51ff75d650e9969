//! The two peers: the translator of queries, a process, and the node that searches.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::http::Client;
use super::{Answer, World};

/// A process that reads one `{"query", "fields"}` a line and answers each with `{"dsl"}` or `{"error"}`.
#[derive(Debug)]
pub(super) struct Translator {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Translator {
    /// Starts the process: the words of `command`, split at spaces.
    pub(super) fn start(command: &str) -> anyhow::Result<Self> {
        let mut words = command.split_whitespace();
        let program = words.next().context("the command for KQL is empty")?;
        let mut child = Command::new(program)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {program}"))?;
        let output = BufReader::new(child.stdout.take().context("the process has no output")?);
        let input = child.stdin.take();
        Ok(Self { child, input, output })
    }

    /// Query DSL for each query, or why there is none.
    pub(super) fn translate(
        &mut self,
        queries: &[String],
        fields: &Value,
    ) -> anyhow::Result<Vec<Result<Value, String>>> {
        let input = self.input.as_mut().context("the process has no input")?;
        let mut answers = Vec::with_capacity(queries.len());
        // One at a time keeps either pipe from filling up; the process answers in microseconds.
        for query in queries {
            writeln!(input, "{}", json!({"query": query, "fields": fields}))?;
            input.flush()?;
            let mut line = String::new();
            anyhow::ensure!(self.output.read_line(&mut line)? > 0, "the KQL process ended");
            // A message may quote half a surrogate pair, which is no JSON to us.
            let mut answer =
                serde_json::from_str(&line).unwrap_or_else(|_| json!({"error": line.trim_end()}));
            answers.push(match answer.get_mut("dsl") {
                Some(dsl) => Ok(Value::take(dsl)),
                None => Err(answer.get("error").map(Value::to_string).unwrap_or_default()),
            });
        }
        Ok(answers)
    }
}

impl Drop for Translator {
    fn drop(&mut self) {
        self.input = None;
        // The end of its input ends it; a failure here changes no verdict.
        let _ = self.child.wait();
    }
}

/// The node that holds the documents of one world at a time.
#[derive(Debug)]
pub(super) struct Node {
    client: Client,
    index: String,
}

impl Node {
    /// A node at `url`; the index of this run is called `index`.
    pub(super) fn new(url: &str, index: String) -> anyhow::Result<Self> {
        Ok(Self { client: Client::new(url)?, index })
    }

    /// Makes the index anew with these documents, and drops from `world` those that the node refuses.
    pub(super) fn load(&mut self, world: &mut World) -> anyhow::Result<()> {
        let index = self.index.clone();
        self.client.request("DELETE", &format!("/{index}"), "")?;
        let settings = json!({
            // Hidden from patterns, which another run may ask at the same time.
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, "hidden": true},
            "mappings": world.mapping,
        });
        let (status, body) = self.client.request("PUT", &format!("/{index}"), &settings.to_string())?;
        anyhow::ensure!(status == 200, "the node refuses the mapping: {body}");
        if world.documents.is_empty() {
            return Ok(());
        }
        let mut lines = String::new();
        for (id, document) in &world.documents {
            let action = json!({"index": {"_id": id}});
            lines.extend([
                action.to_string(),
                "\n".to_owned(),
                Value::Object(document.clone()).to_string(),
                "\n".to_owned(),
            ]);
        }
        let (status, body) = self.client.request("POST", &format!("/{index}/_bulk?refresh=true"), &lines)?;
        anyhow::ensure!(status == 200, "the node refuses the documents: {body}");
        let answer: Value = serde_json::from_str(&body)?;
        let items = answer["items"].as_array().context("no items in the answer")?;
        let refused: Vec<bool> = items.iter().map(|item| !item["index"]["error"].is_null()).collect();
        let mut refused = refused.iter();
        world.documents.retain(|_| !refused.next().copied().unwrap_or(false));
        Ok(())
    }

    /// The documents that each query finds.
    pub(super) fn search(&mut self, queries: &[Value]) -> anyhow::Result<Vec<Answer>> {
        if queries.is_empty() {
            return Ok(Vec::new());
        }
        let mut lines = String::new();
        for query in queries {
            let search = json!({"query": query, "_source": false, "size": 1000});
            lines.extend(["{}\n".to_owned(), search.to_string(), "\n".to_owned()]);
        }
        let (status, body) = self.client.request("POST", &format!("/{}/_msearch", self.index), &lines)?;
        let answer: Value = serde_json::from_str(&body)?;
        if status != 200 {
            // One search that cannot be parsed fails all of a request: halves find out which.
            let [only] = queries else {
                let (left, right) = queries.split_at(queries.len() / 2);
                let mut answers = self.search(left)?;
                answers.extend(self.search(right)?);
                return Ok(answers);
            };
            anyhow::ensure!(status == 400, "the node fails with {status} on {only}: {body}");
            return Ok(vec![answer_of(&answer)]);
        }
        let responses = answer["responses"].as_array().context("no responses in the answer")?;
        anyhow::ensure!(responses.len() == queries.len(), "an answer is missing");
        Ok(responses.iter().map(answer_of).collect())
    }

    /// Removes the index.
    pub(super) fn clear(&mut self) -> anyhow::Result<()> {
        self.client.request("DELETE", &format!("/{}", self.index), "")?;
        Ok(())
    }
}

/// Why the node refuses a search; `None` if it answers.
pub(super) fn refusal(response: &Value) -> Option<String> {
    let error = response.get("error")?;
    let reason = error.pointer("/root_cause/0/reason").or_else(|| error.get("reason"));
    Some(reason.and_then(Value::as_str).unwrap_or("no reason given").to_owned())
}

fn answer_of(response: &Value) -> Answer {
    if let Some(reason) = refusal(response) {
        return Answer::Refused(reason);
    }
    let hits = response.pointer("/hits/hits").and_then(Value::as_array);
    let ids = hits.into_iter().flatten().filter_map(|hit| hit["_id"].as_str());
    Answer::found(ids.map(str::to_owned))
}

/// The questions of a query one by one, each within the nested groups it stands in.
pub(super) fn leaves(dsl: &Value) -> Vec<Value> {
    if let Some(query) = dsl.get("bool").and_then(Value::as_object) {
        let clauses = query.values().flat_map(|clauses| match clauses {
            Value::Array(clauses) => clauses.iter().flat_map(leaves).collect(),
            Value::Object(_) => leaves(clauses),
            // `minimum_should_match`.
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        });
        return clauses.collect();
    }
    let Some(group) = dsl.get("nested") else { return vec![dsl.clone()] };
    let within = |leaf: Value| {
        let mut group = group.clone();
        group["query"] = leaf;
        json!({"nested": group})
    };
    leaves(&group["query"]).into_iter().map(within).collect()
}
