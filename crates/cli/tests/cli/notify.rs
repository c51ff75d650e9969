//! `trailwarden notify` and what `config check` says of receivers.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::setup::Folder;

/// A receiver on this machine that takes one message, and says what it got.
fn receiver() -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-hook", listener.local_addr().unwrap());
    let got = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 16 << 10];
        let mut text = String::new();
        while !text.contains("a test, no alert") {
            let length = stream.read(&mut bytes).unwrap();
            assert!(length > 0, "{text}");
            text += std::str::from_utf8(&bytes[..length]).unwrap();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").unwrap();
        text
    });
    (url, got)
}

#[test]
fn a_receiver_is_tested_and_a_secret_is_not_shown() {
    let folder = Folder::new();
    let (url, got) = receiver();
    let config = "[[receivers]]\nname = \"soc\"\ntype = \"slack\"\nurl = \"file:slack.url\"\n";
    folder.write("tw.toml", config);
    let run = |arguments: &[&str]| folder.run(&[arguments, &["--config", "tw.toml"]].concat());
    let checked = run(&["config", "check"]);
    assert!(
        checked.code == Some(2) && checked.err.contains("the receiver `soc` cannot be told: "),
        "{}",
        checked.err
    );
    folder.write("slack.url", url + "\n");
    run(&["config", "check"]).printed(0);
    assert_eq!(run(&["notify", "test", "soc"]).printed(0), "soc: told; answered 200: ok\n");
    let got = got.join().unwrap();
    assert!(got.starts_with("POST /secret-hook HTTP/1.1\r\n") && got.contains("\"blocks\""), "{got}");
    // Nobody is there any more.
    let told = run(&["notify", "test"]);
    assert!(
        told.printed(1).starts_with("soc: not told: ") && !told.out.contains("secret-hook"),
        "{}",
        told.out
    );
    let shown = run(&["config", "show"]);
    assert!(shown.out.contains("\"file:slack.url\"") && !shown.out.contains("secret-hook"), "{}", shown.out);
    assert!(run(&["notify", "test", "x"]).error().starts_with("no receiver is named `x`; there are: soc"));
}

#[test]
fn where_nothing_was_told_that_is_said() {
    let folder = Folder::new();
    assert!(folder.run(&["notify", "list", "--data", "."]).error().starts_with("NOTE001"));
    assert_eq!(folder.run(&["notify", "retry", "--data", "."]).code, Some(2), "it must be said what");
}
