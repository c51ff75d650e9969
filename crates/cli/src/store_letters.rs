//! `trailwarden store dead-letters`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use reader::Input;
use report::{bytes, count, plural};
use serde_json::{Value, json};
use store::{Delivery, Ingest, IngestOptions, Letter, LetterContents, LetterLimits, Store, StoreError};

use crate::VERSION;
use crate::status::{DONE, FOUND};
use crate::store_args::{Contents, DeadLetters, Discard, ListLetters, Replay, StoreFormat};
use crate::store_command::coded;
use crate::{input, output};

/// Troubles of a letter that the list tells.
const TOLD: usize = 3;

pub(crate) fn run(args: &DeadLetters) -> anyhow::Result<u8> {
    match args {
        DeadLetters::List(args) => list(args),
        DeadLetters::Contents(args) => contents(args),
        DeadLetters::Replay(args) => replay(args),
        DeadLetters::Discard(args) => discard(args),
    }
}

fn print(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let mut out = output::open(None)?;
    out.write_all(text.as_ref()).and_then(|()| out.flush()).context("cannot write the result")
}

fn list(args: &ListLetters) -> anyhow::Result<u8> {
    let store = Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    let letters = store.letters(args.source.as_deref(), 0, usize::MAX >> 1).map_err(|it| coded(&it))?;
    let mut text = String::new();
    match args.format {
        StoreFormat::Json => {
            let all: Vec<Value> = letters.iter().map(as_json).collect();
            text = json!({ "dead_letters": all }).to_string() + "\n";
        }
        StoreFormat::Text => {
            let records = letters.iter().map(|it| it.records).sum();
            let size = letters.iter().map(|it| it.bytes).sum();
            text += &format!(
                "{}, {}, {}\n",
                plural(letters.len() as u64, "dead letter", "dead letters"),
                plural(records, "unreadable record", "unreadable records"),
                bytes(size)
            );
            for it in &letters {
                text += &as_text(it);
            }
        }
    }
    print(text)?;
    Ok(DONE)
}

fn as_text(it: &Letter) -> String {
    let mut text = format!(
        "\n{}  {}  {}  {}, {}\n",
        it.id,
        report::clean(&it.source),
        report::when(it.last),
        plural(it.records, "record", "records"),
        match it.contents {
            LetterContents::Records => bytes(it.bytes),
            LetterContents::Delivery => format!("{} (all of the delivery)", bytes(it.bytes)),
            LetterContents::Nothing => "not kept: it was too long, or gone".to_owned(),
        }
    );
    text += &format!("    from {}\n", report::clean(&it.name));
    if it.deliveries > 1 {
        text += &format!("    delivered {} times since {}\n", count(it.deliveries), report::when(it.first));
    }
    if let Some(at) = it.tried {
        text += &format!(
            "    replayed {} in vain, last {}\n",
            plural(it.tries, "time", "times"),
            report::when(at)
        );
    }
    for trouble in it.troubles.iter().take(TOLD) {
        text += &format!("    {}\n", report::clean(trouble));
    }
    if it.troubles.len() > TOLD {
        text += "    …\n";
    }
    text
}

fn as_json(it: &Letter) -> Value {
    json!({
        "id": it.id,
        "source": it.source,
        "from": it.name,
        "first": ecs::date::to_iso(it.first),
        "last": ecs::date::to_iso(it.last),
        "deliveries": it.deliveries,
        "records": it.records,
        "code": it.code,
        "troubles": it.troubles,
        "contents": it.contents.as_str(),
        "bytes": it.bytes,
        "tries": it.tries,
        "tried": it.tried.map(ecs::date::to_iso),
    })
}

fn contents(args: &Contents) -> anyhow::Result<u8> {
    let store = Store::open(&args.folder.path).map_err(|it| coded(&it))?;
    print(store.letter_contents(args.id).map_err(|it| coded(&it))?)?;
    Ok(DONE)
}

/// A store that is there, to write to.
fn open(folder: &std::path::Path, limits: reader::Limits, threads: usize) -> anyhow::Result<Ingest> {
    // Nobody wants one to be made.
    Store::open(folder).map_err(|it| coded(&it))?;
    let options = IngestOptions {
        limits,
        threads,
        batch_bytes: 256 << 20,
        engine: VERSION.to_owned(),
        // What the server lets go is not this command's.
        letters: LetterLimits { bytes: u64::MAX, age: i64::MAX },
    };
    Ingest::open(folder, options).map_err(|error| match error {
        StoreError::Locked { .. } => coded(&error)
            .context("a server has it open: ask it, POST /api/v1/sources/NAME/dead-letters/replay"),
        error => coded(&error),
    })
}

fn replay(args: &Replay) -> anyhow::Result<u8> {
    let now = input::now(args.now.as_deref())?;
    let mut ingest = open(&args.folder.path, args.limits.reader(), input::threads(args.threads).get())?;
    let letters =
        ingest.store().letters(args.source.as_deref(), 0, usize::MAX >> 1).map_err(|it| coded(&it))?;
    let wanted: BTreeSet<u64> = args.ids.iter().copied().collect();
    if let Some(id) = wanted.iter().find(|id| !letters.iter().any(|it| it.id == **id)) {
        bail!("STORE011 there is no dead letter {id}");
    }
    let mut letters: Vec<Letter> =
        letters.into_iter().filter(|it| wanted.is_empty() || wanted.contains(&it.id)).collect();
    // As they came.
    letters.reverse();
    let (mut stored, mut mended, mut left, mut text) = (0, 0, 0, String::new());
    for it in &letters {
        let bytes = match ingest.store().letter_contents(it.id) {
            Ok(bytes) => bytes,
            Err(error @ (StoreError::EmptyLetter { .. } | StoreError::DamagedLetter { .. })) => {
                left += 1;
                text += &format!("{}: {} {}\n", it.id, error.code(), report::clean(&error.to_string()));
                continue;
            }
            Err(error) => return Err(coded(&error)),
        };
        let input = Input::memory(0, it.name.clone(), Arc::new(bytes));
        let delivery = Delivery { replays: Some(it.id), ..Delivery::new(&it.source, input) };
        let taken = ingest.take(&[delivery], now).map_err(|it| coded(&it))?;
        let its = taken.into_iter().next().unwrap_or_default();
        stored += its.accounting.stored;
        let is_here = ingest.store().letter(it.id).is_ok();
        if is_here {
            left += 1;
            let why = its.troubles.first().map_or("", |it| &it.text);
            text += &format!("{}: {}\n", it.id, report::clean(why));
        } else {
            mended += 1;
        }
    }
    ingest.close().map_err(|it| coded(&it))?;
    text += &format!(
        "{} replayed: {} mended, {} left; {} stored\n",
        plural(letters.len() as u64, "dead letter", "dead letters"),
        count(mended),
        count(left),
        plural(stored, "event", "events")
    );
    print(text)?;
    Ok(if left == 0 { DONE } else { FOUND })
}

fn discard(args: &Discard) -> anyhow::Result<u8> {
    let ingest = open(&args.folder.path, reader::Limits::default(), 1)?;
    for id in &args.ids {
        // All of them, or none.
        ingest.store().letter(*id).map_err(|it| coded(&it))?;
    }
    let mut text = String::new();
    for id in args.ids.iter().collect::<BTreeSet<_>>() {
        let it = ingest.store().discard_letter(*id).map_err(|it| coded(&it))?;
        let records = plural(it.records, "record is", "records are");
        text += &format!("{}: {records} gone for good, of {}\n", it.id, report::clean(&it.source));
    }
    ingest.close().map_err(|it| coded(&it))?;
    print(text)?;
    Ok(DONE)
}
