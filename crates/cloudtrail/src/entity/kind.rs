//! What kind of thing an identifier names.

use memchr::memmem;

/// Kinds of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntityKind {
    /// A person, a role, a key.
    User,
    /// An instance.
    Host,
    /// A service, or a resource of one.
    Service,
    /// Anything else.
    Other,
}

const SERVICE_RESOURCES: &str = "stack stack-set trail configuration-recorder file-system mount-target rule detector \
    key function log-group log-stream alarm db cluster global-cluster trust-anchor resolver-query-log-config secret \
    parameter document session webacl rulegroup ipset topic model loadbalancer table group policy security-group \
    network-interface vpc subnet network-acl dhcp-options";

const SERVICE_PREFIXES: &str = "sg- sgr- eni- vpc- subnet- acl- rtb- igw- nat- vpce- tgw- pcx-";

/// The kind of a target.
pub(super) fn of_target(target: &str) -> EntityKind {
    if target.starts_with("arn:") {
        return of_target_arn(target);
    }
    if target.starts_with("AKIA") && target.chars().count() == 20 {
        EntityKind::User
    } else if target.starts_with("i-") {
        EntityKind::Host
    } else if SERVICE_PREFIXES.split(' ').any(|prefix| target.starts_with(prefix)) {
        EntityKind::Service
    } else {
        EntityKind::Other
    }
}

fn of_target_arn(arn: &str) -> EntityKind {
    if is_service_role(arn) {
        return EntityKind::Service;
    }
    match resource_type(arn) {
        Some(
            "user" | "role" | "assumed-role" | "federated-user" | "instance-profile" | "mfa" | "serialNumber",
        ) => {
            return EntityKind::User;
        }
        Some("instance") => return EntityKind::Host,
        Some(resource) if SERVICE_RESOURCES.split_ascii_whitespace().any(|it| it == resource) => {
            return EntityKind::Service;
        }
        _ => {}
    }
    if arn.split(':').nth(2) == Some("s3") { EntityKind::Service } else { EntityKind::Other }
}

/// The kind of an actor.
pub(super) fn of_actor(identity: &str, actor: &str) -> EntityKind {
    if identity == "AWSService" || is_service_role(actor) {
        return EntityKind::Service;
    }
    if matches!(identity, "IAMUser" | "Root" | "AssumedRole") {
        return EntityKind::User;
    }
    match resource_type(actor) {
        Some("user" | "role" | "assumed-role" | "federated-user") => EntityKind::User,
        Some("instance") => EntityKind::Host,
        _ if actor.starts_with("i-") => EntityKind::Host,
        _ => EntityKind::Other,
    }
}

/// The instance id of a host: the bare id, or the last part of an instance's ARN.
pub(super) fn instance_id(host: &str) -> Option<&str> {
    if host.starts_with("i-") {
        return Some(host);
    }
    host.rsplit('/').next().filter(|id| host.starts_with("arn:") && id.starts_with("i-"))
}

fn is_service_role(name: &str) -> bool {
    // Names are short, and preparing the standard library's search takes longer than the search.
    let contains = |part: &[u8]| memmem::find(name.as_bytes(), part).is_some();
    contains(b"/AWSServiceRoleFor") || contains(b"/aws-service-role/")
}

/// The sixth part of an ARN, up to its first slash.
fn resource_type(arn: &str) -> Option<&str> {
    let resource = arn.starts_with("arn:").then(|| arn.split(':').nth(5))??;
    Some(match resource.find('/') {
        Some(0) | None => resource,
        Some(slash) => &resource[..slash],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_sorted_by_what_they_name() {
        for (target, expected) in [
            ("arn:aws:iam::111122223333:role/ops", EntityKind::User),
            (
                "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
                EntityKind::Service,
            ),
            ("arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc", EntityKind::Host),
            ("arn:aws:kms:eu-west-1:111122223333:key/1", EntityKind::Service),
            ("arn:aws:s3:::bucket", EntityKind::Service),
            ("arn:aws:sns:eu-west-1:111122223333:alerts", EntityKind::Other),
            ("arn:aws", EntityKind::Other),
            ("AKIAIOSFODNN7EXAMPLE", EntityKind::User),
            ("AKIASHORT", EntityKind::Other),
            ("i-0abc", EntityKind::Host),
            ("sgr-1", EntityKind::Service),
            ("alice", EntityKind::Other),
        ] {
            assert_eq!(of_target(target), expected, "{target}");
        }
    }

    #[test]
    fn hosts_have_bare_ids() {
        assert_eq!(instance_id("i-0abc"), Some("i-0abc"));
        assert_eq!(instance_id("arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc"), Some("i-0abc"));
        assert_eq!(instance_id("arn:aws:ssm:eu-west-1:111122223333:instance/mi-0abc"), None);
    }
}
