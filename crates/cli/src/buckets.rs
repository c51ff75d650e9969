//! Buckets: who asks for what `s3://…` names is said by the environment, and by the files of the AWS CLI.

use std::collections::BTreeMap;
use std::fs;

use bucket::{BucketError, Buckets, Settings};

/// From now on addresses of buckets are good wherever paths are.
pub(crate) fn open() {
    reader::open_remotes_with(Box::new(Buckets::new(settings)));
}

/// What the environment says. Nothing is read before somebody names a bucket.
pub(crate) fn settings() -> Result<Settings, BucketError> {
    // A variable that is no text is none of those that are asked for.
    let variables = std::env::vars_os();
    let variables: BTreeMap<String, String> = variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Settings::of(&variables, &|path| fs::read_to_string(path).ok())
}
