//! Reading JSON that others wrote.

use std::borrow::Cow;

use serde_json::{Number, Value};

/// Reads a JSON text. Half a surrogate pair in it becomes U+FFFD (see [`json::unescape`]), and every number keeps the
/// text that it was written with.
pub fn parse(text: &str) -> serde_json::Result<Value> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(as_written(value, text.as_bytes())),
        Err(error) => {
            let mut mended = text.as_bytes().to_vec();
            if !json::mend_halves(&mut mended) {
                return Err(error);
            }
            Ok(as_written(serde_json::from_slice(&mended)?, &mended))
        }
    }
}

/// The value that was read from `text`, with the texts of its numbers. The parser keeps them but for exponents: of `1E5`
/// and `1e5` it makes `1e+5`, and a keyword would hold what nobody wrote.
fn as_written(mut value: Value, text: &[u8]) -> Value {
    if has_exponent(&value) {
        Walk { text, at: 0 }.value(Some(&mut value));
    }
    value
}

fn has_exponent(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_str().contains('e'),
        Value::Array(items) => items.iter().any(has_exponent),
        Value::Object(members) => members.values().any(has_exponent),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Goes over a text that is JSON, side by side with what was read from it.
struct Walk<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Walk<'t> {
    /// Passes the value that comes next. It stands in `place`, unless something else with its key came later and
    /// took that; then what is written here now will be written over.
    fn value(&mut self, mut place: Option<&mut Value>) {
        match self.next() {
            b'{' => {
                self.at += 1;
                while self.next() == b'"' {
                    let key = self.string();
                    let inner = place.as_deref_mut().and_then(|it| it.get_mut(&*key));
                    self.next();
                    self.at += 1;
                    self.value(inner);
                    self.pass_comma();
                }
                self.at += 1;
            }
            b'[' => {
                self.at += 1;
                let mut number = 0;
                while !matches!(self.next(), b']' | 0) {
                    self.value(place.as_deref_mut().and_then(|it| it.get_mut(number)));
                    self.pass_comma();
                    number += 1;
                }
                self.at += 1;
            }
            b'"' => _ = self.string(),
            _ => {
                let rest = &self.text[self.at.min(self.text.len())..];
                let ends = |byte: &u8| matches!(byte, 0..=b' ' | b',' | b']' | b'}');
                let word = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
                self.at += word.len().max(1);
                if let Some(Value::Number(number)) = place {
                    *number = Number::from_string_unchecked(String::from_utf8_lossy(word).into_owned());
                }
            }
        }
    }

    /// The next byte that is no white space; zero behind the end.
    fn next(&mut self) -> u8 {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn pass_comma(&mut self) {
        if self.next() == b',' {
            self.at += 1;
        }
    }

    /// Passes a string.
    fn string(&mut self) -> Cow<'t, str> {
        let start = self.at + 1;
        let mut end = start;
        while !matches!(self.text.get(end), Some(b'"') | None) {
            end += if self.text[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(self.text.len());
        self.at = end + 1;
        let text: &'t [u8] = self.text;
        let raw = &text[start..end];
        if !raw.contains(&b'\\') {
            return String::from_utf8_lossy(raw);
        }
        let mut out = vec![0; raw.len()];
        let length = json::unescape(raw, &mut out).unwrap_or(0);
        out.truncate(length);
        Cow::Owned(String::from_utf8(out).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_a_replacement_character() {
        for (written, read) in [
            (r"\ud83d", "\u{FFFD}"),
            (r"a\uDFFFb", "a\u{FFFD}b"),
            (r"\\ud800\ud800", "\\ud800\u{FFFD}"),
            (r"\ud83d\ude00", "😀"),
        ] {
            let text = format!(r#"{{"a":"{written}","{written}":1E5}}"#);
            let value = parse(&text).unwrap();
            assert_eq!(value["a"], read, "{written}");
            assert_eq!(value[read].to_string(), "1E5", "{written}");
        }
        for broken in [r#""\ud83d"#, r#"{"a":"\ud83d",}"#, r#""\ud83""#, r#""\u+123""#, ""] {
            assert!(parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn numbers_keep_their_text() {
        for text in ["1e16", "1E16", "1e+16", "-1.50E-7", "0e0", "1e400", "[1e16,{\"a\":[2E5]},3]"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        assert_eq!(parse(" { \"a\" : 1e5 , \"\\u0061\" : [ 2e5 ] } ").unwrap().to_string(), r#"{"a":[2e5]}"#);
        assert_eq!(parse(r#"{"a":{"b":1e5},"a":{"b":2e5},"c":7e7}"#).unwrap()["a"]["b"].to_string(), "2e5");
        assert_eq!(parse(r#"{"a":1e5,"a":"x}"}"#).unwrap()["a"], "x}");
    }

    fn text() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "1e5",
            "1E5",
            "1e+5",
            "2.50",
            "-0",
            "7",
            "null",
            "true",
            r#""a""#,
            r#""1e5,]}""#,
            r#""\"\\""#,
            "{}",
            "[]",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 30, 5, |inner| {
            let space = prop::sample::select(vec!["", " ", "\n\t"]);
            let key = prop::sample::select(vec!["a", "b", r"\u0061", r#"c\""#, "é"]);
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..5), space.clone())
                    .prop_map(|(items, space)| format!("[{space}{}{space}]", items.join(","))),
                (prop::collection::vec((key, inner), 0..5), space).prop_map(|(members, space)| {
                    let members: Vec<String> = members
                        .iter()
                        .map(|(key, value)| format!("\"{key}\"{space}:{space}{value}"))
                        .collect();
                    format!("{{{}{space}}}", members.join(&format!("{space},")))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

        /// It is the value that serde_json reads, with the numbers of the text in the order of the text.
        #[test]
        fn only_the_texts_of_numbers_differ(text in text()) {
            let value = parse(&text).unwrap();
            let again: Value = serde_json::from_str(&value.to_string()).unwrap();
            prop_assert_eq!(again, serde_json::from_str::<Value>(&text).unwrap());
            for number in ["1E5", "1e5"] {
                prop_assert!(!value.to_string().contains(number) || text.contains(number));
            }
            prop_assert!(!value.to_string().contains("e+5") || text.contains("e+5"), "{} of {}", value, text);
        }
    }
}
