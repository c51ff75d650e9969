//! How many requests a key may make: so many in a second, and as many again at once after a while of silence.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use ecs::Millis;

/// What each key may still do. There are as many entries as there are keys that asked.
#[derive(Default)]
pub(crate) struct Rates(Mutex<BTreeMap<String, Bucket>>);

/// What a key may still do, in thousandths of requests.
struct Bucket {
    left: u64,
    last: Millis,
}

impl Rates {
    /// Takes one request of a key that may make `rate` in a second; or says after how many seconds it may come again.
    pub(crate) fn ask(&self, key: &str, rate: u64, now: Millis) -> Result<(), u64> {
        if rate == 0 {
            return Ok(());
        }
        let most = rate.saturating_mul(2_000);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let its = all.entry(key.to_owned()).or_insert(Bucket { left: most, last: now });
        // A clock that was set back gives nothing, and takes nothing.
        let passed = u64::try_from(now.saturating_sub(its.last)).unwrap_or(0);
        its.left = its.left.saturating_add(passed.saturating_mul(rate)).min(most);
        its.last = now;
        match its.left.checked_sub(1_000) {
            Some(left) => {
                its.left = left;
                Ok(())
            }
            None => Err((1_000 - its.left).div_ceil(rate).div_ceil(1_000).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_make_so_many() {
        let rates = Rates::default();
        let asks = |key: &str, now| (0..100).filter(|_| rates.ask(key, 10, now).is_ok()).count();
        assert_eq!(asks("a", 0), 20);
        assert_eq!(asks("b", 0), 20, "each has its own");
        assert_eq!(asks("a", 100), 1);
        assert_eq!(asks("a", 1_100), 10);
        assert_eq!(asks("a", 60_000), 20);
        assert_eq!(asks("a", 50_000), 0, "the clock was set back");
        assert_eq!(asks("a", 51_000), 10);
        assert_eq!(rates.ask("a", 10, 51_000), Err(1));
        assert_eq!((0..1_000).filter(|_| rates.ask("c", 0, 0).is_ok()).count(), 1_000);
    }
}
