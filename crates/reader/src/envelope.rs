//! Envelopes: where their arrays of records are, and what else is in them.
//!
//! Only those are known here that may be longer than memory should hold: [`ARRAYS`], and the answers of Elasticsearch
//! (`hits.hits`). Whatever else is wrapped around records is opened as an object: see [`open`](crate::open).

use crate::clues::{is_cloudtrail_key, is_document_key};
use crate::known::{ARRAYS, BEFORE_ARRAYS};
use crate::walk::{self, Stop};

/// How far an envelope is looked into for its array of records. Search answers and subscriptions have some short
/// members before it, AWS has none.
pub(crate) const ENVELOPE_HEAD_BYTES: usize = 64 << 10;

/// The key under which AWS delivers records.
pub(crate) const RECORDS: &[u8] = b"Records";

/// How far before a colon its key is looked for: more than the keys of records take.
const KEY_BYTES: usize = 64;

/// If an envelope starts at `start`: how many brackets are around its array, and where the array's inside starts.
pub(crate) fn envelope_array(text: &[u8], start: usize) -> Result<(u32, usize), Stop> {
    let mut brackets = 1;
    let mut at = walk::token(text, start + 1)?;
    loop {
        let key = walk::key(text, at)?;
        at = walk::token(text, key.end + 1)?;
        if text[at] != b':' {
            return Err(Stop::Broken);
        }
        at = walk::token(text, at + 1)?;
        let key = &text[key];
        match (key, text[at]) {
            _ if is_for_records(key, brackets) && text[at] == b'[' => {
                return records_inside(text, at, key).map(|inside| (brackets, inside));
            }
            (b"hits", b'{') if brackets == 1 => {
                brackets = 2;
                at = walk::token(text, at + 1)?;
                continue;
            }
            // A record or a document with an array of that name is looked at as a whole.
            _ if is_cloudtrail_key(key) || is_document_key(key) => return Err(Stop::Enough),
            (key, b'{' | b'[') if is_in(BEFORE_ARRAYS, key) => {}
            (_, b'{' | b'[') => return Err(Stop::Enough),
            _ => {}
        }
        at = walk::token(text, walk::value_end(text, at)?)?;
        if text[at] != b',' {
            return Err(Stop::Enough);
        }
        at = walk::token(text, at + 1)?;
    }
}

/// What a member of an envelope holds, behind the array.
pub(crate) enum TailMember {
    /// Records: here starts the inside of their array.
    Records(usize),
    /// Something else, which starts here.
    Other(usize),
}

/// What the member at `at` holds that stands so many brackets deep in its envelope.
pub(crate) fn tail_member(text: &[u8], at: usize, brackets: u32) -> Result<TailMember, Stop> {
    let key = walk::key(text, at)?;
    let colon = walk::token(text, key.end + 1)?;
    if text[colon] != b':' {
        return Err(Stop::Broken);
    }
    let value = walk::token(text, colon + 1)?;
    if text[value] == b'[' && is_for_records(&text[key.clone()], brackets) {
        match records_inside(text, value, &text[key]) {
            Ok(inside) => return Ok(TailMember::Records(inside)),
            Err(Stop::Enough) => {}
            Err(stop) => return Err(stop),
        }
    }
    Ok(TailMember::Other(value))
}

/// Whether arrays under this key, so many brackets deep in an envelope, are meant for records.
fn is_for_records(key: &[u8], brackets: u32) -> bool {
    match brackets {
        1 => is_in(ARRAYS, key),
        2 => key == b"hits",
        _ => false,
    }
}

/// Where the inside of the array at `at` starts, if records are in it.
fn records_inside(text: &[u8], at: usize, key: &[u8]) -> Result<usize, Stop> {
    // AWS calls nothing else so: even a broken first record does not hide those after it.
    if key == RECORDS {
        return Ok(at + 1);
    }
    let inside = walk::token(text, at + 1)?;
    let begins = match text[inside] {
        b'{' | b']' => true,
        b'"' => may_hold_json(*text.get(inside + 1).ok_or(Stop::MoreText)?),
        _ => false,
    };
    if begins { Ok(inside) } else { Err(Stop::Enough) }
}

/// Whether a string that begins with this byte may be the text of an object or an array.
pub(crate) fn may_hold_json(first: u8) -> bool {
    matches!(first, b'{' | b'[' | b'\\' | b' ')
}

fn is_in(keys: &[&str], key: &[u8]) -> bool {
    keys.iter().any(|it| it.as_bytes() == key)
}

/// Whether a key that only records have stands in the text.
pub(crate) fn names_record_key(text: &[u8]) -> bool {
    memchr::memchr_iter(b':', text).any(|colon| {
        let before = &text[colon.saturating_sub(KEY_BYTES)..colon];
        let key = before.trim_ascii_end().strip_suffix(b"\"");
        key.and_then(|key| key.rsplit(|&byte| byte == b'"').next()).is_some_and(is_cloudtrail_key)
    })
}
