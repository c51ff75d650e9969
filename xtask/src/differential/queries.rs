//! Random KQL: mostly queries, some of them broken.

use fastrand::Rng;

use super::world::{DATES, FIELDS, IPS, WORDS, pick, text, word};

/// How deep operators nest.
const DEPTH: usize = 3;

const NAMES: &[&str] = &[
    "o",
    "short",
    "n",
    "n.m",
    "unmapped",
    "nope",
    "nope.x",
    "flat.a",
    "flat.k",
    "flat.sub",
    "flat.sub.x",
    "flat.sub.a",
    "flat.nope",
    "k*",
    "o.*",
    "n.*",
    "*k",
    "*",
    "*.t",
    "l*",
    "da*",
    "nope*",
    "\"k\"",
    "\"o.k\"",
    "\"k*\"",
    "K",
    "k.k",
    "_id",
    "fl*",
];

const CALM_NAMES: &[&str] = &[
    "o",
    "unmapped",
    "nope",
    "nope.x",
    "flat.a",
    "flat.k",
    "flat.sub",
    "flat.sub.x",
    "flat.sub.a",
    "k*",
    "*k",
    "*.t",
    "nope*",
    "\"k\"",
    "o.?",
    "_id",
];

const DATE_VALUES: &[&str] = &[
    "now",
    "now-1d",
    "now/d",
    "2024-05-01||+1d",
    "2024-05-01||/M",
    "2024-05||/M",
    "2024-05-01T10:30||+1h/h",
    "2024-05-01T10",
    "2024/05/01",
    "2024-5-1",
    "2024-05-01 10:30",
    "2024-W01",
    "2024-122",
    "2024-13-01",
    "20240501",
    "12345",
    "-1",
    "2024-05-01T10:30:00",
    "2024-05-01T10:30+02:00",
    "2024-05-01||/y",
    "now+1x",
    "2024-02-30",
    "2024-05-01Z",
    "1714559400000||/d",
    "2024-05-01T24:00:00",
    "2024-05-01T10:30:00.1234567Z",
];

const NUMBER_VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "5",
    "5.0",
    "5.5",
    "5.7",
    "443",
    "443.0",
    "443.5",
    "127",
    "128",
    "-129",
    "32768",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "9007199254740992",
    "9007199254740993",
    "1e3",
    "5e0",
    "+5",
    "0x5",
    "1,000",
    "abc",
    " 5",
    "0.1",
    "1e400",
    "-0",
    "NaN",
    "Infinity",
    "65504",
    "65520",
    "3.4028235e38",
    "1e39",
    ".5",
    "5.",
    "1e-7",
    "5d",
    "5f",
    "0.30000001",
];

const GOOD_NETS: &[&str] =
    &["10.0.0.0/8", "10.0.0.1/24", "::/0", "0.0.0.0/0", "fe80::/10", "10.0.0.0/31", "2001:db8::/32"];

const GOOD_DATES: &[&str] = &[
    "2024-05-01",
    "2024-05-01T10:30:00Z",
    "2024-05-01T10:30:00.123Z",
    "2024-05",
    "2024",
    "1714559400000",
    "now",
    "now-1d/d",
    "2024-05-01||/M",
    "2024-05-01||+1d",
    "2024-02-29",
    "2024-05-01T23:59:59.999Z",
    "2024-05-01T10:30:00+02:00",
    "2023-12-31T23:59:00",
    "1970-01-01",
    "0",
];

const GOOD_NUMBERS: &[&str] =
    &["0", "1", "-1", "5", "5.0", "5.5", "5.7", "9", "10", "100", "127", "443", "1e2", "-5.7", "0.1", "0.5"];

const IP_VALUES: &[&str] = &[
    "10.0.0.0/8",
    "10.0.0.1/24",
    "10.0.0.1/32",
    "10.0.0.0/33",
    "::/0",
    "0.0.0.0/0",
    "fe80::/10",
    "::ffff:10.0.0.0/104",
    "10.0.0",
    "10.0.0.01",
    "2001:db8::/129",
    "2001:db8:0:0:0:0:0:1",
    "10.0.0.1/",
    "/8",
    "::ffff:0a00:0001",
    "1",
    "fe80::1%eth0",
];

const TEXT_VALUES: &[&str] = &[
    "quick",
    "QUICK",
    "brown fox",
    "fox brown",
    "foo bar",
    "foo foo",
    "!!!",
    "cmd.exe",
    "neil",
    "o'neil",
    "user",
    "example.com",
    "a1",
    "s3",
    "10.1.2.3",
    "日本",
    "日",
    "straße",
    "foo baz",
    "1,234.5",
    "don’t",
    "x y z",
    "quick_brown",
];

/// Chance, and how wild it may be.
struct Dice<'a> {
    rng: &'a mut Rng,
    /// Values suit their fields: a query of many parts is otherwise hardly ever one that both sides accept.
    calm: bool,
}

impl std::ops::Deref for Dice<'_> {
    type Target = Rng;

    fn deref(&self) -> &Rng {
        self.rng
    }
}

impl std::ops::DerefMut for Dice<'_> {
    fn deref_mut(&mut self) -> &mut Rng {
        self.rng
    }
}

/// A query; some are broken on purpose.
pub(super) fn query(rng: &mut Rng) -> String {
    let calm = rng.u8(0..3) > 0;
    let rng = &mut Dice { rng, calm };
    let depth = rng.usize(0..=DEPTH);
    let mut out = String::new();
    condition(rng, depth, &mut out);
    if !rng.calm && rng.u8(0..4) == 0 {
        damage(rng, &mut out);
    }
    out
}

fn condition(rng: &mut Dice<'_>, depth: usize, out: &mut String) {
    if depth == 0 {
        return leaf(rng, false, out);
    }
    match rng.u8(0..12) {
        0..=3 => chain(rng, depth, out, "and"),
        4..=6 => chain(rng, depth, out, "or"),
        7 | 8 => {
            out.push_str(if rng.bool() { "not " } else { "NOT  " });
            if rng.bool() {
                parenthesised(rng, depth - 1, out);
            } else {
                leaf(rng, false, out);
            }
        }
        9 => parenthesised(rng, depth - 1, out),
        10 => nested(rng, depth, out),
        _ => leaf(rng, false, out),
    }
}

fn parenthesised(rng: &mut Dice<'_>, depth: usize, out: &mut String) {
    out.push_str(if rng.bool() { "(" } else { "( " });
    condition(rng, depth, out);
    out.push_str(if rng.bool() { ")" } else { " )" });
}

fn chain(rng: &mut Dice<'_>, depth: usize, out: &mut String, operator: &str) {
    for at in 0..rng.usize(2..=3) {
        if at > 0 {
            out.push_str(word(rng, &[" ", "  ", "\n", "\t", "\u{a0}"]));
            out.push_str(&if rng.u8(0..4) == 0 { operator.to_uppercase() } else { operator.to_owned() });
            out.push_str(word(rng, &[" ", " ", " \n "]));
        }
        condition(rng, depth - 1, out);
    }
}

/// A nested group with questions about its objects.
fn nested(rng: &mut Dice<'_>, depth: usize, out: &mut String) {
    let path = if rng.calm {
        word(rng, &["n", "n", "n.m"])
    } else {
        word(rng, &["n", "n", "n.m", "o", "nope", "n*"])
    };
    out.push_str(path);
    out.push_str(word(rng, &[":{ ", " : {", ":{"]));
    for at in 0..rng.usize(1..=2) {
        if at > 0 {
            out.push_str(word(rng, &[" and ", " or "]));
        }
        match rng.u8(0..8) {
            0 => {
                out.push_str("m:{ ");
                inner(rng, "n.m.", out);
                out.push_str(" }");
            }
            1 => {
                out.push_str("not ");
                inner(rng, "n.", out);
            }
            2 if depth > 1 => parenthesised(rng, 0, out),
            _ => inner(rng, if path == "n.m" { "n.m." } else { "n." }, out),
        }
    }
    out.push_str(" }");
}

fn inner(rng: &mut Dice<'_>, prefix: &str, out: &mut String) {
    let fields: Vec<_> = FIELDS.iter().filter(|(path, ..)| path.starts_with(prefix)).collect();
    match rng.u8(0..20) {
        0 => out.push_str("*:*"),
        1 => leaf(rng, true, out),
        _ => {
            let (path, ty, _) = pick(rng, &fields);
            question(rng, &path[prefix.len()..], ty, out);
        }
    }
}

fn leaf(rng: &mut Dice<'_>, in_group: bool, out: &mut String) {
    match rng.u8(0..24) {
        0 if rng.calm => out.push_str(word(rng, &["*", "*:*", "**", "true"])),
        0 => out.push_str(word(rng, &["*", "*:*", "**", "* : *", "", "null", "true", "*:null"])),
        1 | 2 if !in_group => value(rng, "any", out),
        3..=8 => {
            let names = if rng.calm { CALM_NAMES } else { NAMES };
            let name = word(rng, names);
            let ty = if name.starts_with("flat") { "keyword" } else { "any" };
            question(rng, name, ty, out);
        }
        _ => {
            let (path, ty, _) = pick(rng, FIELDS);
            question(rng, path, ty, out);
        }
    }
}

fn question(rng: &mut Dice<'_>, name: &str, ty: &str, out: &mut String) {
    out.push_str(name);
    match rng.u8(0..16) {
        0 => out.push_str(": *"),
        // A range on a key of a flattened field is always refused.
        1..=3 if !(rng.calm && name.starts_with("flat.")) => {
            out.push_str(word(rng, &[" > ", " >= ", "<", "<=", " < "]));
            value(rng, ty, out);
        }
        4 | 5 => {
            out.push_str(": ");
            list(rng, ty, 2, out);
        }
        _ => {
            out.push_str(word(rng, &[": ", ":", " : "]));
            value(rng, ty, out);
        }
    }
}

fn list(rng: &mut Dice<'_>, ty: &str, depth: usize, out: &mut String) {
    out.push('(');
    let operator = word(rng, &[" or ", " and ", " OR "]);
    for at in 0..rng.usize(1..=3) {
        if at > 0 {
            out.push_str(operator);
        }
        if rng.u8(0..6) == 0 {
            out.push_str("not ");
        }
        if depth > 0 && rng.u8(0..6) == 0 { list(rng, ty, depth - 1, out) } else { value(rng, ty, out) }
    }
    out.push(')');
}

/// A value that suits the type, mostly; quoted, bare or as a pattern.
fn value(rng: &mut Dice<'_>, ty: &str, out: &mut String) {
    let all: &[&[&str]] = &[WORDS, TEXT_VALUES, NUMBER_VALUES, DATES, DATE_VALUES, IPS, IP_VALUES];
    let pools: &[&[&str]] = match ty {
        "boolean" if rng.calm => &[&["true", "false"]],
        "ip" if rng.calm => &[IPS, GOOD_NETS],
        "date" | "date_nanos" if rng.calm => &[GOOD_DATES],
        "long" | "integer" | "short" | "byte" | "double" | "float" | "half_float" if rng.calm => {
            &[GOOD_NUMBERS]
        }
        _ if !rng.calm && rng.u8(0..8) == 0 => all,
        "keyword" | "flattened" => &[WORDS],
        "text" => &[TEXT_VALUES, WORDS],
        "boolean" => &[&["true", "false", "True", "1", "\"true\"", "", "on"]],
        "ip" => &[IPS, IP_VALUES],
        "date" | "date_nanos" => &[DATES, DATE_VALUES],
        "any" | "geo_point" => all,
        _ => &[NUMBER_VALUES],
    };
    let pool = *pick(rng, pools);
    let random = matches!(ty, "keyword" | "text" | "flattened" | "any") && rng.u8(0..6) == 0;
    let text = &if random { text(rng) } else { word(rng, pool).to_owned() };
    let takes_patterns = matches!(ty, "keyword" | "text" | "flattened" | "any");
    match rng.u8(0..12) {
        0..=3 => quoted(text, out),
        4..=6 if takes_patterns || !rng.calm && rng.bool() => pattern(rng, text, out),
        7 if !rng.calm && rng.u8(0..4) == 0 => out
            .push_str(word(rng, &["null", "true", "false", "\\u0041", "a\\not", "\\and", "*", "x \\or y*"])),
        // Bare text cannot be empty.
        _ if text.is_empty() => quoted(text, out),
        _ => bare(text, out),
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn bare(text: &str, out: &mut String) {
    for c in text.chars() {
        if "\\():<>\"*{}".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
}

/// The text with an asterisk put in, often in place of some of it.
fn pattern(rng: &mut Dice<'_>, text: &str, out: &mut String) {
    let chars: Vec<char> = text.chars().collect();
    let start = rng.usize(0..=chars.len());
    let end = rng.usize(start..=chars.len());
    let piece = |from: usize, to: usize| chars[from..to].iter().collect::<String>();
    match rng.u8(0..3) {
        0 => {
            bare(&piece(0, end), out);
            out.push('*');
        }
        1 => {
            out.push('*');
            bare(&piece(start, chars.len()), out);
        }
        _ => {
            bare(&piece(0, start), out);
            out.push('*');
            bare(&piece(end, chars.len()), out);
            if rng.bool() {
                out.push('*');
            }
        }
    }
}

/// Removes, doubles or adds something.
fn damage(rng: &mut Dice<'_>, text: &mut String) {
    let mut chars: Vec<char> = text.chars().collect();
    let at = rng.usize(0..=chars.len());
    match rng.u8(0..3) {
        0 if at < chars.len() => {
            chars.remove(at);
        }
        1 if at < chars.len() => chars.insert(at, chars[at]),
        _ => {
            let extra = word(
                rng,
                &[
                    ":", "(", ")", "{", "}", "\"", "\\", "<", "*", " and ", " not ", " or", "not", "\\q",
                    "\u{3000}", "\t",
                ],
            );
            chars.splice(at..at, extra.chars());
        }
    }
    *text = chars.into_iter().collect();
}
