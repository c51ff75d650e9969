//! A folder to run in, records for it, and the command.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// What a run of the command came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Everything in one text, for snapshots.
    pub(crate) fn whole(&self) -> String {
        let code = self.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let mut text = format!("exit status: {code}\n--- standard output\n{}", settled(&self.out));
        if !self.err.is_empty() {
            text += &format!("--- standard error\n{}", settled(&self.err));
        }
        text
    }

    /// Asserts that it did not run, and says why: `error: …`.
    pub(crate) fn error(&self) -> &str {
        assert_eq!((self.code, self.out.as_str()), (Some(2), ""), "{}", self.err);
        self.err.trim_end().strip_prefix("error: ").unwrap_or_else(|| panic!("{}", self.err))
    }

    /// Asserts that it ran with this status and gives what it printed.
    pub(crate) fn printed(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        &self.out
    }
}

/// A folder with one of the cases that are kept as files.
pub(crate) fn case(name: &str) -> Folder {
    let folder = Folder::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    let mut folders = vec![root.clone()];
    while let Some(path) = folders.pop() {
        for entry in std::fs::read_dir(&path).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                folder.write(name, std::fs::read(&path).unwrap());
            }
        }
    }
    folder
}

/// The records of all packed files below a folder, in the order of their ids.
pub(crate) fn records_below(folder: &Path) -> Vec<Value> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "gz") {
                let mut text = String::new();
                let file = std::fs::File::open(path).unwrap();
                flate2::read::MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
                let mut file: Value = serde_json::from_str(&text).unwrap();
                found.append(file["Records"].as_array_mut().unwrap());
            }
        }
    }
    found.sort_by_key(|it| it["eventID"].as_str().unwrap_or_default().to_owned());
    found
}

/// Without what differs from run to run.
fn settled(text: &str) -> String {
    let speed = regex::Regex::new(r"(executions?; ).*").unwrap();
    speed.replace_all(text, "${1}[time and rate]").into_owned()
}

/// A folder that goes away with the test.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A folder with `calls.ndjson`: three refused calls by two roles and one that was allowed.
    pub(crate) fn with_calls() -> Self {
        let folder = Self::new();
        let mut allowed = refused("e-4", "2026-03-02T11:00:00Z", "ops");
        allowed.as_object_mut().unwrap().retain(|key, _| !key.starts_with("error"));
        folder.lines(
            "calls.ndjson",
            &[
                refused("e-1", "2026-03-02T10:00:00Z", "ci"),
                refused("e-2", "2026-03-02T10:01:00Z", "ci"),
                refused("e-3", "2026-03-04T06:30:00Z", "backup"),
                allowed,
            ],
        );
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Records, one a line.
    pub(crate) fn lines(&self, name: &str, records: &[Value]) {
        self.write(name, records.iter().map(|it| it.to_string() + "\n").collect::<String>());
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_by(&[], arguments)
    }

    /// The command by a program that becomes it, found where programs are.
    pub(crate) fn command_by(&self, by: &[&str], arguments: &[&str]) -> Command {
        let program = env!("CARGO_BIN_EXE_trailwarden");
        let mut command = match by {
            [] => Command::new(program),
            [by, its @ ..] => {
                let mut command = Command::new(by);
                command.args(its).arg(program);
                command
            }
        };
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    pub(crate) fn run_with(&self, input: &[u8], arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Whoever does not read its input to the end may close it.
        let _ = child.stdin.take().unwrap().write_all(input);
        finish(child)
    }
}

fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A refused `GetPasswordData` by a role.
pub(crate) fn refused(id: &str, time: &str, role: &str) -> Value {
    json!({
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLEROLE:{role}"),
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/session-1"),
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEROLE",
                "arn": format!("arn:aws:iam::111122223333:role/{role}"),
                "accountId": "111122223333",
                "userName": role,
            }},
        },
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": "GetPasswordData",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "203.0.113.20",
        "userAgent": "aws-cli/2.15.30",
        "errorCode": "Client.UnauthorizedOperation",
        "errorMessage": "You are not authorized to perform this operation.",
        "requestParameters": {"instanceId": "i-0example000000001"},
        "responseElements": null,
        "eventID": id,
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
    })
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}
