//! The distinct values of a column, numbered.

use hashbrown::HashTable;

use super::Term;
use crate::collect::Chunked;

/// The number of a value among the values of its column. Depends on the order of feeding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TermId(pub(crate) u32);

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
    Number { start: u64, len: u64 },
}

/// The distinct values of one column.
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
    pub(crate) fn intern(&mut self, term: Term<'_>) -> TermId {
        let Self { terms, texts, index } = self;
        let hash = term.hash();
        let mut slot = Slot { hash: (hash >> 32 ^ hash) as u32, id: 0 };
        let is_it = |it: &Slot| it.hash == slot.hash && get(terms, texts, it.id as usize) == term;
        if let Some(found) = index.find(slot.hash(), is_it) {
            return TermId(found.id);
        }
        let id = u32::try_from(terms.len()).expect("a column has fewer than 2^32 distinct values");
        let stored = match term {
            Term::Str(text) => {
                let (start, len) = keep(texts, text);
                Stored::Str { start, len }
            }
            Term::Number(text) => {
                let (start, len) = keep(texts, text);
                Stored::Number { start, len }
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

    pub(crate) fn len(&self) -> usize {
        self.terms.len()
    }

    /// The numbers that these values have in `into`.
    pub(crate) fn move_into(&self, into: &mut Self) -> Vec<TermId> {
        (0..self.terms.len()).map(|at| into.intern(get(&self.terms, &self.texts, at))).collect()
    }

    /// For each value its place in their order.
    pub(crate) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.terms.len() as u32).collect();
        order.sort_unstable_by(|&a, &b| self.get(TermId(a)).cmp(&self.get(TermId(b))));
        let mut ranks = vec![0; order.len()];
        for (rank, id) in order.into_iter().enumerate() {
            ranks[id as usize] = rank as u32;
        }
        ranks
    }
}

fn keep(texts: &mut String, text: &str) -> (u64, u64) {
    let start = texts.len() as u64;
    texts.push_str(text);
    (start, text.len() as u64)
}

fn get<'a>(terms: &Chunked<Stored>, texts: &'a str, at: usize) -> Term<'a> {
    let text = |start: u64, len: u64| &texts[start as usize..start as usize + len as usize];
    match terms[at] {
        Stored::Str { start, len } => Term::Str(text(start, len)),
        Stored::Number { start, len } => Term::Number(text(start, len)),
        Stored::Long(number) => Term::Long(number),
        Stored::UnsignedLong(number) => Term::UnsignedLong(number),
        Stored::Double(number) => Term::Double(number),
        Stored::Bool(it) => Term::Bool(it),
        Stored::Ip(octets) => Term::Ip(octets.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

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
