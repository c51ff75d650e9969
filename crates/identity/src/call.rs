//! The calls that issue credentials.

use ecs::Shape;
use plan::{Expr, Predicate, Test};

/// A call that issues credentials, or opens a console session with those that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// A role, by credentials.
    AssumeRole,
    /// A role, by an assertion of a SAML provider.
    AssumeRoleWithSaml,
    /// A role, by a token of a web identity provider.
    AssumeRoleWithWebIdentity,
    /// The root user of a member account.
    AssumeRoot,
    /// The same user with temporary credentials.
    GetSessionToken,
    /// A federated user.
    GetFederationToken,
    /// A long-term key of an IAM user.
    CreateAccessKey,
    /// A console session of the same identity; no record tells its key.
    GetSigninToken,
    /// A console session of the same identity; no record tells its key.
    ConsoleLogin,
    /// Another role in the console; no record tells its key.
    SwitchRole,
}

const STS: &str = "sts.amazonaws.com";
const IAM: &str = "iam.amazonaws.com";
const SIGNIN: &str = "signin.amazonaws.com";

impl Call {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AssumeRole,
        Self::AssumeRoleWithSaml,
        Self::AssumeRoleWithWebIdentity,
        Self::AssumeRoot,
        Self::GetSessionToken,
        Self::GetFederationToken,
        Self::CreateAccessKey,
        Self::GetSigninToken,
        Self::ConsoleLogin,
        Self::SwitchRole,
    ];

    /// The `event.action`.
    pub const fn action(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::AssumeRoleWithSaml => "AssumeRoleWithSAML",
            Self::AssumeRoleWithWebIdentity => "AssumeRoleWithWebIdentity",
            Self::AssumeRoot => "AssumeRoot",
            Self::GetSessionToken => "GetSessionToken",
            Self::GetFederationToken => "GetFederationToken",
            Self::CreateAccessKey => "CreateAccessKey",
            Self::GetSigninToken => "GetSigninToken",
            Self::ConsoleLogin => "ConsoleLogin",
            Self::SwitchRole => "SwitchRole",
        }
    }

    /// The `event.provider`.
    pub const fn provider(self) -> &'static str {
        match self {
            Self::AssumeRole
            | Self::AssumeRoleWithSaml
            | Self::AssumeRoleWithWebIdentity
            | Self::AssumeRoot
            | Self::GetSessionToken
            | Self::GetFederationToken => STS,
            Self::CreateAccessKey => IAM,
            Self::GetSigninToken | Self::ConsoleLogin | Self::SwitchRole => SIGNIN,
        }
    }

    /// The call of this name, if it is one of them.
    pub fn of(provider: &str, action: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.action() == action && it.provider() == provider)
    }

    /// Whether it opens a console session of whoever calls, who has credentials already.
    pub(crate) const fn is_sign_in(self) -> bool {
        matches!(self, Self::GetSigninToken | Self::ConsoleLogin)
    }
}

/// What holds of every event that a [`Builder`](crate::Builder) has a use for.
pub fn filter() -> Expr {
    let is = |path: &str, test| Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test });
    let actions = Call::ALL.iter().map(|it| it.action().to_owned()).collect();
    let providers = [IAM, SIGNIN, STS].map(str::to_owned).to_vec();
    Expr::all_of(vec![
        is("event.action", Test::terms(actions)),
        is("event.provider", Test::terms(providers)),
        is("event.outcome", Test::term("success")),
    ])
}
