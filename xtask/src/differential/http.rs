//! As much HTTP/1.1 as a node on loopback needs: one connection, requests one after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::Context as _;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(600);

/// A connection to one node.
#[derive(Debug)]
pub(super) struct Client {
    host: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A client for `http://host:port`; connects with the first request.
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let host = url.strip_prefix("http://").context("the address of the node must begin with http://")?;
        Ok(Self { host: host.trim_end_matches('/').to_owned(), stream: None })
    }

    /// Sends a request and returns the status and the body of the answer.
    pub(super) fn request(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, String)> {
        // The node may have closed an idle connection: then a new one must do.
        let reused = self.stream.is_some();
        let answer = self.attempt(method, path, body);
        if answer.is_ok() || !reused {
            return answer;
        }
        self.stream = None;
        self.attempt(method, path, body)
    }

    fn attempt(&mut self, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, String)> {
        let host = self.host.clone();
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&host).with_context(|| format!("cannot reach {host}"))?,
        };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let out = stream.get_mut();
        out.write_all(head.as_bytes())?;
        out.write_all(body.as_bytes())?;
        out.flush()?;
        let answer = read_answer(&mut stream)?;
        self.stream = Some(stream);
        Ok(answer)
    }
}

fn connect(host: &str) -> std::io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    Ok(BufReader::new(stream))
}

fn read_answer(stream: &mut impl BufRead) -> anyhow::Result<(u16, String)> {
    let status = read_line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status line")?;
    let (mut length, mut chunked) = (0_usize, false);
    loop {
        let line = read_line(stream)?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        chunked |= line.starts_with("transfer-encoding:") && line.ends_with("chunked");
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            let size = usize::from_str_radix(&read_line(stream)?, 16)?;
            read_exactly(stream, size, &mut body)?;
            read_line(stream)?;
            if size == 0 {
                break;
            }
        }
    } else {
        read_exactly(stream, length, &mut body)?;
    }
    Ok((status, String::from_utf8(body)?))
}

fn read_exactly(stream: &mut impl BufRead, length: usize, body: &mut Vec<u8>) -> anyhow::Result<()> {
    let read = stream.take(length as u64).read_to_end(body)?;
    anyhow::ensure!(read == length, "the answer ends too early");
    Ok(())
}

fn read_line(stream: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    anyhow::ensure!(stream.read_line(&mut line)? > 0, "the node closed the connection");
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_plain_and_chunked_answers() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
        let mut stream = plain.as_bytes();
        assert_eq!(read_answer(&mut stream).unwrap(), (200, "ok".to_owned()));
        assert_eq!(read_answer(&mut stream).unwrap(), (404, String::new()));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(read_answer(&mut chunked.as_bytes()).unwrap(), (200, "abc0123456789".to_owned()));
        assert!(read_answer(&mut "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok".as_bytes()).is_err());
    }
}
