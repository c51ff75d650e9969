//! Names of indices.

/// The index of CloudTrail records: the data stream that Elastic's AWS integration writes.
pub const CLOUDTRAIL_INDEX: &str = "logs-aws.cloudtrail-default";

/// The index of alerts, as Kibana names what lies behind the alias `.alerts-security.alerts-default`.
pub const ALERTS_INDEX: &str = ".internal.alerts-security.alerts-default-000001";
