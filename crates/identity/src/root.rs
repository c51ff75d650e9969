//! The head of a chain as fields have it, and how it changes with what was ingested.

use ecs::Millis;

use crate::chain::{Chain, Confidence};
use crate::graph::{AsOf, Graph};
use crate::who::Who;

/// A history has no more pieces; what was earlier still is told as of the earliest of them.
const PIECES_MAX: usize = 256;

/// The identity behind another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Root {
    /// Its name: see [`Who::name`].
    pub arn: String,
    /// What it is: `IAMUser`, `AWSService`, …
    pub kind: Option<String>,
    /// The access key that it used.
    pub key: Option<String>,
    /// The names of all identities, from it to the one asked for.
    pub chain: Vec<String>,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Who is behind an identity for what was ingested by some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootPiece {
    /// The earliest of these times.
    pub from: Millis,
    /// Who.
    pub root: Root,
}

impl Root {
    /// The head of a chain.
    pub fn of(chain: &Chain<'_>) -> Self {
        let head = &chain.head;
        Self {
            arn: head.name().into_owned(),
            kind: head.kind.map(str::to_owned),
            key: head.key.map(str::to_owned),
            chain: chain.names(),
            confidence: chain.confidence,
        }
    }
}

impl Graph {
    /// Who is behind `who` at all times, the earliest first; empty if that is nobody. The first piece has no beginning.
    pub fn history(&self, who: Who<'_>) -> Vec<RootPiece> {
        let mut pieces: Vec<RootPiece> = Vec::new();
        if who.is_nobody() {
            return pieces;
        }
        let mut latest = Some(Millis::MAX);
        while let Some(time) = latest {
            let mut as_of = AsOf::new(time);
            let root = Root::of(&self.chain_as_of(who, &mut as_of));
            latest = as_of.since.and_then(|it| it.checked_sub(1)).filter(|_| pieces.len() < PIECES_MAX);
            let from = latest.map_or(Millis::MIN, |it| it + 1);
            match pieces.last_mut() {
                Some(later) if later.root == root => later.from = from,
                _ => pieces.push(RootPiece { from, root }),
            }
        }
        pieces.reverse();
        pieces
    }
}
