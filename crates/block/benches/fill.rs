//! What it costs to put a value into a column, by how often values repeat.

use block::{Block, BlockBuilder, Origin, RowInfo, Schema, Slot};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecs::{Scalar, Shape};
use fastrand::Rng;

const SEED: u64 = 7;
const ROWS: usize = 8_192;

/// How many distinct values, and how long.
const KINDS: [(&str, usize, usize); 6] = [
    ("constant", 1, 14),
    ("few", 4, 10),
    ("actions", 350, 20),
    ("user agents", 300, 90),
    ("addresses", 2_000, 12),
    ("unique, long", usize::MAX, 300),
];

/// A text of that length for the number.
fn text(number: u64, len: usize) -> String {
    let mut text = format!("{number:x}-");
    while text.len() < len {
        text.push_str("some part of it, ");
    }
    text.truncate(len.max(10));
    text
}

fn fill(block: Block, slot: Slot, values: &[String]) -> Block {
    let mut builder = BlockBuilder::reuse(block);
    for value in values {
        builder.push(slot, Scalar::Str(value));
        builder.end_row(RowInfo {
            id: "0123456789abcdef",
            index: 0,
            timestamp: 0,
            origin: Origin::default(),
        });
    }
    builder.finish()
}

fn fills(criterion: &mut Criterion) {
    let mut schema = Schema::default();
    let slot = schema.add("it", Shape::Leaf);
    let mut group = criterion.benchmark_group("fill");
    group.throughput(Throughput::Elements(ROWS as u64));
    for (name, distinct, len) in KINDS {
        let mut rng = Rng::with_seed(SEED);
        // The first values are far more frequent than the last.
        let number = |rng: &mut Rng| ((distinct as f64).powf(rng.f64()) - 1.0) as u64;
        let values: Vec<String> = (0..ROWS).map(|_| text(number(&mut rng), len)).collect();
        let mut block = Some(BlockBuilder::new(schema.clone().into()).finish());
        group.bench_function(name, |bencher| {
            bencher.iter(|| block = block.take().map(|block| fill(block, slot, &values)));
        });
    }
    group.finish();
}

criterion_group!(benches, fills);
criterion_main!(benches);
