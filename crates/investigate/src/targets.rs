//! What calls are about, one by one: as sentences tell it, and as commands of a plan name it.

use std::collections::BTreeSet;

use ecs::Millis;
use rustc_hash::FxHashMap;

use crate::acts::accounts_in;
use crate::event::{Event, Field};
use crate::evidence::Target;
use crate::request::{object, value_in, values_in};

/// Contexts of encryption that name a secret.
const SECRET_CONTEXTS: [&str; 2] = ["SecretARN", "PARAMETER_ARN"];

/// Everything that a call is about, each once: `mallory`; of a call about several parameters all of them.
pub(crate) fn objects_of(event: &Event) -> &[String] {
    event.objects.get_or_init(|| read_objects(event).into())
}

fn read_objects(event: &Event) -> Vec<String> {
    let request = event.text(Field::Request);
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
    let request = event.text(Field::Request);
    SECRET_CONTEXTS.iter().any(|it| request.contains(it))
        || !["{aws:", ", aws:", "\"aws:"].iter().any(|it| request.contains(it))
}

/// What else a command has to name of a call, one by one.
fn details(event: &Event) -> Vec<String> {
    let (request, response) = (event.text(Field::Request), event.text(Field::Response));
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
        let (mut objects, mut details) = (objects_of(event).to_vec(), details(event));
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
    // When each thing was taken away last.
    let mut taken: FxHashMap<Thing, Millis> = FxHashMap::default();
    for by in all.iter().filter(|it| takes_away(it) && !it.is_refused()) {
        for thing in taken_by(by) {
            let latest = taken.entry(thing).or_insert(by.time);
            *latest = by.time.max(*latest);
        }
    }
    if taken.is_empty() {
        return (made.to_vec(), BTreeSet::new());
    }
    let mut gone = BTreeSet::new();
    let stays = |it: &&'e Event| {
        let is_gone = made_by(it).iter().any(|thing| taken.get(thing).is_some_and(|at| *at >= it.time));
        if is_gone {
            gone.extend(objects_of(it).iter().cloned());
        }
        !is_gone
    };
    let left = made.iter().copied().filter(stays).collect();
    (left, gone)
}

fn takes_away(event: &Event) -> bool {
    ["Delete", "Detach", "Remove"].iter().any(|start| event.get(Field::Action).starts_with(start))
}

/// What a call makes or takes away: what kind of thing, and its names.
type Thing = (&'static str, [String; 3]);

/// Whose policy it is, in three kinds of requests.
const HOLDERS: [&str; 3] = ["userName", "roleName", "groupName"];

fn name_in(event: &Event, key: &str) -> Option<String> {
    value_in(&event.text(Field::Request), key)
}

/// A thing of one name, if the request has it.
fn thing(kind: &'static str, event: &Event, key: &str) -> Option<Thing> {
    Some((kind, [name_in(event, key)?, String::new(), String::new()]))
}

/// A policy of each of its holders that the request names.
fn policies(kind: &'static str, event: &Event, key: &str) -> Vec<Thing> {
    let Some(policy) = name_in(event, key) else { return Vec::new() };
    let of = |holder: &&str| Some((kind, [policy.clone(), (*holder).to_owned(), name_in(event, holder)?]));
    HOLDERS.iter().filter_map(of).collect()
}

fn membership(event: &Event) -> Option<Thing> {
    let (user, group) = (name_in(event, "userName")?, name_in(event, "groupName")?);
    Some(("membership", [user, group, String::new()]))
}

/// What a call is about, whatever kind of thing that is.
fn whole(event: &Event) -> Thing {
    ("whole", [objects_of(event).join("\0"), String::new(), String::new()])
}

/// The things that a call takes away.
fn taken_by(by: &Event) -> Vec<Thing> {
    let one = |kind, key| thing(kind, by, key).into_iter().collect();
    match by.get(Field::Action) {
        "DeleteUser" => thing("user", by, "userName").into_iter().chain([whole(by)]).collect(),
        "DeleteRole" => one("role", "roleName"),
        "DeleteGroup" => one("group", "groupName"),
        "DeletePolicy" => one("policy", "policyArn"),
        "DeleteAccessKey" => one("key", "accessKeyId"),
        "DeleteLoginProfile" => one("login", "userName"),
        "DetachUserPolicy" | "DetachRolePolicy" | "DetachGroupPolicy" => {
            policies("attached", by, "policyArn")
        }
        "DeleteUserPolicy" | "DeleteRolePolicy" | "DeleteGroupPolicy" => policies("inline", by, "policyName"),
        "RemoveUserFromGroup" => membership(by).into_iter().collect(),
        "DeleteInstanceProfile" => one("profile", "instanceProfileName"),
        action if action.starts_with("DeleteFunction") => one("function", "functionName"),
        _ => Vec::new(),
    }
}

/// The things that a call makes, each as whatever takes it away knows it.
fn made_by(made: &Event) -> Vec<Thing> {
    let action = made.get(Field::Action);
    let named = [
        ("user", "userName"),
        ("role", "roleName"),
        ("group", "groupName"),
        ("policy", "policyArn"),
        ("profile", "instanceProfileName"),
        ("function", "functionName"),
    ];
    let mut things: Vec<Thing> = named.iter().filter_map(|(kind, key)| thing(kind, made, key)).collect();
    things.push(whole(made));
    let keys = made.all(Field::MadeKey).iter();
    things.extend(keys.map(|it| ("key", [it.to_string(), String::new(), String::new()])));
    if action.ends_with("LoginProfile") {
        things.extend(thing("login", made, "userName"));
    }
    if action.starts_with("Attach") {
        things.extend(policies("attached", made, "policyArn"));
    }
    if action.starts_with("Put") {
        things.extend(policies("inline", made, "policyName"));
    }
    if action == "AddUserToGroup" {
        things.extend(membership(made));
    }
    things
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::event::Pool;

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

    const ACTIONS: [&str; 22] = [
        "CreateUser",
        "DeleteUser",
        "CreateRole",
        "DeleteRole",
        "CreateGroup",
        "DeleteGroup",
        "CreatePolicy",
        "DeletePolicy",
        "CreateAccessKey",
        "DeleteAccessKey",
        "CreateLoginProfile",
        "DeleteLoginProfile",
        "AttachUserPolicy",
        "DetachUserPolicy",
        "AttachRolePolicy",
        "DetachRolePolicy",
        "PutUserPolicy",
        "DeleteUserPolicy",
        "AddUserToGroup",
        "RemoveUserFromGroup",
        "CreateFunction20150331",
        "DeleteFunction20150331",
    ];
    const KEYS: [&str; 8] = [
        "userName",
        "roleName",
        "groupName",
        "policyArn",
        "policyName",
        "accessKeyId",
        "functionName",
        "instanceProfileName",
    ];

    /// Which action, which keys with which names, the key that was made, when.
    type Call = (usize, Vec<(usize, u8)>, Option<u8>, i64);

    fn call() -> impl Strategy<Value = Call> {
        let names = prop::collection::vec((0..KEYS.len(), 0..2_u8), 0..4);
        (0..ACTIONS.len(), names, prop::option::of(0..2_u8), 0..20_i64)
    }

    proptest! {
        /// What is gone by the things that calls are about is gone if each call is held against each.
        #[test]
        fn what_is_gone(mut calls in prop::collection::vec(call(), 0..30)) {
            calls.sort_by_key(|it| it.3);
            let event = |(at, (action, names, key, time)): (usize, &Call)| {
                let names: Vec<String> = names.iter().map(|(key, name)| format!("{}=n{name}", KEYS[*key])).collect();
                let column = |field: &Field| -> Option<Arc<str>> {
                    match field {
                        Field::Action => Some(ACTIONS[*action].into()),
                        Field::Request => Some(format!("{{{}}}", names.join(", ")).into()),
                        Field::MadeKey => key.map(|it| format!("n{it}").into()),
                        _ => None,
                    }
                };
                Pool::default().event(&format!("e{at}"), *time, Field::ALL.iter().map(column))
            };
            let events: Vec<Event> = calls.iter().enumerate().map(event).collect();
            let all: Vec<&Event> = events.iter().collect();
            let (left, gone) = without_gone(&all, &all);
            let is_gone = |it: &&Event| {
                all.iter().any(|by| takes_away(by) && by.time >= it.time && takes(by, it))
            };
            let (plainly_gone, plainly_left): (Vec<&Event>, Vec<&Event>) = all.iter().partition(|it| is_gone(it));
            prop_assert_eq!(left, plainly_left);
            let names: BTreeSet<String> = plainly_gone.iter().flat_map(|it| objects_of(it)).cloned().collect();
            prop_assert_eq!(gone, names);
        }
    }
}
