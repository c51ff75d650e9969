//! Which files are found, and in which order.

use std::fs;
use std::path::{Path, PathBuf};

use reader::{Discovery, PathError, PathNotice, Reader};

use crate::support::{Keep, gzip, record};

fn find(paths: &[&Path]) -> Result<Discovery, Vec<String>> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    Discovery::find(&paths, &mut std::io::empty())
        .map_err(|errors| errors.iter().map(|error| error.code().to_owned()).collect())
}

fn names(found: &Discovery, root: &Path) -> Vec<String> {
    for (place, input) in found.inputs.iter().enumerate() {
        assert_eq!(input.id as usize, place);
    }
    let shorten = |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned();
    found.inputs.iter().map(|input| shorten(input.path())).collect()
}

/// A folder with these files; each holds one record, except as its name says.
fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => gzip(record(1).as_bytes()),
            Some("bin") => vec![0; 100],
            Some("txt") => b"notes".to_vec(),
            _ => record(1).into_bytes(),
        };
        fs::write(path, bytes).unwrap();
    }
    root
}

#[test]
fn folders_are_read_whole_and_in_order() {
    let root = tree(&[
        "b/2.json",
        "b/1.json.gz",
        "a.ndjson",
        "c/d/e/part-0001",
        "c/x.JSON",
        "README.md",
        "b/.DS_Store",
        ".git/x.json",
        "c/y.bin",
        "c/z.txt",
        "README",
    ]);
    let found = find(&[root.path()]).unwrap();
    assert_eq!(
        names(&found, root.path()),
        ["a.ndjson", "b/1.json.gz", "b/2.json", "c/d/e/part-0001", "c/x.JSON"]
    );
    assert_eq!(found.skipped, 5);
    assert!(found.notices.is_empty());
    assert_eq!(found.inputs[2].size, record(1).len() as u64);
}

/// A table of records is read, whatever else ends in `.csv` is passed over. Parquet is told when it is read.
#[test]
fn tables_in_folders_are_told_by_their_names() {
    let root = tree(&["a.json"]);
    let write = |name: &str, text: &str| fs::write(root.path().join(name), text).unwrap();
    write("insights.csv", "@timestamp,@message\nt,\"{\"\"eventName\"\":\"\"a\"\"}\"\n");
    write("athena.csv", "\"eventversion\",\"eventname\",\"awsregion\"\n\"1.08\",\"x\",\"y\"\n");
    write("other.csv", "name,value\nx,1\n");
    write("export", "_raw\n\"{\"\"eventName\"\":\"\"a\"\"}\"\n");
    write("lake.parquet", "PAR1");
    write("security-lake", "PAR1");
    write("paper", "%PDF-1.7");
    let found = find(&[root.path()]).unwrap();
    let expected = ["a.json", "athena.csv", "export", "insights.csv", "lake.parquet", "security-lake"];
    assert_eq!(names(&found, root.path()), expected);
    assert_eq!(found.skipped, 2);
}

#[test]
fn what_is_named_is_read_whatever_it_is_called() {
    let root = tree(&["notes.txt", "x.md"]);
    let (text, other) = (root.path().join("notes.txt"), root.path().join("x.md"));
    assert_eq!(names(&find(&[&text, &other]).unwrap(), root.path()), ["notes.txt", "x.md"]);
}

#[test]
fn the_order_of_paths_means_nothing_and_no_file_comes_twice() {
    let root = tree(&["a/1.json", "b/2.json"]);
    let (a, b, one) = (root.path().join("a"), root.path().join("b"), root.path().join("b/../a/1.json"));
    let forward = find(&[&a, &b, root.path()]).unwrap();
    let backward = find(&[root.path(), &b, &a]).unwrap();
    assert_eq!(names(&forward, root.path()), ["a/1.json", "b/2.json"]);
    assert_eq!(names(&backward, root.path()), ["a/1.json", "b/2.json"]);
    assert_eq!(find(&[&a, &one]).unwrap().inputs.len(), 1);
}

#[test]
fn patterns() {
    let root = tree(&["a/1.json", "a/2.json", "a/3.ndjson", "b/1.json", "b/c/1.json", "odd[1].json"]);
    let cases: [(&str, &[&str]); 6] = [
        ("a/*.json", &["a/1.json", "a/2.json"]),
        ("*/1.json", &["a/1.json", "b/1.json"]),
        ("**/1.json", &["a/1.json", "b/1.json", "b/c/1.json"]),
        ("a/[23].*", &["a/2.json", "a/3.ndjson"]),
        ("{a,b}/?.json", &["a/1.json", "a/2.json", "b/1.json"]),
        // A file of that name comes before a pattern.
        ("odd[1].json", &["odd[1].json"]),
    ];
    for (pattern, expected) in cases {
        let found = find(&[&root.path().join(pattern)]).unwrap();
        assert_eq!(names(&found, root.path()), expected, "{pattern}");
    }
    assert_eq!(find(&[&root.path().join("z/*.json")]).unwrap_err(), ["PATH002"]);
    assert_eq!(find(&[&root.path().join("a/[.json")]).unwrap_err(), ["PATH003"]);
}

fn codes(found: &Discovery) -> Vec<&'static str> {
    found.failures.iter().map(PathError::code).collect()
}

#[test]
fn a_bad_path_costs_only_itself() {
    let root = tree(&["a.json"]);
    let [a, b, c, d] = ["x.json", "y", "z/*.json", "[.json"].map(|name| root.path().join(name));
    let found = find(&[&a, root.path(), &b, &c, &d]).unwrap();
    assert_eq!(names(&found, root.path()), ["a.json"]);
    assert_eq!(codes(&found), ["PATH001", "PATH001", "PATH002", "PATH003"]);
    assert_eq!(find(&[&a, &b]).unwrap_err(), ["PATH001", "PATH001"], "nothing is left to read");
}

#[cfg(unix)]
fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Nobody writes to it: to open it would be to wait forever.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let root = tree(&["a.json", "b/c.json"]);
    pipe(&root.path().join("b/pipe.json"));
    std::os::unix::fs::symlink("pipe.json", root.path().join("b/link.json")).unwrap();
    let socket = root.path().join("socket");
    let _listens = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    for path in [root.path().to_owned(), root.path().join("**/*")] {
        let found = find(&[&path]).unwrap();
        assert_eq!(names(&found, root.path()), ["a.json", "b/c.json"]);
        let first = root.path().join("b/link.json");
        assert_eq!(found.notices, [PathNotice::Special { path, count: 3, first }]);
        assert!(found.failures.is_empty());
    }
    let found = find(&[&root.path().join("a.json"), &socket, Path::new("/dev/zero")]).unwrap();
    assert_eq!(names(&found, root.path()), ["a.json"]);
    assert_eq!(codes(&found), ["PATH007", "PATH007"]);
}

#[cfg(unix)]
#[test]
fn a_pipe_that_is_named_is_read_as_the_standard_input_is() {
    let root = tree(&["a.json"]);
    let path = root.path().join("pipe");
    pipe(&path);
    let writer = std::thread::spawn({
        let path = path.clone();
        move || fs::write(path, record(7)).unwrap()
    });
    let found = find(&[&path, &root.path().join("a.json"), &path]).unwrap();
    writer.join().unwrap();
    let [piped, file] = &found.inputs[..] else { panic!("{:?}", found.inputs) };
    assert_eq!((piped.name(), file.id), (&*path.display().to_string(), 1));
    for _ in 0..2 {
        let mut keep = Keep::default();
        Reader::default().read(piped, &mut keep);
        assert_eq!(keep.texts(), [record(7)]);
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_nothing_and_a_loop_of_links_are_told() {
    let root = tree(&["a.json"]);
    std::os::unix::fs::symlink("gone.json", root.path().join("b.json")).unwrap();
    std::os::unix::fs::symlink(".", root.path().join("c")).unwrap();
    let found = find(&[root.path()]).unwrap();
    assert_eq!(names(&found, root.path()), ["a.json"]);
    assert_eq!(codes(&found), ["PATH006", "PATH006"]);
}

#[test]
fn an_empty_folder_is_told() {
    let root = tree(&["a/README.md", "b/1.json"]);
    let empty = root.path().join("a");
    let found = find(&[&empty, &root.path().join("b")]).unwrap();
    assert_eq!(found.notices, [PathNotice::EmptyFolder { path: empty, skipped: 1 }]);
    assert_eq!(found.inputs.len(), 1);
}

#[test]
fn the_standard_input_can_be_read_twice() {
    let text = format!("{}\n{}\n", record(1), record(2));
    let found = Discovery::find(&["-".into(), "-".into()], &mut text.as_bytes()).unwrap();
    let [input] = &found.inputs[..] else { panic!("{:?}", found.inputs) };
    assert_eq!((input.name(), input.size), ("standard input", text.len() as u64));
    let path = input.path().to_owned();
    for _ in 0..2 {
        let mut keep = Keep::default();
        Reader::default().read(input, &mut keep);
        assert_eq!(keep.texts(), [record(1), record(2)]);
    }
    let kept = input.clone();
    drop(found);
    assert!(path.exists());
    drop(kept);
    assert!(!path.exists());
}

#[test]
fn pruning_keeps_what_may_matter() {
    let day = "AWSLogs/111122223333/CloudTrail/eu-west-1/2024/01";
    let named = |day: &str, stamp: &str| {
        format!(
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2024/01/{day}/111122223333_CloudTrail_eu-west-1_{stamp}_x.json.gz"
        )
    };
    let files = [
        named("01", "20240101T1200Z"),
        named("03", "20240103T1159Z"),
        named("04", "20240104T1200Z"),
        named("05", "20240105T1300Z"),
        format!("{day}/04/export.json.gz"),
        "other.json".to_owned(),
    ];
    let root = tree(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let mut found = find(&[root.path()]).unwrap();
    // From noon on the third of January. What was delivered later may have happened at any time before.
    assert_eq!(found.prune(1_704_283_200_000), 1);
    let mut expected = files[1..].to_vec();
    expected.sort();
    assert_eq!(names(&found, root.path()), expected);
    let key = found.inputs[0].s3.as_ref().unwrap();
    assert_eq!((key.account.as_deref(), key.region.as_deref()), (Some("111122223333"), Some("eu-west-1")));
    assert_eq!(found.prune(i64::MIN), 0);
}
