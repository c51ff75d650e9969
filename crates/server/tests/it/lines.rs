//! Sources that give lines: the standard input, and a Unix socket.

use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::setup::{Server, folder, ids, record, wait};

fn text(range: std::ops::Range<usize>) -> String {
    range.map(|it| record(&format!("{it:04}"), 1).to_string() + "\n").collect()
}

fn names(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|it| format!("{it:04}")).collect()
}

/// Gives a few bytes at a time, so that lines come in pieces.
struct Dribble(io::Cursor<Vec<u8>>);

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let some = buffer.len().min(97);
        self.0.read(&mut buffer[..some])
    }
}

#[test]
fn the_standard_input_is_taken_to_its_end() {
    let (_folder, data) = folder();
    // The last line has no end, and one is no record.
    let text = text(0..500) + "no JSON\n\n" + &record("last", 2).to_string();
    let stdin = Box::new(Dribble(io::Cursor::new(text.into_bytes())));
    let config = "[[sources]]\ntype = \"stdin\"\nat_end = \"stop\"\n";
    Server::start_with(&data, config, Some(stdin)).ends();
    let mut expected = names(0..500);
    expected.push("last".to_owned());
    assert_eq!(ids(&data), expected);
    let store = store::Store::open(&data).unwrap();
    let [account] = store.sources().unwrap().try_into().unwrap();
    let its = account.accounting;
    assert_eq!((account.name.as_str(), its.stored, its.unreadable), ("stdin", 501, 1));
    assert_eq!(store.letters(Some("stdin"), 0, 9).unwrap().len(), 1);
}

#[test]
fn a_server_goes_on_when_its_input_has_ended() {
    let (_folder, data) = folder();
    let stdin = Box::new(io::Cursor::new(text(0..3).into_bytes()));
    let server = Server::start_with(&data, "[[sources]]\ntype = \"stdin\"\nname = \"pipe\"\n", Some(stdin));
    let told = || server.ask("GET", "/api/v1/sources", "").is(200)["sources"][0].clone();
    wait("it has ended", || told()["ended"] == json!(true));
    assert_eq!((&told()["name"], &told()["account"]["stored"]), (&json!("pipe"), &json!(3)));
    server.ask("POST", "/api/v1/events", record("a", 1).to_string()).is(200);
    server.stop();
}

/// While nothing can be stored nothing is read: whoever writes waits, and nothing is lost when it can be again.
#[test]
fn who_writes_waits_while_nothing_can_be_stored() {
    let (folder, data) = folder();
    let socket = folder.path().join("s");
    let config = format!(
        "[server]\nqueue_max = \"64 KiB\"\n[[sources]]\ntype = \"unix\"\nname = \"local\"\npath = \"{}\"\nmode = \"0600\"\n",
        socket.display()
    );
    let server = Server::start(&data, &config);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    fs::remove_dir_all(data.join("incoming")).unwrap();
    let path = socket.clone();
    let count = 40_000;
    let writer = std::thread::spawn(move || {
        let mut stream = UnixStream::connect(path).unwrap();
        stream.write_all(text(0..count).as_bytes()).unwrap();
    });
    let source = || server.ask("GET", "/api/v1/sources", "").is(200)["sources"][0].clone();
    wait("it is told", || source()["failures"].as_u64() > Some(2));
    assert!(!writer.is_finished(), "{} bytes are more than is read ahead", text(0..count).len());
    assert_eq!(source()["account"]["read"], json!(0));
    fs::create_dir(data.join("incoming")).unwrap();
    writer.join().unwrap();
    wait("all is stored", || source()["account"]["stored"] == json!(count));
    assert_eq!(source()["account"]["unreadable"], json!(0));
    wait("the connection has ended", || source()["connections"] == json!(0));
    server.stop();
    assert!(!socket.exists());
}

#[test]
fn several_deliver_to_a_socket_and_a_restart_takes_it_over() {
    let (folder, data) = folder();
    let socket = folder.path().join("s");
    let config = format!("[[sources]]\ntype = \"unix\"\nname = \"local\"\npath = \"{}\"\n", socket.display());
    let server = Server::start(&data, &config);
    let writers: Vec<_> = (0..4)
        .map(|at| {
            let socket = socket.clone();
            std::thread::spawn(move || {
                let mut stream = UnixStream::connect(socket).unwrap();
                for line in text(at * 100..at * 100 + 100).lines() {
                    stream.write_all(line.as_bytes()).unwrap();
                    stream.write_all(b"\n").unwrap();
                }
            })
        })
        .collect();
    for it in writers {
        it.join().unwrap();
    }
    wait("all is stored", || ids(&data) == names(0..400));
    // Who stays connected holds up no end, and what it wrote is stored.
    let mut stays = UnixStream::connect(&socket).unwrap();
    stays.write_all(record("stays", 1).to_string().as_bytes()).unwrap();
    wait("it is connected", || {
        server.ask("GET", "/api/v1/sources", "").is(200)["sources"][0]["connections"] == json!(1)
    });
    let has_read = || -> Value { server.account("local")["read"].clone() };
    assert!(has_read().as_u64() >= Some(400));
    server.stop();
    assert!(ids(&data).contains(&"stays".to_owned()));
    // As if it had been killed: its file is there still.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    let server = Server::start(&data, &config);
    UnixStream::connect(&socket).unwrap().write_all(record("z", 1).to_string().as_bytes()).unwrap();
    wait("it is stored", || ids(&data).contains(&"z".to_owned()));
    server.stop();
}

#[test]
fn what_is_in_the_way_of_a_socket_is_told() {
    let (folder, data) = folder();
    let socket = folder.path().join("s");
    fs::write(&socket, "mine").unwrap();
    let config = format!("[[sources]]\ntype = \"unix\"\nname = \"local\"\npath = \"{}\"\n", socket.display());
    let start = || std::panic::catch_unwind(|| Server::start(&data, &config));
    let told = |it: Result<Server, Box<dyn std::any::Any + Send>>| {
        let Err(panic) = it else { panic!("it started") };
        panic.downcast::<String>().map_or_else(|_| String::new(), |it| *it)
    };
    assert!(told(start()).contains("no socket"), "another file");
    assert_eq!(fs::read(&socket).unwrap(), b"mine");
    fs::remove_file(&socket).unwrap();
    let _other = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(told(start()).contains("somebody else listens"));
}
