//! A bucket: looked through for new objects, or told of them by a queue, and listed whole from time to time, so that
//! nothing is missed that nobody told of.
//!
//! An object is fetched by the threads of its source, and then offered: a bucket that is slow holds up nobody else. Which
//! objects were taken in, the store says, as of files, so that a restart goes on where it ended; a message of a queue is
//! removed once everything that it tells of is on the disk.

mod layout;
mod look;
mod memory;
mod notices;
mod take;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bucket::{Address, BucketError, Client};
use serde_json::Value;

use self::memory::Memory;
use crate::app::App;
use crate::config::{S3Config, SourceKind};
use crate::intake::Intake;
use crate::log::{Clock, Log};
use crate::run::AwsSettings;
use crate::source::Source;
use crate::stop::Stop;

/// Reads a bucket.
struct Objects {
    source: Arc<Source>,
    config: S3Config,
    settings: AwsSettings,
    /// The data directory.
    data: PathBuf,
    intake: Arc<Intake>,
    stop: Stop,
    clock: Clock,
    log: Log,
    client: Mutex<Option<Client>>,
    memory: Mutex<Memory>,
}

/// Starts what reads the buckets of the configuration.
pub(crate) fn start(app: &Arc<App>, settings: &AwsSettings, stop: &Stop) -> Vec<JoinHandle<()>> {
    let mut threads = Vec::new();
    for source in &app.sources {
        let SourceKind::S3(config) = source.kind() else { continue };
        let objects = Arc::new(Objects {
            source: Arc::clone(source),
            config: config.clone(),
            settings: Arc::clone(settings),
            data: app.data.clone(),
            intake: Arc::clone(&app.intake),
            stop: stop.clone(),
            clock: Arc::clone(&app.clock),
            log: app.log.clone(),
            client: Mutex::default(),
            memory: Mutex::default(),
        });
        if let Some(queue) = config.queue.clone() {
            let its = Arc::clone(&objects);
            threads.push(std::thread::spawn(move || its.follow(&queue)));
        }
        threads.push(std::thread::spawn(move || objects.look_through()));
    }
    threads
}

impl Objects {
    /// The client, made when it is asked for first: what is wrong with credentials may be mended meanwhile.
    fn client(&self) -> Result<Client, BucketError> {
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let settings = (self.settings)()?;
        let S3Config { endpoint, region, .. } = &self.config;
        let client = Client::new(settings.with(endpoint.as_deref(), region.as_deref()))?;
        Ok(kept.insert(client).clone())
    }

    /// Where it looks: the bucket, and a prefix that ends where a folder does.
    fn place(&self) -> Result<Address, BucketError> {
        let mut address: Address = self.config.url.parse()?;
        if !address.key.is_empty() && !address.key.ends_with('/') {
            address.key.push('/');
        }
        Ok(address)
    }

    /// Says once what goes wrong, until it is something else.
    fn tell(&self, told: &mut Option<BucketError>, result: Result<(), BucketError>) {
        match result {
            Ok(()) => {
                if told.take().is_some() {
                    let source = [("source", Value::from(self.source.name()))];
                    self.log.info("SRV050", "the bucket can be read again", &source);
                }
            }
            Err(error) => {
                let text = format!("{error}; {}", error.advice());
                self.source.failed((self.clock)(), &format!("{} {text}", error.code()));
                if told.as_ref().is_none_or(|it| it.code() != error.code()) {
                    self.log.error(error.code(), &text, &[("source", Value::from(self.source.name()))]);
                }
                *told = Some(error);
            }
        }
    }
}
