//! The data of a round: records as they were delivered and, in other indices, as documents.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use ecs::{Millis, Object};
use fastrand::Rng;
use hunt::{Document, NormalizeOptions, Progress};
use reader::Discovery;
use serde_json::{Value, json};

use crate::differential::world::pick;

/// Where the documents of some files are put, so that index patterns have something to choose from.
const OTHER_INDICES: &[&str] = &[
    "filebeat-8.19.0",
    "filebeat-8.19.0",
    "logs-aws.cloudtrail-prod",
    "logs-aws.s3access-default",
    "logs-okta.system-default",
    "winlogbeat-8.19.0",
];

/// How many different values of a field are kept to make clauses from.
const VALUES: usize = 40;
/// Longer values are of no use in a clause.
const VALUE_LENGTH: usize = 200;

/// One event of the data, as the node knows it.
#[derive(Clone, Debug)]
pub(super) struct Event {
    /// The document; events that are delivered twice are here twice.
    pub(super) document: Document,
    /// Which file it came from.
    pub(super) file: usize,
}

impl Event {
    /// What to call it: index and id.
    pub(super) fn name(&self) -> String {
        name(&self.document.index, &self.document.id)
    }
}

/// The name of an event.
pub(super) fn name(index: &str, id: &str) -> String {
    format!("{index}/{id}")
}

/// The files, and the documents of all their records.
#[derive(Debug)]
pub(super) struct Corpus {
    /// What a hunt reads: the files whose records stay as they are, and one with the documents of the others.
    pub(super) paths: Vec<PathBuf>,
    /// The documents that a node gets for them.
    pub(super) events: Vec<Event>,
    /// The files as they were given.
    files: Vec<PathBuf>,
    /// The index of each file's documents, if they are given as such.
    indices: Vec<Option<&'static str>>,
    /// Holds the file of documents.
    folder: PathBuf,
}

impl Corpus {
    /// Some of the files, until they have so many records; `None` is all. What it writes goes into `folder`.
    pub(super) fn take(
        files: &[PathBuf],
        records: Option<usize>,
        folder: &Path,
        now: Millis,
        rng: &mut Rng,
    ) -> anyhow::Result<Self> {
        let mut files = files.to_vec();
        if records.is_some() {
            rng.shuffle(&mut files);
        }
        let mut corpus = Self {
            paths: Vec::new(),
            events: Vec::new(),
            files: Vec::new(),
            indices: Vec::new(),
            folder: folder.to_owned(),
        };
        for file in files {
            if records.is_some_and(|most| corpus.events.len() >= most) {
                break;
            }
            let documents = documents(&file, now)?;
            // Alerts, and documents with a time of their own for being indexed, are asked for in ways of their own.
            let is_odd = |it: &Document| {
                it.index.starts_with('.')
                    || it.source.get("event").is_some_and(|it| it.get("ingested").is_some())
            };
            if documents.is_empty() || documents.iter().any(is_odd) {
                continue;
            }
            let index = (rng.u8(0..4) == 0).then(|| *pick(rng, OTHER_INDICES));
            let number = corpus.files.len();
            corpus.events.extend(documents.into_iter().map(|mut document| {
                if let Some(index) = index {
                    index.clone_into(&mut document.index);
                }
                Event { document, file: number }
            }));
            corpus.files.push(file);
            corpus.indices.push(index);
        }
        anyhow::ensure!(!corpus.events.is_empty(), "there is no record in the data");
        corpus.write()?;
        Ok(corpus)
    }

    /// Leaves out the files that events come from.
    pub(super) fn leave_out(&mut self, events: &BTreeSet<usize>) -> anyhow::Result<()> {
        let out: BTreeSet<usize> = events.iter().map(|&at| self.events[at].file).collect();
        self.events.retain(|event| !out.contains(&event.file));
        for file in out {
            self.files[file].clear();
        }
        self.write()
    }

    /// The names of the indices.
    pub(super) fn indices(&self) -> BTreeSet<&str> {
        self.events.iter().map(|event| event.document.index.as_str()).collect()
    }

    /// Lists what a hunt reads, and writes the documents of the files that are given as such.
    fn write(&mut self) -> anyhow::Result<()> {
        let kept = self.files.iter().zip(&self.indices).filter(|(file, _)| !file.as_os_str().is_empty());
        self.paths = kept.filter(|(_, index)| index.is_none()).map(|(file, _)| file.clone()).collect();
        let of_documents = self.events.iter().filter(|event| self.indices[event.file].is_some());
        let lines: String = of_documents.map(|event| line(&event.document)).collect();
        if !lines.is_empty() {
            let path = self.folder.join("documents.ndjson");
            std::fs::write(&path, lines).with_context(|| path.display().to_string())?;
            self.paths.push(path);
        }
        Ok(())
    }

    /// The values that fields have, by their paths.
    pub(super) fn values(&self) -> BTreeMap<String, Vec<String>> {
        let mut values = BTreeMap::new();
        for event in &self.events {
            collect(&event.document.source, "", &mut values);
        }
        values
    }

    /// The fields of some events, with their values.
    pub(super) fn samples(&self, count: usize, rng: &mut Rng) -> Vec<BTreeMap<String, Vec<String>>> {
        let sample = |event: &Event| {
            let mut values = BTreeMap::new();
            collect(&event.document.source, "", &mut values);
            values
        };
        (0..count).map(|_| sample(pick(rng, &self.events))).collect()
    }

    /// The times of the events, ascending.
    pub(super) fn times(&self) -> Vec<Millis> {
        let time = |event: &Event| ecs::date::parse(event.document.source.get("@timestamp")?.as_str()?).ok();
        let mut times: Vec<Millis> = self.events.iter().filter_map(time).collect();
        times.sort_unstable();
        times
    }
}

/// One document as a line that a hunt reads.
pub(super) fn line(document: &Document) -> String {
    let Document { index, id, source } = document;
    format!("{}\n", json!({"_index": index, "_id": id, "_source": source}))
}

/// Writes a document into a file of its own.
pub(super) fn alone(document: &Document, folder: &Path) -> anyhow::Result<PathBuf> {
    let path = folder.join("alone.ndjson");
    let mut file = std::fs::File::create(&path).with_context(|| path.display().to_string())?;
    file.write_all(line(document).as_bytes())?;
    Ok(path)
}

/// The files below the given paths that may hold records.
pub(super) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let found = Discovery::find(paths, &mut std::io::empty()).map_err(|errors| {
        anyhow::anyhow!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    Ok(found.inputs.iter().map(|input| input.path().to_owned()).collect())
}

/// How records become events, here and in the hunts.
pub(super) fn normalise() -> cloudtrail::Options {
    cloudtrail::Options {
        tags: vec!["forwarded".to_owned(), "aws-cloudtrail".to_owned(), "actor_target_mapping".to_owned()],
        original: cloudtrail::Original::Tagged,
        envelope: Some(cloudtrail::Envelope::default()),
        ..cloudtrail::Options::default()
    }
}

fn documents(file: &Path, now: Millis) -> anyhow::Result<Vec<Document>> {
    let options = NormalizeOptions {
        paths: vec![file.to_owned()],
        stored: Vec::new(),
        normalise: normalise(),
        limits: reader::Limits::default(),
        now,
        copies: true,
    };
    let mut documents = Vec::new();
    hunt::normalize(&options, &mut std::io::empty(), &Progress::default(), &mut |document| {
        documents.push(document);
        true
    })?;
    Ok(documents)
}

fn collect(object: &Object, prefix: &str, values: &mut BTreeMap<String, Vec<String>>) {
    for (name, value) in object {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for item in items {
            let text = match item {
                Value::Object(inner) => {
                    collect(inner, &path, values);
                    continue;
                }
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => item.to_string(),
                Value::Null | Value::Array(_) => continue,
            };
            if text.len() > VALUE_LENGTH {
                continue;
            }
            let known = values.entry(path.clone()).or_default();
            if known.len() < VALUES && !known.contains(&text) {
                known.push(text);
            }
        }
    }
}
