//! Parquet files with a record in a column.

use std::sync::Arc;

use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::data_type::{ByteArray, ByteArrayType, Int32Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use reader::{Input, Limits, Options, Reader};

use crate::support::{Keep, gzip, read, record, tar};

/// A file with these columns, of texts; a number stands in each row besides.
fn file(columns: &[(&str, &[&str])], compression: Compression) -> Vec<u8> {
    let fields: String = columns
        .iter()
        .map(|(name, _)| format!("required binary {name} (UTF8); "))
        .collect::<Vec<_>>()
        .concat();
    let schema = format!("message rows {{ required int32 number; {fields} }}");
    let schema = Arc::new(parse_message_type(&schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
    // Two groups of rows.
    let length = columns[0].1.len();
    for rows in [0..length / 2, length / 2..length] {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let numbers: Vec<i32> = rows.clone().map(|it| it as i32).collect();
        column.typed::<Int32Type>().write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        for (_, values) in columns {
            let values: Vec<ByteArray> = values[rows.clone()].iter().map(|it| ByteArray::from(*it)).collect();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn lake(count: usize, compression: Compression) -> (Vec<u8>, Vec<String>) {
    let records: Vec<String> = (0..count).map(record).collect();
    let texts: Vec<&str> = records.iter().map(String::as_str).collect();
    let others = vec!["{\"not\":\"it\"}"; count];
    (file(&[("aaa", &others), ("eventJson", &texts)], compression), records)
}

#[test]
fn records_in_a_column_are_read_wherever_the_file_lies() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(::parquet::basic::GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let (bytes, records) = lake(101, compression);
        for packed in [bytes.clone(), gzip(&bytes), tar(&[("lake.parquet", &bytes)])] {
            let found = read(&packed);
            assert_eq!(found.texts(), records, "{compression:?}");
            assert_eq!(found.codes(), Vec::<&str>::new());
            assert!(found.records.iter().zip(0..).all(|(it, at)| it.ordinal == at));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lake.parquet");
        std::fs::write(&path, &bytes).unwrap();
        let input = Input::file(0, &path).unwrap();
        let mut keep = Keep::default();
        let totals = Reader::default().read(&input, &mut keep);
        assert_eq!((keep.texts().len(), totals.read_bytes), (101, bytes.len() as u64));
        // Some of it, once more.
        let mut some = Keep::default();
        Reader::default().read_at(&input, &[0, 50, 100], &mut some);
        assert_eq!(some.texts(), [&*records[0], &*records[50], &*records[100]]);
    }
}

#[test]
fn rows_without_a_record_are_named() {
    let other = |columns: &[(&str, &[&str])]| {
        let found = read(&file(columns, Compression::SNAPPY));
        assert_eq!(found.records.len(), 0);
        let [problem] = &found.problems[..] else { panic!("{:?}", found.problems) };
        assert!(problem.cause.is_loss());
        problem.to_string()
    };
    let text = other(&[("class_uid", &["3005", "3005"]), ("metadata", &["{}", "x"])]);
    assert!(text.contains("READ023") && text.contains("OCSF"), "{text}");
    let flat = ["eventversion", "eventtime", "eventname", "useridentity"].map(|it| (it, &["x", "y"][..]));
    assert!(other(&flat).contains("columns are parts of records"));
    assert!(other(&[("colour", &["red", "blue"])]).contains("Parquet files"));
    // A row among others.
    let (one, two) = (record(1), record(2));
    let found = read(&file(&[("raw", &[&one, "nothing", &two, "nothing"])], Compression::SNAPPY));
    assert_eq!(found.texts(), [one, two]);
    assert_eq!(found.codes(), ["READ027"]);
}

#[test]
fn what_is_damaged_or_too_large_is_told() {
    let (bytes, records) = lake(200, Compression::SNAPPY);
    assert_eq!(read(&bytes[..bytes.len() - 9]).codes(), ["READ030"]);
    assert_eq!(read(&[&b"PAR1"[..], &[7; 100], b"PAR1"].concat()).codes(), ["READ030"]);
    let limits = Limits { decompressed_bytes: 1_000, ..Limits::default() };
    let mut keep = Keep::default();
    let input = Input::memory(0, "lake", Arc::new(bytes.clone()));
    Reader::new(Options { limits, ..Options::default() }).read(&input, &mut keep);
    assert_eq!((keep.codes(), keep.records.len()), (vec!["READ006"], 0));
    // Wherever a byte is another, nothing panics, and what is read is read right or told.
    for at in (4..bytes.len()).step_by(37) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x5a;
        let found = read(&damaged);
        let is_whole = found.texts() == records.iter().map(String::as_str).collect::<Vec<_>>();
        assert!(is_whole || !found.problems.is_empty() || found.records.len() == records.len(), "{at}");
    }
}
