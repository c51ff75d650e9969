//! Requests to a server on this machine, which may end at any time.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// An answer that came to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// Its body; nothing if that is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// There was no answer, or only the beginning of one: what was asked may have been done or not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

/// Asks once, on a connection of its own.
pub(crate) fn ask(
    address: &str,
    key: &str,
    (method, path): (&str, &str),
    headers: &str,
    body: &[u8],
) -> Result<Answer, Broken> {
    let asked = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\nauthorization: ApiKey {key}\r\n\
             content-length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    asked().ok().and_then(|it| whole(&it)).ok_or(Broken)
}

/// An answer, if all of it is there.
fn whole(bytes: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_none_or(|it| it == body.len()).then(|| Answer { status, body: body.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_an_answer_is_none() {
        let all = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n{\"a\"";
        assert_eq!(whole(all.as_bytes()).unwrap().status, 200);
        for end in 0..all.len() {
            assert!(whole(&all.as_bytes()[..end]).is_none(), "{end}");
        }
    }
}
