//! The graph finds what a plain search over a list of all calls finds, in whatever order they were given.

use std::cmp::Reverse;

use identity::{Builder, Call, Column, Confidence, End, Graph, Limits, Who, WhoBuf};
use proptest::prelude::*;
use serde_json::{Map, Value};

const SECOND: i64 = 1_000;

/// A caller: a user, a service, an account, or a session of a role.
#[derive(Clone, Debug, PartialEq)]
struct Caller {
    kind: &'static str,
    key: Option<u8>,
    /// Of a session the number of its role and name.
    session: Option<u8>,
    created: i64,
}

#[derive(Clone, Debug, PartialEq)]
struct Issue {
    id: u8,
    time: i64,
    ingested: i64,
    call: Call,
    caller: Caller,
    key: Option<u8>,
    session: Option<u8>,
    shared: Option<u8>,
}

fn role(session: u8) -> String {
    format!("arn:aws:iam::111122223333:role/r{session}")
}

fn arn(session: u8) -> String {
    format!("arn:aws:sts::111122223333:assumed-role/r{session}/s")
}

fn key(key: u8) -> String {
    format!("KEY{key}")
}

impl Caller {
    fn fields(&self) -> Vec<(Column, String)> {
        let mut fields = vec![(Column::Type, self.kind.to_owned())];
        fields.extend(self.key.map(|it| (Column::AccessKeyId, key(it))));
        match (self.kind, self.session) {
            ("AssumedRole", Some(it)) => fields.extend([
                (Column::Arn, arn(it)),
                (Column::IssuerArn, role(it)),
                (Column::CreationDate, ecs::date::to_iso(self.created)),
            ]),
            ("IAMUser", _) => fields.push((Column::Arn, "arn:aws:iam::111122223333:user/u".to_owned())),
            ("AWSService", _) => fields.push((Column::InvokedBy, "ec2.amazonaws.com".to_owned())),
            _ => fields.push((Column::AccountId, "111122223333".to_owned())),
        }
        fields
    }

    fn name(&self) -> String {
        match (self.kind, self.session) {
            ("AssumedRole", Some(it)) => role(it),
            ("IAMUser", _) => "arn:aws:iam::111122223333:user/u".to_owned(),
            ("AWSService", _) => "ec2.amazonaws.com".to_owned(),
            _ => "111122223333".to_owned(),
        }
    }

    fn who(&self) -> WhoBuf {
        let document = object(self.fields());
        WhoBuf::of(&document)
    }

    fn is_session(&self) -> bool {
        self.kind == "AssumedRole"
    }

    fn rank(&self) -> u8 {
        let is_named = matches!(self.kind, "AssumedRole" | "IAMUser" | "AWSService");
        4 * u8::from(self.kind != "AWSAccount") + 2 * u8::from(is_named) + u8::from(self.key.is_some())
    }
}

fn object(fields: Vec<(Column, String)>) -> Map<String, Value> {
    fields.into_iter().map(|(column, value)| (column.path().to_owned(), value.into())).collect()
}

impl Issue {
    fn event(&self) -> String {
        format!("e{:03}", self.id)
    }

    fn document(&self) -> Map<String, Value> {
        let mut fields = self.caller.fields();
        fields.extend([
            (Column::Provider, self.call.provider().to_owned()),
            (Column::Action, self.call.action().to_owned()),
            (Column::Outcome, "success".to_owned()),
            (Column::Ingested, ecs::date::to_iso(self.ingested)),
        ]);
        let made = if self.call == Call::CreateAccessKey { Column::MadeKeyId } else { Column::IssuedKeyId };
        fields.extend(self.key.map(|it| (made, key(it))));
        fields.extend(self.shared.map(|it| (Column::SharedEventId, format!("shared-{it}"))));
        if self.call == Call::AssumeRole {
            fields.extend(self.session.map(|it| (Column::AssumedRoleArn, arn(it))));
        }
        let mut document = object(fields);
        document.insert("@timestamp".to_owned(), ecs::date::to_iso(self.time).into());
        document
    }
}

/// The plain search.
struct Naive(Vec<Issue>);

#[derive(Debug, PartialEq)]
enum Parent {
    None,
    Exact(usize),
    Inferred(usize),
    Several(Vec<usize>),
}

impl Naive {
    fn new(mut all: Vec<Issue>) -> Self {
        all.retain(|it| it.key.is_some() || it.shared.is_some() || it.session.is_some());
        all.sort_by_key(|it| (it.time, it.id, it.ingested));
        all.dedup_by_key(|it| it.id);
        let filled: Vec<Issue> = all
            .iter()
            .map(|it| {
                let partners = all.iter().filter(|other| other.shared == it.shared && other.key.is_some());
                let partner = partners.min_by_key(|other| other.ingested);
                match partner.filter(|_| it.key.is_none() && it.shared.is_some()) {
                    None => it.clone(),
                    Some(partner) => Issue {
                        key: partner.key,
                        session: it.session.or(partner.session),
                        ingested: it.ingested.max(partner.ingested),
                        ..it.clone()
                    },
                }
            })
            .collect();
        Self(filled)
    }

    fn issuing(&self, key: u8, as_of: i64) -> Option<usize> {
        let those = self.0.iter().enumerate().filter(|(_, it)| it.key == Some(key) && it.ingested <= as_of);
        those.min_by_key(|(at, it)| (Reverse(it.caller.rank()), it.ingested, *at)).map(|(at, _)| at)
    }

    fn parent(&self, who: &Caller, path: &[usize], as_of: i64) -> Parent {
        if !who.is_session() {
            return Parent::None;
        }
        if let Some(at) = who.key.and_then(|it| self.issuing(it, as_of)) {
            return Parent::Exact(at);
        }
        let (mut issuing, mut signing) = (Vec::<usize>::new(), Vec::<usize>::new());
        for (at, it) in self.0.iter().enumerate() {
            let began = match it.call {
                Call::AssumeRole | Call::GetSigninToken => it.session,
                _ => None,
            };
            if began.is_none()
                || began != who.session
                || (it.time - who.created).abs() > 2 * SECOND
                || it.ingested > as_of
            {
                continue;
            }
            let best = it.key.map_or(Some(at), |key| self.issuing(key, as_of));
            let found = if it.call == Call::GetSigninToken { &mut signing } else { &mut issuing };
            let Some(best) = best.filter(|&it| {
                self.0[it].session == who.session && !path.contains(&it) && !found.contains(&it)
            }) else {
                continue;
            };
            let caller = &self.0[best].caller;
            let is_itself =
                caller.is_session() && caller.session == who.session && caller.created == who.created;
            if is_itself && it.call == Call::GetSigninToken {
                continue;
            }
            let shared = self.0[best].shared;
            match found.iter().position(|&other| shared.is_some() && self.0[other].shared == shared) {
                None => found.push(best),
                Some(place) if caller.rank() > self.0[found[place]].caller.rank() => found[place] = best,
                Some(_) => {}
            }
        }
        let mut found = if issuing.is_empty() { signing } else { issuing };
        match found.len() {
            0 => Parent::None,
            1 => Parent::Inferred(found.remove(0)),
            _ => Parent::Several(found),
        }
    }

    fn chain(&self, who: &Caller, as_of: i64) -> String {
        let (mut head, mut path, mut keys) = (who.clone(), Vec::new(), Vec::new());
        let mut sure = Confidence::Exact;
        let end = loop {
            keys.extend(head.key);
            let (at, confidence) = match self.parent(&head, &path, as_of) {
                Parent::None if head.is_session() => break End::NoIssue,
                Parent::None => break End::Head,
                Parent::Exact(at) => (at, Confidence::Exact),
                Parent::Inferred(at) => (at, Confidence::Inferred),
                Parent::Several(all) => {
                    let of = |at: usize| {
                        let caller = &self.0[at].caller;
                        (caller.kind, caller.key, caller.name())
                    };
                    if all.iter().any(|&it| of(it) != of(all[0])) {
                        break End::Ambiguous;
                    }
                    (all[0], Confidence::Weak)
                }
            };
            if path.len() == identity::HOPS_MAX {
                break End::Depth;
            }
            path.push(at);
            sure = sure.min(confidence);
            head = self.0[at].caller.clone();
            if head.key.is_some_and(|key| keys.contains(&key)) {
                break End::Loop;
            }
        };
        if end != End::Head {
            sure = Confidence::Weak;
        }
        let ids: Vec<String> = path.iter().map(|&it| self.0[it].event()).collect();
        format!("{ids:?} {} {sure:?} {end:?}", head.name())
    }

    fn reach(&self, first: u8, as_of: i64) -> Vec<String> {
        let mut known = vec![first];
        let mut taken: Vec<usize> = Vec::new();
        let mut said = Vec::new();
        let mut open = vec![(Some(first), None::<usize>)];
        let mut next = 0;
        while next < open.len() {
            let (key, issued) = open[next];
            next += 1;
            for (at, it) in self.0.iter().enumerate() {
                if it.ingested > as_of || taken.contains(&at) {
                    continue;
                }
                let is_by_key = key.is_some() && it.caller.key == key;
                let parent =
                    if it.caller.is_session() { self.parent(&it.caller, &[at], as_of) } else { Parent::None };
                let sure = match (issued, parent) {
                    _ if is_by_key => Confidence::Exact,
                    (Some(issued), Parent::Inferred(parent)) if parent == issued => Confidence::Inferred,
                    (Some(issued), Parent::Several(all)) if all.contains(&issued) => Confidence::Weak,
                    _ => continue,
                };
                if it.key.is_some_and(|key| self.issuing(key, as_of) != Some(at)) {
                    continue;
                }
                if let Some(key) = it.key {
                    if known.contains(&key) {
                        continue;
                    }
                    known.push(key);
                }
                taken.push(at);
                let parent = issued.map(|it| self.0[it].event()).unwrap_or_default();
                said.push(format!("{} {parent} {sure:?}", it.event()));
                open.push((it.key, Some(at)));
            }
        }
        said
    }
}

fn chain(graph: &Graph, who: Who<'_>, as_of: i64) -> String {
    let chain = graph.chain(who, as_of);
    let ids: Vec<&str> = chain.hops.iter().map(|it| it.issue.event).collect();
    format!("{ids:?} {} {:?} {:?}", chain.head.name(), chain.confidence, chain.end)
}

fn reach(graph: &Graph, first: u8, as_of: i64) -> Vec<String> {
    let first = key(first);
    let reach = graph.reach(&[&first], as_of);
    let said = reach.sessions.iter().map(|it| {
        let parent = it.parent.map(|at| reach.sessions[at].issue.event).unwrap_or_default();
        format!("{} {parent} {:?}", it.issue.event, it.confidence)
    });
    said.collect()
}

fn caller() -> impl Strategy<Value = Caller> {
    let kind = prop_oneof![
        5 => Just("AssumedRole"), 2 => Just("IAMUser"), 1 => Just("AWSService"), 1 => Just("AWSAccount"),
    ];
    (kind, prop::option::weighted(0.7, 0..6_u8), 0..2_u8, 0..8_i64).prop_map(
        |(kind, key, session, created)| Caller {
            kind,
            key: key.filter(|_| matches!(kind, "AssumedRole" | "IAMUser")),
            session: (kind == "AssumedRole").then_some(session),
            created: created * SECOND,
        },
    )
}

fn issue() -> impl Strategy<Value = Issue> {
    let call = prop_oneof![
        6 => Just(Call::AssumeRole), 1 => Just(Call::CreateAccessKey), 2 => Just(Call::GetSigninToken),
    ];
    (
        (0..8_i64, 0..8_i64, call, caller()),
        (prop::option::weighted(0.8, 0..6_u8), 0..2_u8, prop::option::weighted(0.2, 0..2_u8)),
    )
        .prop_map(|((time, late, call, caller), (key, session, shared))| Issue {
            id: 0,
            time: time * SECOND,
            ingested: (time + late) * SECOND,
            call,
            key: key.filter(|_| call != Call::GetSigninToken),
            session: match call {
                Call::AssumeRole => Some(session),
                Call::GetSigninToken => caller.session,
                _ => None,
            },
            shared,
            caller,
        })
}

fn numbered(all: Vec<Issue>) -> Vec<Issue> {
    all.into_iter().enumerate().map(|(at, it)| Issue { id: at as u8, ..it }).collect()
}

proptest! {
    #[test]
    fn the_graph_is_a_plain_search(
        all in prop::collection::vec(issue(), 0..12).prop_map(numbered),
        asked in prop::collection::vec(caller(), 1..4),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..24),
        as_of in 0..18_i64,
    ) {
        let as_of = as_of * SECOND;
        let naive = Naive::new(all.clone());
        // In any order, each as often as may be, by two threads; the second delivery is ingested later.
        let mut builders = [Builder::default(), Builder::default()];
        for (turn, index) in order.iter().enumerate().filter(|_| !all.is_empty()) {
            let it = index.get(&all);
            let later = Issue { ingested: it.ingested + 3 * SECOND, ..it.clone() };
            builders[turn % 2].document(&it.event(), &later.document());
        }
        for it in all.iter().rev() {
            builders[usize::from(it.id) % 2].document(&it.event(), &it.document());
        }
        let [mut builder, other] = builders;
        builder.merge(&other);
        let graph = builder.finish();
        prop_assert_eq!(graph.len(), naive.0.len());
        for who in asked.iter().chain(all.iter().map(|it| &it.caller)) {
            let buf = who.who();
            prop_assert_eq!(chain(&graph, buf.who(), as_of), naive.chain(who, as_of), "{:?}", who);
            for piece in graph.history(buf.who()).windows(2) {
                prop_assert!(piece[0].from < piece[1].from && piece[0].root != piece[1].root);
            }
            let history = graph.history(buf.who());
            let known = history.iter().rev().find(|it| it.from <= as_of).map(|it| it.root.clone());
            prop_assert_eq!(known, graph.root(buf.who(), as_of));
            let mut packed = String::new();
            buf.pack(&mut packed);
            prop_assert_eq!(Who::unpack(&packed), buf.who());
        }
        for first in 0..6 {
            prop_assert_eq!(reach(&graph, first, as_of), naive.reach(first, as_of), "of {}", first);
        }
    }

    /// Of too many calls the newest stay, whichever thread took them.
    #[test]
    fn a_limit_leaves_the_newest(all in prop::collection::vec(issue(), 1..40).prop_map(numbered), limit in 1..12_usize) {
        let limits = Limits { issues: limit };
        let mut builders = [Builder::new(limits), Builder::new(limits)];
        for it in &all {
            builders[usize::from(it.id) % 2].document(&it.event(), &it.document());
        }
        let [mut builder, other] = builders;
        builder.merge(&other);
        let graph = builder.finish();
        let mut plain = Naive::new(all).0;
        let left_out = plain.len().saturating_sub(limit);
        plain.drain(..left_out);
        let ids: Vec<&str> = graph.issues().map(|it| it.event).collect();
        prop_assert_eq!(ids, plain.iter().map(Issue::event).collect::<Vec<_>>());
        prop_assert_eq!(graph.complete_from(), (left_out > 0).then(|| plain[0].time));
    }
}

/// A reach ends somewhere, and says so.
#[test]
fn a_reach_has_limits() {
    let by =
        |key: Option<u8>, session| Caller { kind: "AssumedRole", key, session: Some(session), created: 0 };
    let issue = |number: u32, of: &str, caller: &Caller| {
        let it = Issue {
            id: 0,
            time: i64::from(number) * SECOND,
            ingested: 0,
            call: Call::AssumeRole,
            caller: caller.clone(),
            key: None,
            session: Some(0),
            shared: None,
        };
        let mut document = it.document();
        document.insert(Column::IssuedKeyId.path().to_owned(), of.into());
        document
    };
    let mut deep = Builder::default();
    for depth in 0..13_u8 {
        deep.document(&format!("e{depth}"), &issue(u32::from(depth), &key(depth + 1), &by(Some(depth), 0)));
    }
    let graph = deep.finish();
    let reach = graph.reach(&["KEY0"], i64::MAX);
    assert_eq!((reach.sessions.len(), reach.cut.deeper, reach.cut.more), (10, 1, 0));
    let buf = by(Some(13), 0).who();
    let chain = graph.chain(buf.who(), i64::MAX);
    assert_eq!((chain.hops.len(), chain.end, chain.confidence), (10, End::Depth, Confidence::Weak));

    let mut wide = Builder::default();
    for number in 0..1_005_u32 {
        wide.document(&format!("e{number}"), &issue(number, &format!("ASIA{number}"), &by(Some(0), 0)));
    }
    let graph = wide.finish();
    let reach = graph.reach(&["KEY0"], i64::MAX);
    assert_eq!((reach.sessions.len(), reach.cut.deeper, reach.cut.more), (1_000, 0, 5));
}
