//! A part of a record that becomes the value of one field, possibly with some of its keys left out or renamed.

use ecs::Scalar;
use ecs::text::TextValue;

use crate::tree::{At, Kind, Tree, push_key};

/// What happens to the keys of the outermost object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keys {
    /// They stay.
    All,
    /// Only these stay.
    Only(&'static [&'static str]),
    /// This one goes.
    Without(&'static str),
    /// `ARN` and `accountId`, as AWS spells them in `resources`, become `arn` and `account_id`.
    Resource,
}

/// A part of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subtree<'a> {
    pub(crate) tree: Tree<'a>,
    pub(crate) at: At,
    pub(crate) keys: Keys,
}

impl<'a> Subtree<'a> {
    /// A value as it is.
    pub(crate) fn whole(tree: Tree<'a>, at: At) -> Self {
        Self { tree, at, keys: Keys::All }
    }

    /// The keys that stay, under the names they get. Nothing if it is no object.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'a str, At)> {
        let Self { tree, at, keys } = self;
        tree.entries(at).filter_map(move |(key, value)| {
            let name = match keys {
                Keys::All => key,
                Keys::Only(kept) if kept.contains(&key) => key,
                Keys::Without(gone) if key != gone => key,
                Keys::Only(_) | Keys::Without(_) => return None,
                Keys::Resource => match key {
                    "ARN" => "arn",
                    "accountId" => "account_id",
                    // What is renamed replaces what had the name.
                    "arn" if tree.get(at, "ARN").is_some() => return None,
                    "account_id" if tree.get(at, "accountId").is_some() => return None,
                    _ => key,
                },
            };
            Some((name, value))
        })
    }

    /// Calls `found` with each scalar that is the value itself, through arrays.
    pub(crate) fn scalars(self, found: &mut impl FnMut(Scalar<'a>)) {
        self.tree.scalars(self.at, found);
    }

    /// Calls `found` with each scalar at a path below.
    pub(crate) fn scalars_below(self, path: &str, found: &mut impl FnMut(Scalar<'a>)) {
        if let (Kind::Object, Keys::Only(_) | Keys::Without(_) | Keys::Resource) =
            (self.tree.kind(self.at), self.keys)
        {
            for (key, value) in self.entries() {
                self.tree.scalars_of_key(key, value, path, found);
            }
        } else {
            self.tree.scalars_below(self.at, path, found);
        }
    }

    /// Calls `found` with each scalar below and its key, as [`Tree::leaves`] does.
    pub(crate) fn leaves(self, key: &mut String, found: &mut impl FnMut(&str, Scalar<'a>)) {
        if let Kind::Object = self.tree.kind(self.at) {
            for (name, value) in self.entries() {
                let len = key.len();
                push_key(key, name);
                self.tree.leaves(value, key, found);
                key.truncate(len);
            }
        } else {
            self.tree.leaves(self.at, key, found);
        }
    }

    /// The value as JSON.
    pub(crate) fn to_json(self) -> serde_json::Value {
        if let Kind::Object = self.tree.kind(self.at) {
            let mut object = ecs::Object::new();
            for (key, value) in self.entries() {
                object.insert(key.to_owned(), self.tree.to_json(value));
            }
            object.into()
        } else {
            self.tree.to_json(self.at)
        }
    }

    /// Writes what [`Subtree::to_json`] is.
    pub(crate) fn write_json(self, out: &mut TextValue<'_>) {
        if let Kind::Object = self.tree.kind(self.at) {
            out.object(self.entries(), |out, value| self.tree.write_json(value, out));
        } else {
            self.tree.write_json(self.at, out);
        }
    }
}
