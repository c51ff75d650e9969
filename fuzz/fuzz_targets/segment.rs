//! Whatever becomes of a segment's file: what is read of it is as it was taken in, or it is told that something is wrong.
#![no_main]

use std::cell::OnceCell;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use reader::{Input, Stored};
use store::{AddOptions, Store};
use tempfile::TempDir;

/// A store with one segment, and what is in it.
struct Kept {
    folder: TempDir,
    file: PathBuf,
    bytes: Vec<u8>,
    records: Vec<String>,
}

thread_local! {
    static KEPT: OnceCell<Kept> = const { OnceCell::new() };
}

fn segment(folder: &TempDir) -> Input {
    let store = Store::open(&folder.path().join("kept")).expect("the store is there");
    store.inputs().expect("its database is whole").remove(0)
}

fn keep() -> Kept {
    let folder = tempfile::tempdir().expect("temporary folders can be made");
    let path = folder.path().join("in.ndjson");
    let mut file = std::fs::File::create(&path).expect("temporary files can be written");
    for at in 0..300 {
        let line = format!(
            r#"{{"eventVersion":"1.08","eventID":"e-{at}","eventTime":"2026-03-01T10:00:{:02}Z","eventSource":"s3.amazonaws.com","eventName":"GetObject{}","userIdentity":{{"userName":"u{at}"}}}}"#,
            at % 60,
            at % 7
        );
        writeln!(file, "{line}").expect("temporary files can be written");
    }
    drop(file);
    let inputs = [Input::file(0, &path).expect("the file was just made")];
    let mut store = Store::open_or_create(&folder.path().join("kept")).expect("the folder is new");
    let options = AddOptions {
        inputs: &inputs,
        limits: reader::Limits::default(),
        threads: 1,
        batch_bytes: 1 << 20,
        again: false,
        now: 1_772_359_200_000,
        engine: "fuzz",
    };
    store::add(&mut store, &options, &|_| ()).expect("it is taken in");
    let input = segment(&folder);
    let mut records = Vec::new();
    let read = input.segment().expect("it is one").read(None, &mut |it| {
        records.push(it.text.to_owned());
        ControlFlow::Continue(())
    });
    read.expect("it is whole");
    let file = input.path().to_owned();
    Kept { bytes: std::fs::read(&file).expect("it is there"), folder, file, records }
}

/// Whether all of it is as it was; what is read must be in any case.
fn is_whole(segment: &dyn Stored, records: &[String]) -> bool {
    let mut met = 0;
    let read = segment.read(None, &mut |it| {
        assert_eq!(it.text, records[it.ordinal as usize]);
        met += 1;
        ControlFlow::Continue(())
    });
    let mut all = read.is_ok() && met == records.len();
    let fields = ["event.action", "user.name"];
    for part in 0..segment.parts() {
        let read = segment.part(part, &fields, &mut |part| {
            part.read_events()?;
            part.read_ids()?;
            (0..fields.len()).try_for_each(|it| part.read(it))?;
            for row in 0..part.len() {
                let (name, user) = (part.column(0).and_then(|it| it.get(row)), part.column(1).and_then(|it| it.get(row)));
                let (name, user) = (name.expect("all have one"), user.expect("all have one"));
                assert!(records[row].contains(&format!(r#""{name}""#)) && records[row].contains(&format!(r#""{user}""#)));
            }
            Ok(())
        });
        all &= read.is_ok();
    }
    all
}

fuzz_target!(|bytes: &[u8]| {
    KEPT.with(|kept| {
        let kept = kept.get_or_init(keep);
        let Some((head, changes)) = bytes.split_first_chunk::<3>() else { return };
        let mut damaged = kept.bytes.clone();
        // Some bytes are others, and perhaps the end is missing.
        for change in changes.chunks_exact(4) {
            let at = u32::from_le_bytes([change[0], change[1], change[2], 0]) as usize % damaged.len();
            damaged[at] ^= change[3];
        }
        if head[0] & 7 == 0 {
            let cut = u32::from_le_bytes([head[1], head[2], 0, 0]) as usize % damaged.len();
            damaged.truncate(damaged.len() - cut);
        }
        std::fs::write(&kept.file, &damaged).expect("it can be written");
        let input = segment(&kept.folder);
        let segment = input.segment().expect("it is one");
        // Bloom filters, for one, are not read: only a check reads every byte.
        let is_whole = is_whole(segment, &kept.records);
        assert!(is_whole || damaged != kept.bytes, "what is whole is read");
        let store = Store::open(&kept.folder.path().join("kept")).expect("the store is there");
        let check = store.check(&|_| ()).expect("its database is whole");
        assert_eq!(check.wrong.is_empty(), damaged == kept.bytes, "what is damaged is told");
    });
});
