//! What is known of one record, worked out at most once and only if somebody asks.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::net::IpAddr;
use std::sync::Arc;

use ecs::{Millis, Scalar};

use crate::entity::{Entities, EntityError};
use crate::field::Field;
use crate::geo::Place;
use crate::identity::{Identity, Issuer, Session};
use crate::keys::keys;
use crate::options::{Options, ReadAt, Version};
use crate::record::Record;
use crate::render::write_scalar;
use crate::scratch::Scratch;
use crate::subtree::{Keys, Subtree};
use crate::time::{parse_time, parse_time_or_basic};
use crate::tree::{At, Cleanup, Kind, Tree};
use crate::user_agent::UserAgent;

keys! {
    /// The keys of a record.
    Top {
        event_version = "eventVersion",
        user_identity = "userIdentity" unchecked,
        event_time = "eventTime",
        shipped_timestamp = "@timestamp",
        event_source = "eventSource",
        event_name = "eventName",
        aws_region = "awsRegion",
        source_ip_address = "sourceIPAddress",
        user_agent = "userAgent",
        error_code = "errorCode",
        error_message = "errorMessage",
        request_parameters = "requestParameters" unchecked,
        response_elements = "responseElements" unchecked,
        additional_event_data = "additionalEventData" unchecked,
        service_event_details = "serviceEventDetails" unchecked,
        request_id = "requestID",
        event_id = "eventID" unchecked,
        event_type = "eventType",
        event_category = "eventCategory",
        api_version = "apiVersion",
        management_event = "managementEvent",
        read_only = "readOnly",
        resources = "resources",
        recipient_account_id = "recipientAccountId",
        shared_event_id = "sharedEventID",
        shared_event_id_older = "sharedEventId",
        vpc_endpoint_id = "vpcEndpointId",
        vpc_endpoint_account_id = "vpcEndpointAccountId",
        addendum = "addendum" unchecked,
        session_credential_from_console = "sessionCredentialFromConsole",
        tls_details = "tlsDetails" unchecked,
        insight_details = "insightDetails",
        aws_account_id = "awsAccountId",
        digest_s3_object = "digestS3Object",
        digest_s3_bucket = "digestS3Bucket",
        digest_start_time = "digestStartTime",
        digest_end_time = "digestEndTime",
        digest_public_key_fingerprint = "digestPublicKeyFingerprint",
        public_key_fingerprint = "publicKeyFingerprint",
        digest_signature_algorithm = "digestSignatureAlgorithm",
        newest_event_time = "newestEventTime",
        oldest_event_time = "oldestEventTime",
        previous_digest_s3_object = "previousDigestS3Object",
        previous_digest_s3_bucket = "previousDigestS3Bucket",
        previous_digest_signature = "previousDigestSignature",
        previous_digest_hash_value = "previousDigestHashValue",
        previous_digest_hash_algorithm = "previousDigestHashAlgorithm",
        log_files = "logFiles",
    }
}

/// A step that failed, for `error.message`.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) processor: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) cause: String,
}

/// One record and what follows from it.
pub(crate) struct Facts<'a> {
    pub(crate) tree: Tree<'a>,
    pub(crate) raw: &'a [u8],
    pub(crate) options: &'a Options,
    pub(crate) read_at: &'a ReadAt,
    pub(crate) top: Top<'a>,
    identity: OnceCell<Identity<'a>>,
    session: OnceCell<Session<'a>>,
    issuer: OnceCell<Issuer<'a>>,
    pub(crate) timestamp: Option<Millis>,
    /// The last field made before processing stopped.
    stopped_after: Option<Field>,
    failures: Option<Vec<Failure>>,
    unreadable: Option<String>,
    entities: Option<Result<Entities<'a>, EntityError>>,
    agent: Option<Arc<UserAgent>>,
    place: Option<Arc<Place>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(record: &'a Record<'_>, options: &'a Options, read_at: &'a ReadAt) -> Self {
        let cleanup = match options.version {
            Version::V8_9 => Cleanup::Full,
            Version::V2_24 => Cleanup::Empty,
            Version::Filebeat => Cleanup::Keep,
        };
        let tree = record.tree(cleanup).unwrap_or_else(|| Tree::empty(cleanup));
        let top = Top::read(tree, At::ROOT);
        let mut facts = Self {
            tree,
            raw: record.raw(),
            options,
            read_at,
            top,
            identity: OnceCell::new(),
            session: OnceCell::new(),
            issuer: OnceCell::new(),
            timestamp: None,
            stopped_after: None,
            failures: None,
            unreadable: record.error().map(ToString::to_string),
            entities: None,
            agent: None,
            place: None,
        };
        facts.timestamp = facts.event_time();
        if facts.unreadable.is_some() {
            facts.stopped_after = Some(Field::EventCreated);
        } else if facts.has_unreadable_agent() {
            facts.stopped_after = Some(Field::AsOrganizationName);
        }
        facts
    }

    /// Who called. Not every set of columns asks for it.
    pub(crate) fn identity(&self) -> &Identity<'a> {
        self.identity.get_or_init(|| Identity::read(self.tree, self.top.user_identity()))
    }

    /// In which session.
    pub(crate) fn session(&self) -> &Session<'a> {
        self.session.get_or_init(|| Session::read(self.tree, self.identity().session_context()))
    }

    /// Who gave the session out.
    pub(crate) fn issuer(&self) -> &Issuer<'a> {
        self.issuer.get_or_init(|| Issuer::read(self.tree, self.session().session_issuer()))
    }

    pub(crate) fn version(&self) -> Version {
        self.options.version
    }

    pub(crate) fn is_newest(&self) -> bool {
        self.options.version == Version::V8_9
    }

    /// Whether the event has a chance to have the field: processing did not stop before it.
    #[inline]
    pub(crate) fn reaches(&self, field: Field) -> bool {
        // Asked for each field of each record, of which hardly any stops.
        self.stopped_after.is_none_or(|last| is_reached(field, last))
    }

    pub(crate) fn text(&self, at: At) -> Option<&'a str> {
        self.tree.text(at)
    }

    pub(crate) fn event_name(&self) -> Option<&'a str> {
        self.text(self.top.event_name())
    }

    pub(crate) fn request(&self, key: &str) -> At {
        self.tree.get(self.top.request_parameters(), key)
    }

    pub(crate) fn response(&self, key: &str) -> At {
        self.tree.get(self.top.response_elements(), key)
    }

    /// When it happened: the end of a digest, else the event's time, else what a shipper put in its place.
    fn event_time(&self) -> Option<Millis> {
        let time = |at| self.text(at).and_then(parse_time);
        time(self.top.digest_end_time()).or_else(|| {
            let shipped =
                if self.top.event_time().is_none() { self.top.shipped_timestamp() } else { At::NONE };
            time(self.top.event_time().or(shipped))
        })
    }

    pub(crate) fn time(&self, at: At) -> Option<Millis> {
        self.text(at).and_then(parse_time)
    }

    pub(crate) fn session_creation_date(&self) -> At {
        self.tree.get(self.session().attributes(), "creationDate")
    }

    pub(crate) fn session_creation_time(&self) -> Option<Millis> {
        let text = self.text(self.session_creation_date())?;
        if self.is_newest() { parse_time_or_basic(text) } else { parse_time(text) }
    }

    /// A user agent that is not a text stops the newest version; the older ones skip it.
    fn has_unreadable_agent(&self) -> bool {
        self.is_newest() && self.top.user_agent().is_some() && self.text(self.top.user_agent()).is_none()
    }

    /// The address the call came from, if it is one.
    pub(crate) fn source_ip(&self) -> Option<(&'a str, IpAddr)> {
        let text = self.text(self.top.source_ip_address())?;
        Some((text, text.parse().ok()?))
    }

    pub(crate) fn place(&mut self, scratch: &mut Scratch) -> Option<&Place> {
        if self.place.is_none() {
            let geo = self.options.geo.as_ref()?;
            let (_, address) = self.source_ip()?;
            self.place = Some(scratch.places.get(geo, address));
        }
        self.place.as_deref()
    }

    pub(crate) fn user_agent(&mut self, scratch: &mut Scratch) -> Option<&UserAgent> {
        if self.agent.is_none() {
            let text = self.text(self.top.user_agent())?;
            self.agent = Some(scratch.agents.get(text, self.version()));
        }
        self.agent.as_deref()
    }

    /// The entity fields, if they are asked for and could be made.
    pub(crate) fn entities(&mut self) -> Option<&Entities<'a>> {
        self.entities_or_error()?.as_ref().ok()
    }

    fn entities_or_error(&mut self) -> Option<&Result<Entities<'a>, EntityError>> {
        let asked = self.options.tags.iter().any(|tag| tag == "actor_target_mapping");
        if !asked || !self.is_newest() || self.top.event_name().is_none() {
            return None;
        }
        if self.entities.is_none() {
            self.entities = Some(Entities::of(self));
        }
        self.entities.as_ref()
    }

    /// The payloads of a record with the names of their fields, in order.
    pub(crate) fn payload(&self, field: Field) -> Subtree<'a> {
        let at = match field {
            Field::RequestParameters | Field::FlattenedRequestParameters => self.top.request_parameters(),
            Field::ResponseElements | Field::FlattenedResponseElements => self.top.response_elements(),
            Field::AdditionalEventdata | Field::FlattenedAdditionalEventdata => {
                let keys = if self.takes_additional_name() { Keys::Without("UserName") } else { Keys::All };
                let at = self.tree.present(self.top.additional_event_data());
                return Subtree { tree: self.tree, at, keys };
            }
            _ => self.top.service_event_details(),
        };
        Subtree::whole(self.tree, self.tree.present(at))
    }

    /// A value as text: what the map rendering prints.
    pub(crate) fn rendered(&self, at: At, scratch: &mut Scratch) -> Option<Cow<'a, str>> {
        match self.tree.kind(at) {
            Kind::Null => None,
            Kind::Scalar(Scalar::Str(text)) => Some(text.into()),
            Kind::Scalar(Scalar::Bool(value)) => Some((if value { "true" } else { "false" }).into()),
            Kind::Scalar(value) => {
                let mut out = String::new();
                write_scalar(value, &mut out);
                Some(out.into())
            }
            Kind::Object | Kind::Array => {
                let mut out = String::new();
                scratch.renderer.render(Subtree::whole(self.tree, at), &mut out);
                Some(out.into())
            }
        }
    }

    /// The steps that failed.
    pub(crate) fn failures(&mut self) -> &[Failure] {
        if self.failures.is_none() {
            self.failures = Some(self.find_failures());
        }
        self.failures.as_deref().unwrap_or_default()
    }

    fn find_failures(&mut self) -> Vec<Failure> {
        if let Some(cause) = &self.unreadable {
            return vec![Failure { processor: "json", tag: "json_event_original", cause: cause.clone() }];
        }
        match self.version() {
            Version::V8_9 => self.find_failures_of_newest(),
            Version::V2_24 => {
                let version = self.text(self.tree.get(self.top.tls_details(), "tlsVersion"));
                let failed = version.filter(|it| !it.contains('v')).map(|version| Failure {
                    processor: "dissect",
                    tag: "dissect_tls_version",
                    cause: format!("there is no 'v' in the TLS version [{version}]"),
                });
                failed.into_iter().collect()
            }
            Version::Filebeat => Vec::new(),
        }
    }

    fn find_failures_of_newest(&mut self) -> Vec<Failure> {
        let top = self.top;
        let mut failures = Vec::new();
        failures.extend(self.date_failure("date_event_time", top.event_time(), self.time(top.event_time())));
        if let Some(Err(error)) = self.entities_or_error() {
            failures.push(Failure { processor: "script", tag: "script_entities", cause: error.to_string() });
        }
        let created = self.session_creation_date();
        failures.extend(self.date_failure("date_creation_date", created, self.session_creation_time()));
        if self.has_unreadable_agent() {
            let cause = "field [userAgent] is not a text".to_owned();
            failures.push(Failure { processor: "user_agent", tag: "user_agent", cause });
            return failures;
        }
        for (tag, at) in [
            ("date_digest_start_time", top.digest_start_time()),
            ("date_digest_end_time", top.digest_end_time()),
            ("date_newest_event_time", top.newest_event_time()),
            ("date_oldest_event_time", top.oldest_event_time()),
        ] {
            failures.extend(self.date_failure(tag, at, self.time(at)));
        }
        failures
    }

    /// The failure of a value that should be a time and is none.
    fn date_failure(&self, tag: &'static str, at: At, time: Option<Millis>) -> Option<Failure> {
        if at.is_none() || time.is_some() {
            return None;
        }
        let shown = self.text(at).map_or_else(|| "what is not a text".to_owned(), |it| format!("[{it}]"));
        Some(Failure { processor: "date", tag, cause: format!("unable to parse date {shown}") })
    }
}

/// Whether a field is made although processing stopped after another.
#[cold]
fn is_reached(field: Field, last: Field) -> bool {
    let always = [Field::Timestamp, Field::EventKind, Field::Tags, Field::ErrorMessages];
    field <= last || always.contains(&field)
}
