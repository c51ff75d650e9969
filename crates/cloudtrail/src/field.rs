//! The fields that are made of a record.

use std::sync::LazyLock;

use crate::options::Version;
use crate::traits::Traits;

/// Declares the fields in the order in which they are made, each with its path and what is known of it: see [`Traits`].
macro_rules! fields {
    ($($name:ident = $path:literal $($trait:ident)*,)*) => {
        /// A field of an event. The order is that of the work: a step that stops it keeps the later ones away.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Field {
            $($name,)*
        }

        impl Field {
            /// All of them, in order.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            const fn current_path(self) -> &'static str {
                match self {
                    $(Self::$name => $path,)*
                }
            }

            /// What it takes to make it, and how its values are spread.
            pub(crate) const fn traits(self) -> Traits {
                match self {
                    $(Self::$name => Traits::PLAIN$(.$trait())*,)*
                }
            }
        }
    };
}

fields! {
    DataStreamType = "data_stream.type" common,
    DataStreamDataset = "data_stream.dataset" common,
    DataStreamNamespace = "data_stream.namespace" common,
    EventModule = "event.module" common,
    EventDataset = "event.dataset" common,
    Tags = "tags" common,
    EventOriginal = "event.original" made common,
    EventCreated = "event.created" common,
    EcsVersion = "ecs.version",
    Timestamp = "@timestamp",
    ActorEntityId = "actor.entity.id" made,
    UserEntityId = "user.entity.id" made,
    ServiceEntityId = "service.entity.id" made,
    HostEntityId = "host.entity.id" made,
    EntityId = "entity.id" made,
    TargetEntityId = "target.entity.id" made,
    UserTargetEntityId = "user.target.entity.id" made,
    HostTargetEntityId = "host.target.entity.id" made,
    HostTargetId = "host.target.id" made,
    ServiceTargetEntityId = "service.target.entity.id" made,
    EntityTargetId = "entity.target.id" made,
    RelatedEntity = "related.entity" made,
    EventVersion = "aws.cloudtrail.event_version" common,
    IdentityType = "aws.cloudtrail.user_identity.type" few,
    ServiceName = "service.name",
    UserName = "user.name",
    UserId = "user.id",
    IdentityArn = "aws.cloudtrail.user_identity.arn",
    CloudAccountId = "cloud.account.id" common,
    AccessKeyId = "aws.cloudtrail.user_identity.access_key_id",
    MfaAuthenticated = "aws.cloudtrail.user_identity.session_context.mfa_authenticated",
    SessionCreationDate = "aws.cloudtrail.user_identity.session_context.creation_date",
    IssuerType = "aws.cloudtrail.user_identity.session_context.session_issuer.type",
    IssuerPrincipalId = "aws.cloudtrail.user_identity.session_context.session_issuer.principal_id",
    IssuerArn = "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    IssuerAccountId = "aws.cloudtrail.user_identity.session_context.session_issuer.account_id",
    OnBehalfOfUserId = "aws.cloudtrail.user_identity.on_behalf_of.user_id",
    OnBehalfOfIdentityStoreArn = "aws.cloudtrail.user_identity.on_behalf_of.identity_store_arn",
    SessionCredentialFromConsole = "aws.cloudtrail.session_credential_from_console",
    InvokedBy = "aws.cloudtrail.user_identity.invoked_by",
    InvokedByDelegateAccountId = "aws.cloudtrail.user_identity.invoked_by_delegate.account_id",
    CredentialId = "aws.cloudtrail.user_identity.credential_id",
    IdentityProvider = "aws.cloudtrail.user_identity.identity_provider",
    InScopeOfIssuerType = "aws.cloudtrail.user_identity.in_scope_of.issuer_type",
    InScopeOfCredentialsIssuedTo = "aws.cloudtrail.user_identity.in_scope_of.credentials_issued_to",
    InScopeOfSourceArn = "aws.cloudtrail.user_identity.in_scope_of.source_arn",
    InScopeOfSourceAccount = "aws.cloudtrail.user_identity.in_scope_of.source_account",
    Ec2RoleDelivery = "aws.cloudtrail.user_identity.session_context.ec2_role_delivery",
    SourceIdentity = "aws.cloudtrail.user_identity.session_context.source_identity",
    SignInSessionArn = "aws.cloudtrail.user_identity.session_context.sign_in_session_arn",
    FederatedProvider = "aws.cloudtrail.user_identity.session_context.web_id_federation_data.federated_provider",
    FederationAttributes = "aws.cloudtrail.user_identity.session_context.web_id_federation_data.attributes",
    AssumedRoot = "aws.cloudtrail.user_identity.session_context.assumed_root",
    CloudServiceName = "cloud.service.name" common,
    EventProvider = "event.provider",
    EventAction = "event.action",
    EventCategoryOfRecord = "aws.cloudtrail.event_category" common,
    CloudProvider = "cloud.provider" common,
    CloudRegion = "cloud.region" common,
    SourceAddress = "source.address",
    SourceIp = "source.ip",
    GeoContinentName = "source.geo.continent_name" looked_up,
    GeoCountryIsoCode = "source.geo.country_iso_code" looked_up,
    GeoCountryName = "source.geo.country_name" looked_up,
    GeoRegionIsoCode = "source.geo.region_iso_code" looked_up,
    GeoRegionName = "source.geo.region_name" looked_up,
    GeoCityName = "source.geo.city_name" looked_up,
    GeoLatitude = "source.geo.location.lat" looked_up,
    GeoLongitude = "source.geo.location.lon" looked_up,
    AsNumber = "source.as.number" looked_up,
    AsOrganizationName = "source.as.organization.name" looked_up,
    UserAgentOriginal = "user_agent.original",
    UserAgentName = "user_agent.name" made,
    UserAgentVersion = "user_agent.version" made,
    UserAgentOsName = "user_agent.os.name" made,
    UserAgentOsVersion = "user_agent.os.version" made,
    UserAgentOsFull = "user_agent.os.full" made,
    UserAgentDeviceName = "user_agent.device.name" made,
    ErrorCode = "aws.cloudtrail.error_code",
    ErrorMessage = "aws.cloudtrail.error_message",
    RequestParameters = "aws.cloudtrail.request_parameters" made,
    ResponseElements = "aws.cloudtrail.response_elements" made,
    AdditionalEventdata = "aws.cloudtrail.additional_eventdata" made,
    ServiceEventDetails = "aws.cloudtrail.service_event_details" made,
    FlattenedRequestParameters = "aws.cloudtrail.flattened.request_parameters" made,
    FlattenedResponseElements = "aws.cloudtrail.flattened.response_elements" made,
    FlattenedAdditionalEventdata = "aws.cloudtrail.flattened.additional_eventdata" made,
    FlattenedServiceEventDetails = "aws.cloudtrail.flattened.service_event_details" made,
    RequestId = "aws.cloudtrail.request_id",
    EventId = "event.id",
    EventTypeOfRecord = "aws.cloudtrail.event_type" common,
    ApiVersion = "aws.cloudtrail.api_version",
    ManagementEvent = "aws.cloudtrail.management_event",
    ReadOnly = "aws.cloudtrail.read_only",
    Resources = "aws.cloudtrail.resources" made,
    RecipientAccountId = "aws.cloudtrail.recipient_account_id",
    SharedEventId = "aws.cloudtrail.shared_event_id",
    VpcEndpointId = "aws.cloudtrail.vpc_endpoint_id",
    VpcEndpointAccountId = "aws.cloudtrail.vpc_endpoint_account_id",
    AddendumReason = "aws.cloudtrail.addendum.reason",
    AddendumUpdatedFields = "aws.cloudtrail.addendum.updated_fields",
    AddendumOriginalRequestId = "aws.cloudtrail.addendum.original_request_id",
    AddendumOriginalEventId = "aws.cloudtrail.addendum.original_event_id",
    ConsoleLoginMobileVersion = "aws.cloudtrail.console_login.additional_eventdata.mobile_version",
    ConsoleLoginLoginTo = "aws.cloudtrail.console_login.additional_eventdata.login_to",
    ConsoleLoginMfaUsed = "aws.cloudtrail.console_login.additional_eventdata.mfa_used",
    EventKind = "event.kind" common,
    EventCategory = "event.category" common,
    EventType = "event.type" common,
    EventOutcome = "event.outcome" common,
    FilePath = "file.path",
    FileHash = "file.hash.sha256",
    DigestPreviousS3Object = "aws.cloudtrail.flattened.digest.previous_s3_object",
    DigestPreviousSignature = "aws.cloudtrail.flattened.digest.previous_signature",
    DigestPreviousHashValue = "aws.cloudtrail.flattened.digest.previous_hash_value",
    DigestPreviousS3Bucket = "aws.cloudtrail.flattened.digest.previous_s3_bucket",
    DigestPreviousHashAlgorithm = "aws.cloudtrail.flattened.digest.previous_hash_algorithm",
    DigestLogFiles = "aws.cloudtrail.flattened.digest.log_files" made,
    DigestStartTime = "aws.cloudtrail.flattened.digest.start_time",
    DigestEndTime = "aws.cloudtrail.flattened.digest.end_time",
    DigestNewestEventTime = "aws.cloudtrail.flattened.digest.newest_event_time",
    DigestOldestEventTime = "aws.cloudtrail.flattened.digest.oldest_event_time",
    DigestS3Bucket = "aws.cloudtrail.flattened.digest.s3_bucket",
    DigestPublicKeyFingerprint = "aws.cloudtrail.flattened.digest.public_key_fingerprint",
    DigestSignatureAlgorithm = "aws.cloudtrail.flattened.digest.signature_algorithm",
    InsightDetails = "aws.cloudtrail.flattened.insight_details" made,
    GroupId = "group.id",
    UserTargetId = "user.target.id" made,
    UserChangesName = "user.changes.name",
    GroupName = "group.name",
    UserTargetName = "user.target.name",
    TlsVersionProtocol = "tls.version_protocol",
    TlsVersion = "tls.version",
    TlsCipher = "tls.cipher",
    TlsServerName = "tls.client.server_name",
    TlsKeyExchange = "aws.cloudtrail.tls_details.key_exchange",
    UserEmail = "user.email",
    RelatedUser = "related.user" made,
    RelatedIp = "related.ip" made,
    RelatedHosts = "related.hosts" made,
    RelatedHash = "related.hash" made,
    ErrorMessages = "error.message",
}

/// The module keeps digests and insights outside `flattened`.
static FILEBEAT_PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let shorter = |path: &str| {
        path.replace(".flattened.digest.", ".digest.")
            .replace(".flattened.insight_details", ".insight_details")
    };
    Field::ALL.iter().map(|field| shorter(field.current_path())).collect()
});

impl Field {
    /// Its path in the documents of a version.
    pub(crate) fn path(self, version: Version) -> &'static str {
        match version {
            Version::V8_9 | Version::V2_24 => self.current_path(),
            Version::Filebeat => &FILEBEAT_PATHS[self as usize],
        }
    }

    /// Whether documents of a version have it.
    pub(crate) fn is_in(self, version: Version) -> bool {
        use Field as F;
        let only_newest = matches!(
            self,
            F::ActorEntityId
                | F::UserEntityId
                | F::ServiceEntityId
                | F::HostEntityId
                | F::EntityId
                | F::TargetEntityId
                | F::UserTargetEntityId
                | F::HostTargetEntityId
                | F::HostTargetId
                | F::ServiceTargetEntityId
                | F::EntityTargetId
                | F::RelatedEntity
                | F::ServiceName
                | F::OnBehalfOfUserId
                | F::OnBehalfOfIdentityStoreArn
                | F::SessionCredentialFromConsole
                | F::InvokedByDelegateAccountId
                | F::CredentialId
                | F::IdentityProvider
                | F::InScopeOfIssuerType
                | F::InScopeOfCredentialsIssuedTo
                | F::InScopeOfSourceArn
                | F::InScopeOfSourceAccount
                | F::Ec2RoleDelivery
                | F::SourceIdentity
                | F::SignInSessionArn
                | F::FederatedProvider
                | F::FederationAttributes
                | F::AssumedRoot
                | F::CloudServiceName
                | F::CloudProvider
                | F::VpcEndpointAccountId
                | F::AddendumReason
                | F::AddendumUpdatedFields
                | F::AddendumOriginalRequestId
                | F::AddendumOriginalEventId
                | F::DigestPreviousS3Object
                | F::DigestPreviousSignature
                | F::DigestPreviousHashValue
                | F::TlsKeyExchange
                | F::UserEmail
                | F::RelatedIp
                | F::RelatedHosts
        );
        let not_filebeat = matches!(self, F::EventCreated | F::EcsVersion | F::Resources | F::RelatedHash);
        match version {
            Version::V8_9 => self != F::FileHash,
            Version::V2_24 => !only_newest,
            Version::Filebeat => !only_newest && !not_filebeat,
        }
    }
}
