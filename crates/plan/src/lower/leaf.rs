//! What can be said of a question without knowing the field.

use std::borrow::Cow;

use crate::{LeafKind, Literal, RangeBounds};

impl LeafKind {
    /// Whether Elasticsearch takes a field name with an asterisk for a pattern.
    pub(super) fn expands_names(&self) -> bool {
        matches!(self, Self::Exists | Self::Pattern { .. })
    }

    pub(super) fn is_lenient(&self) -> bool {
        match self {
            Self::Match { lenient, .. }
            | Self::MatchPhrase { lenient, .. }
            | Self::Pattern { lenient, .. } => *lenient,
            _ => false,
        }
    }

    pub(super) fn has_null(&self) -> bool {
        match self {
            Self::Term { value, .. }
            | Self::Match { query: value, .. }
            | Self::MatchPhrase { query: value, .. } => *value == Literal::Null,
            Self::Terms(values) => values.contains(&Literal::Null),
            _ => false,
        }
    }

    /// Whether every pattern of a `query_string` is a text with one asterisk after it.
    pub(super) fn has_only_beginnings(&self) -> bool {
        match self {
            Self::Pattern { pieces, .. } => pieces
                .iter()
                .all(|piece| matches!(piece[..], [Some(_), None]) || piece.iter().all(Option::is_some)),
            _ => false,
        }
    }

    /// Whether it compares with whole values, or asks for existence.
    pub(super) fn is_equality(&self) -> bool {
        match self {
            Self::Exists | Self::Ids(_) | Self::Terms(_) => true,
            // No id is empty, and Elasticsearch minds the question.
            Self::Term { value, case_insensitive } => !case_insensitive && !value.text().is_empty(),
            Self::Match { query, .. } | Self::MatchPhrase { query, .. } => !query.text().is_empty(),
            Self::Range(bounds) => bounds.is_open(),
            Self::Pattern { pieces, .. } => {
                pieces.iter().all(|piece| matches!(piece[..], [None]) || piece.iter().all(Option::is_some))
            }
            Self::Wildcard { .. }
            | Self::Word(_)
            | Self::WordRange(_)
            | Self::Prefix { .. }
            | Self::Regexp { .. }
            | Self::Fuzzy { .. } => false,
        }
    }

    pub(super) fn is_lone_star(&self) -> bool {
        match self {
            Self::Pattern { pieces, .. } => {
                // Two asterisks are a pattern that fields without texts cannot answer.
                pieces.iter().any(|piece| matches!(piece[..], [None]))
            }
            _ => false,
        }
    }
}

impl Literal {
    /// The value as text: numbers as written.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Null => Cow::Borrowed("null"),
            Self::Bool(true) => Cow::Borrowed("true"),
            Self::Bool(false) => Cow::Borrowed("false"),
            Self::Number(text) | Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

impl RangeBounds {
    pub(super) fn is_open(&self) -> bool {
        [&self.gt, &self.gte, &self.lt, &self.lte]
            .iter()
            .all(|it| it.as_ref().is_none_or(|it| *it == Literal::Null))
    }

    /// The same with the bounds as the analyzer leaves one word.
    pub(super) fn lower_case(&self) -> Self {
        let lower = |it: &Option<Literal>| match it {
            Some(Literal::Text(text)) => Some(Literal::Text(ecs::analyze::lower(text))),
            other => other.clone(),
        };
        let Self { gt, gte, lt, lte, time_zone, format } = self;
        let (gt, gte, lt, lte) = (lower(gt), lower(gte), lower(lt), lower(lte));
        Self { gt, gte, lt, lte, time_zone: time_zone.clone(), format: format.clone() }
    }

    /// The lower bound, and whether it is itself within.
    pub(super) fn lower(&self) -> Option<(&Literal, bool)> {
        pick(self.gte.as_ref(), self.gt.as_ref())
    }

    /// The upper bound, and whether it is itself within.
    pub(super) fn upper(&self) -> Option<(&Literal, bool)> {
        pick(self.lte.as_ref(), self.lt.as_ref())
    }
}

fn pick<'a>(inclusive: Option<&'a Literal>, exclusive: Option<&'a Literal>) -> Option<(&'a Literal, bool)> {
    let given = |it: &&Literal| **it != Literal::Null;
    let exclusive = exclusive.filter(given).map(|it| (it, false));
    exclusive.or(inclusive.filter(given).map(|it| (it, true)))
}
