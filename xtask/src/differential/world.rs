//! Random documents under a mapping with every field type that the peers support.

use std::sync::LazyLock;

use ecs::Object;
use fastrand::Rng;
use serde_json::{Value, json};

/// The fields of the documents: path, type, and whether it lies in a nested field.
pub(super) const FIELDS: &[(&str, &str, bool)] = &[
    ("k", "keyword", false),
    ("k2", "keyword", false),
    ("short.k", "keyword", false),
    ("t", "text", false),
    ("o.k", "keyword", false),
    ("o.t", "text", false),
    ("o.n", "long", false),
    ("l", "long", false),
    ("i", "integer", false),
    ("s", "short", false),
    ("b", "byte", false),
    ("d", "double", false),
    ("f", "float", false),
    ("h", "half_float", false),
    ("bool", "boolean", false),
    ("ip", "ip", false),
    ("date", "date", false),
    ("nanos", "date_nanos", false),
    ("flat", "flattened", false),
    ("geo", "geo_point", false),
    ("n.k", "keyword", true),
    ("n.t", "text", true),
    ("n.l", "long", true),
    ("n.m.k", "keyword", true),
    ("n.m.d", "date", true),
];

/// Values that keyword fields hold; queries ask for them, too.
pub(super) const WORDS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "abc",
    "a b",
    "b",
    "foo",
    "foo bar",
    "foo  bar",
    "Foo",
    "foo*",
    "x?y",
    "C:\\temp\\x",
    "true",
    "false",
    "null",
    "1",
    "1.0",
    "5",
    "10",
    "9",
    "443",
    "café",
    "CAFÉ",
    "日本語",
    "ß",
    "İs",
    "a-b",
    "a/b",
    "a_b",
    "user@example.com",
    "arn:aws:iam::111122223333:role/x",
    "s3:GetObject",
    "10.0.0.1",
    "2024-05-01",
    "😀",
    "AND",
    "or",
    "not",
    "NOT x",
    "cmd.exe",
    "o'neil",
    "a.b",
    "a,b",
    "1,2",
    "a\tb",
    "\"q\"",
    "(x)",
    "k",
    "longer than eight",
    "a=b",
    "a|b",
    "~",
    "^a",
    "[1 TO 2]",
    "|",
    "&&",
];

const SENTENCES: &[&str] = &[
    "The quick brown Fox",
    "quick-brown_fox jumps",
    "cmd.exe /c whoami",
    "o'neil's user@example.com",
    "a1.b2 s3:GetObject",
    "10.1.2.3:443",
    "日本 語",
    "foo foo bar",
    "foo bar",
    "BAR foo",
    "arn:aws:iam::111122223333:role/x",
    "fe80::1",
    "😀 a b",
    "!!!",
    "aws-cli/2.15.0 Python",
    "x",
    "A",
    "true 5",
    "café CAFÉ Straße",
    "foo\nbar",
    "1,234.5",
    "a..b a.b.",
    "don’t 3.x v1.2",
];

pub(super) const IPS: &[&str] = &[
    "10.0.0.1",
    "10.0.0.255",
    "10.1.0.0",
    "192.168.1.1",
    "0.0.0.0",
    "255.255.255.255",
    "::1",
    "::ffff:10.0.0.1",
    "2001:db8::1",
    "2001:DB8:0:0::1",
    "fe80::1",
    "::",
];

pub(super) const DATES: &[&str] = &[
    "2024-05-01",
    "2024-05-01T00:00:00Z",
    "2024-05-01T10:30:00Z",
    "2024-05-01T10:30:00.123Z",
    "2024-05-01T23:59:59.999Z",
    "2024-05-02T00:00:00+02:00",
    "2024-05",
    "2024",
    "1714559400000",
    "1969-12-31T23:59:59Z",
    "2024-02-29",
    "2023-12-31T23:59",
    "2024-05-01T10:30:00.123456789Z",
    "2024-12-31",
    "0",
    "9999-12-31",
];

static NUMBERS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let texts = [
        "0",
        "1",
        "-1",
        "2",
        "5",
        "5.7",
        "-5.7",
        "9",
        "10",
        "100",
        "127",
        "-128",
        "443",
        "443.5",
        "32767",
        "2147483647",
        "-2147483648",
        "9223372036854775807",
        "-9223372036854775808",
        "9007199254740993",
        "1e3",
        "0.1",
        "0.5",
        "1.10",
        "65504",
        "1e10",
        "3.4028235e38",
        "1e-7",
        "\"443\"",
        "\"5.5\"",
        "\"-1\"",
        "\"1e2\"",
        "\"\"",
    ];
    texts.iter().map(|text| serde_json::from_str(text).expect("each of these is JSON")).collect()
});

/// The mapping of [`FIELDS`].
pub(super) fn mapping() -> Value {
    let mut root = json!({"dynamic": false, "properties": {}});
    for &(path, ty, _) in FIELDS {
        let mut at = &mut root;
        let mut prefix = String::new();
        let mut parts = path.split('.').peekable();
        while let Some(part) = parts.next() {
            prefix = if prefix.is_empty() { part.to_owned() } else { format!("{prefix}.{part}") };
            at = &mut at["properties"][part];
            if parts.peek().is_some() {
                if at.is_null() {
                    *at = if matches!(prefix.as_str(), "n" | "n.m") {
                        json!({"type": "nested", "properties": {}})
                    } else {
                        json!({"properties": {}})
                    };
                }
            } else {
                *at = if path == "short.k" {
                    json!({"type": ty, "ignore_above": 8})
                } else {
                    json!({"type": ty})
                };
            }
        }
    }
    root
}

/// Random documents with ids from 1. The first has a value in every field: what no document has, a node does not
/// look at, errors included.
pub(super) fn documents(rng: &mut Rng, count: usize) -> Vec<(String, Object)> {
    let mut first = Object::new();
    for &(path, ty, nested) in FIELDS {
        if !nested {
            first.insert(path.to_owned(), one_value(ty));
        }
    }
    let inner = json!({"k": one_value("keyword"), "d": one_value("date")});
    first.insert(
        "n".to_owned(),
        json!({"k": one_value("keyword"), "t": one_value("text"), "l": 1, "m": inner}),
    );
    let others = (2..=count).map(|id| (id.to_string(), document(rng)));
    std::iter::once(("1".to_owned(), first)).chain(others).collect()
}

fn one_value(ty: &str) -> Value {
    match ty {
        "keyword" | "text" => json!("only"),
        "ip" => json!("10.9.9.9"),
        "date" | "date_nanos" => json!("2020-02-20T20:20:20Z"),
        "boolean" => json!(true),
        "flattened" => json!({"k": "only"}),
        "geo_point" => json!({"lat": 1, "lon": 2}),
        _ => json!(1),
    }
}

fn document(rng: &mut Rng) -> Object {
    let mut out = Object::new();
    let density = rng.u8(1..=7);
    for &(path, ty, nested) in FIELDS {
        if nested || path.starts_with("o.") || rng.u8(0..8) >= density {
            continue;
        }
        let value = values(rng, ty);
        // How long such texts are depends on how the document writes them (docs/compatibility.md).
        if path == "short.k" && value.to_string().chars().any(|it| it > '\u{ffff}') {
            continue;
        }
        match path.split_once('.') {
            // An object and a dotted key are the same path.
            Some((head, tail)) if rng.bool() => {
                out.insert(head.to_owned(), json!({ tail: value }));
            }
            _ => {
                out.insert(path.to_owned(), value);
            }
        }
    }
    if rng.u8(0..8) < density {
        out.insert("o".to_owned(), objects(rng, "o."));
    }
    if rng.u8(0..8) < density {
        out.insert("n".to_owned(), nested(rng));
    }
    if rng.u8(0..4) == 0 {
        out.insert("unmapped".to_owned(), json!(word(rng, WORDS)));
    }
    out
}

fn nested(rng: &mut Rng) -> Value {
    let mut value = objects(rng, "n.");
    let mut add = |object: &mut Object| {
        object.retain(|name, _| !name.starts_with("m."));
        if rng.bool() {
            object.insert("m".to_owned(), objects(rng, "n.m."));
        }
    };
    match &mut value {
        Value::Object(object) => add(object),
        Value::Array(objects) => objects.iter_mut().filter_map(Value::as_object_mut).for_each(add),
        _ => {}
    }
    value
}

/// An object, or an array of some, with fields below `prefix`.
fn objects(rng: &mut Rng, prefix: &str) -> Value {
    let one = |rng: &mut Rng| {
        let mut object = Object::new();
        for &(path, ty, _) in FIELDS {
            if let Some(name) = path.strip_prefix(prefix)
                && rng.u8(0..3) > 0
            {
                object.insert(name.to_owned(), values(rng, ty));
            }
        }
        Value::Object(object)
    };
    match rng.u8(0..10) {
        0 => json!({}),
        1 => Value::Null,
        2 => json!([]),
        3..=6 => (0..rng.usize(1..4)).map(|_| one(rng)).collect(),
        _ => one(rng),
    }
}

/// No value, one or several.
fn values(rng: &mut Rng, ty: &str) -> Value {
    match rng.u8(0..16) {
        0 => Value::Null,
        1 => json!([]),
        2..=5 if ty != "geo_point" => (0..rng.usize(1..4)).map(|_| value(rng, ty)).collect(),
        6 if ty != "geo_point" => json!([Value::Null, value(rng, ty)]),
        _ => value(rng, ty),
    }
}

fn value(rng: &mut Rng, ty: &str) -> Value {
    match ty {
        "keyword" => match rng.u8(0..8) {
            0 => pick(rng, &NUMBERS).clone(),
            1 => json!(rng.bool()),
            2 => json!(text(rng)),
            _ => json!(word(rng, WORDS)),
        },
        "text" => match rng.u8(0..10) {
            0 => pick(rng, &NUMBERS).clone(),
            1 => json!(rng.bool()),
            2 | 3 => json!(word(rng, WORDS)),
            4 | 5 => json!(text(rng)),
            _ => json!(word(rng, SENTENCES)),
        },
        "boolean" => {
            pick(rng, &[json!(true), json!(false), json!("true"), json!("false"), json!("")]).clone()
        }
        "ip" => json!(word(rng, IPS)),
        "date" => match rng.u8(0..4) {
            0 => json!(1_714_559_400_000_i64 + i64::from(rng.i32(-1_000_000..1_000_000))),
            _ => json!(word(rng, DATES)),
        },
        "date_nanos" => json!(word(rng, DATES)),
        "geo_point" => json!({"lat": rng.i32(-90..=90), "lon": rng.i32(-180..=180)}),
        "flattened" => flattened(rng, 0),
        _ => pick(rng, &NUMBERS).clone(),
    }
}

/// Objects with the keys that queries ask for.
fn flattened(rng: &mut Rng, depth: usize) -> Value {
    let mut object = Object::new();
    for name in ["a", "k", "sub", "sub.x"] {
        let value = match rng.u8(0..8) {
            0 | 1 if depth < 2 => flattened(rng, depth + 1),
            2 => json!([word(rng, WORDS), pick(rng, &NUMBERS).clone()]),
            3 => pick(rng, &NUMBERS).clone(),
            4 => json!(word(rng, WORDS)),
            5 => pick(rng, &[json!(true), json!(null), json!([]), json!({})]).clone(),
            _ => continue,
        };
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// Characters that analysis, patterns and escapes care about.
const CHARACTERS: &[&str] = &[
    "a",
    "b",
    "A",
    "1",
    "2",
    " ",
    " ",
    ".",
    ",",
    "-",
    "_",
    ":",
    "/",
    "\\",
    "*",
    "?",
    "'",
    "\"",
    "(",
    "é",
    "É",
    "日",
    "本",
    "カ",
    "ｶ",
    "한",
    "😀",
    "👩\u{200d}💻",
    "🇩🇪",
    "א",
    "ß",
    "İ",
    "ı",
    "\u{301}",
    "\u{a0}",
    "\u{3000}",
    "·",
    "’",
    ";",
    "@",
    "#",
    "ก",
    "\u{ad}",
    "\n",
    "Ⅷ",
    "²",
    "ﬁ",
    "٣",
];

/// Random text.
pub(super) fn text(rng: &mut Rng) -> String {
    (0..rng.usize(1..=8)).map(|_| word(rng, CHARACTERS)).collect()
}

/// One of several.
pub(super) fn pick<'a, T>(rng: &mut Rng, from: &'a [T]) -> &'a T {
    &from[rng.usize(0..from.len())]
}

/// One of several words.
pub(super) fn word<'a>(rng: &mut Rng, from: &[&'a str]) -> &'a str {
    from[rng.usize(0..from.len())]
}
