//! Buckets as the reader finds files in them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use reader::{Remote, RemoteError, Remotes};

use crate::address::SCHEME;
use crate::{Address, BucketError, Client, Listing, Object, Settings};

/// Finds what addresses of S3 name. What was listed once is not listed again: all passes of a run see the same.
pub struct Buckets {
    settings: Box<dyn Fn() -> Result<Settings, BucketError> + Send + Sync>,
    client: OnceLock<Result<Client, BucketError>>,
    listed: Mutex<HashMap<String, Vec<Object>>>,
}

impl Buckets {
    /// Asked for as these settings say, which are not asked for before somebody names a bucket.
    pub fn new(settings: impl Fn() -> Result<Settings, BucketError> + Send + Sync + 'static) -> Self {
        Self { settings: Box::new(settings), client: OnceLock::new(), listed: Mutex::default() }
    }

    fn look(&self, text: &str) -> Result<Vec<Object>, BucketError> {
        let address: Address = text.parse()?;
        if let Some(known) = self.listed.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
            return Ok(known.clone());
        }
        let client =
            self.client.get_or_init(|| Client::new((self.settings)()?)).as_ref().map_err(Clone::clone)?;
        let mut objects = Vec::new();
        let mut prefix = address.key.clone();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            // Where an object and a folder have one name, both are meant.
            objects.extend(client.find(&address)?);
            prefix.push('/');
        }
        client.list_all(&Listing { bucket: address.bucket, prefix, ..Listing::default() }, &mut objects)?;
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        listed.insert(text.to_owned(), objects.clone());
        Ok(objects)
    }
}

impl Client {
    /// Lists everything of a listing.
    pub fn list_all(&self, listing: &Listing, all: &mut Vec<Object>) -> Result<(), BucketError> {
        self.list(listing, &mut |page| {
            all.extend(page.objects);
            true
        })
    }
}

impl Remotes for Buckets {
    fn has(&self, address: &str) -> bool {
        address.starts_with(SCHEME)
    }

    fn find(&self, address: &str) -> Result<Vec<Arc<dyn Remote>>, RemoteError> {
        let found = self.look(address)?;
        Ok(found.into_iter().map(|it| Arc::new(it) as Arc<dyn Remote>).collect())
    }
}
