//! The columns of a segment's file.

use std::sync::Arc;

use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;

use crate::column::{FIELDS, name};

/// The event's time.
pub(crate) const EVENT_TIME: usize = 0;
/// The `_id`.
pub(crate) const ID: usize = 1;
/// The `_index`.
pub(crate) const INDEX: usize = 2;
/// What the record is.
pub(crate) const KIND: usize = 3;
/// When it was taken in.
pub(crate) const INGESTED: usize = 4;
/// Which of its event's deliveries it is.
pub(crate) const DELIVERY: usize = 5;
/// Whether the columns of fields say all.
pub(crate) const EXACT: usize = 6;
/// Where the columns of fields begin.
pub(crate) const FIRST_FIELD: usize = 7;

/// How a kind is written.
pub(crate) const CLOUDTRAIL: &str = "cloudtrail";
/// How a kind is written.
pub(crate) const DOCUMENT: &str = "document";

/// The schema of what is written.
///
/// * `event_time` is the event's time; none if it does not say one.
/// * `ingested` is when it was taken in.
/// * `delivery` says which of its event's deliveries that differ this is, from 1 on: whoever counts events counts the first.
/// * `exact` is whether the columns of fields say all that the record says in these.
pub(crate) fn schema() -> Arc<Type> {
    let fields: Vec<String> =
        FIELDS.iter().map(|field| format!("optional binary {} (UTF8);\n", name(field))).collect();
    let fields = fields.concat();
    let text = format!(
        "message event {{
            optional int64 event_time (TIMESTAMP(MILLIS, true));
            required binary id (UTF8);
            required binary index (UTF8);
            required binary kind (UTF8);
            required int64 ingested (TIMESTAMP(MILLIS, true));
            required int32 delivery;
            required boolean exact;
            {fields}
            required binary record (UTF8);
        }}"
    );
    Arc::new(parse_message_type(&text).expect("the schema is fixed, and a test reads what is written by it"))
}
