//! Who made a call, as its record says.

use std::borrow::Cow;
use std::sync::LazyLock;

use ecs::{Millis, Object, Scalar, Shape, Wanted};

use crate::column::Column;

/// The identity of a record. Whatever it does not say is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Who<'a> {
    /// What it is: `IAMUser`, `AssumedRole`, …
    pub kind: Option<&'a str>,
    /// Its ARN; that of a session is the session's.
    pub arn: Option<&'a str>,
    /// The access key that the call was signed with.
    pub key: Option<&'a str>,
    /// The role, or the user, that the session is of.
    pub issuer: Option<&'a str>,
    /// When the session began.
    pub created: Option<Millis>,
    /// The account.
    pub account: Option<&'a str>,
    /// The principal id.
    pub principal: Option<&'a str>,
    /// The name.
    pub name: Option<&'a str>,
    /// The service that calls.
    pub service: Option<&'a str>,
}

/// A value of an identity; each is a column of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhoField {
    /// [`Who::kind`].
    Kind,
    /// [`Who::arn`].
    Arn,
    /// [`Who::key`].
    Key,
    /// [`Who::issuer`].
    Issuer,
    /// [`Who::created`].
    Created,
    /// [`Who::account`].
    Account,
    /// [`Who::principal`].
    Principal,
    /// [`Who::name`].
    Name,
    /// [`Who::service`].
    Service,
}

impl WhoField {
    /// All of them, in the order of the first columns.
    pub const ALL: [Self; 9] = [
        Self::Kind,
        Self::Arn,
        Self::Key,
        Self::Issuer,
        Self::Created,
        Self::Account,
        Self::Principal,
        Self::Name,
        Self::Service,
    ];

    /// Where it stands.
    pub const fn column(self) -> Column {
        match self {
            Self::Kind => Column::Type,
            Self::Arn => Column::Arn,
            Self::Key => Column::AccessKeyId,
            Self::Issuer => Column::IssuerArn,
            Self::Created => Column::CreationDate,
            Self::Account => Column::AccountId,
            Self::Principal => Column::UserId,
            Self::Name => Column::UserName,
            Self::Service => Column::InvokedBy,
        }
    }
}

impl<'a> Who<'a> {
    /// The identity that has these values; a field without one is not called for, or with an empty text.
    pub fn new(value: impl Fn(WhoField) -> Option<&'a str>) -> Self {
        let text = |field| value(field).filter(|it| !it.is_empty());
        Self {
            kind: text(WhoField::Kind),
            arn: text(WhoField::Arn),
            key: text(WhoField::Key),
            issuer: text(WhoField::Issuer),
            created: text(WhoField::Created).and_then(|it| ecs::date::parse(it).ok()),
            account: text(WhoField::Account),
            principal: text(WhoField::Principal),
            name: text(WhoField::Name),
            service: text(WhoField::Service),
        }
    }

    /// Whether the record names nobody. Every record has an account: that is none.
    pub fn is_nobody(&self) -> bool {
        let Self { kind, arn, key, issuer, created: _, account: _, principal, name: _, service } = *self;
        [kind, arn, key, issuer, principal, service].iter().all(Option::is_none)
    }

    /// Whether somebody else must have issued its credentials: it is a session of a role or a federated user.
    pub fn is_session(&self) -> bool {
        match self.kind {
            Some("AssumedRole" | "FederatedUser" | "Role") => true,
            Some("IAMUser" | "Root" | "AWSService" | "AWSAccount" | "SAMLUser" | "WebIdentityUser") => false,
            _ => self.arn.is_some_and(is_session_arn),
        }
    }

    /// What tells the same identity in all of its sessions: of a role's session the role's ARN, of others their own; of
    /// those that have none the service, the principal, the name or the account.
    pub fn name(&self) -> Cow<'a, str> {
        if self.kind == Some("AWSService")
            && let Some(service) = self.service
        {
            return service.into();
        }
        if self.is_role() {
            if let Some(issuer) = self.issuer {
                return issuer.into();
            }
            if let Some(role) = self.arn.and_then(role_of_session) {
                return role.into();
            }
        }
        let all = [self.arn, self.issuer, self.principal, self.name, self.service, self.account, self.key];
        all.into_iter().flatten().next().unwrap_or_default().into()
    }

    fn is_role(&self) -> bool {
        match self.kind {
            Some("AssumedRole" | "Role") => true,
            Some("FederatedUser") => false,
            _ => self.arn.is_some_and(|it| it.contains(":assumed-role/")),
        }
    }

    /// The ARN of its session, as the call that began it has it. If the record does not say, it is put together of the
    /// role and the principal id.
    pub(crate) fn session_arn(&self) -> Option<Cow<'a, str>> {
        if let Some(arn) = self.arn.filter(|it| is_session_arn(it)) {
            return Some(arn.into());
        }
        let (_, name) = self.principal?.split_once(':')?;
        session_of_role(self.issuer?, name).map(Cow::Owned)
    }

    /// The user or root user that the record of a federated user names as the one who asked for the credentials.
    pub(crate) fn federated_by(&self) -> Option<Self> {
        let issuer = self.issuer.filter(|_| self.kind == Some("FederatedUser"))?;
        let kind = if issuer.ends_with(":root") { "Root" } else { "IAMUser" };
        Some(Self { kind: Some(kind), arn: Some(issuer), account: account_of(issuer), ..Self::default() })
    }
}

/// Stands between the values of a packed identity.
const BETWEEN: char = '\0';

impl Who<'_> {
    /// The identity that [`WhoBuf::pack`] made this text of.
    pub fn unpack(text: &str) -> Who<'_> {
        let mut values = [""; WhoField::ALL.len()];
        for (place, value) in values.iter_mut().zip(text.split(BETWEEN)) {
            *place = value;
        }
        Who::new(|field| Some(values[field as usize]))
    }
}

/// The account that an ARN names.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|it| !it.is_empty())
}

fn is_session_arn(arn: &str) -> bool {
    arn.contains(":assumed-role/") || arn.contains(":federated-user/")
}

/// `arn:aws:sts::1:assumed-role/R/S` is a session of `arn:aws:iam::1:role/R`. A path that the role has is not known.
fn role_of_session(arn: &str) -> Option<String> {
    let (start, rest) = arn.split_once(":assumed-role/")?;
    let role = rest.split('/').next()?;
    Some(format!("{}:role/{role}", start.replacen(":sts:", ":iam:", 1)))
}

/// The session of this name of a role, whose path is no part of it.
pub(crate) fn session_of_role(role: &str, session: &str) -> Option<String> {
    let (start, path) = role.split_once(":role/")?;
    let name = path.rsplit('/').next()?;
    Some(format!("{}:assumed-role/{name}/{session}", start.replacen(":iam:", ":sts:", 1)))
}

/// An identity with its own texts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct WhoBuf {
    values: [Option<Box<str>>; WhoField::ALL.len()],
}

/// The fields of an identity, all found in one walk over a document.
static FIELDS: LazyLock<Wanted> = LazyLock::new(|| {
    let field = |it: WhoField| (it as u32, it.column().path(), Shape::Leaf);
    Wanted::new(WhoField::ALL.map(field))
});

impl WhoBuf {
    /// Whoever the document of an event names.
    pub fn of(document: &Object) -> Self {
        let mut it = Self::default();
        FIELDS.walk(document, &mut |field, value| it.push(WhoField::ALL[field as usize], value));
        it
    }

    /// Gives it the value of a field. Of several the first counts.
    pub fn push(&mut self, field: WhoField, value: Scalar<'_>) {
        let place = &mut self.values[field as usize];
        if place.is_none() {
            *place = Some(value.text().into());
        }
    }

    /// Forgets all values.
    pub fn clear(&mut self) {
        self.values = Default::default();
    }

    /// Appends it as a text that is the same for the same identity. Nothing if it is nobody.
    pub fn pack(&self, out: &mut String) {
        if self.who().is_nobody() {
            return;
        }
        for (at, value) in self.values.iter().enumerate() {
            if at > 0 {
                out.push(BETWEEN);
            }
            // No name of anything holds that character.
            out.push_str(value.as_deref().filter(|it| !it.contains(BETWEEN)).unwrap_or_default());
        }
    }

    /// The identity.
    pub fn who(&self) -> Who<'_> {
        Who::new(|field| self.values[field as usize].as_deref())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Whatever form the document has, and of several values the first.
    #[test]
    fn one_walk_finds_what_a_walk_for_each_field_finds() {
        let documents = [
            json!({}),
            json!({"user": {"name": ["ada", "bo"], "id": 7}, "user.name": "cy"}),
            json!({"user.name": "cy", "user": {"name": "ada"}, "cloud": {"account.id": "1", "account": {"id": "2"}}}),
            json!({"aws": {"cloudtrail": {"user_identity": {"type": "AssumedRole", "arn": [["a"], "b"],
                "session_context": [{"creation_date": "2026-03-01T10:00:00Z"}, {"session_issuer.arn": "role"}]}}}}),
            json!({"aws.cloudtrail.user_identity": {"access_key_id": null, "invoked_by": true},
                "aws.cloudtrail.user_identity.access_key_id": "ASIAEXAMPLE"}),
        ];
        for document in documents {
            let document = document.as_object().unwrap();
            let mut plain = WhoBuf::default();
            for field in WhoField::ALL {
                ecs::document::values(document, field.column().path(), Shape::Leaf, |value| {
                    plain.push(field, value);
                });
            }
            assert_eq!(WhoBuf::of(document), plain, "{document:?}");
        }
    }
}
