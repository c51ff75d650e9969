//! Which keys of an object matter, and where their values are.

/// Finds a key among a fixed set without comparing it with each: a perfect hash, made by the compiler.
///
/// A record has some forty keys, all of which are looked up here, so this is the hottest code of the crate. What
/// keeps it fast: a key is judged by its length and its first and last eight bytes, which are loaded whole; up to
/// sixteen bytes these are all there is, and the rest of longer ones is compared only if they agree.
pub(crate) struct KeyIndex<const N: usize> {
    keys: [&'static str; N],
    ends: [(u64, u64); N],
    seed: u64,
    /// For each hash the number of its key, or [`NO_KEY`].
    slots: [u8; SLOTS],
}

/// Four times as many as there are keys in the largest set, so that a seed without collisions is soon found.
const SLOTS: usize = 256;
const NO_KEY: u8 = u8::MAX;
/// More seeds than any set has needed.
const SEEDS_MAX: u64 = 4096;

impl<const N: usize> KeyIndex<N> {
    /// An index of different keys; for the compiler.
    pub(crate) const fn new(keys: [&'static str; N]) -> Self {
        assert!(N < NO_KEY as usize, "there are more keys than numbers for them");
        let mut ends = [(0, 0); N];
        let mut at = 0;
        while at < N {
            ends[at] = ends_of(keys[at].as_bytes());
            at += 1;
        }
        let mut attempt = 0;
        while attempt < SEEDS_MAX {
            // Odd, and its bits well spread.
            let seed = (attempt * 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut slots = [NO_KEY; SLOTS];
            let mut at = 0;
            while at < N {
                let slot = slot_of(ends[at], seed);
                if slots[slot] != NO_KEY {
                    break;
                }
                slots[slot] = at as u8;
                at += 1;
            }
            if at == N {
                return Self { keys, ends, seed, slots };
            }
            attempt += 1;
        }
        panic!("no seed keeps the keys apart")
    }

    /// The number of a key.
    #[inline]
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        let ends = ends_of(key.as_bytes());
        let number = usize::from(self.slots[slot_of(ends, self.seed)]);
        let found = *self.keys.get(number)?;
        let is_it =
            self.ends[number] == ends && found.len() == key.len() && (key.len() <= 16 || found == key);
        is_it.then_some(number)
    }
}

/// The first and the last eight bytes; of shorter keys as many as there are, overlapping.
#[inline]
const fn ends_of(key: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64)
    } else {
        match *key {
            [] => (0, 0),
            [a] => (a as u64, 0),
            [a, b] => (a as u64, b as u64),
            [a, b, c, ..] => (a as u64, b as u64 | (c as u64) << 8),
        }
    }
}

#[inline]
const fn slot_of((first, last): (u64, u64), seed: u64) -> usize {
    ((first ^ last.rotate_left(29)).wrapping_mul(seed) >> (u64::BITS - SLOTS.ilog2())) as usize
}

/// Declares a struct with the place of each key that matters, filled in one walk over an object: looking up forty
/// keys one by one would walk it forty times.
///
/// A place is judged when it is asked for: no place if its value counts as absent. Places of keys marked
/// `unchecked` are not judged: those of objects that serve only to look into, since an absent object has no present
/// keys.
macro_rules! keys {
    ($(#[$meta:meta])* $name:ident { $($field:ident = $key:literal $($unchecked:ident)?,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $name<'a> {
            tree: $crate::tree::Tree<'a>,
            places: [$crate::tree::At; [$($key,)*].len()],
        }

        const _: () = {
            #[allow(non_camel_case_types, reason = "the variants are the methods' names")]
            enum Number { $($field,)* }

            static INDEX: $crate::keys::KeyIndex<{ [$($key,)*].len() }> =
                $crate::keys::KeyIndex::new([$($key,)*]);

            impl<'a> $name<'a> {
                /// The keys.
                pub(crate) const KEYS: &'static [&'static str] = &[$($key,)*];

                /// Reads an object; all are no place if it is none.
                pub(crate) fn read(tree: $crate::tree::Tree<'a>, object: $crate::tree::At) -> Self {
                    let mut places = [$crate::tree::At::NONE; [$($key,)*].len()];
                    for (key, at) in tree.raw_entries(object) {
                        if let Some(number) = INDEX.find(key) {
                            places[number] = at;
                        }
                    }
                    Self { tree, places }
                }

                $($crate::keys::keys! { @get $field $($unchecked)? })*
            }
        };
    };
    (@get $field:ident unchecked) => {
        #[inline]
        pub(crate) fn $field(&self) -> $crate::tree::At {
            self.places[Number::$field as usize]
        }
    };
    (@get $field:ident) => {
        #[inline]
        pub(crate) fn $field(&self) -> $crate::tree::At {
            self.tree.present(self.places[Number::$field as usize])
        }
    };
}
pub(crate) use keys;

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 9] =
        ["", "a", "ab", "abc", "abcd", "abcdefgh", "eventName", "sixteen bytes it", "requestParameters"];
    static INDEX: KeyIndex<{ KEYS.len() }> = KeyIndex::new(KEYS);

    #[test]
    fn keys_are_found() {
        for (number, key) in KEYS.iter().enumerate() {
            assert_eq!(INDEX.find(key), Some(number), "{key}");
        }
    }

    #[test]
    fn what_only_resembles_a_key_is_not_found() {
        for key in [
            "b",
            "\0",
            "a\0",
            "ac",
            "abd",
            "abc\0",
            "abcde",
            "abcdabcd",
            "abcdefghabcdefgh",
            "eventname",
            "eventNames",
            "requestXarameters",
            "request Parameters",
            "sixteen sixteen bytes it",
        ] {
            assert_eq!(INDEX.find(key), None, "{key}");
        }
    }
}
