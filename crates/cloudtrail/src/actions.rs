//! `event.category` and `event.type` by the name of the call.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::options::Version;

/// Category and types of a call.
pub(crate) type Categories = (&'static str, &'static [&'static str]);

/// Rows of category, types, calls. A star marks what only the newest version has.
const TABLE: &[(&str, &[&str], &str)] = &[
    (
        "iam",
        &["admin", "change"],
        "SetDefaultPolicyVersion SetSecurityTokenServicePreferences UpdateAccountPasswordPolicy UpdateRole",
    ),
    ("iam", &["admin", "creation"], "CreateKeyPair"),
    ("iam", &["change"], "AttachRolePolicy*"),
    ("iam", &["creation"], "CreatePolicy*"),
    (
        "iam",
        &["group", "change"],
        "AddUserToGroup AttachGroupPolicy DeleteGroupPolicy DetachGroupPolicy PutGroupPolicy RemoveUserFromGroup UpdateGroup",
    ),
    ("iam", &["group", "creation"], "CreateGroup"),
    ("iam", &["group", "deletion"], "DeleteGroup"),
    (
        "iam",
        &["group", "info"],
        "GetGroup GetGroupPolicy ListAttachedGroupPolicies ListGroupPolicies ListGroups",
    ),
    ("iam", &["info"], "GetPolicy* ListAttachedRolePolicies* ListRoles*"),
    (
        "iam",
        &["user", "change"],
        "AttachUserPolicy ChangePassword CreateAccessKey CreateVirtualMFADevice DeactivateMFADevice DeleteAccessKey DeleteSSHPublicKey DeleteUserPermissionsBoundary DeleteUserPolicy DeleteVirtualMFADevice DetachUserPolicy EnableMFADevice PutUserPermissionsBoundary PutUserPolicy TagUser UntagUser UpdateAccessKey UpdateLoginProfile UpdateSSHPublicKey UpdateUser",
    ),
    ("iam", &["user", "creation"], "CreateUser"),
    ("iam", &["user", "deletion"], "DeleteUser"),
    (
        "iam",
        &["user", "info"],
        "GetUser GetUserPolicy ListAttachedUserPolicies ListGroupsForUser ListUserPolicies ListUserTags ListUsers",
    ),
    ("authentication", &["info"], "AssumeRole ConsoleLogin GetCallerIdentity*"),
    ("session", &["end"], "TerminateSession*"),
    (
        "session",
        &["start"],
        "CreateControlChannel* CreateDataChannel* OpenControlChannel* OpenDataChannel* StartSession*",
    ),
    ("process", &["start"], "SendCommand*"),
    ("host", &["info"], "DescribeInstances* DescribeVolumes* ListInstanceAssociations*"),
    ("network", &["access"], "AuthorizeSecurityGroupIngress*"),
    (
        "network",
        &["info"],
        "DescribeLoadBalancers* DescribeNetworkAcls* DescribeNetworkInterfaces* DescribeSecurityGroups* DescribeVpcs*",
    ),
    ("file", &["change"], "PutObject*"),
    ("file", &["creation"], "CreateBucket CreateDocument*"),
    ("file", &["deletion"], "DeleteBucket DeleteObject*"),
    ("file", &["info"], "GetObject* HeadObject* ListBuckets* ListObjects*"),
    ("database", &["info"], "DescribeDBInstances* ListTables*"),
    ("configuration", &["change"], "Subscribe*"),
    ("configuration", &["creation"], "CreateTopic*"),
    ("configuration", &["deletion"], "DeleteTrail*"),
    ("configuration", &["info"], "DescribeTrails*"),
    ("api", &["info"], "Converse* DescribeRegions* Publish*"),
    ("package", &["info"], "ListFunctions*"),
];

/// Each call with its categories and whether only the newest version has it.
static ACTIONS: LazyLock<FxHashMap<&str, (Categories, bool)>> = LazyLock::new(|| {
    let mut actions = FxHashMap::default();
    for &(category, types, calls) in TABLE {
        for call in calls.split(' ') {
            actions.insert(call.trim_end_matches('*'), ((category, types), call.ends_with('*')));
        }
    }
    actions
});

/// The rows of the table: category, types, calls.
pub(crate) fn table()
-> impl Iterator<Item = (&'static str, &'static [&'static str], impl Iterator<Item = &'static str>)> {
    TABLE.iter().map(|&(category, types, calls)| {
        (category, types, calls.split(' ').map(|call| call.trim_end_matches('*')))
    })
}

/// What kind of call it is, if the table has it.
pub(crate) fn categories(action: &str, version: Version) -> Option<Categories> {
    let &(categories, newest_only) = ACTIONS.get(action)?;
    (version == Version::V8_9 || !newest_only).then_some(categories)
}
