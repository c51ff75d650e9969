//! Maps and sets of a bounded size whose content does not depend on the order in which things come.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use xxhash_rust::xxh3::xxh3_128;

/// At most so many keys with their values. Of more, those with the smallest hashes are kept: a key that had to go once
/// never finds room again, so what is kept is complete, whatever came first.
#[derive(Clone, Debug)]
pub(crate) struct Bounded<K, V> {
    most: usize,
    map: BTreeMap<u128, (K, V)>,
    /// There was no room for some.
    is_over: bool,
}

/// What tells keys apart; the chance that two of a billion texts share one is one in 10²⁰.
pub(crate) fn hash(bytes: &[u8]) -> u128 {
    xxh3_128(bytes)
}

impl<K, V: Default> Bounded<K, V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, map: BTreeMap::new(), is_over: false }
    }

    /// The value of the key with this hash, unless there is no room for it.
    pub(crate) fn get(&mut self, hash: u128, key: impl FnOnce() -> K) -> Option<&mut V> {
        if self.map.len() >= self.most && !self.map.contains_key(&hash) {
            self.is_over = true;
            let (&last, _) = self.map.last_key_value()?;
            if hash > last {
                return None;
            }
            self.map.pop_last();
        }
        match self.map.entry(hash) {
            Entry::Occupied(entry) => Some(&mut entry.into_mut().1),
            Entry::Vacant(entry) => Some(&mut entry.insert((key(), V::default())).1),
        }
    }

    /// The value of a key that was kept.
    pub(crate) fn find(&mut self, hash: u128) -> Option<&mut V> {
        self.map.get_mut(&hash).map(|(_, value)| value)
    }

    /// Adds those of another thread.
    pub(crate) fn merge(&mut self, other: Self, mut add: impl FnMut(&mut V, V)) {
        self.is_over |= other.is_over;
        for (hash, (key, value)) in other.map {
            if let Some(mine) = self.get(hash, || key) {
                add(mine, value);
            }
        }
    }

    /// Whether there was no room for some.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The keys and their values, in no order that means anything.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (K, V)> {
        self.map.into_values()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is kept is counted as if there were room for all, in any order.
        #[test]
        fn what_is_kept_is_complete(
            keys in prop::collection::vec(0_u16..40, 0..200),
            most in 1_usize..30,
            parts in 1_usize..4,
        ) {
            let mut whole: Bounded<u16, u64> = Bounded::new(most);
            // In an order that the keys do not tell.
            for part in 0..parts {
                for key in keys.iter().skip(part).step_by(parts) {
                    if let Some(count) = whole.get(hash(&key.to_le_bytes()), || *key) {
                        *count += 1;
                    }
                }
            }
            let mut all: Vec<u16> = keys.clone();
            all.sort_unstable_by_key(|key| hash(&key.to_le_bytes()));
            all.dedup();
            prop_assert_eq!(whole.is_over(), all.len() > most);
            all.truncate(most);
            let expected: Vec<(u16, u64)> =
                all.iter().map(|key| (*key, keys.iter().filter(|it| *it == key).count() as u64)).collect();
            prop_assert_eq!(whole.into_entries().collect::<Vec<_>>(), expected);
        }
    }
}
