//! When a trail did not record, or recorded less.

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;

use crate::{Call, Means, Subject};

/// Calls that are named of one range; the rest is counted.
pub const CALLS_SHOWN: usize = 10;

/// In which respect a trail is blind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// It records nothing.
    Everything,
    /// It leaves out management events.
    Management,
    /// It leaves out data events that it recorded before.
    Data,
    /// It records its own region only.
    Regions,
    /// It leaves out the services that have no region, such as IAM.
    GlobalServices,
    /// It delivers to another bucket.
    Bucket,
    /// No digest files are written.
    Validation,
    /// Unusual activity is not recorded.
    Insights,
}

impl Aspect {
    /// All, the worst first.
    pub const ALL: [Self; 8] = [
        Self::Everything,
        Self::Management,
        Self::Data,
        Self::Regions,
        Self::GlobalServices,
        Self::Bucket,
        Self::Validation,
        Self::Insights,
    ];

    /// A stable name for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::Management => "management-events",
            Self::Data => "data-events",
            Self::Regions => "other-regions",
            Self::GlobalServices => "global-services",
            Self::Bucket => "other-bucket",
            Self::Validation => "digest-files",
            Self::Insights => "insights",
        }
    }

    /// Whether events are not recorded, or not here: digest files and Insights are about events, and none themselves.
    pub const fn hides_events(self) -> bool {
        match self {
            Self::Everything
            | Self::Management
            | Self::Data
            | Self::Regions
            | Self::GlobalServices
            | Self::Bucket => true,
            Self::Validation | Self::Insights => false,
        }
    }
}

/// A call that began, kept up or ended a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// When.
    pub time: Millis,
    /// The `_id` of its event.
    pub id: String,
    /// Its name.
    pub action: String,
    /// Who made it.
    pub who: String,
}

/// A time in which a trail was blind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlindRange {
    /// Which trail.
    pub subject: Subject,
    /// In which respect.
    pub aspect: Aspect,
    /// From this time on,
    pub from: Millis,
    /// up to this; none if it was not undone in the data.
    pub to: Option<Millis>,
    /// What is left out, where it can be said.
    pub detail: Option<String>,
    /// The calls that said so: the first [`CALLS_SHOWN`],
    pub calls: Vec<Cause>,
    /// and how many there are.
    pub call_count: u64,
    /// The call that undid it.
    pub ended_by: Option<Cause>,
}

/// What is known of a trail.
#[derive(Default)]
struct State {
    open: BTreeMap<Aspect, BlindRange>,
    /// The bucket it delivered to when that was heard of first, which is the one that the data come from.
    bucket: Option<String>,
    /// The types of resources whose data events it recorded at last.
    data: Option<BTreeSet<String>>,
    /// Those that are missed now.
    missed: BTreeSet<String>,
}

/// The times in which trails were blind, those that began first first. The order of the calls has no influence, nor has it
/// how often each is given.
///
/// A trail that was deleted or made is blind until it is started: making it does not start it.
pub fn blind_ranges(mut calls: Vec<Call>) -> Vec<BlindRange> {
    calls.sort_by(|a, b| (a.time, &a.id, &a.subject).cmp(&(b.time, &b.id, &b.subject)));
    calls.dedup_by(|a, b| (a.time, &a.id, &a.subject) == (b.time, &b.id, &b.subject));
    let mut states: BTreeMap<Subject, State> = BTreeMap::new();
    let mut ranges = Vec::new();
    for call in calls {
        let state = states.entry(call.subject.clone()).or_default();
        for (aspect, says) in state.heed(&call.means) {
            match says {
                Says::Blind(detail) => state.open(aspect, &call, detail),
                Says::Sees => ranges.extend(state.close(aspect, &call)),
            }
        }
    }
    ranges.extend(states.into_values().flat_map(|it| it.open.into_values()));
    ranges.sort_by(|a, b| (a.from, a.aspect, &a.subject).cmp(&(b.from, b.aspect, &b.subject)));
    ranges
}

/// What a call says of one respect.
enum Says {
    Blind(Option<String>),
    Sees,
}

impl State {
    /// What a call says in which respects.
    fn heed(&mut self, means: &Means) -> Vec<(Aspect, Says)> {
        let flag =
            |aspect, it: Option<bool>| it.map(|it| (aspect, if it { Says::Sees } else { Says::Blind(None) }));
        match means {
            Means::Stop => vec![(Aspect::Everything, Says::Blind(None))],
            Means::Start => vec![(Aspect::Everything, Says::Sees)],
            Means::Create { bucket } => {
                // A new one has no history; but where there was one of this name, it still does not record.
                self.data = None;
                self.missed.clear();
                let rest =
                    Aspect::ALL.into_iter().filter(|&it| it != Aspect::Everything && it != Aspect::Bucket);
                let moved = self.moved(bucket.as_deref());
                rest.map(|it| (it, Says::Sees)).chain(moved).collect()
            }
            Means::Update { all_regions, global_services, validation, bucket } => {
                let flags = [
                    flag(Aspect::Regions, *all_regions),
                    flag(Aspect::GlobalServices, *global_services),
                    flag(Aspect::Validation, *validation),
                    self.moved(bucket.as_deref()),
                ];
                flags.into_iter().flatten().collect()
            }
            Means::Select(selectors) => {
                let management = match &selectors.left_out {
                    None => Says::Sees,
                    Some(detail) => Says::Blind(Some(detail.clone())),
                };
                if let Some(before) = &self.data {
                    self.missed.extend(before.difference(&selectors.data).cloned());
                }
                self.missed.retain(|it| !selectors.data.contains(it));
                self.data = Some(selectors.data.clone());
                let data = if self.missed.is_empty() {
                    Says::Sees
                } else {
                    let missed: Vec<&str> = self.missed.iter().map(String::as_str).collect();
                    Says::Blind(Some(missed.join(", ")))
                };
                vec![(Aspect::Management, management), (Aspect::Data, data)]
            }
            Means::Insights(are) => flag(Aspect::Insights, Some(*are)).into_iter().collect(),
        }
    }

    fn moved(&mut self, bucket: Option<&str>) -> Option<(Aspect, Says)> {
        let bucket = bucket?;
        let home = self.bucket.get_or_insert_with(|| bucket.to_owned());
        let says = if home == bucket { Says::Sees } else { Says::Blind(Some(bucket.to_owned())) };
        Some((Aspect::Bucket, says))
    }

    fn open(&mut self, aspect: Aspect, call: &Call, detail: Option<String>) {
        let range = self.open.entry(aspect).or_insert_with(|| BlindRange {
            subject: call.subject.clone(),
            aspect,
            from: call.time,
            to: None,
            detail: None,
            calls: Vec::new(),
            call_count: 0,
            ended_by: None,
        });
        range.call_count += 1;
        if range.calls.len() < CALLS_SHOWN {
            range.calls.push(Cause::of(call));
        }
        // What it says at last holds until it ends.
        range.detail = detail.or(range.detail.take());
    }

    fn close(&mut self, aspect: Aspect, call: &Call) -> Option<BlindRange> {
        let range = self.open.remove(&aspect)?;
        Some(BlindRange { to: Some(call.time), ended_by: Some(Cause::of(call)), ..range })
    }
}

impl Cause {
    fn of(call: &Call) -> Self {
        let Call { time, id, action, who, .. } = call;
        Self { time: *time, id: id.clone(), action: action.clone(), who: who.clone() }
    }
}
