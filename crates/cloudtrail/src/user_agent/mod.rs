//! The user agent: which program, on which system and device.
//!
//! The expressions are those of the public uap-core list, release 0.16.0, unchanged in `regexes.yaml` (Apache
//! License 2.0, see `regexes.LICENSE`). They are tried in order, so a text costs little only if most of them can
//! be ruled out at once: [`prefilter`] does that. Expressions are compiled when first needed, since an account
//! shows a handful of programs and there are more than a thousand expressions.

mod list;
mod prefilter;

use std::sync::LazyLock;

use list::{Lists, Replacements};

/// What a user agent's text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UserAgent {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) os_name: Option<String>,
    pub(crate) os_version: Option<String>,
    pub(crate) os_full: Option<String>,
    pub(crate) device_name: String,
}

/// Whether a version may end in an empty part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EmptyParts {
    /// An empty part ends the version.
    End,
    /// Only a missing part does, as Elasticsearch before 8.16.2 had it: `24.0.`.
    Keep,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| Lists::read(include_str!("regexes.yaml")));

/// Reads the text of a user agent.
pub(crate) fn parse(text: &str, empty_parts: EmptyParts) -> UserAgent {
    let lists = &*LISTS;
    let found = lists.programs.first_match(text);
    let version = found.as_ref().and_then(|it| joined_version(it, empty_parts));
    let name = found.and_then(|it| it.name());
    let os = lists.systems.first_match(text);
    let os_name = os.as_ref().and_then(Replacements::name);
    let os_version = os.and_then(|it| joined_version(&it, empty_parts)).filter(|_| os_name.is_some());
    let os_full =
        os_name.as_ref().zip(os_version.as_ref()).map(|(name, version)| format!("{name} {version}"));
    let device_name = lists.devices.first_match(text).and_then(|it| it.name());
    UserAgent {
        name: name.unwrap_or_else(other),
        version,
        os_name,
        os_version,
        os_full,
        device_name: device_name.unwrap_or_else(other),
    }
}

/// What Elastic writes for what no expression knows.
fn other() -> String {
    "Other".to_owned()
}

/// The parts from the second on, joined, up to the first that is missing.
fn joined_version(found: &Replacements<'_>, empty_parts: EmptyParts) -> Option<String> {
    let mut version: Option<String> = None;
    for part in 1..=4 {
        let Some(text) = found.part(part) else { break };
        if text.is_empty() && (empty_parts == EmptyParts::End || version.is_none()) {
            break;
        }
        match &mut version {
            None => version = Some(text.into_owned()),
            Some(version) => {
                version.push('.');
                version.push_str(&text);
            }
        }
    }
    version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles_and_the_filter_rules_none_out_wrongly() {
        let lists = &*LISTS;
        for (list, expected) in [(&lists.programs, 200), (&lists.systems, 100), (&lists.devices, 400)] {
            assert!(list.len() > expected, "the list was read whole");
            list.check_all();
        }
    }

    #[test]
    fn programs_are_named() {
        let it = parse(
            "Boto3/1.34.2 md/Botocore#1.34.2 ua/2.0 os/linux#6.1.0 md/arch#x86_64 lang/python#3.11.6",
            EmptyParts::End,
        );
        assert_eq!((it.name.as_str(), it.version.as_deref()), ("Boto3", Some("1.34.2")));
        assert_eq!((it.os_name.as_deref(), it.os_full), (Some("Linux"), None));
        let it = parse("aws-cli/1.16.2 Python/3.4.7 Linux/4.9.1 botocore/1.12.2", EmptyParts::End);
        assert_eq!((it.os_full.as_deref(), it.device_name.as_str()), (Some("Linux 4.9.1"), "Spider"));
        let it = parse("signin.amazonaws.com", EmptyParts::End);
        assert_eq!((it.name.as_str(), it.version, it.device_name.as_str()), ("Other", None, "Other"));
    }

    #[test]
    fn an_empty_part_ends_the_version_since_8_16() {
        let text = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:24.0) Gecko/20100101 Firefox/24.0";
        assert_eq!(parse(text, EmptyParts::End).version.as_deref(), Some("24.0"));
        assert_eq!(parse(text, EmptyParts::Keep).version.as_deref(), Some("24.0."));
    }
}
