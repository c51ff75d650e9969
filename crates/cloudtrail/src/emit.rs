//! How each field is made of a record: the one definition behind documents and columns.

use std::borrow::Cow;

use ecs::{Millis, Scalar};
use memchr::memmem;

use crate::actions::categories;
use crate::entity::ActorKind;
use crate::facts::Facts;
use crate::field::Field;
use crate::identity::Part;
use crate::options::{Original, Retain, Version};
use crate::scratch::Scratch;
use crate::subtree::{Keys, Subtree};
use crate::time::write_time;
use crate::tree::{At, Kind};

/// Takes fields: a document that grows, or columns.
pub(crate) trait Sink {
    /// A single text, as most values are.
    fn text(&mut self, field: Field, text: &str);
    /// A single value.
    fn scalar(&mut self, field: Field, value: Scalar<'_>);
    /// A list of texts, never empty.
    fn strings(&mut self, field: Field, values: &mut dyn Iterator<Item = &str>);
    /// An object or a list as the record has it.
    fn subtree(&mut self, field: Field, value: Subtree<'_>);
    /// A list of objects, never empty.
    fn subtrees(&mut self, field: Field, values: &mut dyn Iterator<Item = Subtree<'_>>);
}

/// From this length on, in UTF-16 code units, a payload's rendering is too long for a keyword, and its flattened
/// copy is not kept.
const RENDERED_LEN_MAX: usize = 32_766;

/// A rendering has at most so many code units for each byte of the JSON it was made of: `1e6` becomes `1000000.0`.
/// Nothing else grows as much: what stands between values gets a space at most, a text loses its quotes.
const RENDERED_PER_BYTE_MAX: usize = 3;

/// The tag that keeps the record's text with the event.
const PRESERVE_ORIGINAL: &str = "preserve_original_event";

/// What the sources of events end in.
const SERVICE_DOMAIN: &str = ".amazonaws.com";

const MINIMAL_REQUEST: &[&str] = &[
    "cidrIp",
    "dryRun",
    "fromPort",
    "includeDeprecated",
    "policyArn",
    "serialNumber",
    "withDecryption",
    "x-amz-server-side-encryption-customer-algorithm",
];
const MINIMAL_ADDITIONAL: &[&str] = &["SSEApplied"];

/// Gives one field of one record to a sink.
pub(crate) fn emit(field: Field, facts: &mut Facts<'_>, scratch: &mut Scratch, sink: &mut impl Sink) {
    use Field as F;
    if !facts.reaches(field) {
        return;
    }
    let mut out = Out { field, sink };
    match field {
        F::DataStreamType => out.constant(facts, "logs"),
        F::DataStreamDataset | F::EventDataset => out.constant(facts, "aws.cloudtrail"),
        F::EventModule => out.constant(facts, "aws"),
        F::DataStreamNamespace => {
            if let Some(envelope) = &facts.options.envelope {
                out.text(&envelope.namespace);
            }
        }
        F::Tags => {
            let failed = !facts.failures().is_empty() && facts.is_newest();
            let tags = &facts.options.tags;
            let added =
                (failed && !tags.iter().any(|tag| tag == PRESERVE_ORIGINAL)).then_some(PRESERVE_ORIGINAL);
            out.strings(tags.iter().map(String::as_str).chain(added));
        }
        F::EventOriginal => {
            let tagged = facts.options.tags.iter().any(|tag| tag == PRESERVE_ORIGINAL);
            let kept = facts.options.original == Original::Keep || tagged || !facts.failures().is_empty();
            if kept && !facts.raw.trim_ascii().is_empty() {
                out.text(&String::from_utf8_lossy(facts.raw));
            }
        }
        F::EventCreated => out.text(facts.read_at.text()),
        F::EcsVersion => out.text("8.11.0"),
        F::Timestamp => match facts.timestamp {
            Some(time) => out.time(Some(time), scratch),
            None => out.text(facts.read_at.text()),
        },

        F::ActorEntityId => out.strings(facts.entities().and_then(|it| it.actor)),
        F::UserEntityId => out.actor(facts, ActorKind::User),
        F::ServiceEntityId => out.actor(facts, ActorKind::Service),
        F::HostEntityId => out.actor(facts, ActorKind::Host),
        F::EntityId => out.actor(facts, ActorKind::Other),
        F::TargetEntityId => out.list(facts.entities().map(|it| &*it.targets)),
        F::UserTargetEntityId => out.list(facts.entities().map(|it| &*it.users)),
        F::HostTargetEntityId => out.list(facts.entities().map(|it| &*it.hosts)),
        F::HostTargetId => out.list(facts.entities().map(|it| &*it.host_ids)),
        F::ServiceTargetEntityId => out.list(facts.entities().map(|it| &*it.services)),
        F::EntityTargetId => out.list(facts.entities().map(|it| &*it.others)),
        F::RelatedEntity => out.list(facts.entities().map(|it| &*it.related)),

        F::EventVersion => out.at(facts, facts.top.event_version()),
        F::IdentityType => out.at(facts, facts.identity().kind()),
        F::ServiceName => match facts.service_actor() {
            Some(Part::At(at)) => out.at(facts, at),
            Some(Part::Text(text)) => out.text(text),
            None => {}
        },
        F::UserName => out.at(facts, facts.user_name()),
        F::UserId => out.at(facts, facts.user_id()),
        F::IdentityArn => out.at(facts, facts.identity().arn()),
        F::CloudAccountId => out.at(facts, facts.account_id()),
        F::AccessKeyId => out.at(facts, facts.identity().access_key_id()),
        F::MfaAuthenticated => {
            out.at(facts, facts.tree.get(facts.session().attributes(), "mfaAuthenticated"));
        }
        F::SessionCreationDate => out.time(facts.session_creation_time(), scratch),
        F::IssuerType => out.at(facts, facts.issuer().kind()),
        F::IssuerPrincipalId => out.at(facts, facts.issuer().principal_id()),
        F::IssuerArn => out.at(facts, facts.issuer().arn()),
        F::IssuerAccountId => out.at(facts, facts.issuer().account_id()),
        F::OnBehalfOfUserId => out.at(facts, facts.on_behalf_of_user_id()),
        F::OnBehalfOfIdentityStoreArn => out.key(facts, facts.identity().on_behalf_of(), "identityStoreArn"),
        F::SessionCredentialFromConsole => out.at(facts, facts.top.session_credential_from_console()),
        F::InvokedBy => out.at(facts, facts.identity().invoked_by()),
        F::InvokedByDelegateAccountId => out.key(facts, facts.identity().invoked_by_delegate(), "accountId"),
        F::CredentialId => out.at(facts, facts.identity().credential_id()),
        F::IdentityProvider => out.at(facts, facts.identity().identity_provider()),
        F::InScopeOfIssuerType => out.key(facts, facts.identity().in_scope_of(), "issuerType"),
        F::InScopeOfCredentialsIssuedTo => {
            out.key(facts, facts.identity().in_scope_of(), "credentialsIssuedTo");
        }
        F::InScopeOfSourceArn => out.key(facts, facts.identity().in_scope_of(), "sourceArn"),
        F::InScopeOfSourceAccount => out.key(facts, facts.identity().in_scope_of(), "sourceAccount"),
        F::Ec2RoleDelivery => out.at(facts, facts.session().ec2_role_delivery()),
        F::SourceIdentity => out.at(facts, facts.session().source_identity()),
        F::SignInSessionArn => out.at(facts, facts.session().sign_in_session_arn()),
        F::FederatedProvider => out.key(facts, facts.session().web_id_federation_data(), "federatedProvider"),
        F::FederationAttributes => out.key(facts, facts.session().web_id_federation_data(), "attributes"),
        F::AssumedRoot => out.at(facts, facts.session().assumed_root()),

        F::CloudServiceName => {
            let source = facts.text(facts.top.event_source()).filter(|it| it.ends_with(SERVICE_DOMAIN));
            if let Some(source) = source
                && let Some(end) = memmem::find(source.as_bytes(), SERVICE_DOMAIN.as_bytes())
            {
                out.text(&source[..end]);
            }
        }
        F::EventProvider => out.at(facts, facts.top.event_source()),
        F::EventAction => out.at(facts, facts.top.event_name()),
        F::EventCategoryOfRecord => out.at(facts, facts.top.event_category()),
        F::CloudProvider => out.text("aws"),
        F::CloudRegion => out.at(facts, facts.top.aws_region()),
        F::SourceAddress => out.at(facts, facts.top.source_ip_address()),
        F::SourceIp => out.some(facts.source_ip().map(|(text, _)| text)),
        F::GeoContinentName => out.some(facts.place(scratch).and_then(|it| it.continent_name.as_deref())),
        F::GeoCountryIsoCode => out.some(facts.place(scratch).and_then(|it| it.country_iso_code.as_deref())),
        F::GeoCountryName => out.some(facts.place(scratch).and_then(|it| it.country_name.as_deref())),
        F::GeoRegionIsoCode => out.some(facts.place(scratch).and_then(|it| it.region_iso_code.as_deref())),
        F::GeoRegionName => out.some(facts.place(scratch).and_then(|it| it.region_name.as_deref())),
        F::GeoCityName => out.some(facts.place(scratch).and_then(|it| it.city_name.as_deref())),
        F::GeoLatitude => out.float(facts.place(scratch).and_then(|it| it.location).map(|it| it.0)),
        F::GeoLongitude => out.float(facts.place(scratch).and_then(|it| it.location).map(|it| it.1)),
        F::AsNumber => {
            if let Some(number) = facts.place(scratch).and_then(|it| it.as_number) {
                out.scalar(Scalar::Int(number.into()));
            }
        }
        F::AsOrganizationName => out.some(facts.place(scratch).and_then(|it| it.as_organization.as_deref())),
        F::UserAgentOriginal => out.some(facts.text(facts.top.user_agent())),
        F::UserAgentName => out.some(facts.user_agent(scratch).map(|it| it.name.as_str())),
        F::UserAgentVersion => out.some(facts.user_agent(scratch).and_then(|it| it.version.as_deref())),
        F::UserAgentOsName => out.some(facts.user_agent(scratch).and_then(|it| it.os_name.as_deref())),
        F::UserAgentOsVersion => out.some(facts.user_agent(scratch).and_then(|it| it.os_version.as_deref())),
        F::UserAgentOsFull => out.some(facts.user_agent(scratch).and_then(|it| it.os_full.as_deref())),
        F::UserAgentDeviceName => out.some(facts.user_agent(scratch).map(|it| it.device_name.as_str())),
        F::ErrorCode => out.at(facts, facts.top.error_code()),
        F::ErrorMessage => out.at(facts, facts.top.error_message()),

        F::RequestParameters | F::ResponseElements | F::AdditionalEventdata | F::ServiceEventDetails => {
            let payload = facts.payload(field);
            if payload.at.is_some() && !matches!(facts.options.retain, Retain::Flattened | Retain::None) {
                let Scratch { text, renderer, .. } = scratch;
                text.clear();
                renderer.render(payload, text);
                out.text(text);
            }
        }
        F::FlattenedRequestParameters
        | F::FlattenedResponseElements
        | F::FlattenedAdditionalEventdata
        | F::FlattenedServiceEventDetails => out.flattened(facts, scratch),
        F::RequestId => out.at(facts, facts.top.request_id()),
        F::EventId => out.at(facts, facts.tree.present(facts.top.event_id())),
        F::EventTypeOfRecord => out.at(facts, facts.top.event_type()),
        F::ApiVersion => out.at(facts, facts.top.api_version()),
        F::ManagementEvent if facts.is_newest() => out.rendered(facts, facts.top.management_event(), scratch),
        F::ManagementEvent => out.at(facts, facts.top.management_event()),
        F::ReadOnly => out.at(facts, facts.top.read_only()),
        F::Resources => match facts.resources(scratch) {
            Some(places) => {
                let tree = facts.tree;
                let of = |at| Subtree { tree, at, keys: Keys::Resource };
                if !places.is_empty() {
                    out.sink.subtrees(field, &mut places.into_iter().map(of));
                }
            }
            None => out.at(facts, facts.top.resources()),
        },
        F::RecipientAccountId => out.at(facts, facts.top.recipient_account_id()),
        F::SharedEventId => {
            let newer = if facts.is_newest() { facts.top.shared_event_id() } else { At::NONE };
            out.at(facts, newer.or(facts.top.shared_event_id_older()));
        }
        F::VpcEndpointId => out.at(facts, facts.top.vpc_endpoint_id()),
        F::VpcEndpointAccountId => out.at(facts, facts.top.vpc_endpoint_account_id()),
        F::AddendumReason => out.key(facts, facts.top.addendum(), "reason"),
        F::AddendumUpdatedFields => out.key(facts, facts.top.addendum(), "updatedFields"),
        F::AddendumOriginalRequestId => out.key(facts, facts.top.addendum(), "originalRequestID"),
        F::AddendumOriginalEventId => out.key(facts, facts.top.addendum(), "originalEventID"),

        F::ConsoleLoginMobileVersion => out.is_not_no(facts, "MobileVersion"),
        F::ConsoleLoginLoginTo if is_console_login(facts) => {
            out.key(facts, facts.top.additional_event_data(), "LoginTo");
        }
        F::ConsoleLoginLoginTo => {}
        F::ConsoleLoginMfaUsed => out.is_not_no(facts, "MFAUsed"),
        F::EventKind => {
            let failed = facts.is_newest() && !facts.failures().is_empty();
            out.text(if failed { "pipeline_error" } else { "event" });
        }
        F::EventCategory => {
            if let Some((category, _)) = facts.event_name().and_then(|it| categories(it, facts.version())) {
                out.strings([category]);
            }
        }
        F::EventType => match facts.event_name().and_then(|it| categories(it, facts.version())) {
            Some((_, types)) => out.strings(types.iter().copied()),
            None if facts.version() == Version::Filebeat => out.text("info"),
            None => out.strings(["info"]),
        },
        F::EventOutcome => out.outcome(facts),

        F::FilePath => out.at(facts, facts.top.digest_s3_object()),
        F::FileHash | F::RelatedHash => out.hash(facts, scratch),
        F::DigestPreviousS3Object => out.at(facts, facts.top.previous_digest_s3_object()),
        F::DigestPreviousSignature => out.at(facts, facts.top.previous_digest_signature()),
        F::DigestPreviousHashValue => out.at(facts, facts.top.previous_digest_hash_value()),
        F::DigestPreviousS3Bucket => out.at(facts, facts.top.previous_digest_s3_bucket()),
        F::DigestPreviousHashAlgorithm => out.at(facts, facts.top.previous_digest_hash_algorithm()),
        F::DigestLogFiles => out.at(facts, facts.top.log_files()),
        F::DigestStartTime => out.time(facts.time(facts.top.digest_start_time()), scratch),
        F::DigestEndTime => out.time(facts.time(facts.top.digest_end_time()), scratch),
        F::DigestNewestEventTime => out.time(facts.time(facts.top.newest_event_time()), scratch),
        F::DigestOldestEventTime => out.time(facts.time(facts.top.oldest_event_time()), scratch),
        F::DigestS3Bucket => out.at(facts, facts.top.digest_s3_bucket()),
        F::DigestPublicKeyFingerprint => {
            let newer = if facts.is_newest() { facts.top.digest_public_key_fingerprint() } else { At::NONE };
            out.at(facts, newer.or(facts.top.public_key_fingerprint()));
        }
        F::DigestSignatureAlgorithm => out.at(facts, facts.top.digest_signature_algorithm()),
        F::InsightDetails => out.at(facts, facts.top.insight_details()),

        F::GroupId => out.copied(facts, facts.tree.get(facts.response("group"), "groupId"), scratch),
        F::UserTargetId => out.copied(facts, facts.tree.get(facts.response("user"), "userId"), scratch),
        F::UserChangesName => out.copied(facts, facts.request("newUserName"), scratch),
        F::GroupName => out.copied(facts, facts.request("groupName"), scratch),
        F::UserTargetName => out.copied(facts, facts.request("userName"), scratch),
        F::TlsVersionProtocol => {
            if let Some((protocol, _)) = facts.text(facts.tls("tlsVersion")).and_then(|it| it.split_once('v'))
            {
                out.text(&protocol.to_lowercase());
            }
        }
        F::TlsVersion => {
            if let Some(version) = facts.text(facts.tls("tlsVersion")) {
                match version.split_once('v') {
                    Some((_, version)) => out.text(version),
                    None if facts.is_newest() => out.text(version),
                    None => {}
                }
            }
        }
        F::TlsCipher => out.at(facts, facts.tls("cipherSuite")),
        F::TlsServerName => out.at(facts, facts.tls("clientProvidedHostHeader")),
        F::TlsKeyExchange => out.at(facts, facts.tls("keyExchange")),
        F::UserEmail => out.some(facts.user_email()),
        F::RelatedUser => out.list(Some(facts.related_users(scratch).as_slice())),
        F::RelatedIp => out.list(Some(facts.related_ips().as_slice())),
        F::RelatedHosts => out.list(Some(facts.related_hosts(scratch).as_slice())),
        F::ErrorMessages => out.failures(facts),
    }
}

fn is_console_login(facts: &Facts<'_>) -> bool {
    facts.event_name() == Some("ConsoleLogin")
}

/// Where one field goes. Empty texts and lists make no field.
struct Out<'s, S> {
    field: Field,
    sink: &'s mut S,
}

impl<S: Sink> Out<'_, S> {
    fn scalar(&mut self, value: Scalar<'_>) {
        match value {
            Scalar::Str(text) => self.text(text),
            value => self.sink.scalar(self.field, value),
        }
    }

    #[inline]
    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.sink.text(self.field, text);
        }
    }

    #[inline]
    fn some(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    fn float(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.scalar(Scalar::Float(value));
        }
    }

    fn constant(&mut self, facts: &Facts<'_>, text: &str) {
        if facts.options.envelope.is_some() {
            self.text(text);
        }
    }

    fn time(&mut self, time: Option<Millis>, scratch: &mut Scratch) {
        if let Some(time) = time {
            scratch.text.clear();
            write_time(time, &mut scratch.text);
            self.text(&scratch.text);
        }
    }

    fn strings<'t>(&mut self, values: impl IntoIterator<Item = &'t str>) {
        let mut values = values.into_iter().filter(|it| !it.is_empty()).peekable();
        if values.peek().is_some() {
            self.sink.strings(self.field, &mut values);
        }
    }

    fn list(&mut self, values: Option<&[Cow<'_, str>]>) {
        self.strings(values.unwrap_or_default().iter().map(AsRef::as_ref));
    }

    /// A value as the record has it.
    fn at(&mut self, facts: &Facts<'_>, at: At) {
        // Most values are texts: this way they stay in registers.
        if let Some(text) = facts.tree.text(at) {
            return self.text(text);
        }
        match facts.tree.kind(at) {
            Kind::Null => {}
            Kind::Scalar(value) => self.scalar(value),
            Kind::Object | Kind::Array => self.sink.subtree(self.field, Subtree::whole(facts.tree, at)),
        }
    }

    fn key(&mut self, facts: &Facts<'_>, object: At, key: &str) {
        self.at(facts, facts.tree.get(object, key));
    }

    /// A value as text.
    fn rendered(&mut self, facts: &Facts<'_>, at: At, scratch: &mut Scratch) {
        if let Some(text) = facts.rendered(at, scratch) {
            self.text(&text);
        }
    }

    /// A copied value; the older versions copied it as text.
    fn copied(&mut self, facts: &Facts<'_>, at: At, scratch: &mut Scratch) {
        if facts.is_newest() { self.at(facts, at) } else { self.rendered(facts, at, scratch) }
    }

    fn actor(&mut self, facts: &mut Facts<'_>, kind: ActorKind) {
        let actor = facts.entities().and_then(|it| it.actor_kind);
        self.strings(actor.filter(|(it, _)| *it == kind).map(|(_, actor)| actor));
    }

    fn flattened(&mut self, facts: &Facts<'_>, scratch: &mut Scratch) {
        let mut payload = facts.payload(self.field);
        if payload.at.is_none() {
            return;
        }
        match facts.options.retain {
            Retain::All | Retain::Flattened => {}
            Retain::Keyword | Retain::None => return,
            Retain::Minimal => {
                payload.keys = Keys::Only(match self.field {
                    Field::FlattenedRequestParameters => MINIMAL_REQUEST,
                    Field::FlattenedAdditionalEventdata => MINIMAL_ADDITIONAL,
                    _ => return,
                });
            }
        }
        // Most need not be made to be measured.
        if facts.raw.len() * RENDERED_PER_BYTE_MAX >= RENDERED_LEN_MAX {
            let Scratch { text, renderer, .. } = scratch;
            text.clear();
            renderer.render(facts.payload(self.field), text);
            if text.encode_utf16().count() >= RENDERED_LEN_MAX {
                return;
            }
        }
        match facts.tree.kind(payload.at) {
            Kind::Object if facts.is_newest() && payload.entries().next().is_none() => {}
            Kind::Object => self.sink.subtree(self.field, payload),
            _ if matches!(payload.keys, Keys::Only(_)) => {}
            _ => self.at(facts, payload.at),
        }
    }

    /// For a console login, whether a value is there and is not `No`.
    fn is_not_no(&mut self, facts: &Facts<'_>, key: &str) {
        if !is_console_login(facts) {
            return;
        }
        let at = facts.tree.get(facts.top.additional_event_data(), key);
        if at.is_some() {
            self.scalar(Scalar::Bool(facts.text(at) != Some("No")));
        }
    }

    fn outcome(&mut self, facts: &Facts<'_>) {
        if facts.version() == Version::Filebeat && facts.top.digest_end_time().is_some() {
            return;
        }
        if is_console_login(facts)
            && let Some(response) = facts.text(facts.response("ConsoleLogin"))
        {
            self.text(&response.to_lowercase());
        } else if facts.top.error_code().is_some() || facts.top.error_message().is_some() {
            self.text("failure");
        } else {
            self.text("success");
        }
    }

    /// The hash of the previous digest; the older versions took its signature for one.
    fn hash(&mut self, facts: &Facts<'_>, scratch: &mut Scratch) {
        let top = &facts.top;
        let at = if facts.is_newest() {
            top.previous_digest_hash_value()
        } else if facts.text(top.previous_digest_hash_algorithm()) == Some("SHA-256") {
            top.previous_digest_signature()
        } else {
            At::NONE
        };
        if self.field == Field::FileHash {
            self.at(facts, at);
        } else if let Some(text) = facts.rendered(at, scratch) {
            self.strings([&*text]);
        }
    }

    fn failures(&mut self, facts: &mut Facts<'_>) {
        let newest = facts.is_newest();
        let texts: Vec<String> = facts
            .failures()
            .iter()
            .map(|it| {
                let (processor, tag, cause) = (it.processor, it.tag, &it.cause);
                format!("Processor {processor} with tag {tag} in pipeline aws.cloudtrail failed with message: {cause}")
            })
            .collect();
        if newest {
            self.strings(texts.iter().map(String::as_str));
        } else {
            self.some(texts.first().map(String::as_str));
        }
    }
}
