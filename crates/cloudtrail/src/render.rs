//! The map rendering: a payload as the text that Java prints of a map.
//!
//! Keys stand in the iteration order of a Java `HashMap` at every level, because rules match on substrings of
//! these texts and group by the whole of them.

use std::fmt::Write as _;

use ecs::Scalar;

use crate::subtree::Subtree;
use crate::tree::{At, Kind, Tree};

/// Memory for rendering, kept from record to record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renderer {
    /// The entries of the objects that are open, innermost last, each with its bucket.
    order: Vec<(u32, At)>,
}

impl Renderer {
    /// Appends the rendering of a payload.
    pub(crate) fn render(&mut self, payload: Subtree<'_>, out: &mut String) {
        match payload.tree.kind(payload.at) {
            Kind::Object => self.object(payload.tree, payload.at, payload.entries(), out),
            _ => self.value(payload.tree, payload.at, out),
        }
    }

    fn value(&mut self, tree: Tree<'_>, at: At, out: &mut String) {
        match tree.kind(at) {
            Kind::Null => out.push_str("null"),
            Kind::Scalar(value) => write_scalar(value, out),
            Kind::Object => self.object(tree, at, tree.entries(at), out),
            Kind::Array => {
                out.push('[');
                for (index, element) in tree.elements(at).enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    self.value(tree, element, out);
                }
                out.push(']');
            }
        }
    }

    fn object<'a>(
        &mut self,
        tree: Tree<'a>,
        at: At,
        entries: impl Iterator<Item = (&'a str, At)>,
        out: &mut String,
    ) {
        // The map was sized while parsing, before the clean-up took anything out of it.
        let mask = capacity(tree.distinct_keys(at)) - 1;
        let first = self.order.len();
        self.order.extend(entries.map(|(key, value)| (spread_hash(key) & mask, value)));
        // Within a bucket the order is that of the record, and so of the places.
        self.order[first..].sort_unstable();
        out.push('{');
        for position in first..self.order.len() {
            if position > first {
                out.push_str(", ");
            }
            let (_, value) = self.order[position];
            out.push_str(tree.key_of(value));
            out.push('=');
            self.value(tree, value, out);
        }
        out.push('}');
        self.order.truncate(first);
    }
}

/// Appends a scalar as Java prints it.
pub(crate) fn write_scalar(value: Scalar<'_>, out: &mut String) {
    match value {
        Scalar::Str(text) => out.push_str(text),
        Scalar::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Scalar::Int(value) => write!(out, "{value}").expect("a String takes everything"),
        Scalar::UInt(value) => write!(out, "{value}").expect("a String takes everything"),
        Scalar::Float(value) => write_double(value, out),
        Scalar::NumberText(text) if text.bytes().all(|it| it == b'-' || it.is_ascii_digit()) => {
            out.push_str(text);
        }
        Scalar::NumberText(text) => match text.parse() {
            Ok(value) => write_double(value, out),
            Err(_) => out.push_str(text),
        },
    }
}

/// Appends a float as `Double.toString` does: plain from 10⁻³ up to 10⁷, else with an exponent, always with a
/// fraction digit.
fn write_double(value: f64, out: &mut String) {
    if value.is_nan() || value.is_infinite() {
        out.push_str(if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
    } else if value == 0.0 || (1e-3..1e7).contains(&value.abs()) {
        write!(out, "{value:?}").expect("a String takes everything");
    } else {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        out.push_str(mantissa);
        out.push_str(if mantissa.contains('.') { "E" } else { ".0E" });
        out.push_str(exponent);
    }
}

/// The hash of a key in a Java `HashMap`: that of the string, its high half folded into the low one.
pub(crate) fn spread_hash(key: &str) -> u32 {
    let step = |hash: u32, unit: u32| hash.wrapping_mul(31).wrapping_add(unit);
    let hash = if key.is_ascii() {
        key.bytes().fold(0, |hash, byte| step(hash, u32::from(byte)))
    } else {
        key.encode_utf16().fold(0, |hash, unit| step(hash, u32::from(unit)))
    };
    hash ^ (hash >> 16)
}

/// How many buckets a Java `HashMap` has after so many keys were put into it one by one.
pub(crate) fn capacity(keys: usize) -> u32 {
    let mut capacity = 16_u32;
    while capacity < 1 << 30 && keys as u64 * 4 > u64::from(capacity) * 3 {
        capacity *= 2;
    }
    capacity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordBuf;
    use crate::tree::Cleanup;

    fn rendered(json: &str) -> String {
        let text = format!("{{\"it\":{json}}}");
        let mut buf = RecordBuf::default();
        let record = buf.parse(text.as_bytes());
        let tree = record.tree(Cleanup::Full).unwrap();
        let mut out = String::new();
        Renderer::default().render(Subtree::whole(tree, tree.get(At::ROOT, "it")), &mut out);
        out
    }

    #[test]
    fn maps_print_as_java_prints_them() {
        for (json, expected) in [
            (
                r#"{"roleArn":"a","roleSessionName":"s","durationSeconds":3600}"#,
                "{durationSeconds=3600, roleArn=a, roleSessionName=s}",
            ),
            (r#"{"key":"Email","value":"x"}"#, "{value=x, key=Email}"),
            (
                r#"{"egress":false,"networkAclId":"acl-1","ruleNumber":100}"#,
                "{ruleNumber=100, egress=false, networkAclId=acl-1}",
            ),
            (r#"{"a":["x","",{"b":"none"},[1]],"c":"-"}"#, "{a=[x, [1]]}"),
            (r#"{"a":"1","a":"2"}"#, "{a=2}"),
            (r#"["one, two={}\"\n"]"#, "[one, two={}\"\n]"),
            (r#""just text""#, "just text"),
            (
                "[0.5,3.0,1e7,1e-4,-0.0,9999999.0,0.001,1.5e300,12345678.9]",
                "[0.5, 3.0, 1.0E7, 1.0E-4, -0.0, 9999999.0, 0.001, 1.5E300, 1.23456789E7]",
            ),
            ("[18446744073709551615,-9223372036854775808]", "[18446744073709551615, -9223372036854775808]"),
            (
                "[184467440737095516160,\"18446744073709551616\",1e400]",
                "[184467440737095516160, 18446744073709551616, Infinity]",
            ),
        ] {
            assert_eq!(rendered(json), expected, "{json}");
        }
    }

    #[test]
    fn the_capacity_counts_keys_that_the_clean_up_removed() {
        // Thirteen keys make 32 buckets. `b` (98) and `r` (114) share a bucket of 16 but not of 32.
        let many = (0..11).map(|it| format!("\"x{it}\":\"\"")).collect::<Vec<_>>().join(",");
        assert_eq!(rendered(r#"{"r":1,"b":2}"#), "{r=1, b=2}");
        assert_eq!(rendered(&format!(r#"{{"r":1,"b":2,{many}}}"#)), "{b=2, r=1}");
    }

    #[test]
    fn capacities_grow_at_three_quarters() {
        let sizes = [0, 12, 13, 24, 25, 48, 49, 96, 97].map(capacity);
        assert_eq!(sizes, [16, 16, 32, 32, 64, 64, 128, 128, 256]);
    }
}
