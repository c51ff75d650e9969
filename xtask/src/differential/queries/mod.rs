//! Random queries: mostly ones that both sides accept, some of them broken. A language is a module; what values its
//! queries ask for is here.

pub(super) mod kql;
pub(super) mod lucene;

use fastrand::Rng;

use super::world::{DATES, IPS, WORDS, pick, text, word};

/// How deep operators nest.
const DEPTH: usize = 3;

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

impl<'a> Dice<'a> {
    fn new(rng: &'a mut Rng) -> Self {
        let calm = rng.u8(0..3) > 0;
        Self { rng, calm }
    }
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

/// Whether fields of the type answer patterns.
fn takes_patterns(ty: &str) -> bool {
    matches!(ty, "keyword" | "text" | "flattened" | "any")
}

/// A value that suits the type, mostly.
fn text_of(rng: &mut Dice<'_>, ty: &str) -> String {
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
    let random = takes_patterns(ty) && rng.u8(0..6) == 0;
    if random { text(rng) } else { word(rng, pool).to_owned() }
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
