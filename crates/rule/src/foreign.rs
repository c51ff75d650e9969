//! Files beside the rules that hold rules in forms that are not read.

use std::fmt;

use span::Diagnostic;

use crate::LoadError;

/// A form of rules that is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum ForeignForm {
    /// `title`, `logsource`, `detection`.
    Sigma,
    /// The fields of Elastic's rules or exceptions, as YAML.
    Yaml,
}

impl ForeignForm {
    pub(crate) const ALL: [Self; 2] = [Self::Sigma, Self::Yaml];

    /// The form of a text in YAML; `None` if it holds no rule that is known.
    pub(crate) fn of_yaml(text: &str) -> Option<Self> {
        // Keys of the outermost mapping, or of the mappings of the outermost list.
        let has = |wanted: &str| {
            text.lines().any(|line| {
                let line = line.strip_prefix('\u{feff}').unwrap_or(line);
                let line = line.strip_prefix("- ").or_else(|| line.strip_prefix("  ")).unwrap_or(line);
                line.strip_prefix(wanted).is_some_and(|rest| rest.trim_start().starts_with(':'))
            })
        };
        let sigma =
            has("title") && (has("detection") || has("correlation") || has("filter") && has("logsource"));
        let elastic = has("rule_id") || has("risk_score") && has("severity") || has("list_id") && has("name");
        match (sigma, elastic) {
            (true, _) => Some(Self::Sigma),
            (false, true) => Some(Self::Yaml),
            (false, false) => None,
        }
    }

    /// What is to be said of files of this form.
    pub(crate) fn diagnostic(self, files: &[&str]) -> Diagnostic {
        LoadError::Foreign { form: self, files: files.iter().map(|&it| it.to_owned()).collect() }.diagnostic()
    }
}

impl fmt::Display for ForeignForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sigma => "Sigma rules",
            Self::Yaml => "rules or exceptions as YAML",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_told_from_other_yaml() {
        use ForeignForm::{Sigma, Yaml};
        for (text, expected) in [
            ("title: Keys\nlogsource:\n  product: aws\ndetection:\n  condition: selection\n", Some(Sigma)),
            (
                "\u{feff}title: Keys\r\nlogsource:\r\n    service: x\r\ndetection :\r\n    condition: a\r\n",
                Some(Sigma),
            ),
            ("title: Many\ncorrelation:\n  type: event_count\n", Some(Sigma)),
            ("title: Not these\nlogsource:\n  product: aws\nfilter:\n  rules: any\n", Some(Sigma)),
            (
                "action: global\ntitle: Keys\ndetection:\n  condition: a\n---\nlogsource:\n  service: x\n",
                Some(Sigma),
            ),
            ("name: Keys\nrisk_score: 21\nseverity: low\nquery: x\n", Some(Yaml)),
            ("rule:\n  rule_id: x\n  name: Keys\n", Some(Yaml)),
            ("- rule_id: x\n  name: Keys\n", Some(Yaml)),
            ("- list_id: known\n  name: Known\n  type: detection\n", Some(Yaml)),
            ("title: My page\nlayout: post\n", None),
            ("jobs:\n  detection:\n    title: x\n", None),
            ("on: push\njobs:\n  build:\n    runs-on: x\n", None),
            ("", None),
        ] {
            assert_eq!(ForeignForm::of_yaml(text), expected, "{text}");
        }
    }
}
