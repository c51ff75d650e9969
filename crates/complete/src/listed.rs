//! The files that digests list, against those that are here.

use std::collections::{HashMap, HashSet};

use ecs::Millis;

use crate::chain::Chains;
use crate::check::{DigestFile, FileFact};

/// A file that is not as a digest says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangedFile {
    /// Its name in the bucket.
    pub object: String,
    /// Where it is here.
    pub place: String,
    /// Whether it could be read to its end, and is another; else it is damaged, or no text.
    pub is_readable: bool,
    /// The digest that lists it.
    pub digest: String,
}

/// A file that is not here.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingFile {
    /// Its name in the bucket.
    pub object: String,
    /// The digest that lists it.
    pub digest: String,
}

/// A file that no digest lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NotCovered {
    /// Where it is.
    pub place: String,
    /// Why no digest lists it, as far as can be told.
    pub why: NotCoveredWhy,
}

/// Why no digest lists a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NotCoveredWhy {
    /// A digest of that time lists others of the account and region.
    NotListed,
    /// It was delivered where the chain is interrupted or a digest is missing.
    InGap,
    /// It was delivered before the first digest that is here.
    Before,
    /// It was delivered after the last digest that is here.
    After,
    /// There is no digest of its account and region.
    NoChain,
    /// Its name does not say when it was delivered.
    Unnamed,
}

impl NotCoveredWhy {
    /// All, the worst first.
    pub const ALL: [Self; 6] =
        [Self::NotListed, Self::InGap, Self::Before, Self::After, Self::NoChain, Self::Unnamed];

    /// A stable name for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotListed => "not-listed",
            Self::InGap => "in-gap",
            Self::Before => "before",
            Self::After => "after",
            Self::NoChain => "no-chain",
            Self::Unnamed => "unnamed",
        }
    }
}

/// What came of the files that digests list.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) right: u64,
    pub(crate) unchecked: u64,
    pub(crate) changed: Vec<ChangedFile>,
    pub(crate) missing: Vec<MissingFile>,
    pub(crate) not_covered: Vec<NotCovered>,
    /// Right, changed, missing by chain.
    pub(crate) of_chain: Vec<(u64, u64, u64)>,
}

/// The name of a file by which it is found again, wherever it was copied to and whether it was unpacked.
pub fn file_name(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    [".gz", ".zst", ".bz2", ".xz"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// A file is named by the minute when it was written, and delivered some time after that: so much before the end of the last
/// digest it may belong to the next one.
const DELIVERY_MS: Millis = 15 * 60_000;

/// Whose digests say something of a time.
type Covered<'d> = HashMap<(&'d str, String), Vec<(Millis, Millis)>>;

impl Listed {
    /// Compares. Files are told by their hashes first: then their names do not matter.
    pub(crate) fn new(digests: &[DigestFile], chains: &Chains<'_>, files: &[FileFact]) -> Self {
        let mut listed = Self { of_chain: vec![(0, 0, 0); chains.len()], ..Self::default() };
        let here: HashSet<_> = files.iter().filter_map(|it| it.hash).collect();
        let mut by_name: HashMap<&str, Vec<&FileFact>> = HashMap::new();
        for file in files {
            by_name.entry(file_name(&file.name)).or_default().push(file);
        }
        let (mut hashes, mut names) = (HashSet::new(), HashSet::new());
        let mut covered = Covered::default();
        let mut changed = HashSet::new();
        for (DigestFile { digest, .. }, chain) in chains.counted() {
            covered
                .entry((&digest.account, digest.trail().region))
                .or_default()
                .push((digest.start, digest.end));
            for file in &digest.files {
                names.insert(file_name(&file.object));
                let Some(hash) = file.hash else {
                    listed.unchecked += 1;
                    continue;
                };
                hashes.insert(hash);
                let its = by_name.get(file_name(&file.object)).map_or(&[][..], Vec::as_slice);
                // A copy may be right and another not.
                for other in its.iter().filter(|it| it.hash != Some(hash)) {
                    if changed.insert(&*other.place) {
                        listed.of_chain[chain].1 += 1;
                        listed.changed.push(ChangedFile {
                            object: file.object.clone(),
                            place: other.place.clone(),
                            is_readable: other.hash.is_some(),
                            digest: digest.object.clone(),
                        });
                    }
                }
                if here.contains(&hash) {
                    listed.right += 1;
                    listed.of_chain[chain].0 += 1;
                } else if its.is_empty() {
                    listed.of_chain[chain].2 += 1;
                    let (object, digest) = (file.object.clone(), digest.object.clone());
                    listed.missing.push(MissingFile { object, digest });
                }
            }
        }
        // What the versions of a digest list that do not count is not unheard of, either.
        let of_others = digests.iter().flat_map(|it| &it.digest.files).filter_map(|it| it.hash);
        hashes.extend(of_others);
        for file in files {
            let is_listed =
                file.hash.is_some_and(|it| hashes.contains(&it)) || names.contains(file_name(&file.name));
            if !is_listed {
                let why = why(file, &covered);
                listed.not_covered.push(NotCovered { place: file.place.clone(), why });
            }
        }
        listed.changed.sort();
        listed.missing.sort();
        listed.missing.dedup();
        listed.not_covered.sort_by(|a, b| (a.why, &a.place).cmp(&(b.why, &b.place)));
        listed
    }
}

fn why(file: &FileFact, covered: &Covered<'_>) -> NotCoveredWhy {
    let Some((account, region, from, to)) = &file.delivered else { return NotCoveredWhy::Unnamed };
    let Some(ranges) = covered.get(&(&**account, region.clone())) else { return NotCoveredWhy::NoChain };
    if ranges.iter().all(|(_, end)| *from > end.saturating_sub(DELIVERY_MS)) {
        NotCoveredWhy::After
    } else if ranges.iter().any(|(start, end)| from <= end && to >= start) {
        NotCoveredWhy::NotListed
    } else if ranges.iter().all(|(start, _)| to < start) {
        NotCoveredWhy::Before
    } else {
        NotCoveredWhy::InGap
    }
}
