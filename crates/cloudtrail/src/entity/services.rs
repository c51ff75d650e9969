//! Where the calls of each service name things.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::ec2;
use super::{EntityError, Finder};
use crate::distinct::Distinct;
use crate::tree::At;

/// What one service's calls name.
struct Service {
    /// As in `eventSource`.
    name: &'static str,
    /// Related to every call of the service.
    related: &'static [&'static str],
    /// The targets of some calls. A name that begins with `~` stands for all calls that contain it.
    targets: &'static [(&'static str, &'static [&'static str])],
}

const fn service(
    name: &'static str,
    related: &'static [&'static str],
    targets: &'static [(&'static str, &'static [&'static str])],
) -> Service {
    Service { name, related, targets }
}

#[rustfmt::skip]
const SERVICES: &[Service] = &[
    service("cloudformation", &[], &[
        ("CreateStackSet", &["rs.stackSetId"]),
        ("CreateStack", &["rs.stackId"]),
    ]),
    service("cloudtrail", &[
        "rq.name", "rq.s3BucketName", "rs.cloudWatchLogsLogGroupArn", "rs.cloudWatchLogsRoleArn", "rs.kmsKeyId",
        "rs.snsTopicARN", "rs.trailARN", "rs.name",
    ], &[
        ("DeleteTrail StopLogging", &["rq.name"]),
        ("DescribeTrails", &["account"]),
    ]),
    service("config", &["rq.configurationRecorderName"], &[
        ("StopConfigurationRecorder StartConfigurationRecorder", &["rq.configurationRecorderName"]),
    ]),
    service("ec2-instance-connect", &[], &[
        ("SendSSHPublicKey SendSerialConsoleSSHPublicKey", &["rq.instanceId"]),
    ]),
    service("ec2", &[
        "rq.groupId", "rq.groupName", "rq.roleName", "rq.subnetId", "rq.volumeId", "rq.networkInterfaceId",
        "rq.vpcId", "rq.snapshotId", "rs.groupId", "rs.reservationId", "rs.vpc.vpcId", "rs.vpc.dhcpOptionsId",
        "rs.snapshotId", "rs.volumeId",
    ], &[
        ("AuthorizeSecurityGroupIngress AuthorizeSecurityGroupEgress",
            &["rq.groupId", "rs.securityGroupRuleSet.items[].securityGroupRuleId"]),
        ("CreateTrafficMirrorFilter",
            &["rs.CreateTrafficMirrorFilterResponse.trafficMirrorFilter.trafficMirrorFilterId"]),
        ("CreateTrafficMirrorFilterRule",
            &["rs.CreateTrafficMirrorFilterRuleResponse.trafficMirrorFilterRule.trafficMirrorFilterRuleId"]),
        ("CreateTrafficMirrorSession",
            &["rs.CreateTrafficMirrorSessionResponse.trafficMirrorSession.trafficMirrorSessionId"]),
        ("CreateTrafficMirrorTarget",
            &["rs.CreateTrafficMirrorTargetResponse.trafficMirrorTarget.trafficMirrorTargetId"]),
        ("DeleteFlowLogs", &["rq.DeleteFlowLogsRequest.FlowLogId.content"]),
        ("DeleteNetworkAcl", &["rq.networkAclId"]),
        ("DeleteNetworkAclEntry", &["rq.networkAclId", "#rq.ruleNumber"]),
        ("GetPasswordData", &["rq.instanceId"]),
        ("ModifyImageAttribute", &["rq.imageId"]),
        ("ModifySnapshotAttribute", &["rq.snapshotId"]),
        ("DescribeSecurityGroups DescribeNetworkInterfaces DescribeRegions DescribeVpcs DescribeNetworkAcls \
          DescribeVolumes", &["account"]),
    ]),
    service("elasticfilesystem", &[], &[
        ("DeleteFileSystem", &["rq.fileSystemId"]),
        ("DeleteMountTarget", &["rq.mountTargetId"]),
    ]),
    service("events", &[], &[("DeleteRule", &["rq.name"])]),
    service("guardduty", &["rq.detectorId", "rs.detectorId"], &[
        ("CreateDetector", &["rs.detectorId"]),
        ("DeleteDetector", &["rq.detectorId"]),
    ]),
    service("iam", &[
        "rq.userName", "rq.serialNumber", "rq.accessKeyId", "rq.policyArn", "rq.roleName", "rq.policyName",
        "rs.accessKey.userName", "rs.accessKey.accessKeyId", "rs.user.arn", "rs.user.userId", "rs.user.userName",
        "rs.userId", "rs.role.arn", "rs.serialNumber",
    ], &[
        ("AttachGroupPolicy", &["rq.groupName"]),
        ("AttachRolePolicy ListAttachedRolePolicies UpdateAssumeRolePolicy", &["rq.roleName"]),
        ("AttachUserPolicy", &["rq.policyArn", "rq.userName"]),
        ("CreateAccessKey", &["rs.accessKey.accessKeyId", "rq.userName"]),
        ("CreateUser DeactivateMFADevice", &["rq.userName"]),
        ("DeleteVirtualMFADevice", &["rq.serialNumber"]),
        ("GetPolicy", &["rq.policyArn"]),
        ("CreatePolicy", &["rs.policy.arn"]),
        ("ListRoles ListUsers", &["account"]),
    ]),
    service("kms", &["rq.keyId", "rs.keyId", "rs.keyMetadata.arn", "rs.keyMetadata.keyId"], &[
        ("DisableKey ScheduleKeyDeletion", &["resources"]),
    ]),
    service("lambda", &["rq.functionName", "rs.functionArn", "rs.functionName", "rs.role"], &[
        ("~AddPermission", &["rq.functionName"]),
        ("~ListFunctions", &["account"]),
    ]),
    service("logs", &[], &[
        ("DeleteLogGroup", &["rq.logGroupName"]),
        ("DeleteLogStream", &["rq.logStreamName"]),
    ]),
    service("monitoring", &[], &[("DeleteAlarms", &["rq.alarmNames[]"])]),
    service("rds", &[
        "rq.dBInstanceIdentifier", "rq.dBInstanceArn", "rs.dBInstanceIdentifier", "rs.dbInstanceArn",
        "rs.dBSubnetGroup.vpcId", "rs.dBSubnetGroup.subnets[].subnetIdentifier",
        "rs.vpcSecurityGroups[].vpcSecurityGroupId",
    ], &[
        ("DeleteDBCluster ModifyDBCluster StopDBCluster", &["rs.dBClusterArn"]),
        ("DeleteDBInstance ModifyDBInstance RestoreDBInstanceFromDBSnapshot RestoreDBInstanceFromS3 StopDBInstance",
            &["rs.dBInstanceArn"]),
        ("DeleteGlobalCluster", &["rs.globalClusterArn"]),
        ("ModifyDBClusterSnapshotAttribute", &["rs.dBClusterSnapshotIdentifier"]),
        ("ModifyDBSnapshotAttribute", &["rs.dBSnapshotIdentifier"]),
        ("DescribeDBInstances", &["account"]),
    ]),
    service("rolesanywhere", &[], &[("CreateTrustAnchor", &["rs.trustAnchor.trustAnchorArn"])]),
    service("route53resolver", &[], &[
        ("DeleteResolverQueryLogConfig", &["rs.resolverQueryLogConfig.arn"]),
    ]),
    service("s3", &["rq.bucketName"], &[
        ("CopyObject PutBucketLogging PutBucketVersioning PutObject GetBucketPolicy ListObjects HeadObject GetObject \
          DeleteObject DeleteBucket", &["resources"]),
        ("PutBucketReplication", &["resources", "rq.ReplicationConfiguration.Rule.Destination.Bucket"]),
        ("ListBuckets", &["account"]),
    ]),
    service("secretsmanager", &[], &[
        ("BatchGetSecretValue", &["rq.secretIdList[]"]),
        ("GetSecretValue", &["rq.secretId"]),
    ]),
    service("signin", &[], &[("ConsoleLogin", &["account"])]),
    service("ssm", &[], &[
        ("GetParameter GetParameters CreateControlChannel OpenControlChannel", &["resources"]),
        ("StartSession", &["rq.target"]),
        ("CreateDocument", &["rq.name"]),
        ("TerminateSession OpenDataChannel", &["rq.sessionId"]),
        ("ListInstanceAssociations", &["account"]),
    ]),
    service("sts", &[
        "rq.roleArn", "sourceIdentity", "additionalEventData.MFAIdentifier", "rs.assumedRoleUser.arn",
        "rq.roleSessionName", "rs.accessKeyId",
    ], &[
        ("AssumeRole", &["rq.roleArn"]),
        ("GetCallerIdentity", &["account"]),
    ]),
    service("wafv2", &["rq.id", "rs.summary"], &[("DeleteRuleGroup DeleteWebACL", &["rq.id"])]),
    service("sns", &[], &[
        ("CreateTopic", &["rs.topicArn"]),
        ("Subscribe Publish", &["rq.topicArn"]),
    ]),
    service("bedrock", &[], &[("Converse", &["rq.modelId"])]),
    service("elasticloadbalancing", &[], &[("DescribeLoadBalancers", &["account"])]),
    service("dynamodb", &[], &[("ListTables", &["account"])]),
];

/// The services of the table and the calls of each that it names whole.
pub(crate) fn calls() -> impl Iterator<Item = (&'static str, &'static str)> {
    SERVICES.iter().flat_map(|service| {
        let names = service.targets.iter().flat_map(|(events, _)| events.split_ascii_whitespace());
        names.filter(|event| !event.starts_with('~')).map(|event| (service.name, event))
    })
}

/// The same, by service and by call: the table above is for people to read.
static CALLS: LazyLock<FxHashMap<&str, Calls>> = LazyLock::new(|| {
    let mut services = FxHashMap::default();
    for service in SERVICES {
        let mut calls = Calls { related: service.related, ..Calls::default() };
        for &(events, paths) in service.targets {
            for event in events.split_ascii_whitespace() {
                match event.strip_prefix('~') {
                    Some(part) => calls.containing.push((part, paths)),
                    None => calls.named.entry(event).or_default().push(paths),
                }
            }
        }
        services.insert(service.name, calls);
    }
    services
});

#[derive(Default)]
struct Calls {
    related: &'static [&'static str],
    /// The targets of calls by their whole name.
    named: FxHashMap<&'static str, Vec<&'static [&'static str]>>,
    /// The targets of calls by a part of their name.
    containing: Vec<(&'static str, &'static [&'static str])>,
}

/// Collects what a call of a service names.
pub(super) fn find<'a>(
    finder: &Finder<'_, 'a>,
    source: &str,
    event: &str,
    related: &mut Distinct<'a>,
    targets: &mut Distinct<'a>,
) -> Result<(), EntityError> {
    let Some(calls) = CALLS.get(source) else { return Ok(()) };
    finder.add_all(calls.related, related)?;
    for paths in calls.named.get(event).into_iter().flatten() {
        finder.add_all(paths, targets)?;
    }
    for (part, paths) in &calls.containing {
        if event.contains(part) {
            finder.add_all(paths, targets)?;
        }
    }
    match source {
        "ec2" => ec2::add_items(finder, related)?,
        "lambda" => {
            add_list(finder, &finder.places("rs.vpcConfig.securityGroupIds[]"), related)?;
            add_list(finder, &finder.places("rs.vpcConfig.subnetIds[]"), related)?;
        }
        "ssm" if event == "SendCommand" => {
            let mut instances = finder.places("rq.instanceIds[]");
            if instances.is_empty() {
                instances = finder.places("rq.targets[].values[]");
            }
            if let [only] = instances[..]
                && finder.facts.text(only) == Some("*")
            {
                finder.add_all(&["account"], targets)?;
            } else {
                add_list(finder, &instances, targets)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Adds the elements of a list, up to the first that was there already.
fn add_list<'a>(finder: &Finder<'_, 'a>, list: &[At], set: &mut Distinct<'a>) -> Result<(), EntityError> {
    for &at in list {
        if !set.insert(finder.text(at, "an element of a list")?) {
            break;
        }
    }
    Ok(())
}
