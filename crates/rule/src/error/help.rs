//! What to write instead.

use super::words::{listed, listed_have};
use super::{Expected, LoadError, Ruleless};
use crate::foreign::ForeignForm;
use crate::text::Kind;

impl LoadError {
    /// What to write instead, where that is known.
    pub(crate) fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotUtf8 { .. } => "save the file as UTF-8".to_owned(),
            Self::TooManyValues { .. } => "write fewer aliases of aliases".to_owned(),
            Self::BadTest { help, .. } => (*help).to_owned(),
            Self::TooLarge { .. } => "split the export into several files".to_owned(),
            Self::TooDeep { .. } => "flatten the file: no part of a rule nests that deep".to_owned(),
            Self::NoRule { what: Ruleless::File, .. } => {
                "a rule file has a table `[rule]`, or is JSON exported from Kibana".to_owned()
            }
            Self::NoRule { .. } => {
                "rules, exception lists, exception items, connectors and the closing summary are known".to_owned()
            }
            Self::Missing { help, .. } => help.clone(),
            Self::WrongType { expected: Expected::Texts, found: Kind::Text, .. } => {
                "put the string in brackets: `[\"…\"]`".to_owned()
            }
            Self::WrongType { expected: Expected::Integer | Expected::Flag, found: Kind::Text, .. } => {
                "leave out the quotes".to_owned()
            }
            Self::UnknownWord { allowed, .. } if allowed.len() == 1 => format!("write `{}`", allowed[0]),
            Self::UnknownWord { value, allowed, .. } => match crate::suggest::nearest(value, allowed.iter().copied()) {
                Some(similar) => format!("did you mean `{similar}`? {} allowed", listed(allowed)),
                None => format!("{} allowed", listed(allowed)),
            },
            Self::WrongType { .. } | Self::OutOfRange { .. } | Self::Toml { .. } | Self::Json { .. } | Self::Yaml { .. } | Self::Unreadable { .. } => return None,
            Self::BadWhen { .. } => {
                "write names of facts, alone or compared, with `not`, `and`, `or`: `grade = C and not mfa`".to_owned()
            }
            Self::Empty { .. } => "write something there".to_owned(),
            Self::TooMany { limit, .. } => format!("keep the {limit} that matter most"),
            Self::BadDuration { .. } => {
                "write a whole number from 1 on and a unit (s, m, h or d), such as `5m`".to_owned()
            }
            Self::BadDateMath { .. } => {
                "write `now`, then steps such as `-9m` or `/d`; units are ms, s, m, h, d, w, M (months), y".to_owned()
            }
            Self::HistoryNotBeforeFrom { .. } => {
                "let it reach further back than `from`, such as `now-7d`: terms are new against the time between the two"
                    .to_owned()
            }
            Self::WrongLanguage { allowed, .. } if allowed.is_empty() => "leave out `language`".to_owned(),
            Self::WrongLanguage { allowed, .. } => format!("write `language = \"{}\"`", allowed[0]),
            Self::OnlyNegated { .. } => "add an entry that is not negated, or the group matches nearly everything".to_owned(),
            Self::BothWays { .. } => "remove one of the two entries: together they can never be true".to_owned(),
            Self::UnknownField { similar: Some(similar), .. } => format!("did you mean `{similar}`?"),
            Self::UnknownField { .. } => "it is kept as it is, and has no effect".to_owned(),
            Self::ForeignField { belongs_to, .. } if belongs_to.is_empty() => "remove it".to_owned(),
            Self::ForeignField { belongs_to, .. } => {
                format!("remove it, or change `type`: {} it", listed_have(belongs_to))
            }
            Self::NoTransform { list, .. } => format!("add a `[[transform.{list}]]`, or correct the number"),
            Self::Metadata { expected, .. } => expected.clone(),
            Self::TranslationCount { .. } => {
                "translate every item, in the order of the rule; until then the rule's own words are used".to_owned()
            }
            Self::TranslationOrphan { .. } => "rename the translation after its rule".to_owned(),
            Self::UnaskedValues { .. } => "name it in an entry of type `list`; till then it has no effect".to_owned(),
            Self::BadDate { .. } => "write it as 2026-08-01T00:00:00Z".to_owned(),
            Self::Foreign { form: ForeignForm::Sigma, .. } => {
                "write their conditions in KQL as rules in TOML (`trailwarden rules schema` describes them)".to_owned()
            }
            Self::Foreign { form: ForeignForm::Yaml, .. } => {
                "give the TOML files that they were made of, or Kibana's export (NDJSON)".to_owned()
            }
            Self::More { .. } => "correct the ones above first".to_owned(),
        })
    }
}
