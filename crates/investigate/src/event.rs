//! Events as steps see them: the values of the columns that somebody asked for.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use ecs::Millis;
use rustc_hash::FxHashSet;

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

/// An event. A source may give a million of them, so they share what they have in common: see [`Pool`].
#[derive(Clone, Debug)]
pub struct Event {
    /// The `_id`.
    pub id: Box<str>,
    /// The `@timestamp`.
    pub time: Millis,
    /// Where the values of each column end: those of [`Field::ALL`], then of what else was asked for.
    ends: Arc<[u32]>,
    values: Box<[Arc<str>]>,
    /// What the call is about, once somebody asked: that is read off the request.
    pub(crate) objects: OnceLock<Box<[String]>>,
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.time, &self.ends, &self.values) == (&other.id, other.time, &other.ends, &other.values)
    }
}

impl Eq for Event {}

/// Makes events that share their texts, and where the values of their columns end.
#[derive(Debug, Default)]
pub struct Pool {
    texts: FxHashSet<Arc<str>>,
    shapes: FxHashSet<Arc<[u32]>>,
}

/// Longer texts are seldom the same in two events.
const SHARED_MAX: usize = 256;

impl Pool {
    /// A text as events have it.
    pub fn text(&mut self, text: &str) -> Arc<str> {
        if text.len() > SHARED_MAX {
            return text.into();
        }
        shared(&mut self.texts, text)
    }

    /// An event with its columns, those of [`Field::ALL`] first.
    pub fn event<V: IntoIterator<Item = Arc<str>>>(
        &mut self,
        id: &str,
        time: Millis,
        columns: impl IntoIterator<Item = V>,
    ) -> Event {
        let mut values = Vec::new();
        let ends = columns.into_iter().map(|its| {
            values.extend(its);
            values.len() as u32
        });
        let ends: Vec<u32> = ends.collect();
        let (id, values) = (id.into(), values.into());
        Event { id, time, ends: shared(&mut self.shapes, &ends), values, objects: OnceLock::new() }
    }
}

/// The one that is known, or a new one.
fn shared<T: ?Sized + Eq + std::hash::Hash>(known: &mut FxHashSet<Arc<T>>, it: &T) -> Arc<T>
where
    for<'t> &'t T: Into<Arc<T>>,
{
    if let Some(known) = known.get(it) {
        return Arc::clone(known);
    }
    let new: Arc<T> = it.into();
    known.insert(Arc::clone(&new));
    new
}

impl Event {
    /// The first value of a column.
    pub fn get(&self, field: Field) -> &str {
        self.all(field).first().map_or("", |it| it)
    }

    /// All values of a column.
    pub fn all(&self, field: Field) -> &[Arc<str>] {
        self.column(field as usize)
    }

    /// The text of a column.
    pub(crate) fn text(&self, field: Field) -> Cow<'_, str> {
        match self.all(field) {
            [one] => Cow::Borrowed(one),
            all => all.join(", ").into(),
        }
    }

    /// The text of a column by its place.
    pub fn text_at(&self, at: usize) -> String {
        self.column(at).join(", ")
    }

    /// The values of a column by its place.
    pub(crate) fn column(&self, at: usize) -> &[Arc<str>] {
        let Some(&end) = self.ends.get(at) else { return &[] };
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.values[start as usize..end as usize]
    }

    /// Whether it was refused or failed.
    pub fn is_refused(&self) -> bool {
        !self.get(Field::ErrorCode).is_empty() || self.get(Field::Outcome) == "failure"
    }

    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        self.get(Field::ReadOnly) == "false"
    }

    /// What [`Self::call`] is made of: events of the same parts are the same call.
    pub(crate) fn call_parts(&self) -> [&str; 2] {
        [self.get(Field::Provider), self.get(Field::Action)]
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

/// Where a text stands: events mostly share their texts, and are told apart by that quicker than by what they say.
pub(crate) fn place(text: &str) -> (usize, usize) {
    (text.as_ptr().addr(), text.len())
}

/// `ec2:GetPasswordData`, in its pieces.
pub(crate) fn call_pieces([provider, action]: [&str; 2]) -> [&str; 3] {
    let provider = provider.split('.').next().unwrap_or_default();
    if provider.is_empty() { ["", "", action] } else { [provider, ":", action] }
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
    fn events_share_texts_and_keep_their_columns() {
        let mut pool = Pool::default();
        let columns = [&["iam.amazonaws.com"][..], &[], &["a", "b"]];
        let mut make = |id: &str| {
            let texts = columns.map(|it| it.iter().map(|it| pool.text(it)).collect::<Vec<_>>());
            pool.event(id, 7, texts)
        };
        let (one, other) = (make("1"), make("2"));
        assert_eq!((one.get(Field::Provider), one.get(Field::Action)), ("iam.amazonaws.com", ""));
        assert_eq!((one.text_at(2).as_str(), one.text_at(9).as_str()), ("a, b", ""));
        assert!(Arc::ptr_eq(&one.all(Field::Outcome)[1], &other.all(Field::Outcome)[1]));
        assert!(one != other && make("1") == one);
        let long = "x".repeat(SHARED_MAX + 1);
        assert!(!Arc::ptr_eq(&pool.text(&long), &pool.text(&long)));
    }

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
