//! Value lists: values by the thousand that an entry of an item asks for by the list's id.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use plan::{LeafKind, Literal, Query};

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

    /// The list of a file with a value a line: Kibana calls a list by the name of the file that it was made of.
    pub(crate) fn add_file(&mut self, name: &str, text: &str) {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        self.0.entry(name.to_owned()).or_default().extend(lines.map(str::to_owned));
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
            _ => leaf(field, terms(values.iter().cloned())),
        })
    }
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
