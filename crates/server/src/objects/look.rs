//! A bucket that is looked through.

use std::time::{Duration, Instant};

use bucket::{BucketError, Object};
use reader::{Remote as _, S3Key, keep_records};
use serde_json::Value;

use super::Objects;
use super::layout::{Layout, listing};
use super::take::{How, Outcome};

/// How long it is believed that new objects come where the last ones did.
const LAYOUT_KEPT: Duration = Duration::from_secs(600);
/// How long to wait after something went wrong with a bucket that is seldom listed.
const AFTER_TROUBLE: Duration = Duration::from_secs(60);

impl Objects {
    /// Looks through the bucket until it is to stop.
    pub(super) fn look_through(&self) {
        let (listing, reconcile) =
            (Duration::from_millis(self.config.listing_ms), Duration::from_millis(self.config.reconcile_ms));
        let mut told = None;
        let mut layout: Option<(Instant, Option<Layout>)> = None;
        // By a clock that nobody sets.
        let mut listed: Option<Instant> = None;
        while !self.stop.is_set() {
            let is_due = listed.is_none_or(|it| it.elapsed() >= reconcile);
            let result = if is_due {
                let begun = Instant::now();
                let how = if listed.is_some() { How::Reconciled } else { How::Listed };
                self.all(how).inspect(|()| listed = Some(begun))
            } else if self.config.queue.is_none() {
                self.recent(&mut layout)
            } else {
                Ok(())
            };
            let is_wrong = result.is_err();
            self.tell(&mut told, result);
            let left = listed.map_or(Duration::ZERO, |it| reconcile.saturating_sub(it.elapsed()));
            let wait = match &self.config.queue {
                None => listing.min(if is_wrong { listing } else { left.max(Duration::from_millis(100)) }),
                Some(_) if is_wrong => listing.min(AFTER_TROUBLE),
                Some(_) => left.max(Duration::from_millis(100)),
            };
            self.stop.wait(wait);
        }
    }

    /// Lists everything, and takes what is missing.
    fn all(&self, how: How) -> Result<(), BucketError> {
        let (client, place) = (self.client()?, self.place()?);
        let mut count = 0;
        let mut missing = 0;
        client.list(&listing(&place, &place.key, None, false), &mut |page| {
            count += page.objects.len() as u64;
            missing += self.consider(page.objects, how);
            !self.stop.is_set()
        })?;
        if self.stop.is_set() {
            return Ok(());
        }
        let now = (self.clock)();
        self.source.bucket(|it| (it.reconciled_ms, it.objects) = (Some(now), count));
        let details = [
            ("source", Value::from(self.source.name())),
            ("objects", count.into()),
            ("taken", missing.into()),
        ];
        self.log.info("SRV051", "all objects of the bucket were listed", &details);
        Ok(())
    }

    /// Looks where new objects come, and takes them.
    fn recent(&self, kept: &mut Option<(Instant, Option<Layout>)>) -> Result<(), BucketError> {
        let (client, place) = (self.client()?, self.place()?);
        if kept.as_ref().is_none_or(|it| it.0.elapsed() >= LAYOUT_KEPT) {
            let layout = Layout::of(&client, &place, &|| self.stop.is_set())?;
            *kept = Some((Instant::now(), layout));
        }
        let mut take = |objects| {
            self.consider(objects, How::Listed);
            !self.stop.is_set()
        };
        match kept.as_ref().and_then(|it| it.1.as_ref()) {
            Some(layout) => layout.recent(&client, &place, (self.clock)(), &mut take),
            None => client.list(&listing(&place, &place.key, None, false), &mut |page| take(page.objects)),
        }
    }

    /// Takes those of the objects that are not done with; how many were stored.
    fn consider(&self, objects: Vec<Object>, how: How) -> u64 {
        let now = (self.clock)();
        let mut left = objects;
        {
            let memory = self.memory();
            left.retain(|it| !memory.is_done(it) && memory.is_due(it, now) && self.is_wanted(it));
        }
        if left.is_empty() {
            return 0;
        }
        let all = left.clone();
        let (due, _) = keep_records(&self.config.url, None, left, |it| it);
        if due.len() < all.len() {
            let mut memory = self.memory();
            let kept: std::collections::HashSet<&str> = due.iter().map(reader::Remote::address).collect();
            all.iter().filter(|it| !kept.contains(it.address())).for_each(|it| memory.done(it));
        }
        match self.take(&due, how) {
            Ok(outcomes) => outcomes.iter().filter(|it| **it == Outcome::Done).count() as u64,
            Err(error) => {
                self.source.failed(now, &error);
                self.log.error("SRV052", &error, &[("source", Value::from(self.source.name()))]);
                0
            }
        }
    }

    /// Whether it may hold what is asked for.
    pub(super) fn is_wanted(&self, object: &Object) -> bool {
        let Some(since) = self.config.since_ms else { return true };
        match S3Key::parse(std::path::Path::new(object.key())) {
            Some(key) => key.may_hold(since),
            None => object.modified_ms() >= since,
        }
    }
}
