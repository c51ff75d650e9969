//! Who makes the calls of a chain.

use super::super::clock;
use super::super::seed::mix;
use super::super::template::push_key;
use serde_json::{Value, json};

/// What kind of credentials somebody calls with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An IAM user with a long-term key.
    User,
    /// The same with temporary credentials of `GetSessionToken`.
    Token,
    /// The root user, in the console.
    Root,
    /// The root user of a member account, by `AssumeRoot`.
    MemberRoot,
    /// A session of a role.
    Role,
    /// A user of `GetFederationToken`.
    Federated,
    /// A service of AWS.
    Service,
    /// Somebody whom a SAML provider vouches for.
    Saml,
    /// Something that a web identity provider vouches for.
    Web,
    /// Somebody in an account whose trail is not there.
    Foreign,
}

/// Somebody with credentials.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) kind: Kind,
    pub(super) account: String,
    /// Of the role with its path, of the user, of the service; of others their principal id.
    pub(super) name: String,
    /// The name of the session; of a federated user its own.
    pub(super) session: String,
    pub(super) key: Option<String>,
    /// Records do not say the key.
    pub(super) hides_key: bool,
    /// When the session began: seconds since 1970.
    pub(super) created: i64,
    pub(super) mfa: bool,
    /// The version of the metadata service that handed out the credentials.
    pub(super) delivery: Option<&'static str>,
    /// The service that calls on its behalf.
    pub(super) through: Option<&'static str>,
}

impl Identity {
    pub(super) fn new(kind: Kind, account: &str, name: &str) -> Self {
        Self {
            kind,
            account: account.to_owned(),
            name: name.to_owned(),
            session: String::new(),
            key: None,
            hides_key: false,
            created: 0,
            mfa: false,
            delivery: None,
            through: None,
        }
    }

    /// With a long-term key of its own.
    pub(super) fn with_key(mut self, seed: u64) -> Self {
        let mut key = String::new();
        push_key(&mut key, "AKIA", mix(seed, 4));
        self.key = Some(key);
        self
    }

    /// What tells it in all of its sessions.
    pub(super) fn root(&self) -> String {
        let Self { account, name, session, .. } = self;
        match self.kind {
            Kind::User | Kind::Token => format!("arn:aws:iam::{account}:user/{name}"),
            Kind::Root | Kind::MemberRoot => format!("arn:aws:iam::{account}:root"),
            Kind::Role => format!("arn:aws:iam::{account}:role/{name}"),
            Kind::Federated => format!("arn:aws:sts::{account}:federated-user/{session}"),
            Kind::Service | Kind::Saml | Kind::Web | Kind::Foreign => name.clone(),
        }
    }

    /// Whose calls they are: of a federated user those of the user who asked for it.
    pub(super) fn whose(&self) -> String {
        match self.kind {
            Kind::Federated => format!("arn:aws:iam::{}:user/{}", self.account, self.name),
            _ => self.root(),
        }
    }

    /// The role, or the user, without its path.
    pub(super) fn plain_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }

    /// The ARN of the session; of what has no session its own.
    pub(super) fn arn(&self) -> String {
        match self.kind {
            Kind::Role => {
                format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account, self.plain_name(), self.session)
            }
            _ => self.root(),
        }
    }

    /// The principal id.
    pub(super) fn principal(&self) -> String {
        let Self { account, name, session, .. } = self;
        let id = |prefix: &str| {
            let mut id = String::new();
            let seed = self.root().bytes().fold(7, |seed, byte| mix(seed, byte.into()));
            push_key(&mut id, prefix, seed);
            id
        };
        match self.kind {
            Kind::User | Kind::Token => id("AIDA"),
            Kind::Root | Kind::MemberRoot => account.clone(),
            Kind::Role => format!("{}:{session}", id("AROA")),
            Kind::Federated => format!("{account}:{session}"),
            Kind::Service | Kind::Saml | Kind::Web | Kind::Foreign => name.clone(),
        }
    }

    /// `userIdentity`.
    pub(super) fn json(&self) -> Value {
        let Self { account, name, .. } = self;
        let principal = self.principal();
        let id = principal.split(':').next().unwrap_or_default();
        let mut created = String::new();
        clock::push_iso(&mut created, self.created);
        let mfa = if self.mfa { "true" } else { "false" };
        let attributes = json!({"creationDate": created, "mfaAuthenticated": mfa});
        let mut it = match self.kind {
            Kind::User | Kind::Token => json!({
                "type": "IAMUser", "principalId": principal, "arn": self.root(), "accountId": account,
                "userName": name,
            }),
            Kind::Root | Kind::MemberRoot => json!({
                "type": "Root", "principalId": principal, "arn": self.root(), "accountId": account,
            }),
            Kind::Role => json!({
                "type": "AssumedRole", "principalId": principal, "arn": self.arn(),
                "accountId": account,
            }),
            Kind::Federated => json!({
                "type": "FederatedUser", "principalId": principal, "arn": self.root(),
                "accountId": account,
            }),
            Kind::Service => json!({"type": "AWSService", "invokedBy": name}),
            Kind::Saml => json!({
                "type": "SAMLUser", "principalId": name, "userName": name.rsplit(':').next(),
                "identityProvider": name.split(':').next(),
            }),
            Kind::Web => json!({
                "type": "WebIdentityUser", "principalId": name, "userName": name.rsplit(':').next(),
                "identityProvider": format!("arn:aws:iam::{account}:oidc-provider/git.example.com"),
            }),
            Kind::Foreign => json!({"type": "AWSAccount", "principalId": name, "accountId": account}),
        };
        if let Some(key) = self.key.as_ref().filter(|_| !self.hides_key) {
            it["accessKeyId"] = key.as_str().into();
        }
        let context = match self.kind {
            Kind::Token | Kind::Root | Kind::MemberRoot => {
                Some(json!({"sessionIssuer": {}, "webIdFederationData": {}, "attributes": attributes}))
            }
            Kind::Role => Some(json!({
                "sessionIssuer": {"type": "Role", "principalId": id, "arn": self.root(),
                    "accountId": account, "userName": self.plain_name()},
                "webIdFederationData": {}, "attributes": attributes,
            })),
            Kind::Federated => Some(json!({
                "sessionIssuer": {"type": "IAMUser", "arn": self.whose(),
                    "accountId": account, "userName": name},
                "attributes": attributes,
            })),
            Kind::User | Kind::Service | Kind::Saml | Kind::Web | Kind::Foreign => None,
        };
        if let Some(context) = context {
            it["sessionContext"] = context;
        }
        if let Some(delivery) = self.delivery {
            it["sessionContext"]["ec2RoleDelivery"] = delivery.into();
        }
        if let Some(service) = self.through {
            it["invokedBy"] = service.into();
        }
        it
    }
}
