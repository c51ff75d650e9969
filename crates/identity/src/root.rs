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

/// Declares the fields, each with its path.
macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident = $path:literal,)*) => {
        /// A field that says who is behind the identity of an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum RootField {
            $($(#[$doc])* $name,)*
        }

        impl RootField {
            /// All of them, in the order of their paths.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Where it stands; a keyword.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }
        }
    };
}

fields! {
    /// [`Root::chain`].
    Chain = "trailwarden.identity.chain",
    /// [`Root::confidence`].
    Confidence = "trailwarden.identity.confidence",
    /// [`Root::key`].
    Key = "trailwarden.identity.root.access_key_id",
    /// [`Root::arn`].
    Arn = "trailwarden.identity.root.arn",
    /// [`Root::kind`].
    Kind = "trailwarden.identity.root.type",
}

/// The beginning of all their paths.
const PREFIX: &str = "trailwarden.identity.";

impl RootField {
    /// The field at this path, if it is one of them.
    pub fn of(path: &str) -> Option<Self> {
        // Nearly every path that anybody asks of is none.
        path.starts_with(PREFIX).then(|| Self::ALL.iter().copied().find(|it| it.path() == path))?
    }
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

impl Root {
    /// The values of a field.
    pub fn values(&self, field: RootField) -> Vec<&str> {
        match field {
            RootField::Chain => self.chain.iter().map(String::as_str).collect(),
            RootField::Confidence => vec![self.confidence.name()],
            RootField::Key => self.key.as_deref().into_iter().collect(),
            RootField::Arn => vec![&self.arn],
            RootField::Kind => self.kind.as_deref().into_iter().collect(),
        }
    }
}

impl Graph {
    /// Who is behind `who`, by the calls ingested until `as_of`; nobody is behind nobody.
    pub fn root(&self, who: Who<'_>, as_of: Millis) -> Option<Root> {
        (!who.is_nobody()).then(|| Root::of(&self.chain(who, as_of)))
    }

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
