//! Names, addresses and numbers of real people and accounts, replaced by ones that mean nothing, the same everywhere.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// What tells who or where, whatever text it stands in. The names of the groups say what it is.
static TELLING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?P<uuid>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})",
        r"|(?P<mail>\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+\b)",
        r"|(?P<key>\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|AIPA|ANPA|ANVA|APKA|ASCA)[A-Z0-9]{12,17}\b)",
        r"|(?P<resource>\b(?:i|vpc|subnet|sg|sgr|eni|vol|snap|ami|rtb|igw|nat|acl|key|lt|fl|eipalloc|r|eice)-[0-9a-f]{8,17}\b)",
        r"|(?P<address>\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b)",
        r"|(?P<account>\b[0-9]{12}\b)",
    ))
    .expect("a fixed pattern")
});

/// The names in the ARN of an identity.
static IDENTITY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"arn:aws[a-z-]*:(?:iam|sts)::[0-9]*:(?P<kind>user|role|assumed-role|group|federated-user|instance-profile)/(?P<rest>[\w+=.@/-]+)")
        .expect("a fixed pattern")
});

/// Shorter names could be words, and are replaced only where they are all of a value or a part of an ARN or a path.
const NAME_MIN: usize = 3;

/// What was replaced by what.
#[derive(Debug, Default)]
pub(crate) struct Pseudonyms {
    known: HashMap<String, String>,
    /// How many there are of each kind.
    counts: BTreeMap<&'static str, usize>,
    /// The names of identities, the longest first.
    names: Vec<(String, String)>,
}

impl Pseudonyms {
    /// Looks for the names of identities in the records.
    pub(crate) fn of(records: &[Value]) -> Self {
        let mut found = Self::default();
        for record in records {
            found.collect(record, "");
        }
        found.names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        found
    }

    fn collect(&mut self, value: &Value, key: &str) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| self.collect(value, key)),
            Value::Array(items) => items.iter().for_each(|it| self.collect(it, key)),
            Value::String(text) => {
                match key {
                    "userName" | "targetUserName" => self.name(text, "user"),
                    "roleName" => self.name(text, "role"),
                    "roleSessionName" => self.name(text, "session"),
                    _ => {}
                }
                for found in IDENTITY.captures_iter(text) {
                    let mut parts = found["rest"].split('/');
                    let (first, last) = match (&found["kind"], parts.next()) {
                        ("assumed-role", Some(role)) => (Some(("role", role)), parts.next()),
                        ("role" | "instance-profile", Some(name)) => {
                            (Some(("role", parts.next_back().unwrap_or(name))), None)
                        }
                        (_, Some(name)) => (Some(("user", parts.next_back().unwrap_or(name))), None),
                        (_, None) => (None, None),
                    };
                    if let Some((kind, name)) = first {
                        self.name(name, kind);
                    }
                    if let Some(session) = last {
                        self.name(session, "session");
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn name(&mut self, name: &str, kind: &'static str) {
        // Roles of AWS itself are called the same everywhere; what is an id or an address is replaced as one.
        let is_own =
            name.starts_with("AWSServiceRole") || name.starts_with("AWSReservedSSO_") || name == "root";
        let is_id = TELLING.find(name).is_some_and(|it| it.len() == name.len());
        if name.is_empty() || is_own || is_id || self.names.iter().any(|(it, _)| it == name) {
            return;
        }
        let number = self.number(kind);
        self.names.push((name.to_owned(), format!("{kind}-{number}")));
    }

    fn number(&mut self, kind: &'static str) -> usize {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        *count
    }

    /// The value with everything replaced; keys stay.
    pub(crate) fn replace(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => fields.values_mut().for_each(|it| self.replace(it)),
            Value::Array(items) => items.iter_mut().for_each(|it| self.replace(it)),
            Value::String(text) => *text = self.text(text),
            // An account id may be written as a number.
            Value::Number(number) if number.to_string().len() == 12 => {
                if let Ok(replaced) = serde_json::from_str(&self.text(&number.to_string())) {
                    *value = replaced;
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        if let Some((_, stand_in)) = self.names.iter().find(|(name, _)| name == text) {
            return stand_in.clone();
        }
        if text.parse::<IpAddr>().is_ok() {
            return self.address(text);
        }
        let telling = &*TELLING;
        let replaced = telling.replace_all(text, |found: &Captures<'_>| self.stand_in(found)).into_owned();
        let mut out = replaced;
        for (name, stand_in) in &self.names {
            if out.contains(name.as_str()) {
                out = replace_words(&out, name, stand_in);
            }
        }
        out
    }

    fn stand_in(&mut self, found: &Captures<'_>) -> String {
        let text = &found[0];
        if found.name("address").is_some() {
            return if text.parse::<Ipv4Addr>().is_ok() { self.address(text) } else { text.to_owned() };
        }
        let make = |this: &mut Self| {
            if found.name("uuid").is_some() {
                format!("00000000-0000-4000-8000-{:012}", this.number("uuid"))
            } else if found.name("mail").is_some() {
                format!("person-{}@example.com", this.number("mail"))
            } else if found.name("key").is_some() {
                format!("{}EXAMPLE{:09}", &text[..4], this.number("key"))
            } else if found.name("account").is_some() {
                // Accounts of documentation: 111122223333, 222233334444, …
                let at = this.number("account");
                let digit = |it: usize| ((at + it - 1) % 9 + 1).to_string().repeat(4);
                let digits = [digit(0), digit(1), digit(2)].concat();
                if at <= 9 { digits } else { format!("{:012}", 100_000_000_000 + at) }
            } else {
                let (prefix, hex) = text.rsplit_once('-').unwrap_or((text, ""));
                format!("{prefix}-{:0width$x}", this.number("resource"), width = hex.len())
            }
        };
        self.remember(text, make)
    }

    fn address(&mut self, text: &str) -> String {
        let make = |this: &mut Self| match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(it)) if it.is_private() || it.is_loopback() || it.is_link_local() => {
                let at = this.number("private");
                format!("10.0.{}.{}", at / 250, at % 250 + 1)
            }
            Ok(IpAddr::V4(it)) if it.is_unspecified() || it.is_broadcast() => text.to_owned(),
            // The networks that documentation uses.
            Ok(IpAddr::V4(_)) => {
                let at = this.number("address");
                let network = ["198.51.100", "203.0.113", "192.0.2"][at / 250 % 3];
                format!("{network}.{}", at % 250 + 1)
            }
            Ok(IpAddr::V6(_)) | Err(_) => format!("2001:db8::{:x}", this.number("address6")),
        };
        self.remember(text, make)
    }

    fn remember(&mut self, text: &str, make: impl FnOnce(&mut Self) -> String) -> String {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let made = make(self);
        self.known.insert(text.to_owned(), made.clone());
        made
    }
}

/// Replaces a name wherever it is not part of a longer word; a short one only between the separators of an ARN.
fn replace_words(text: &str, name: &str, stand_in: &str) -> String {
    let is_short = name.len() < NAME_MIN;
    let is_free = |beside: Option<char>| match beside {
        None => true,
        Some(it) if is_short => matches!(it, '/' | ':' | '"'),
        Some(it) => !it.is_alphanumeric() && it != '_',
    };
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut before) = (text, None);
    while let Some(at) = rest.find(name) {
        let after = &rest[at + name.len()..];
        let left = rest[..at].chars().next_back().or(before);
        let is_all = is_short && left.is_none() && after.is_empty();
        let is_name = !is_all && is_free(left) && is_free(after.chars().next());
        out.push_str(&rest[..at]);
        out.push_str(if is_name { stand_in } else { name });
        before = name.chars().next_back();
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_is_replaced_by_the_same_everywhere() {
        let mut record = json!({
            "userIdentity": {
                "type": "AssumedRole",
                "arn": "arn:aws:sts::999988887777:assumed-role/payroll-admin/jane.doe@corp.test",
                "accountId": "999988887777",
                "principalId": "AROAQWERTYUIOPASDFGH:jane.doe@corp.test",
                "sessionContext": {"sessionIssuer": {"userName": "payroll-admin", "arn": "arn:aws:iam::999988887777:role/hr/payroll-admin"}},
            },
            "sourceIPAddress": "81.2.69.142",
            "requestParameters": {
                "userName": "bob",
                "group": "arn:aws:iam::999988887777:group/x1",
                "prose": "x1 is a group",
                "policyDocument": "{\"Principal\":\"arn:aws:iam::123412341234:user/eve-external\",\"x\":\"999988887777 payroll-admin payroll-administrators\"}",
                "addresses": ["10.1.2.3", "81.2.69.142", "2a02::1", "0.0.0.0/0"],
                "instanceId": "i-0abc12345def67890",
            },
            "eventID": "7b1c3a52-8d2f-4a54-9a0c-5b2f3a0a6c11",
            "note": "bobsled, not bob",
        });
        let mut pseudonyms = Pseudonyms::of(std::slice::from_ref(&record));
        pseudonyms.replace(&mut record);
        insta::assert_snapshot!(serde_json::to_string_pretty(&record).unwrap());
    }
}
