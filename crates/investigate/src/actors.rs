//! Whoever is behind alerts, with all that they did: the calls of their own and of every session that their credentials
//! issued.
//!
//! They are asked for in the passes of the investigations: who is behind an alert is known after the first of them, and
//! what he did is a question of the second.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ecs::{Millis, Shape};
use identity::{Call, Chain, Confidence, End, Graph, Who, WhoBuf, WhoField};
use plan::{Expr, Predicate, Test};

use crate::event::{Event, Field};
use crate::source::{Answer, Question, nearest};

/// So many actors are followed: those whose alerts matter most.
pub const ACTORS_MAX: usize = 25;
/// Of the calls of one actor so many are told: those nearest to its first alert.
pub const STORY_MAX: usize = 10_000;
/// Of the calls of all actors together so many are told:
pub const STORIES_MAX: usize = 40_000;
/// of each so many, if it made as many; what is left goes to those whose alerts matter most.
pub const STORY_MIN: usize = 1_000;
const _: () = assert!(ACTORS_MAX * STORY_MIN <= STORIES_MAX);

/// How many calls are told of actors who made so many, those first whose alerts matter most.
fn shares(calls: &[usize]) -> Vec<usize> {
    let mut left = STORIES_MAX;
    left -= calls.iter().map(|it| it.min(&STORY_MIN)).sum::<usize>();
    let share = |&calls: &usize| {
        let more = calls.saturating_sub(STORY_MIN).min(left);
        left -= more;
        calls.min(STORY_MIN) + more
    };
    calls.iter().map(share).collect()
}

/// Who an alert is about, and when.
#[derive(Clone, Debug)]
pub struct Suspect {
    /// The identity of its event.
    pub who: WhoBuf,
    /// The time of its event.
    pub time: Millis,
    /// How much it matters: of too many actors those with most are followed.
    pub weight: u64,
}

/// An identity with all that it did.
#[derive(Clone, Debug)]
pub struct Actor {
    /// Its name: see [`Who::name`].
    pub name: String,
    /// What it is: `IAMUser`, `AssumedRole`, …
    pub kind: Option<String>,
    /// Its account.
    pub account: Option<String>,
    /// How sure it is that nobody else is behind it, as far as the calls of the alerts tell.
    pub confidence: Confidence,
    /// Why its chain goes no further.
    pub end: End,
    /// The service that handed out its credentials, and to what: `ec2.amazonaws.com`.
    pub service: Option<String>,
    /// The sessions and keys that it issued, by time.
    pub sessions: Vec<Session>,
    /// Its calls and those of its sessions, by time and id.
    pub events: Vec<Arc<Event>>,
    /// Whether there may be more than are here.
    pub is_cut: bool,
    /// Which of the suspects it is.
    pub suspects: Vec<usize>,
}

/// A session that an actor began, or a key that it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The call that issued it.
    pub call: Call,
    /// When.
    pub time: Millis,
    /// Its ARN, if it has one.
    pub arn: Option<String>,
    /// Its access key.
    pub key: Option<String>,
    /// The user whose key was made.
    pub user: Option<String>,
}

/// All actors behind alerts.
#[derive(Clone, Debug, Default)]
pub struct Cast {
    /// Those that were followed, those with the weightiest alerts first.
    pub actors: Vec<Actor>,
    /// The actor of each suspect; none if it is nobody, or was not followed.
    pub of: Vec<Option<usize>>,
    /// Actors that were not followed, because there are too many.
    pub left_out: usize,
}

/// The one that whatever `who` did is told of: the head of its chain. Of credentials that a service handed out it is the
/// role they are of, because the service hands out others, too.
fn actor_of<'c>(chain: &'c Chain<'_>) -> (Who<'c>, Option<&'c str>) {
    match chain.hops.last() {
        Some(hop) if chain.head.kind == Some("AWSService") => (hop.session, chain.head.service),
        _ => (chain.head, None),
    }
}

/// Of each role who took it; nobody if several did.
fn heads_by_role(graph: &Graph) -> HashMap<&str, Option<Who<'_>>> {
    let mut heads: HashMap<&str, Option<Who<'_>>> = HashMap::new();
    for issue in graph.issues() {
        // What a service hands out is told of the role.
        let Some(role) = issue.role.filter(|_| issue.caller.kind != Some("AWSService")) else { continue };
        let known = heads.entry(role).or_insert(Some(issue.caller));
        if known.is_some_and(|known| known.name() != issue.caller.name()) {
            *known = None;
        }
    }
    heads
}

/// The actors of alerts, and what is asked of them.
pub(crate) struct Casting {
    cast: Cast,
    questions: Vec<Question>,
}

/// What finds all calls of whoever is behind the suspects, one by one, however many they are.
pub fn stories(graph: &Graph, suspects: &[Suspect]) -> Vec<Expr> {
    Casting::of(graph, suspects, usize::MAX).questions.into_iter().map(|it| (*it.filter).clone()).collect()
}

impl Casting {
    /// The actors behind the suspects, those that matter most.
    pub(crate) fn new(graph: &Graph, suspects: &[Suspect]) -> Self {
        Self::of(graph, suspects, ACTORS_MAX)
    }

    fn of(graph: &Graph, suspects: &[Suspect], most: usize) -> Self {
        let mut weights: BTreeMap<String, u64> = BTreeMap::new();
        let mut actors: BTreeMap<String, Actor> = BTreeMap::new();
        let mut names: Vec<Option<String>> = Vec::new();
        let by_role = heads_by_role(graph);
        for (at, it) in suspects.iter().enumerate() {
            let who = it.who.who();
            if who.is_nobody() {
                names.push(None);
                continue;
            }
            let mut chain = graph.chain(who, Millis::MAX);
            // What is counted names a role and no session: whoever alone took the role is meant.
            if let (End::NoIssue, None, Some(Some(taker))) = (chain.end, who.key, by_role.get(&*who.name())) {
                chain = graph.chain(*taker, Millis::MAX);
            }
            let (head, service) = actor_of(&chain);
            let name = head.name().into_owned();
            *weights.entry(name.clone()).or_default() += it.weight;
            let actor = actors.entry(name.clone()).or_insert_with(|| Actor {
                name: name.clone(),
                kind: head.kind.map(str::to_owned),
                account: head.account.map(str::to_owned),
                confidence: chain.confidence,
                end: chain.end,
                service: service.map(str::to_owned),
                sessions: Vec::new(),
                events: Vec::new(),
                is_cut: false,
                suspects: Vec::new(),
            });
            actor.confidence = actor.confidence.min(chain.confidence);
            actor.suspects.push(at);
            names.push(Some(name));
        }
        let mut actors: Vec<Actor> = actors.into_values().collect();
        actors.sort_by(|a, b| weights[&b.name].cmp(&weights[&a.name]).then_with(|| a.name.cmp(&b.name)));
        let left_out = actors.len().saturating_sub(most);
        actors.truncate(most);
        let places: HashMap<String, usize> =
            actors.iter().enumerate().map(|(at, it)| (it.name.clone(), at)).collect();
        for issue in graph.issues() {
            let chain = graph.chain(issue.caller, Millis::MAX);
            let name = actor_of(&chain).0.name();
            let Some(&at) = places.get(&*name) else { continue };
            actors[at].sessions.push(Session {
                call: issue.call,
                time: issue.time,
                arn: issue.session.map(str::to_owned),
                key: issue.key.map(str::to_owned),
                user: issue.user.map(str::to_owned),
            });
        }
        let questions = actors.iter().map(|it| question(it, suspects)).collect();
        let of = names.iter().map(|name| places.get(name.as_ref()?).copied()).collect();
        Self { cast: Cast { actors, of, left_out }, questions }
    }

    /// What must be asked: the calls of each actor.
    pub(crate) fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The actors with the answers. What somebody else did with the same name or key is left out.
    pub(crate) fn finish(mut self, answers: &[Answer], graph: &Graph) -> Cast {
        let mut known: HashMap<String, String> = HashMap::new();
        let empty = Answer::default();
        for (at, actor) in self.cast.actors.iter_mut().enumerate() {
            let answer = answers.get(at).unwrap_or(&empty);
            let is_its_own = |event: &&Arc<Event>| {
                let who = who_of(event);
                let mut packed = String::new();
                who.pack(&mut packed);
                let name = known
                    .entry(packed)
                    .or_insert_with(|| actor_of(&graph.chain(who.who(), Millis::MAX)).0.name().into_owned());
                *name == actor.name
            };
            actor.events = answer.events.iter().filter(is_its_own).map(Arc::clone).collect();
            actor.is_cut = answer.is_cut();
        }
        let calls: Vec<usize> = self.cast.actors.iter().map(|it| it.events.len()).collect();
        for ((actor, question), share) in self.cast.actors.iter_mut().zip(&self.questions).zip(shares(&calls))
        {
            let told = nearest(&actor.events, |it| it.time, question.near, share);
            actor.is_cut |= told.len() < actor.events.len();
            actor.events = actor.events[told].to_vec();
        }
        self.cast
    }
}

/// Who made a call.
fn who_of(event: &Event) -> WhoBuf {
    let mut who = WhoBuf::default();
    for field in WhoField::ALL {
        let value = event.get(match field {
            WhoField::Kind => Field::CallerType,
            WhoField::Arn => Field::Arn,
            WhoField::Key => Field::Key,
            WhoField::Issuer => Field::Issuer,
            WhoField::Created => Field::Created,
            WhoField::Account => Field::Account,
            WhoField::Principal => Field::UserId,
            WhoField::Name => Field::UserName,
            WhoField::Service => Field::InvokedBy,
        });
        if !value.is_empty() {
            who.push(field, ecs::Scalar::Str(value));
        }
    }
    who
}

/// All calls that may be those of an actor: by its names, and by the keys and names of its sessions.
fn question(actor: &Actor, suspects: &[Suspect]) -> Question {
    let is_one_of = |field: Field, values: BTreeSet<&str>| {
        let test = Test::terms(values.into_iter().map(str::to_owned).collect());
        Expr::Is(Predicate { path: field.path().to_owned(), shape: Shape::Leaf, test })
    };
    let named = |field| is_one_of(field, BTreeSet::from([actor.name.as_str()]));
    let filter = if actor.kind.as_deref() == Some("AWSService") {
        Expr::And(vec![named(Field::InvokedBy), is_one_of(Field::CallerType, BTreeSet::from(["AWSService"]))])
    } else {
        let names = [Field::Arn, Field::Issuer, Field::UserId, Field::UserName, Field::InvokedBy];
        let mut any: Vec<Expr> = names.into_iter().map(named).collect();
        // A key that was made for a user is that user's.
        let its = || actor.sessions.iter().filter(|it| it.call != Call::CreateAccessKey);
        let suspects = || actor.suspects.iter().map(|&at| suspects[at].who.who());
        let keys: BTreeSet<&str> =
            its().filter_map(|it| it.key.as_deref()).chain(suspects().filter_map(|it| it.key)).collect();
        let arns: BTreeSet<&str> =
            its().filter_map(|it| it.arn.as_deref()).chain(suspects().filter_map(|it| it.arn)).collect();
        for (field, values) in [(Field::Key, keys), (Field::Arn, arns)] {
            if !values.is_empty() {
                any.push(is_one_of(field, values));
            }
        }
        Expr::Or(any)
    };
    let near = actor.suspects.iter().map(|&at| suspects[at].time).min().unwrap_or_default();
    Question {
        text: format!("actor {}", actor.name).into(),
        filter: filter.into(),
        from: Millis::MIN,
        to: Millis::MAX,
        near,
        limit: STORY_MAX,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Nobody is left without a story, all of them together have their limit, and whoever matters most has the longest.
        #[test]
        fn stories_share_what_there_is_room_for(calls in prop::collection::vec(0..=STORY_MAX, 0..=ACTORS_MAX)) {
            let shares = shares(&calls);
            prop_assert_eq!(shares.len(), calls.len());
            prop_assert!(shares.iter().sum::<usize>() <= STORIES_MAX);
            for (share, calls) in shares.iter().zip(&calls) {
                prop_assert!(share <= calls && *share >= STORY_MIN.min(*calls));
            }
            let cut = shares.iter().zip(&calls).position(|(share, calls)| share < calls);
            if let Some(cut) = cut {
                prop_assert_eq!(shares.iter().sum::<usize>(), STORIES_MAX, "what there is room for is told");
                prop_assert!(shares[cut + 1..].iter().all(|it| *it <= STORY_MIN));
            }
        }
    }
}
