//! The values of a case, from the events that an alert is about.

use std::sync::{Arc, LazyLock};

use ecs::{Millis, Object, Shape, Wanted};
use serde_json::Value;

use crate::class::{is_instance_id, is_resource_id};
use crate::event::{Event, Field, Pool, tool};
use crate::fill::Values;
use crate::look::HOUR;
use crate::request;

/// What is to be investigated.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The id of the alert, or of the event.
    pub id: String,
    /// The alert's document; or the event's, if there is no alert.
    pub document: Object,
    /// The events that it is about, with their ids: none if it counts events.
    pub anchors: Vec<(String, Object)>,
    /// The rule that raised it.
    pub rule: Option<Arc<rule::Rule>>,
}

impl Subject {
    /// An alert that was kept, with its building blocks, if it has any.
    pub fn kept(document: Object, blocks: Vec<Object>, rule: Option<Arc<rule::Rule>>) -> Self {
        let id = ecs::alert::id(&document).unwrap_or_default().to_owned();
        let mut anchors: Vec<(String, Object)> =
            blocks.into_iter().map(|it| (ancestor(&it).to_owned(), it)).collect();
        if anchors.is_empty() && ecs::alert::field(&document, "threshold_result").is_none() {
            anchors.push((ancestor(&document).to_owned(), document.clone()));
        }
        Self { id, document, anchors, rule }
    }
}

/// The `_id` of the event that a document is made of.
fn ancestor(document: &Object) -> &str {
    let ancestors = ecs::document::list(ecs::document::lookup(document, "kibana.alert.ancestors"));
    let is_event = |it: &&Value| it.get("depth").and_then(Value::as_i64) == Some(0);
    let first = ancestors.iter().find(is_event).or(ancestors.first());
    first.and_then(|it| it.get("id")).and_then(Value::as_str).unwrap_or_default()
}

/// The case of a subject.
#[derive(Clone, Debug)]
pub struct Case {
    /// What placeholders stand for.
    pub values: Values,
    /// The events that it is about.
    pub anchors: Vec<Event>,
    /// The time of the first of them, and of the last.
    pub first: Millis,
    /// The time of the last of them.
    pub last: Millis,
    /// When it was noticed: the time of the alert, if that is within a day of the last event; else of this event.
    pub noticed: Millis,
    /// When the session began, or what is taken for one; else when the first event happened.
    pub session_start: Millis,
    /// Whether the values were read off the alert because it has no events.
    pub is_bare: bool,
    /// The keys of its session. Each event is asked for its own.
    own_keys: Vec<String>,
}

/// How the ids of long-term keys begin.
const LONG_TERM: &str = "AKIA";
/// A pause that ends what is taken for a session of a long-term key,
const PAUSE: Millis = HOUR;
/// which is never longer than any session.
const RUN_MAX: Millis = 36 * HOUR;

/// The events that a subject is about, the earliest first; if it counts events, it stands for them itself.
pub(crate) fn anchors(subject: &Subject, now: Millis) -> Vec<Event> {
    let mut anchors: Vec<Event> = if subject.anchors.is_empty() {
        vec![event(&subject.id, &subject.document, now)]
    } else {
        subject.anchors.iter().map(|(id, it)| event(id, it, now)).collect()
    };
    anchors.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    anchors
}

/// Values that are read off the events as they are, with their paths.
const READ: [(&str, &str); 18] = [
    ("account", "cloud.account.id"),
    ("region", "cloud.region"),
    ("recipient", "aws.cloudtrail.recipient_account_id"),
    ("session_key", "aws.cloudtrail.user_identity.access_key_id"),
    ("session_start", "aws.cloudtrail.user_identity.session_context.creation_date"),
    ("mfa", "aws.cloudtrail.user_identity.session_context.mfa_authenticated"),
    ("source_identity", "aws.cloudtrail.user_identity.session_context.source_identity"),
    ("delivery", "aws.cloudtrail.user_identity.session_context.ec2_role_delivery"),
    ("role_arn", "aws.cloudtrail.user_identity.session_context.session_issuer.arn"),
    ("role_account", "aws.cloudtrail.user_identity.session_context.session_issuer.account_id"),
    ("src", "source.address"),
    ("src_ip", "source.ip"),
    ("ua", "user_agent.original"),
    ("scope_resource", "aws.cloudtrail.user_identity.in_scope_of.credentials_issued_to"),
    ("scope_resource", "aws.cloudtrail.user_identity.in_scope_of.source_arn"),
    ("vpc_endpoint", "aws.cloudtrail.vpc_endpoint_id"),
    ("instances", Field::AskedInstance.path()),
    ("instances", "host.target.id"),
];

/// The paths of [`READ`], by their places.
static WANTED: LazyLock<Wanted> =
    LazyLock::new(|| Wanted::new((0..).zip(READ).map(|(at, (_, path))| (at, path, Shape::Leaf))));

impl Case {
    /// The case of a subject. `now` is the time of an alert that has none.
    pub fn of(subject: &Subject, now: Millis) -> Self {
        let is_bare = subject.anchors.is_empty();
        let anchors = anchors(subject, now);
        let documents: Vec<&Object> = if is_bare {
            vec![&subject.document]
        } else {
            subject.anchors.iter().map(|(_, it)| it).collect()
        };
        let first = anchors.first().map_or(now, |it| it.time);
        let last = anchors.last().map_or(now, |it| it.time);
        // What an alert counts began before the last of it.
        let counted_from = ecs::document::lookup(&subject.document, "kibana.alert.threshold_result.from");
        let counted_from = counted_from.and_then(Value::as_str).and_then(|it| ecs::date::parse(it).ok());
        let first = counted_from.filter(|it| is_bare && *it <= first).unwrap_or(first);
        let written = ecs::document::timestamp(&subject.document).unwrap_or(last);
        let noticed = if (last..=last + 24 * 3_600_000).contains(&written) { written } else { last };
        let mut values = Values::default();
        // Every field of the alert's document and of its first event is a placeholder, too.
        for document in std::iter::once(&subject.document).chain(documents.iter().take(1).copied()) {
            let mut path = String::new();
            fields(document, &mut path, 0, &mut |path, text| values.add(path, [text]));
        }
        let mut read: [Vec<String>; READ.len()] = std::array::from_fn(|_| Vec::new());
        for &document in &documents {
            WANTED.walk(document, &mut |at, it| read[at as usize].push(it.text().into_owned()));
        }
        for ((name, _), found) in READ.iter().zip(read) {
            values.add(&format!("case.{name}"), found);
        }
        // An alert that counts has the field that it counted by, which may be either.
        if values.get("case.src").is_empty() {
            let addresses = values.get("case.src_ip").to_vec();
            values.add("case.src", addresses);
        }
        let arns: Vec<String> = anchors.iter().map(|it| it.get(Field::Arn).to_owned()).collect();
        if values.get("case.role_arn").is_empty() {
            values.add("case.user_arn", arns);
        } else {
            values.add("case.session_name", arns.iter().map(|it| it.rsplit('/').next().unwrap_or_default()));
            values.add("case.session_arn", arns.clone());
        }
        // An IAM user's own session context names the user.
        if anchors.iter().all(|it| it.get(Field::CallerType) != "AssumedRole")
            && values.first("case.role_arn").is_some_and(|it| !it.contains(":role/"))
        {
            values = values.without(&[
                "case.role_arn",
                "case.role_account",
                "case.session_name",
                "case.session_arn",
            ]);
            values.add("case.user_arn", anchors.iter().map(|it| it.get(Field::Arn)));
        }
        let roles: Vec<String> = values.get("case.role_arn").to_vec();
        values.add("case.role_name", roles.iter().map(|it| it.rsplit('/').next().unwrap_or_default()));
        let home: Vec<String> =
            values.get("case.session_name").iter().filter(|it| is_instance_id(it)).cloned().collect();
        values.add("case.home_instance", home.clone());
        let instances: Vec<String> = values.get("case.instances").iter().cloned().chain(home).collect();
        values.add("case.instance", instances);
        values.add("case.tool", anchors.iter().map(|it| tool(it.get(Field::Agent))));
        let is_user = anchors.iter().all(|it| it.get(Field::CallerType) == "IAMUser");
        if is_user {
            let users: Vec<String> = values.get("case.user_arn").to_vec();
            values.add("case.user_name", users.iter().map(|it| it.rsplit('/').next().unwrap_or_default()));
        }
        let people: Vec<String> = match values.get("case.session_name") {
            [] => values.get("user.name").to_vec(),
            names => names.to_vec(),
        };
        values.add("case.person", people);
        // What the calls made, and what they are about beside who made them.
        let answered = || anchors.iter().filter(|it| !it.is_refused());
        let made = |actions: &'static [&'static str], key: &'static str| {
            answered()
                .filter(|it| actions.contains(&it.get(Field::Action)))
                .filter_map(|it| request::value_in(&it.text_at(Field::Request as usize), key))
                .collect::<Vec<String>>()
        };
        let (users, roles) = (
            made(&["CreateUser", "CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile"], "userName"),
            made(&["CreateRole", "UpdateAssumeRolePolicy"], "roleName"),
        );
        // What somebody did who was there before is no use of what was made.
        values.add("case.new_user", made(&["CreateUser"], "userName"));
        values.add("case.new_login", made(&["CreateLoginProfile", "UpdateLoginProfile"], "userName"));
        values.add("case.first_call", [ecs::date::to_iso(first)]);
        values.add("case.noticed", [ecs::date::to_iso(noticed)]);
        values.add("case.made_user", users);
        values.add("case.made_role", roles);
        values
            .add("case.made_key", answered().flat_map(|it| it.all(Field::MadeKey)).map(ToString::to_string));
        let own: Vec<&str> = anchors.iter().flat_map(own_names).collect();
        let objects = anchors.iter().flat_map(|it| it.all(Field::Entities)).map(ToString::to_string);
        values.add("case.objects", objects.filter(|it| !own.contains(&it.as_str())).take(OBJECTS_MAX));
        let same_account = values.get("case.recipient") == values.get("case.account");
        if same_account {
            values = values.without(&["case.recipient"]);
        }
        values.add("case.id", [short_id(&subject.id)]);
        let start = values.first("case.session_start").and_then(|it| ecs::date::parse(it).ok());
        let session_start = start.filter(|it| *it <= first).unwrap_or(first);
        let own_keys = values.get("case.session_key").to_vec();
        Self { values, anchors, first, last, noticed, session_start, is_bare, own_keys }
    }

    /// The value of that name, if there is one.
    pub fn get(&self, name: &str) -> &str {
        self.values.first(&format!("case.{name}")).unwrap_or_default()
    }

    /// The values of that name.
    pub fn all(&self, name: &str) -> &[String] {
        self.values.get(&format!("case.{name}"))
    }

    /// Whether an event is of the session that the alert is about.
    pub fn is_own(&self, event: &Event) -> bool {
        let key = event.get(Field::Key);
        if key.is_empty() {
            let is_same = |it: &Event| {
                let created = it.get(Field::Created);
                it.get(Field::Key).is_empty()
                    && !created.is_empty()
                    && (created, it.get(Field::Arn)) == (event.get(Field::Created), event.get(Field::Arn))
            };
            return self.anchors.iter().any(|it| it.id == event.id || is_same(it));
        }
        let is_key = self.own_keys.iter().any(|it| it == key);
        is_key && (!key.starts_with(LONG_TERM) || event.time >= self.session_start)
    }

    /// A long-term key has no sessions: what is done with it from one address without a pause is taken for one. `events` are
    /// those of the key, by time.
    pub(crate) fn find_start(&mut self, events: &[Arc<Event>]) {
        let Some(anchor) = self.anchors.first() else { return };
        let (key, address) = (anchor.get(Field::Key), anchor.get(Field::Address));
        if !key.starts_with(LONG_TERM) || !self.get("session_start").is_empty() {
            return;
        }
        let mut start = self.first;
        let is_its = |it: &&Arc<Event>| {
            it.time <= self.first && it.get(Field::Key) == key && it.get(Field::Address) == address
        };
        for it in events.iter().rev().filter(is_its) {
            if start - it.time > PAUSE || self.first - it.time > RUN_MAX {
                break;
            }
            start = it.time;
        }
        self.session_start = start;
    }

    /// The call that the alert is about.
    pub fn anchor(&self) -> Option<&Event> {
        self.anchors.first()
    }
}

/// Of the objects of a call so many are asked for.
const OBJECTS_MAX: usize = 20;

/// What names the caller of an event, whole or in part.
fn own_names(event: &Event) -> Vec<&str> {
    let mut out = Vec::new();
    for field in [
        Field::Arn,
        Field::Key,
        Field::UserId,
        Field::UserName,
        Field::Issuer,
        Field::Account,
        Field::InvokedBy,
    ] {
        let value = event.get(field);
        out.push(value);
        out.extend(value.rsplit(['/', ':']).next());
        out.extend(value.split(':').next());
    }
    out
}

/// A short name: hexadecimal digits of the id, as many as people type.
fn short_id(id: &str) -> String {
    let hex: String = id.chars().filter(char::is_ascii_hexdigit).take(8).collect();
    if hex.is_empty() { "0".to_owned() } else { hex.to_lowercase() }
}

/// The event of a document, with the columns that all events have.
pub fn event(id: &str, document: &Object, now: Millis) -> Event {
    event_of(Field::ALL, id, document, now)
}

/// The same with the values of some columns only.
pub(crate) fn event_of(fields: &[Field], id: &str, document: &Object, now: Millis) -> Event {
    let original = document.get("kibana.alert.original_time").and_then(ecs::document::date);
    let time = original.or_else(|| ecs::document::timestamp(document)).unwrap_or(now);
    let mut values: Vec<Vec<Arc<str>>> = vec![Vec::new(); Field::ALL.len()];
    let wanted = fields.iter().map(|&it| (it as u32, it.path(), Shape::Leaf));
    Wanted::new(wanted)
        .walk(document, &mut |at, value| values[at as usize].push(value.text().as_ref().into()));
    Pool::default().event(id, time, values)
}

/// How deep fields may lie that are placeholders.
const DEPTH_MAX: usize = 64;

fn fields(object: &Object, path: &mut String, depth: usize, found: &mut dyn FnMut(&str, &str)) {
    use serde_json::Value;
    for (key, value) in object {
        let len = path.len();
        if len > 0 {
            path.push('.');
        }
        path.push_str(key);
        for value in ecs::document::list(Some(value)) {
            match value {
                Value::Object(inner) if depth < DEPTH_MAX => fields(inner, path, depth + 1, found),
                Value::String(text) => found(path, text),
                Value::Bool(_) | Value::Number(_) => found(path, &value.to_string()),
                Value::Object(_) | Value::Array(_) | Value::Null => {}
            }
        }
        path.truncate(len);
    }
}

/// Of the ids of instances that were asked for, those that can be ones.
pub(crate) fn valid_instances(case: &Case) -> Vec<&str> {
    case.all("instances")
        .iter()
        .map(String::as_str)
        .filter(|it| is_resource_id(it) && is_instance_id(it))
        .collect()
}
