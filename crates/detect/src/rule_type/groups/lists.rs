//! Lists of numbers, each kept once.

use std::hash::Hasher;

use hashbrown::HashTable;
use rustc_hash::FxHasher;

/// The number of a list; zero is that of the empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ListId(u32);

impl ListId {
    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Lists of numbers. Most are short, and there are many events for one list.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    lists: Vec<Box<[u32]>>,
    index: HashTable<u32>,
}

impl Lists {
    pub(super) fn intern(&mut self, list: &[u32]) -> ListId {
        if list.is_empty() {
            return ListId::default();
        }
        let Self { lists, index } = self;
        let hash = hash(list);
        if let Some(&found) = index.find(hash, |&it| *lists[it as usize] == *list) {
            return ListId(found + 1);
        }
        let number = u32::try_from(lists.len()).expect("there are fewer lists than matched events");
        lists.push(list.into());
        index.insert_unique(hash, number, |&it| self::hash(&lists[it as usize]));
        ListId(number + 1)
    }

    pub(super) fn get(&self, id: ListId) -> &[u32] {
        id.index().checked_sub(1).map_or(&[], |at| &self.lists[at])
    }

    /// Beyond the number of any list.
    pub(super) fn len(&self) -> usize {
        self.lists.len() + 1
    }
}

fn hash(list: &[u32]) -> u64 {
    let mut hasher = FxHasher::default();
    for &number in list {
        hasher.write_u32(number);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_lists_are_one() {
        let mut lists = Lists::default();
        let ids: Vec<ListId> =
            [&[][..], &[1, 2], &[2, 1], &[1, 2], &[7]].iter().map(|it| lists.intern(it)).collect();
        assert!(ids[0].is_empty() && ids[1] == ids[3] && ids[1] != ids[2]);
        assert_eq!(
            (lists.get(ids[0]), lists.get(ids[2]), lists.get(ids[4])),
            (&[][..], &[2, 1][..], &[7][..])
        );
        assert_eq!(lists.len(), 4);
    }
}
