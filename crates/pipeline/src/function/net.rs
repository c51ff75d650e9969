//! Addresses, and places on earth.

use crate::cells::{Builder, Text};
use crate::column::Column;
use crate::kernel::{At, map1, map2, map3, typed};
use crate::node::Prepared;
use crate::scalar::{Ip, Point};
use crate::warnings::Failure;

/// Addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    base: u128,
    mask: u128,
}

impl Network {
    /// `10.0.0.0/8`; without a length a single address. Bits of the host are ignored.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let ip = Ip::parse(address)?;
        let is_v4 = !address.contains(':');
        // A mapped address has no length of its own.
        if !is_v4 && length.is_some() && address.contains('.') {
            return None;
        }
        let (most, shift) = if is_v4 { (32, 96) } else { (128, 0) };
        let length = length.unwrap_or(most);
        if length > most {
            return None;
        }
        let bits = shift + length;
        let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
        Some(Self { base: ip.0 & mask, mask })
    }

    fn holds(self, ip: Ip) -> bool {
        ip.0 & self.mask == self.base
    }
}

pub(super) fn cidr_match(a: &Column, blocks: &[&Column], prepared: &Prepared, at: &mut At<'_>) -> Column {
    if let Prepared::Networks(networks) = prepared {
        return map1::<Ip, bool>(a, at, |ip| Ok(networks.iter().any(|it| it.holds(*ip))));
    }
    let ips = typed::<Ip>(a);
    let blocks: Vec<_> = blocks.iter().map(|it| typed::<Text>(it)).collect();
    let mut builder = Builder::new(at.rows);
    'rows: for row in 0..at.rows {
        let Some(ip) = at.single(ips.cell(row)).copied() else {
            builder.push_null();
            continue;
        };
        let mut networks = Vec::with_capacity(blocks.len());
        for block in &blocks {
            let Some(block) = at.single(block.cell(row)) else {
                builder.push_null();
                continue 'rows;
            };
            networks.push(block);
        }
        let mut answer = Some(false);
        for block in networks {
            match Network::parse(block) {
                Some(it) if it.holds(ip) => {
                    answer = Some(true);
                    break;
                }
                Some(_) => {}
                None => {
                    at.fail(Failure::Argument(format!("'{block}' is not an IP string literal.")));
                    answer = None;
                    break;
                }
            }
        }
        builder.push_option(answer);
    }
    Column::Boolean(builder.finish())
}

pub(super) fn prefix(a: &Column, v4: &Column, v6: &Column, at: &mut At<'_>) -> Column {
    map3::<Ip, i32, i32, Ip>((a, v4, v6), at, |ip, v4, v6| {
        let length = |it: i32, most: u32, name: &str| {
            u32::try_from(it).ok().filter(|it| *it <= most).ok_or_else(|| {
                Failure::Argument(format!("Prefix length {name} must be in range [0, {most}], found {it}"))
            })
        };
        let is_v4 = ip.0 >> 32 == 0xffff;
        let bits = if is_v4 { 96 + length(*v4, 32, "v4")? } else { length(*v6, 128, "v6")? };
        Ok(Ip(if bits == 0 { 0 } else { ip.0 & (u128::MAX << (128 - bits)) }))
    })
}

/// The mean radius of the earth, in metres, as Lucene has it.
const EARTH: f64 = 6_371_008.771_4;

pub(super) fn distance(a: &Column, b: &Column, at: &mut At<'_>) -> Column {
    map2::<Point, Point, f64>((a, b), at, |a, b| {
        let (lat1, lat2) = (a.lat.to_radians(), b.lat.to_radians());
        let half = |it: f64| 1.0 - it.cos();
        let sum = half(lat1 - lat2) + lat1.cos() * lat2.cos() * half((a.lon - b.lon).to_radians());
        Ok(2.0 * EARTH * (1.0_f64).min((sum * 0.5).sqrt()).asin())
    })
}

pub(super) fn coordinate(a: &Column, at: &mut At<'_>, of: fn(&Point) -> f64) -> Column {
    map1::<Point, f64>(a, at, |it| Ok(of(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_addresses() {
        let holds = |block: &str, ip: &str| Network::parse(block).unwrap().holds(Ip::parse(ip).unwrap());
        assert!(holds("10.1.2.3/8", "10.200.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("::/0", "1.2.3.4") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("127.0.0.2", "127.0.0.2") && !holds("127.0.0.2/32", "127.0.0.3"));
        for bad in ["foo", "10.0.0.0/33", "::1/129", "::ffff:1.2.3.4/100", "10.0.0.0/x"] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
    }
}
