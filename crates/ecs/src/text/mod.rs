//! Documents whose values are JSON text already.
//!
//! A [`serde_json`] tree costs an allocation for every key and value. Who only writes a document, or asks for a few of
//! its fields, needs none: where the fields of a source lie is known before any document is made ([`Paths`]), and a
//! [`TextDocument`] holds the texts of their values side by side.

mod paths;
mod print;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;

use crate::Scalar;
use crate::document::{first, lookup};

pub use paths::{Member, Paths};
pub use print::{indent, write_text};

/// What the text of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, a number, true or false.
    Scalar,
    /// A list of texts.
    Texts,
    /// Anything else: an object, or a list of whatever.
    Tree,
}

/// A document of which the values are JSON texts. It can be used again and again.
#[derive(Debug)]
pub struct TextDocument {
    paths: &'static Paths,
    text: String,
    /// In the order in which they were made.
    values: Vec<Made>,
    /// For each field the place of its value in `values`, or [`ABSENT`].
    by_field: Vec<u32>,
    /// For each object its members, in the order in which they came.
    members: Vec<Vec<Member>>,
    /// The objects that there are, the document aside.
    open: Vec<usize>,
    is_open: Vec<bool>,
    has_empty: bool,
}

#[derive(Debug)]
struct Made {
    field: usize,
    kind: Kind,
    text: Range<usize>,
}

const ABSENT: u32 = u32::MAX;

/// About what the key of a value takes, and what stands around it.
const KEY_BYTES: usize = 24;

impl TextDocument {
    /// A document without fields.
    pub fn new(paths: &'static Paths) -> Self {
        Self {
            paths,
            text: String::new(),
            values: Vec::new(),
            by_field: vec![ABSENT; paths.len()],
            members: vec![Vec::new(); paths.object_count()],
            open: Vec::new(),
            is_open: vec![false; paths.object_count()],
            has_empty: false,
        }
    }

    /// Where it has its fields.
    pub fn paths(&self) -> &'static Paths {
        self.paths
    }

    /// Takes all fields from it.
    pub fn clear(&mut self) {
        self.text.clear();
        for made in self.values.drain(..) {
            self.by_field[made.field] = ABSENT;
        }
        for object in self.open.drain(..) {
            self.members[object].clear();
            self.is_open[object] = false;
        }
        self.members[Paths::DOCUMENT].clear();
        self.has_empty = false;
    }

    /// Gives a field that it has not a value, which `write` appends as JSON.
    pub fn set(&mut self, field: usize, kind: Kind, write: impl FnOnce(&mut TextValue<'_>)) {
        debug_assert_eq!(self.by_field[field], ABSENT, "{} has a value", self.paths.path(field));
        let start = self.text.len();
        write(&mut TextValue { out: &mut self.text, has_empty: &mut self.has_empty });
        self.by_field[field] = self.values.len() as u32;
        self.values.push(Made { field, kind, text: start..self.text.len() });
        let (object, _) = self.paths.place(field);
        self.open(object);
        self.members[object].push(Member::Field(field));
    }

    /// An object comes where its first field does.
    fn open(&mut self, object: usize) {
        if object != Paths::DOCUMENT && !self.is_open[object] {
            let (outer, _) = self.paths.place_of_object(object);
            self.open(outer);
            self.members[outer].push(Member::Object(object));
            self.open.push(object);
            self.is_open[object] = true;
        }
    }

    /// Sees to it that there is the object that a field lies in, if there is the one around it.
    pub fn keep_object_of(&mut self, field: usize) {
        let (object, _) = self.paths.place(field);
        let (outer, _) = self.paths.place_of_object(object);
        if outer == Paths::DOCUMENT || self.is_open[outer] {
            self.has_empty |= !self.is_open[object];
            self.open(object);
        }
    }

    /// The JSON text of a field's value.
    pub fn text(&self, field: usize) -> Option<&str> {
        let made = self.values.get(self.by_field[field] as usize)?;
        Some(&self.text[made.text.clone()])
    }

    /// The value of a field.
    pub fn value(&self, field: usize) -> Option<Value> {
        // What cannot be read back is no JSON; all of it was written as such.
        crate::json::parse(self.text(field)?).ok()
    }

    /// The value at `path`, as [`lookup`] finds it in the tree; nothing if that is an object of several fields.
    pub fn get(&self, path: &str) -> Option<Value> {
        if let Some(field) = self.paths.field(path) {
            return self.value(field);
        }
        let mut cuts = path.rmatch_indices('.').map(|(at, _)| (&path[..at], &path[at + 1..]));
        let (field, rest) = cuts.find_map(|(outer, rest)| Some((self.paths.field(outer)?, rest)))?;
        match self.value(field)? {
            Value::Object(inner) => lookup(&inner, rest).cloned(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        }
    }

    /// The text at `path`, or the first of a list of them, as [`get`](Self::get) finds it.
    pub fn first_text(&self, path: &str) -> Option<Cow<'_, str>> {
        let json = self.paths.field(path).and_then(|field| self.text(field));
        let plain = json.and_then(|it| plain(it.strip_prefix('[').unwrap_or(it)));
        if let Some((text, _)) = plain {
            return Some(text.into());
        }
        let value = self.get(path)?;
        first(&value)?.as_str().map(|it| it.to_owned().into())
    }

    /// The text of the field at `path`, if its value is one text, or a list of one, and has nothing that JSON escapes.
    pub fn plain_text(&self, path: &str) -> Option<&str> {
        let json = self.text(self.paths.field(path)?)?;
        let json = json.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(json);
        plain(json).filter(|(_, rest)| rest.is_empty()).map(|(text, _)| text)
    }

    /// The fields that it has, in the order in which they came.
    pub fn fields(&self) -> impl Iterator<Item = (usize, Kind)> {
        self.values.iter().map(|made| (made.field, made.kind))
    }

    /// Whether any of its values holds an empty object or list.
    pub fn has_empty(&self) -> bool {
        self.has_empty
    }

    /// Takes a field out of its object, as [`serde_json::Map::remove`] does it: the object's last member takes its
    /// place. What its value is can still be asked.
    pub fn hide(&mut self, field: usize) {
        let (object, _) = self.paths.place(field);
        let members = &mut self.members[object];
        if let Some(at) = members.iter().position(|it| *it == Member::Field(field)) {
            members.swap_remove(at);
        }
    }

    /// Whether it has a field of this number, or an object with fields.
    pub fn has(&self, member: Member) -> bool {
        match member {
            Member::Field(field) => self.by_field[field] != ABSENT,
            Member::Object(object) => self.is_open[object],
        }
    }

    /// Appends `"key":value` for a field or an object that the document has.
    pub fn write_member(&self, member: Member, out: &mut String) {
        match member {
            Member::Field(field) => {
                out.push_str(&self.paths.fields[field].prefix);
                out.push_str(self.text(field).unwrap_or("null"));
            }
            Member::Object(object) => {
                out.push_str(&self.paths.objects[object].prefix);
                self.write_object(object, out);
            }
        }
    }

    /// About how many bytes it has as JSON.
    pub fn json_len(&self) -> usize {
        self.text.len() + KEY_BYTES * self.values.len()
    }

    /// Appends the whole document as one line of JSON: what [`serde_json`] writes of its tree.
    pub fn write_json(&self, out: &mut String) {
        self.write_object(Paths::DOCUMENT, out);
    }

    fn write_object(&self, object: usize, out: &mut String) {
        let mut before = '{';
        for &member in &self.members[object] {
            out.push(before);
            before = ',';
            self.write_member(member, out);
        }
        out.push_str(if before == '{' { "{}" } else { "}" });
    }
}

/// The text that JSON begins with, if it does, and that has nothing escaped; and what follows.
fn plain(json: &str) -> Option<(&str, &str)> {
    let rest = json.strip_prefix('"')?;
    let end = rest.find(['"', '\\'])?;
    rest[end..].strip_prefix('"').map(|after| (&rest[..end], after))
}

/// Where the JSON text of one value is written to.
#[derive(Debug)]
pub struct TextValue<'t> {
    out: &'t mut String,
    has_empty: &'t mut bool,
}

impl TextValue<'_> {
    /// A text.
    pub fn text(&mut self, text: &str) {
        write_text(text, self.out);
    }

    /// A text, a number, true or false: as [`Scalar::to_json`] is written.
    pub fn scalar(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Str(text) => self.text(text),
            Scalar::Bool(true) => self.out.push_str("true"),
            Scalar::Bool(false) => self.out.push_str("false"),
            Scalar::Int(value) => _ = write!(self.out, "{value}"),
            Scalar::UInt(value) => _ = write!(self.out, "{value}"),
            Scalar::Float(_) | Scalar::NumberText(_) => _ = write!(self.out, "{}", value.to_json()),
        }
    }

    /// Nothing that is a value.
    pub fn null(&mut self) {
        self.out.push_str("null");
    }

    /// A list.
    pub fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for item in items {
            write(self, item);
            self.out.push(',');
        }
        self.close('[', ']');
    }

    /// An object, of keys that are different.
    pub fn object<'k, T>(
        &mut self,
        entries: impl IntoIterator<Item = (&'k str, T)>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.out.push('{');
        for (key, value) in entries {
            self.text(key);
            self.out.push(':');
            write(self, value);
            self.out.push(',');
        }
        self.close('{', '}');
    }

    fn close(&mut self, opening: char, closing: char) {
        if self.out.ends_with(opening) {
            *self.has_empty = true;
        } else {
            self.out.pop();
        }
        self.out.push(closing);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::Object;

    static PATHS: LazyLock<Paths> =
        LazyLock::new(|| Paths::new(["a.b.c", "t", "a.b.d", "a.e", "z.\"q", "a.b2"]));

    pub(super) fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(serde_json::from_str::<Value>("1.10").unwrap()),
            "\\PC{0,40}".prop_map(Value::from),
            "[a\"\\\\\n\u{1}\u{8}\u{c}\r\t\u{7f}\u{e9},:{}\\[\\]]{0,80}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec(("[ab\"]{0,2}", inner), 0..4)
                    .prop_map(|it| Value::Object(Object::from_iter(it))),
            ]
        })
    }

    fn write(value: &Value, out: &mut TextValue<'_>) {
        match value {
            Value::Null => out.null(),
            Value::Array(items) => out.list(items, |out, item| write(item, out)),
            Value::Object(entries) => {
                out.object(entries.iter().map(|(key, value)| (key.as_str(), value)), |out, it| {
                    write(it, out);
                });
            }
            leaf => out.scalar(Scalar::of(leaf).unwrap()),
        }
    }

    fn holds_empty(value: &Value) -> bool {
        match value {
            Value::Array(items) => items.is_empty() || items.iter().any(holds_empty),
            Value::Object(entries) => entries.is_empty() || entries.values().any(holds_empty),
            _ => false,
        }
    }

    /// The obvious way.
    fn insert(document: &mut Object, path: &str, value: Value) {
        match path.split_once('.') {
            None => _ = document.insert(path.to_owned(), value),
            Some((key, rest)) => {
                let inner = document.entry(key).or_insert_with(|| Object::new().into());
                insert(inner.as_object_mut().unwrap(), rest, value);
            }
        }
    }

    fn remove(document: &mut Object, path: &str) {
        match path.split_once('.') {
            None => _ = document.remove(path),
            Some((key, rest)) => {
                if let Some(Value::Object(inner)) = document.get_mut(key) {
                    remove(inner, rest);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_the_tree_is_written_as(
            documents in prop::collection::vec(
                (Just((0..6).collect::<Vec<usize>>()).prop_shuffle(), prop::collection::vec(json(), 0..6)),
                1..3,
            ),
            hidden in prop::option::of(0..6_usize),
        ) {
            let mut text = TextDocument::new(&PATHS);
            for (fields, values) in documents {
                text.clear();
                let mut tree = Object::new();
                for (&field, value) in fields.iter().zip(&values) {
                    text.set(field, Kind::Tree, |out| write(value, out));
                    insert(&mut tree, PATHS.path(field), value.clone());
                    let read = text.value(field);
                    prop_assert_eq!(read.as_ref(), Some(value));
                }
                for path in ["t", "t.a", "a.b.c", "a.b.c.a.b", "a.b.c.", "a.b2.\"", "a.bb", "x"] {
                    let found = text.get(path);
                    prop_assert_eq!(found.as_ref(), lookup(&tree, path), "{}", path);
                    let first_text = found.as_ref().and_then(first).and_then(Value::as_str);
                    prop_assert_eq!(text.first_text(path), first_text.map(Cow::from), "{}", path);
                    if let Some(plain) = text.plain_text(path) {
                        let is_it = found == Some(plain.into()) || found == Some(vec![plain].into());
                        prop_assert!(is_it, "{}: {}", path, plain);
                    }
                }
                prop_assert_eq!(text.has_empty(), values.iter().any(holds_empty));
                if let Some(field) = hidden {
                    text.hide(field);
                    remove(&mut tree, PATHS.path(field));
                }
                let mut written = String::new();
                text.write_json(&mut written);
                prop_assert_eq!(&written, &Value::Object(tree.clone()).to_string());
                // One by one, the members are those of the document.
                for (key, member) in PATHS.roots() {
                    let is_hidden = matches!(member, Member::Field(field) if hidden == Some(field));
                    if text.has(member) && !is_hidden {
                        let mut out = String::new();
                        text.write_member(member, &mut out);
                        prop_assert_eq!(out, format!("{}:{}", Value::from(key), tree[key]));
                    } else {
                        prop_assert!(!tree.contains_key(key));
                    }
                }
            }
        }
    }
}
