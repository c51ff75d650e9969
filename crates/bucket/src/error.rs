//! What can go wrong with buckets and queues.

use reader::RemoteError;

/// Why something of a bucket or a queue cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketError {
    /// It is no address.
    #[error("`{address}` is no address of a bucket or an object")]
    Address {
        /// What was given.
        address: String,
    },
    /// Nobody gives any.
    #[error("there are no credentials: {detail}")]
    NoCredentials {
        /// What was tried last.
        detail: String,
    },
    /// A profile that cannot be used.
    #[error("profile `{profile}`: {detail}")]
    Profile {
        /// Its name.
        profile: String,
        /// What is wrong with it.
        detail: String,
    },
    /// No connection can be made from here, to anybody.
    #[error("connections cannot be prepared: {detail}")]
    Setup {
        /// What is wrong.
        detail: String,
    },
    /// There is no such bucket.
    #[error("there is no bucket `{bucket}`")]
    NoBucket {
        /// Its name.
        bucket: String,
    },
    /// These credentials may not do that.
    #[error("{what}: access denied ({detail})")]
    Denied {
        /// What was asked for.
        what: String,
        /// What the service said.
        detail: String,
    },
    /// The credentials are no good.
    #[error("{what}: the credentials are refused ({detail})")]
    Credentials {
        /// What was asked for.
        what: String,
        /// What the service said.
        detail: String,
    },
    /// The object is not there, or not any more.
    #[error("{what}: there is no such object")]
    NoObject {
        /// What was asked for.
        what: String,
    },
    /// Nobody answers.
    #[error("{what}: no answer ({detail})")]
    Unreachable {
        /// What was asked for.
        what: String,
        /// What went wrong.
        detail: String,
    },
    /// The service asks to come again later, and did so each time.
    #[error("{what}: the service is busy or out of order ({detail}), {tries} times in a row")]
    Busy {
        /// What was asked for.
        what: String,
        /// What the service said.
        detail: String,
        /// How often it was asked.
        tries: u32,
    },
    /// Any other answer that is none.
    #[error("{what}: refused ({detail})")]
    Refused {
        /// What was asked for.
        what: String,
        /// What the service said.
        detail: String,
    },
    /// The body ended before its end, again and again.
    #[error("{what}: it ended after {read} of {size} bytes, and could not be read on ({detail})")]
    Cut {
        /// What was asked for.
        what: String,
        /// How much of it there is.
        read: u64,
        /// How much there should be.
        size: u64,
        /// What went wrong last.
        detail: String,
    },
    /// The object became another one while it was read.
    #[error("{what}: it was changed while it was read")]
    Changed {
        /// What was asked for.
        what: String,
    },
    /// It lies in an archive.
    #[error("{what}: it lies in an archive class and was not restored")]
    Archived {
        /// What was asked for.
        what: String,
    },
    /// No answer of S3 or SQS.
    #[error("{what}: the answer is not understood ({detail})")]
    Answer {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A key that does not survive in an address of HTTP.
    #[error("{what}: a key with `.` or `..` between slashes cannot be asked for")]
    Key {
        /// What was asked for.
        what: String,
    },
    /// There is no such queue.
    #[error("there is no queue `{queue}`")]
    NoQueue {
        /// Its address.
        queue: String,
    },
}

impl BucketError {
    /// A stable code for documentation and tests. Codes are never reused.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "BKT001",
            Self::NoCredentials { .. } => "BKT002",
            Self::Profile { .. } => "BKT003",
            Self::Setup { .. } => "BKT004",
            Self::NoBucket { .. } => "BKT005",
            Self::Denied { .. } => "BKT006",
            Self::Credentials { .. } => "BKT007",
            Self::NoObject { .. } => "BKT008",
            Self::Unreachable { .. } => "BKT009",
            Self::Busy { .. } => "BKT010",
            Self::Refused { .. } => "BKT011",
            Self::Cut { .. } => "BKT012",
            Self::Changed { .. } => "BKT013",
            Self::Archived { .. } => "BKT014",
            Self::Answer { .. } => "BKT015",
            Self::Key { .. } => "BKT016",
            Self::NoQueue { .. } => "BKT017",
        }
    }

    /// What the user can do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Address { .. } => "write s3://BUCKET/PREFIX",
            Self::NoCredentials { .. } => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`aws configure export-credentials --format env` prints \
                 them), or AWS_PROFILE; AWS_SKIP_SIGNATURE=true asks for what is public"
            }
            Self::Profile { .. } => {
                "`aws configure export-credentials --profile NAME --format env` prints what to set instead"
            }
            Self::Setup { .. } => {
                "install the certificates of the system (ca-certificates), or name a file of them in AWS_CA_BUNDLE"
            }
            Self::NoBucket { .. } => "check its name, and AWS_ENDPOINT_URL if it is not on AWS",
            Self::Denied { .. } => {
                "allow s3:ListBucket on the bucket and s3:GetObject on its objects, and kms:Decrypt on their key; for \
                 queues sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility"
            }
            Self::Credentials { .. } => {
                "get new ones, and check the clock of this machine: a signature is good for some minutes"
            }
            Self::NoObject { .. } => "it may have been removed or moved since it was listed",
            Self::Unreachable { .. } => "check the network, AWS_ENDPOINT_URL and AWS_REGION",
            Self::Busy { .. } => "try again later",
            Self::Refused { .. } => "check AWS_ENDPOINT_URL and AWS_REGION",
            Self::Cut { .. } => "try again; what came before that was read",
            Self::Changed { .. } => "read it again once it is left alone",
            Self::Archived { .. } => "restore it first, for example with `aws s3api restore-object`",
            Self::Answer { .. } => "check that AWS_ENDPOINT_URL is that of an S3-compatible service",
            Self::Key { .. } => "copy it under another key",
            Self::NoQueue { .. } => "check its address: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
        }
    }

    /// Whether it is the same the next time, as far as that can be told: nothing that has to do with who asks or with the
    /// network.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Address { .. } | Self::NoObject { .. } | Self::Key { .. } => true,
            Self::NoCredentials { .. }
            | Self::Profile { .. }
            | Self::Setup { .. }
            | Self::NoBucket { .. }
            | Self::Denied { .. }
            | Self::Credentials { .. }
            | Self::Unreachable { .. }
            | Self::Busy { .. }
            | Self::Refused { .. }
            | Self::Cut { .. }
            | Self::Changed { .. }
            | Self::Archived { .. }
            | Self::Answer { .. }
            | Self::NoQueue { .. } => false,
        }
    }
}

impl From<BucketError> for RemoteError {
    fn from(error: BucketError) -> Self {
        Self { code: error.code(), detail: error.to_string(), advice: error.advice() }
    }
}
