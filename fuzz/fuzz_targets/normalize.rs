//! Whatever a record holds, it has a document, and the columns of its row hold what the document holds.
#![no_main]

use std::sync::{Arc, LazyLock};

use block::{BlockBuilder, Origin, RowInfo, Schema};
use cloudtrail::{Columns, Envelope, Normaliser, Options, ReadAt, RecordBuf, Version};
use ecs::{Catalog, FieldType, Shape, Wanted};
use libfuzzer_sys::fuzz_target;

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let mut schema = Schema::default();
    for (path, mapping) in Catalog::ecs().iter().filter(|(path, _)| !path.ends_with(".text")) {
        schema.add(path, Shape::Leaf);
        if mapping.ty == FieldType::Flattened {
            schema.add(path, Shape::FlattenedRoot);
        }
    }
    Arc::new(schema)
});

static WANTED: LazyLock<Wanted> = LazyLock::new(|| {
    Wanted::new(SCHEMA.columns().map(|(slot, path, shape)| (slot.index() as u32, path, shape)))
});

const VERSIONS: [Version; 3] = [Version::V8_9, Version::V2_24, Version::Filebeat];

static COLUMNS: LazyLock<[Columns; 3]> =
    LazyLock::new(|| VERSIONS.map(|version| Columns::new(&SCHEMA, version)));

fuzz_target!(|bytes: &[u8]| {
    let Some((&version, text)) = bytes.split_first() else { return };
    let version = usize::from(version) % VERSIONS.len();
    let columns = &COLUMNS[version];
    let options = Options {
        version: VERSIONS[version],
        tags: vec!["actor_target_mapping".to_owned()],
        envelope: Some(Envelope::default()),
        ..Options::default()
    };
    let mut normaliser = Normaliser::new(options);
    let read_at = ReadAt::new(0);
    let mut buf = RecordBuf::default();
    let record = buf.parse(text);
    let document = normaliser.document(&record, &read_at);

    let mut builder = BlockBuilder::new(Arc::clone(&SCHEMA));
    let mut event = normaliser.event(&record, &read_at);
    event.fill(columns, &mut builder);
    let head = event.head();
    builder.end_row(RowInfo { id: &head.id, index: 0, timestamp: head.timestamp, origin: Origin::default() });
    let block = builder.finish();
    let mut expected = vec![Vec::new(); SCHEMA.len()];
    WANTED.walk(&document, &mut |id, value| expected[id as usize].push(format!("{value:?}")));
    for (slot, path, shape) in SCHEMA.columns() {
        let column = block.column(slot);
        if column.row(0).is_empty() && expected[slot.index()].is_empty() {
            continue;
        }
        let got: Vec<String> = column.row(0).iter().map(|&it| format!("{:?}", column.value(it))).collect();
        assert_eq!(got, expected[slot.index()], "{path} ({shape:?})");
    }
});
