//! Damage that is not text, and what people read about it.

use std::io::Write as _;
use std::ops::ControlFlow;

use reader::{Cause, Input, Limits, Options, Problem, Reader, Reading, Record, RemoteError, Sink};

use crate::support::{
    Elsewhere, Keep, bzip2, file_of, gzip, options, read, read_elsewhere, read_with, record, records_file,
    tar, xz, zip, zstd,
};

#[test]
fn what_cannot_be_fetched_to_its_end_gives_what_came_before() {
    let records: Vec<String> = (0..2000).map(record).collect();
    let text = records_file(records.iter().cloned());
    let tape = tar(&[("a.json", text.as_bytes())]);
    let many: Vec<u8> = text.as_bytes().chunks(100_000).flat_map(bzip2).collect();
    let plain = text.as_bytes().to_vec();
    for packed in [
        plain,
        gzip(text.as_bytes()),
        zstd(text.as_bytes()),
        gzip(&tape),
        many,
        xz(text.as_bytes()),
        tape.clone(),
    ] {
        for is_stream in [false, true] {
            let failure = RemoteError {
                code: "BKT012",
                detail: "s3://trail/a: it ended".to_owned(),
                advice: "try again",
            };
            let bytes = packed[..packed.len() / 2].to_vec();
            let remote = Elsewhere { bytes, is_stream, failure: Some(failure) };
            let (found, totals) = read_elsewhere(Options::default(), remote);
            assert_eq!(found.codes(), ["BKT012"]);
            assert_eq!(totals.losses, 1);
            assert!(found.records.len() > 100 && found.records.len() < 2000, "{}", found.records.len());
            assert_eq!(found.texts(), records[..found.records.len()].iter().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_cut_file_gives_what_came_before_the_cut() {
    let records: Vec<String> = (0..2000).map(record).collect();
    let text = records_file(records.iter().cloned());
    let tape = tar(&[("a.json", text.as_bytes())]);
    let many: Vec<u8> = text.as_bytes().chunks(100_000).flat_map(bzip2).collect();
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes()), gzip(&tape), many, xz(text.as_bytes())] {
        for part in [3, 10, 100] {
            let found = read(&packed[..packed.len() - packed.len() / part]);
            assert_eq!(found.codes(), ["READ003"], "{:?}", found.problems);
            let got = found.records.len();
            assert!(got > 0 && got < records.len(), "{got} records");
            assert_eq!(found.texts(), &records[..got]);
        }
    }
    // The trailer alone is missing: every record is there.
    let packed = gzip(text.as_bytes());
    let found = read(&packed[..packed.len() - 4]);
    assert_eq!((found.records.len(), found.codes()), (2000, vec!["READ003"]));
    // Only the header is there.
    assert_eq!(read(&packed[..9]).codes(), ["READ003"]);
}

#[test]
fn a_damaged_file_gives_what_came_before_the_damage() {
    let text = records_file((0..2000).map(record));
    let mut packed = gzip(text.as_bytes());
    let middle = packed.len() / 2;
    packed[middle..middle + 40].fill(0xFF);
    let found = read(&packed);
    // Deflate may go on for a while with text that is wrong; the checksum tells in the end.
    assert!(found.codes().contains(&"READ004"), "{:?}", found.problems);
    assert!(found.records.len() > 100, "{}", found.records.len());
    // A wrong checksum is told, though every record could be read.
    let mut packed = gzip(text.as_bytes());
    let trailer = packed.len() - 8;
    packed[trailer] ^= 1;
    let found = read(&packed);
    assert_eq!((found.records.len(), found.codes()), (2000, vec!["READ004"]));
    // What follows the last member is no secret either.
    let found = read(&[gzip(record(1).as_bytes()), b"{\"eventName\":\"plain\"}".to_vec()].concat());
    assert_eq!((found.records.len(), found.codes()), (1, vec!["READ004"]));
}

#[test]
fn a_damaged_archive_costs_its_member_only() {
    let (one, two) = (record(1), record(2));
    let mut archive = zip(&[("a.json", one.as_bytes()), ("b.json", two.as_bytes())]);
    let name = archive.windows(6).position(|bytes| bytes == b"a.json").unwrap();
    archive[name + 20] ^= 0xFF;
    let found = read(&archive);
    assert_eq!(found.problems.len(), 1, "{:?}", found.problems);
    assert_eq!(found.problems[0].member.as_deref(), Some("a.json"));
    assert_eq!(found.texts().last(), Some(&two.as_str()));
    assert_eq!(read(&archive[..archive.len() / 2]).codes(), ["READ004"]);
}

#[test]
fn bombs_are_stopped() {
    let limits =
        Limits { ratio: 10, ratio_free_bytes: 1 << 20, decompressed_bytes: 8 << 20, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let mut bomb = record(1).into_bytes();
    bomb.resize(32 << 20, b' ');
    let inner = gzip(&bomb);
    for packed in [
        gzip(&bomb),
        zstd(&bomb),
        bzip2(&bomb),
        xz(&bomb),
        gzip(&inner),
        zip(&[("a.json", &bomb)]),
        tar(&[("a.gz", &inner)]),
    ] {
        let (found, totals) = read_with(options.clone(), &packed);
        assert_eq!(found.codes(), ["READ005"], "{:?}", found.problems);
        assert_eq!(found.texts(), [record(1)]);
        assert!(totals.text_bytes < 4 << 20, "{totals:?}");
    }
    let limits = Limits { ratio: u64::MAX, ..options.limits };
    let (found, _) = read_with(Options { limits, ..options }, &gzip(&bomb));
    assert_eq!(found.codes(), ["READ006"]);
}

/// What the limit allows is read to the last byte, however much is held at a time.
#[test]
fn a_limit_of_text_is_exact() {
    let text = records_file((0..200).map(record));
    let bound = text.find(&record(100)).unwrap() as u64;
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes()), bzip2(text.as_bytes()), xz(text.as_bytes())]
    {
        for (window_bytes, whole_gzip_bytes) in [(1, 0), (1000, 0), (1 << 20, 0), (1 << 20, 1 << 20)] {
            let limits =
                Limits { decompressed_bytes: bound, window_bytes, whole_gzip_bytes, ..Limits::default() };
            let (found, totals) = read_with(Options { limits, ..Options::default() }, &packed);
            assert_eq!((found.records.len(), found.codes()), (100, vec!["READ006"]));
            assert_eq!(totals.text_bytes, bound);
        }
    }
}

#[test]
fn invalid_utf8_costs_the_record() {
    let mut text = format!("{}\n{}\n{}\n", record(1), record(2), record(3)).into_bytes();
    let second = record(1).len() + 1;
    text[second + 30] = 0xFF;
    for packed in [text.clone(), gzip(&text)] {
        let found = read(&packed);
        assert_eq!(found.texts(), [record(1), record(3)]);
        assert_eq!(found.codes(), ["READ018"]);
        let place = found.problems[0].place.unwrap();
        assert_eq!((place.line, place.offset), (2, second as u64 + 30));
        // The lost record keeps its number.
        assert_eq!(found.records[1].ordinal, 2);
    }
}

#[test]
fn other_files_are_told_apart() {
    let utf16: Vec<u8> = record(1).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).codes(), ["READ010"]);
    assert_eq!(read(&[b"\xFF\xFE".to_vec(), utf16].concat()).codes(), ["READ010"]);
    assert_eq!(read(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR").codes(), ["READ011"]);
    assert_eq!(read(b"").codes(), ["READ002"]);
    assert_eq!(read(&gzip(b"")).codes(), ["READ002"]);
    assert_eq!(read(b"Dear customer,\n").codes(), ["READ012"]);
}

/// What is no JSON and known is named, with what to do, and said to be a loss if it may hold records.
#[test]
fn other_files_are_named() {
    let cases: [(&[u8], &str, bool); 14] = [
        (b"PAR1\x15\x04\x15", "Parquet files", true),
        (b"Obj\x01\x04\x14avro.codec", "Avro files", true),
        (b"7z\xBC\xAF\x27\x1C\0\x04", "7-Zip archives", true),
        (b"\x04\x22\x4D\x18\x64\x40", "LZ4 files", true),
        (b"SQLite format 3\0\x10\0", "SQLite databases", true),
        (b"%PDF-1.7\n", "PDF documents", false),
        (b"version account-id interface-id srcaddr dstaddr\n2 1", "VPC flow logs", false),
        (b"2 111122223333 eni-0example 10.0.0.1 10.0.0.2 443\n", "VPC flow logs", false),
        (b"https 2024-05-01T10:00:00.0Z app/x/1 203.0.113.7:1", "access logs of a load balancer", false),
        (b"#Version: 1.0\n#Fields: date time\n", "logs of CloudFront or a web server", false),
        (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML files", false),
        (b"\xEF\xBB\xBF<!DOCTYPE html><html>", "web pages", false),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "pointers of Git LFS", true),
        (
            b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be b [06/Feb/2019:00:00:38 +0000]",
            "access logs of S3",
            false,
        ),
    ];
    for (bytes, what, is_loss) in cases {
        for packed in [bytes.to_vec(), gzip(bytes), tar(&[("x.bin", bytes)])] {
            let found = read(&packed);
            let [problem] = &found.problems[..] else { panic!("{what}: {:?}", found.problems) };
            let Cause::OtherFile { other } = &problem.cause else { panic!("{what}: {problem}") };
            assert_eq!((other.what, problem.cause.is_loss()), (what, is_loss));
            assert_eq!(problem.cause.code(), "READ023");
        }
    }
}

#[test]
fn a_file_that_is_gone_is_a_problem() {
    let file = file_of(b"{}");
    let input = Input::file(7, file.path()).unwrap();
    drop(file);
    let mut found = Keep::default();
    Reader::default().read(&input, &mut found);
    assert_eq!(found.codes(), ["READ001"]);
    assert_eq!(found.problems[0].input, 7);
}

/// Ten thousand levels, a line of 200 MB: one message each, and neither costs a neighbour.
#[test]
fn monsters_cost_themselves_only() {
    struct Count {
        ordinals: Vec<u64>,
        longest: usize,
        problems: Vec<Problem>,
    }
    impl Sink for Count {
        fn record(&mut self, record: Record<'_>) -> ControlFlow<()> {
            self.ordinals.push(record.ordinal);
            self.longest = self.longest.max(record.text.len());
            ControlFlow::Continue(())
        }
        fn problem(&mut self, problem: Problem) {
            self.problems.push(problem);
        }
    }

    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "{}", record(1)).unwrap();
    writeln!(file, "{{\"eventName\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000)).unwrap();
    writeln!(file, "{}", record(2)).unwrap();
    write!(file, "{{\"eventName\":\"").unwrap();
    for _ in 0..200 {
        file.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    writeln!(file, "\"}}\n{}", record(3)).unwrap();
    let input = Input::file(0, file.path()).unwrap();
    let mut count = Count { ordinals: Vec::new(), longest: 0, problems: Vec::new() };
    Reader::default().read(&input, &mut count);
    assert_eq!(count.ordinals, [0, 1, 2]);
    assert!(count.longest < 1000);
    let causes: Vec<Cause> = count.problems.into_iter().map(|problem| problem.cause).collect();
    assert_eq!(
        causes,
        [
            Cause::TooDeep { limit: 128, skipped: 20_015 },
            Cause::TooLong { limit: 16 << 20, skipped: (200 << 20) + 16 },
        ]
    );
}

#[test]
fn a_limit_of_nothing_costs_every_record() {
    let limits = Limits { record_bytes: 0, ..Limits::default() };
    let text = records_file((0..3).map(record));
    for window_bytes in [1, 64, 1 << 20] {
        let limits = Limits { window_bytes, ..limits.clone() };
        let (found, _) = read_with(Options { limits, ..Options::default() }, text.as_bytes());
        assert!(found.records.is_empty());
        assert_eq!(found.codes(), ["READ016"; 3]);
    }
}

/// What stands beside records and is passed costs no later problem its line.
#[test]
fn lines_are_told_whatever_was_passed_before() {
    let file = "{\"Records\":[{\"eventVersion\":\"1\"}],\"meta\":{\"lines\":[\n]}}\n";
    let text = format!("{}x\n{{\"eventVersion\":\"\n", file.repeat(30)).into_bytes();
    for window_bytes in [1, 64, 1 << 20] {
        let limits = Limits { window_bytes, ..Limits::default() };
        let (found, _) = read_with(Options { limits, ..Options::default() }, &text);
        let lines: Vec<_> = found.problems.iter().map(|it| it.place.as_ref().map(|it| it.line)).collect();
        assert_eq!(lines, [Some(61), Some(62)], "window of {window_bytes}: {:?}", found.problems);
    }
}

#[test]
fn messages() {
    let limits = Limits { problems: 1, record_bytes: 1000, depth: 16, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let broken = r#"{"eventName":"a,"awsRegion":"x"}"#;
    let text = format!("{broken}\n{}\n{broken}\n{broken}\n{{\"cut", record(1));
    let packed = gzip(text.as_bytes());
    let mut shown = String::new();
    for bytes in [text.as_bytes(), &packed[..packed.len() - 9], b"", b"\xFF\xFEx", b"x"] {
        let (mut found, _) = read_with(options.clone(), bytes);
        for problem in &mut found.problems {
            problem.name = "trail.json".to_owned();
            shown.push_str(&problem.to_string());
            shown.push('\n');
        }
    }
    insta::assert_snapshot!(shown);
}

/// What random texts showed once: each ended in a panic, or differently when less of it was held.
#[test]
fn what_was_found_stays_mended() {
    let texts = [
        "[[\"\u{1}[\0\"[{\"\u{1}[\0\"[",
        "{\"Records\":[{\"k\":1}],\"k\":",
        "{\"Records\":[]\n[[",
        "{\"Records\":[],\"k\":\"v\"\n  [{\"k\":1}]",
        "{\"Records\":[],\"k\":\"v\"\n\"{\\+\u{5}x\"eventVersion\"",
    ];
    for text in texts {
        let whole = read_with(options(Reading::Trail, 1 << 20), text.as_bytes()).0;
        for window in 1..80 {
            let pieces = read_with(options(Reading::Trail, window), text.as_bytes()).0;
            assert_eq!(
                (pieces.texts(), pieces.codes()),
                (whole.texts(), whole.codes()),
                "{text:?}, {window}"
            );
        }
    }
}
