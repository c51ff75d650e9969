//! Commands, but for `STATS`.

use std::collections::BTreeSet;
use std::sync::Arc;

use span::{Span, position};

use super::common::nearest;
use super::expression::Place;
use super::scope::Bound;
use super::{CheckErrorKind, Checker, TableColumn, Unmapped};
use crate::Type;
use crate::ast::{self, Command, CommandKind, Item, Literal, Name, Pattern, Text};
use crate::resolved::{
    Assign, Expr, ExprKind, Lookup, LookupKind, Metadata, Order, Origin, Slot, Source, StepKind,
};

impl Checker<'_> {
    /// The first command.
    pub(super) fn source(&mut self, kind: &CommandKind) -> Source {
        match kind {
            CommandKind::From { patterns, metadata } => {
                self.bind_fields();
                let mut seen = BTreeSet::new();
                for it in metadata {
                    let Some(known) = Metadata::from_name(&it.text) else {
                        self.error(CheckErrorKind::UnknownMetadata { name: it.text.clone() }, it.span);
                        continue;
                    };
                    if !seen.insert(known) {
                        self.error(CheckErrorKind::Repeated { name: it.text.clone() }, it.span);
                    }
                    let slot = self.slot(known.ty(), Some(Origin::Metadata(known)), None);
                    self.scope.put(known.as_str(), Bound::Column(slot, known.ty()));
                }
                // What events have beside their fields has to be asked for.
                self.gone.extend(Metadata::ALL.iter().map(|it| it.as_str().to_owned()));
                let pieces =
                    |it: &Text| it.text.split(',').map(|it| it.trim().to_owned()).collect::<Vec<_>>();
                Source::Events { patterns: patterns.iter().flat_map(pieces).collect(), fields: Vec::new() }
            }
            CommandKind::Row(items) => {
                self.is_open = self.unmapped == Unmapped::Null;
                self.no_events = Some("ROW");
                Source::Row(self.items(items))
            }
            // What is wrong with it has been said.
            _ => Source::Row(Vec::new()),
        }
    }

    /// Any other command.
    pub(super) fn command(&mut self, command: &Command) {
        let span = command.span;
        match &command.kind {
            CommandKind::Where(condition) => {
                if let Some(condition) = self.condition(condition, Place::Filter) {
                    self.step(StepKind::Where(condition), span);
                }
            }
            CommandKind::Eval(items) => {
                let assigns = self.items(items);
                self.step(StepKind::Eval(assigns), span);
            }
            CommandKind::Stats(stats) => {
                let stats = self.stats(stats, false);
                self.sorted = None;
                self.no_events = Some("STATS");
                self.step(StepKind::Stats(stats), span);
            }
            CommandKind::InlineStats(stats) => {
                let stats = self.stats(stats, true);
                self.no_events = Some("INLINE STATS");
                self.step(StepKind::InlineStats(stats), span);
            }
            CommandKind::Sort(orders) => {
                let orders = orders.iter().filter_map(|it| self.order(it)).collect();
                self.step(StepKind::Sort(orders), span);
                self.sorted = Some(span);
            }
            CommandKind::Limit(limit) => {
                self.is_limited = true;
                self.no_events = Some("LIMIT");
                match limit.kind {
                    ast::ExprKind::Literal(Literal::Integer(it))
                        if (0..=i128::from(i32::MAX)).contains(&it) =>
                    {
                        self.step(StepKind::Limit(u64::try_from(it).unwrap_or(0)), span);
                    }
                    _ => self.error(CheckErrorKind::Limit, limit.span),
                }
            }
            CommandKind::Keep(patterns) => {
                for it in patterns {
                    self.is_there(it);
                }
                self.scope.keep(patterns);
                self.is_open &= patterns.iter().any(Pattern::is_all);
            }
            CommandKind::Drop(patterns) => self.drop_columns(patterns),
            CommandKind::Rename(renames) => {
                for it in renames {
                    if self.known(&it.old).is_some() {
                        self.gone.insert(it.old.text.clone());
                        self.scope.rename(&it.old.text, &it.new.text);
                    }
                }
            }
            CommandKind::MvExpand(name) => {
                if let Some((from, ty)) = self.known(name) {
                    let to = self.slot(ty.without_text(), None, None);
                    self.scope.replace(&name.text, Bound::Column(to, ty));
                    self.step(StepKind::MvExpand { from, to }, span);
                }
            }
            CommandKind::Dissect { input, pattern, separator } => {
                self.dissect(input, pattern, separator.as_ref(), span);
            }
            CommandKind::Grok { input, patterns } => self.grok(input, patterns, span),
            CommandKind::LookupJoin { table, on } => self.lookup_join(table, on, span),
            CommandKind::Enrich { policy, on, with } => self.enrich(policy, on.as_ref(), with, span),
            CommandKind::From { .. } | CommandKind::Row(_) => {}
        }
    }

    /// `a = 1, b = a + 1`
    fn items(&mut self, items: &[Item]) -> Vec<Assign> {
        let mut assigns = Vec::new();
        for it in items {
            let name = Self::item_name(it);
            let value = self.expression(&it.value, Place::Row).and_then(|value| self.storable(value));
            match value {
                Some(value) => {
                    let slot = self.put(&name, &value);
                    assigns.push(Assign { slot, value });
                }
                None => self.scope.put(&name, Bound::Broken),
            }
        }
        assigns
    }

    /// What an item is called.
    pub(super) fn item_name(it: &Item) -> String {
        match (&it.name, &it.value.kind) {
            (Some(name), _) | (None, ast::ExprKind::Column(name)) => name.text.clone(),
            (None, _) => it.text.clone(),
        }
    }

    /// A value that a column can have.
    fn storable(&mut self, value: Expr) -> Option<Expr> {
        if value.ty.is_span() {
            self.error(CheckErrorKind::SpanColumn { ty: value.ty }, value.span);
            return None;
        }
        self.value(value)
    }

    fn order(&mut self, it: &ast::Order) -> Option<Order> {
        let value = self.expression(&it.value, Place::Row)?;
        if matches!(value.ty, Type::GeoPoint | Type::Source | Type::Unsupported) || value.ty.is_span() {
            self.error(CheckErrorKind::Unsortable { ty: value.ty }, value.span);
            return None;
        }
        Some(Order { value, descending: it.descending, nulls_first: it.nulls_first.unwrap_or(it.descending) })
    }

    /// Whether anything is called so; if not, that is said.
    fn is_there(&mut self, pattern: &Pattern) {
        if let Some(name) = pattern.as_name() {
            let name = name.to_owned();
            self.column(&name, pattern.span);
            return;
        }
        let is_known = self.scope.names().any(|it| pattern.matches(it));
        // Events may have fields of that kind that nobody has mapped.
        let may_be = self.is_open && self.unmapped != Unmapped::Wrong;
        if !is_known && !may_be && !pattern.is_all() {
            let written = self.text[pattern.span.range()].to_owned();
            self.error(CheckErrorKind::NoMatch { pattern: written }, pattern.span);
        }
    }

    fn drop_columns(&mut self, patterns: &[Pattern]) {
        for it in patterns {
            if it.is_all() {
                self.error(CheckErrorKind::DropAll, it.span);
                continue;
            }
            // What an earlier item has dropped may be named again.
            let is_again = it.as_name().is_some_and(|name| self.gone.contains(name));
            if !is_again {
                self.is_there(it);
            }
            let names: Vec<String> =
                self.scope.names().filter(|name| it.matches(name)).map(str::to_owned).collect();
            for name in names {
                self.scope.remove(&name);
                self.gone.insert(name);
            }
        }
    }

    /// A text that is taken apart.
    fn taken_apart(&mut self, input: &ast::Expr, function: &'static str) -> Option<Expr> {
        let input = self.expression(input, Place::Row)?;
        let input = self.value(input)?;
        if !input.ty.is_string() && input.ty != Type::Null && !self.wish(&input, Type::Keyword) {
            let (argument, expected) = ("input".to_owned(), "a text".to_owned());
            self.error(
                CheckErrorKind::ArgumentType { function, argument, expected, found: input.ty },
                input.span,
            );
            return None;
        }
        Some(input)
    }

    fn dissect(&mut self, input: &ast::Expr, pattern: &Text, separator: Option<&Text>, span: Span) {
        let input = self.taken_apart(input, "DISSECT");
        let separator: Arc<str> = separator.map_or_else(|| "".into(), |it| Arc::clone(&it.text));
        match extract::Dissect::new(&pattern.text, &separator) {
            Ok(read) => {
                let outputs = read.outputs().iter().map(|it| self.new_column(it, Type::Keyword)).collect();
                if let Some(input) = input {
                    let (text, pattern_span) = (Arc::clone(&pattern.text), pattern.span);
                    self.step(
                        StepKind::Dissect { input, pattern: text, pattern_span, separator, outputs },
                        span,
                    );
                }
            }
            Err(error) => self.error(CheckErrorKind::Pattern(error.to_string()), pattern.span),
        }
    }

    fn grok(&mut self, input: &ast::Expr, patterns: &[Text], span: Span) {
        let input = self.taken_apart(input, "GROK");
        let texts: Vec<&str> = patterns.iter().map(|it| &*it.text).collect();
        match extract::Grok::new(&texts) {
            Ok(read) => {
                let outputs = read
                    .outputs()
                    .iter()
                    .map(|it| {
                        let ty = match it.kind {
                            extract::Kind::Keyword => Type::Keyword,
                            extract::Kind::Integer => Type::Integer,
                            extract::Kind::Long => Type::Long,
                            extract::Kind::Double => Type::Double,
                            extract::Kind::Boolean => Type::Boolean,
                        };
                        self.new_column(&it.name, ty)
                    })
                    .collect();
                if let Some(input) = input {
                    let patterns = patterns.iter().map(|it| (Arc::clone(&it.text), it.span)).collect();
                    self.step(StepKind::Grok { input, patterns, outputs }, span);
                }
            }
            Err(error) => {
                // Of several the one that is wrong by itself.
                let wrong = patterns.iter().find(|it| extract::Grok::new(&[&it.text]).is_err());
                self.error(CheckErrorKind::Pattern(error.to_string()), wrong.map_or(span, |it| it.span));
            }
        }
    }

    fn lookup_join(&mut self, table: &Text, on: &[Name], span: Span) {
        self.no_events = Some("LOOKUP JOIN");
        if let Some(sorted) = self.sorted {
            let at = position(self.text, sorted.start);
            self.warnings.push(format!(
                "Line {}:{}: SORT is followed by a LOOKUP JOIN which does not preserve order; add another SORT after the \
                 LOOKUP JOIN if order is required",
                at.line, at.column
            ));
        }
        let sources = self.sources;
        let Some(columns) = sources.tables.get(&*table.text) else {
            let similar = nearest(&table.text, sources.tables.keys().map(String::as_str)).map(str::to_owned);
            self.error(CheckErrorKind::UnknownTable { name: table.text.to_string(), similar }, table.span);
            return;
        };
        let mut keys = Vec::new();
        for it in on {
            let here = match self.bound(&it.text) {
                Some(Bound::Column(slot, ty)) => Some((slot, ty)),
                Some(Bound::Broken) => None,
                None => {
                    self.error(CheckErrorKind::NoKey { side: "left side", name: it.text.clone() }, it.span);
                    None
                }
            };
            let Some(there) = columns.iter().find(|column| column.name == it.text) else {
                self.error(CheckErrorKind::NoKey { side: "table", name: it.text.clone() }, it.span);
                continue;
            };
            if let Some((slot, ty)) = here {
                self.is_key(slot, ty, there.ty, it.span);
                keys.push((slot, it.text.clone()));
            }
        }
        let others: Vec<TableColumn> =
            columns.iter().filter(|it| on.iter().all(|key| key.text != it.name)).cloned().collect();
        let adds = others
            .iter()
            .map(|it| {
                let column = self.new_column(&it.name, it.ty);
                (it.name.clone(), column.slot, it.ty)
            })
            .collect();
        let table = table.text.to_string();
        self.step(StepKind::Lookup(Lookup { kind: LookupKind::Join, table, on: keys, adds }), span);
    }

    fn enrich(&mut self, policy: &Text, on: Option<&Name>, with: &[(Option<Name>, Name)], span: Span) {
        let sources = self.sources;
        // `_coordinator:policy` says where it runs.
        let name = policy.text.split_once(':').map_or(&*policy.text, |(_, name)| name);
        let Some(known) = sources.policies.get(name) else {
            let similar = nearest(name, sources.policies.keys().map(String::as_str)).map(str::to_owned);
            self.error(CheckErrorKind::UnknownPolicy { name: name.to_owned(), similar }, policy.span);
            return;
        };
        let (key, key_span) =
            on.map_or((known.key.name.as_str(), policy.span), |it| (it.text.as_str(), it.span));
        let here = self.column(key, key_span);
        if let Some((slot, ty)) = here {
            self.is_key(slot, ty, known.key.ty, key_span);
        }
        let mut wanted: Vec<(String, TableColumn)> = Vec::new();
        for (name, column) in with {
            match known.columns.iter().find(|it| it.name == column.text) {
                Some(it) => wanted.push((name.as_ref().unwrap_or(column).text.clone(), it.clone())),
                None => self
                    .error(CheckErrorKind::NoKey { side: "policy", name: column.text.clone() }, column.span),
            }
        }
        if with.is_empty() {
            wanted = known.columns.iter().map(|it| (it.name.clone(), it.clone())).collect();
        }
        let adds = wanted
            .into_iter()
            .map(|(name, column)| {
                let added = self.new_column(&name, column.ty);
                (column.name, added.slot, column.ty)
            })
            .collect();
        if let Some((slot, _)) = here {
            let on = vec![(slot, known.key.name.clone())];
            self.step(
                StepKind::Lookup(Lookup { kind: LookupKind::Enrich, table: name.to_owned(), on, adds }),
                span,
            );
        }
    }

    /// Whether a column can be equal to one of a table; if not, that is said.
    fn is_key(&mut self, slot: Slot, here: Type, there: Type, span: Span) {
        let is_same = here.without_text() == there.without_text()
            || here.is_numeric() && there.is_numeric()
            || [here, there].contains(&Type::Null);
        let value = Expr { kind: ExprKind::Column(slot), ty: here, span };
        if !is_same && !self.wish(&value, there) {
            self.error(CheckErrorKind::Operands { operator: "ON", left: here, right: there }, span);
        }
    }
}
