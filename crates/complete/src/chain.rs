//! Chains of digest files: each names the one before it.

use std::collections::{BTreeMap, HashMap};

use ecs::Millis;

use crate::check::{DigestFile, Signed};
use crate::listed::Listed;
use crate::{Digest, TrailName};

/// The digests of a trail in a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The bucket that they were delivered to.
    pub bucket: String,
    /// The account,
    pub account: String,
    /// and the trail and region.
    pub name: TrailName,
    /// How many.
    pub digests: u64,
    /// The first delivery that they are about,
    pub from: Millis,
    /// and the last.
    pub to: Millis,
    /// How the first begins.
    pub start: ChainStart,
    /// How their signatures are.
    pub signatures: SignatureCounts,
    /// How many of them a signature vouches for: their own, or that of one that follows, whose links lead there.
    pub vouched: u64,
    /// Files that they list: as they say,
    pub right: u64,
    /// not as they say,
    pub changed: u64,
    /// and not here.
    pub missing: u64,
    /// What is wrong with the chain itself, in the order of time.
    pub problems: Vec<ChainProblem>,
}

/// How the first digest of a chain begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainStart {
    /// Nothing came before it.
    Beginning,
    /// It names one that is not here.
    Cut {
        /// Which.
        previous: String,
    },
}

/// How many signatures are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignatureCounts {
    /// Right.
    pub right: u64,
    /// Wrong.
    pub wrong: u64,
    /// There, and without a key to check them with.
    pub no_key: u64,
    /// Not known: the digest is the last one, and what S3 says of it is not here.
    pub unsigned: u64,
    /// Of a kind that is not known.
    pub unknown: u64,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainProblem {
    /// A digest is not here, and its neighbours are.
    Missing {
        /// Which.
        object: String,
        /// The one that names it.
        wanted_by: String,
        /// Files delivered from here
        from: Millis,
        /// to here are listed nowhere.
        to: Millis,
    },
    /// A digest is not what the one that follows says.
    BrokenLink {
        /// Which, or the one that names it wrongly.
        object: String,
        /// The one that follows.
        next: String,
    },
    /// The signature is not that of the digest.
    WrongSignature {
        /// Of which.
        object: String,
    },
    /// Copies of a digest differ.
    Copies {
        /// Of which.
        object: String,
        /// Where they are.
        places: Vec<String>,
    },
    /// Two digests follow on the same one.
    Fork {
        /// On which.
        object: String,
        /// How many.
        digests: u64,
    },
    /// The chain ended and another began: logging or the validation was off.
    Interrupted {
        /// From here
        from: Millis,
        /// to here.
        to: Millis,
    },
}

impl ChainProblem {
    /// Whether somebody did something to the files: an interruption is a matter of the trail.
    pub fn is_broken(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::BrokenLink { .. }
            | Self::WrongSignature { .. }
            | Self::Copies { .. }
            | Self::Fork { .. } => true,
            Self::Interrupted { .. } => false,
        }
    }
}

/// What a digest is known by.
type Id<'d> = (&'d str, &'d str);

fn id(digest: &Digest) -> Id<'_> {
    (&digest.bucket, &digest.object)
}

/// What the digests of one chain have in common.
type Key<'d> = (&'d str, &'d str, TrailName);

/// All chains.
pub(crate) struct Chains<'d> {
    digests: &'d [DigestFile],
    signed: &'d [Signed],
    /// The one that counts of several under one name.
    by_id: HashMap<Id<'d>, usize>,
    /// Those under one name that differ.
    copies: HashMap<Id<'d>, Vec<usize>>,
    vouched: Vec<bool>,
    /// By chain, in the order of time.
    series: BTreeMap<Key<'d>, Vec<usize>>,
}

impl<'d> Chains<'d> {
    /// Digests in the order of time, each once.
    pub(crate) fn new(digests: &'d [DigestFile], signed: &'d [Signed]) -> Self {
        let mut copies: HashMap<Id<'d>, Vec<usize>> = HashMap::new();
        for (at, it) in digests.iter().enumerate() {
            copies.entry(id(&it.digest)).or_default().push(at);
        }
        let links = digests.iter().filter_map(|it| it.digest.previous.as_ref());
        let mut linked: HashMap<Id<'_>, Vec<_>> = HashMap::new();
        for it in links {
            linked.entry((&it.bucket, &it.object)).or_default().push(it.hash);
        }
        // Of several under one name that one counts which the next one names, else the one that is signed.
        let is_linked = |at: usize| {
            linked.get(&id(&digests[at].digest)).is_some_and(|it| it.contains(&Some(digests[at].hash)))
        };
        let mut by_id = HashMap::new();
        for at in 0..digests.len() {
            let all = &copies[&id(&digests[at].digest)];
            let best = all
                .iter()
                .copied()
                .max_by_key(|&at| (signed[at] == Signed::Right, is_linked(at), std::cmp::Reverse(at)));
            by_id.insert(id(&digests[at].digest), best.unwrap_or(at));
        }
        let mut series: BTreeMap<Key<'d>, Vec<usize>> = BTreeMap::new();
        for (at, DigestFile { digest, .. }) in digests.iter().enumerate() {
            if by_id[&id(digest)] == at {
                series.entry((&digest.bucket, &digest.account, digest.trail())).or_default().push(at);
            }
        }
        let vouched = vouched(digests, signed, &by_id);
        Self { digests, signed, by_id, copies, vouched, series }
    }

    /// The digests that count, and the number of the chain of each.
    pub(crate) fn counted(&self) -> impl Iterator<Item = (&'d DigestFile, usize)> {
        let digests = self.digests;
        let all = self.series.values().enumerate();
        all.flat_map(move |(chain, all)| all.iter().map(move |&at| (&digests[at], chain)))
    }

    /// How many chains there are.
    pub(crate) fn len(&self) -> usize {
        self.series.len()
    }

    /// The chains, with what came of the files that they list.
    pub(crate) fn finish(self, listed: &Listed) -> Vec<Chain> {
        self.series
            .iter()
            .enumerate()
            .map(|(number, (key, all))| self.chain(key, all, listed.of_chain[number]))
            .collect()
    }

    fn chain(&self, key: &Key<'_>, all: &[usize], files: (u64, u64, u64)) -> Chain {
        let digest = |at: usize| &self.digests[at].digest;
        let mut signatures = SignatureCounts::default();
        for &at in all {
            *match self.signed[at] {
                Signed::Right => &mut signatures.right,
                Signed::Wrong => &mut signatures.wrong,
                Signed::NoKey => &mut signatures.no_key,
                Signed::Unsigned => &mut signatures.unsigned,
                Signed::Unknown => &mut signatures.unknown,
            } += 1;
        }
        let start = match &digest(all[0]).previous {
            Some(it) if !self.by_id.contains_key(&(&*it.bucket, &*it.object)) => {
                ChainStart::Cut { previous: it.object.clone() }
            }
            Some(_) | None => ChainStart::Beginning,
        };
        let (bucket, account, name) = key;
        Chain {
            bucket: (*bucket).to_owned(),
            account: (*account).to_owned(),
            name: name.clone(),
            digests: all.len() as u64,
            from: all.iter().map(|&at| digest(at).start).min().unwrap_or_default(),
            to: all.iter().map(|&at| digest(at).end).max().unwrap_or_default(),
            start,
            signatures,
            vouched: all.iter().filter(|&&at| self.vouched[at]).count() as u64,
            right: files.0,
            changed: files.1,
            missing: files.2,
            problems: self.problems(all),
        }
    }

    fn problems(&self, all: &[usize]) -> Vec<ChainProblem> {
        let digest = |at: usize| &self.digests[at].digest;
        let mut problems = Vec::new();
        let mut followed: HashMap<Id<'_>, u64> = HashMap::new();
        for (number, &at) in all.iter().enumerate() {
            let it = digest(at);
            let before = number.checked_sub(1).map(|number| digest(all[number]));
            let copies = &self.copies[&id(it)];
            if copies.len() > 1 {
                let places = copies.iter().map(|&at| self.digests[at].place.clone()).collect();
                problems.push(ChainProblem::Copies { object: it.object.clone(), places });
            }
            if self.signed[at] == Signed::Wrong {
                problems.push(ChainProblem::WrongSignature { object: it.object.clone() });
            }
            let Some(previous) = &it.previous else {
                if let Some(before) = before.filter(|_| !it.trail().is_backfill) {
                    problems
                        .push(ChainProblem::Interrupted { from: before.end, to: it.start.max(before.end) });
                }
                continue;
            };
            let previous_id = (&*previous.bucket, &*previous.object);
            let digests = followed.entry(previous_id).or_default();
            *digests += 1;
            if *digests == 2 {
                problems.push(ChainProblem::Fork { object: previous.object.clone(), digests: 2 });
            }
            match (self.by_id.get(&previous_id), before) {
                (Some(&previous_at), _) => {
                    let its = &self.digests[previous_at];
                    if previous.hash != Some(its.hash) {
                        let (object, next) = (previous.object.clone(), it.object.clone());
                        problems.push(ChainProblem::BrokenLink { object, next });
                    } else if its.digest.end < it.start && !it.trail().is_backfill {
                        problems.push(ChainProblem::Interrupted { from: its.digest.end, to: it.start });
                    }
                }
                (None, Some(before)) => problems.push(ChainProblem::Missing {
                    object: previous.object.clone(),
                    wanted_by: it.object.clone(),
                    from: before.end,
                    to: it.start.max(before.end),
                }),
                // The chain is given from here on.
                (None, None) => {}
            }
        }
        problems
    }
}

/// Which digests a signature vouches for. It goes down the links, since what is signed holds the hash of the one before.
fn vouched(digests: &[DigestFile], signed: &[Signed], by_id: &HashMap<Id<'_>, usize>) -> Vec<bool> {
    let mut vouched = vec![false; digests.len()];
    let mut left: Vec<usize> = (0..digests.len()).filter(|&at| signed[at] == Signed::Right).collect();
    while let Some(at) = left.pop() {
        if std::mem::replace(&mut vouched[at], true) {
            continue;
        }
        if let Some(previous) = &digests[at].digest.previous
            && let Some(&before) = by_id.get(&(&*previous.bucket, &*previous.object))
            && previous.hash == Some(digests[before].hash)
        {
            left.push(before);
        }
    }
    vouched
}
