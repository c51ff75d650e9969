//! How often documents have which values of some fields.

use ecs::{Millis, Shape, Wanted};
use sift::Document;

use crate::bounded::{Bounded, hash};

/// Combinations of values that are told apart.
pub const COMBINATIONS_MAX: usize = 1_000_000;
/// Combinations of one document: lists of values multiply.
pub const COMBINATIONS_OF_ONE_MAX: usize = 1_000;
/// Bytes of a value that are shown. Longer ones are told apart all the same.
const VALUE_BYTES_MAX: usize = 1_024;

/// Counts the values of fields, or the combinations of values of several. A document that has several values of a field
/// counts once for each; one without any counts for the missing value.
#[derive(Debug)]
pub struct FieldCounts {
    fields: Vec<String>,
    wanted: Wanted,
    counts: Bounded<Box<[Option<Box<str>>]>, Count>,
    left_out: LeftOut,
}

/// What the limits left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Whether there are more combinations than [`COMBINATIONS_MAX`]: those that are given are counted in full.
    pub combinations: bool,
    /// Documents with more combinations than [`COMBINATIONS_OF_ONE_MAX`], of which the first were counted.
    pub documents: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    count: u64,
    seen: Option<(Millis, Millis)>,
}

/// A combination of values, one of each field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// The values in the order of the fields; `None` stands for a missing one.
    pub values: Vec<Option<String>>,
    /// Documents that have it.
    pub count: u64,
    /// The times of the first and the last of them that has a time.
    pub seen: Option<(Millis, Millis)>,
}

impl FieldCounts {
    /// Of these fields. `_id` and `_index` are such, too.
    pub fn new(fields: &[String]) -> Self {
        let paths = fields.iter().enumerate().map(|(at, name)| (at as u32, name.as_str(), Shape::Leaf));
        Self {
            wanted: Wanted::new(paths),
            fields: fields.to_vec(),
            counts: Bounded::new(COMBINATIONS_MAX),
            left_out: LeftOut::default(),
        }
    }

    /// Counts a document; `time` is when its event took place, if that is known.
    pub fn add(&mut self, document: &Document, time: Option<Millis>) {
        let mut values: Vec<Vec<Option<String>>> = vec![Vec::new(); self.fields.len()];
        self.wanted.walk(&document.source, &mut |at, value| {
            values[at as usize].push(Some(value.text().into_owned()));
        });
        for (values, field) in values.iter_mut().zip(&self.fields) {
            match field.as_str() {
                "_id" => *values = vec![Some(document.id.clone())],
                "_index" => *values = vec![Some(document.index.clone())],
                _ => {}
            }
            values.sort_unstable();
            values.dedup();
            if values.is_empty() {
                values.push(None);
            }
        }
        let all = values.iter().fold(1_usize, |all, values| all.saturating_mul(values.len()));
        self.left_out.documents += u64::from(all > COMBINATIONS_OF_ONE_MAX);
        for number in 0..all.min(COMBINATIONS_OF_ONE_MAX) {
            let mut rest = number;
            let mut chosen: Vec<Option<&str>> = Vec::with_capacity(values.len());
            for values in values.iter().rev() {
                chosen.push(values[rest % values.len()].as_deref());
                rest /= values.len();
            }
            chosen.reverse();
            self.count(&chosen, time);
        }
    }

    fn count(&mut self, values: &[Option<&str>], time: Option<Millis>) {
        let mut key = Vec::new();
        for value in values {
            // No two combinations have the same bytes.
            let len = value.map_or(u64::MAX, |it| it.len() as u64);
            key.extend_from_slice(&len.to_le_bytes());
            key.extend_from_slice(value.unwrap_or_default().as_bytes());
        }
        let shown = || values.iter().map(|value| value.map(|it| cut(it).into())).collect();
        if let Some(count) = self.counts.get(hash(&key), shown) {
            count.count += 1;
            if let Some(time) = time {
                let (first, last) = count.seen.unwrap_or((time, time));
                count.seen = Some((first.min(time), last.max(time)));
            }
        }
    }

    /// The combinations, the most frequent first, then by their values; and what the limits left out.
    pub fn finish(self) -> (Vec<Combination>, LeftOut) {
        let left_out = LeftOut { combinations: self.counts.is_over(), ..self.left_out };
        let combination = |(values, Count { count, seen }): (Box<[Option<Box<str>>]>, Count)| Combination {
            values: values.into_vec().into_iter().map(|it| it.map(String::from)).collect(),
            count,
            seen,
        };
        let mut all: Vec<Combination> = self.counts.into_entries().map(combination).collect();
        all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.values.cmp(&b.values)));
        (all, left_out)
    }
}

/// The beginning of a value, if it is long.
pub(crate) fn cut(value: &str) -> String {
    if value.len() <= VALUE_BYTES_MAX {
        return value.to_owned();
    }
    let end = (0..=VALUE_BYTES_MAX).rev().find(|&at| value.is_char_boundary(at)).unwrap_or_default();
    format!("{}…", &value[..end])
}
