//! Cases written by hand: a text, the records in it and the problems with it.
//!
//! A case starts with `=== title`. `limits:` and `mode:` may follow. `--- input` is the text, without
//! its last line feed. `--- records` has one line a record: kind, `_id=` and `_index=` if there, and the JSON without its white
//! space. `--- problems` has one line a problem: code, line, byte, and for what is known and no record how often it comes and
//! what it is. In the input `@base64:{…}` and `@gzip64:{…}` stand for the object in Base64, compressed or not.

use std::fmt::Write as _;

use reader::{Cause, Limits, Options, Reading};

use crate::support::{Keep, base64, gzip, read_with, sha256};

#[derive(Default)]
struct Case {
    title: String,
    options: Options,
    input: String,
    expected: String,
}

#[test]
fn cases() {
    let mut count = 0;
    let mut failures = String::new();
    for file in std::fs::read_dir("tests/cases").unwrap() {
        let path = file.unwrap().path();
        for case in parse(&std::fs::read_to_string(&path).unwrap()) {
            count += 1;
            let title = format!("{}: {}", path.display(), case.title);
            // However much is held at a time, and decompressed in one piece or not, the result is the same.
            for window_bytes in [1, 2, 7, 63, 64, 65, 200, 1 << 20] {
                let mut options = case.options.clone();
                options.limits.window_bytes = window_bytes;
                // Nor does it depend on whether hashes are taken, and these are of all of the text.
                options.hashes = true;
                let (found, _) = read_with(options, case.input.as_bytes());
                check(&mut failures, &found, &case, &format!("{title}, window of {window_bytes}"));
                let hash = sha256(case.input.as_bytes());
                assert_eq!(found.hashes, [(None, Some(hash))], "{title}, window of {window_bytes}");
            }
            let (found, _) = read_with(case.options.clone(), &gzip(case.input.as_bytes()));
            check(&mut failures, &found, &case, &format!("{title}, gzip"));
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 40, "only {count} cases found");
}

fn check(failures: &mut String, found: &Keep, case: &Case, title: &str) {
    let shown = shown(found);
    if shown != case.expected {
        writeln!(failures, "{title}:\n{shown}instead of\n{}", case.expected).unwrap();
    }
}

fn parse(file: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut section = "";
    for line in file.lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            cases.push(Case { title: title.to_owned(), ..Case::default() });
            section = "";
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(name) = line.strip_prefix("--- ") {
            section = name;
            continue;
        }
        match section {
            "" => header(case, line),
            "input" => writeln!(case.input, "{line}").unwrap(),
            "records" | "problems" if line.is_empty() => {}
            "records" | "problems" => writeln!(case.expected, "{line}").unwrap(),
            other => panic!("{}: no such section: {other}", case.title),
        }
    }
    for case in &mut cases {
        case.input.pop();
        case.input = packed(&case.input);
    }
    cases
}

/// The input with what it says is packed, packed.
fn packed(input: &str) -> String {
    let mut out = String::new();
    let mut rest = input;
    while let Some(at) = rest.find("@base64:").into_iter().chain(rest.find("@gzip64:")).min() {
        let (before, marked) = rest.split_at(at);
        let (mark, object) = marked.split_at("@base64:".len());
        // The object is the longest text that ends with a bracket and is JSON.
        let is_object = |&end: &usize| serde_json::from_str::<serde_json::Value>(&object[..end]).is_ok();
        let end = object.match_indices('}').map(|(at, _)| at + 1).find(is_object).unwrap();
        let bytes = &object.as_bytes()[..end];
        out.push_str(before);
        out.push_str(&base64(&if mark == "@gzip64:" { gzip(bytes) } else { bytes.to_vec() }));
        rest = &object[end..];
    }
    out + rest
}

fn header(case: &mut Case, line: &str) {
    match line.split_once(": ") {
        None if line.is_empty() => {}
        Some(("why", _)) => {}
        Some(("mode", "plain")) => case.options.mode = Reading::Plain,
        Some(("limits", limits)) => {
            for limit in limits.split(' ') {
                let (name, value) = limit.split_once('=').unwrap();
                let value: usize = value.parse().unwrap();
                let Limits { record_bytes, depth, wrappers, problems, .. } = &mut case.options.limits;
                match name {
                    "record_bytes" => *record_bytes = value,
                    "depth" => *depth = value as u32,
                    "wrappers" => *wrappers = value as u32,
                    "problems" => *problems = value as u64,
                    other => panic!("{}: no such limit: {other}", case.title),
                }
            }
        }
        _ => panic!("{}: not a header: {line}", case.title),
    }
}

fn shown(found: &Keep) -> String {
    let mut out = String::new();
    for record in &found.records {
        write!(out, "{:?}", record.kind).unwrap();
        if let Some(id) = &record.id {
            write!(out, " _id={id}").unwrap();
        }
        if let Some(index) = &record.index {
            write!(out, " _index={index}").unwrap();
        }
        let value: Result<serde_json::Value, _> = serde_json::from_str(&record.text);
        writeln!(out, " {}", value.map_or_else(|_| record.text.clone(), |value| value.to_string())).unwrap();
    }
    for problem in &found.problems {
        write!(out, "{}", problem.cause.code()).unwrap();
        if let Some(place) = problem.place {
            write!(out, " {} {}", place.line, place.offset).unwrap();
        }
        if let Cause::Other { other, count } = &problem.cause {
            write!(out, " {count} {}", other.what).unwrap();
        }
        writeln!(out).unwrap();
    }
    out
}
