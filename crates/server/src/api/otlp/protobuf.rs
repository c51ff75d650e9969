//! Logs of OpenTelemetry as Protocol Buffers: as much of the messages as says what a log holds and what index it is for.
//!
//! Written by hand, since it is little: the wire knows four kinds of fields, and what is not known is passed over.

use serde_json::{Map, Number, Value};

use super::{Body, Log};

/// How deep values may nest.
const DEPTH_MAX: u32 = 64;

/// The bytes are no such message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wrong;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// The fields of a message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Result<u64, Wrong> {
        let mut value = 0;
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or(Wrong)?;
            self.0 = rest;
            // The tenth byte has one bit that counts.
            if shift == 63 && byte > 1 {
                return Err(Wrong);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Wrong)
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], Wrong> {
        let length = usize::try_from(length).ok().filter(|it| *it <= self.0.len()).ok_or(Wrong)?;
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        Ok(bytes)
    }

    /// The next field, with its number.
    fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Wrong> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let number = key >> 3;
        if number == 0 {
            return Err(Wrong);
        }
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => {
                let bytes = self.bytes(8)?;
                Field::Fixed64(u64::from_le_bytes(bytes.try_into().map_err(|_| Wrong)?))
            }
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.bytes(length)?)
            }
            5 => {
                self.bytes(4)?;
                Field::Fixed32
            }
            // Groups: no message here ever had one.
            _ => return Err(Wrong),
        };
        Ok(Some((number, field)))
    }

    /// The messages and texts among the fields, with their numbers.
    fn each(mut self, mut take: impl FnMut(u64, Field<'a>) -> Result<(), Wrong>) -> Result<(), Wrong> {
        while let Some((number, field)) = self.next()? {
            take(number, field)?;
        }
        Ok(())
    }
}

/// The logs of a request (`ExportLogsServiceRequest`).
pub(super) fn logs(bytes: &[u8]) -> Result<Vec<Log>, Wrong> {
    let mut logs = Vec::new();
    Fields(bytes).each(|number, field| match (number, field) {
        (1, Field::Bytes(it)) => resource_logs(it, &mut logs),
        _ => Ok(()),
    })?;
    Ok(logs)
}

fn resource_logs(bytes: &[u8], logs: &mut Vec<Log>) -> Result<(), Wrong> {
    let (mut resource, mut scopes) = (Map::new(), Vec::new());
    Fields(bytes).each(|number, field| {
        match (number, field) {
            (1, Field::Bytes(it)) => attributes(it, 1, &mut resource)?,
            (2, Field::Bytes(it)) => scopes.push(it),
            _ => {}
        }
        Ok(())
    })?;
    scopes.into_iter().try_for_each(|it| scope_logs(it, &resource, logs))
}

fn scope_logs(bytes: &[u8], resource: &Map<String, Value>, logs: &mut Vec<Log>) -> Result<(), Wrong> {
    let (mut scope, mut records) = (Map::new(), Vec::new());
    Fields(bytes).each(|number, field| {
        match (number, field) {
            (1, Field::Bytes(it)) => attributes(it, 3, &mut scope)?,
            (2, Field::Bytes(it)) => records.push(it),
            _ => {}
        }
        Ok(())
    })?;
    for it in records {
        let (mut body, mut own) = (None, Map::new());
        Fields(it).each(|number, field| {
            match (number, field) {
                (5, Field::Bytes(it)) => body = Some(any_value(it, DEPTH_MAX)?),
                (6, Field::Bytes(it)) => key_value(it, DEPTH_MAX, &mut own)?,
                _ => {}
            }
            Ok(())
        })?;
        logs.push(Log::new(body.unwrap_or(Body::Nothing), [&own, &scope, resource]));
    }
    Ok(())
}

/// The attributes of a message that has them in the field of this number.
fn attributes(bytes: &[u8], wanted: u64, all: &mut Map<String, Value>) -> Result<(), Wrong> {
    Fields(bytes).each(|number, field| match field {
        Field::Bytes(it) if number == wanted => key_value(it, DEPTH_MAX, all),
        _ => Ok(()),
    })
}

fn key_value(bytes: &[u8], depth: u32, all: &mut Map<String, Value>) -> Result<(), Wrong> {
    let (mut key, mut value) = (String::new(), Value::Null);
    Fields(bytes).each(|number, field| {
        match (number, field) {
            (1, Field::Bytes(it)) => key = text(it)?,
            (2, Field::Bytes(it)) => value = any_value(it, depth)?.into_value(),
            _ => {}
        }
        Ok(())
    })?;
    all.insert(key, value);
    Ok(())
}

fn text(bytes: &[u8]) -> Result<String, Wrong> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Wrong)
}

/// A value of any kind (`AnyValue`).
fn any_value(bytes: &[u8], depth: u32) -> Result<Body, Wrong> {
    let depth = depth.checked_sub(1).ok_or(Wrong)?;
    let mut body = Body::Nothing;
    Fields(bytes).each(|number, field| {
        // The last one counts, as the wire has it.
        body = match (number, field) {
            (1, Field::Bytes(it)) => Body::Text(text(it)?),
            (2, Field::Varint(it)) => Body::Value(Value::Bool(it != 0)),
            (3, Field::Varint(it)) => Body::Value(Value::Number(Number::from(it.cast_signed()))),
            (4, Field::Fixed64(it)) => {
                Body::Value(Number::from_f64(f64::from_bits(it)).map_or(Value::Null, Value::Number))
            }
            (5, Field::Bytes(it)) => {
                let mut values = Vec::new();
                Fields(it).each(|number, field| {
                    if let (1, Field::Bytes(it)) = (number, field) {
                        values.push(any_value(it, depth)?.into_value());
                    }
                    Ok(())
                })?;
                Body::Value(Value::Array(values))
            }
            (6, Field::Bytes(it)) => {
                let mut members = Map::new();
                Fields(it).each(|number, field| match (number, field) {
                    (1, Field::Bytes(it)) => key_value(it, depth, &mut members),
                    _ => Ok(()),
                })?;
                Body::Value(Value::Object(members))
            }
            (7, Field::Bytes(it)) => Body::Bytes(it.to_vec()),
            _ => return Ok(()),
        };
        Ok(())
    })?;
    Ok(body)
}

/// What a request is answered (`ExportLogsServiceResponse`): how many logs were not taken, and why.
pub(super) fn answer(rejected: u64, message: &str) -> Vec<u8> {
    if rejected == 0 && message.is_empty() {
        return Vec::new();
    }
    let mut partial = Vec::new();
    if rejected > 0 {
        partial.push(1 << 3);
        put_varint(rejected, &mut partial);
    }
    put_bytes(2, message.as_bytes(), &mut partial);
    let mut out = Vec::new();
    put_bytes(1, &partial, &mut out);
    out
}

/// An error (`google.rpc.Status`).
pub(super) fn status(message: &str) -> Vec<u8> {
    let mut out = Vec::new();
    put_bytes(2, message.as_bytes(), &mut out);
    out
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    put_varint(number << 3 | 2, out);
    put_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn message(number: u64, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        put_bytes(number, bytes, &mut out);
        out
    }

    /// A value as the wire has it.
    fn written(value: &Value) -> Vec<u8> {
        match value {
            Value::Null => Vec::new(),
            Value::Bool(it) => vec![2 << 3, u8::from(*it)],
            Value::Number(it) if it.is_i64() => {
                let mut out = vec![3 << 3];
                put_varint(it.as_i64().unwrap().cast_unsigned(), &mut out);
                out
            }
            Value::Number(it) => [&[4 << 3 | 1][..], &it.as_f64().unwrap().to_le_bytes()].concat(),
            Value::String(it) => message(1, it.as_bytes()),
            Value::Array(all) => {
                message(5, &all.iter().map(|it| message(1, &written(it))).collect::<Vec<_>>().concat())
            }
            Value::Object(all) => message(
                6,
                &all.iter().map(|(key, it)| message(1, &pair(key, it))).collect::<Vec<_>>().concat(),
            ),
        }
    }

    fn pair(key: &str, value: &Value) -> Vec<u8> {
        [message(1, key.as_bytes()), message(2, &written(value))].concat()
    }

    fn request(resource: &[u8], record: &[u8]) -> Vec<u8> {
        let scope = message(2, record);
        message(1, &[message(1, &message(1, resource)), message(2, &scope)].concat())
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(|it: f64| Value::from(it + 0.25)),
            ".{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                    .prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in value()) {
            // Severity, a time, an attribute, unknown fields: what is not asked for is passed over.
            let around = [&[2 << 3, 9][..], &[1 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8], &[8 << 3 | 5, 0, 0, 0, 0]].concat();
            let record = [around, message(6, &pair("a", &json!(1))), message(5, &written(&value))].concat();
            let all = logs(&request(&pair("elasticsearch.index", &json!("logs-x")), &record)).unwrap();
            prop_assert_eq!(all.len(), 1);
            prop_assert_eq!(all[0].index.as_deref(), Some("logs-x"));
            let body = all.into_iter().next().unwrap().body;
            prop_assert_eq!(body.into_value().to_string(), value.to_string());
        }

        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = logs(&bytes);
        }

        /// A message that is cut is no message, or one with fewer logs.
        #[test]
        fn what_is_cut_is_noticed(value in value(), at in 0..1_000_usize) {
            let whole = request(&pair("a", &json!("b")), &message(5, &written(&value)));
            let cut = &whole[..at.min(whole.len() - 1)];
            prop_assert!(cut.is_empty() || logs(cut).is_err());
        }
    }

    #[test]
    fn values_do_not_nest_without_end() {
        let nested = |depth: usize| (0..depth).fold(json!(1), |it, _| json!([it]));
        let of = |depth| logs(&request(&[], &message(5, &written(&nested(depth)))));
        assert!(of(60).is_ok());
        assert!(of(100).is_err());
    }

    #[test]
    fn answers() {
        assert!(answer(0, "").is_empty());
        assert_eq!(answer(300, "no"), [0x0a_u8, 7, 0x08, 0xac, 0x02, 0x12, 2, b'n', b'o']);
        assert_eq!(status("no"), [0x12_u8, 2, b'n', b'o']);
    }
}
