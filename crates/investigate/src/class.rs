//! What kind of value a placeholder stands for, and which values are of that kind. Values in events are written by whoever
//! made the request: what goes into a command must be what its name says.

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `i-` and hexadecimal digits.
    Instance,
    /// An id of something else in EC2: this prefix and hexadecimal digits.
    Resource(&'static str),
    /// `AKIA…`, `ASIA…`.
    AccessKey,
    /// Twelve digits.
    Account,
    /// `eu-west-1`.
    Region,
    /// A name of a user, role or policy.
    IamName,
    /// `arn:aws:…`.
    Arn,
    /// A time as this engine writes it.
    Time,
    /// A short id as this engine writes it.
    Own,
    /// A name or an id of something in AWS that is no option, in letters, digits and a few signs.
    Name,
    /// Anything: never a part of a command.
    Other,
}

/// The prefixes of ids in EC2, other than instances.
const PREFIXES: [&str; 8] = ["sg-", "eni-", "vpc-", "subnet-", "snap-", "vol-", "ami-", "acl-"];

/// Of the last parts of paths, what they hold.
const BY_NAME: &[(&str, Class)] = &[
    ("instance", Class::Instance),
    ("instances", Class::Instance),
    ("home_instance", Class::Instance),
    ("machine", Class::Instance),
    ("instanceId", Class::Instance),
    ("access_key_id", Class::AccessKey),
    ("accessKeyId", Class::AccessKey),
    ("session_key", Class::AccessKey),
    ("root_key", Class::AccessKey),
    ("chain_keys", Class::AccessKey),
    ("account", Class::Account),
    ("account_id", Class::Account),
    ("recipient", Class::Account),
    ("recipient_account_id", Class::Account),
    ("role_account", Class::Account),
    ("region", Class::Region),
    ("role_name", Class::IamName),
    ("root_user", Class::IamName),
    ("user_name", Class::IamName),
    ("attached_role", Class::IamName),
    ("attached_user", Class::IamName),
    ("put_role", Class::IamName),
    ("put_user", Class::IamName),
    ("attached_group", Class::IamName),
    ("put_group", Class::IamName),
    ("added_user", Class::IamName),
    ("added_group", Class::IamName),
    ("put_role_policy", Class::IamName),
    ("put_user_policy", Class::IamName),
    ("put_group_policy", Class::IamName),
    ("attached_role_policy", Class::Arn),
    ("attached_user_policy", Class::Arn),
    ("attached_group_policy", Class::Arn),
    ("ended_role", Class::IamName),
    ("versioned_policy", Class::Arn),
    ("made_key", Class::AccessKey),
    ("made_key_user", Class::IamName),
    ("made_login", Class::IamName),
    ("made_function", Class::Name),
    ("made_anchor", Class::Name),
    ("opened_group", Class::Resource("sg-")),
    ("opened_rule", Class::Resource("sgr-")),
    ("read_secret", Class::Name),
    ("read_parameter", Class::Name),
    ("other_account", Class::Account),
    ("snapshot_account", Class::Account),
    ("image_account", Class::Account),
    ("db_snapshot_account", Class::Account),
    ("shared_snapshot", Class::Resource("snap-")),
    ("shared_image", Class::Resource("ami-")),
    ("shared_db_snapshot", Class::Name),
    ("launched", Class::Instance),
    ("trail", Class::Name),
    ("recorder", Class::Name),
    ("detector", Class::Name),
    ("kms_key", Class::Name),
    ("command_id", Class::Name),
    ("shell_id", Class::Name),
    ("opened_bucket", Class::Name),
    ("lost_bucket", Class::Name),
    ("made_role", Class::IamName),
    ("made_user", Class::IamName),
    ("roleName", Class::IamName),
    ("userName", Class::IamName),
    ("groupName", Class::IamName),
    ("policyName", Class::IamName),
    ("arn", Class::Arn),
    ("role_arn", Class::Arn),
    ("root_arn", Class::Arn),
    ("session_arn", Class::Arn),
    ("user_arn", Class::Arn),
    ("chain_arns", Class::Arn),
    ("roleArn", Class::Arn),
    ("policyArn", Class::Arn),
    ("@timestamp", Class::Time),
    ("first_call", Class::Time),
    ("noticed", Class::Time),
    ("window_start", Class::Time),
    ("window_end", Class::Time),
    ("undo_from", Class::Time),
    ("session_start", Class::Time),
    ("groupId", Class::Resource("sg-")),
    ("networkInterfaceId", Class::Resource("eni-")),
    ("vpcId", Class::Resource("vpc-")),
    ("subnetId", Class::Resource("subnet-")),
    ("snapshotId", Class::Resource("snap-")),
    ("volumeId", Class::Resource("vol-")),
    ("imageId", Class::Resource("ami-")),
    ("networkAclId", Class::Resource("acl-")),
];

impl Class {
    /// What a placeholder of that name stands for.
    pub fn of(name: &str) -> Self {
        match name {
            "case.id" | "kibana.alert.uuid" => return Self::Own,
            "user.name" => return Self::IamName,
            "cloud.account.id" => return Self::Account,
            "host.target.id" => return Self::Instance,
            _ => {}
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        BY_NAME.iter().find(|(known, _)| *known == last).map_or(Self::Other, |&(_, class)| class)
    }

    /// What is accepted as such a value.
    pub fn accepts(self, value: &str) -> bool {
        match self {
            Self::Instance => is_hex_id(value, "i-"),
            Self::Resource(prefix) => is_hex_id(value, prefix),
            Self::AccessKey => {
                let rest = value.strip_prefix("AKIA").or_else(|| value.strip_prefix("ASIA"));
                rest.is_some_and(|rest| {
                    (12..=124).contains(&rest.len())
                        && rest.bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit())
                })
            }
            Self::Account => value.len() == 12 && value.bytes().all(|it| it.is_ascii_digit()),
            Self::Region => {
                let mut parts = value.split('-');
                let first = parts.next().unwrap_or_default();
                let rest: Vec<&str> = parts.collect();
                first.len() >= 2
                    && first.bytes().all(|it| it.is_ascii_lowercase())
                    && !rest.is_empty()
                    && rest.iter().all(|part| {
                        !part.is_empty()
                            && part.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
                    })
                    && value.len() <= 32
            }
            Self::IamName => {
                (1..=128).contains(&value.len())
                    && !value.starts_with('-')
                    && value.bytes().all(|it| it.is_ascii_alphanumeric() || b"_+=,.@-".contains(&it))
            }
            Self::Arn => {
                let mut parts = value.splitn(6, ':');
                parts.next() == Some("arn")
                    && parts.next().is_some_and(|it| {
                        it.starts_with("aws") && it.bytes().all(|it| it.is_ascii_lowercase() || it == b'-')
                    })
                    && parts.count() == 4
                    && value.len() <= 2_048
                    && !value.chars().any(|it| it.is_whitespace() || "'\"`\\$;&|<>(){}".contains(it))
                    && is_plain(value)
            }
            Self::Time => {
                (10..=30).contains(&value.len())
                    && value.bytes().all(|it| it.is_ascii_digit() || b"-:.TZ+".contains(&it))
                    && ecs::date::parse(value).is_ok()
            }
            Self::Own => (1..=64).contains(&value.len()) && value.bytes().all(|it| it.is_ascii_hexdigit()),
            Self::Name => {
                (1..=512).contains(&value.len())
                    && value.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '/')
                    && value.bytes().all(|it| it.is_ascii_alphanumeric() || b"_.:/@+=,-".contains(&it))
            }
            Self::Other => false,
        }
    }

    /// The class in words: what stands in `<…>` for a value that is not there or not accepted.
    pub fn hint(self, name: &str) -> String {
        match self {
            Self::Instance => "instance id".to_owned(),
            Self::Resource(prefix) => format!("{}id", prefix.replace('-', " ")),
            Self::AccessKey => "access key id".to_owned(),
            Self::Account => "account".to_owned(),
            Self::Region => "region".to_owned(),
            Self::IamName => match name.rsplit('.').next() {
                Some("role_name" | "roleName" | "made_role" | "ended_role") => "role name".to_owned(),
                Some("root_user" | "userName" | "made_user" | "made_key_user" | "made_login") => {
                    "user name".to_owned()
                }
                Some("put_role_policy" | "put_user_policy" | "put_group_policy") => "policy name".to_owned(),
                Some(_) | None => "name".to_owned(),
            },
            Self::Arn if name.ends_with("_policy") => "policy arn".to_owned(),
            Self::Arn => "arn".to_owned(),
            Self::Time => "time".to_owned(),
            Self::Own => "id".to_owned(),
            Self::Name | Self::Other => {
                let last = name.rsplit('.').next().unwrap_or(name);
                let words: String =
                    last.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '_').collect();
                if words.is_empty() { "value".to_owned() } else { words.replace('_', " ") }
            }
        }
    }
}

fn is_hex_id(value: &str, prefix: &str) -> bool {
    value.strip_prefix(prefix).is_some_and(|rest| {
        [8, 17].contains(&rest.len())
            && rest.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
    })
}

/// Whether a text is of an id that EC2 gives.
pub fn is_instance_id(value: &str) -> bool {
    Class::Instance.accepts(value)
}

/// Whether a text is of an id of EC2 of any kind.
pub(crate) fn is_resource_id(value: &str) -> bool {
    is_instance_id(value) || PREFIXES.iter().any(|prefix| is_hex_id(value, prefix))
}

/// Whether nothing in a text steers a terminal or turns the order of what is read.
pub fn is_plain(text: &str) -> bool {
    !text.chars().any(|it| {
        it.is_control()
            || matches!(it, '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted() {
        for (class, good, bad) in [
            (
                Class::Instance,
                &["i-0123abcd", "i-0123456789abcdef0"][..],
                &["i-1", "i-0123ABCD", "i-0123abcd ", "x", "i-0123abcd;rm"][..],
            ),
            (Class::Resource("sg-"), &["sg-0123abcd"], &["i-0123abcd", "sg-"]),
            (
                Class::AccessKey,
                &["AKIAIOSFODNN7EXAMPLE", "ASIAABCDEFGHIJKL"],
                &["AKIA", "AIDAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7example"],
            ),
            (Class::Account, &["111122223333"], &["11112222333", "11112222333x"]),
            (Class::Region, &["eu-west-1", "us-gov-east-1"], &["eu", "eu-", "EU-west-1", "eu west 1"]),
            (Class::IamName, &["ci", "a.b@c+d=e,f-g_h"], &["", "a b", "a/b", "a'b", "é"]),
            (
                Class::Arn,
                &["arn:aws:iam::111122223333:role/ci", "arn:aws-cn:s3:::b"],
                &["arn:aws:iam::1:role/a b", "arn:aws:iam::1:role/$(x)", "arn:", "x", "arn:aws:iam::1:r'"],
            ),
            (Class::Time, &["2026-03-01T10:00:00.000Z", "2026-03-01"], &["now", "2026-03-01; x"]),
            (
                Class::Name,
                &[
                    "trail-1",
                    "arn:aws:cloudtrail:eu-west-1:111122223333:trail/a",
                    "rds:db-2026-03-01",
                    "alias/x",
                    "/app/password",
                ],
                &["", "--all", "a b", "a;b", "$(x)", "a'b"],
            ),
            (Class::IamName, &["a-b"], &["--profile"]),
            (Class::Other, &[], &["x"]),
        ] {
            for value in good {
                assert!(class.accepts(value), "{class:?} {value}");
            }
            for value in bad {
                assert!(!class.accepts(value), "{class:?} {value}");
            }
        }
    }

    #[test]
    fn placeholders_have_classes() {
        for (name, class) in [
            ("case.instance", Class::Instance),
            ("aws.cloudtrail.flattened.request_parameters.instanceId", Class::Instance),
            ("aws.cloudtrail.user_identity.access_key_id", Class::AccessKey),
            ("cloud.region", Class::Region),
            ("user.name", Class::IamName),
            ("@timestamp", Class::Time),
            ("kibana.alert.uuid", Class::Own),
            ("user_agent.original", Class::Other),
            ("rule.name", Class::Other),
        ] {
            assert_eq!(Class::of(name), class, "{name}");
        }
    }
}
