//! Which fields of events have columns of their own.
//!
//! The record tells everything, and is read where something is asked that no column answers. So a field has a column if many
//! rules ask for it, or people do. Adding one is a new version of the set: segments say which version wrote them, and what
//! an older one lacks is taken from the record.

use cloudtrail::{Envelope, Options};

/// How columns are filled: as hunts and queries make events. Whoever makes them in another way cannot go by the columns.
pub(crate) fn normaliser() -> Options {
    Options { envelope: Some(Envelope::default()), ..Options::default() }
}

/// The version of the set that is written.
pub(crate) const VERSION: u32 = 2;

/// The fields with columns. A value is there as text; of events whose value is no single text, the column `exact` is false.
pub(crate) const FIELDS: [&str; 42] = [
    "event.provider",
    "event.action",
    "event.outcome",
    "event.dataset",
    "data_stream.dataset",
    "data_stream.namespace",
    "user.name",
    "user.id",
    "source.ip",
    "source.address",
    "user_agent.original",
    "cloud.account.id",
    "cloud.region",
    "aws.cloudtrail.event_type",
    "aws.cloudtrail.event_category",
    "aws.cloudtrail.error_code",
    "aws.cloudtrail.error_message",
    "aws.cloudtrail.user_identity.type",
    "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.access_key_id",
    "aws.cloudtrail.user_identity.invoked_by",
    "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    "aws.cloudtrail.user_identity.session_context.session_issuer.type",
    "aws.cloudtrail.recipient_account_id",
    "aws.cloudtrail.session_credential_from_console",
    "aws.cloudtrail.console_login.additional_eventdata.mfa_used",
    "aws.cloudtrail.vpc_endpoint_id",
    "tls.client.server_name",
    // Since version 2: what else is asked of the calls that issue credentials, so that who is behind an event is known
    // without their records.
    "aws.cloudtrail.user_identity.session_context.creation_date",
    "aws.cloudtrail.shared_event_id",
    "aws.cloudtrail.flattened.request_parameters.roleArn",
    "aws.cloudtrail.flattened.request_parameters.roleSessionName",
    "aws.cloudtrail.flattened.request_parameters.name",
    "aws.cloudtrail.flattened.request_parameters.userName",
    "aws.cloudtrail.flattened.request_parameters.targetPrincipal",
    "aws.cloudtrail.flattened.response_elements.credentials.accessKeyId",
    "aws.cloudtrail.flattened.response_elements.assumedRoleUser.arn",
    "aws.cloudtrail.flattened.response_elements.federatedUser.arn",
    "aws.cloudtrail.flattened.response_elements.accessKey.accessKeyId",
    "aws.cloudtrail.flattened.response_elements.accessKey.userName",
    "aws.cloudtrail.flattened.additional_eventdata.SwitchFrom",
    "user.target.name",
];

/// How many of the fields the first version had.
const FIRST_VERSION: usize = 28;

/// The fields whose values point to few events, so that bloom filters pay.
pub(crate) const SELECTIVE: [&str; 2] = ["source.ip", "aws.cloudtrail.user_identity.access_key_id"];

/// The fields that segments of this version have; none of an unknown one.
pub(crate) fn fields(version: u32) -> &'static [&'static str] {
    match version {
        1 => &FIELDS[..FIRST_VERSION],
        VERSION => &FIELDS,
        _ => &[],
    }
}

/// The column's name: that of the field, as every engine takes it without quotes.
pub(crate) fn name(field: &str) -> String {
    field.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_different_and_need_no_quotes() {
        // Some engines take names for the same that differ in case.
        let names: BTreeSet<String> = FIELDS.iter().map(|it| name(it).to_ascii_lowercase()).collect();
        assert_eq!(names.len(), FIELDS.len());
        assert!(names.iter().all(|it| it.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')));
        assert!(SELECTIVE.iter().all(|it| FIELDS.contains(it)));
        assert_eq!(fields(VERSION), FIELDS);
        assert_eq!(fields(1).last(), Some(&"tls.client.server_name"));
    }

    #[test]
    fn who_is_behind_an_event_is_told_by_columns() {
        for column in identity::Column::ALL.iter().map(|it| it.path()) {
            // No record says when it was ingested.
            assert!(FIELDS.contains(&column) || column == "event.ingested", "{column}");
        }
    }
}
