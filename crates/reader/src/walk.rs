//! Walks over the members of one JSON object without parsing it.

use std::ops::{ControlFlow, Range};

use crate::scan::{Scanner, Step};

/// Why a walk ended before the end of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The visitor had seen enough.
    Enough,
    /// The text ends inside the object.
    MoreText,
    /// The text is no JSON object.
    Broken,
}

/// Calls `visit` with each key of the object that starts at `from`, as it is written between its quotes, and the range of its
/// value. Keys with escapes are given as they are: none of those we look for needs any. A value that does not end, or
/// is broken, is given up to the end of the text; it is the last one.
pub(crate) fn members(
    text: &[u8],
    from: usize,
    mut visit: impl FnMut(&[u8], Range<usize>) -> ControlFlow<()>,
) -> Result<(), Stop> {
    let mut at = token(text, from)?;
    if text[at] != b'{' {
        return Err(Stop::Broken);
    }
    at = token(text, at + 1)?;
    if text[at] == b'}' {
        return Ok(());
    }
    loop {
        let key = key(text, at)?;
        at = token(text, key.end + 1)?;
        if text[at] != b':' {
            return Err(Stop::Broken);
        }
        at = token(text, at + 1)?;
        let end = value_end(text, at);
        if visit(&text[key], at..end.unwrap_or(text.len())).is_break() {
            return Err(Stop::Enough);
        }
        at = token(text, end?)?;
        match text[at] {
            b',' => at = token(text, at + 1)?,
            b'}' => return Ok(()),
            _ => return Err(Stop::Broken),
        }
    }
}

/// Calls `visit` with the range of each element of the array that starts at `from`, and whether it is whole. One that does
/// not end, or is broken, is given up to the end of the text; it is the last one. Commas may be missing, as everywhere in
/// what we read.
pub(crate) fn elements(
    text: &[u8],
    from: usize,
    mut visit: impl FnMut(Range<usize>, bool) -> ControlFlow<()>,
) -> Result<(), Stop> {
    let mut at = token(text, from)?;
    if text[at] != b'[' {
        return Err(Stop::Broken);
    }
    loop {
        at = token(text, at + 1)?;
        loop {
            match text[at] {
                b']' => return Ok(()),
                b',' => break,
                _ => {}
            }
            let end = value_end(text, at);
            if visit(at..end.unwrap_or(text.len()), end.is_ok()).is_break() {
                return Err(Stop::Enough);
            }
            at = token(text, end?)?;
        }
    }
}

/// The range between the quotes of the string that starts at `at`.
pub(crate) fn key(text: &[u8], at: usize) -> Result<Range<usize>, Stop> {
    if *text.get(at).ok_or(Stop::MoreText)? != b'"' {
        return Err(Stop::Broken);
    }
    let mut end = at + 1;
    loop {
        end += memchr::memchr2(b'"', b'\\', &text[end..]).ok_or(Stop::MoreText)?;
        if text[end] == b'"' {
            return Ok(at + 1..end);
        }
        end += 2;
        if end > text.len() {
            return Err(Stop::MoreText);
        }
    }
}

/// Where the next token starts, at `at` or after it.
pub(crate) fn token(text: &[u8], at: usize) -> Result<usize, Stop> {
    let rest = text.get(at..).ok_or(Stop::MoreText)?;
    rest.iter().position(|&byte| byte > b' ').map(|skipped| at + skipped).ok_or(Stop::MoreText)
}

/// Where the value that starts at `at` ends.
pub(crate) fn value_end(text: &[u8], at: usize) -> Result<usize, Stop> {
    match text[at] {
        b'"' => Ok(key(text, at)?.end + 1),
        b'{' | b'[' => match Scanner::new(0, u32::MAX).scan(text, at, true) {
            Step::End(end) => Ok(end),
            Step::More(_) => Err(Stop::MoreText),
            Step::Broken(_) | Step::TooDeep(_) => Err(Stop::Broken),
        },
        b',' | b':' | b'}' | b']' => Err(Stop::Broken),
        _ => {
            let rest = &text[at..];
            let length = rest.iter().position(|&byte| byte <= b' ' || matches!(byte, b',' | b'}' | b']'));
            length.map(|length| at + length).ok_or(Stop::MoreText)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(text: &str) -> (Vec<String>, Result<(), Stop>) {
        let mut seen = Vec::new();
        let result = members(text.as_bytes(), 0, |key, value| {
            seen.push(format!("{}={}", String::from_utf8_lossy(key), &text[value]));
            ControlFlow::Continue(())
        });
        (seen, result)
    }

    #[test]
    fn finds_members_of_the_first_level_only() {
        let (seen, result) = walked(r#" { "a" : 1, "b":{"c":[{}, "}"]},"d\"":"x\\" , "e":null}"#);
        assert_eq!(result, Ok(()));
        assert_eq!(seen, ["a=1", r#"b={"c":[{}, "}"]}"#, r#"d\"="x\\""#, "e=null"]);
    }

    #[test]
    fn finds_the_elements_of_an_array() {
        let found = |text: &str| {
            let mut seen = Vec::new();
            let result = elements(text.as_bytes(), 0, |value, _| {
                seen.push(text[value].to_owned());
                ControlFlow::Continue(())
            });
            (seen, result)
        };
        let (seen, result) = found(r#" [1, {"a":[2]} ,"x]" ["y"], null ]"#);
        assert_eq!(result, Ok(()));
        assert_eq!(seen, ["1", r#"{"a":[2]}"#, r#""x]""#, r#"["y"]"#, "null"]);
        assert_eq!(found("[]"), (vec![], Ok(())));
        assert_eq!(found("{}"), (vec![], Err(Stop::Broken)));
        assert_eq!(found(r#"[1,{"a":"#), (vec!["1".to_owned(), r#"{"a":"#.to_owned()], Err(Stop::MoreText)));
    }

    #[test]
    fn every_cut_asks_for_more_text() {
        let text = r#"{"a":1,"b":{"c":[1]},"d":"x"}"#;
        for cut in 0..text.len() {
            assert_eq!(walked(&text[..cut]).1, Err(Stop::MoreText), "{}", &text[..cut]);
        }
    }

    #[test]
    fn says_when_it_is_no_object() {
        for text in ["[1]", "{1:2}", r#"{"a" 1}"#, r#"{"a":}"#, r#"{"a":1 "b":2}"#, r#"{"a":1,}"#] {
            assert_eq!(walked(text).1, Err(Stop::Broken), "{text}");
        }
    }
}
