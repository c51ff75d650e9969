//! The end, told to all threads.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Says that it is time to stop.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    pub(crate) fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until it is time to stop.
    pub(crate) fn wait(&self, time: Duration) {
        let is_set = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(is_set, time, |is_set| !*is_set);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
