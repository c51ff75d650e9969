//! The kinds of chains.

/// Declares the shapes, each with its name in the ground truth.
macro_rules! shapes {
    ($($(#[$doc:meta])* $shape:ident = $name:literal,)*) => {
        /// How somebody came by the credentials of the call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Shape { $($(#[$doc])* $shape,)* }

        impl Shape {
            pub(super) const ALL: &'static [Self] = &[$(Self::$shape,)*];

            pub(super) const fn name(self) -> &'static str {
                match self { $(Self::$shape => $name,)* }
            }
        }
    };
}

shapes! {
    /// A user with its own key.
    Key = "user",
    /// A user, then a role.
    Role = "user-role",
    /// A user, then roles one after the other.
    Roles = "user-roles",
    /// A user, then a role of another account; both have a record of it.
    Across = "across-accounts",
    /// A user, a role, and a role of another account.
    RolesAcross = "roles-across-accounts",
    /// Somebody of an account whose trail is not there.
    Foreign = "foreign-account",
    /// A user with a token of `GetSessionToken`.
    Token = "session-token",
    /// Such a token, then a role.
    TokenRole = "session-token-role",
    /// A user who made a key for another, which assumed a role.
    MadeKey = "made-key",
    /// The other user with that key, then a role.
    WithMadeKey = "with-made-key",
    /// A user of `GetFederationToken`.
    Federated = "federation-token",
    /// A service, then its role.
    Service = "service-role",
    /// A service, its role, and another role.
    ServiceRoles = "service-roles",
    /// An instance, from its own address.
    Instance = "instance",
    /// Credentials of an instance, somewhere else.
    Stolen = "stolen-instance",
    /// Credentials of an instance, somewhere else, then another role.
    StolenRole = "stolen-instance-role",
    /// A SAML provider.
    Saml = "saml",
    /// Identity Center.
    IdentityCenter = "identity-center",
    /// A web identity provider.
    Web = "web-identity",
    /// The root user in the console.
    Root = "root",
    /// The root user of a member account, by a user of the management account.
    MemberRoot = "member-root",
    /// The issuing call is not in the data.
    NoIssue = "no-issue",
    /// Another user assumes the same role in the same second under the same session name.
    SameSecond = "same-second",
    /// Records without access keys, and one call that fits.
    Keyless = "keyless",
    /// Records without access keys, and calls of two users that fit.
    Ambiguous = "ambiguous",
    /// More hops than anybody follows.
    Long = "long",
}
