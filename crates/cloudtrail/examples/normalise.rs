//! How fast records become columns and documents: `cargo run --release -p cloudtrail --example normalise -- FILE [PART]`,
//! with a file of one record a line. `PART` is a part of the name of what is to be measured.

#![expect(clippy::print_stdout, reason = "a program for people to run")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use block::{BlockBuilder, Origin, RowInfo, Schema};
use cloudtrail::{Columns, Envelope, Normaliser, Options, Original, ReadAt, RecordBuf, Version};
use ecs::Shape;

/// What rules ask of most records.
const PATHS: [&str; 30] = [
    "aws.cloudtrail.console_login.additional_eventdata.mfa_used",
    "aws.cloudtrail.error_code",
    "aws.cloudtrail.error_message",
    "aws.cloudtrail.event_type",
    "aws.cloudtrail.management_event",
    "aws.cloudtrail.read_only",
    "aws.cloudtrail.recipient_account_id",
    "aws.cloudtrail.session_credential_from_console",
    "aws.cloudtrail.user_identity.access_key_id",
    "aws.cloudtrail.user_identity.arn",
    "aws.cloudtrail.user_identity.invoked_by",
    "aws.cloudtrail.user_identity.session_context.mfa_authenticated",
    "aws.cloudtrail.user_identity.session_context.session_issuer.arn",
    "aws.cloudtrail.user_identity.session_context.session_issuer.type",
    "aws.cloudtrail.user_identity.type",
    "cloud.account.id",
    "cloud.provider",
    "cloud.region",
    "data_stream.dataset",
    "event.action",
    "event.dataset",
    "event.outcome",
    "event.provider",
    "event.type",
    "source.address",
    "source.ip",
    "tls.client.server_name",
    "user.id",
    "user.name",
    "user_agent.original",
];
const ROWS: usize = 8_192;
const PIECE: usize = 256;
/// The fastest round counts: others had company.
const ROUNDS: usize = 7;

fn options() -> Options {
    Options {
        tags: vec!["forwarded".to_owned(), "actor_target_mapping".to_owned()],
        original: Original::Tagged,
        envelope: Some(Envelope::default()),
        ..Options::default()
    }
}

/// Measures what is done to each of some records.
fn measure(name: &str, records: &[&[u8]], mut each: impl FnMut(&[u8])) {
    if std::env::args().nth(2).is_some_and(|part| !name.contains(&part)) {
        return;
    }
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let mut taken = Duration::ZERO;
        for piece in records.chunks(PIECE) {
            // Whoever reads a file has just decompressed its records: they lie in the cache.
            let text = piece.concat();
            let start = Instant::now();
            let mut rest = &text[..];
            for record in piece {
                let (record, after) = rest.split_at(record.len());
                each(record);
                rest = after;
            }
            taken += start.elapsed();
        }
        best = best.min(taken);
    }
    let bytes: usize = records.iter().map(|record| record.len()).sum();
    let (count, seconds) = (records.len() as f64, best.as_secs_f64());
    println!(
        "{name:<22} {:>7.0} ns a record, {:>9.0} records/s, {:>6.0} MB/s",
        seconds * 1e9 / count,
        count / seconds,
        bytes as f64 / seconds / 1e6
    );
}

fn main() -> std::io::Result<()> {
    let Some(path) = std::env::args_os().nth(1) else {
        println!("name a file of one record a line");
        return Ok(());
    };
    let text = std::fs::read(path)?;
    let records: Vec<&[u8]> = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
    let read_at = ReadAt::new(0);
    let mut normaliser = Normaliser::new(options());
    let mut buf = RecordBuf::default();

    measure("parsed", &records, |record| {
        black_box(buf.parse(record).error());
    });

    let mut schema = Schema::default();
    for path in PATHS {
        schema.add(path, Shape::Leaf);
    }
    let schema = Arc::new(schema);
    let columns = Columns::new(&schema, Version::default());
    let mut builder = BlockBuilder::new(schema);
    measure("and 30 columns filled", &records, |record| {
        let record = buf.parse(record);
        let mut event = normaliser.event(&record, &read_at);
        event.fill(&columns, &mut builder);
        let head = event.head();
        let origin = Origin::default();
        builder.end_row(RowInfo { id: &head.id, index: 0, timestamp: head.timestamp, origin });
        if builder.rows() == ROWS {
            let full = std::mem::replace(&mut builder, BlockBuilder::new(Schema::default().into()));
            builder = BlockBuilder::reuse(full.finish());
        }
    });

    let few = &records[..records.len().min(20_000)];
    measure("document", few, |record| {
        black_box(normaliser.document(&buf.parse(record), &read_at));
    });
    measure("document as text", few, |record| {
        let document = normaliser.document(&buf.parse(record), &read_at);
        black_box(serde_json::Value::Object(document).to_string());
    });
    Ok(())
}
