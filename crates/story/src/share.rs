//! To whom a request gives access.

use investigate::{Event, Field, request};

/// What lies further back in a request is not looked at.
const TEXT_MAX: usize = 256 << 10;

/// Whoever gets access.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grantee {
    /// Another account.
    Account(String),
    /// Everyone.
    Everyone,
}

/// To whom a request gives access, each once; nothing if it takes access back, or concerns the account alone.
pub fn shares(event: &Event) -> Vec<Grantee> {
    let text = event.text_at(Field::Request as usize);
    let end = text.char_indices().nth(TEXT_MAX).map_or(text.len(), |(at, _)| at);
    let own = event.get(Field::Account);
    let mut found = accounts(&text[..end], own);
    if is_public(&text[..end]) {
        found.push(Grantee::Everyone);
    }
    if takes_back(&text[..end]) {
        found.clear();
    }
    found
}

/// Whether a request only takes access back.
pub(crate) fn takes_back(request: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|it| request.contains(it));
    has(&["remove={", "\"remove\":", "valuesToRemove", "remove=["])
        && !has(&["add={", "\"add\":", "valuesToAdd", "add=["])
}

/// The other accounts that a text names: twelve digits that are not part of something longer.
fn accounts(text: &str, own: &str) -> Vec<Grantee> {
    let mut found: Vec<Grantee> = Vec::new();
    for part in text.split(|it: char| !it.is_ascii_alphanumeric()) {
        let is_account = part.len() == 12 && part.bytes().all(|it| it.is_ascii_digit());
        let grantee = Grantee::Account(part.to_owned());
        if is_account && part != own && !found.contains(&grantee) {
            found.push(grantee);
        }
    }
    found
}

/// Whether a text lets everyone in.
fn is_public(text: &str) -> bool {
    let plain: String = text.chars().filter(|it| !it.is_whitespace() && !matches!(it, '\\' | '"')).collect();
    let says = |it: &str| plain.contains(it);
    let everyone = [
        "Principal:*",
        "Principal=*",
        "principal:*",
        "principal=*",
        "AWS:*",
        "AWS=*",
        "group:all",
        "group=all",
    ];
    everyone.iter().any(|it| says(it))
        || says("AllUsers")
        || says("AuthenticatedUsers")
        || says("valuesToAdd=[all]")
        || says("valuesToAdd:[all]")
}

/// What a request that shares is about, with whom.
pub(crate) fn told(event: &Event) -> Option<String> {
    let with: Vec<String> = shares(event)
        .into_iter()
        .map(|it| match it {
            Grantee::Account(account) => account,
            Grantee::Everyone => "*".to_owned(),
        })
        .collect();
    let object = request::object(&event.text_at(Field::Request as usize)).unwrap_or_default();
    (!with.is_empty()).then(|| format!("{object} → {}", with.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gets_access() {
        let own = "111122223333";
        let account = |it: &str| Grantee::Account(it.to_owned());
        assert_eq!(
            accounts("{createVolumePermission={add={items=[{userId=444455556666}]}}, a=111122223333}", own),
            [account("444455556666")]
        );
        assert_eq!(
            accounts("{\"AWS\":\"arn:aws:iam::444455556666:root\"} x444455556667 1234567890123", own),
            [account("444455556666")]
        );
        assert!(is_public(r#"{policy={\"Principal\": \"*\"}}"#) && is_public("{add={items=[{group=all}]}}"));
        assert!(!is_public("{Principal={AWS=arn:aws:iam::444455556666:root}, Resource=*}"));
        assert!(takes_back("{launchPermission={remove={items=[]}}}") && takes_back("{valuesToRemove=[all]}"));
        assert!(!takes_back("{launchPermission={add={items=[]}, remove={}}}"));
    }
}
