//! What is not well with detection itself: looked for now and then, and told when it begins and when it is over.

use std::collections::{BTreeMap, BTreeSet};

use ecs::Millis;
use live::{Ended, Gap, News, Status};
use notify::Health;

use crate::app::App;

/// What keeps the server from its work must last so long to be told.
const LASTS: Millis = 60_000;

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Obstacles, by kind, since when.
    since: BTreeMap<&'static str, Millis>,
}

impl Watch {
    /// What is to be known by now; `known` are the conditions that were told.
    pub(super) fn look(&mut self, app: &App, known: &BTreeSet<String>, now: Millis) -> Vec<(Millis, Health)> {
        let mut found: BTreeMap<String, (Millis, String)> = BTreeMap::new();
        let obstacles = crate::api::obstacles(app);
        let kinds: Vec<&'static str> = obstacles.iter().map(|it| it.kind).collect();
        self.since.retain(|kind, since| kinds.contains(kind) && *since <= now);
        for it in obstacles {
            let since = *self.since.entry(it.kind).or_insert(now);
            if now - since >= LASTS {
                found.insert(format!("ready/{}", it.kind), (since, it.text));
            }
        }
        let config = app.config();
        for source in &app.sources {
            let its = config.sources.iter().find(|it| it.name == source.name());
            let Some(silent) = its.and_then(|it| it.silent_ms) else { continue };
            let last = source.state().last_ms.unwrap_or(app.started_ms);
            if now.saturating_sub(last) >= silent as Millis {
                let text = format!(
                    "the source `{}` has delivered nothing since {} (`silent_after`)",
                    source.name(),
                    ecs::date::to_iso(last)
                );
                found.insert(format!("source/{}", source.name()), (last, text));
            }
        }
        let is_ours = |it: &&String| it.starts_with("ready/") || it.starts_with("source/");
        let over = known.iter().filter(is_ours).filter(|it| !found.contains_key(*it));
        let over: Vec<_> = over.map(|it| (now, Health::Good { key: it.clone() })).collect();
        let bad = found.into_iter().map(|(key, (since, text))| (since, Health::Bad { key, text }));
        over.into_iter().chain(bad).collect()
    }
}

/// What executions and gaps say; `known` are the conditions that were told.
pub(super) fn of_news(news: &News, known: &BTreeSet<String>) -> Vec<(Millis, Health)> {
    let mut all = Vec::new();
    let mut known = known.clone();
    for Ended { rule_id, rule_name, slot, status, messages } in &news.ended {
        let key = format!("execution/{rule_id}");
        match status {
            Status::Failed => {
                let why = messages.first().map_or("nothing is known of why", String::as_str);
                let text = format!("the rule `{rule_name}` could not be executed: {why}");
                known.insert(key.clone());
                all.push((*slot, Health::Bad { key, text }));
            }
            // Most executions are well: only what was told is over.
            Status::Succeeded | Status::Warning if known.remove(&key) => {
                all.push((*slot, Health::Good { key }));
            }
            Status::Succeeded | Status::Warning => {}
        }
    }
    // After a time without the server each rule has a gap of its own.
    let mut groups: Vec<(&Gap, Vec<&str>)> = Vec::new();
    for gap in &news.gaps {
        match groups.iter_mut().find(|(it, _)| it.reason == gap.reason) {
            Some((_, rules)) => rules.push(&gap.rule_name),
            None => groups.push((gap, vec![&gap.rule_name])),
        }
    }
    for (gap, rules) in groups {
        let of = news.gaps.iter().filter(|it| it.reason == gap.reason);
        let (from, to) = of.fold((gap.from, gap.to), |(from, to), it| (from.min(it.from), to.max(it.to)));
        let who = match rules.as_slice() {
            [rule] => format!("the rule `{rule}` has a gap"),
            rules => format!("{} rules have gaps", rules.len()),
        };
        let text = format!(
            "{who} between {} and {} ({}); gaps are filled as far as they are allowed to be",
            ecs::date::to_iso(from),
            ecs::date::to_iso(to),
            gap.reason.as_str()
        );
        all.push((gap.found, Health::Once { text }));
    }
    all
}

#[cfg(test)]
mod tests {
    use live::Reason;

    use super::*;

    fn ended(status: Status) -> Ended {
        let messages = vec!["DET001 no".to_owned()];
        Ended { rule_id: "r".to_owned(), rule_name: "A rule".to_owned(), slot: 5, status, messages }
    }

    #[test]
    fn what_fails_is_told_and_what_is_well_only_if_it_was_not() {
        let of = |statuses: &[Status], known: &[&str]| {
            let news = News { ended: statuses.iter().map(|it| ended(*it)).collect(), ..News::default() };
            of_news(&news, &known.iter().map(|&it| it.to_owned()).collect())
        };
        assert!(of(&[Status::Succeeded, Status::Warning], &[]).is_empty());
        let all = of(&[Status::Failed, Status::Succeeded], &[]);
        assert!(
            matches!(&all[0].1, Health::Bad { text, .. } if text.contains("A rule") && text.contains("DET001"))
        );
        assert!(matches!(&all[1].1, Health::Good { .. }), "{all:?}");
        assert_eq!(of(&[Status::Warning], &["execution/r"]).len(), 1);
    }

    #[test]
    fn many_gaps_are_one_message() {
        let gap = |rule: usize| Gap {
            rule_id: rule.to_string(),
            rule_name: format!("rule {rule}"),
            from: 1_000 * rule as i64,
            to: 60_000,
            reason: Reason::Down,
            events: 0,
            found: 7,
            next: None,
        };
        let news = News { gaps: (1..500).map(gap).collect(), ..News::default() };
        let all = of_news(&news, &BTreeSet::new());
        assert_eq!(all.len(), 1);
        let Health::Once { text } = &all[0].1 else { panic!("{all:?}") };
        assert!(text.starts_with("499 rules have gaps between 1970-01-01T00:00:01.000Z and"), "{text}");
    }
}
