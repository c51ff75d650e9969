//! What the first level of an object tells about it.

use std::ops::{ControlFlow, Range};
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::known::{CLOUDTRAIL_KEYS, DOCUMENT_KEYS, Has, Holds, Is, PLACES, Place, SHAPES, Shape};
use crate::walk::{Stop, members};

/// One bit a key of the tables.
type Keys = u128;

/// The tables of [`known`](crate::known), with numbers for keys.
struct Tables {
    keys: FxHashMap<&'static [u8], usize>,
    /// Keys that stand for all that begin so.
    prefixes: Vec<(&'static [u8], usize)>,
    /// Each shape with the keys that it needs.
    shapes: Vec<(Keys, &'static Shape)>,
    /// Each place with its key.
    places: Vec<(usize, &'static Place)>,
    source: usize,
    id: usize,
    index: usize,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut keys: FxHashMap<&[u8], usize> = FxHashMap::default();
    let mut number = |key: &'static str| {
        let next = keys.len();
        *keys.entry(key.as_bytes()).or_insert(next)
    };
    let (source, id, index) = (number("eventSource"), number("_id"), number("_index"));
    let places = PLACES.iter().map(|place| (number(place.key), place)).collect();
    let shapes = SHAPES.iter().map(|shape| {
        let needs = shape.has.iter().fold(0, |needs, has| needs | 1 << number(has.key()));
        (needs, shape)
    });
    let shapes = shapes.collect();
    let prefixes = keys.iter().filter_map(|(key, &number)| Some((key.strip_suffix(b"*")?, number))).collect();
    Tables { keys, prefixes, shapes, places, source, id, index }
});

impl Has {
    fn key(self) -> &'static str {
        match self {
            Self::Key(key)
            | Self::Scalar(key)
            | Self::Text(key, _)
            | Self::Inner(key, _)
            | Self::InnerText(key, ..) => key,
        }
    }

    /// Whether the value that stands under the key is as it has to be.
    fn fits(self, value: &[u8]) -> bool {
        let begins = |value: &[u8], start: &str| {
            value.strip_prefix(b"\"").is_some_and(|it| it.starts_with(start.as_bytes()))
        };
        match self {
            Self::Key(_) => true,
            Self::Scalar(_) => !matches!(value.first(), Some(b'{' | b'[')),
            Self::Text(_, start) => begins(value, start),
            Self::Inner(_, inner) => member(value, inner).is_some(),
            Self::InnerText(_, inner, start) => member(value, inner).is_some_and(|it| begins(it, start)),
        }
    }
}

/// Whether a key tells that the object is a CloudTrail record.
pub(crate) fn is_cloudtrail_key(key: &[u8]) -> bool {
    CLOUDTRAIL_KEYS.iter().any(|it| it.as_bytes() == key)
}

/// Whether a key tells that the object is a document.
pub(crate) fn is_document_key(key: &[u8]) -> bool {
    DOCUMENT_KEYS.iter().any(|it| it.as_bytes() == key)
}

/// Whether an object is a record as AWS delivers it, told by how it begins. Nearly every record of nearly every trail does,
/// so the others may take their time.
pub(crate) fn is_delivered_record(text: &[u8]) -> bool {
    fn after<'t>(text: &'t [u8], token: &[u8]) -> Option<&'t [u8]> {
        text.trim_ascii_start().strip_prefix(token)
    }
    // Most have no white space, and this is asked of every record.
    let version = text.strip_prefix(b"{\"eventVersion\":\"1.").or_else(|| {
        let version = after(after(after(text, b"{")?, b"\"eventVersion\"")?, b":")?;
        after(version, b"\"1.")
    });
    // Those of S3's notifications begin with a 2, and DynamoDB's are followed by something else.
    version.is_some_and(|version| {
        let digits = version.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = &version[digits..];
        let follows = || after(after(rest.strip_prefix(b"\"")?, b",")?, b"\"userIdentity\"");
        rest.starts_with(b"\",\"userIdentity\"") || follows().is_some()
    })
}

/// Whether a value begins as records and files of AWS do and hardly anything else does, as an object or as its text.
fn begins_like_a_record(value: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 4] = [
        b"{\"eventVersion\":",
        b"{\\\"eventVersion\\\":",
        b"{\"Records\":[{\"eventVersion\":",
        b"{\\\"Records\\\":[{\\\"eventVersion\\\":",
    ];
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    value.first() == Some(&b'{') && BEGINNINGS.iter().any(|it| value.starts_with(it))
}

/// Whether this is an `eventSource` of CloudTrail.
fn is_host(value: &[u8]) -> bool {
    value.starts_with(b"\"") && !value.starts_with(b"\"aws:")
}

/// What the first level of an object tells about it.
#[derive(Debug, Default)]
pub(crate) struct Clues {
    keys: Keys,
    /// What stands under each key that is there.
    values: Vec<Range<usize>>,
    is_cut: bool,
    /// What stands under a key that no table has, and begins like a record of AWS.
    stray: Option<Range<usize>>,
    /// It has the source of a record.
    is_record: bool,
}

impl Clues {
    /// Reads an object: to its end, or until it is certainly a record.
    pub(crate) fn read(&mut self, object: &[u8]) {
        let tables = &*TABLES;
        self.keys = 0;
        self.is_record = false;
        self.stray = None;
        self.values.resize(tables.keys.len(), 0..0);
        let mut last = 0;
        let walked = members(object, 0, |key, value| {
            last = value.end;
            let prefix = || tables.prefixes.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|it| it.1);
            let Some(number) = tables.keys.get(key).copied().or_else(prefix) else {
                if self.stray.is_none() && begins_like_a_record(&object[value.clone()]) {
                    self.stray = Some(value);
                }
                return ControlFlow::Continue(());
            };
            self.keys |= 1 << number;
            self.is_record = number == tables.source && is_host(&object[value.clone()]);
            self.values[number] = value;
            if self.is_record { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.is_cut = match walked {
            Ok(()) | Err(Stop::Enough) => false,
            // What is broken in a value is for whoever looks into that to say.
            Err(Stop::MoreText | Stop::Broken) => last < object.len(),
        };
    }

    /// Whether the object is broken between its members, behind what was read.
    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// What the object is.
    pub(crate) fn shape(&self, object: &[u8]) -> Option<Is> {
        // Most of those that get here: the tables would say the same.
        if self.is_record {
            return Some(Is::CloudTrail);
        }
        let fits = |shape: &Shape| {
            shape
                .has
                .iter()
                .all(|has| self.at(TABLES.keys[has.key().as_bytes()]).is_some_and(|it| has.fits(&object[it])))
        };
        let mut shapes = TABLES.shapes.iter().filter(|(needs, _)| needs & self.keys == *needs);
        shapes.find(|(_, shape)| fits(shape)).map(|(_, shape)| shape.is)
    }

    /// Where a record is that somebody put under a key of their own.
    pub(crate) fn stray(&self) -> Option<Range<usize>> {
        self.stray.clone()
    }

    /// Where records may be in the object, in the order in which to look.
    pub(crate) fn places(&self) -> impl Iterator<Item = (Holds, Range<usize>)> {
        let is_hit = self.at(TABLES.id).or(self.at(TABLES.index)).is_some();
        TABLES.places.iter().filter_map(move |(key, place)| {
            let holds = match place.holds {
                Holds::Fields if is_hit => Holds::Source,
                Holds::Fields => return None,
                holds => holds,
            };
            Some((holds, self.at(*key)?))
        })
    }

    /// The text of the object's `_id`, as written.
    pub(crate) fn id<'t>(&self, object: &'t str) -> Option<&'t str> {
        self.text(object, TABLES.id)
    }

    /// The text of the object's `_index`, as written.
    pub(crate) fn index<'t>(&self, object: &'t str) -> Option<&'t str> {
        self.text(object, TABLES.index)
    }

    fn text<'t>(&self, object: &'t str, key: usize) -> Option<&'t str> {
        object[self.at(key)?].strip_prefix('"')?.strip_suffix('"')
    }

    fn at(&self, key: usize) -> Option<Range<usize>> {
        (self.keys >> key & 1 != 0).then(|| self.values[key].clone())
    }
}

/// What the object has under a key of its first level.
pub(crate) fn member<'t>(object: &'t [u8], wanted: &str) -> Option<&'t [u8]> {
    let mut found = None;
    _ = members(object, 0, |key, value| {
        if key != wanted.as_bytes() {
            return ControlFlow::Continue(());
        }
        found = Some(&object[value]);
        ControlFlow::Break(())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_tables_has_a_bit() {
        assert!(TABLES.keys.len() <= Keys::BITS as usize, "{} keys", TABLES.keys.len());
        assert_eq!(TABLES.prefixes, [(&b"aws.cloudtrail."[..], TABLES.keys[&b"aws.cloudtrail.*"[..]])]);
    }

    #[test]
    fn delivered_records_are_known_by_their_beginning() {
        for text in [
            r#"{"eventVersion":"1.08","userIdentity":{}}"#,
            "{ \"eventVersion\" : \"1.11\" ,\n \"userIdentity\" : {",
        ] {
            assert!(is_delivered_record(text.as_bytes()), "{text}");
        }
        for text in [
            r#"{"eventVersion":"2.1","userIdentity":{}}"#,
            r#"{"eventVersion":"1.1","eventSource":"aws:dynamodb"}"#,
            r#"{"eventVersion":"1.08"}"#,
            r#"{"eventVersion":1.08,"userIdentity":{}}"#,
            r#"{"eventVersion":"1.08x","userIdentity":{}}"#,
            "{",
            "",
        ] {
            assert!(!is_delivered_record(text.as_bytes()), "{text}");
        }
    }
}
