//! Upward: from an identity to the one that it acts for.

use ecs::Millis;

use crate::graph::{AsOf, Graph, Issue, Parent};
use crate::who::Who;

/// Longer chains end there, which is said.
pub const HOPS_MAX: usize = 10;

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Several calls fit, or none is in the data.
    Weak,
    /// By time, role and session name.
    Inferred,
    /// By the key that was issued, or by what the record itself says.
    Exact,
}

impl Confidence {
    /// As it is written: `exact`, `inferred`, `weak`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Inferred => "inferred",
            Self::Exact => "exact",
        }
    }
}

/// Why a chain ends where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// At a person, a key, a service, a provider or another account.
    Head,
    /// At the user that the record of a federated user names; the call is not in the data.
    Named,
    /// No call issued the credentials, as far as the data say.
    NoIssue,
    /// Several calls could have, and not the same made them.
    Ambiguous,
    /// It comes back to a key that it has met: records contradict each other.
    Loop,
    /// It is longer than [`HOPS_MAX`].
    Depth,
}

/// One step upward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop<'g> {
    /// Who used the credentials.
    pub session: Who<'g>,
    /// The call that issued them; its caller is the next one.
    pub issue: Issue<'g>,
    /// How sure it is that it was this call.
    pub confidence: Confidence,
}

/// Who is behind an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<'g> {
    /// From the identity upward.
    pub hops: Vec<Hop<'g>>,
    /// The furthest identity that is known: the one asked for if there is no hop.
    pub head: Who<'g>,
    /// Why it is no further.
    pub end: End,
    /// How sure the head is: the least sure hop; [`Confidence::Weak`] if somebody else is behind the head.
    pub confidence: Confidence,
    /// Where several calls could have issued credentials, all of them.
    pub candidates: Vec<Issue<'g>>,
}

impl Chain<'_> {
    /// The names of all identities, from the head to the one asked for; see [`Who::name`].
    pub fn names(&self) -> Vec<String> {
        let below = self.hops.iter().rev().map(|hop| hop.session);
        let mut names: Vec<String> =
            std::iter::once(self.head).chain(below).map(|who| who.name().into_owned()).collect();
        names.dedup();
        names
    }
}

impl Graph {
    /// Who is behind `who`, by the calls ingested until `as_of`.
    pub fn chain<'a>(&'a self, who: Who<'a>, as_of: Millis) -> Chain<'a> {
        self.chain_as_of(who, &mut AsOf::new(as_of))
    }

    pub(crate) fn chain_as_of<'a>(&'a self, who: Who<'a>, as_of: &mut AsOf) -> Chain<'a> {
        let mut chain = Chain {
            hops: Vec::new(),
            head: who,
            end: End::Head,
            confidence: Confidence::Exact,
            candidates: Vec::new(),
        };
        let (mut path, mut keys) = (Vec::new(), Vec::new());
        loop {
            let who = chain.head;
            keys.extend(who.key);
            let (row, confidence) = match self.parent(&who, &path, as_of) {
                Parent::None => {
                    match who.federated_by() {
                        Some(named) => (chain.head, chain.end) = (named, End::Named),
                        None if who.is_session() => chain.end = End::NoIssue,
                        None => {}
                    }
                    break;
                }
                Parent::Exact(row) => (row, Confidence::Exact),
                Parent::Inferred(row) => (row, Confidence::Inferred),
                Parent::Several(rows) => {
                    if chain.candidates.is_empty() {
                        chain.candidates = rows.iter().map(|&row| self.issue(row)).collect();
                    }
                    if rows[1..].iter().any(|&row| !self.is_same_caller(rows[0], row)) {
                        chain.end = End::Ambiguous;
                        break;
                    }
                    (rows[0], Confidence::Weak)
                }
            };
            if chain.hops.len() == HOPS_MAX {
                chain.end = End::Depth;
                break;
            }
            let issue = self.issue(row);
            chain.hops.push(Hop { session: who, issue, confidence });
            chain.confidence = chain.confidence.min(confidence);
            chain.head = issue.caller;
            path.push(row);
            if issue.caller.key.is_some_and(|key| keys.contains(&key)) || issue.caller.is_nobody() {
                chain.end = if issue.caller.is_nobody() { End::NoIssue } else { End::Loop };
                break;
            }
        }
        match chain.end {
            End::Head | End::Named => {}
            End::NoIssue | End::Ambiguous | End::Loop | End::Depth => chain.confidence = Confidence::Weak,
        }
        chain
    }
}
