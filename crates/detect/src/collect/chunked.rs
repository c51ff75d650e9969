//! A vector that grows without moving.

/// Elements of a full chunk.
const CHUNK: usize = 1 << 16;

/// A vector in chunks: tables of millions of entries grow without a moment in which they exist twice, and can be
/// put behind one another without copying.
#[derive(Clone, Debug)]
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
    /// Room for further chunks.
    spare: Vec<Vec<T>>,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), spare: Vec::new() }
    }
}

impl<T> Chunked<T> {
    /// The place that the next item gets: the number of items, unless some were put behind with
    /// [`append`](Self::append).
    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    pub(crate) fn push(&mut self, item: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(item),
            // The first chunk grows as needed: most rules match little.
            None => self.chunks.push(vec![item]),
            Some(_) => {
                let mut chunk = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
                chunk.push(item);
                self.chunks.push(chunk);
            }
        }
    }

    /// Puts the items of `other` behind these; returns by how much their places grow. Places at the end of what
    /// was the last chunk may stay empty, if there are too few for the items.
    pub(crate) fn append(&mut self, mut other: Self) -> usize {
        // Whoever appends a few again and again would have a chunk for each time, nearly empty, and as many places.
        let shift = self.len();
        if let (Some(last), [few]) = (self.chunks.last_mut(), &mut other.chunks[..])
            && last.len() + few.len() <= CHUNK
        {
            last.append(few);
            return shift;
        }
        let shift = self.chunks.len() * CHUNK;
        self.chunks.extend(other.chunks);
        shift
    }

    /// The chunks, to be read one by one and given to [`reuse`](Self::reuse).
    pub(crate) fn into_chunks(self) -> impl Iterator<Item = Vec<T>> {
        self.chunks.into_iter()
    }

    /// Takes the room of a chunk whose items are needed no longer: what is moved from one table to another needs
    /// no room twice.
    pub(crate) fn reuse(&mut self, mut chunk: Vec<T>) {
        if chunk.capacity() >= CHUNK {
            chunk.clear();
            self.spare.push(chunk);
        }
    }

    /// Gives back the room that nothing lies in.
    pub(crate) fn drop_spare(&mut self) {
        self.spare = Vec::new();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }
}

impl<T> IntoIterator for Chunked<T> {
    type Item = T;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Vec<T>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.chunks.into_iter().flatten()
    }
}

impl<T> std::ops::Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.chunks[at / CHUNK][at % CHUNK]
    }
}

impl<T> std::ops::IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at / CHUNK][at % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is put behind whatever, every item is where it is said to be.
        #[test]
        fn items_stay_where_they_are_said_to_be(
            lengths in prop::collection::vec(
                prop_oneof![0..5_usize, Just(CHUNK / 2), Just(CHUNK / 2 + 1), Just(CHUNK), Just(CHUNK + 3)],
                1..7,
            ),
            pushed in 0..3_usize,
        ) {
            let (mut all, mut places) = (Chunked::default(), Vec::new());
            for (number, &length) in lengths.iter().enumerate() {
                let mut part = Chunked::default();
                for it in 0..length {
                    part.push((number, it));
                }
                let shift = all.append(part);
                places.extend((0..length).map(|it| (shift + it, (number, it))));
                for it in 0..pushed {
                    places.push((all.len(), (usize::MAX, it)));
                    all.push((usize::MAX, it));
                }
            }
            prop_assert_eq!(all.iter().count(), places.len());
            for (place, item) in places {
                prop_assert_eq!(all[place], item);
            }
        }
    }

    #[test]
    fn a_few_again_and_again_have_no_holes_between_them() {
        let mut all = Chunked::default();
        for round in 0..1_000 {
            let mut few = Chunked::default();
            few.push(2 * round);
            few.push(2 * round + 1);
            assert_eq!(all.append(few), 2 * round);
        }
        assert_eq!((all.len(), all.chunks.len()), (2_000, 1));
    }

    #[test]
    fn what_is_moved_needs_no_room_twice() {
        let full = |from: usize| {
            let mut all = Chunked::default();
            for it in from..from + 2 * CHUNK {
                all.push(it);
            }
            all
        };
        let (mut into, from) = (full(0), full(2 * CHUNK));
        let mut room = Vec::new();
        for chunk in from.into_chunks() {
            for &it in &chunk {
                into.push(it);
            }
            room.push(chunk.as_ptr());
            into.reuse(chunk);
        }
        into.push(4 * CHUNK);
        assert_eq!(into.len(), 4 * CHUNK + 1);
        assert!(into.iter().copied().eq(0..=4 * CHUNK));
        let reused = into.chunks.iter().filter(|it| room.contains(&it.as_ptr())).count();
        assert_eq!((reused, into.spare.len()), (2, 0), "a first chunk needs room of its own");
        into.drop_spare();
        assert!(into.iter().copied().eq(0..=4 * CHUNK));
    }
}
