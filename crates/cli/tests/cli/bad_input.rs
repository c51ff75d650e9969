//! Input that cannot be read: one clear message with place and cause, counted, and nothing else lost.

use crate::setup::{Folder, gzip, refused};

/// A hunt in `input`; gives the roles that alerted, and what it says on standard error.
fn hunted(folder: &Folder, more: &[&str]) -> (Vec<String>, String) {
    let mut arguments = vec!["hunt", "input", "-f", "ndjson", "--only", "EC2 Admin", "--now", "2026-04-01"];
    arguments.extend(more);
    let ran = folder.run(&arguments);
    let code = if ran.err.contains("could not be read") { 3 } else { 0 };
    let mut roles: Vec<String> = ran
        .printed(code)
        .lines()
        .map(|line| {
            let alert: serde_json::Value = serde_json::from_str(line).unwrap();
            let term = alert["kibana.alert.new_terms"][0].as_str().unwrap();
            term.rsplit('/').next().unwrap().to_owned()
        })
        .collect();
    roles.sort();
    (roles, ran.err)
}

fn line(role: &str) -> String {
    refused(role, "2026-03-02T10:00:00Z", role).to_string() + "\n"
}

/// One file beside a good one. The good one alerts, as do these roles of the bad one; the message is this one.
fn case(name: &str, bytes: impl AsRef<[u8]>, more: &[&str], roles: &[&str], message: &str) {
    let folder = Folder::new();
    folder.write("input/good.json", line("good"));
    folder.write(&format!("input/{name}"), bytes);
    let (found, said) = hunted(&folder, more);
    let mut expected: Vec<&str> = roles.iter().copied().chain(["good"]).collect();
    expected.sort_unstable();
    assert_eq!(found, expected, "{said}");
    let problems: Vec<&str> = said.lines().filter(|it| it.contains(name)).collect();
    assert_eq!(problems.len(), 1, "one message: {said}");
    assert!(problems[0].contains(message), "{said}");
    assert!(said.contains("warning: 1 part of the input could not be read:"), "{said}");
}

#[test]
fn a_gzip_file_that_is_cut_off() {
    let folder = Folder::new();
    // Random roles do not compress, so that half the file holds whole records.
    let text: String =
        (0..400_u32).map(|at| line(&format!("r{:x}", at.wrapping_mul(2_654_435_761)))).collect();
    let whole = gzip(text.as_bytes());
    folder.write("input/good.json", line("good"));
    folder.write("input/cut.json.gz", &whole[..whole.len() / 2]);
    let (found, said) = hunted(&folder, &["--max-signals", "1000"]);
    assert!(found.len() > 50 && found.contains(&"good".to_owned()), "{} alerts; {said}", found.len());
    assert!(said.contains("input/cut.json.gz: the compressed data is cut off"), "{said}");
}

#[test]
fn data_that_is_no_gzip() {
    let bytes = b"\x1f\x8b\x08 and so on, which is no gzip data at all";
    case("not.json.gz", bytes, &[], &[], "the compressed data is damaged");
}

#[test]
fn broken_json_in_the_middle() {
    let text = line("before") + "{\"eventName\": nope}\n" + &line("after");
    case("lines.ndjson", &text, &[], &["before", "after"], "lines.ndjson, record 2: CT001: ");
    let records = [line("before"), "{\"eventName\": nope}".to_owned(), line("after")].join(",");
    let text = format!("{{\"Records\":[{records}]}}");
    case("trail.json", text, &[], &["before", "after"], "trail.json, record 2: CT001: ");
}

#[test]
fn a_line_beyond_the_limit() {
    let mut text = line("before").into_bytes();
    text.extend(b"{\"eventVersion\":\"1.10\",\"requestParameters\":{\"x\":\"");
    text.resize(text.len() + (40 << 20), b'A');
    text.extend(b"\"}}\n");
    text.extend(line("after").into_bytes());
    let message = "long.ndjson, line 2, byte ";
    case("long.ndjson", &text, &[], &["before", "after"], message);
    let advice = "raise the limit (--max-record-bytes)";
    case("long.ndjson", &text, &["--max-record-bytes", "1000000"], &["before", "after"], advice);
    // Compressed, it never exists as a whole.
    case("long.ndjson.gz", gzip(&text), &[], &["before", "after"], "is longer than 16777216 bytes");
}

#[test]
fn nesting_beyond_the_limit() {
    let deep = format!(
        "{{\"eventVersion\":\"1.10\",\"requestParameters\":{}1{}}}\n",
        "{\"a\":".repeat(10_000),
        "}".repeat(10_000)
    );
    let text = line("before") + &deep + &line("after");
    let message = "deep.ndjson, line 2, byte ";
    case("deep.ndjson", &text, &[], &["before", "after"], message);
    case("deep.ndjson", &text, &["--max-depth", "20"], &["before", "after"], "nests deeper than 20 levels");
    // Within the limit of nesting it is read.
    let nested =
        line("nested").replace("\"i-0example000000001\"", &format!("{}1{}", "[".repeat(90), "]".repeat(90)));
    let folder = Folder::new();
    folder.write("input/nested.json", nested);
    let (found, said) = hunted(&folder, &[]);
    assert_eq!(found, ["nested"]);
    assert!(said.starts_with("1 alert\n") && !said.contains("warning"), "{said}");
}

#[test]
fn bytes_that_are_no_utf8() {
    let mut text = line("before").into_bytes();
    text.extend(line("X").into_bytes().iter().map(|&byte| if byte == b'X' { 0xff } else { byte }));
    text.extend(line("after").into_bytes());
    case("bytes.ndjson", text, &[], &["before", "after"], "bytes.ndjson, line 2, byte ");
}

#[test]
fn a_compression_bomb() {
    let bomb = gzip(&vec![b' '; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    case("bomb.json.gz", &bomb, &["--max-ratio", "100"], &[], "(--max-ratio)");
    case("bomb.json.gz", &bomb, &["--max-file-bytes", "1000000"], &[], "(--max-file-bytes)");
}

#[test]
fn files_of_other_kinds() {
    case("empty.json", "", &[], &[], "the file is empty");
    case(
        "binary.json",
        (0..=255).cycle().take(4_000).collect::<Vec<u8>>(),
        &[],
        &[],
        "this is a binary file",
    );
    case("prose.json", "Dear customer,\n", &[], &[], "this is not JSON");
}

#[test]
fn folders_links_and_other_things() {
    let folder = Folder::new();
    folder.write("input/good.json", line("good"));
    std::fs::create_dir(folder.join("input/folder.json")).unwrap();
    let (found, said) = hunted(&folder, &[]);
    assert_eq!(found, ["good"]);
    assert!(said.starts_with("1 alert\n") && !said.contains("warning"), "{said}");

    std::fs::create_dir(folder.join("nothing")).unwrap();
    let ran = folder.run(&["hunt", "nothing"]);
    let warnings: Vec<&str> = ran.printed(2).lines().filter(|it| it.starts_with("warning: ")).collect();
    let expected = "warning: `nothing` holds no file of records (0 of other kinds were passed over); check the \
                    path, or name the files themselves";
    assert_eq!(warnings, [expected]);
}

#[test]
fn a_bad_path_beside_a_good_one() {
    let folder = Folder::new();
    folder.write("input/good.json", line("good"));
    let (found, said) = hunted(&folder, &["absent.json", "none-*.json"]);
    assert_eq!(found, ["good"]);
    assert!(said.contains("warning: 2 parts of the input could not be read:"), "{said}");
    assert!(said.contains("PATH001 `absent.json` ") && said.contains("PATH002 no file matches"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing() {
    let folder = Folder::new();
    folder.write("input/good.json", line("good"));
    std::os::unix::fs::symlink("/nowhere/at/all", folder.join("input/gone.json")).unwrap();
    let (found, said) = hunted(&folder, &[]);
    assert_eq!(found, ["good"]);
    assert!(
        said.contains("PATH006 a part of `input` cannot be read: ") && said.contains("gone.json"),
        "{said}"
    );
}

#[test]
fn a_rule_with_an_error() {
    let folder = Folder::new();
    folder.write("input/good.json", line("good"));
    let rule = |query: &str| {
        format!(
            "[rule]\nname = \"EC2 Admin\"\ndescription = \"Of the tests.\"\nseverity = \"low\"\nrisk_score = 21\n\
             type = \"query\"\nquery = '{query}'\n"
        )
    };
    folder.write("rules/good.toml", rule("event.action: GetPasswordData"));
    folder.write("rules/bad.toml", rule("event.action: (GetPasswordData"));
    let ran = folder.run(&["hunt", "input", "-r", "rules", "-f", "csv"]);
    assert_eq!(ran.printed(0).lines().count(), 2, "the good rule runs");
    insta::assert_snapshot!("bad_rule", ran.err);
    let ran = folder.run(&["hunt", "input", "-r", "rules/bad.toml"]);
    insta::assert_snapshot!("only_bad_rules", ran.error());
}

/// Everything at once: each is one of the parts that could not be read.
#[test]
fn all_of_it_is_counted() {
    let folder = Folder::new();
    folder.write("input/good.json", line("good"));
    folder.write("input/empty.json", "");
    folder.write("input/broken.ndjson", line("a") + "{\"eventName\": nope}\n");
    folder.write("input/prose.json", "Dear customer,\n");
    let ran = folder.run(&["hunt", "input", "--only", "EC2 Admin", "--now", "2026-04-01"]);
    assert!(ran.printed(3).contains("warning: 3 parts of the input could not be read:"), "{}", ran.out);
}

/// No result is not a good result.
#[test]
fn input_of_which_nothing_can_be_read_has_a_status() {
    let folder = Folder::new();
    folder.write("empty.json", "");
    folder.write("none.json", "{\"Records\":[]}");
    for (file, code) in [("empty.json", 2), ("none.json", 0)] {
        for command in [["hunt", file].as_slice(), &["normalize", file], &["query", "user.name: x", file]] {
            let ran = folder.run(command);
            // A hunt needs something that its rules could see.
            let code = if command[0] == "hunt" { 2 } else { code };
            assert_eq!(ran.code, Some(code), "{command:?}: {ran:?}");
            assert!(file == "none.json" || (ran.out.clone() + &ran.err).contains("READ002"), "{ran:?}");
        }
    }
}

/// The result must not cost the evidence.
#[test]
fn the_output_does_not_replace_the_input() {
    let folder = Folder::new();
    folder.write("input/calls.json", line("ci"));
    folder.write("input/page.html", "old");
    folder.write("known.ndjson", "");
    for (arguments, file) in [
        (["hunt", "input/calls.json", "-o", "input/calls.json"].as_slice(), "input/calls.json"),
        (&["hunt", "input", "-o", "input/../input/calls.json"], "input/calls.json"),
        (&["hunt", "input", "--alert-history", "known.ndjson", "-o", "known.ndjson"], "known.ndjson"),
    ] {
        let before = std::fs::read(folder.join(file)).unwrap();
        let ran = folder.run(arguments);
        assert!(ran.error().contains("is one of the files that are read"), "{ran:?}");
        assert_eq!(std::fs::read(folder.join(file)).unwrap(), before);
    }
    // What is not read may be replaced, wherever it lies.
    for _ in 0..2 {
        folder.run(&["hunt", "input", "-f", "html", "-o", "input/page.html"]).printed(0);
        folder.run(&["hunt", "input", "-o", "/dev/null"]).printed(0);
    }
}

#[test]
fn nobody_listens() {
    let folder = Folder::new();
    let mut command = folder.command(&["rules", "show", ""]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_path_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = Folder::new();
    let name = std::ffi::OsStr::from_bytes(b"calls\xff.json");
    // Not every file system takes such a name.
    if std::fs::write(folder.path().join(name), line("ci")).is_ok() {
        let output = folder.command(&["normalize"]).arg(name).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(!output.stdout.is_empty());
    }
}
