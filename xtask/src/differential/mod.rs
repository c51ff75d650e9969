//! `cargo xtask differential`: random documents and queries, this engine against the real ones.
//!
//! Kibana's own code translates each KQL query, a node searches the documents, and reads Lucene queries itself; they must
//! agree with what this repository makes of a query: the same documents, or a refusal on either side. What differs is made as small as
//! possible and printed. It is a tool: no test needs the peers.
//!
//! With `--rules` it compares whole rules over whole files instead: see [`rules`]; with `--executions` what single
//! executions make of the events: see [`executions`].

mod engine;
mod executions;
mod http;
mod indices;
mod language;
mod peers;
mod queries;
mod rules;
mod shrink;
mod world;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use anyhow::Context as _;
use ecs::{Catalog, Object};
use serde_json::{Value, json};

use engine::Engine;
use language::Language;
use peers::{Node, Translator};

/// How many documents a round has.
const DOCUMENTS: usize = 40;

/// How many queries a round asks.
const QUERIES: usize = 250;

/// How many queries are asked, if nothing else is said.
const CASES: usize = 20_000;

/// How many changed rules are asked, if nothing else is said.
const MUTATIONS: usize = 2_000;

/// Which peers to ask, and how much.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The address of an Elasticsearch node for tests: `http://host:port`. The indices of this tool are made anew again
    /// and again; indices of others that are called alike are left alone, and are an error.
    #[arg(long)]
    elasticsearch: String,
    /// The command that translates KQL to Query DSL: NDJSON `{"query", "fields"}` in, `{"dsl"}` or `{"error"}` out.
    /// With `--rules` and without this, the translation is our own; Lucene needs none.
    #[arg(long)]
    kql: Option<String>,
    /// Rules, files or folders: compares these, as they are and changed at random, in place of single queries.
    #[arg(long, requires = "data", num_args = 1..)]
    rules: Vec<PathBuf>,
    /// Records for the rules: files or folders.
    #[arg(long, requires = "rules", num_args = 1..)]
    data: Vec<PathBuf>,
    /// The language to compare.
    #[arg(long, value_enum, default_value_t = Language::Kql)]
    language: Language,
    /// Compares single executions of random rules of this type over small random data, in place of queries.
    #[arg(long, value_enum, conflicts_with_all = ["rules", "language"])]
    executions: Option<executions::Kind>,
    /// The same seed gives the same documents and queries, and the same changes of rules.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many queries to ask, or with `--rules` how many changed rules, or with `--executions` how many rules: 20,000,
    /// 2,000 or 10,000 by default.
    #[arg(long)]
    cases: Option<usize>,
    /// How many differences to make small and print.
    #[arg(long, default_value_t = 20)]
    show: usize,
}

/// What a query gives.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    /// It is refused, with the reason.
    Refused(String),
    /// The ids of these documents.
    Found(BTreeSet<String>),
}

impl Answer {
    fn found(ids: impl Iterator<Item = String>) -> Self {
        Self::Found(ids.collect())
    }

    /// Reasons are not compared.
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Refused(_), Self::Refused(_)) => true,
            (Self::Found(ids), Self::Found(others)) => ids == others,
            (Self::Refused(_), Self::Found(_)) | (Self::Found(_), Self::Refused(_)) => false,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reason) => write!(f, "refused: {reason}"),
            Self::Found(ids) => write!(f, "[{}]", ids.iter().cloned().collect::<Vec<_>>().join(", ")),
        }
    }
}

/// Documents and what is known of their fields.
#[derive(Debug)]
struct World {
    /// The mapping for the node.
    mapping: Value,
    /// The same for this engine.
    catalog: Catalog,
    /// What the translators know: no nested fields, since the peer's input has no place for their paths.
    listed: Catalog,
    /// The same for the peer: names with their types.
    fields: Value,
    /// The documents with their ids.
    documents: Vec<(String, Object)>,
}

impl World {
    fn new(documents: Vec<(String, Object)>) -> anyhow::Result<Self> {
        let mapping = world::mapping();
        let catalog = Catalog::from_mapping(&mapping).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        let listed = world::FIELDS.iter().filter(|(_, _, nested)| !nested);
        let types: Object = listed.map(|&(path, ty, _)| (path.to_owned(), json!(ty))).collect();
        let listed = Catalog::from_types(&types).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
        // Kibana has one type for both kinds of dates, and the peer knows one name for it.
        let name = |ty: &Value| if ty == "date_nanos" { json!("date") } else { ty.clone() };
        let fields = types.iter().map(|(path, ty)| (path.clone(), name(ty))).collect();
        Ok(Self { mapping, catalog, listed, fields: Value::Object(fields), documents })
    }
}

/// A query that the two sides answer differently.
#[derive(Clone, Debug)]
struct Difference {
    query: String,
    theirs: Answer,
    ours: Answer,
}

/// Both sides, ready to answer.
struct Sides {
    language: Language,
    /// Of KQL.
    translator: Option<Translator>,
    node: Node,
    engine: Engine,
}

impl Sides {
    /// The queries that are answered differently on the documents last loaded.
    fn differences(
        &mut self,
        world: &World,
        queries: &[String],
        tally: &mut Tally,
    ) -> anyhow::Result<Vec<Difference>> {
        let translated = match (self.language, &mut self.translator) {
            (Language::Kql, Some(translator)) => translator.translate(queries, &world.fields)?,
            (Language::Kql, None) => anyhow::bail!("--kql is missing"),
            (Language::Lucene, _) => queries.iter().map(|query| Ok(language::query_string(query))).collect(),
        };
        let searches: Vec<Value> = translated.iter().filter_map(|it| it.as_ref().ok().cloned()).collect();
        let mut found = self.node.search(&searches)?.into_iter();
        let mut differences = Vec::new();
        for (query, translated) in queries.iter().zip(translated) {
            let theirs = match &translated {
                Ok(_) => found.next().context("an answer is missing")?,
                Err(reason) => Answer::Refused(reason.clone()),
            };
            if engine::is_different_on_purpose(self.language, query, &world.listed) {
                tally.skipped += 1;
                continue;
            }
            let ours = self.engine.answer(self.language, query, world)?;
            if theirs.agrees(&ours) {
                match theirs {
                    Answer::Refused(_) => tally.refused += 1,
                    Answer::Found(ids) if ids.is_empty() => tally.empty += 1,
                    Answer::Found(_) => tally.found += 1,
                }
            } else if let (Ok(dsl), Answer::Refused(_)) = (&translated, &ours)
                && self.is_hidden(dsl)?
            {
                tally.hidden += 1;
            } else {
                tally.different += 1;
                differences.push(Difference { query: query.clone(), theirs, ours });
            }
        }
        Ok(differences)
    }

    /// Whether the node refuses a part of the query when asked for it alone. It does not look at every part: what
    /// its statistics tell to be empty makes it pass over the rest, with the rest's errors.
    fn is_hidden(&mut self, dsl: &Value) -> anyhow::Result<bool> {
        let answers = self.node.search(&peers::leaves(dsl))?;
        Ok(answers.iter().any(|answer| matches!(answer, Answer::Refused(_))))
    }
}

/// How the queries went.
#[derive(Debug, Default)]
struct Tally {
    found: usize,
    empty: usize,
    refused: usize,
    skipped: usize,
    hidden: usize,
    different: usize,
}

impl Tally {
    fn asked(&self) -> usize {
        self.found + self.empty + self.refused + self.skipped + self.hidden + self.different
    }
}

/// Runs the comparison; an error if anything differed.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if !args.rules.is_empty() {
        return rules::run(args);
    }
    if let Some(kind) = args.executions {
        return executions::run(args, kind);
    }
    let cases = args.cases.unwrap_or(CASES);
    let mut rng = fastrand::Rng::with_seed(args.seed);
    let mut sides = Sides {
        language: args.language,
        translator: args.kql.as_deref().map(Translator::start).transpose()?,
        node: Node::new(&args.elasticsearch, format!("trailwarden-differential-{}", args.language.name()))?,
        engine: Engine::new(jiff::Timestamp::now().as_millisecond()),
    };
    let mut tally = Tally::default();
    let mut shown = BTreeSet::new();
    while tally.asked() < cases {
        let mut world = World::new(world::documents(&mut rng, DOCUMENTS))?;
        sides.node.load(&mut world)?;
        let count = QUERIES.min(cases - tally.asked());
        let queries: Vec<String> = (0..count).map(|_| args.language.query(&mut rng)).collect();
        let differences = sides.differences(&world, &queries, &mut tally)?;
        for difference in differences {
            if shown.len() < args.show {
                let printed = shrink::shrink(&mut sides, &world, difference)?;
                if shown.insert(printed.clone()) {
                    println!("{printed}");
                }
            }
        }
        eprintln!("{} of {}: {} differ", tally.asked(), cases, tally.different);
    }
    sides.node.clear()?;
    println!(
        "{} queries, seed {}: {} found documents, {} found none, {} refused by both, {} with an error in a part that the \
         node did not look at, {} different on purpose, {} different",
        tally.asked(),
        args.seed,
        tally.found,
        tally.empty,
        tally.refused,
        tally.hidden,
        tally.skipped,
        tally.different
    );
    anyhow::ensure!(tally.different == 0, "{} queries are answered differently", tally.different);
    Ok(())
}
