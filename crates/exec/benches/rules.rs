//! What a block costs with 20, 200 and 2,000 rules.
//!
//! The blocks look like CloudTrail of one organisation: 350 of the 3,000 actions that AWS has, a few of them most of
//! the time; request parameters that never repeat. `rare` rules ask for any of the 3,000 actions, as a rule set
//! that covers all of AWS does; `present` rules only for actions that occur, so that hardly any rule is left out.

use block::{Block, BlockBuilder, Origin, RowInfo, Schema, Slot};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ecs::{Scalar, Shape};
use exec::{Program, Scratch};
use fastrand::Rng;
use plan::{Expr, Glob, KeywordField, Predicate, StringTest, Test, Wildcard};

const SEED: u64 = 7;
const ACTIONS: usize = 3_000;
const ACTIONS_PRESENT: usize = 350;
const PROVIDERS: usize = 150;
const BLOCK_ROWS: [usize; 2] = [4_096, 16_384];
const RULES: [usize; 3] = [20, 200, 2_000];

/// The action of that number; its provider follows from it.
fn action(number: usize) -> (String, String) {
    (format!("service{}.amazonaws.com", number % PROVIDERS), format!("DescribeOrChangeThing{number}"))
}

/// A number below `below`: the first ones far more often than the last.
fn skewed(rng: &mut Rng, below: usize) -> usize {
    ((below as f64).powf(rng.f64()) - 1.0) as usize
}

fn block(schema: &Schema, rows: usize, rng: &mut Rng) -> Block {
    let mut builder = BlockBuilder::new(schema.clone().into());
    let column = |path: &str| schema.get(path, Shape::Leaf);
    let push = |builder: &mut BlockBuilder, slot: Option<Slot>, text: &str| {
        if let Some(slot) = slot {
            builder.push(slot, Scalar::Str(text));
        }
    };
    for row in 0..rows {
        let (provider, action) = action(skewed(rng, ACTIONS_PRESENT) * (ACTIONS / ACTIONS_PRESENT));
        push(&mut builder, column("event.dataset"), "aws.cloudtrail");
        push(&mut builder, column("event.provider"), &provider);
        push(&mut builder, column("event.action"), &action);
        push(&mut builder, column("event.outcome"), if rng.u8(..) < 240 { "success" } else { "failure" });
        let identity = ["AssumedRole", "AWSService", "IAMUser", "Root"][skewed(rng, 4)];
        push(&mut builder, column("aws.cloudtrail.user_identity.type"), identity);
        let user = skewed(rng, 500);
        push(&mut builder, column("user.name"), &format!("user-{user}"));
        let agent = format!(
            "aws-cli/2.{}.{} md/Botocore Python/3.11 exec-env/thing-{}",
            user % 7,
            user % 13,
            user % 60
        );
        push(&mut builder, column("user_agent.original"), &agent);
        let request = format!(
            "{{instanceId=i-{:016x}, groupSet={{items=[{{groupId=sg-{:08x}}}]}}, clientToken={:032x}}}",
            rng.u64(..),
            rng.u32(..),
            rng.u128(..)
        );
        push(&mut builder, column("aws.cloudtrail.request_parameters"), &request);
        let id = format!("{row:016x}");
        builder.end_row(RowInfo { id: &id, index: 0, timestamp: row as i64, origin: Origin::default() });
    }
    builder.finish()
}

fn is(path: &str, test: Test) -> Expr {
    Expr::Is(Predicate { path: path.to_owned(), shape: Shape::Leaf, test })
}

fn keyword(path: &str, text: &str) -> Expr {
    is(path, Test::term(text))
}

fn contains(path: &str, text: &str) -> Expr {
    let pattern = Wildcard::new([Glob::Any, Glob::Text(text.to_owned()), Glob::Any], false);
    is(path, Test::Keyword { field: KeywordField::default(), test: StringTest::Wildcard(pattern) })
}

/// What one rule asks for. Few match, and as few of 20 as of 2,000.
fn rule(number: usize, actions: usize, rng: &mut Rng) -> Expr {
    // All three of one provider, as a rule's actions are.
    let step = ACTIONS / actions;
    let first = rng.usize(..actions);
    let named: Vec<usize> = (0..3).map(|at| (first + at * PROVIDERS) % actions * step).collect();
    let mut all = vec![
        keyword("event.dataset", "aws.cloudtrail"),
        keyword("event.provider", &action(named[0]).0),
        Expr::Or(named.iter().map(|&it| keyword("event.action", &action(it).1)).collect()),
        keyword("event.outcome", "success"),
    ];
    let user = |it: usize| format!("user-{it}");
    match number % 5 {
        0 => all.push(keyword("aws.cloudtrail.user_identity.type", "Root")),
        1 => all.push(keyword("user.name", &user(rng.usize(..5_000)))),
        2 => {
            all.push(contains(
                "aws.cloudtrail.request_parameters",
                &format!("sg-{:05x}", rng.u32(..1 << 20)),
            ));
        }
        3 => {
            all.push(Expr::Not(Box::new(contains(
                "user_agent.original",
                &format!("thing-{}", rng.u8(..60)),
            ))));
            all.push(Expr::Not(Box::new(Expr::Or(
                (0..3).map(|it| keyword("user.name", &user(it))).collect(),
            ))));
            all.push(contains(
                "aws.cloudtrail.request_parameters",
                &format!("instanceId=i-{:05x}", rng.u32(..1 << 20)),
            ));
        }
        // Nothing but a tool that is known by its name, whatever it does.
        _ => return contains("user_agent.original", &format!("scanner-{number}")),
    }
    Expr::And(all)
}

fn rules(criterion: &mut Criterion) {
    for (name, actions) in [("rare", ACTIONS), ("present", ACTIONS_PRESENT)] {
        let mut group = criterion.benchmark_group(name);
        for rows in BLOCK_ROWS {
            for count in RULES {
                let mut rng = Rng::with_seed(SEED);
                let filters: Vec<Expr> = (0..count).map(|number| rule(number, actions, &mut rng)).collect();
                let program = Program::compile(&filters);
                let block = block(program.schema(), rows, &mut rng);
                let mut scratch = Scratch::default();
                group.throughput(Throughput::Elements(rows as u64));
                group.bench_function(BenchmarkId::new(format!("{rows} rows"), count), |bencher| {
                    bencher.iter(|| {
                        let mut matched = 0;
                        program.evaluate(&block, &["logs".to_owned()], &mut scratch, |_, rows| {
                            matched += rows.len();
                        });
                        matched
                    });
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
