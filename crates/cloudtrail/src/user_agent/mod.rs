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
    use proptest::prelude::*;

    use super::list::List;
    use super::*;

    /// Parts of real user agents, in random order with random text between them.
    fn agent() -> impl Strategy<Value = String> {
        let parts = prop::sample::select(vec![
            "Mozilla/5.0",
            "(Windows NT 10.0; Win64; x64)",
            "(Macintosh; Intel Mac OS X 10_15_7)",
            "(iPhone; CPU iPhone OS 17_2 like Mac OS X)",
            "(X11; Linux x86_64; rv:121.0)",
            "(Linux; Android 13; SM-G991B)",
            "AppleWebKit/537.36 (KHTML, like Gecko)",
            "Chrome/120.0.0.0",
            "Safari/537.36",
            "Edg/120.0",
            "Gecko/20100101",
            "Firefox/121.0",
            "Boto3/1.34.2",
            "Botocore/1.34.2",
            "aws-cli/2.15.0",
            "Python/3.11.6",
            "Linux/6.1.0-17-amd64",
            "Darwin/23.1.0",
            "exe/x86_64.debian.12",
            "os/linux#6.1",
            "lang/python#3.11",
            "aws-sdk-go/1.44.0",
            "(go1.20.5; linux; amd64)",
            "aws-sdk-java/2.20",
            "curl/8.4.0",
            "APN/1.0 HashiCorp/1.0 Terraform/1.6.4",
            "S3Console/0.4,",
            "[S3Console/0.4]",
            "console.amazonaws.com",
            "AWS Internal",
            "Googlebot/2.1",
            "PostmanRuntime/7.36.0",
            "okhttp/4.12",
        ]);
        let part = prop_oneof![4 => parts.prop_map(str::to_owned), 1 => "[ -~]{0,12}", 1 => "\\PC{0,4}"];
        prop::collection::vec(part, 0..6).prop_map(|parts| parts.join(" "))
    }

    /// Name and parts of the version, as far as there are any.
    fn shown(found: Option<Replacements<'_>>) -> Option<(Option<String>, Vec<Option<String>>)> {
        found.map(|it| (it.name(), (1..=4).map(|part| it.part(part).map(Into::into)).collect()))
    }

    proptest! {
        #[test]
        fn what_the_prefilter_rules_out_does_not_match(text in agent()) {
            for list in [&LISTS.programs, &LISTS.systems, &LISTS.devices] {
                prop_assert_eq!(shown(list.first_match(&text)), shown(list.first_match_of_all(&text)));
            }
        }
    }

    #[test]
    fn the_lists_are_read_whole() {
        assert_eq!([&LISTS.programs, &LISTS.systems, &LISTS.devices].map(List::len), [347, 190, 625]);
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
