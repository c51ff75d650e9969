//! How a bucket is laid out: where folders are named by days, only those of the last days are looked through.

use bucket::{Address, BucketError, Client, Listing, Object};
use ecs::Millis;

/// So many folders are looked into, before it is given up to understand the layout.
const FOLDERS_MAX: usize = 2_000;
/// What was delivered since so long ago is looked through: whatever comes later is found when everything is listed.
const BACK_MS: Millis = 36 * 3_600_000;

/// Where new objects come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// Folders that have a folder for each year, and in these for each month and day.
    pub(super) dated: Vec<String>,
    /// Folders that have objects of their own.
    pub(super) flat: Vec<String>,
}

impl Layout {
    /// That of a bucket; nothing if there are too many folders to tell.
    pub(super) fn of(
        client: &Client,
        place: &Address,
        is_over: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, BucketError> {
        let mut layout = Self::default();
        let mut left = vec![place.key.clone()];
        let mut seen = 0;
        while let Some(prefix) = left.pop() {
            seen += 1;
            if seen > FOLDERS_MAX || is_over() {
                return Ok(None);
            }
            let (mut folders, mut has_objects) = (Vec::new(), false);
            client.list(&listing(place, &prefix, None, true), &mut |page| {
                folders.extend(page.folders);
                has_objects |= page.objects.iter().any(|it| it.key() != prefix);
                folders.len() <= FOLDERS_MAX
            })?;
            // Whoever begins with a slash, or has two, has a folder without a name.
            if has_objects || folders.is_empty() {
                layout.flat.push(prefix.clone());
            }
            let is_year = |it: &String| is_year(it[prefix.len()..].trim_end_matches('/'));
            if !folders.is_empty() && folders.iter().all(is_year) {
                layout.dated.push(prefix);
            } else {
                left.append(&mut folders);
            }
        }
        layout.dated.sort();
        layout.flat.sort();
        Ok(Some(layout))
    }

    /// Lists what may be new.
    pub(super) fn recent(
        &self,
        client: &Client,
        place: &Address,
        now: Millis,
        take: &mut dyn FnMut(Vec<Object>) -> bool,
    ) -> Result<(), BucketError> {
        let day = ecs::date::to_iso(now - BACK_MS);
        let day = day.get(..10).unwrap_or_default().replace('-', "/");
        let dated =
            self.dated.iter().map(|prefix| listing(place, prefix, Some(format!("{prefix}{day}")), false));
        let flat = self.flat.iter().map(|prefix| listing(place, prefix, None, true));
        let mut goes_on = true;
        for listing in dated.chain(flat) {
            client.list(&listing, &mut |page| {
                goes_on = take(page.objects);
                goes_on
            })?;
            if !goes_on {
                break;
            }
        }
        Ok(())
    }
}

pub(super) fn listing(place: &Address, prefix: &str, start_after: Option<String>, is_flat: bool) -> Listing {
    Listing { bucket: place.bucket.clone(), prefix: prefix.to_owned(), start_after, is_flat }
}

/// `2026`
fn is_year(name: &str) -> bool {
    name.len() == 4 && name.starts_with("20") && name.bytes().all(|it| it.is_ascii_digit())
}
