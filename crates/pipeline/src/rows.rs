//! Rows out of events: which of their values are the cells of which columns.
//!
//! A cell holds what Elasticsearch keeps of a field: what its type refuses is not there; keywords and addresses are sorted
//! and each stands there once; numbers, dates and booleans are sorted; texts stay as they were delivered.

use std::sync::Arc;

use ecs::date::{Format, Rounding};
use ecs::{Catalog, FieldType, Mapping, Object, Scalar as Delivered, Shape, Wanted};
use esql::Type;
use esql::resolved::{Metadata, Origin, Pipeline, Source};
use plan::{Expr, IgnoreAbove, NumberType};
use rustc_hash::FxHashMap;

use crate::block::Block;
use crate::cells::Text;
use crate::column::Column;
use crate::program::Program;
use crate::scalar::{Ip, Millis, Point, Scalar, Value, Version};

/// How many rows a block has.
pub const BLOCK_ROWS: usize = 4_096;

/// How many different texts of a column are shared between rows.
const TEXTS_MAX: usize = 65_536;

/// What an event has beside its fields.
#[derive(Clone, Copy, Debug)]
pub struct RowMetadata<'e> {
    /// `_id`.
    pub id: &'e str,
    /// `_index`.
    pub index: &'e str,
}

/// Makes blocks of events.
#[derive(Debug)]
pub struct Rows {
    columns: Vec<RowColumn>,
    /// The paths that are read, each with the column that it is for.
    paths: Vec<(String, u32)>,
    wanted: Wanted,
    /// What is asked of events, with the slots of the answers.
    searches: Vec<(Expr, usize, Vec<Value>)>,
    count: usize,
}

#[derive(Debug)]
struct RowColumn {
    slot: usize,
    ty: Type,
    from: From,
    texts: FxHashMap<Box<str>, Text>,
    current: Vec<Scalar>,
    values: Vec<Value>,
}

#[derive(Debug)]
enum From {
    Metadata(Metadata),
    Field(Stored),
}

/// How the values of a field are kept.
#[derive(Clone, Debug)]
enum Stored {
    Nothing,
    Constant(Text),
    Keyword { ignore_above: Option<IgnoreAbove>, lowercase: bool },
    Text,
    Number(NumberType),
    Boolean,
    Date(Format),
    Ip,
    Version,
    Place,
}

impl Stored {
    /// As a field is mapped.
    fn of(mapping: &Mapping) -> Self {
        if let Some(value) = &mapping.value {
            return Self::Constant(value.as_str().into());
        }
        match mapping.ty {
            FieldType::Keyword | FieldType::ConstantKeyword | FieldType::Wildcard => Self::Keyword {
                ignore_above: mapping.ignore_above.map(|it| IgnoreAbove::of(mapping.ty, it)),
                lowercase: mapping.lowercase,
            },
            FieldType::Text | FieldType::MatchOnlyText => Self::Text,
            FieldType::Date | FieldType::DateNanos => Self::Date(mapping.format.clone()),
            FieldType::Ip => Self::Ip,
            FieldType::Version => Self::Version,
            FieldType::GeoPoint => Self::Place,
            FieldType::Boolean => Self::Boolean,
            FieldType::Long
            | FieldType::Integer
            | FieldType::Short
            | FieldType::Byte
            | FieldType::UnsignedLong
            | FieldType::Double
            | FieldType::Float
            | FieldType::HalfFloat
            | FieldType::ScaledFloat => {
                NumberType::of(mapping.ty, mapping.scaling_factor).map_or(Self::Nothing, Self::Number)
            }
            FieldType::Flattened | FieldType::Nested | FieldType::Object => Self::Nothing,
        }
    }

    /// As a query needs a field that nobody has mapped.
    fn as_needed(ty: Type) -> Self {
        match ty {
            Type::Keyword => Self::Keyword { ignore_above: None, lowercase: false },
            Type::Text => Self::Text,
            Type::Boolean => Self::Boolean,
            Type::Integer => Self::Number(NumberType::Integer),
            Type::Long => Self::Number(NumberType::Long),
            Type::UnsignedLong => Self::Number(NumberType::UnsignedLong),
            Type::Double => Self::Number(NumberType::Double),
            Type::Datetime | Type::DateNanos => Self::Date(Format::default()),
            Type::Ip => Self::Ip,
            Type::Version => Self::Version,
            Type::GeoPoint => Self::Place,
            Type::Null | Type::DatePeriod | Type::TimeDuration | Type::Source | Type::Unsupported => {
                Self::Nothing
            }
        }
    }

    /// Whether values are sorted, and whether each stands there once.
    fn order(&self) -> (bool, bool) {
        match self {
            Self::Keyword { .. } | Self::Ip | Self::Version => (true, true),
            Self::Number(_) | Self::Boolean | Self::Date(_) => (true, false),
            Self::Text | Self::Place | Self::Constant(_) | Self::Nothing => (false, false),
        }
    }

    fn value(&self, ty: Type, value: Delivered<'_>, texts: &mut FxHashMap<Box<str>, Text>) -> Option<Scalar> {
        let mut share = |text: &str| -> Text {
            if let Some(known) = texts.get(text) {
                return Text::clone(known);
            }
            if texts.len() >= TEXTS_MAX {
                texts.clear();
            }
            let shared = Text::from(text);
            texts.insert(text.into(), Text::clone(&shared));
            shared
        };
        Some(match self {
            Self::Keyword { ignore_above, lowercase } => {
                let text = value.text();
                if ignore_above.is_some_and(|it| !it.fits(&text)) {
                    return None;
                }
                Scalar::Keyword(if *lowercase { share(&text.to_lowercase()) } else { share(&text) })
            }
            Self::Text => Scalar::Keyword(share(&value.text())),
            Self::Number(number) => {
                let key = number.index(value)?;
                match (number.value(key), ty) {
                    (Some(it), _) => Scalar::Double(it),
                    (None, Type::Integer) => Scalar::Integer(i32::try_from(key).ok()?),
                    (None, Type::UnsignedLong) => Scalar::UnsignedLong(u64::try_from(key).ok()?),
                    (None, Type::Double) => Scalar::Double(key as f64),
                    (None, _) => Scalar::Long(i64::try_from(key).ok()?),
                }
            }
            Self::Boolean => Scalar::Boolean(match value.text().as_ref() {
                "true" => true,
                "false" | "" => false,
                _ => return None,
            }),
            Self::Date(format) => {
                Scalar::Datetime(Millis(format.read(&value.text(), Rounding::Down, 0)?.millis))
            }
            Self::Ip => Scalar::Ip(Ip::parse(&value.text())?),
            Self::Version => Scalar::Version(Version(share(&value.text()))),
            Self::Place => Scalar::GeoPoint(place(&value.text())?),
            Self::Nothing | Self::Constant(_) => return None,
        })
    }
}

/// `lat,lon`, or `POINT (lon lat)`.
fn place(text: &str) -> Option<Point> {
    let Some((lat, lon)) = text.split_once(',') else { return Point::parse(text) };
    let (lat, lon): (f64, f64) = (lat.trim().parse().ok()?, lon.trim().parse().ok()?);
    (lat.abs() <= 90.0 && lon.abs() <= 180.0).then_some(Point { lon, lat })
}

impl Rows {
    /// For the columns that a query reads; fields are those of the catalogue.
    pub fn new(pipeline: &Pipeline, program: &Program, catalog: &Catalog) -> Self {
        let fields = match &pipeline.source {
            Source::Events { fields, .. } => fields.as_slice(),
            Source::Row(_) => &[],
        };
        let mut paths = Vec::new();
        let mut columns = Vec::new();
        for field in fields {
            let from = match &field.origin {
                Origin::Metadata(it) => From::Metadata(*it),
                Origin::Field { path, .. } => {
                    let number = columns.len() as u32;
                    let mapping = catalog.get(path);
                    match mapping.map(|it| it.sources.as_slice()) {
                        Some([]) | None => paths.push((path.clone(), number)),
                        Some(sources) => paths.extend(sources.iter().map(|it| (it.clone(), number))),
                    }
                    From::Field(mapping.map_or_else(|| Stored::as_needed(field.ty), Stored::of))
                }
            };
            columns.push(RowColumn {
                slot: field.slot.index(),
                ty: field.ty,
                from,
                texts: FxHashMap::default(),
                current: Vec::new(),
                values: Vec::new(),
            });
        }
        let wanted = Wanted::new(
            paths.iter().enumerate().map(|(at, (path, _))| (at as u32, path.as_str(), Shape::Leaf)),
        );
        let searches = program
            .searches()
            .iter()
            .map(|(condition, slot)| (condition.clone().into_expr(program.now()), *slot, Vec::new()));
        Self { columns, paths, wanted, searches: searches.collect(), count: 0 }
    }

    /// The paths that are read.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(|it| it.0.as_str())
    }

    /// Whether anything is asked of whole events, which only [`Rows::push`] answers.
    pub fn asks_events(&self) -> bool {
        !self.searches.is_empty()
    }

    /// Adds an event.
    pub fn push(&mut self, metadata: RowMetadata<'_>, event: &Object) {
        let (paths, columns) = (&self.paths, &mut self.columns);
        self.wanted.walk(event, &mut |at, value| columns[paths[at as usize].1 as usize].add(value));
        for (expr, _, answers) in &mut self.searches {
            answers.push(Value::One(Scalar::Boolean(plan::naive::matches(expr, event))));
        }
        self.end(metadata, Some(event));
    }

    /// Adds an event, of which the values of each of the [paths](Rows::paths) are given, by the path's number.
    pub fn push_values<'v>(
        &mut self,
        metadata: RowMetadata<'_>,
        values: impl Iterator<Item = (usize, Delivered<'v>)>,
    ) {
        for (path, value) in values {
            self.columns[self.paths[path].1 as usize].add(value);
        }
        self.end(metadata, None);
    }

    fn end(&mut self, metadata: RowMetadata<'_>, event: Option<&Object>) {
        self.count += 1;
        for column in &mut self.columns {
            column.end(metadata, event);
        }
    }

    /// Whether there are enough rows for a block.
    pub fn is_full(&self) -> bool {
        self.count >= BLOCK_ROWS
    }

    /// The rows that were added since the last block.
    pub fn take(&mut self) -> Block {
        let mut block = Block::new(self.count);
        self.count = 0;
        for column in &mut self.columns {
            let values = std::mem::take(&mut column.values);
            block.set(column.slot, Arc::new(Column::of_type(column.ty, values.iter())));
        }
        for (_, slot, answers) in &mut self.searches {
            let answers = std::mem::take(answers);
            block.set(*slot, Arc::new(Column::of_type(Type::Boolean, answers.iter())));
        }
        block
    }
}

impl RowColumn {
    fn add(&mut self, value: Delivered<'_>) {
        if let From::Field(stored) = &self.from {
            self.current.extend(stored.value(self.ty, value, &mut self.texts));
        }
    }

    fn end(&mut self, metadata: RowMetadata<'_>, event: Option<&Object>) {
        let text = |it: &str| Value::One(Scalar::Keyword(it.into()));
        let value = match &self.from {
            From::Metadata(Metadata::Id) => text(metadata.id),
            From::Metadata(Metadata::Index) => text(metadata.index),
            From::Metadata(Metadata::Version) => Value::One(Scalar::Long(1)),
            From::Metadata(Metadata::Score) => Value::One(Scalar::Double(1.0)),
            From::Metadata(Metadata::IndexMode) => text("standard"),
            From::Metadata(Metadata::Ignored) => Value::Null,
            From::Metadata(Metadata::Source) => {
                event.map_or(Value::Null, |it| text(&serde_json::to_string(it).unwrap_or_default()))
            }
            From::Field(Stored::Constant(it)) => Value::One(Scalar::Keyword(Text::clone(it))),
            From::Field(stored) => {
                let mut values = std::mem::take(&mut self.current);
                let (is_sorted, is_set) = stored.order();
                if is_sorted && values.len() > 1 {
                    values.sort_by(Scalar::order);
                }
                if is_set {
                    values.dedup();
                }
                Value::of(values)
            }
        };
        self.current.clear();
        self.values.push(value);
    }
}

#[cfg(test)]
mod tests {
    use esql::resolved::{self, Slot, SourceField};

    use super::*;
    use crate::{Limits, Tables};

    #[test]
    fn cells_are_what_is_stored() {
        let types = serde_json::json!({
            "k": "keyword", "t": "text", "n": "integer", "d": "date", "a": "ip", "b": "boolean", "h": "half_float",
        });
        let catalog = Catalog::from_types(types.as_object().unwrap()).unwrap();
        let names = [
            ("k", Type::Keyword),
            ("t", Type::Text),
            ("n", Type::Integer),
            ("d", Type::Datetime),
            ("a", Type::Ip),
            ("b", Type::Boolean),
            ("u", Type::Long),
        ];
        let field = |(at, (name, ty)): (usize, &(&str, Type))| SourceField {
            slot: Slot(at as u32),
            origin: Origin::Field { path: (*name).to_owned(), stored: None },
            ty: *ty,
        };
        let pipeline = Pipeline {
            text: "".into(),
            source: Source::Events {
                patterns: Vec::new(),
                fields: names.iter().enumerate().map(field).collect(),
            },
            steps: Vec::new(),
            output: names
                .iter()
                .enumerate()
                .map(|(at, (name, ty))| resolved::Column {
                    name: (*name).to_owned(),
                    slot: Slot(at as u32),
                    ty: *ty,
                })
                .collect(),
            slots: 7,
            is_limited: false,
            warnings: Vec::new(),
        };
        let program = Program::new(&pipeline, &Tables::new(), None, 0, Limits::default()).unwrap();
        let mut rows = Rows::new(&pipeline, &program, &catalog);
        let event = serde_json::json!({
            "k": ["b", "a", "b", 1.10], "t": ["z", "a", "z"], "n": [3, "1", 1.9, "x", 9_999_999_999_u64], "d": ["2024-01-02", 0],
            "a": ["10.0.0.1", "::1", "no", "10.0.0.1"], "b": [true, "false", "x"], "u": [2, 2, "q"],
        });
        rows.push(RowMetadata { id: "1", index: "i" }, event.as_object().unwrap());
        rows.push(
            RowMetadata { id: "2", index: "i" },
            serde_json::json!({"n": [], "k": null}).as_object().unwrap(),
        );
        let table = program.run([rows.take()]).unwrap();
        let cells: Vec<String> = table.row(0).map(|it| it.1.to_json().to_string()).collect();
        assert_eq!(
            cells,
            [
                r#"["1.1","a","b"]"#,
                r#"["z","a","z"]"#,
                "[1,1,3]",
                r#"["1970-01-01T00:00:00.000Z","2024-01-02T00:00:00.000Z"]"#,
                r#"["::1","10.0.0.1"]"#,
                "[false,true]",
                "[2,2]",
            ]
        );
        assert!(table.row(1).all(|it| it.1 == Value::Null));
    }
}
