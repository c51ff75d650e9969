//! Files told by their content, archives, compression.

use reader::{Limits, Options};

use crate::support::{
    bzip2, gzip, read, read_file, read_with, record, records_file, sha256, tar, xz, zip, zstd,
};

/// A small file, and one that is decompressed as a stream.
fn small_and_big() -> [Vec<String>; 2] {
    [(0..3).map(record).collect(), (0..4000).map(record).collect()]
}

/// Options that decompress nothing in one piece.
fn streaming() -> Options {
    Options { limits: Limits { whole_gzip_bytes: 0, ..Limits::default() }, ..Options::default() }
}

#[test]
fn every_container_gives_the_same_records() {
    for records in small_and_big() {
        let text = records_file(records.iter().cloned());
        let text = text.as_bytes();
        let gz = gzip(text);
        let containers = [
            text.to_vec(),
            gz.clone(),
            gzip(&gz),
            zstd(text),
            [zstd(&text[..50]), zstd(&text[50..])].concat(),
            bzip2(text),
            [bzip2(&text[..50]), bzip2(&text[50..])].concat(),
            xz(text),
            [xz(&text[..50]), xz(&text[50..])].concat(),
            bzip2(&gz),
            xz(&tar(&[("b.json.bz2", &bzip2(text))])),
            zip(&[("b.json.xz", &xz(text))]),
            [gzip(&text[..50]), gzip(&text[50..])].concat(),
            [gzip(text), vec![0; 1024]].concat(),
            tar(&[("a/b.json", text)]),
            tar(&[("b.json.gz", &gz)]),
            gzip(&tar(&[("b.json", text)])),
            gzip(&tar(&[("b.json.gz", &gz)])),
            zstd(&tar(&[("b.json.zst", &zstd(text))])),
            zip(&[("b.json", text)]),
            zip(&[("a/b.json.gz", &gz)]),
        ];
        for (number, container) in containers.iter().enumerate() {
            for options in [Options::default(), streaming()] {
                let (found, _) = read_with(Options { hashes: true, ..options }, container);
                assert!(found.problems.is_empty(), "container {number}: {:?}", found.problems);
                let hashes: Vec<_> = found.hashes.iter().map(|it| it.1).collect();
                assert_eq!(hashes, [Some(sha256(text))], "container {number}");
                assert_eq!(found.texts(), records, "container {number}");
            }
        }
    }
}

#[test]
fn ordinals_count_through_all_members() {
    let [first, second, third] = [0, 1, 2].map(|i| records_file([record(2 * i), record(2 * i + 1)]));
    let members: [(&str, &[u8]); 3] = [
        ("x/1.json", first.as_bytes()),
        ("2.json.gz", &gzip(second.as_bytes())),
        ("3.json", third.as_bytes()),
    ];
    for archive in [zip(&members), tar(&members), gzip(&tar(&members))] {
        let (found, totals) = read_with(Options::default(), &archive);
        let ordinals: Vec<u64> = found.records.iter().map(|record| record.ordinal).collect();
        assert_eq!(ordinals, [0, 1, 2, 3, 4, 5]);
        assert_eq!(found.records[3].member.as_deref(), Some("2.json.gz"));
        assert_eq!(found.records[3].offset, found.records[1].offset);
        assert_eq!(totals.members, 3);
    }
}

#[test]
fn other_members_are_passed_over_and_counted() {
    let text = record(1);
    let members: [(&str, &[u8]); 5] = [
        ("labels.csv", b"name,value\nx,1\n"),
        ("README.md", b"# Notes"),
        ("__MACOSX/a.json", b"\0\0"),
        ("a/.DS_Store", b"\0\0"),
        ("a.json", text.as_bytes()),
    ];
    for archive in [zip(&members), tar(&members)] {
        let (found, totals) = read_with(Options::default(), &archive);
        assert_eq!(found.texts(), [text.as_str()]);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        assert_eq!((totals.members, totals.skipped_members), (1, 4));
    }
}

#[test]
fn archives_in_archives_are_named_and_passed() {
    let text = record(1);
    let inner = zip(&[("a.json", text.as_bytes())]);
    let members: [(&str, &[u8]); 3] = [
        ("inner.zip", &inner),
        ("inner.tar", &tar(&[("a.json", text.as_bytes())])),
        ("a.json", text.as_bytes()),
    ];
    for archive in [zip(&members), tar(&members), gzip(&tar(&members))] {
        let found = read(&archive);
        assert_eq!(found.codes(), ["READ008", "READ008"]);
        assert_eq!(found.problems[0].member.as_deref(), Some("inner.zip"));
        assert_eq!(found.texts(), [text.as_str()]);
    }
    assert_eq!(read(&gzip(&gzip(&gzip(text.as_bytes())))).codes(), ["READ008"]);
    assert_eq!(read(&xz(&bzip2(&xz(text.as_bytes())))).codes(), ["READ008"]);
    assert_eq!(read(&gzip(&inner)).codes(), ["READ008"]);
}

#[test]
fn names_mean_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json.gz");
    std::fs::write(&path, record(1)).unwrap();
    assert_eq!(read_file(Options::default(), &path).0.records.len(), 1);
    let path = folder.path().join("a.json");
    std::fs::write(&path, gzip(record(1).as_bytes())).unwrap();
    assert_eq!(read_file(Options::default(), &path).0.records.len(), 1);
}

#[test]
fn byte_order_marks_are_passed() {
    let text = format!("\u{FEFF}{}\n\u{FEFF}{}", record(1), record(2));
    for options in [1, 2, 3, 4096].map(|window| crate::support::options(reader::Reading::Trail, window)) {
        let (found, _) = read_with(options, text.as_bytes());
        assert_eq!(found.texts(), [record(1), record(2)]);
        assert!(found.problems.is_empty());
    }
}

#[test]
fn a_member_limit_holds() {
    let text = record(1);
    let members: [(&str, &[u8]); 3] =
        [("1.json", text.as_bytes()), ("2.json", text.as_bytes()), ("3.json", text.as_bytes())];
    for archive in [zip(&members), tar(&members)] {
        let limits = Limits { members: 2, ..Limits::default() };
        let (found, _) = read_with(Options { limits, ..Options::default() }, &archive);
        assert_eq!(found.records.len(), 2);
        assert_eq!(found.codes(), ["READ007"]);
    }
}

/// An XZ file says itself how much memory it takes to unpack.
#[test]
fn memory_for_xz_is_bounded() {
    let packed = xz(record(1).as_bytes());
    let limits = Limits { xz_memory_bytes: 1 << 10, ..Limits::default() };
    let (found, _) = read_with(Options { limits, ..Options::default() }, &packed);
    assert_eq!((found.records.len(), found.codes()), (0, vec!["READ004"]));
}

#[test]
fn no_data_compressed_is_empty() {
    for packed in [bzip2(b""), xz(b""), zstd(b"")] {
        assert_eq!(read(&packed).codes(), ["READ002"]);
    }
}
