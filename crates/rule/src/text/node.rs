//! The tree that both syntaxes are read into.

use std::fmt;

use serde_json::Value;
use span::Span;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The value's place, quotes and brackets included.
    pub(crate) span: Span,
    /// The value.
    pub(crate) data: Data,
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) value: Node,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Null,
    Bool(bool),
    /// A number as written, in decimal.
    Number(String),
    Text(String),
    /// A TOML date, as written.
    Date(String),
    List(Vec<Node>),
    Table(Vec<Member>),
}

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    /// A number where a whole one should be.
    Fraction,
    Text,
    Date,
    List,
    Table,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Fraction => "a fraction",
            Self::Text => "a string",
            Self::Date => "a date",
            Self::List => "a list",
            Self::Table => "a table",
        })
    }
}

impl Data {
    /// Its kind.
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Date(_) => Kind::Date,
            Self::List(_) => Kind::List,
            Self::Table(_) => Kind::Table,
        }
    }
}

impl Node {
    /// The members of a table; none of anything else.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.data {
            Data::Table(members) => members,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.data {
            Data::List(items) => items,
            _ => &[],
        }
    }

    /// The member of that key. `null` counts as absent, as in the API; of several the last counts, as in JSON.
    pub(crate) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.key == key && member.value.data != Data::Null)
    }

    /// The value of that key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).map(|member| &member.value)
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value at a path of keys and list positions.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, step| match &node.data {
            Data::List(items) => step.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => node.get(step),
        })
    }

    /// Takes the member of that key out of the table.
    pub(crate) fn take(&mut self, key: &str) -> Option<Member> {
        let Data::Table(members) = &mut self.data else { return None };
        let at = members.iter().rposition(|member| member.key == key)?;
        Some(members.remove(at))
    }

    /// Puts a member at the end of the table.
    pub(crate) fn push(&mut self, member: Member) {
        if let Data::Table(members) = &mut self.data {
            members.push(member);
        }
    }

    /// As JSON. Bounded by the depth that the parsers allow.
    pub(crate) fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(flag) => Value::Bool(*flag),
            Data::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.clone())),
            Data::Text(text) | Data::Date(text) => Value::String(text.clone()),
            Data::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Data::Table(members) => Value::Object(
                members.iter().map(|member| (member.key.clone(), member.value.to_json())).collect(),
            ),
        }
    }
}
