//! Who made the call: services, users, sessions.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use crate::facts::Facts;
use crate::keys::keys;
use crate::tree::At;

keys! {
    /// The keys of `userIdentity`.
    Identity {
        kind = "type",
        principal_id = "principalId",
        arn = "arn",
        account_id = "accountId",
        access_key_id = "accessKeyId",
        user_name = "userName",
        invoked_by = "invokedBy",
        session_context = "sessionContext" unchecked,
        on_behalf_of = "onBehalfOf" unchecked,
        invoked_by_delegate = "invokedByDelegate" unchecked,
        credential_id = "credentialId",
        identity_provider = "identityProvider",
        in_scope_of = "inScopeOf" unchecked,
    }
}

keys! {
    /// The keys of `userIdentity.sessionContext`.
    Session {
        attributes = "attributes" unchecked,
        session_issuer = "sessionIssuer" unchecked,
        ec2_role_delivery = "ec2RoleDelivery",
        source_identity = "sourceIdentity",
        sign_in_session_arn = "signInSessionArn",
        web_id_federation_data = "webIdFederationData" unchecked,
        assumed_root = "assumedRoot",
    }
}

keys! {
    /// The keys of `userIdentity.sessionContext.sessionIssuer`.
    Issuer {
        kind = "type",
        principal_id = "principalId",
        arn = "arn",
        account_id = "accountId",
        user_name = "userName",
    }
}

/// The kinds of identity that AWS documents.
pub(crate) const KINDS: [&str; 12] = [
    "Root",
    "IAMUser",
    "AssumedRole",
    "Role",
    "FederatedUser",
    "Directory",
    "AWSAccount",
    "AWSService",
    "IdentityCenterUser",
    "SAMLUser",
    "WebIdentityUser",
    "Unknown",
];

/// A value of the record, or a part of one of its texts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    /// A value.
    At(At),
    /// A part of a text.
    Text(&'a str),
}

const SERVICE_ROLE_PATH: &str = ":role/aws-service-role/";
/// Looked for in every session of a role, so it is prepared.
static SERVICE_ROLE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(SERVICE_ROLE_PATH));

impl<'a> Facts<'a> {
    /// The kind of identity.
    pub(crate) fn identity_kind(&self) -> Option<&'a str> {
        self.text(self.identity().kind())
    }

    /// The service that made the call, if it was none of the account's own people and programs. `invokedBy` alone
    /// does not say that: people in the console carry it too.
    pub(crate) fn service_actor(&self) -> Option<Part<'a>> {
        let invoked_by = self.identity().invoked_by();
        match self.identity_kind()? {
            "AWSService" => invoked_by.is_some().then_some(Part::At(invoked_by)),
            "AssumedRole" => {
                let arn = self.text(self.issuer().arn())?;
                let rest = &arn[SERVICE_ROLE.find(arn.as_bytes())? + SERVICE_ROLE_PATH.len()..];
                if invoked_by.is_some() {
                    return Some(Part::At(invoked_by));
                }
                let service = rest.split_once('/').map_or(rest, |(service, _)| service);
                (!service.is_empty()).then_some(Part::Text(service))
            }
            _ => None,
        }
    }

    /// `user.name`: of a role's session the role.
    pub(crate) fn user_name(&self) -> At {
        let own = self.identity().user_name();
        if !self.is_newest() {
            return own.or(self.issuer().user_name());
        }
        if self.service_actor().is_some() {
            return At::NONE;
        }
        match self.identity_kind() {
            Some("AssumedRole" | "FederatedUser") => self.issuer().user_name().or(own),
            Some("IdentityCenterUser") => own.or(self.additional_name()),
            _ => own,
        }
    }

    /// The name that signing in to Identity Center gives apart from the identity.
    fn additional_name(&self) -> At {
        if self.event_name() == Some("UserAuthentication") {
            self.tree.get(self.top.additional_event_data(), "UserName")
        } else {
            At::NONE
        }
    }

    /// Whether `user.name` was taken out of `additionalEventData`.
    pub(crate) fn takes_additional_name(&self) -> bool {
        self.is_newest()
            && self.identity_kind() == Some("IdentityCenterUser")
            && self.identity().user_name().is_none()
            && self.additional_name().is_some()
    }

    /// `user.id`.
    pub(crate) fn user_id(&self) -> At {
        let own = self.identity().principal_id();
        if !self.is_newest() {
            return own;
        }
        if self.service_actor().is_some() {
            return At::NONE;
        }
        if self.identity_kind() == Some("IdentityCenterUser") {
            own.or(self.on_behalf_of_user_id())
        } else {
            own
        }
    }

    /// The person of Identity Center for whom the call was made.
    pub(crate) fn on_behalf_of_user_id(&self) -> At {
        self.tree.get(self.identity().on_behalf_of(), "userId")
    }

    /// The name of the session: what follows the last slash of an STS ARN.
    pub(crate) fn session_name(&self) -> Option<&'a str> {
        if !matches!(self.identity_kind()?, "AssumedRole" | "FederatedUser" | "IdentityCenterUser") {
            return None;
        }
        let (_partition, rest) = self.text(self.identity().arn())?.strip_prefix("arn:")?.split_once(':')?;
        let (_, name) = rest.strip_prefix("sts:")?.rsplit_once('/')?;
        (!name.is_empty()).then_some(name)
    }

    /// `user.email`: the session's name, else the user's, if it looks like an address.
    pub(crate) fn user_email(&self) -> Option<&'a str> {
        self.session_name()
            .filter(|it| it.contains('@'))
            .or_else(|| self.text(self.user_name()).filter(|it| it.find('@').is_some_and(|at| at > 0)))
    }

    /// `cloud.account.id`.
    pub(crate) fn account_id(&self) -> At {
        let recipient = if self.is_newest() { self.top.recipient_account_id() } else { At::NONE };
        self.identity().account_id().or(recipient).or(self.top.aws_account_id())
    }
}
