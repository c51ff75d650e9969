//! One CloudTrail record as text.

use super::catalogue::Event;
use super::clock;
use super::seed::mix;
use super::template::{Scene, push_all, push_uuid};
use super::world::Principal;

/// Tags that keep the ids of one record apart.
const EVENT_ID: u64 = 500;
const REQUEST_ID: u64 = 501;
const SHARED_ID: u64 = 502;

/// Who makes a call, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller<'a> {
    /// An AWS service on its own account.
    Service(&'a str),
    Principal {
        principal: &'a Principal,
        address: &'a str,
        user_agent: &'a str,
    },
}

/// Why a call was refused.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    /// A failed sign-in has a message only.
    pub(super) code: Option<String>,
    pub(super) message: String,
}

impl Failure {
    /// The refusal that the service of the call uses.
    pub(super) fn not_allowed(event: &Event, scene: &Scene<'_>, principal: &Principal) -> Self {
        let code = if event.service == "ec2" { "Client.UnauthorizedOperation" } else { "AccessDenied" };
        Self::refused(code, event, scene, principal)
    }

    pub(super) fn refused(code: &str, event: &Event, scene: &Scene<'_>, principal: &Principal) -> Self {
        let Principal { name, session_name, .. } = principal;
        let account = &scene.account.id;
        let who = if principal.arn.contains(":user/") {
            principal.arn.clone()
        } else {
            format!("arn:aws:sts::{account}:assumed-role/{name}/{session_name}")
        };
        let what = format!("{}:{}", event.service, plain_name(&event.name));
        let message = if code == "Client.UnauthorizedOperation" {
            format!(
                "You are not authorized to perform this operation. User: {who} is not authorized to perform: {what} because no identity-based policy allows the {what} action"
            )
        } else {
            format!(
                "User: {who} is not authorized to perform: {what} because no identity-based policy allows the {what} action"
            )
        };
        Self { code: Some(code.to_owned()), message }
    }
}

/// `UpdateFunctionCode` of `UpdateFunctionCode20150331v2`.
fn plain_name(name: &str) -> &str {
    name.find(|c: char| c.is_ascii_digit()).map_or(name, |digit| &name[..digit])
}

/// The `eventID` of the record with this seed.
pub(super) fn event_id(seed: u64) -> String {
    let mut id = String::new();
    push_uuid(&mut id, mix(seed, EVENT_ID));
    id
}

/// Appends the record as one JSON object without line breaks. No text in it needs escaping: values are made of
/// letters, digits and a few harmless signs, and templates are JSON already.
pub(super) fn push_record(
    scene: &Scene<'_>,
    event: &Event,
    caller: Caller<'_>,
    failure: Option<&Failure>,
    out: &mut String,
) {
    out.push_str(r#"{"eventVersion":"1.11","userIdentity":"#);
    match caller {
        Caller::Service(name) => push_all(out, &[r#"{"type":"AWSService","invokedBy":""#, name, "\"}"]),
        Caller::Principal { principal, .. } => {
            principal.push_identity(scene.seconds, event.is_sign_in(), out);
        }
    }
    out.push_str(r#","eventTime":""#);
    clock::push_iso(out, scene.seconds);
    push_all(out, &[r#"","eventSource":""#, &event.source, r#"","eventName":""#, &event.name]);
    let (address, user_agent) = match caller {
        Caller::Service(name) => (name, name),
        Caller::Principal { address, user_agent, .. } => (address, user_agent),
    };
    push_all(out, &[r#"","awsRegion":""#, scene.region, r#"","sourceIPAddress":""#, address]);
    push_all(out, &[r#"","userAgent":""#, user_agent]);
    if let Some(Failure { code, message }) = failure {
        if let Some(code) = code {
            push_all(out, &[r#"","errorCode":""#, code]);
        }
        push_all(out, &[r#"","errorMessage":""#, message]);
    }
    out.push_str(r#"","requestParameters":"#);
    event.request.fill(scene, out);
    out.push_str(r#","responseElements":"#);
    match failure {
        // A failed sign-in is told by its response.
        Some(_) if !event.is_sign_in() => out.push_str("null"),
        _ => event.response.fill(scene, out),
    }
    if let Some(extra) = &event.extra {
        out.push_str(r#","additionalEventData":"#);
        extra.fill(scene, out);
    }
    out.push_str(r#","requestID":""#);
    push_uuid(out, mix(scene.seed, REQUEST_ID));
    out.push_str(r#"","eventID":""#);
    push_uuid(out, mix(scene.seed, EVENT_ID));
    push_all(out, &[r#"","readOnly":"#, if event.read { "true" } else { "false" }]);
    if let Some(resources) = &event.resources {
        out.push_str(r#","resources":"#);
        resources.fill(scene, out);
    }
    let management = if event.data { "false" } else { "true" };
    push_all(out, &[r#","eventType":""#, &event.kind, r#"","managementEvent":"#, management]);
    push_all(out, &[r#","recipientAccountId":""#, &scene.account.id]);
    if event.shared && matches!(caller, Caller::Service(_)) {
        out.push_str(r#"","sharedEventID":""#);
        push_uuid(out, mix(scene.seed, SHARED_ID));
    }
    push_all(out, &[r#"","eventCategory":""#, if event.data { "Data" } else { "Management" }, "\""]);
    if let Caller::Principal { user_agent, address, .. } = caller {
        if user_agent.starts_with("Mozilla") {
            if !event.is_sign_in() {
                out.push_str(r#","sessionCredentialFromConsole":"true""#);
            }
        } else if !address.ends_with(".amazonaws.com") {
            out.push_str(r#","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","#);
            push_all(out, &[r#""clientProvidedHostHeader":""#, &event.service]);
            if !event.global {
                push_all(out, &[".", scene.region]);
            }
            out.push_str(r#".amazonaws.com"}"#);
        }
    }
    out.push('}');
}
