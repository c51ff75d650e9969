//! What was asked.

use std::io::Read as _;

use ecs::Millis;
use ecs::date::DateMath;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{Kind, Problem};
use crate::app::App;
use crate::keys;

/// A request, as a handler sees it.
pub(crate) struct Asked<'a> {
    pub(crate) app: &'a App,
    /// Who asks; nobody where nobody needs to say so.
    pub(crate) key: Option<&'a keys::Key>,
    /// The parts of the path that the route names.
    pub(crate) parts: Vec<(&'static str, String)>,
    pub(crate) query: Query,
    pub(crate) method: super::Method,
    /// `Content-Encoding`, in lower case.
    pub(crate) encoding: String,
    /// `Content-Type`, as it was sent.
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Asked<'_> {
    /// A part of the path.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.parts.iter().find(|it| it.0 == name).map_or("", |it| &it.1)
    }

    /// Whose name a change is made in.
    pub(crate) fn author(&self) -> &str {
        self.key.map_or("", |it| &it.name)
    }

    /// The body, unpacked if it is packed.
    pub(crate) fn unpacked(&self) -> Result<Vec<u8>, Problem> {
        match self.encoding.as_str() {
            "" | "identity" => Ok(self.body.clone()),
            "gzip" => {
                let limit = self.app.config().text_bytes;
                let mut text = Vec::new();
                let mut source = MultiGzDecoder::new(&*self.body).take(limit + 1);
                source
                    .read_to_end(&mut text)
                    .map_err(|error| Problem::new(Kind::Body, format!("the body is no gzip: {error}")))?;
                if text.len() as u64 > limit {
                    let detail = format!("unpacked, the body is longer than {limit} bytes (`text_max`)");
                    return Err(Problem::new(Kind::TooLarge, detail));
                }
                Ok(text)
            }
            other => Err(unknown_encoding(other)),
        }
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Result<Value, Problem> {
        let body = self.unpacked()?;
        serde_json::from_slice(&body)
            .map_err(|error| Problem::new(Kind::Body, format!("the body is no JSON: {error}")))
    }
}

pub(crate) fn unknown_encoding(encoding: &str) -> Problem {
    let detail = format!("`Content-Encoding: {encoding}` is not known; send gzip, or as it is");
    Problem::new(Kind::Encoding, detail)
}

/// The parameters of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what stands behind `?`. What is no text is wrong.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let mut all = Vec::new();
        for pair in text.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(name, true).zip(decode(value, true));
            let wrong = || Problem::new(Kind::Parameter, "a parameter is not encoded as it should be");
            all.push(decoded.ok_or_else(wrong)?);
        }
        Ok(Self(all))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }

    /// A number up to `most`.
    pub(crate) fn number(&self, name: &str, default: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.get(name) else { return Ok(default) };
        let number = text.parse().ok().filter(|it| *it <= most);
        number.ok_or_else(|| Problem::new(Kind::Parameter, format!("`{name}` is a number up to {most}")))
    }

    /// A time: a date, or date math.
    pub(crate) fn time(&self, name: &str, now: Millis) -> Result<Option<Millis>, Problem> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let math = DateMath::of_rule(text);
        let math = math.map_err(|error| Problem::new(Kind::Parameter, format!("`{name}`: {error}")))?;
        Ok(Some(math.millis_at(now)))
    }

    /// Refuses parameters that are not known: a misspelt filter would be none.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.iter().find(|it| !known.contains(&it.0.as_str())) {
            None => Ok(()),
            Some((name, _)) if known.is_empty() => {
                Err(Problem::new(Kind::Parameter, format!("`{name}` is not known; there are no parameters")))
            }
            Some((name, _)) => {
                let known = known.join(", ");
                Err(Problem::new(Kind::Parameter, format!("`{name}` is not known; there are {known}")))
            }
        }
    }
}

/// A text of a URL.
pub(crate) fn decode(text: &str, is_query: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |it: Option<u8>| char::from(it?).to_digit(16);
                (digit(rest.next())? * 16 + digit(rest.next())?) as u8
            }
            b'+' if is_query => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let query = Query::read("q=a%20b+c&size=10&empty&=x").unwrap();
        assert_eq!(query.get("q"), Some("a b c"));
        assert_eq!(query.get("empty"), Some(""));
        assert_eq!(query.number("size", 5, 100).unwrap(), 10);
        assert_eq!(query.number("from", 5, 100).unwrap(), 5);
        assert!(query.number("size", 5, 9).is_err() && query.number("q", 5, 9).is_err());
        assert!(query.only(&["q", "size", "empty", ""]).is_ok());
        assert!(query.only(&["q", "size"]).is_err() && query.only(&[]).is_err());
        for wrong in ["q=%", "q=%2", "q=%zz", "q=%ff", "%f=1"] {
            assert_eq!(Query::read(wrong).unwrap_err().kind, Kind::Parameter, "{wrong}");
        }
    }
}
