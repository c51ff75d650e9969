//! What became of an event that rules matched: their executions over all the data.

use std::sync::Arc;

use detect::{Collector, DataSpan, Fate, Tail, Tails};
use identity::Graph;
use plan::Expr;
use reader::Discovery;
use sift::Seen;

use crate::Progress;
use crate::gather::{Gathering, sift};
use crate::identities::Issues;
use crate::run::{HuntOptions, data_span, limits};
use crate::scan::{Which, scan};

/// For each of the rules what became of the events with this id, and what the data span, and who issued credentials in them. All of it is read once more:
/// whether an event alerts depends on all others.
pub(crate) fn fates(
    rules: Vec<(Vec<Expr>, Tail)>,
    event_id: &str,
    discovery: &Discovery,
    options: &HuntOptions,
    progress: &Progress,
) -> (Vec<Vec<Fate>>, Option<DataSpan>, Graph) {
    let count = rules.len();
    let (filters, tails): (Vec<_>, Vec<_>) = rules.into_iter().unzip();
    let tails = Arc::new(Tails::new(tails));
    let sift = sift(filters.concat(), &tails, options);
    let read = reader::Options {
        limits: options.limits.clone(),
        without_tokens: sift.skips(),
        ..reader::Options::default()
    };
    let make = || {
        let collector = Collector::new(Arc::clone(&tails)).watching(event_id.to_owned());
        Gathering::new(&sift, [collector], options)
    };
    let (visitors, _) = scan(&Which::All(&discovery.inputs), &read, options.threads, progress, make);
    let (mut seen, mut all) = (Seen::default(), Collector::new(Arc::clone(&tails)));
    let mut issues = Vec::new();
    for visitor in visitors {
        let its = visitor.finish();
        seen.merge(&its.seen);
        its.collectors.into_iter().for_each(|it| all.merge(it));
        issues.extend(its.issues);
    }
    let graph = Issues::graph(issues);
    let Some(data) = data_span(&seen, options, None) else { return (vec![Vec::new(); count], None, graph) };
    let matches = all.finish_with(&graph);
    // A rule whose executions cannot be numbered is refused by the hunt; here it says nothing of the event.
    let fates = |rule| matches.fates(rule, data, &options.known, limits(options)).unwrap_or_default();
    ((0..count).map(fates).collect(), Some(data), graph)
}
