//! A queue that tells of objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bucket::{Address, BucketError, Client, Message, Notice, Object, Queue};
use reader::keep_records;
use serde_json::Value;

use super::Objects;
use super::take::{How, Outcome, Wrong};

/// How long a queue is to wait for the first message, in seconds: the longest that SQS does.
const WAIT_S: u32 = 20;
/// How long nobody else gets a message, in seconds.
const HIDDEN_S: u32 = 300;
/// Messages that are worked on together.
const MESSAGES_MAX: usize = 200;
/// A message that nobody understands is removed when it comes so often: by then a queue of dead letters has it, if there is
/// one.
const UNREAD_MAX: u32 = 6;
/// A message of an object that cannot be had is removed when it comes so often: the listings find the object.
const RECEIVES_MAX: u32 = 12;
/// After so many seconds a message comes again the first time; each time twice as many,
const AGAIN_S: u32 = 10;
/// up to so many.
const AGAIN_S_MAX: u32 = 900;
/// Threads that ask what objects are like.
const LOOKERS: usize = 24;
/// How long to wait after something went wrong with the queue.
const AFTER_TROUBLE: Duration = Duration::from_secs(10);

impl Objects {
    /// Takes what the queue tells of until it is to stop.
    pub(super) fn follow(&self, url: &str) {
        let mut told = None;
        while !self.stop.is_set() {
            let result = self.some(url);
            let is_wrong = result.is_err();
            self.tell(&mut told, result);
            if is_wrong {
                self.stop.wait(AFTER_TROUBLE);
            }
        }
    }

    /// Takes some messages, and what they tell of.
    fn some(&self, url: &str) -> Result<(), BucketError> {
        let (client, place) = (self.client()?, self.place()?);
        let queue = Queue::new(client.clone(), url)?;
        let mut messages = queue.receive(WAIT_S, HIDDEN_S, &|| self.stop.is_set())?;
        while !messages.is_empty() && messages.len() < MESSAGES_MAX && !self.stop.is_set() {
            let mut more = queue.receive(0, HIDDEN_S, &|| self.stop.is_set())?;
            if more.is_empty() {
                break;
            }
            messages.append(&mut more);
        }
        if messages.is_empty() {
            return Ok(());
        }
        self.source.bucket(|it| it.messages += messages.len() as u64);
        let mut unread = Vec::new();
        let mut notices: Vec<(&Message, Vec<Address>)> = Vec::new();
        for message in &messages {
            match Notice::read(&message.body) {
                Ok(notice) => {
                    let all = notice.objects.len();
                    let its = |it: &Address| it.bucket == place.bucket && it.key.starts_with(&place.key);
                    let objects: Vec<Address> = notice.objects.into_iter().filter(its).collect();
                    self.source.bucket(|it| it.foreign += (all - objects.len()) as u64);
                    notices.push((message, objects));
                }
                Err(error) => unread.push((message, error.to_string())),
            }
        }
        let fates = self.take_noticed(&client, &notices);
        let (mut done, mut again) = (Vec::new(), Vec::new());
        let mut given_up = 0;
        for (message, objects) in &notices {
            let is_done = objects.iter().all(|it| fates.get(it).is_some_and(|it| *it != Outcome::Later));
            if is_done {
                done.push(*message);
            } else if message.receives >= RECEIVES_MAX && !self.stop.is_set() {
                given_up += 1;
                let what = objects.iter().find(|it| fates.get(it).is_none_or(|it| *it == Outcome::Later));
                self.gave_up(message, &what.map(ToString::to_string).unwrap_or_default());
                done.push(*message);
            } else {
                again.push(*message);
            }
        }
        self.source.bucket(|it| {
            it.messages_done += done.len() as u64 - given_up;
            it.messages_given_up += given_up;
        });
        for (message, why) in unread {
            self.source.bucket(|it| it.messages_unread += 1);
            let details =
                [("source", Value::from(self.source.name())), ("message", message.id.as_str().into())];
            self.log.warn("SRV053", &format!("a message is not understood: {why}"), &details);
            self.source.failed((self.clock)(), &format!("SRV053 a message is not understood: {why}"));
            if message.receives >= UNREAD_MAX {
                self.source.bucket(|it| it.messages_given_up += 1);
                self.gave_up(message, "nothing");
                done.push(message);
            } else {
                again.push(message);
            }
        }
        // Only now is everything that they tell of on the disk. What cannot be removed comes again, and is known by then.
        queue.remove(&done)?;
        if !self.stop.is_set() {
            for message in again {
                let seconds = AGAIN_S.saturating_mul(1 << message.receives.saturating_sub(1).min(16));
                queue.postpone(message, seconds.min(AGAIN_S_MAX))?;
            }
        }
        Ok(())
    }

    fn gave_up(&self, message: &Message, what: &str) {
        let details = [
            ("source", Value::from(self.source.name())),
            ("message", message.id.as_str().into()),
            ("receives", message.receives.into()),
        ];
        let text = format!(
            "a message that tells of {what} came again and again, and was removed: the next listing looks for the object"
        );
        self.log.error("SRV054", &text, &details);
    }

    /// Takes the objects that messages tell of; what became of each.
    fn take_noticed(
        &self,
        client: &Client,
        notices: &[(&Message, Vec<Address>)],
    ) -> BTreeMap<Address, Outcome> {
        let addresses: BTreeSet<&Address> = notices.iter().flat_map(|it| &it.1).collect();
        let addresses: Vec<&Address> = addresses.into_iter().collect();
        let mut fates: BTreeMap<Address, Outcome> = BTreeMap::new();
        let mut found: Vec<Object> = Vec::new();
        let mut wrong = Wrong::default();
        for (&address, looked) in addresses.iter().zip(self.look(client, &addresses)) {
            let outcome = match looked {
                None => Outcome::Later,
                Some(Ok(object)) => {
                    // What is no record is done with, and what is one is about to be.
                    found.push(object);
                    Outcome::Done
                }
                Some(Err(error)) => {
                    let is_lasting = error.is_lasting();
                    self.source.bucket(|it| if is_lasting { it.gone += 1 } else { it.failed += 1 });
                    wrong.add(error);
                    if is_lasting { Outcome::Gone } else { Outcome::Later }
                }
            };
            fates.insert(address.clone(), outcome);
        }
        self.tell_wrong(wrong);
        found.retain(|it| self.is_wanted(it));
        let (due, _) = keep_records(&self.config.url, None, found, |it| it);
        let taken = self.take(&due, How::Noticed);
        if let Err(error) = &taken {
            self.source.failed((self.clock)(), error);
            self.log.error("SRV052", error, &[("source", Value::from(self.source.name()))]);
        }
        for (at, object) in due.iter().enumerate() {
            let outcome = taken.as_ref().ok().and_then(|it| it.get(at)).copied().unwrap_or(Outcome::Later);
            fates.insert(object.place(), outcome);
        }
        fates
    }

    /// Asks what objects are like, many at the same time; nothing of those that are left when it is time to stop.
    fn look(&self, client: &Client, addresses: &[&Address]) -> Vec<Option<Result<Object, BucketError>>> {
        let next = AtomicUsize::new(0);
        let all = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..LOOKERS.min(addresses.len()) {
                scope.spawn(|| {
                    while !self.stop.is_set() {
                        let number = next.fetch_add(1, Relaxed);
                        let Some(&address) = addresses.get(number) else { break };
                        let looked = client.look(address);
                        all.lock().unwrap_or_else(PoisonError::into_inner).insert(number, looked);
                    }
                });
            }
        });
        let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        (0..addresses.len()).map(|number| all.remove(&number)).collect()
    }
}
