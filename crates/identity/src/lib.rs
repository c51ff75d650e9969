//! Who is behind a session: which call issued which access key, who made that call, up to the identity at the head.
//!
//! A [`Builder`] takes the few values of each call that issues credentials; the finished [`Graph`] answers two questions.
//! Upward: [`Graph::chain`], from an identity to the person, key, service or provider that it acts for. Downward:
//! [`Graph::reach`], from access keys to every session that they issued.
//!
//! ```
//! use identity::{Builder, Confidence, WhoBuf};
//! use serde_json::json;
//!
//! let role = "arn:aws:iam::111122223333:role/deploy";
//! let assumed = json!({
//!     "@timestamp": "2026-02-03T04:05:06Z",
//!     "event": {"provider": "sts.amazonaws.com", "action": "AssumeRole", "outcome": "success"},
//!     "aws.cloudtrail.user_identity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ada",
//!         "access_key_id": "AKIAADA"},
//!     "aws.cloudtrail.flattened.request_parameters": {"roleArn": role, "roleSessionName": "ci"},
//!     "aws.cloudtrail.flattened.response_elements.credentials.accessKeyId": "ASIACI",
//! });
//! let mut builder = Builder::default();
//! builder.document("event-1", assumed.as_object().unwrap());
//! let graph = builder.finish();
//!
//! let call = json!({"aws.cloudtrail.user_identity": {"type": "AssumedRole", "access_key_id": "ASIACI",
//!     "session_context.session_issuer.arn": role}});
//! let who = WhoBuf::of(call.as_object().unwrap());
//! let chain = graph.chain(who.who(), i64::MAX);
//! assert_eq!(chain.head.name(), "arn:aws:iam::111122223333:user/ada");
//! assert_eq!((chain.hops.len(), chain.confidence), (1, Confidence::Exact));
//! assert_eq!(graph.reach(&["AKIAADA"], i64::MAX).sessions.len(), 1);
//! ```
//!
//! **What is exact.** Temporary credentials carry the id of their access key, and so does the answer of the call that
//! issued them. Nothing else tells two sessions apart that begin in the same second under the same name. Where the key is
//! missing or no call issued it, the time, the role and the session name decide, and what comes of that is labelled
//! [`Confidence::Inferred`], or [`Confidence::Weak`] if several calls fit. An IAM user is the head of its chain whatever
//! key it uses, and so is the root user, but for sessions of `AssumeRoot`.
//!
//! **Time.** A call counts once it was ingested: every question names the latest time of ingestion that does. The order
//! in which calls are given has no influence, nor has it how often each is.
//!
//! **Left out on purpose.** No files, no blocks, no rules, no clock. Texts beyond [`TEXT_MAX`] bytes are no names. Of more
//! calls than [`Limits::issues`] the newest are kept, and [`Graph::complete_from`] says so.

mod call;
mod column;
mod texts;
mod who;

mod builder;
mod row;

mod graph;

mod chain;
mod reach;
mod root;

pub use builder::{Builder, Limits};
pub use call::{Call, filter};
pub use chain::{Chain, Confidence, End, HOPS_MAX, Hop};
pub use column::Column;
pub use graph::{CANDIDATES_MAX, Graph, Issue};
pub use reach::{Cut, DEPTH_MAX, Reach, Reached, SESSIONS_MAX};
pub use root::{Root, RootField, RootPiece};
pub use texts::TEXT_MAX;
pub use who::{Who, WhoBuf, WhoField};
