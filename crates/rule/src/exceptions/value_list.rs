//! Value lists: values by the thousand that an entry of an item asks for by the list's id.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plan::{LeafKind, Literal, Query, RangeBounds};

use super::condition::{leaf, or, phrase};

/// The value lists that were loaded, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueLists(BTreeMap<String, Vec<String>>);

impl ValueLists {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Knows a list, with or without values.
    pub(crate) fn add_list(&mut self, id: String) {
        self.0.entry(id).or_default();
    }

    pub(crate) fn add_value(&mut self, id: String, value: String) {
        self.0.entry(id).or_default().push(value);
    }

    /// Adds what others hold.
    pub(crate) fn extend(&mut self, other: Self) {
        for (id, values) in other.0 {
            self.0.entry(id).or_default().extend(values);
        }
    }

    /// The list of a file with a value a line.
    pub(crate) fn add_file(&mut self, id: &str, text: &str) {
        // Spreadsheets put a mark there that says how the file is written.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        self.0.entry(id.to_owned()).or_default().extend(lines.map(str::to_owned));
    }

    /// Every list with its values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(id, values)| (id.as_str(), values.as_slice()))
    }

    /// The values of a list, whether or not it is called by the ending of its file.
    fn get(&self, id: &str) -> Option<&[String]> {
        self.0.get(id).or_else(|| self.0.get(&format!("{id}.txt"))).map(Vec::as_slice)
    }

    /// That some value of the field is in the list; nothing if there is no such list.
    pub(super) fn query(&self, field: String, id: &str, ty: Option<&str>) -> Option<Query> {
        let values = self.get(id)?;
        Some(match ty {
            // The words of a text are looked for in texts.
            Some("text") => or(values.iter().map(|value| leaf(field.clone(), phrase(value))).collect()),
            Some("ip_range") => leaf(field, terms(values.iter().flat_map(|value| blocks(value)))),
            Some("date_range") => ranges(&field, values, |value| value.split_once(',')),
            Some("integer_range" | "long_range" | "float_range" | "double_range") => {
                ranges(&field, values, numbers)
            }
            _ => leaf(field, terms(values.iter().cloned())),
        })
    }
}

/// That the field is within one of the ranges, both ends included; a value that is no range is one of itself.
fn ranges(field: &str, values: &[String], ends: impl Fn(&str) -> Option<(&str, &str)>) -> Query {
    let (mut all, mut single) = (Vec::new(), Vec::new());
    for value in values {
        match ends(value) {
            Some((first, last)) => {
                let end = |text: &str| Some(Literal::Text(text.trim().to_owned()));
                let bounds = RangeBounds { gte: end(first), lte: end(last), ..RangeBounds::default() };
                all.push(leaf(field.to_owned(), LeafKind::Range(bounds)));
            }
            None => single.push(value.clone()),
        }
    }
    if !single.is_empty() {
        all.push(leaf(field.to_owned(), terms(single.into_iter())));
    }
    or(all)
}

/// The ends of a range of numbers, `-5--1` included.
fn numbers(value: &str) -> Option<(&str, &str)> {
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    let ends = value.match_indices('-').map(|(at, _)| (&value[..at], &value[at + 1..]));
    ends.into_iter().find(|(first, last)| is_number(first) && is_number(last))
}

fn terms(values: impl Iterator<Item = String>) -> LeafKind {
    LeafKind::Terms(values.map(Literal::Text).collect())
}

/// The blocks that a range of addresses is made of; what is no range stands for itself.
fn blocks(value: &str) -> Vec<String> {
    let ends = value.split_once('-').map(|(first, last)| (first.trim().parse(), last.trim().parse()));
    match ends {
        Some((Ok(IpAddr::V4(first)), Ok(IpAddr::V4(last)))) => {
            let (first, last) = (u128::from(u32::from(first)), u128::from(u32::from(last)));
            let block = |start: u128, free: u32| format!("{}/{}", Ipv4Addr::from(start as u32), 32 - free);
            split(first, last, 32, block)
        }
        Some((Ok(IpAddr::V6(first)), Ok(IpAddr::V6(last)))) => {
            let block = |start: u128, free: u32| format!("{}/{}", Ipv6Addr::from(start), 128 - free);
            split(first.into(), last.into(), 128, block)
        }
        Some(_) | None => vec![value.to_owned()],
    }
}

/// The largest aligned blocks from `first` to `last`, of so many bits; there are two a bit at most.
fn split(first: u128, last: u128, bits: u32, block: impl Fn(u128, u32) -> String) -> Vec<String> {
    let mut all = Vec::new();
    let mut next = Some(first);
    while let Some(start) = next.filter(|it| *it <= last) {
        let mut free = start.trailing_zeros().min(bits);
        let end = |free: u32| start | 1_u128.checked_shl(free).map_or(u128::MAX, |it| it - 1);
        while end(free) > last {
            free -= 1;
        }
        all.push(block(start, free));
        next = end(free).checked_add(1);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_numbers() {
        for (value, expected) in [
            ("1-5", Some(("1", "5"))),
            ("-5--1", Some(("-5", "-1"))),
            ("1e-3 - 2", Some(("1e-3 ", " 2"))),
            ("-5", None),
            ("7", None),
            ("a-b", None),
        ] {
            assert_eq!(numbers(value), expected, "{value}");
        }
    }

    #[test]
    fn ranges_of_addresses_are_blocks() {
        for (value, expected) in [
            ("10.0.0.5-10.0.0.9", &["10.0.0.5/32", "10.0.0.6/31", "10.0.0.8/31"][..]),
            ("10.0.0.0 - 10.255.255.255", &["10.0.0.0/8"]),
            ("0.0.0.0-255.255.255.255", &["0.0.0.0/0"]),
            ("10.0.0.9-10.0.0.5", &[]),
            ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["::/0"]),
            ("2001:db8::1-2001:db8::2", &["2001:db8::1/128", "2001:db8::2/128"]),
            ("192.0.2.0/24", &["192.0.2.0/24"]),
            ("10.0.0.1", &["10.0.0.1"]),
            ("a-b", &["a-b"]),
        ] {
            assert_eq!(blocks(value), expected, "{value}");
        }
    }
}
