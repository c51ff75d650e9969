//! Records that come by their columns.
//!
//! They were taken apart when they were stored, by the same normaliser, so a column says what filling it would. What is known
//! of a value is known of all records that have it: calls and guards are decided once for each value of a dictionary, and only
//! rows that may match are put into the block, with the columns that their calls need.
//!
//! ```text
//! 32,768 rows    calls: two columns       1,900 are left, of 7 calls that rules are about
//!  1,900 rows    guards: the key's column   310 are left
//!    310 rows    the columns of 7 calls     evaluated; 12 records are fetched, on which a verdict hangs
//! ```
//!
//! It would be wrong of a record whose column holds less than it has: of two names in `eventName` a column can tell one. Such
//! records are not given here; they come as texts ([`Worker::push`]).

use cloudtrail::Call;
use ecs::Shape;
use rustc_hash::FxHashMap;

use block::{RowInfo, Slot, Texts};

use crate::calls::{ACTION, ALL, PROVIDER};
use crate::index::CLOUDTRAIL;
use crate::record::{Kind, StoredRows};
use crate::rows::KeptRow;
use crate::sifted::Sink;
use crate::worker::Worker;

/// A row that may match, and the number of the part that its call needs.
type Picked = (u32, usize);

/// What is known of a guard and a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Unknown,
    Passes,
    Fails,
}

impl Worker<'_> {
    /// Takes records by their columns, which say all that these rows, ascending, have in their fields; the pass must be
    /// [of such](crate::Policy::Stored). A record is asked for where its columns leave a verdict open, or more is asked of a
    /// match. What was found is given to the sink at once. If something cannot be read, what hung on it counts as
    /// unreadable.
    pub fn push_stored<R: StoredRows>(
        &mut self,
        rows: &[u32],
        stored: &mut R,
        sink: &mut impl Sink,
    ) -> Result<(), R::Error> {
        debug_assert!(self.sift.stored.is_some(), "columns that are filled from records would stay empty");
        self.flush(sink);
        self.seen.counts.records += rows.len() as u64;
        self.seen.left_out.stored += rows.len() as u64;
        self.seen.cloudtrail |= !rows.is_empty();
        for &row in rows {
            self.see(stored.time(row));
        }
        let mut left = rows.len();
        let pushed = self.push_rows(rows, stored, sink, &mut left);
        if pushed.is_err() {
            self.seen.counts.unreadable += left as u64;
        }
        pushed
    }

    /// `left` are the rows of which it is not known yet what becomes of them.
    fn push_rows<R: StoredRows>(
        &mut self,
        rows: &[u32],
        stored: &mut R,
        sink: &mut impl Sink,
        left: &mut usize,
    ) -> Result<(), R::Error> {
        let picked = self.of_calls(rows, stored)?;
        let hopeless = rows.len() - picked.len();
        let all = picked.len();
        let picked = self.of_guards(picked, stored)?;
        let guarded = all - picked.len();
        self.seen.left_out.hopeless += hopeless as u64;
        self.seen.left_out.guarded += guarded as u64;
        self.seen.counts.unmatched += (hopeless + guarded) as u64;
        *left = picked.len();
        for picked in picked.chunks(self.block_rows()) {
            if let Err(error) = self.fill_picked(picked, stored) {
                self.abandon();
                return Err(error);
            }
            *left -= picked.len();
            self.flush_with(sink, &mut |wanted, give| {
                let its: Vec<u32> = wanted.iter().map(|&at| picked[at as usize].0).collect();
                let mut at = wanted.iter();
                stored.records(&its, &mut |text| {
                    if let Some(&at) = at.next() {
                        give(at, text);
                    }
                })
            })?;
        }
        Ok(())
    }

    /// The place of a column among the stored fields.
    fn field(&self, slot: Slot) -> Option<usize> {
        self.sift.stored.as_deref()?.iter().position(|(_, its)| *its == slot)
    }

    /// Those of the rows that some filter may match by their call.
    fn of_calls<R: StoredRows>(&mut self, rows: &[u32], stored: &mut R) -> Result<Vec<Picked>, R::Error> {
        // A part of the call that no filter asks for tells calls apart as little as if all had the same.
        let mut fields = [None, None];
        for (path, place) in [ACTION, PROVIDER].into_iter().zip(&mut fields) {
            let Some(slot) = self.sift.schema.get(path, Shape::Leaf) else { continue };
            let Some(field) = self.field(slot) else {
                return Ok(rows.iter().map(|&row| (row, ALL)).collect());
            };
            stored.read(field)?;
            *place = Some(field);
        }
        let [action, provider] = fields.map(|it| it.map(|field| stored.texts(field)));
        let text = |texts: Option<Texts<'_>>, row: u32| texts.and_then(|it| it.number(row));
        let mut parts: FxHashMap<(Option<u32>, Option<u32>), Option<usize>> = FxHashMap::default();
        let mut last = ((None, None), Some(ALL));
        let mut is_first = true;
        let mut picked = Vec::new();
        for &row in rows {
            let numbers = (text(action, row), text(provider, row));
            if is_first || numbers != last.0 {
                let by_call = &mut self.rows.by_call;
                let part = parts.entry(numbers).or_insert_with(|| {
                    let of = |texts: Option<Texts<'_>>, number: Option<u32>| match (texts, number) {
                        (None, _) => Some(String::new()),
                        (Some(texts), Some(number)) => Some(texts.text(number).to_owned()),
                        (Some(_), None) => None,
                    };
                    let (action, provider) = (of(action, numbers.0), of(provider, numbers.1));
                    let call = action.as_deref().zip(provider.as_deref());
                    by_call.part_of(call.map(|(action, provider)| Call { action, provider }))
                });
                (last, is_first) = ((numbers, *part), false);
            }
            picked.extend(last.1.map(|part| (row, part)));
        }
        Ok(picked)
    }

    /// Those of the rows that some guard of their part lets pass, if it has any.
    fn of_guards<R: StoredRows>(
        &mut self,
        mut picked: Vec<Picked>,
        stored: &mut R,
    ) -> Result<Vec<Picked>, R::Error> {
        let parts = parts_of(&picked);
        let own = |part: usize| self.rows.by_call.part(part).guards();
        let mut guards: Vec<usize> = parts.iter().flat_map(|&it| own(it)).copied().collect();
        guards.sort_unstable();
        guards.dedup();
        if guards.is_empty() {
            return Ok(picked);
        }
        let mut passes: Vec<bool> = picked.iter().map(|&(_, part)| own(part).is_empty()).collect();
        let has: Vec<Vec<bool>> = guards
            .iter()
            .map(|guard| by_part(&parts, |part| own(part).binary_search(guard).is_ok()))
            .collect();
        for (number, has) in guards.into_iter().zip(has) {
            let Some(slot) = self.rows.by_call.guard(number).map(|it| it.slot()) else { continue };
            // What guards is filled at once: what is not stored no record has.
            let Some(field) = self.field(slot) else { continue };
            stored.read(field)?;
            let texts = stored.texts(field);
            let Some(guard) = self.rows.by_call.guard(number) else { continue };
            let mut verdicts = vec![Verdict::Unknown; texts.ends.len()];
            for (&(row, part), passes) in picked.iter().zip(&mut passes) {
                if *passes || !has[part] {
                    continue;
                }
                let Some(number) = texts.number(row) else { continue };
                let verdict = &mut verdicts[number as usize];
                if *verdict == Verdict::Unknown {
                    let is_let = guard.lets_text_pass(texts.text(number));
                    *verdict = if is_let { Verdict::Passes } else { Verdict::Fails };
                }
                *passes = *verdict == Verdict::Passes;
            }
        }
        let mut passes = passes.into_iter();
        picked.retain(|_| passes.next().unwrap_or(true));
        Ok(picked)
    }

    /// Puts rows into the block, each with the columns that its call needs.
    fn fill_picked<R: StoredRows>(&mut self, picked: &[Picked], stored: &mut R) -> Result<(), R::Error> {
        let parts = parts_of(picked);
        let Self { sift, rows, builder, seen, .. } = self;
        for (field, (_, slot)) in sift.stored.iter().flatten().enumerate() {
            let needs = by_part(&parts, |part| rows.by_call.part(part).needs(*slot));
            if !needs.contains(&true) {
                continue;
            }
            stored.read(field)?;
            let texts = stored.texts(field);
            let numbers = picked.iter().map(|&(row, part)| texts.number(row).filter(|_| needs[part]));
            builder.push_texts(*slot, texts, numbers, &mut rows.known);
        }
        stored.read_ids()?;
        let ids = stored.ids();
        for &(row, part) in picked {
            builder.end_row(RowInfo {
                id: ids.number(row).map(|it| ids.text(it)).unwrap_or_default(),
                index: CLOUDTRAIL,
                timestamp: stored.time(row).unwrap_or_else(|| rows.read_at.time()),
                origin: stored.origin(row),
            });
            seen.left_out.empty_columns += rows.by_call.part(part).empty;
            rows.rows.push(KeptRow { kind: Kind::CloudTrail, text: 0..0, part, stashed: [None, None] });
        }
        Ok(())
    }
}

/// The parts of some rows, ascending.
fn parts_of(picked: &[Picked]) -> Vec<usize> {
    let mut parts: Vec<usize> = Vec::new();
    let mut last = None;
    for &(_, part) in picked {
        // Neighbours are alike.
        if last.replace(part) == Some(part) {
            continue;
        }
        if let Err(place) = parts.binary_search(&part) {
            parts.insert(place, part);
        }
    }
    parts
}

/// What is true of each of these parts, ascending, by its number.
fn by_part(parts: &[usize], is: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut all = vec![false; parts.last().map_or(0, |last| last + 1)];
    for &part in parts {
        all[part] = is(part);
    }
    all
}
