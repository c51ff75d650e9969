//! Values of new-terms fields.

use std::cmp::Ordering;
use std::hash::Hasher;
use std::net::{IpAddr, Ipv6Addr};

use hashbrown::HashTable;
use rustc_hash::FxHasher;
use serde_json::Value;

use super::chunked::Chunked;

/// One value of a field as the field's type has it. Their order is that of a terms or composite aggregation.
#[derive(Clone, Copy, Debug)]
pub enum Term<'a> {
    /// A keyword, ordered by its UTF-8 bytes.
    Str(&'a str),
    /// A number; a date in epoch milliseconds.
    Long(i64),
    /// An unsigned long beyond the signed range.
    UnsignedLong(u64),
    /// A floating-point number.
    Double(f64),
    /// A boolean.
    Bool(bool),
    /// An address; IPv4 as the IPv6 address mapped to it.
    Ip(Ipv6Addr),
}

impl Term<'_> {
    fn rank(&self) -> u8 {
        match self {
            Self::Str(_) => 0,
            Self::Long(_) => 1,
            Self::UnsignedLong(_) => 2,
            Self::Double(_) => 3,
            Self::Bool(_) => 4,
            Self::Ip(_) => 5,
        }
    }

    fn hash(&self) -> u64 {
        let mut hasher = FxHasher::default();
        hasher.write_u8(self.rank());
        match self {
            Self::Str(text) => hasher.write(text.as_bytes()),
            Self::Long(number) => hasher.write_i64(*number),
            Self::UnsignedLong(number) => hasher.write_u64(*number),
            Self::Double(number) => hasher.write_u64(number.to_bits()),
            Self::Bool(it) => hasher.write_u8(u8::from(*it)),
            Self::Ip(address) => hasher.write(&address.octets()),
        }
        hasher.finish()
    }

    /// As it stands in `kibana.alert.new_terms`. With `alone`, the field is the rule's only one: then booleans
    /// are 1 and 0, as the keys of a terms aggregation are.
    pub(crate) fn to_value(self, alone: bool) -> Value {
        match self {
            Self::Str(text) => text.into(),
            Self::Long(number) => number.into(),
            Self::UnsignedLong(number) => number.into(),
            Self::Double(number) => number.into(),
            Self::Bool(it) if alone => u8::from(it).into(),
            Self::Bool(it) => it.into(),
            Self::Ip(address) => match address.to_ipv4_mapped() {
                Some(short) => IpAddr::V4(short).to_string().into(),
                None => address.to_string().into(),
            },
        }
    }
}

impl Ord for Term<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Str(a), Self::Str(b)) => a.cmp(b),
            (Self::Long(a), Self::Long(b)) => a.cmp(b),
            (Self::UnsignedLong(a), Self::UnsignedLong(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Ip(a), Self::Ip(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Term<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Term<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Term<'_> {}

/// The number of a value among the values of its field. Depends on the order of feeding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(pub(super) u32);

impl TermId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Clone, Debug)]
enum Stored {
    Str { start: u64, len: u64 },
    Long(i64),
    UnsignedLong(u64),
    Double(f64),
    Bool(bool),
    Ip([u8; 16]),
}

/// The distinct values of one field.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner {
    terms: Chunked<Stored>,
    texts: String,
    index: HashTable<Slot>,
}

/// A value's place in the index, which grows without looking at the values again.
#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    id: u32,
}

impl Slot {
    /// The hash as the index needs it: it looks at both ends.
    fn hash(self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }
}

impl Interner {
    pub(super) fn intern(&mut self, term: Term<'_>) -> TermId {
        let Self { terms, texts, index } = self;
        let hash = term.hash();
        let mut slot = Slot { hash: (hash >> 32 ^ hash) as u32, id: 0 };
        let is_it = |it: &Slot| it.hash == slot.hash && get(terms, texts, it.id as usize) == term;
        if let Some(found) = index.find(slot.hash(), is_it) {
            return TermId(found.id);
        }
        let id = u32::try_from(terms.len()).expect("a field has fewer than 2^32 distinct values");
        let stored = match term {
            Term::Str(text) => {
                let start = texts.len() as u64;
                texts.push_str(text);
                Stored::Str { start, len: text.len() as u64 }
            }
            Term::Long(number) => Stored::Long(number),
            Term::UnsignedLong(number) => Stored::UnsignedLong(number),
            Term::Double(number) => Stored::Double(number),
            Term::Bool(it) => Stored::Bool(it),
            Term::Ip(address) => Stored::Ip(address.octets()),
        };
        terms.push(stored);
        slot.id = id;
        index.insert_unique(slot.hash(), slot, |it| it.hash());
        TermId(id)
    }

    pub(crate) fn get(&self, id: TermId) -> Term<'_> {
        get(&self.terms, &self.texts, id.index())
    }

    /// The numbers that these values have in `into`.
    pub(super) fn move_into(&self, into: &mut Self) -> Vec<TermId> {
        (0..self.terms.len()).map(|at| into.intern(get(&self.terms, &self.texts, at))).collect()
    }

    /// For each value its place in their order.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.terms.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.get(TermId(a)).cmp(&self.get(TermId(b))));
        let mut ranks = vec![0; order.len()];
        for (rank, id) in order.into_iter().enumerate() {
            ranks[id as usize] = rank as u32;
        }
        ranks
    }
}

fn get<'a>(terms: &Chunked<Stored>, texts: &'a str, at: usize) -> Term<'a> {
    match terms[at] {
        Stored::Str { start, len } => Term::Str(&texts[start as usize..start as usize + len as usize]),
        Stored::Long(number) => Term::Long(number),
        Stored::UnsignedLong(number) => Term::UnsignedLong(number),
        Stored::Double(number) => Term::Double(number),
        Stored::Bool(it) => Term::Bool(it),
        Stored::Ip(octets) => Term::Ip(octets.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// In the order of their values, with what an alert says of them alone and beside other fields.
    #[test]
    fn every_type() {
        let ip = |text: &str| match text.parse().unwrap() {
            IpAddr::V4(short) => Term::Ip(short.to_ipv6_mapped()),
            IpAddr::V6(long) => Term::Ip(long),
        };
        let ordered = [
            vec![(Term::Str(""), json!("")), (Term::Str("Z"), json!("Z")), (Term::Str("a"), json!("a"))],
            vec![(Term::Long(-1), json!(-1)), (Term::Long(10), json!(10))],
            vec![(Term::UnsignedLong(u64::MAX), json!(u64::MAX))],
            vec![(Term::Double(-0.5), json!(-0.5)), (Term::Double(1.5), json!(1.5))],
            vec![(Term::Bool(false), json!(0)), (Term::Bool(true), json!(1))],
            vec![
                (ip("9.9.9.9"), json!("9.9.9.9")),
                (ip("10.0.0.1"), json!("10.0.0.1")),
                (ip("2001:db8::1"), json!("2001:db8::1")),
            ],
        ]
        .concat();
        let mut interner = Interner::default();
        let ids: Vec<TermId> = ordered.iter().rev().map(|&(term, _)| interner.intern(term)).collect();
        assert_eq!(ids, ordered.iter().rev().map(|&(term, _)| interner.intern(term)).collect::<Vec<_>>());
        let ranks = interner.ranks();
        for (rank, (id, (term, value))) in ids.iter().rev().zip(&ordered).enumerate() {
            assert_eq!(interner.get(*id), *term);
            assert_eq!(ranks[id.index()], rank as u32, "{term:?}");
            assert_eq!(term.to_value(true), *value);
        }
        assert_eq!(Term::Bool(true).to_value(false), json!(true));
    }
}
