//! Names and types: a tree becomes a pipeline.

mod call;
mod command;
mod common;
mod error;
mod expression;
mod live;
mod scope;
mod search;
mod stats;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ecs::{Catalog, Dynamic, FieldType, Resolved};
use plan::FieldUse;
use span::{Diagnostic, Span};

use crate::ast::{self, Ast, Name};
use crate::resolved::{Column, Expr, ExprKind, Origin, Pipeline, Slot, Source, SourceField, Step, StepKind};
use crate::{Function, Returns, Type, parse};

pub(crate) use error::{CheckError, CheckErrorKind};
use scope::{Bound, Scope};

/// What a query may ask.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The fields of events. Where it takes fields that it does not know, a query has columns of any name, of the type that it
    /// needs.
    pub fields: Arc<Catalog>,
    /// The tables of `LOOKUP JOIN`, with their columns in order.
    pub tables: BTreeMap<String, Vec<TableColumn>>,
    /// The policies of `ENRICH`.
    pub policies: BTreeMap<String, Policy>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A policy of `ENRICH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What the column must be equal to.
    pub key: TableColumn,
    /// What it adds.
    pub columns: Vec<TableColumn>,
}

impl Sources {
    /// Only events with these fields.
    pub fn of(fields: &Arc<Catalog>) -> Self {
        Self { fields: Arc::clone(fields), tables: BTreeMap::new(), policies: BTreeMap::new() }
    }
}

/// Parses a query and checks it. Else all that is wrong with it, by the place in its text.
pub fn pipeline(text: &str, sources: &Sources) -> Result<Pipeline, Vec<Diagnostic>> {
    let ast = parse(text).map_err(|errors| errors.to_diagnostics(text))?;
    resolve(&ast, text, sources)
}

/// Checks a query. `text` is that which it was parsed from.
pub fn resolve(ast: &Ast, text: &str, sources: &Sources) -> Result<Pipeline, Vec<Diagnostic>> {
    let known = Known { fields: &sources.fields, tables: &sources.tables, policies: &sources.policies };
    resolve_with(ast, text, known)
}

/// As [`resolve`], of events alone.
pub(crate) fn resolve_on(ast: &Ast, text: &str, fields: &Catalog) -> Result<Pipeline, Vec<Diagnostic>> {
    resolve_with(ast, text, Known { fields, tables: &BTreeMap::new(), policies: &BTreeMap::new() })
}

/// The fields of events that a query names, in the order of its text, whatever there is.
pub(crate) fn uses(ast: &Ast, text: &str) -> Vec<FieldUse> {
    let (fields, assumed) = (Catalog::default(), BTreeMap::new());
    let known = Known { fields: &fields, tables: &BTreeMap::new(), policies: &BTreeMap::new() };
    let mut checker = Checker::new(text, known, &assumed);
    // Then any name is a field, unless a column is called so.
    checker.unmapped = Unmapped::AsNeeded;
    checker.query(ast);
    let mut uses = checker.uses;
    uses.sort_by_key(|it| it.span);
    uses.dedup();
    uses
}

/// What a query may ask, as it is looked at.
#[derive(Clone, Copy, Debug)]
struct Known<'a> {
    fields: &'a Catalog,
    tables: &'a BTreeMap<String, Vec<TableColumn>>,
    policies: &'a BTreeMap<String, Policy>,
}

fn resolve_with(ast: &Ast, text: &str, sources: Known<'_>) -> Result<Pipeline, Vec<Diagnostic>> {
    let mut assumed = BTreeMap::new();
    loop {
        let mut checker = Checker::new(text, sources, &assumed);
        let found = checker.query(ast);
        // A field of which nothing is known is of the type that the query needs it to be.
        let wishes = std::mem::take(&mut checker.wishes);
        let errors = std::mem::take(&mut checker.errors);
        let known = assumed.len();
        for (path, ty) in wishes {
            assumed.entry(path).or_insert(ty);
        }
        if assumed.len() > known {
            continue;
        }
        if errors.is_empty() {
            return Ok(found);
        }
        let mut errors: Vec<Diagnostic> = errors.into_iter().map(CheckError::into_diagnostic).collect();
        errors.sort_by_key(Diagnostic::span);
        errors.dedup();
        return Err(errors);
    }
}

/// What becomes of a name that no field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unmapped {
    /// It is wrong.
    Wrong,
    /// It is a field of the type that is needed.
    AsNeeded,
    /// It is null.
    Null,
}

/// What is known of a slot.
#[derive(Clone, Debug)]
struct SlotInfo {
    ty: Type,
    /// Where its values come from, if from events.
    origin: Option<Origin>,
    /// What it is a copy of.
    same_as: Option<Slot>,
}

struct Checker<'a> {
    text: &'a str,
    sources: Known<'a>,
    assumed: &'a BTreeMap<String, Type>,
    unmapped: Unmapped,
    scope: Scope,
    slots: Vec<SlotInfo>,
    steps: Vec<Step>,
    /// Whether a name that is not in scope may be a field of the events.
    is_open: bool,
    /// Names that were fields and are none any more.
    gone: BTreeSet<String>,
    /// The command behind which rows are no events any more, and searches make no sense.
    no_events: Option<&'static str>,
    /// What unmapped fields have to be.
    wishes: BTreeMap<String, Type>,
    /// Where fields are named.
    uses: Vec<FieldUse>,
    errors: Vec<CheckError>,
    warnings: Vec<String>,
    is_limited: bool,
    /// The last SORT that nothing has undone.
    sorted: Option<Span>,
    /// What is told of groups, within `STATS`.
    telling: Option<stats::Telling>,
}

impl<'a> Checker<'a> {
    fn new(text: &'a str, sources: Known<'a>, assumed: &'a BTreeMap<String, Type>) -> Self {
        let unmapped = match sources.fields.dynamic() {
            Dynamic::Off => Unmapped::Wrong,
            Dynamic::Keywords | Dynamic::Text => Unmapped::AsNeeded,
        };
        Self {
            text,
            sources,
            assumed,
            unmapped,
            scope: Scope::default(),
            slots: Vec::new(),
            steps: Vec::new(),
            is_open: false,
            gone: BTreeSet::new(),
            no_events: None,
            wishes: BTreeMap::new(),
            uses: Vec::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
            is_limited: false,
            sorted: None,
            telling: None,
        }
    }

    fn query(&mut self, ast: &Ast) -> Pipeline {
        for it in &ast.settings {
            self.setting(it);
        }
        let mut source = Source::Row(Vec::new());
        for (at, command) in ast.commands.iter().enumerate() {
            if at == 0 {
                source = self.source(&command.kind);
            } else {
                self.command(command);
            }
        }
        let output = self.scope.columns();
        let mut pipeline = Pipeline {
            text: self.text.into(),
            source,
            steps: std::mem::take(&mut self.steps),
            output,
            slots: u32::try_from(self.slots.len()).unwrap_or(u32::MAX),
            is_limited: self.is_limited,
            warnings: std::mem::take(&mut self.warnings),
        };
        let read = live::mark(&mut pipeline);
        if let Source::Events { fields, .. } = &mut pipeline.source {
            for (at, info) in self.slots.iter().enumerate() {
                let slot = Slot(u32::try_from(at).unwrap_or(u32::MAX));
                if let Some(origin) = info.origin.clone().filter(|_| read.contains(&slot)) {
                    fields.push(SourceField { slot, origin, ty: info.ty });
                }
            }
        }
        pipeline
    }

    fn setting(&mut self, it: &ast::Setting) {
        let value = match &it.value {
            ast::Literal::Text(text) => text.to_ascii_lowercase(),
            other => other.to_string(),
        };
        match (it.name.to_ascii_lowercase().as_str(), value.as_str()) {
            ("unmapped_fields", "nullify") => self.unmapped = Unmapped::Null,
            ("unmapped_fields", "fail" | "default") => self.unmapped = Unmapped::Wrong,
            ("unmapped_fields", "load") => self.unmapped = Unmapped::AsNeeded,
            ("unmapped_fields", _) => {
                self.error(CheckErrorKind::OptionValue { name: it.name.clone(), value }, it.span);
            }
            _ => self.error(CheckErrorKind::UnknownSetting { name: it.name.clone() }, it.span),
        }
    }

    fn error(&mut self, kind: CheckErrorKind, span: Span) {
        self.errors.push(kind.at(span));
    }

    fn slot(&mut self, ty: Type, origin: Option<Origin>, same_as: Option<Slot>) -> Slot {
        let slot = Slot(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push(SlotInfo { ty, origin, same_as });
        slot
    }

    /// A slot for the values of an expression.
    fn slot_of(&mut self, value: &Expr) -> Slot {
        self.slot(value.ty, None, shown(value))
    }

    /// All fields as columns.
    fn bind_fields(&mut self) {
        for (path, mapping) in self.sources.fields.iter() {
            let is_object = mapping.nested.is_some();
            if let Some(ty) = Type::of_field(mapping.ty).filter(|_| !is_object) {
                let origin = Origin::Field { path: path.to_owned(), stored: Some(mapping.ty) };
                let slot = self.slot(ty, Some(origin), None);
                self.scope.put(path, Bound::Column(slot, ty));
            }
        }
        self.is_open = true;
    }

    /// What a name stands for; what is wrong with it is said.
    fn column(&mut self, name: &str, span: Span) -> Option<(Slot, Type)> {
        match self.bound(name) {
            Some(Bound::Column(slot, ty)) => {
                if self.field_of(slot, name).is_some() {
                    self.uses.push(FieldUse { name: name.to_owned(), span, may_be_object: false });
                }
                Some((slot, ty))
            }
            Some(Bound::Broken) => None,
            None => {
                let similar = common::nearest(name, self.scope.names()).map(str::to_owned);
                self.error(CheckErrorKind::UnknownColumn { name: name.to_owned(), similar }, span);
                None
            }
        }
    }

    /// What a name stands for, or would, if it is a field that is not mapped.
    fn bound(&mut self, name: &str) -> Option<Bound> {
        if let Some(bound) = self.scope.get(name) {
            return Some(bound);
        }
        if !self.is_open || self.gone.contains(name) {
            return None;
        }
        let ty = match self.unmapped {
            Unmapped::Wrong => return None,
            Unmapped::Null => Type::Null,
            Unmapped::AsNeeded => match self.sources.fields.resolve(name) {
                Resolved::Unmapped => self.assumed.get(name).copied().unwrap_or(Type::Keyword),
                // It can be known, and is no column.
                Resolved::Field(_) | Resolved::FlattenedKey { .. } | Resolved::Object => return None,
            },
        };
        let slot = self.slot(ty, Some(Origin::Field { path: name.to_owned(), stored: None }), None);
        let bound = Bound::Column(slot, ty);
        self.scope.put(name, bound);
        Some(bound)
    }

    /// The path of the field that a column shows as it is.
    fn field_of(&self, slot: Slot, name: &str) -> Option<&str> {
        match &self.slots[slot.index()].origin {
            Some(Origin::Field { path, .. }) if path == name => Some(path),
            Some(Origin::Field { .. } | Origin::Metadata(_)) | None => None,
        }
    }

    /// Notes that a field of which nothing is known has to be of a type. Whether it was one.
    fn wish(&mut self, value: &Expr, ty: Type) -> bool {
        let Some(mut slot) = shown(value) else { return false };
        while let Some(source) = self.slots[slot.index()].same_as {
            slot = source;
        }
        let info = &self.slots[slot.index()];
        let Some(Origin::Field { path, stored: None }) = &info.origin else { return false };
        if self.unmapped != Unmapped::AsNeeded || self.assumed.contains_key(path) || info.ty == ty {
            return false;
        }
        self.wishes.entry(path.clone()).or_insert(ty);
        true
    }

    /// How the column of an unsupported type is stored.
    fn stored_as(&self, slot: Slot) -> String {
        match &self.slots[slot.index()].origin {
            Some(Origin::Field { stored: Some(stored), .. }) => FieldType::name(*stored).to_owned(),
            Some(Origin::Metadata(it)) => it.as_str().to_owned(),
            Some(Origin::Field { stored: None, .. }) | None => Type::Unsupported.to_string(),
        }
    }

    fn step(&mut self, kind: StepKind, span: Span) {
        self.steps.push(Step { kind, span, live: Vec::new() });
    }

    /// A new column that is computed.
    fn put(&mut self, name: &str, value: &Expr) -> Slot {
        let slot = self.slot_of(value);
        self.scope.put(name, Bound::Column(slot, value.ty));
        slot
    }

    fn new_column(&mut self, name: &str, ty: Type) -> Column {
        let slot = self.slot(ty, None, None);
        self.scope.put(name, Bound::Column(slot, ty));
        Column { name: name.to_owned(), slot, ty }
    }

    fn known(&mut self, name: &Name) -> Option<(Slot, Type)> {
        self.column(&name.text, name.span)
    }
}

/// The column whose values an expression shows, or some of them.
fn shown(value: &Expr) -> Option<Slot> {
    match &value.kind {
        ExprKind::Column(slot) => Some(*slot),
        ExprKind::Call { function, arguments, .. } => shown_by(*function, arguments),
        ExprKind::Constant(_) | ExprKind::Search(_) => None,
    }
}

/// The column whose values a function shows, so that it is of the type that is needed of these.
fn shown_by(function: Function, arguments: &[Expr]) -> Option<Slot> {
    match function.spec().returns {
        Returns::Same(at) => arguments.get(at).and_then(shown),
        Returns::Common(_) => arguments.iter().find_map(shown),
        Returns::Own if function == Function::Top => arguments.first().and_then(shown),
        Returns::Is(_) | Returns::Widest | Returns::Sum | Returns::Own => None,
    }
}
