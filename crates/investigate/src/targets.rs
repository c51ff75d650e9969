//! What calls are about, one by one: as sentences tell it, and as commands of a plan name it.

use std::collections::BTreeSet;

use crate::acts::accounts_in;
use crate::event::{Event, Field};
use crate::evidence::Target;
use crate::request::{object, value_in, values_in};

/// Contexts of encryption that name a secret.
const SECRET_CONTEXTS: [&str; 2] = ["SecretARN", "PARAMETER_ARN"];

/// Everything that a call is about, each once: `mallory`; of a call about several parameters all of them.
pub(crate) fn objects_of(event: &Event) -> Vec<String> {
    let request = event.text_at(Field::Request as usize);
    let its: Vec<String> = match event.get(Field::Action) {
        "GetParameters" => values_in(&request, "names"),
        "BatchGetSecretValue" => values_in(&request, "secretIdList"),
        "Decrypt" => SECRET_CONTEXTS.iter().find_map(|key| value_in(&request, key)).into_iter().collect(),
        // Without a name it is one's own.
        "CreateAccessKey" if value_in(&request, "userName").is_none() => {
            vec![event.get(Field::UserName).to_owned()]
        }
        _ => Vec::new(),
    };
    let its: Vec<String> = its.into_iter().filter(|it| !it.is_empty()).collect();
    if its.is_empty() { object(&request).into_iter().collect() } else { its }
}

/// Whether a call reads a secret. What S3 or a disk decrypts on its way is none.
pub(crate) fn is_secret(event: &Event) -> bool {
    if event.get(Field::Action) != "Decrypt" {
        return true;
    }
    let request = event.text_at(Field::Request as usize);
    SECRET_CONTEXTS.iter().any(|it| request.contains(it))
        || !["{aws:", ", aws:", "\"aws:"].iter().any(|it| request.contains(it))
}

/// What else a command has to name of a call, one by one.
fn details(event: &Event) -> Vec<String> {
    let (request, response) =
        (event.text_at(Field::Request as usize), event.text_at(Field::Response as usize));
    let one = |text: &str, key: &str| value_in(text, key).into_iter().collect();
    match event.get(Field::Action) {
        "AttachUserPolicy" | "AttachRolePolicy" | "AttachGroupPolicy" => one(&request, "policyArn"),
        "PutUserPolicy" | "PutRolePolicy" | "PutGroupPolicy" => one(&request, "policyName"),
        "AddUserToGroup" => one(&request, "groupName"),
        "CreateAccessKey" => event.all(Field::MadeKey).iter().map(ToString::to_string).collect(),
        "CreateTrustAnchor" => one(&response, "trustAnchorId"),
        "SendCommand" => one(&response, "commandId"),
        "StartSession" | "ResumeSession" => one(&response, "sessionId"),
        "RunInstances" => event.all(Field::MadeInstance).iter().map(ToString::to_string).collect(),
        "AuthorizeSecurityGroupIngress" => values_in(&response, "securityGroupRuleId"),
        "ModifySnapshotAttribute"
        | "ModifyImageAttribute"
        | "ModifyDBSnapshotAttribute"
        | "ModifyDBClusterSnapshotAttribute" => {
            let own = event.get(Field::Account);
            accounts_in(&request).into_iter().filter(|it| *it != own).map(str::to_owned).collect()
        }
        action if action.contains("Bucket") || action.contains("Object") => one(&request, "bucketName"),
        _ => Vec::new(),
    }
}

/// What calls are about, as commands name it.
pub(crate) fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Vec<Target> {
    let mut out = Vec::new();
    for event in events {
        let (mut objects, mut details) = (objects_of(event), details(event));
        for list in [&mut objects, &mut details] {
            if list.is_empty() {
                list.push(String::new());
            }
        }
        for object in &objects {
            out.extend(details.iter().map(|detail| Target {
                call: event.call(),
                object: object.clone(),
                detail: detail.clone(),
                region: event.get(Field::Region).to_owned(),
                account: event.get(Field::Account).to_owned(),
            }));
        }
    }
    out
}

/// Of what was made, what is there no more: the calls that took it away came later, and were answered. `made` and `all` are
/// in the order of time.
pub(crate) fn without_gone<'e>(made: &[&'e Event], all: &[&'e Event]) -> (Vec<&'e Event>, BTreeSet<String>) {
    let taken: Vec<&Event> = all
        .iter()
        .copied()
        .filter(|it| !it.is_refused())
        .filter(|it| {
            ["Delete", "Detach", "Remove"].iter().any(|start| it.get(Field::Action).starts_with(start))
        })
        .collect();
    let mut gone = BTreeSet::new();
    let stays = |it: &&'e Event| {
        let is_gone = taken.iter().any(|by| by.time >= it.time && takes(by, it));
        if is_gone {
            gone.extend(objects_of(it));
        }
        !is_gone
    };
    let left = made.iter().copied().filter(stays).collect();
    (left, gone)
}

/// Whether a call takes away what another one made.
fn takes(by: &Event, made: &Event) -> bool {
    let request = |it: &Event, key: &str| value_in(&it.text_at(Field::Request as usize), key);
    let same = |key: &str| request(by, key).is_some_and(|it| request(made, key).as_ref() == Some(&it));
    match by.get(Field::Action) {
        "DeleteUser" => same("userName") || objects_of(made) == objects_of(by),
        "DeleteRole" => same("roleName"),
        "DeleteGroup" => same("groupName"),
        "DeletePolicy" => same("policyArn"),
        "DeleteAccessKey" => {
            let key = request(by, "accessKeyId").unwrap_or_default();
            made.all(Field::MadeKey).iter().any(|it| **it == *key)
        }
        "DeleteLoginProfile" => made.get(Field::Action).ends_with("LoginProfile") && same("userName"),
        "DetachUserPolicy" | "DetachRolePolicy" | "DetachGroupPolicy" => {
            made.get(Field::Action).starts_with("Attach")
                && same("policyArn")
                && (same("userName") || same("roleName") || same("groupName"))
        }
        "DeleteUserPolicy" | "DeleteRolePolicy" | "DeleteGroupPolicy" => {
            made.get(Field::Action).starts_with("Put")
                && same("policyName")
                && (same("userName") || same("roleName") || same("groupName"))
        }
        "RemoveUserFromGroup" => {
            made.get(Field::Action) == "AddUserToGroup" && same("userName") && same("groupName")
        }
        "DeleteInstanceProfile" => same("instanceProfileName"),
        action if action.starts_with("DeleteFunction") => same("functionName"),
        _ => false,
    }
}
