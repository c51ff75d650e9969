//! All calls that issued credentials, found by what they issued and by who made them.

use std::cmp::Reverse;

use ecs::Millis;
use rustc_hash::FxHashMap;

use crate::builder::compare_rows;
use crate::call::Call;
use crate::row::{Caller, Row};
use crate::texts::{TextId, Texts};
use crate::who::{Who, account_of};

/// A session began when its credentials were issued, to so many milliseconds: records round to the second.
const CREATED_WITHIN: Millis = 2_000;

/// So many calls are looked at that could have begun a session. That more could have changes nothing: they are several.
pub const CANDIDATES_MAX: usize = 16;

/// Which call issued which credentials.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    texts: Texts,
    callers: Vec<Caller>,
    /// By time, then by all else.
    rows: Vec<Row>,
    is_cut: bool,
    /// By the key that was issued, the best first. What is never the best is left out.
    by_key: Groups,
    /// By the session that was begun.
    by_session: Groups,
    /// By the key that the call was signed with.
    by_caller_key: Groups,
    /// By the session that the call was made in.
    by_caller_session: Groups,
}

/// A call that issued credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Issue<'g> {
    /// The call.
    pub call: Call,
    /// The `_id` of its event.
    pub event: &'g str,
    /// When it was made.
    pub time: Millis,
    /// When its event was ingested.
    pub ingested: Millis,
    /// Who made it.
    pub caller: Who<'g>,
    /// The key that it issued, if the record tells.
    pub key: Option<&'g str>,
    /// The role.
    pub role: Option<&'g str>,
    /// The session of the role or the federated user, or whose user's session it is.
    pub session: Option<&'g str>,
    /// The user whose key was made.
    pub user: Option<&'g str>,
    /// Where the call came from.
    pub address: Option<&'g str>,
    /// The account that has the record.
    pub recipient: Option<&'g str>,
}

impl<'g> Issue<'g> {
    /// The name of the session.
    pub fn session_name(&self) -> Option<&'g str> {
        self.session
            .filter(|it| it.contains(":assumed-role/") || it.contains(":federated-user/"))?
            .rsplit('/')
            .next()
    }

    /// The account in which the credentials are good.
    pub fn account(&self) -> Option<&'g str> {
        let named = self.session.or(self.role).and_then(account_of);
        named.or(self.caller.account).or(self.recipient)
    }
}

/// What issued the credentials of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parent {
    /// Nothing that is known.
    None,
    /// The call that issued the key.
    Exact(u32),
    /// The only call that began such a session then.
    Inferred(u32),
    /// Several of them.
    Several(Vec<u32>),
}

/// Which calls count, and when that would have been another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AsOf {
    pub(crate) latest: Millis,
    /// Earlier than that something that was found was not there.
    pub(crate) since: Option<Millis>,
}

impl AsOf {
    pub(crate) fn new(latest: Millis) -> Self {
        Self { latest, since: None }
    }

    fn counts(&self, row: &Row) -> bool {
        row.ingested <= self.latest
    }

    fn found(&mut self, row: &Row) {
        self.since = self.since.max(Some(row.ingested));
    }
}

impl Graph {
    /// Of rows, the newest first, each once.
    pub(crate) fn new(mut texts: Texts, callers: Vec<Caller>, mut rows: Vec<Row>, is_cut: bool) -> Self {
        rows.reverse();
        share(&mut rows);
        let caller = |row: &Row| callers[row.caller as usize];
        let rank = |row: &Row| Reverse(rank(&caller(row), &texts));
        let mut by_key = Groups::new(&rows, |row| row.key);
        by_key.sort(|&at| (rank(&rows[at as usize]), rows[at as usize].ingested, at));
        by_key.retain_firsts(|at| rows[at as usize].ingested);
        let by_session = Groups::new(&rows, |row| match row.call {
            Call::CreateAccessKey | Call::GetSessionToken | Call::AssumeRoot => TextId::NONE,
            Call::AssumeRole
            | Call::AssumeRoleWithSaml
            | Call::AssumeRoleWithWebIdentity
            | Call::GetFederationToken
            | Call::GetSigninToken
            | Call::ConsoleLogin
            | Call::SwitchRole => row.session,
        });
        let by_caller_key = Groups::new(&rows, |row| caller(row).key);
        let sessions: Vec<TextId> = callers
            .iter()
            .map(|caller| {
                let who = caller.who(&texts);
                let session = who.is_session().then(|| who.session_arn().map(std::borrow::Cow::into_owned));
                session.flatten().map_or(TextId::NONE, |it| texts.intern(&it))
            })
            .collect();
        let by_caller_session = Groups::new(&rows, |row| sessions[row.caller as usize]);
        Self { texts, callers, rows, is_cut, by_key, by_session, by_caller_key, by_caller_session }
    }

    /// How many calls it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has no call.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Calls before that time were left out, of too many.
    pub fn complete_from(&self) -> Option<Millis> {
        self.rows.first().filter(|_| self.is_cut).map(|it| it.time)
    }

    /// The call that issued a key, of those ingested until `as_of`. If several say that they did, it is the one that says
    /// most of who made it.
    pub fn issue_of(&self, key: &str, as_of: Millis) -> Option<Issue<'_>> {
        let row = self.issuing(self.texts.find(key)?, &mut AsOf::new(as_of))?;
        Some(self.issue(row))
    }

    /// All calls, by time.
    pub fn issues(&self) -> impl ExactSizeIterator<Item = Issue<'_>> {
        (0..self.rows.len() as u32).map(|row| self.issue(row))
    }

    pub(crate) fn row(&self, row: u32) -> &Row {
        &self.rows[row as usize]
    }

    pub(crate) fn issue(&self, row: u32) -> Issue<'_> {
        let it = self.row(row);
        let texts = &self.texts;
        let is_user = it.call == Call::CreateAccessKey;
        Issue {
            call: it.call,
            event: texts.get(it.id),
            time: it.time,
            ingested: it.ingested,
            caller: self.caller(row),
            key: texts.some(it.key),
            role: texts.some(it.role),
            session: texts.some(it.session).filter(|_| !is_user),
            user: texts.some(it.session).filter(|_| is_user),
            address: texts.some(it.address),
            recipient: texts.some(it.recipient),
        }
    }

    pub(crate) fn caller(&self, row: u32) -> Who<'_> {
        self.callers[self.row(row).caller as usize].who(&self.texts)
    }

    fn issuing(&self, key: TextId, as_of: &mut AsOf) -> Option<u32> {
        let row = self.by_key.get(key).iter().copied().find(|&it| as_of.counts(self.row(it)))?;
        as_of.found(self.row(row));
        Some(row)
    }

    /// What issued the credentials of `who`. Calls on the way to it, `path`, are no answer.
    pub(crate) fn parent(&self, who: &Who<'_>, path: &[u32], as_of: &mut AsOf) -> Parent {
        let key = who.key.and_then(|it| self.texts.find(it));
        let issuing = key.and_then(|key| self.issuing(key, as_of));
        if !who.is_session() {
            // A user is the head, whoever made the key. Root of another account is a session of whoever asked for it.
            let is_root = who.kind == Some("Root");
            let issuing = issuing.filter(|&row| is_root && self.row(row).call == Call::AssumeRoot);
            return issuing.map_or(Parent::None, Parent::Exact);
        }
        if let Some(row) = issuing {
            return Parent::Exact(row);
        }
        let mut found = self.candidates(who, path, as_of);
        match found.len() {
            0 => Parent::None,
            1 => Parent::Inferred(found.swap_remove(0)),
            _ => Parent::Several(found),
        }
    }

    /// The calls that began the session of `who` by its name and time. One that opens a console session with credentials
    /// is asked only if none issued any.
    fn candidates(&self, who: &Who<'_>, path: &[u32], as_of: &mut AsOf) -> Vec<u32> {
        let session = who.session_arn().and_then(|it| self.texts.find(&it));
        let (Some(session), Some(created)) = (session, who.created) else { return Vec::new() };
        let all = self.by_session.get(session);
        let first = created.saturating_sub(CREATED_WITHIN);
        let last = created.saturating_add(CREATED_WITHIN);
        let start = all.partition_point(|&it| self.row(it).time < first);
        let (mut issuing, mut signing_in) = (Vec::new(), Vec::new());
        for &row in all[start..].iter().take_while(|&&it| self.row(it).time <= last) {
            let it = self.row(row);
            if !as_of.counts(it) {
                continue;
            }
            as_of.found(it);
            let found = if it.call.is_sign_in() { &mut signing_in } else { &mut issuing };
            if found.len() == CANDIDATES_MAX {
                continue;
            }
            // Two records of the same call are one. If they contradict each other, what is said of the key counts.
            let best = if it.key.is_none() { Some(row) } else { self.issuing(it.key, as_of) };
            let Some(best) = best.filter(|&best| {
                self.row(best).session == session && !path.contains(&best) && !found.contains(&best)
            }) else {
                continue;
            };
            let id = self.row(best).shared;
            let shared = |&other: &u32| !id.is_none() && self.row(other).shared == id;
            let caller = self.caller(best);
            let is_itself = caller.session_arn() == who.session_arn() && caller.created == who.created;
            if is_itself && it.call.is_sign_in() {
                continue;
            }
            match found.iter().position(shared) {
                None => found.push(best),
                Some(at) if self.rank(best) > self.rank(found[at]) => found[at] = best,
                Some(_) => {}
            }
        }
        if issuing.is_empty() { signing_in } else { issuing }
    }

    /// Whether two calls were made by the same, as far as their records say.
    pub(crate) fn is_same_caller(&self, a: u32, b: u32) -> bool {
        let (a, b) = (self.caller(a), self.caller(b));
        a.kind == b.kind && a.key == b.key && a.name() == b.name()
    }

    /// Calls that may have been made with the key.
    pub(crate) fn made_with(&self, key: &str) -> &[u32] {
        self.texts.find(key).map_or(&[], |key| self.by_caller_key.get(key))
    }

    /// Calls that may have been made in the session.
    pub(crate) fn made_in(&self, session: &str) -> &[u32] {
        self.texts.find(session).map_or(&[], |session| self.by_caller_session.get(session))
    }

    /// Whether the row is the one that stands for its call, among those that count.
    pub(crate) fn stands_for_itself(&self, row: u32, as_of: Millis) -> bool {
        let it = self.row(row);
        it.key.is_none() || self.issuing(it.key, &mut AsOf::new(as_of)) == Some(row)
    }

    fn rank(&self, row: u32) -> u8 {
        rank(&self.callers[self.row(row).caller as usize], &self.texts)
    }

    /// Whether `a` comes before `b`, which are not the same call.
    pub(crate) fn order(&self, a: u32, b: u32) -> std::cmp::Ordering {
        compare_rows(&self.texts, &self.callers, self.row(a), self.row(b))
    }
}

/// How much a record says of its caller. In the account of the role, a caller from elsewhere is an account.
fn rank(caller: &Caller, texts: &Texts) -> u8 {
    let is_foreign = texts.get(caller.kind) == "AWSAccount";
    let is_named = !(caller.arn.is_none() && caller.service.is_none() && caller.principal.is_none());
    4 * u8::from(!is_foreign && !caller.kind.is_none())
        + 2 * u8::from(is_named)
        + u8::from(!caller.key.is_none())
}

/// A call across accounts has a record in each. What only one of them tells of what was issued, the other gets: once both
/// are there.
fn share(rows: &mut [Row]) {
    let mut answered: FxHashMap<TextId, u32> = FxHashMap::default();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| !row.shared.is_none() && !row.key.is_none()) {
        // Of several that say different things, the first: rows are in order.
        let best = answered.entry(row.shared).or_insert(at as u32);
        if row.ingested < rows[*best as usize].ingested {
            *best = at as u32;
        }
    }
    let told: Vec<(usize, Row)> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.key.is_none() && !row.shared.is_none())
        .filter_map(|(at, row)| {
            let partner = &rows[*answered.get(&row.shared)? as usize];
            let or = |mine: TextId, its: TextId| if mine.is_none() { its } else { mine };
            let told = Row {
                ingested: row.ingested.max(partner.ingested),
                key: partner.key,
                role: or(row.role, partner.role),
                session: or(row.session, partner.session),
                ..*row
            };
            Some((at, told))
        })
        .collect();
    for (at, row) in told {
        rows[at] = row;
    }
}

/// Rows by some text.
#[derive(Clone, Debug, Default)]
struct Groups {
    rows: Vec<u32>,
    ranges: FxHashMap<TextId, (u32, u32)>,
}

impl Groups {
    fn new(rows: &[Row], of: impl Fn(&Row) -> TextId) -> Self {
        let ids: Vec<TextId> = rows.iter().map(of).collect();
        let mut order: Vec<u32> = (0..rows.len() as u32).filter(|&at| !ids[at as usize].is_none()).collect();
        // Rows stay in order within.
        order.sort_by_key(|&at| ids[at as usize]);
        let mut ranges = FxHashMap::default();
        let mut start = 0;
        for group in order.chunk_by(|&a, &b| ids[a as usize] == ids[b as usize]) {
            let end = start + group.len() as u32;
            ranges.insert(ids[group[0] as usize], (start, end));
            start = end;
        }
        Self { rows: order, ranges }
    }

    fn get(&self, text: TextId) -> &[u32] {
        self.ranges.get(&text).map_or(&[], |&(start, end)| &self.rows[start as usize..end as usize])
    }

    fn sort<K: Ord>(&mut self, key: impl Fn(&u32) -> K) {
        #[expect(clippy::iter_over_hash_type, reason = "each group is sorted by itself")]
        for &(start, end) in self.ranges.values() {
            self.rows[start as usize..end as usize].sort_by_key(&key);
        }
    }

    /// Drops the rows of a group that come behind one that was ingested no later: whenever they count, that one does.
    fn retain_firsts(&mut self, ingested: impl Fn(u32) -> Millis) {
        #[expect(clippy::iter_over_hash_type, reason = "each group is cut by itself")]
        for (start, end) in self.ranges.values_mut() {
            let group = &mut self.rows[*start as usize..*end as usize];
            let (mut kept, mut earliest) = (0, None);
            for at in 0..group.len() {
                let time = ingested(group[at]);
                if earliest.is_none_or(|earliest| time < earliest) {
                    earliest = Some(time);
                    group[kept] = group[at];
                    kept += 1;
                }
            }
            *end = *start + kept as u32;
        }
    }
}
