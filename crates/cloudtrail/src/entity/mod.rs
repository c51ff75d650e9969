//! Entity fields: who acted, on what, and everything a call names.
//!
//! Three collections are made of a record: the actor, the targets, and all that is related. [`services`] says
//! where each service's calls name things, [`kind`] sorts what was found into users, hosts, services and others.

mod ec2;
mod kind;
mod services;

use std::borrow::Cow;

use ecs::Scalar;

use crate::distinct::Distinct;
use crate::facts::Facts;
use crate::render::write_scalar;
use crate::tree::{At, Kind};

use kind::EntityKind;

/// The entity fields of one record. All lists are sorted and without repeats.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entities<'a> {
    pub(crate) actor: Option<&'a str>,
    /// The field that says what the actor is, and its value.
    pub(crate) actor_kind: Option<(EntityKind, &'a str)>,
    pub(crate) targets: Vec<Cow<'a, str>>,
    pub(crate) users: Vec<Cow<'a, str>>,
    pub(crate) hosts: Vec<Cow<'a, str>>,
    pub(crate) host_ids: Vec<Cow<'a, str>>,
    pub(crate) services: Vec<Cow<'a, str>>,
    pub(crate) others: Vec<Cow<'a, str>>,
    pub(crate) related: Vec<Cow<'a, str>>,
}

pub(crate) use kind::EntityKind as ActorKind;
pub(crate) use services::calls;

/// Why no entity fields were made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of {path} is not a text")]
pub(crate) struct EntityError {
    path: String,
}

/// Looks things up in a record. `rq.` and `rs.` stand for the request's parameters and the response's elements;
/// a key that ends in `[]` stands for all elements of its list; a path that begins with `#` names a number.
struct Finder<'f, 'a> {
    facts: &'f Facts<'a>,
}

impl<'a> Finder<'_, 'a> {
    /// The places that a path leads to.
    fn places(&self, path: &str) -> Vec<At> {
        let mut places = Vec::new();
        self.each_place(path, &mut |at| places.push(at));
        places
    }

    /// Calls `found` with each place that a path leads to. Most paths lead nowhere, and end at their first key.
    fn each_place(&self, path: &str, found: &mut dyn FnMut(At)) {
        let top = &self.facts.top;
        let path = path.strip_prefix('#').unwrap_or(path);
        if let Some(rest) = path.strip_prefix("rq.") {
            self.walk(top.request_parameters(), rest, found);
        } else if let Some(rest) = path.strip_prefix("rs.") {
            self.walk(top.response_elements(), rest, found);
        } else {
            self.walk(At::ROOT, path, found);
        }
    }

    fn walk(&self, object: At, path: &str, found: &mut dyn FnMut(At)) {
        let (step, rest) = match path.bytes().position(|byte| byte == b'.') {
            Some(dot) => (&path[..dot], Some(&path[dot + 1..])),
            None => (path, None),
        };
        let (key, is_list) = step.strip_suffix("[]").map_or((step, false), |key| (key, true));
        let at = self.facts.tree.get(object, key);
        let mut next = |at| match rest {
            Some(rest) => self.walk(at, rest, found),
            None => found(at),
        };
        if is_list {
            self.facts.tree.elements(at).for_each(next);
        } else if at.is_some() {
            next(at);
        }
    }

    /// Adds the texts that a path leads to.
    fn add_path(&self, path: &str, set: &mut Distinct<'a>) -> Result<(), EntityError> {
        let mut result = Ok(());
        let mut add = |at, path| {
            if result.is_ok() {
                result = self.text(at, path).map(|text| _ = set.insert(text));
            }
        };
        match path {
            "account" => {
                return self.add_at(self.facts.top.recipient_account_id(), "recipientAccountId", set);
            }
            "resources" => self.each_place("resources[].ARN", &mut |at| add(at, "resources[].ARN")),
            path => self.each_place(path, &mut |at| add(at, path)),
        }
        result
    }

    fn text(&self, at: At, path: &str) -> Result<Cow<'a, str>, EntityError> {
        match self.facts.tree.kind(at) {
            Kind::Scalar(Scalar::Str(text)) => Ok(text.into()),
            Kind::Scalar(value) if path.starts_with('#') => {
                let mut out = String::new();
                write_scalar(value, &mut out);
                Ok(out.into())
            }
            _ => Err(EntityError { path: path.trim_start_matches('#').to_owned() }),
        }
    }

    /// Adds the texts of all paths.
    fn add_all(&self, paths: &[&str], set: &mut Distinct<'a>) -> Result<(), EntityError> {
        paths.iter().try_for_each(|path| self.add_path(path, set))
    }

    /// Adds the text at a place, which some path leads to.
    fn add_at(&self, at: At, path: &str, set: &mut Distinct<'a>) -> Result<(), EntityError> {
        if at.is_some() {
            set.insert(self.text(at, path)?);
        }
        Ok(())
    }

    /// Adds the values of some keys of one object, up to the first that is missing or was there already: so the
    /// package does it, and a document must not say more.
    fn add_group(&self, object: At, keys: &[&str], set: &mut Distinct<'a>) -> Result<(), EntityError> {
        for path in keys {
            let at = path.split('.').fold(object, |at, key| self.facts.tree.get(at, key));
            if at.is_none() || !set.insert(self.text(at, path)?) {
                break;
            }
        }
        Ok(())
    }
}

impl<'a> Entities<'a> {
    /// Makes the entity fields.
    pub(crate) fn of(facts: &Facts<'a>) -> Result<Self, EntityError> {
        let finder = Finder { facts };
        let source = facts.text(facts.top.event_source()).and_then(|it| it.strip_suffix(".amazonaws.com"));
        let event = facts.event_name().unwrap_or_default();
        let (mut related, mut targets) = (Distinct::default(), Distinct::default());

        let actor = finder.actor(source, event)?;
        let (identity, issuer) = (facts.identity(), facts.issuer());
        for (at, path) in [
            (identity.access_key_id(), "userIdentity.accessKeyId"),
            (identity.arn(), "userIdentity.arn"),
            (identity.user_name(), "userIdentity.userName"),
            (issuer.arn(), "userIdentity.sessionContext.sessionIssuer.arn"),
            (issuer.user_name(), "userIdentity.sessionContext.sessionIssuer.userName"),
        ] {
            finder.add_at(at, path, &mut related)?;
        }
        if facts.identity_kind() == Some("IdentityCenterUser") {
            finder.add_all(&["userIdentity.onBehalfOf.identityStoreArn"], &mut related)?;
        }
        finder.add_all(&["resources"], &mut related)?;
        if let Some(source) = source {
            services::find(&finder, source, event, &mut related, &mut targets)?;
        }

        for target in targets.as_slice() {
            related.insert(target.clone());
        }
        let mut entities = Self {
            actor,
            actor_kind: finder.actor_kind(actor),
            related: related.sorted(),
            ..Self::default()
        };
        for target in targets.sorted() {
            match kind::of_target(&target) {
                EntityKind::User => entities.users.push(target.clone()),
                EntityKind::Host => entities.hosts.push(target.clone()),
                EntityKind::Service => entities.services.push(target.clone()),
                EntityKind::Other => entities.others.push(target.clone()),
            }
            entities.targets.push(target);
        }
        let mut host_ids = Distinct::default();
        for host in &entities.hosts {
            if let Some(id) = kind::instance_id(host) {
                host_ids.insert(id.to_owned());
            }
        }
        entities.host_ids = host_ids.sorted();
        Ok(entities)
    }
}

impl<'a> Finder<'_, 'a> {
    fn actor(&self, source: Option<&str>, event: &str) -> Result<Option<&'a str>, EntityError> {
        let facts = self.facts;
        let (at, path) = match (source, event) {
            (Some("sts"), "AssumeRole") => match facts.identity_kind() {
                Some("AWSService") => (facts.identity().invoked_by(), "userIdentity.invokedBy"),
                Some("AssumedRole") => {
                    (facts.issuer().arn(), "userIdentity.sessionContext.sessionIssuer.arn")
                }
                _ => (facts.identity().arn(), "userIdentity.arn"),
            },
            (Some("sts"), "GetCallerIdentity") => (facts.identity().arn(), "userIdentity.arn"),
            _ if facts.identity().arn().is_some() => (facts.identity().arn(), "userIdentity.arn"),
            _ => (facts.on_behalf_of_user_id(), "userIdentity.onBehalfOf.userId"),
        };
        if at.is_none() {
            return Ok(None);
        }
        facts.text(at).map(Some).ok_or_else(|| EntityError { path: path.to_owned() })
    }

    fn actor_kind(&self, actor: Option<&'a str>) -> Option<(EntityKind, &'a str)> {
        let actor = actor?;
        let identity = self.facts.identity_kind().unwrap_or_default();
        let kind = kind::of_actor(identity, actor);
        let role = self.facts.text(self.facts.issuer().arn()).filter(|_| identity == "AssumedRole");
        let value = if kind == EntityKind::User { role.unwrap_or(actor) } else { actor };
        Some((kind, value))
    }
}
