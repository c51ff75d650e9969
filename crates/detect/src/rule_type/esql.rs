//! `esql`: a pipeline over the matches of one execution; one alert for each row that comes out.
//!
//! A rule whose pipeline has `STATS` is aggregating: its alerts are rows, and about no event. Any other row is made of an
//! event, which its alert is about: the event's document, with the row's columns in it. Which event that is goes with every
//! row, whether or not the query asks for `_id`.

use std::collections::HashMap;
use std::sync::Arc;

use ecs::date::to_iso;
use ecs::{Catalog, Millis, Object, Origin, Shape};
use esql::resolved::{Metadata, Origin as FieldOrigin, Pipeline, Slot, Source, SourceField, StepKind};
use esql::{Sources, Type};
use pipeline::{Limits, Program, RowMetadata, Rows, Table, Tables, Value as Cell};
use rule::Rule;
use serde_json::Value;

use super::listed::{Listed, ListedMatch, ResidueColumns};
use super::{Detail, Executions, Run};
use crate::collect::EventRef;
use crate::fate::{Fate, Watched};
use crate::id;
use crate::outcome::{SeedEvent, WarningKind};
use crate::schedule::{Ticks, Window};
use crate::suppression::{Candidate, Group};
use crate::tail::TailError;
use crate::tails::Column;
use crate::term::TermType;
use crate::writer::{Writer, Written};

/// The columns that say which event a row is made of: no query can name them.
const EVENT: [(&str, Metadata); 2] = [(" id", Metadata::Id), (" index", Metadata::Index)];

/// So many messages of rows that failed are kept of a rule.
const MESSAGES_MAX: usize = 20;

/// What a rule says.
#[derive(Clone, Debug)]
pub(crate) struct Esql {
    pipeline: Arc<Pipeline>,
    catalog: Arc<Catalog>,
    columns: Vec<Column>,
    /// The alerts are about no event.
    is_aggregating: bool,
    /// The slots of columns with one value of several, and their names in the result.
    expands: bool,
    query: String,
    /// The columns that make alerts alike, if they suppress one another; and whether those that lack one are alike.
    alike: Option<(Vec<String>, bool)>,
}

/// A row that came out of a rule's pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The columns that have a value.
    pub columns: Vec<(String, Value)>,
    /// It is made of one event, which the alert is about.
    pub is_of_event: bool,
    /// Alerts which the hunt itself raised, and which it was made of with others.
    pub alerts: Vec<Origin>,
    /// The alert's id.
    id: String,
}

impl Esql {
    pub(super) fn new(rule: &Rule, catalog: &Catalog) -> Result<Self, TailError> {
        let refused = |message: String| TailError::Query { message };
        let catalog = Arc::new(catalog.clone());
        let checked = esql::pipeline(&rule.query, &Sources::of(&catalog)).map_err(|errors| {
            refused(errors.iter().map(|it| it.message.as_str()).collect::<Vec<_>>().join("; "))
        })?;
        let mut pipeline = esql::split(checked, &catalog).tail;
        let is_aggregating = pipeline.steps.iter().any(|it| matches!(it.kind, StepKind::Stats(_)));
        let expands = pipeline.steps.iter().any(|it| matches!(it.kind, StepKind::MvExpand { .. }));
        if !is_aggregating {
            tell_events(&mut pipeline);
        }
        if let Source::Events { fields, .. } = &pipeline.source {
            let whole = |it: &SourceField| it.origin == FieldOrigin::Metadata(Metadata::Source);
            if fields.iter().any(whole) {
                return Err(refused("`_source` is not supported in rules: name the fields".to_owned()));
            }
        }
        let program = prepare(&pipeline, 0, None).map_err(refused)?;
        if !program.searches().is_empty() {
            return Err(refused(
                "KQL, QSTR and MATCH are supported in rules as conditions that stand alone or are joined by AND, before STATS"
                    .to_owned(),
            ));
        }
        let rows = Rows::new(&pipeline, &program, &catalog);
        let column =
            |path: &str| Column { path: path.to_owned(), shape: Shape::Leaf, ty: TermType::AsDelivered };
        let columns = rows.paths().map(column).collect();
        let alike = rule
            .alert_suppression
            .as_ref()
            .map(|it| (it.group_by.clone(), it.missing_fields == rule::MissingFields::Suppress));
        Ok(Self {
            columns,
            catalog,
            is_aggregating,
            expands,
            query: rule.query.clone(),
            alike,
            pipeline: Arc::new(pipeline),
        })
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The table that an execution at `now` makes of these matches.
    fn table(
        &self,
        matches: &[&ListedMatch],
        now: Millis,
        limit: usize,
        run: Run<'_>,
    ) -> Result<Table, String> {
        let program = prepare(&self.pipeline, now, Some(limit))?;
        let mut rows = Rows::new(&self.pipeline, &program, &self.catalog);
        let mut part = program.part();
        let (events, columns) = (&run.matches.events, run.columns());
        for it in matches {
            let mut place = [0; 36];
            let metadata =
                RowMetadata { id: events.id(it.event, &mut place), index: events.index_name(it.event) };
            let values = it.values.iter().take(self.columns.len()).enumerate().flat_map(|(at, ids)| {
                let interner = run.matches.values(columns[at]);
                ids.iter().filter_map(move |&id| Some((at, interner.get(id).delivered()?)))
            });
            rows.push_values(metadata, values);
            if rows.is_full() {
                part.push(rows.take()).map_err(|it| it.to_string())?;
            }
        }
        part.push(rows.take()).map_err(|it| it.to_string())?;
        part.finish().map_err(|it| it.to_string())
    }

    /// The command behind which no row is left: of one match, then, behind `STATS`, of all of them.
    fn dropped_by(
        &self,
        own: &ListedMatch,
        all: &[&ListedMatch],
        now: Millis,
        run: Run<'_>,
    ) -> Option<String> {
        let is_of_all =
            |it: &StepKind| matches!(it, StepKind::Stats(_) | StepKind::InlineStats(_) | StepKind::Limit(_));
        let steps = &self.pipeline.steps;
        let of_all = steps.iter().position(|it| is_of_all(&it.kind)).unwrap_or(steps.len());
        for end in 1..=steps.len() {
            let part = Self {
                pipeline: Arc::new(Pipeline {
                    steps: steps[..end].to_vec(),
                    output: Vec::new(),
                    ..(*self.pipeline).clone()
                }),
                ..self.clone()
            };
            let own = [own];
            let matches = if end <= of_all { &own[..] } else { all };
            if part.table(matches, now, usize::MAX, run).is_ok_and(|it| it.rows == 0) {
                let text = self.pipeline.text.get(steps[end - 1].span.range())?;
                return Some(text.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        None
    }

    /// The id of the alert on an event: that of any alert on it, and what tells its rows apart.
    fn event_id(&self, index: &str, id: &str, columns: &[(String, Value)], rule: &str) -> String {
        let mut parts: Vec<Value> = vec![id.into(), 1.into(), index.into(), rule.into()];
        if self.expands {
            parts.push(
                columns
                    .iter()
                    .map(|(name, value)| Value::from(vec![name.as_str().into(), value.clone()]))
                    .collect(),
            );
        }
        id::object_hash(&parts)
    }

    /// The id of an alert on a row: the range, the query, the rule, and its place.
    fn row_id(&self, window: &Window, at: usize, rule: &str) -> String {
        let (from, to) = (to_iso(window.from), to_iso(window.to));
        id::object_hash(&[from.into(), to.into(), self.query.as_str().into(), rule.into(), at.into()])
    }

    /// What makes the alert alike others, if anything does.
    fn group(&self, columns: &[(String, Value)], time: Millis, run: Run<'_>) -> Option<Group> {
        let (fields, keeps_missing) = self.alike.as_ref()?;
        let mut terms = Vec::with_capacity(fields.len());
        for field in fields {
            let value = columns.iter().find(|it| it.0 == *field).map(|it| it.1.clone());
            if value.is_none() && !keeps_missing {
                return None;
            }
            terms.push((field.clone(), value.unwrap_or(Value::Null)));
        }
        Some(Group::new(terms, &run.tail.rule_uuid, (time, time)))
    }
}

fn prepare(pipeline: &Pipeline, now: Millis, limit: Option<usize>) -> Result<Program, String> {
    Program::new(pipeline, &Tables::new(), limit, now, Limits::default()).map_err(|it| it.to_string())
}

/// Has every row say which event it is made of.
fn tell_events(pipeline: &mut Pipeline) {
    let Source::Events { fields, .. } = &mut pipeline.source else { return };
    for (name, metadata) in EVENT {
        let slot = Slot(pipeline.slots);
        pipeline.slots += 1;
        fields.push(SourceField { slot, origin: FieldOrigin::Metadata(metadata), ty: Type::Keyword });
        pipeline.output.push(esql::resolved::Column { name: name.to_owned(), slot, ty: Type::Keyword });
    }
}

impl Row {
    /// The document of an alert on it: what the event says, and in its place what the row says.
    pub(super) fn document(&self, event: Object) -> Object {
        let mut document = event;
        for (name, value) in &self.columns {
            if !name.starts_with('_') {
                put(&mut document, name, value.clone());
            }
        }
        document
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// Puts a value at a path, in the objects that are there or in new ones.
fn put(object: &mut Object, path: &str, value: Value) {
    if let Some(whole) = object.get_mut(path) {
        *whole = value;
        return;
    }
    match path.split_once('.') {
        Some((first, rest)) => {
            let inner = object.entry(first.to_owned()).or_insert_with(|| Value::Object(Object::new()));
            match inner {
                Value::Object(inner) => put(inner, rest, value),
                // Something else stands where an object has to be: the path stays whole.
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    object.insert(path.to_owned(), value);
                }
            }
        }
        None => {
            object.insert(path.to_owned(), value);
        }
    }
}

/// The executions of a rule.
pub(super) struct EsqlExecutions<'a> {
    rule: &'a Esql,
    listed: &'a Listed,
    run: Run<'a>,
    residue: ResidueColumns<'a>,
    /// The last execution left something to those that follow.
    is_cut: bool,
    messages: Vec<String>,
}

impl<'a> EsqlExecutions<'a> {
    pub(super) fn new(rule: &'a Esql, listed: &'a Listed, run: Run<'a>) -> Self {
        let residue = ResidueColumns::new(run, 0);
        Self { rule, listed, run, residue, is_cut: false, messages: Vec::new() }
    }

    fn tell(&mut self, message: String) {
        if self.messages.len() < MESSAGES_MAX && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }

    /// The matches of an execution, in the order of time.
    fn within(&self, window: &Window) -> Vec<&'a ListedMatch> {
        let mut found = self.listed.within(window, &self.residue);
        found.retain(|it| !it.is_copy && it.at.time >= window.from);
        found
    }

    /// The alerts of an execution's rows.
    fn alerts(
        &self,
        table: &Table,
        matches: &[&ListedMatch],
        window: &Window,
        writer: &Writer<'_>,
    ) -> Vec<Candidate> {
        let events = &self.run.matches.events;
        let space_and_rule = self.run.space_and_rule();
        let mut by_id: HashMap<(String, String), EventRef> = HashMap::new();
        if !self.rule.is_aggregating {
            for it in matches {
                let key =
                    (events.id(it.event, &mut [0; 36]).to_owned(), events.index_name(it.event).to_owned());
                by_id.insert(key, it.event);
            }
        }
        let newest = matches.iter().map(|it| events.timestamp(it.event)).max().unwrap_or(window.to);
        let mut alerts_before: Vec<Origin> =
            matches.iter().map(|it| events.origin(it.event)).filter(|it| it.is_alert()).collect();
        alerts_before.sort_unstable();
        let mut alerts = Vec::with_capacity(table.rows);
        for at in 0..table.rows {
            let mut columns = Vec::new();
            let (mut id, mut index) = (String::new(), String::new());
            for (column, cell) in table.row(at) {
                let text = || cell.as_slice().first().map(pipeline::Scalar::text).unwrap_or_default();
                match (column.name.as_str(), &cell) {
                    (name, _) if name == EVENT[0].0 => id = text(),
                    (name, _) if name == EVENT[1].0 => index = text(),
                    (_, Cell::Null) => {}
                    (name, cell) => columns.push((name.to_owned(), cell.to_json())),
                }
            }
            let event = by_id.get(&(id, index)).copied();
            let seed = match event {
                Some(event) => writer.seed(event),
                None => SeedEvent {
                    id: String::new(),
                    index: String::new(),
                    timestamp: newest,
                    origin: Origin::default(),
                },
            };
            let id = if event.is_some() {
                self.rule.event_id(&seed.index, &seed.id, &columns, &space_and_rule)
            } else {
                self.rule.row_id(window, at, &space_and_rule)
            };
            let group = self.rule.group(&columns, seed.timestamp, self.run);
            let of_several = if event.is_some() { Vec::new() } else { alerts_before.clone() };
            let row = Row { columns, is_of_event: event.is_some(), alerts: of_several, id: id.clone() };
            alerts.push(Candidate { id, event: seed, detail: Detail::Row(Box::new(row)), group });
        }
        alerts
    }
}

impl Executions for EsqlExecutions<'_> {
    fn next(&mut self, ticks: &Ticks, tick: i64) -> Option<i64> {
        self.listed.next(ticks, tick, self.is_cut)
    }

    fn execute(&mut self, _: i64, window: &Window, writer: &mut Writer<'_>) {
        self.is_cut = false;
        let matches = self.within(window);
        // Rows that exist as alerts use up nothing, so that more of them must be looked at than are left.
        let limit = if self.rule.is_aggregating { writer.budget as usize + 1 } else { usize::MAX };
        let table = match self.rule.table(&matches, window.started_at, limit, self.run) {
            Ok(table) => table,
            Err(message) => {
                self.tell(message);
                return;
            }
        };
        for message in &table.warnings {
            self.tell(message.clone());
        }
        let alerts = self.alerts(&table, &matches, window, writer);
        if self.rule.alike.is_some() {
            self.is_cut = writer.offer_alike(alerts).contains(&Written::Full);
            return;
        }
        for alert in alerts {
            if writer.create(alert) == Written::Full {
                self.is_cut = !self.rule.is_aggregating;
                return;
            }
        }
    }

    fn warnings(&self) -> Vec<WarningKind> {
        self.messages.iter().map(|it| WarningKind::Pipeline { message: it.clone() }).collect()
    }
}

/// Why no alert is about the event.
pub(super) fn why_not(listed: &Listed, rule: &Esql, watched: &Watched, run: Run<'_>) -> Vec<Fate> {
    let events = &run.matches.events;
    let is_it = |it: &&ListedMatch| !it.is_copy && watched.is(events, it.event);
    if listed.all().iter().find(is_it).is_none_or(|it| it.at != watched.at) {
        return vec![Fate::Copy];
    }
    let Some(tick) = run.ticks.first_holding(watched.at.time) else { return vec![Fate::Unseen] };
    let window = run.ticks.window(tick);
    let residue = ResidueColumns::new(run, 0);
    let mut within = listed.within(&window, &residue);
    within.retain(|it| !it.is_copy && it.at.time >= window.from);
    let Some(own) = within.iter().find(|it| watched.is(events, it.event)).copied() else {
        return vec![Fate::NotThen];
    };
    vec![Fate::Dropped { command: rule.dropped_by(own, &within, window.started_at, run) }]
}
