//! Pairs of a record and the document that Elastic's pipelines make of it: read, run, compared field by field.
//!
//! Used by the integration tests of this crate and by `cargo xtask conformance`. The pairs lie outside the
//! repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use cloudtrail::{Geo, Normaliser, Options, ReadAt, RecordBuf, Retain, Version};
use serde_json::Value;

/// A record of a pair, and how its document compares.
pub(crate) struct Pair {
    /// Folder, file and line.
    pub(crate) id: String,
    /// The fields that differ, a line each: as they should be.
    pub(crate) expected: String,
    /// The same fields as they came.
    pub(crate) got: String,
}

/// What a document has before processing.
struct Config {
    read_at: String,
    tags: Vec<String>,
    retain: Retain,
}

const FOLDERS: [(&str, Version); 4] = [
    ("v8.9.0", Version::V8_9),
    ("v8.9.0-derived", Version::V8_9),
    ("v2.24.0", Version::V2_24),
    ("filebeat", Version::Filebeat),
];

/// Runs all pairs below a folder of shared data.
pub(crate) fn run(data: &Path) -> io::Result<Vec<Pair>> {
    let geo = Geo::open(&data.join("geoip-test")).map_err(io::Error::other)?;
    let geo = Arc::new(geo);
    let mut pairs = Vec::new();
    for (folder, version) in FOLDERS {
        let path = data.join("cloudtrail-ecs").join(folder);
        let mut files: Vec<PathBuf> =
            fs::read_dir(&path)?.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
        files.retain(|it| it.extension().is_some_and(|it| it == "log"));
        files.sort();
        for file in files {
            run_file(&file, folder, version, &geo, &mut pairs)?;
        }
    }
    Ok(pairs)
}

fn run_file(
    file: &Path,
    folder: &str,
    version: Version,
    geo: &Arc<Geo>,
    pairs: &mut Vec<Pair>,
) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let config = config(file)?;
    let options = Options {
        version,
        tags: config.tags,
        retain: config.retain,
        geo: Some(Arc::clone(geo)),
        ..Options::default()
    };
    let mut normaliser = Normaliser::new(options);
    let read_at =
        ReadAt::parse(&config.read_at).ok_or_else(|| io::Error::other("the time of reading is no time"))?;
    let text = fs::read_to_string(file)?;
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(file.with_extension("log-expected.json"))?)?;
    let expected = expected.get("expected").unwrap_or(&expected).as_array().cloned().unwrap_or_default();
    let mut offset = 0;
    let mut got = Vec::new();
    let mut buf = RecordBuf::default();
    for line in text.lines() {
        let mut document = Value::Object(normaliser.document(&buf.parse(line.as_bytes()), &read_at));
        if version == Version::Filebeat {
            // Filebeat drops empty lines, and adds what it knows of the file.
            if line.is_empty() {
                offset += 1;
                continue;
            }
            for (path, value) in [
                ("/event/module", Value::from("aws")),
                ("/event/dataset", "aws.cloudtrail".into()),
                ("/fileset.name", "cloudtrail".into()),
                ("/input.type", "log".into()),
                ("/service.type", "aws".into()),
                ("/log.offset", offset.into()),
            ] {
                let (parent, key) = path.rsplit_once('/').unwrap_or_default();
                if let Some(Value::Object(parent)) = document.pointer_mut(parent) {
                    parent.insert(key.to_owned(), value);
                }
            }
        }
        offset += line.len() + 1;
        got.push(document);
    }
    for index in 0..expected.len().max(got.len()) {
        let mut sides = [expected.get(index), got.get(index)].map(|it| fields(it, version));
        let [expected, got] = &mut sides;
        if version == Version::Filebeat {
            // These pairs lack the place of some addresses that the databases resolve.
            for part in ["source.geo.", "source.as."] {
                if !expected.keys().any(|it| it.starts_with(part)) {
                    got.retain(|it, _| !it.starts_with(part));
                }
            }
        }
        let paths: std::collections::BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
        let differ: Vec<&String> = paths.into_iter().filter(|it| expected.get(*it) != got.get(*it)).collect();
        let show = |side: &BTreeMap<String, String>| {
            let line = |it: &&String| format!("{it}: {}", side.get(*it).map_or("(absent)", String::as_str));
            differ.iter().map(line).collect::<Vec<_>>().join("\n")
        };
        pairs.push(Pair {
            id: format!("{folder}/{name}:{}", index + 1),
            expected: show(expected),
            got: show(got),
        });
    }
    Ok(())
}

/// The little YAML of the configurations: the file's own, else the folder's, else Filebeat's defaults.
fn config(file: &Path) -> io::Result<Config> {
    let own = file.with_extension("log-config.yml");
    let common = file.with_file_name("test-common-config.yml");
    let text = match [own, common].into_iter().find(|it| it.exists()) {
        Some(path) => fs::read_to_string(path)?,
        None => "'@timestamp': '2021-11-11T01:02:03Z'\ntags:\n- forwarded".to_owned(),
    };
    let mut config = Config { read_at: String::new(), tags: Vec::new(), retain: Retain::All };
    for line in text.lines().map(str::trim) {
        if let Some(tag) = line.strip_prefix("- ") {
            config.tags.push(tag.to_owned());
        } else if let Some(time) = line.strip_prefix("'@timestamp':") {
            time.trim().trim_matches('\'').clone_into(&mut config.read_at);
        } else if let Some(retain) = line.strip_prefix("retain:") {
            config.retain = match retain.trim() {
                "keyword" => Retain::Keyword,
                "flattened" => Retain::Flattened,
                "minimal" => Retain::Minimal,
                "none" => Retain::None,
                _ => Retain::All,
            };
        }
    }
    Ok(config)
}

/// The fields of a document with comparable values.
fn fields(document: Option<&Value>, version: Version) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    if let Some(document) = document {
        collect(document, String::new(), version, &mut fields);
    }
    fields
}

fn collect(value: &Value, path: String, version: Version, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) if !object.is_empty() || path.is_empty() => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                collect(value, path, version, fields);
            }
        }
        _ => {
            fields.insert(path, comparable(value, version));
        }
    }
}

/// Numbers by value, keys in order, and lists in order too where the pairs keep the order.
fn comparable(value: &Value, version: Version) -> String {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.as_i64().is_none() && number.as_u64().is_none() => format!("{float:?}"),
            _ => number.to_string(),
        },
        Value::Array(items) => {
            let mut items: Vec<String> = items.iter().map(|it| comparable(it, version)).collect();
            if version == Version::Filebeat {
                items.sort();
            }
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let sorted: BTreeMap<&String, String> =
                object.iter().map(|(key, it)| (key, comparable(it, version))).collect();
            format!("{sorted:?}")
        }
        _ => value.to_string(),
    }
}
