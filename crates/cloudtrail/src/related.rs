//! `related.*`: all users, addresses and hosts that a record names.

use std::net::IpAddr;

use memchr::memmem;

use crate::distinct::Distinct;
use crate::facts::Facts;
use crate::options::Version;
use crate::scratch::Scratch;
use crate::tree::{At, Kind};

const OWN_DOMAIN: &str = ".amazonaws.com";
/// `i-` and eight digits: what the ids of instances have at least.
const INSTANCE_ID_LEN_MIN: usize = 10;

impl<'a> Facts<'a> {
    /// `related.user`.
    pub(crate) fn related_users(&self, scratch: &mut Scratch) -> Distinct<'a> {
        let mut users = Distinct::default();
        let places = if self.version() == Version::V8_9 {
            if let Some(session) = self.session_name() {
                users.insert(session);
                users.insert_some(session.split_once('@').map(|(name, _)| name));
            }
            [
                self.request("userName"),
                self.request("newUserName"),
                self.tree.get(self.response("user"), "userId"),
                self.user_id(),
                self.user_name(),
                self.on_behalf_of_user_id(),
            ]
        } else {
            let [none, user] = [At::NONE, self.identity().user_name()];
            [user, self.request("userName"), self.request("newUserName"), none, none, none]
        };
        for at in places {
            users.insert_some(self.rendered(at, scratch));
        }
        users
    }

    /// `related.ip`.
    pub(crate) fn related_ips(&self) -> Distinct<'a> {
        let mut ips = Distinct::default();
        ips.insert_some(self.source_ip().map(|(text, _)| text));
        let other = self.text(self.tree.get(self.top.service_event_details(), "sourceIpAddress"));
        ips.insert_some(other.filter(|text| text.parse::<IpAddr>().is_ok()));
        ips
    }

    /// `related.hosts`.
    pub(crate) fn related_hosts(&self, scratch: &mut Scratch) -> Distinct<'a> {
        let mut hosts = Distinct::default();
        let server = self.rendered(self.tls("clientProvidedHostHeader"), scratch);
        hosts.insert_some(server.filter(|it| !it.ends_with(OWN_DOMAIN)));
        let address = self.text(self.top.source_ip_address()).filter(|it| {
            it.contains('.')
                && !it.contains(' ')
                && !it.ends_with(OWN_DOMAIN)
                && it.parse::<IpAddr>().is_err()
        });
        hosts.insert_some(address);
        hosts.insert_some(self.rendered(self.request("computerName"), scratch));
        for resource in self.resources(scratch).unwrap_or_default() {
            let arn = self.text(self.tree.get(resource, "ARN").or(self.tree.get(resource, "arn")));
            let id = arn
                .filter(|arn| memmem::find(arn.as_bytes(), b":instance/").is_some())
                .and_then(|arn| arn.rsplit('/').next());
            hosts.insert_some(id.filter(|id| is_instance_id(id)));
        }
        for payload in [self.top.request_parameters(), self.top.response_elements()] {
            self.add_instances(payload, &mut hosts);
        }
        hosts
    }

    fn add_instances(&self, payload: At, hosts: &mut Distinct<'a>) {
        let tree = self.tree;
        let mut add = |at| hosts.insert_some(tree.text(at).filter(|id| is_instance_id(id)));
        for key in ["instanceId", "target", "resourceId"] {
            add(tree.get(payload, key));
        }
        tree.elements(tree.get(payload, "instanceIds")).for_each(&mut add);
        for item in tree.elements(tree.get(tree.get(payload, "instancesSet"), "items")) {
            add(tree.get(item, "instanceId"));
        }
    }

    /// A value of `tlsDetails`, unless the whole is a placeholder.
    pub(crate) fn tls(&self, key: &str) -> At {
        let details = self.top.tls_details();
        let placeholder =
            self.is_newest() && self.text(self.tree.get(details, "tlsVersion")) == Some("tlsVersion");
        if placeholder { At::NONE } else { self.tree.get(details, key) }
    }

    /// The resources of the record in the order, and without the repeats, of a Java `HashMap` keyed by what
    /// identifies them. Nothing if they are no list.
    pub(crate) fn resources(&self, scratch: &mut Scratch) -> Option<Vec<At>> {
        let Kind::Array = self.tree.kind(self.top.resources()) else { return None };
        let mut elements = self.tree.elements(self.top.resources());
        if let (Some(only), None) = (elements.next(), elements.next()) {
            return Some(if let Kind::Object = self.tree.kind(only) { vec![only] } else { Vec::new() });
        }
        let mut resources: Vec<(String, At)> = Vec::new();
        let mut index = rustc_hash::FxHashMap::default();
        for resource in self.tree.elements(self.top.resources()) {
            let Kind::Object = self.tree.kind(resource) else { continue };
            let mut key = String::new();
            for (number, names) in
                [["ARN", "arn"], ["accountId", "account_id"], ["type", "type"]].iter().enumerate()
            {
                if number > 0 {
                    key.push('_');
                }
                let at = self.tree.get(resource, names[0]).or(self.tree.get(resource, names[1]));
                key.push_str(&self.rendered(at, scratch).unwrap_or_default());
            }
            let known = *index.entry(key.clone()).or_insert(resources.len());
            match resources.get_mut(known) {
                Some((_, last)) => *last = resource,
                None => resources.push((key, resource)),
            }
        }
        let mask = crate::render::capacity(resources.len()) - 1;
        // A stable sort: within a bucket the first to come stays first.
        resources.sort_by_key(|(key, _)| crate::render::spread_hash(key) & mask);
        Some(resources.into_iter().map(|(_, at)| at).collect())
    }
}

fn is_instance_id(text: &str) -> bool {
    text.starts_with("i-") && text.len() >= INSTANCE_ID_LEN_MIN
}
