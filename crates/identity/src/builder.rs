//! Takes the calls that issue credentials.

use std::borrow::Cow;
use std::cmp::Ordering;

use ecs::{Millis, Object, Shape};
use rustc_hash::FxHashMap;

use crate::call::Call;
use crate::column::Column;
use crate::graph::Graph;
use crate::row::{Caller, Row};
use crate::texts::{TextId, Texts};
use crate::who::{Who, WhoField, session_of_role};

/// The first value of a column.
type First<'v> = dyn Fn(Column) -> Option<Cow<'v, str>> + 'v;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls. Of more the newest are kept: about 300 bytes each.
    pub issues: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { issues: 2_000_000 }
    }
}

/// Takes the calls that issue credentials, in any order, on any thread, and each as often as it was delivered.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    limits: Limits,
    texts: Texts,
    callers: Vec<Caller>,
    numbers: FxHashMap<Caller, u32>,
    rows: Vec<Row>,
    is_cut: bool,
}

impl Builder {
    /// One with other limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes the event of this `_id` and `@timestamp`, if it is a call that issued credentials. `first` says the value of a
    /// column, of several the first; it is not asked for all of them. What has no time of ingestion was ingested when it
    /// happened.
    pub fn push(&mut self, id: &str, timestamp: Millis, first: &First<'_>) {
        let value = |column: Column| first(column).filter(|it| !it.is_empty());
        let (Some(provider), Some(action)) = (value(Column::Provider), value(Column::Action)) else { return };
        let call =
            Call::of(&provider, &action).filter(|_| value(Column::Outcome).as_deref() == Some("success"));
        if let Some(call) = call {
            self.issue(call, id, timestamp, &value);
        }
    }

    /// Takes the event that has this document, if it is such a call.
    pub fn document(&mut self, id: &str, document: &Object) {
        let Some(time) = ecs::document::timestamp(document) else { return };
        self.push(id, time, &|column| {
            let mut first: Option<String> = None;
            ecs::document::values(document, column.path(), Shape::Leaf, |value| {
                first.get_or_insert_with(|| value.text().into_owned());
            });
            first.map(Cow::Owned)
        });
    }

    fn issue<'v>(
        &mut self,
        call: Call,
        id: &str,
        time: Millis,
        value: &impl Fn(Column) -> Option<Cow<'v, str>>,
    ) {
        let values = WhoField::ALL.map(|field| value(field.column()));
        let who = Who::new(|field| values[field as usize].as_deref());
        let session = session(call, &who, value);
        let from = value(Column::SwitchFrom).filter(|_| call == Call::SwitchRole);
        // Whoever changes roles in the console is beside the identity, which is the new one.
        let who = match call {
            Call::SwitchRole => {
                let from = from.as_deref();
                let kind = from.map(|arn| if arn.contains(":user/") { "IAMUser" } else { "AssumedRole" });
                Who { kind, arn: from, ..Who::default() }
            }
            _ => who,
        };
        let key = match call {
            Call::CreateAccessKey => value(Column::MadeKeyId),
            _ => value(Column::IssuedKeyId),
        };
        let role = match call {
            Call::AssumeRole | Call::AssumeRoleWithSaml | Call::AssumeRoleWithWebIdentity => {
                value(Column::RoleArn)
            }
            Call::SwitchRole => value(Column::IssuerArn),
            Call::AssumeRoot
            | Call::GetSessionToken
            | Call::GetFederationToken
            | Call::CreateAccessKey
            | Call::GetSigninToken
            | Call::ConsoleLogin => None,
        };
        let ingested = value(Column::Ingested).and_then(|it| ecs::date::parse(&it).ok());
        let caller = Caller::intern(&who, &mut self.texts);
        let mut text = |text: Option<Cow<'_, str>>| self.texts.intern(&text.unwrap_or_default());
        let row = Row {
            time,
            ingested: ingested.unwrap_or(time),
            call,
            id: text(Some(id.into())),
            caller: 0,
            key: text(key),
            role: text(role),
            session: text(session),
            address: text(value(Column::SourceAddress)),
            shared: text(value(Column::SharedEventId)),
            recipient: text(value(Column::RecipientAccountId)),
        };
        // It must lead somewhere, by its key, by its partner in the other account or by its session.
        if row.key.is_none() && row.shared.is_none() && row.session.is_none() {
            return;
        }
        self.add(row, caller);
    }

    fn add(&mut self, mut row: Row, caller: Caller) {
        row.caller = *self.numbers.entry(caller).or_insert_with(|| {
            self.callers.push(caller);
            self.callers.len() as u32 - 1
        });
        self.rows.push(row);
        if self.rows.len() >= self.limits.issues.saturating_mul(2) {
            self.shrink();
        }
    }

    /// Takes over what another took.
    pub fn merge(&mut self, other: &Self) {
        self.is_cut |= other.is_cut;
        self.take(other, &other.rows);
    }

    /// The graph of all calls.
    pub fn finish(mut self) -> Graph {
        self.shrink();
        let Self { texts, callers, rows, is_cut, .. } = self;
        Graph::new(texts, callers, rows, is_cut)
    }

    /// Each call once, in order, and of too many the newest.
    fn shrink(&mut self) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable_by(|a, b| self.compare(b, a).then(a.ingested.cmp(&b.ingested)));
        // Of two deliveries, the one that was ingested first.
        rows.dedup_by(|later, first| self.compare(later, first).is_eq());
        if rows.len() <= self.limits.issues {
            self.rows = rows;
            return;
        }
        rows.truncate(self.limits.issues);
        let mut kept = Self { is_cut: true, ..Self::new(self.limits) };
        kept.take(self, &rows);
        *self = kept;
    }

    fn take(&mut self, other: &Self, rows: &[Row]) {
        for row in rows {
            let mut text = |id: TextId| self.texts.intern(other.texts.get(id));
            let mine = Row {
                id: text(row.id),
                key: text(row.key),
                role: text(row.role),
                session: text(row.session),
                address: text(row.address),
                shared: text(row.shared),
                recipient: text(row.recipient),
                ..*row
            };
            let who = other.callers[row.caller as usize].who(&other.texts);
            let caller = Caller::intern(&who, &mut self.texts);
            self.add(mine, caller);
        }
    }

    /// By time, then by all else but the time of ingestion: the same order whatever the numbers of texts are.
    fn compare(&self, a: &Row, b: &Row) -> Ordering {
        compare_rows(&self.texts, &self.callers, a, b)
    }
}

/// See [`Builder::compare`].
pub(crate) fn compare_rows(texts: &Texts, callers: &[Caller], a: &Row, b: &Row) -> Ordering {
    let text = |a: TextId, b: TextId| if a == b { Ordering::Equal } else { texts.get(a).cmp(texts.get(b)) };
    let caller = |a: u32, b: u32| {
        if a == b {
            return Ordering::Equal;
        }
        let [a, b] = [a, b].map(|it| callers[it as usize]);
        let all = [
            (a.kind, b.kind),
            (a.arn, b.arn),
            (a.key, b.key),
            (a.issuer, b.issuer),
            (a.account, b.account),
            (a.principal, b.principal),
            (a.name, b.name),
            (a.service, b.service),
        ];
        let texts = all.into_iter().map(|(a, b)| text(a, b)).find(|it| it.is_ne());
        texts.unwrap_or(Ordering::Equal).then(a.created.cmp(&b.created))
    };
    (a.time.cmp(&b.time))
        .then_with(|| text(a.id, b.id))
        .then_with(|| a.call.cmp(&b.call))
        .then_with(|| text(a.key, b.key))
        .then_with(|| text(a.session, b.session))
        .then_with(|| text(a.role, b.role))
        .then_with(|| text(a.address, b.address))
        .then_with(|| text(a.shared, b.shared))
        .then_with(|| text(a.recipient, b.recipient))
        .then_with(|| caller(a.caller, b.caller))
}

/// The session that a call began.
fn session<'w, 'v: 'w>(
    call: Call,
    who: &Who<'w>,
    value: &impl Fn(Column) -> Option<Cow<'v, str>>,
) -> Option<Cow<'w, str>> {
    match call {
        Call::AssumeRole | Call::AssumeRoleWithSaml | Call::AssumeRoleWithWebIdentity => {
            let built = || session_of_role(&value(Column::RoleArn)?, &value(Column::RoleSessionName)?);
            value(Column::AssumedRoleArn).or_else(|| built().map(Cow::Owned))
        }
        Call::GetFederationToken => value(Column::FederatedArn).or_else(|| {
            let (name, account) = (value(Column::FederatedName)?, who.account?);
            let partition = who.arn.and_then(|it| it.split(':').nth(1)).unwrap_or("aws");
            Some(format!("arn:{partition}:sts::{account}:federated-user/{name}").into())
        }),
        Call::AssumeRoot => value(Column::TargetPrincipal).map(|target| {
            if target.starts_with("arn:") { target } else { format!("arn:aws:iam::{target}:root").into() }
        }),
        Call::CreateAccessKey => value(Column::MadeKeyUserName)
            .or_else(|| value(Column::KeyUserName))
            .or(who.name.map(Cow::Borrowed)),
        Call::GetSessionToken => who.arn.map(Cow::Borrowed),
        Call::GetSigninToken | Call::ConsoleLogin | Call::SwitchRole => who.session_arn(),
    }
}
