//! Alerts as text, without a tree of their event.
//!
//! Nearly all of an alert is what its rule says, which is the same text every time. The keys that the rest can have are
//! known before any alert is, too, so the order of both is worked out once a rule ([`Outline`]), and an alert is then
//! written from its beginning to its end.

use std::ops::Range;
use std::sync::Arc;

use ecs::text::{Kind, Member, write_text};
use ecs::{Catalog, Layered, Object, Paths, SharedFields, TextDocument};
use identity::Graph;
use rule::{Rule, Severity};

use super::clean::{self, Fit};
use super::event::EventDocument;
use super::overrides::Overrides;
use super::own::{OWN_BYTES, write_value};
use super::{
    Asked, COPIED_ROOTS, KIND, ORIGINAL, OWN_KEYS, RuleFields, TIME, behind, of_event, overrides, own_fields,
    reason,
};
use crate::outcome::AlertSeed;

/// Writes the alerts on events of one source.
#[derive(Debug)]
pub struct AlertWriter {
    catalog: Arc<Catalog>,
    paths: &'static Paths,
    /// For each field what is known of its values.
    fits: Vec<Fit>,
    /// The field that says what kind of event it is.
    kind: Option<usize>,
    /// Of what is written nothing is left out.
    everything: Asked,
    /// Every key that an alert can have besides those of the rule, in order: `"key":`, and whose value it is.
    keys: Vec<(String, Part)>,
}

/// Whose value stands at a key.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The event's own.
    Event(Member),
    /// A copy of the event's field.
    Copy(usize),
    /// The alert's, by its place in [`OWN_KEYS`].
    Own(usize),
}

/// In which order an alert of a rule says what it says.
#[derive(Debug)]
pub struct Outline {
    shared: Arc<SharedFields>,
    graph: Option<Arc<Graph>>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    /// This part of the shared text.
    Shared(Range<usize>),
    /// The key of this number, if the alert has it.
    Key(usize),
}

impl AlertWriter {
    /// For events whose documents have their fields at these paths.
    pub fn new(paths: &'static Paths, catalog: Arc<Catalog>) -> Self {
        let fields = 0..paths.len();
        let mut keys: Vec<(String, Part)> =
            paths.roots().map(|(key, member)| (key.to_owned(), Part::Event(member))).collect();
        // The alert's own replace those of the event.
        keys.retain(|(key, _)| !OWN_KEYS.contains(&key.as_str()));
        keys.extend(OWN_KEYS.iter().enumerate().map(|(at, key)| ((*key).to_owned(), Part::Own(at))));
        let is_copied =
            |path: &str| COPIED_ROOTS.iter().any(|root| *root == path.split('.').next().unwrap_or(path));
        let copied = fields.clone().filter(|&field| is_copied(paths.path(field)));
        keys.extend(copied.map(|field| (format!("{ORIGINAL}{}", paths.path(field)), Part::Copy(field))));
        keys.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self {
            fits: fields.map(|field| clean::fit(paths.path(field), &catalog)).collect(),
            kind: paths.field(KIND),
            everything: Asked::everything(),
            catalog,
            paths,
            keys,
        }
    }

    /// The order of a rule's alerts. Where the rule and the event say something at one key, the rule's counts.
    pub fn outline(&self, fields: &RuleFields) -> Outline {
        let shared = Arc::clone(&fields.shared);
        let mut steps: Vec<Step> = Vec::new();
        let mut keys = self.keys.iter().enumerate().peekable();
        for (key, place) in shared.places() {
            while let Some((at, (own, _))) = keys.next_if(|(_, (own, _))| own.as_str() <= key) {
                if own != key {
                    steps.push(Step::Key(at));
                }
            }
            match steps.last_mut() {
                Some(Step::Shared(text)) => text.end = place.end,
                Some(Step::Key(_)) | None => steps.push(Step::Shared(place)),
            }
        }
        steps.extend(keys.map(|(at, _)| Step::Key(at)));
        Outline { shared, graph: fields.graph.clone(), steps }
    }

    /// Readies the document of an event, if an alert can have all of its values. Else it is for [`build`] to make the
    /// alerts on it, which takes out what does not fit.
    ///
    /// [`build`]: super::build
    pub fn ready(&self, event: &mut TextDocument) -> bool {
        let stay = !event.has_empty()
            && event.fields().all(|(field, kind)| match (self.fits[field], kind) {
                (Fit::Anything, _) | (Fit::Values, Kind::Scalar | Kind::Texts) => true,
                (Fit::Nothing, _) | (Fit::Values | Fit::Of(_), Kind::Tree) => false,
                (Fit::Of(ty), Kind::Scalar | Kind::Texts) => {
                    event.value(field).is_some_and(|value| clean::stays(&value, ty))
                }
            });
        if let Some(kind) = self.kind.filter(|_| stay) {
            event.hide(kind);
        }
        stay
    }

    /// Appends the alert on an event that is ready: what [`build`] makes of the event's tree, as JSON in one line.
    /// Says how severe it is.
    ///
    /// [`build`]: super::build
    pub fn write(
        &self,
        seed: &AlertSeed,
        rule: &Rule,
        outline: &Outline,
        event: &TextDocument,
        out: &mut String,
    ) -> Severity {
        let document = EventDocument::Text(event);
        let graph = outline.graph.as_deref();
        let (own, severity) =
            own_fields(seed, &Overrides::new(document, rule), document, rule, graph, &self.everything);
        // Texts that grow are copied again and again. Some of the event stands in the alert twice.
        out.reserve(outline.shared.text().len() + 2 * event.json_len() + OWN_BYTES);
        let mut before = '{';
        let mut next = |out: &mut String| {
            out.push(before);
            before = ',';
        };
        for step in &outline.steps {
            match step {
                Step::Shared(text) => {
                    next(out);
                    out.push_str(&outline.shared.text()[text.clone()]);
                }
                Step::Key(at) => {
                    let (key, part) = &self.keys[*at];
                    match *part {
                        Part::Event(member) if event.has(member) => {
                            next(out);
                            event.write_member(member, out);
                        }
                        Part::Copy(field) => {
                            if let Some(text) = event.text(field) {
                                next(out);
                                write_key(key, out);
                                out.push_str(text);
                            }
                        }
                        Part::Own(at) => {
                            if let Some(value) = own.text(at) {
                                next(out);
                                write_key(key, out);
                                out.push_str(value);
                            }
                        }
                        Part::Event(_) => {}
                    }
                }
            }
        }
        out.push('}');
        severity
    }

    /// Appends the alert on an event whose document is a tree, or on none: what [`build`] makes of it, as JSON in one line.
    /// Says how severe it is.
    ///
    /// [`build`]: super::build
    pub fn write_tree(
        &self,
        seed: &AlertSeed,
        rule: &Rule,
        fields: &RuleFields,
        event: Object,
        out: &mut String,
    ) -> Severity {
        let event = seed.detail.document(event);
        let document = EventDocument::Tree(&event);
        let graph = fields.graph.as_deref();
        let (own, severity) =
            own_fields(seed, &Overrides::new(document, rule), document, rule, graph, &self.everything);
        debug_assert!(own.texts().is_sorted_by_key(|(key, _)| key), "keys stand in order");
        let mut event = of_event(event, &self.catalog);
        event.sort_keys();
        let shared = &fields.shared;
        out.reserve(shared.text().len() + OWN_BYTES);
        let mut own = own.texts().peekable();
        let mut event = event.iter().peekable();
        let mut shared_places = shared.places().peekable();
        let mut before = '{';
        // What the rule says comes before what the alert says, and that before what the event says.
        loop {
            let keys = [
                shared_places.peek().map(|it| it.0),
                own.peek().map(|it| it.0),
                event.peek().map(|it| it.0.as_str()),
            ];
            let Some(key) = keys.into_iter().flatten().min() else { break };
            let [is_shared, is_own, is_event] = keys.map(|it| it == Some(key));
            let of_event = if is_event { event.next() } else { None };
            let of_alert = if is_own { own.next() } else { None };
            let place = if is_shared { shared_places.next() } else { None };
            out.push(before);
            before = ',';
            match (place, of_alert, of_event) {
                (Some((_, place)), ..) => out.push_str(&shared.text()[place]),
                (None, Some((key, value)), _) => {
                    write_key(key, out);
                    out.push_str(value);
                }
                (None, None, Some((key, value))) => {
                    write_key(key, out);
                    write_value(value, out);
                }
                (None, None, None) => {}
            }
        }
        out.push('}');
        severity
    }

    /// The alert on an event that is ready, of which the document may hold only what somebody asks for, with each value
    /// at its path. See [`paths_of_event`].
    pub fn brief(&self, seed: &AlertSeed, rule: &Rule, fields: &RuleFields, event: &TextDocument) -> Layered {
        self.brief_asked(seed, rule, fields, event, &self.everything)
    }

    fn brief_asked(
        &self,
        seed: &AlertSeed,
        rule: &Rule,
        fields: &RuleFields,
        event: &TextDocument,
        asked: &Asked,
    ) -> Layered {
        let document = EventDocument::Text(event);
        let graph = fields.graph.as_deref();
        let overrides = Overrides::new(document, rule);
        let (own, _) = own_fields(seed, &overrides, document, rule, graph, asked);
        let kept = event.fields().map(|(field, _)| field).filter(|&field| Some(field) != self.kind);
        let mut alert: Object =
            kept.filter_map(|field| Some((self.paths.path(field).to_owned(), event.value(field)?))).collect();
        alert.extend(own.values());
        Layered::new(alert, Arc::clone(&fields.shared))
    }
}

impl AlertWriter {
    /// Of the alert on an event that is ready what is asked for, with each value at its path. The document of the event may
    /// hold no more than that takes: see [`Asked::paths_of_event`]. Nor may `fields`: see [`RuleFields::asked`].
    pub fn asked(
        &self,
        seed: &AlertSeed,
        rule: &Rule,
        fields: &RuleFields,
        event: &TextDocument,
        asked: &Asked,
    ) -> Layered {
        let mut alert = self.brief_asked(seed, rule, fields, event, asked);
        for (key, part) in &self.keys {
            // The event has a few fields, and an alert a few hundred keys.
            if let Part::Copy(field) = *part
                && event.has(Member::Field(field))
                && asked.has(key)
                && let Some(value) = event.value(field)
            {
                alert.set(key, value);
            }
        }
        alert
    }
}

/// The paths whose values the alerts of a rule speak of, besides those that they only carry.
pub fn paths_of_event(rule: &Rule) -> impl Iterator<Item = &str> {
    [TIME].into_iter().chain(reason::PATHS).chain(behind::PATHS).chain(overrides::paths(rule))
}

/// Keys of alerts are plain.
fn write_key(key: &str, out: &mut String) {
    write_text(key, out);
    out.push(':');
}
