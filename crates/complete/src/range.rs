//! A range of time that is asked about.

use std::collections::HashSet;

use ecs::Millis;

use crate::{DigestFile, FileFact, Sha256, file_name};

/// A range of time: from one on, before the other; open where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// From then on,
    pub since: Option<Millis>,
    /// and before that.
    pub until: Option<Millis>,
}

impl Range {
    /// Whether something that lasts from one time to another lies in it, wholly or in part.
    pub fn meets(self, from: Millis, to: Millis) -> bool {
        self.until.is_none_or(|until| from < until) && self.since.is_none_or(|since| to >= since)
    }

    /// Leaves the digests of the range with all that they list, and the files that were delivered in it. The first digest after
    /// it stays as well, because it vouches for the last one: of what it lists nothing is asked.
    pub fn narrow(self, digests: &mut Vec<DigestFile>, files: &mut Vec<FileFact>) {
        if self == Self::default() {
            return;
        }
        let trail =
            |it: &DigestFile| (it.digest.bucket.clone(), it.digest.account.clone(), it.digest.trail());
        digests.sort_by(|a, b| (a.digest.end, &a.digest.object).cmp(&(b.digest.end, &b.digest.object)));
        let (mut followed, mut elsewhere) = (Vec::new(), HashSet::new());
        digests.retain_mut(|it| {
            // What was delivered at its very end is the next one's.
            if self.meets(it.digest.start, it.digest.end.saturating_sub(1)) {
                return true;
            }
            elsewhere.extend(it.digest.files.iter().map(|it| file_name(&it.object).to_owned()));
            let is_after = self.until.is_some_and(|until| it.digest.start >= until);
            let name = trail(it);
            if !is_after || followed.contains(&name) {
                return false;
            }
            followed.push(name);
            it.digest.files.clear();
            true
        });
        let listed = || digests.iter().flat_map(|it| &it.digest.files);
        let names: HashSet<&str> = listed().map(|it| file_name(&it.object)).collect();
        let hashes: HashSet<Sha256> = listed().filter_map(|it| it.hash).collect();
        // What does not say when it was delivered may be of any time; what another digest lists is of that one's.
        files.retain(|it| {
            let name = file_name(&it.name);
            let is_listed = names.contains(name) || it.hash.is_some_and(|hash| hashes.contains(&hash));
            let meets = it.delivered.as_ref().is_none_or(|(_, _, from, to)| self.meets(*from, *to));
            is_listed || (meets && !elsewhere.contains(name))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_range() {
        let range = |since, until| Range { since, until };
        for (it, from, to, is) in [
            (range(None, None), 0, 0, true),
            (range(Some(10), Some(20)), 0, 9, false),
            (range(Some(10), Some(20)), 0, 10, true),
            (range(Some(10), Some(20)), 19, 30, true),
            (range(Some(10), Some(20)), 20, 30, false),
            (range(Some(10), None), 5, Millis::MAX, true),
            (range(None, Some(20)), 25, Millis::MAX, false),
        ] {
            assert_eq!(it.meets(from, to), is, "{it:?} {from} {to}");
        }
    }
}
