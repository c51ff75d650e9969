//! Whatever a file holds, reading it ends, gives valid text, and gives the same however much is held at a time.
#![no_main]

use std::io::Write as _;
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use reader::{Input, Limits, Reading, Options, Problem, Reader, Record, RecordKind, Sink};

#[derive(Default)]
struct Keep {
    records: Vec<(u64, u64, RecordKind, Option<String>, String)>,
    problems: Vec<String>,
}

impl Sink for Keep {
    fn record(&mut self, record: Record<'_>) -> ControlFlow<()> {
        std::str::from_utf8(record.text.as_bytes()).expect("records are valid UTF-8");
        if let Some(tokens) = record.tokens {
            assert_eq!(tokens, &json::Tokens::of(record.text));
        }
        let text = record.text.to_owned();
        self.records.push((record.ordinal, record.offset, record.kind, record.id.map(str::to_owned), text));
        ControlFlow::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem.to_string());
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[window, mode], bytes)) = bytes.split_first_chunk::<2>() else { return };
    let mut file = tempfile::NamedTempFile::new().expect("temporary files can be made");
    file.write_all(bytes).expect("temporary files can be written");
    let input = Input::file(0, file.path()).expect("the file was just made");
    let options = |window_bytes| Options {
        mode: if mode & 1 == 0 { Reading::Trail } else { Reading::Plain },
        without_tokens: mode & 4 != 0,
        hashes: mode & 8 != 0,
        limits: Limits {
            window_bytes,
            record_bytes: if mode & 2 == 0 { 200 } else { 1 << 20 },
            depth: 8,
            wrappers: 4,
            decompressed_bytes: 4 << 20,
            ..Limits::default()
        },
    };

    let mut whole = Keep::default();
    Reader::new(options(1 << 20)).read(&input, &mut whole);
    let mut pieces = Keep::default();
    let mut reader = Reader::new(options(usize::from(window) + 1));
    reader.read(&input, &mut pieces);
    // How much a decompressor gives before it notices damage depends on how much it was asked for.
    let damaged = |problems: &[String]| problems.iter().any(|problem| problem.starts_with("READ004"));
    if damaged(&whole.problems) || damaged(&pieces.problems) {
        return;
    }
    assert_eq!(whole.records, pieces.records);
    assert_eq!(whole.problems, pieces.problems);

    let wanted: Vec<u64> = whole.records.iter().map(|record| record.0).step_by(2).collect();
    let mut again = Keep::default();
    reader.read_at(&input, &wanted, &mut again);
    assert!(again.records.iter().eq(whole.records.iter().step_by(2)));
});
