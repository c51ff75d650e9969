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
        let tree = self.facts.tree;
        let path = path.trim_start_matches('#');
        let (mut places, rest) = match path.split_once('.') {
            Some(("rq", rest)) => (vec![self.facts.top.request_parameters()], rest),
            Some(("rs", rest)) => (vec![self.facts.top.response_elements()], rest),
            _ => (vec![At::ROOT], path),
        };
        for step in rest.split('.') {
            let (key, elements) = step.strip_suffix("[]").map_or((step, false), |key| (key, true));
            places = places.into_iter().map(|at| tree.get(at, key)).filter(|at| at.is_some()).collect();
            if elements {
                places = places.into_iter().flat_map(|at| tree.elements(at)).collect();
            }
        }
        places
    }

    /// The texts that a path leads to.
    fn texts(&self, path: &str) -> Result<Vec<Cow<'a, str>>, EntityError> {
        let path = match path {
            "account" => "recipientAccountId",
            "resources" => "resources[].ARN",
            path => path,
        };
        self.places(path).into_iter().map(|at| self.text(at, path)).collect()
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
        for path in paths {
            for text in self.texts(path)? {
                set.insert(text);
            }
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
        let always = [
            "userIdentity.accessKeyId",
            "userIdentity.arn",
            "userIdentity.userName",
            "userIdentity.sessionContext.sessionIssuer.arn",
            "userIdentity.sessionContext.sessionIssuer.userName",
        ];
        finder.add_all(&always, &mut related)?;
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
                Some("AWSService") => (facts.identity.invoked_by(), "userIdentity.invokedBy"),
                Some("AssumedRole") => (facts.issuer.arn(), "userIdentity.sessionContext.sessionIssuer.arn"),
                _ => (facts.identity.arn(), "userIdentity.arn"),
            },
            (Some("sts"), "GetCallerIdentity") => (facts.identity.arn(), "userIdentity.arn"),
            _ if facts.identity.arn().is_some() => (facts.identity.arn(), "userIdentity.arn"),
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
        let role = self.facts.text(self.facts.issuer.arn()).filter(|_| identity == "AssumedRole");
        let value = if kind == EntityKind::User { role.unwrap_or(actor) } else { actor };
        Some((kind, value))
    }
}
