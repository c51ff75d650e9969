//! Samples: for each key one event an item, all of them different, in whatever order they happened.

use rustc_hash::FxHashMap;

use super::machine::Timeline;

/// The first samples of each key: by the candidates of the first item, then of the second, and so on. `filters` are those
/// of the items. The keys come in no order.
pub(super) fn samples(
    filters: &[u32],
    timeline: &Timeline,
    among: impl Iterator<Item = u32>,
    of_key: usize,
) -> FxHashMap<u32, Vec<Box<[u32]>>> {
    // Of one item the others take at most so many candidates, and so many samples differ in it.
    let enough = filters.len() + of_key;
    let mut candidates: FxHashMap<u32, Vec<Vec<u32>>> = FxHashMap::default();
    for event in among {
        for hit in timeline.hits(event) {
            let items = candidates.entry(hit.key).or_insert_with(|| vec![Vec::new(); filters.len()]);
            for (item, _) in filters.iter().enumerate().filter(|(_, filter)| **filter == hit.filter) {
                if items[item].len() < enough {
                    items[item].push(event);
                }
            }
        }
    }
    let found = candidates.into_iter().map(|(key, items)| {
        let mut search = Search { items: &items, chosen: Vec::new(), found: Vec::new(), wanted: of_key };
        search.choose();
        (key, search.found)
    });
    found.filter(|(_, found)| !found.is_empty()).collect()
}

struct Search<'a> {
    items: &'a [Vec<u32>],
    chosen: Vec<u32>,
    found: Vec<Box<[u32]>>,
    wanted: usize,
}

impl Search<'_> {
    fn choose(&mut self) {
        let Some(candidates) = self.items.get(self.chosen.len()) else {
            self.found.push(self.chosen.as_slice().into());
            return;
        };
        for &event in candidates {
            if self.found.len() == self.wanted {
                return;
            }
            if self.chosen.contains(&event) {
                continue;
            }
            self.chosen.push(event);
            // Without a look ahead, items that want the same few events would be tried in every order.
            if self.can_be_completed() {
                self.choose();
            }
            self.chosen.pop();
        }
    }

    /// Whether the items that are left can all have an event of their own.
    fn can_be_completed(&self) -> bool {
        let rest = &self.items[self.chosen.len()..];
        let mut taken: FxHashMap<u32, usize> = FxHashMap::default();
        (0..rest.len()).all(|item| self.give(item, rest, &mut taken, &mut Vec::new()))
    }

    /// Finds an event for an item; items that have one may have to take another.
    fn give(
        &self,
        item: usize,
        rest: &[Vec<u32>],
        taken: &mut FxHashMap<u32, usize>,
        tried: &mut Vec<u32>,
    ) -> bool {
        for &event in &rest[item] {
            if self.chosen.contains(&event) || tried.contains(&event) {
                continue;
            }
            tried.push(event);
            let holder = taken.get(&event).copied();
            if holder.is_none_or(|holder| self.give(holder, rest, taken, tried)) {
                taken.insert(event, item);
                return true;
            }
        }
        false
    }
}
