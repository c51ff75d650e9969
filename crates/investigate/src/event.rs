//! Events as steps see them: the values of the columns that somebody asked for.

use std::sync::Arc;

use ecs::Millis;

/// Columns that every step may read.
macro_rules! columns {
    ($($(#[$about:meta])* $name:ident = $path:literal,)*) => {
        /// A column of an event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Field { $($(#[$about])* #[doc = concat!("`", $path, "`")] $name,)* }

        impl Field {
            /// All.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The path.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path),* }
            }
        }
    };
}

columns! {
    Provider = "event.provider",
    Action = "event.action",
    Outcome = "event.outcome",
    ErrorCode = "aws.cloudtrail.error_code",
    ErrorMessage = "aws.cloudtrail.error_message",
    ReadOnly = "aws.cloudtrail.read_only",
    Account = "cloud.account.id",
    Region = "cloud.region",
    CallerType = "aws.cloudtrail.user_identity.type",
    Arn = "aws.cloudtrail.user_identity.arn",
    Key = "aws.cloudtrail.user_identity.access_key_id",
    InvokedBy = "aws.cloudtrail.user_identity.invoked_by",
    Issuer = "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    Created = "aws.cloudtrail.user_identity.session_context.creation_date",
    Mfa = "aws.cloudtrail.user_identity.session_context.mfa_authenticated",
    Delivery = "aws.cloudtrail.user_identity.session_context.ec2_role_delivery",
    UserId = "user.id",
    UserName = "user.name",
    Address = "source.address",
    Network = "source.as.organization.name",
    Country = "source.geo.country_name",
    City = "source.geo.city_name",
    Agent = "user_agent.original",
    Request = "aws.cloudtrail.request_parameters",
    Response = "aws.cloudtrail.response_elements",
    AskedInstance = "aws.cloudtrail.flattened.request_parameters.instanceId",
    Hosts = "related.hosts",
    RoleArn = "aws.cloudtrail.flattened.request_parameters.roleArn",
    MadeKey = "aws.cloudtrail.flattened.response_elements.accessKey.accessKeyId",
    IssuedKey = "aws.cloudtrail.flattened.response_elements.credentials.accessKeyId",
    MadeInstance = "aws.cloudtrail.flattened.response_elements.instancesSet.items.instanceId",
    Platform = "aws.cloudtrail.flattened.response_elements.instancesSet.items.platform",
    KeyName = "aws.cloudtrail.flattened.response_elements.instancesSet.items.keyName",
    Image = "aws.cloudtrail.flattened.response_elements.instancesSet.items.imageId",
    InstanceType = "aws.cloudtrail.flattened.response_elements.instancesSet.items.instanceType",
    Vpc = "aws.cloudtrail.flattened.response_elements.instancesSet.items.vpcId",
    AgentPlatform = "aws.cloudtrail.flattened.request_parameters.platformType",
    AgentComputer = "aws.cloudtrail.flattened.request_parameters.computerName",
    Entities = "related.entity",
    FromConsole = "aws.cloudtrail.session_credential_from_console",
    Additional = "aws.cloudtrail.additional_eventdata",
    Latitude = "source.geo.location.lat",
    Longitude = "source.geo.location.lon",
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `_id`.
    pub id: Box<str>,
    /// The `@timestamp`.
    pub time: Millis,
    /// The values of the columns: those of [`Field::ALL`], then what else was asked for.
    pub values: Box<[Box<[Arc<str>]>]>,
}

impl Event {
    /// The first value of a column.
    pub fn get(&self, field: Field) -> &str {
        self.all(field).first().map_or("", |it| it)
    }

    /// All values of a column.
    pub fn all(&self, field: Field) -> &[Arc<str>] {
        self.values.get(field as usize).map_or(&[], |it| it)
    }

    /// The text of a column by its place.
    pub fn text_at(&self, at: usize) -> String {
        self.values.get(at).map_or_else(String::new, |it| it.join(", "))
    }

    /// Whether it was refused or failed.
    pub fn is_refused(&self) -> bool {
        !self.get(Field::ErrorCode).is_empty() || self.get(Field::Outcome) == "failure"
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.get(Field::ReadOnly) == "false"
    }

    /// `ec2:GetPasswordData`.
    pub fn call(&self) -> String {
        call_of(self.get(Field::Provider), self.get(Field::Action))
    }

    /// Who called: ARN, service, or whatever the record has.
    pub fn who(&self) -> &str {
        [Field::Arn, Field::InvokedBy, Field::UserId, Field::UserName]
            .into_iter()
            .map(|field| self.get(field))
            .find(|it| !it.is_empty())
            .unwrap_or("")
    }

    /// The identity behind the session name: the role of a session, else who called.
    pub fn identity(&self) -> &str {
        match self.get(Field::Issuer) {
            "" => self.who(),
            issuer => issuer,
        }
    }
}

/// `ec2:GetPasswordData`.
pub(crate) fn call_of(provider: &str, action: &str) -> String {
    let provider = provider.split('.').next().unwrap_or_default();
    if provider.is_empty() { action.to_owned() } else { format!("{provider}:{action}") }
}

/// The product of a user agent, without version and brackets: `aws-cli`, `Boto3`.
pub fn tool(agent: &str) -> &str {
    let agent = agent.trim().trim_start_matches('[').trim_end_matches(']').trim();
    if agent.ends_with(".amazonaws.com") {
        return agent;
    }
    let first = agent.split([' ', '/', ',']).next().unwrap_or_default();
    // Browsers all say the same first.
    if first == "Mozilla" { "browser" } else { without_uuid(first) }
}

/// A name without the UUID that it ends with: each run of such a tool has its own.
fn without_uuid(name: &str) -> &str {
    const LENGTH: usize = 36;
    let Some(at) = name.len().checked_sub(LENGTH).filter(|it| *it > 1 && name.is_char_boundary(*it)) else {
        return name;
    };
    let is_uuid = name[at..].char_indices().all(|(at, c)| match at {
        8 | 13 | 18 | 23 => c == '-',
        _ => c.is_ascii_hexdigit(),
    });
    if is_uuid { name[..at].trim_end_matches(['_', '-']) } else { name }
}

/// The form of a session name: digits and hexadecimal ids stand as `#`.
pub(crate) fn form_of_session(arn: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let mut out = String::new();
    for part in name.split_inclusive(|it: char| !it.is_ascii_alphanumeric()) {
        let (word, sign) = match part.char_indices().last() {
            Some((at, last)) if !last.is_ascii_alphanumeric() => part.split_at(at),
            _ => (part, ""),
        };
        let is_number = word.bytes().any(|it| it.is_ascii_digit());
        let is_hex = is_number && word.len() >= 6 && word.bytes().all(|it| it.is_ascii_hexdigit());
        if is_hex || (is_number && word.bytes().all(|it| it.is_ascii_digit())) {
            out.push('#');
        } else {
            let mut digits = false;
            for c in word.chars() {
                if c.is_ascii_digit() {
                    if !digits {
                        out.push('#');
                    }
                    digits = true;
                } else {
                    digits = false;
                    out.push(c);
                }
            }
        }
        out.push_str(sign);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_and_sessions() {
        for (agent, name) in [
            ("aws-cli/2.15.30 md/x", "aws-cli"),
            ("[Boto3/1.34 md/Botocore]", "Boto3"),
            ("Mozilla/5.0 (X11)", "browser"),
            ("ec2.amazonaws.com", "ec2.amazonaws.com"),
            ("red-team_018e6dc0-e908-42d1-8c24-92025293ea44", "red-team"),
            ("018e6dc0-e908-42d1-8c24-92025293ea44", "018e6dc0-e908-42d1-8c24-92025293ea44"),
            ("", ""),
        ] {
            assert_eq!(tool(agent), name, "{agent}");
        }
        for (arn, form) in [
            ("arn:aws:sts::1:assumed-role/r/i-0123456789abcdef0", "i-#"),
            ("arn:aws:sts::1:assumed-role/r/aws-go-sdk-1688990087", "aws-go-sdk-#"),
            ("arn:aws:sts::1:assumed-role/r/build7", "build#"),
            ("arn:aws:sts::1:assumed-role/r/ada@example.com", "ada@example.com"),
        ] {
            assert_eq!(form_of_session(arn), form, "{arn}");
        }
    }
}
