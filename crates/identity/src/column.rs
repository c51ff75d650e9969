//! Where the values of a call stand.

/// Declares the columns, each with its path.
macro_rules! columns {
    ($($(#[$doc:meta])* $name:ident = $path:literal,)*) => {
        /// A value of an event that issues credentials. The first ones are those of whoever made the call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Column {
            $($(#[$doc])* $name,)*
        }

        impl Column {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The path of its values; they are leaves.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }
        }
    };
}

columns! {
    /// What the caller is: `IAMUser`, `AssumedRole`, …
    Type = "aws.cloudtrail.user_identity.type",
    /// The caller's ARN.
    Arn = "aws.cloudtrail.user_identity.arn",
    /// The key that the call was signed with.
    AccessKeyId = "aws.cloudtrail.user_identity.access_key_id",
    /// The role, or the user, that the caller's session is of.
    IssuerArn = "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    /// When the caller's session began.
    CreationDate = "aws.cloudtrail.user_identity.session_context.creation_date",
    /// The caller's account.
    AccountId = "cloud.account.id",
    /// The caller's principal id.
    UserId = "user.id",
    /// The caller's name.
    UserName = "user.name",
    /// The service that calls.
    InvokedBy = "aws.cloudtrail.user_identity.invoked_by",
    /// The service.
    Provider = "event.provider",
    /// The call.
    Action = "event.action",
    /// Whether it was answered.
    Outcome = "event.outcome",
    /// When the event was indexed.
    Ingested = "event.ingested",
    /// Where the call came from.
    SourceAddress = "source.address",
    /// The same in the records of a call that two accounts have.
    SharedEventId = "aws.cloudtrail.shared_event_id",
    /// The account that has the record.
    RecipientAccountId = "aws.cloudtrail.recipient_account_id",
    /// The role that was asked for.
    RoleArn = "aws.cloudtrail.flattened.request_parameters.roleArn",
    /// What the session was to be called.
    RoleSessionName = "aws.cloudtrail.flattened.request_parameters.roleSessionName",
    /// What the federated user was to be called.
    FederatedName = "aws.cloudtrail.flattened.request_parameters.name",
    /// Whose key was to be made.
    KeyUserName = "aws.cloudtrail.flattened.request_parameters.userName",
    /// Whose root user was asked for.
    TargetPrincipal = "aws.cloudtrail.flattened.request_parameters.targetPrincipal",
    /// The temporary key that was issued.
    IssuedKeyId = "aws.cloudtrail.flattened.response_elements.credentials.accessKeyId",
    /// The role's session.
    AssumedRoleArn = "aws.cloudtrail.flattened.response_elements.assumedRoleUser.arn",
    /// The federated user.
    FederatedArn = "aws.cloudtrail.flattened.response_elements.federatedUser.arn",
    /// The long-term key that was made.
    MadeKeyId = "aws.cloudtrail.flattened.response_elements.accessKey.accessKeyId",
    /// Whose key was made.
    MadeKeyUserName = "aws.cloudtrail.flattened.response_elements.accessKey.userName",
    /// Who changed roles in the console.
    SwitchFrom = "aws.cloudtrail.flattened.additional_eventdata.SwitchFrom",
}

impl Column {
    /// Its place in [`Column::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}
