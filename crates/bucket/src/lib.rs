//! Objects of S3-compatible storage: listed, read, and told of by queues.
//!
//! A [`Client`] speaks to Amazon S3, or to what speaks like it, with the credentials that are usual there. Everything it
//! does waits for its answer; what has to be fast is fetched ahead of whoever reads it, within bounds. [`Buckets`] gives
//! its objects to the [`reader`] under the addresses `s3://bucket/key`, so that they are read like files.
//!
//! ```
//! let address: bucket::Address = "s3://trail-of-all/AWSLogs/".parse().unwrap();
//! assert_eq!((&*address.bucket, &*address.key), ("trail-of-all", "AWSLogs/"));
//! ```
//!
//! **Credentials** come from the environment, from a web identity, from a profile that holds keys, from the container or
//! from the instance, in this order. **The region** of a bucket need not be known: whoever asks in the wrong one is told the
//! right one.
//!
//! **What goes wrong** is told with what it means and what to do ([`BucketError`]). What may pass (throttling, connections
//! that break) is tried again, and a body that ends early is read on from where it ended.
//!
//! **Left out on purpose.** Nothing is ever written to a bucket. No clock and no environment but those that the libraries
//! beneath need to sign; which variables are set is an argument. Keys are taken as they are: the library beneath would not
//! list some that S3 allows.

mod address;
mod error;
mod profile;
mod settings;

mod client;
mod fetch;
mod list;
mod object;

mod buckets;
mod notice;
mod queue;

pub use address::Address;
pub use buckets::Buckets;
pub use client::Client;
pub use error::BucketError;
pub use fetch::Fetched;
pub use list::{Listing, Page};
pub use notice::{Notice, NoticeError};
pub use object::Object;
pub use queue::{Message, Queue};
pub use settings::Settings;
