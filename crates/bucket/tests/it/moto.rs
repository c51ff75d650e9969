//! S3, SQS and SNS as the Python package moto plays them, and AWS's own client to put things there.
#![allow(dead_code, reason = "each test that has it uses a part of it")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

const SCRIPT: &str = r#"
import base64, json, sys
try:
    import boto3
    from moto.server import ThreadedMotoServer
except ImportError as error:
    print("missing", error, flush=True); sys.exit(0)
import logging
logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
print(url, flush=True)
clients = {}
for line in sys.stdin:
    asked = json.loads(line)
    service = asked["service"]
    if service not in clients:
        clients[service] = boto3.client(service, endpoint_url=url, region_name="eu-west-1",
            aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="secret")
    arguments = asked["arguments"]
    if "Body" in arguments and service == "s3":
        arguments["Body"] = base64.b64decode(arguments["Body"])
    try:
        told = getattr(clients[service], asked["call"])(**arguments)
        told.pop("ResponseMetadata", None)
        told.pop("Body", None)
    except Exception as error:
        told = {"error": str(error)}
    print(json.dumps(told, default=str), flush=True)
"#;

pub(crate) struct Moto {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub(crate) endpoint: String,
}

impl Moto {
    /// Starts it; says why not if it is not there.
    pub(crate) fn start() -> Result<Self, &'static str> {
        let child = Command::new("python3")
            .args(["-W", "ignore", "-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = child.map_err(|_| "python3")?;
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut moto = Self { child, input, output: BufReader::new(output), endpoint: String::new() };
        // Whatever the server says of itself begins with a star.
        while !moto.endpoint.starts_with("http") {
            let line = moto.line();
            if line.is_empty() || line.starts_with("missing") {
                return Err("the packages moto[server] and boto3");
            }
            moto.endpoint = line;
        }
        Ok(moto)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// Has something done by AWS's client.
    pub(crate) fn call(&mut self, service: &str, call: &str, arguments: Value) -> Value {
        let asked = [("service", service.into()), ("call", call.into()), ("arguments", arguments)];
        let asked: Value = asked.into_iter().collect();
        writeln!(self.input, "{asked}").unwrap();
        let told: Value = serde_json::from_str(&self.line()).unwrap();
        assert!(told["error"].is_null(), "{service} {call}: {told}");
        told
    }

    pub(crate) fn bucket(&mut self, name: &str) {
        let place = json!({"LocationConstraint": "eu-west-1"});
        self.call("s3", "create_bucket", json!({"Bucket": name, "CreateBucketConfiguration": place}));
    }

    pub(crate) fn put(&mut self, bucket: &str, key: &str, bytes: &[u8]) {
        self.call("s3", "put_object", json!({"Bucket": bucket, "Key": key, "Body": base64(bytes)}));
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says loudly that something was not tried.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what they did not do")]
pub(crate) fn skipped(what: &str) {
    let must_run = std::env::var_os("CI").is_some_and(|value| value == "true");
    assert!(!must_run, "without {what} no bucket of others is tried");
    eprintln!("SKIPPED: without {what} no bucket of others was tried");
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for some in bytes.chunks(3) {
        let number = some.iter().fold(0_u32, |all, &it| all << 8 | u32::from(it)) << (8 * (3 - some.len()));
        for at in 0..4 {
            let letter = LETTERS[(number >> (18 - 6 * at) & 63) as usize];
            out.push(if at > some.len() { '=' } else { char::from(letter) });
        }
    }
    out
}
