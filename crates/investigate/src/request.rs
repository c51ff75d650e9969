//! What a request is about, read off its text as it is rendered: `{userName=mallory, …}` or JSON.

use std::cell::LazyCell;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

/// Keys of requests that name what a call is about, in the order of how well they name it.
const OBJECTS: &[&str] = &[
    "secretId",
    "accessKeyId",
    "userName",
    "roleName",
    "groupName",
    "policyArn",
    "policyName",
    "functionName",
    "name",
    "instanceId",
    "snapshotId",
    "imageId",
    "keyId",
    "bucketName",
    "groupId",
    "dBSnapshotIdentifier",
    "dBClusterSnapshotIdentifier",
    "dBInstanceIdentifier",
    "dBClusterIdentifier",
    "instanceProfileName",
    "trailName",
    "detectorId",
    "volumeId",
    "allocationId",
    "routeTableId",
    "subnetId",
    "vpcId",
    "internetGatewayId",
    "natGatewayId",
    "networkInterfaceId",
    "logGroupName",
    "stackName",
    "clusterName",
    "tableName",
    "queueUrl",
    "topicArn",
    "roleArn",
    "resourceArn",
    "documentName",
    "policyId",
    "configurationRecorderName",
    "serialNumber",
    "path",
];

/// Keys of requests that say what matters besides: what is granted, to whom, what for.
const HIGHLIGHTS: &[&str] = &[
    "policyArn",
    "policyName",
    "groupName",
    "roleArn",
    "roleSessionName",
    "principal",
    "userId",
    "valuesToAdd",
    "valuesToRemove",
    "cidrIp",
    "cidrIpv6",
    "fromPort",
    "toPort",
    "key",
    "prefix",
    "documentName",
    "instanceType",
    "kmsKeyId",
    "publiclyAccessible",
    "status",
    "policy",
];
/// So many are told.
const HIGHLIGHTS_MAX: usize = 3;
/// Longer values are no highlights.
const VALUE_MAX: usize = 80;
/// What lies further back in a request is not looked at: it is written by whoever makes it.
const TEXT_MAX: usize = 64 << 10;

/// What a call is about.
pub fn object(request: &str) -> Option<String> {
    let request = head(request);
    let end = LazyCell::new(|| common_end(request));
    let mut best: Option<(usize, String)> = None;
    for (key, after) in keys(request) {
        let Some(&rank) = OBJECT_RANKS.get(key) else { continue };
        if best.as_ref().is_some_and(|it| it.0 <= rank) {
            continue;
        }
        if let Some(value) = value_behind(request, key, after, &end).and_then(plain) {
            best = Some((rank, value));
        }
    }
    best.map(|it| it.1)
}

/// What else of a request matters: key and value, of those that are no part of its object.
pub fn highlights(request: &str) -> Vec<(&'static str, String)> {
    let request = head(request);
    let end = LazyCell::new(|| common_end(request));
    let first = |rest: &str| plain(rest.strip_prefix('[')?.trim_start_matches([' ', '"']));
    // Of each key its first plain value; else the first of the first list.
    let mut values: [(Option<String>, Option<String>); HIGHLIGHTS.len()] = Default::default();
    for (key, after) in keys(request) {
        let Some(&rank) = HIGHLIGHT_RANKS.get(key) else { continue };
        let (value, listed) = &mut values[rank];
        if value.is_some() {
            continue;
        }
        let Some(rest) = value_behind(request, key, after, &end) else { continue };
        *value = plain(rest);
        if listed.is_none() {
            *listed = first(rest);
        }
    }
    let object = object(request);
    let mut found: Vec<(&'static str, String)> = Vec::new();
    for (&key, (value, listed)) in HIGHLIGHTS.iter().zip(values) {
        let value = value.or(listed);
        let Some(value) = value.filter(|it| it.len() <= VALUE_MAX && object.as_ref() != Some(it)) else {
            continue;
        };
        if found.iter().all(|(_, known)| *known != value) {
            found.push((key, value));
        }
        if found.len() == HIGHLIGHTS_MAX {
            break;
        }
    }
    found
}

/// The keys by how well they name what a call is about, and by their places.
static OBJECT_RANKS: LazyLock<FxHashMap<&str, usize>> = LazyLock::new(|| ranks(OBJECTS));
static HIGHLIGHT_RANKS: LazyLock<FxHashMap<&str, usize>> = LazyLock::new(|| ranks(HIGHLIGHTS));

fn ranks(keys: &[&'static str]) -> FxHashMap<&'static str, usize> {
    keys.iter().zip(0..).map(|(key, rank)| (*key, rank)).collect()
}

fn is_of_key(it: u8) -> bool {
    it.is_ascii_alphanumeric() || it == b'_'
}

/// The words of a request with where they end: whatever may be a key, in one walk, however many keys are looked for.
fn keys(request: &str) -> impl Iterator<Item = (&str, usize)> {
    let bytes = request.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + bytes[at..].iter().position(|it| is_of_key(*it))?;
        at = bytes[start..].iter().position(|it| !is_of_key(*it)).map_or(bytes.len(), |it| start + it);
        Some((&request[start..at], at))
    })
}

/// What stands behind a key that ends at that place, but where the key is that of a filter or a tag.
fn value_behind<'r>(
    request: &'r str,
    key: &str,
    after: usize,
    end: &LazyCell<usize, impl FnOnce() -> usize>,
) -> Option<&'r str> {
    let is_common = matches!(key, "name" | "key");
    let request = if is_common { &request[..**end] } else { request };
    behind(request.get(after..)?)
}

/// Where the common keys `name` and `key` are those of what a call is about no more.
fn common_end(request: &str) -> usize {
    let lists = ["filter", "Filter", "tag", "Tag"];
    lists.iter().filter_map(|it| request.find(it)).min().unwrap_or(request.len())
}

/// The beginning of a request.
fn head(request: &str) -> &str {
    if request.len() <= TEXT_MAX {
        return request;
    }
    match request.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => &request[..at],
        None => request,
    }
}

/// The value of a key in a request as it is rendered.
pub(crate) fn value_in(request: &str, key: &str) -> Option<String> {
    places(request, key).find_map(plain)
}

/// All values of a key: of a list each of its values.
pub(crate) fn values_in(request: &str, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    for rest in places(request, key) {
        match rest.strip_prefix('[') {
            None => found.extend(plain(rest)),
            Some(list) => {
                let list = &list[..list.find(']').unwrap_or(list.len())];
                let one = |it: &str| it.trim().trim_matches('"').to_owned();
                found.extend(list.split(',').map(one).filter(|it| !it.is_empty() && !it.starts_with('{')));
            }
        }
    }
    found
}

/// The value that a text begins with, if it is no object and no list.
fn plain(text: &str) -> Option<String> {
    let end = text.find([',', '}', '"', ']']).unwrap_or(text.len());
    let value = text[..end].trim();
    (!value.is_empty() && !value.starts_with(['{', '['])).then(|| value.to_owned())
}

/// What stands behind a key, wherever the key is one.
fn places<'r>(request: &'r str, key: &'r str) -> impl Iterator<Item = &'r str> {
    request.match_indices(key).filter_map(move |(at, _)| {
        let before = request[..at].chars().next_back();
        if before.is_some_and(|it| it.is_ascii_alphanumeric() || it == '_') {
            return None;
        }
        behind(&request[at + key.len()..])
    })
}

/// The value behind a key, if it is one.
fn behind(rest: &str) -> Option<&str> {
    Some(rest.trim_start_matches(['"', ' ']).strip_prefix(['=', ':'])?.trim_start_matches([' ', '"']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What stands behind a key, but where the key is that of a filter or a tag.
    fn named<'r>(request: &'r str, key: &'r str) -> impl Iterator<Item = &'r str> {
        let is_common = matches!(key, "name" | "key");
        let lists = ["filter", "Filter", "tag", "Tag"];
        let end = lists.iter().filter_map(|it| request.find(it)).min().filter(|_| is_common);
        places(&request[..end.unwrap_or(request.len())], key)
    }

    /// As it is said: each key is looked for.
    fn object_plainly(request: &str) -> Option<String> {
        OBJECTS.iter().find_map(|key| named(request, key).find_map(plain))
    }

    fn highlights_plainly(request: &str) -> Vec<(&'static str, String)> {
        let object = object_plainly(request);
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for &key in HIGHLIGHTS {
            let first = |rest: &str| plain(rest.strip_prefix('[')?.trim_start_matches([' ', '"']));
            let value = named(request, key).find_map(plain).or_else(|| named(request, key).find_map(first));
            let value = value.filter(|it| it.len() <= VALUE_MAX && object.as_ref() != Some(it));
            if let Some(value) = value.filter(|it| found.iter().all(|(_, known)| known != it)) {
                found.push((key, value));
            }
        }
        found.truncate(HIGHLIGHTS_MAX);
        found
    }

    proptest! {
        /// One walk finds what looking for each key finds.
        #[test]
        fn one_walk_finds_the_same(parts in prop::collection::vec(
            prop_oneof![
                3 => prop::sample::select(vec![
                    "name", "key", "userName", "policyArn", "groupName", "status", "filter", "Tag", "instanceId",
                    "otherUserName", "name_", "é",
                ]).prop_map(str::to_owned),
                3 => prop::sample::select(vec!["=", ":", "\"", " ", ", ", "{", "}", "[", "]", "\": \"", "="])
                    .prop_map(str::to_owned),
                1 => "[a-z0-9é_-]{0,3}",
            ],
            0..24,
        )) {
            let request = parts.concat();
            prop_assert_eq!(object(&request), object_plainly(&request), "{}", request);
            prop_assert_eq!(highlights(&request), highlights_plainly(&request), "{}", request);
        }
    }

    #[test]
    fn values_of_requests() {
        for (request, key, value) in [
            ("{userName=mallory, path=/}", "userName", Some("mallory")),
            (r#"{"userName": "mallory"}"#, "userName", Some("mallory")),
            (
                "{groupId=sg-1, ipPermissions={items=[{fromPort=3389, toPort=3389}]}}",
                "fromPort",
                Some("3389"),
            ),
            ("{otherUserName=x}", "UserName", None),
            ("{name={a=1}}", "name", None),
            ("", "name", None),
        ] {
            assert_eq!(value_in(request, key).as_deref(), value, "{request}");
        }
        for (request, key, values) in [
            ("{names=[/a/b, /c], withDecryption=true}", "names", &["/a/b", "/c"][..]),
            (r#"{"names": ["/a/b", "/c"]}"#, "names", &["/a/b", "/c"]),
            ("{items=[{ruleId=sgr-1}, {ruleId=sgr-2}]}", "ruleId", &["sgr-1", "sgr-2"]),
            ("{names=[{a=1}]}", "names", &[]),
        ] {
            assert_eq!(values_in(request, key), values, "{request}");
        }
    }

    #[test]
    fn what_matters_of_requests() {
        let all = |request| highlights(request);
        assert_eq!(object("{userName=mallory, policyArn=arn:p}").as_deref(), Some("mallory"));
        assert_eq!(all("{userName=mallory, policyArn=arn:p}"), [("policyArn", "arn:p".to_owned())]);
        assert_eq!(
            all("{dBSnapshotIdentifier=s, valuesToAdd=[111122223333]}"),
            [("valuesToAdd", "111122223333".to_owned())]
        );
        assert_eq!(
            all("{groupId=sg-1, items=[{fromPort=22, toPort=22, ipRanges={items=[{cidrIp=0.0.0.0/0}]}}]}"),
            [("cidrIp", "0.0.0.0/0".to_owned()), ("fromPort", "22".to_owned())]
        );
        // Filters and tags have names, too.
        assert_eq!(object("{filterSet={items=[{name=state}]}, vpcId=vpc-1}").as_deref(), Some("vpc-1"));
        assert_eq!(all("{tagSet={items=[{key=Name}]}}"), []);
        // What is long is no highlight, and what is enormous is not searched to its end.
        assert_eq!(all(&format!("{{policyArn={}}}", "x".repeat(100))), []);
        assert_eq!(object(&format!("{{a={}, userName=u}}", "é".repeat(1 << 20))), None);
    }
}
