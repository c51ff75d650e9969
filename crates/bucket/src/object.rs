//! An object, as it was listed: read when it is asked for, or fetched before.

use std::any::Any;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use reader::{Begun, Remote, RemoteBody, RemoteError};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;

use crate::fetch::{WHOLE_BYTES_MAX, Wanted, Whole};
use crate::{Address, Client};

/// An object, as it was when it was listed. A copy is the same object.
#[derive(Clone)]
pub struct Object(Arc<Inner>);

struct Inner {
    client: AssertUnwindSafe<Client>,
    address: String,
    /// Where the key begins in it.
    key: usize,
    size: u64,
    modified_ms: i64,
    e_tag: Option<String>,
    slot: Arc<Slot>,
}

/// Where what is fetched ahead is put.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    Begun(AbortHandle),
    There(Whole),
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, state: State) {
        *self.lock() = state;
        self.changed.notify_all();
    }

    /// Waits for what is being fetched, and takes it; nothing if nobody fetches it.
    fn take(&self) -> Option<Whole> {
        let mut state = self.lock();
        loop {
            match std::mem::take(&mut *state) {
                State::Empty => return None,
                State::There(it) => return Some(it),
                begun @ State::Begun(_) => *state = begun,
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Object")
            .field("address", &self.0.address)
            .field("size", &self.0.size)
            .finish_non_exhaustive()
    }
}

impl Object {
    pub(crate) fn new(
        client: Client,
        address: &Address,
        size: u64,
        modified_ms: i64,
        e_tag: Option<String>,
    ) -> Self {
        let text = address.to_string();
        let key = text.len() - address.key.len();
        let client = AssertUnwindSafe(client);
        Self(Arc::new(Inner { client, address: text, key, size, modified_ms, e_tag, slot: Arc::default() }))
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.0.address[self.0.key..]
    }

    /// Where it is.
    pub fn place(&self) -> Address {
        let Wanted { bucket, key, .. } = self.wanted();
        Address { bucket, key }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.0.client
    }

    pub(crate) fn wanted(&self) -> Wanted {
        let Inner { address, key, size, e_tag, .. } = &*self.0;
        let bucket = address[crate::address::SCHEME.len()..*key].trim_end_matches('/').to_owned();
        Wanted { bucket, key: address[*key..].to_owned(), size: *size, e_tag: e_tag.clone(), is_exact: false }
    }
}

impl Remote for Object {
    fn address(&self) -> &str {
        &self.0.address
    }

    fn size(&self) -> u64 {
        self.0.size
    }

    fn modified_ms(&self) -> i64 {
        self.0.modified_ms
    }

    fn head(&self, bytes: usize) -> Result<Vec<u8>, RemoteError> {
        let head = self.client().wait(self.client().beginning(&self.wanted(), bytes as u64));
        head.map_err(RemoteError::from)
    }

    fn open(&self) -> Result<RemoteBody, RemoteError> {
        let fetched = match self.0.slot.take() {
            Some(fetched) => fetched,
            None if self.0.size > WHOLE_BYTES_MAX => {
                return Ok(RemoteBody::Stream(Box::new(self.client().stream(self.wanted()))));
            }
            None => self.client().wait(self.client().whole(&self.wanted())),
        };
        let (bytes, failure) = fetched.map_err(RemoteError::from)?;
        Ok(RemoteBody::Whole(bytes, failure.map(RemoteError::from)))
    }

    fn ahead(&self) -> Begun {
        if self.0.size > WHOLE_BYTES_MAX {
            return Begun::Nothing;
        }
        let client = self.client();
        // Even the smallest takes some: so they are bounded in number, too.
        let room = (self.0.size / 1_024) as u32 + 16;
        let Ok(room) = Arc::clone(&client.0.ahead).try_acquire_many_owned(room) else { return Begun::NoRoom };
        let mut state = self.0.slot.lock();
        if !matches!(*state, State::Empty) {
            return Begun::Nothing;
        }
        let (wanted, slot, its) = (self.wanted(), Arc::clone(&self.0.slot), client.clone());
        let task = client.spawn(async move {
            let filling = Filling(slot);
            let fetched = its.whole(&wanted).await;
            filling.0.put(State::There(fetched));
        });
        // It waits for the lock before it puts something there.
        *state = State::Begun(task.abort_handle());
        drop(state);
        Begun::Held(Box::new(Held { slot: Arc::clone(&self.0.slot), _room: room }) as Box<dyn Any + Send>)
    }
}

/// Nobody waits for what does not come.
struct Filling(Arc<Slot>);

impl Drop for Filling {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Begun(_)) {
            *state = State::Empty;
            self.0.changed.notify_all();
        }
    }
}

/// What is fetched ahead is given up with this.
struct Held {
    slot: Arc<Slot>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Held {
    fn drop(&mut self) {
        let state = std::mem::take(&mut *self.slot.lock());
        if let State::Begun(task) = state {
            task.abort();
        }
        // Whoever waits for it nevertheless fetches it.
        self.slot.changed.notify_all();
    }
}
