//! `instance-story`: which machines were meant, and what else happened to them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rule::GuideLanguage;

use crate::case::valid_instances;
use crate::deed::Mark;
use crate::event::{Event, Field, call_pieces, place};
use crate::evidence::{Confidence, Evidence, Found, Lack, Row};
use crate::fill::shown;
use crate::look::{DAY, Joined, Look, ids, short, some, tally, time};
use crate::network;
use crate::request::{value_in, values_in};
use crate::say::{heads, say, term, word};

/// Of so many machines the tags are told.
const TOLD_MAX: usize = 5;

/// The tags that a launch gives, read off its request as it is rendered.
fn tags_in(request: &str) -> Vec<(String, String)> {
    let start = ["tags=[", "\"tags\": [", "\"tags\":[", "tagSet={items=[", "\"tagSet\": {\"items\": ["];
    let Some(rest) = start.iter().find_map(|it| Some(&request[request.find(it)? + it.len()..])) else {
        return Vec::new();
    };
    let inner = &rest[..rest.find(']').unwrap_or(rest.len())];
    inner.split('}').filter_map(|it| Some((value_in(it, "key")?, value_in(it, "value")?))).collect()
}

/// What a launch says of the network and the role of a machine.
fn card(l: GuideLanguage, name: &str, launch: &Event) -> Option<String> {
    let (request, response) =
        (launch.text_at(Field::Request as usize), launch.text_at(Field::Response as usize));
    let groups = values_in(&response, "groupId");
    let profile = value_in(&response, "arn").filter(|it| it.contains(":instance-profile/"));
    let profile = profile.or_else(|| {
        value_in(&request, "arn").filter(|it| it.contains(":instance-profile/")).or_else(|| {
            let at = request.find("iamInstanceProfile")?;
            value_in(&request[at..], "name")
        })
    });
    let imds = value_in(&response, "httpTokens").map(|it| {
        if it == "required" {
            say!(l, "metadata service of version 2 only")
        } else {
            say!(l, "metadata service of version 1, too")
        }
    });
    let parts = [
        value_in(&response, "subnetId").map(|it| say!(l, "subnet {}", shown(&it))),
        value_in(&response, "privateIpAddress").map(|it| say!(l, "private address {}", shown(&it))),
        (!groups.is_empty()).then(|| {
            let groups: BTreeSet<String> = groups.into_iter().collect();
            say!(l, "security groups {}", some(l, groups.iter().map(|it| shown(it)), 3))
        }),
        profile.map(|it| say!(l, "instance profile {}", shown(short(&it)))),
        imds,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| say!(l, "Instance {}: {}.", shown(name), some(l, &parts, parts.len())))
}

/// Who was let in to the groups that a machine was launched with, as far as the data say.
fn exposure(look: &Look<'_>, name: &str, launch: Option<&Event>) -> Vec<String> {
    let l = look.language;
    let groups =
        launch.map(|it| values_in(&it.text_at(Field::Response as usize), "groupId")).unwrap_or_default();
    let opened = look.events("network").iter().filter(|it| {
        it.get(Field::Action) == "AuthorizeSecurityGroupIngress" && groups.contains(&network::group_of(it))
    });
    let told = opened.take(TOLD_MAX).map(|it| {
        say!(
            l,
            "Instance {} can be reached at {} by {} since {}: {} opened group {}.",
            shown(name),
            network::ports_of(l, it),
            network::sources_of(l, it),
            time(it.time),
            shown(short(it.identity())),
            shown(&network::group_of(it))
        )
    });
    told.collect()
}

pub(crate) fn instance_story(look: &mut Look<'_>, evidence: &mut Evidence) {
    let (case, l) = (look.case, look.language);
    let asked: BTreeSet<&str> = case.all("instance").iter().map(String::as_str).collect();
    if asked.is_empty() {
        return;
    }
    let action = case.anchor().map_or("", |it| it.get(Field::Action));
    let names = |event: &Event| -> BTreeSet<&str> {
        let all = event
            .all(Field::Hosts)
            .iter()
            .chain(event.all(Field::MadeInstance))
            .chain(event.all(Field::AskedInstance));
        all.filter_map(|it| asked.get(&**it).copied()).collect()
    };
    let mut about: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
    let mut told: HashSet<(&str, &str)> = HashSet::new();
    for event in ["launch", "agent", "touched"].iter().flat_map(|id| look.events(id)) {
        for name in names(event) {
            if told.insert((name, &*event.id)) {
                about.entry(name).or_default().push(event);
            }
        }
    }
    let is_known = |events: &[&Event]| events.iter().any(|it| it.get(Field::Action) != action);
    let known: Vec<(&str, &Vec<&Event>)> =
        about.iter().filter(|(_, events)| is_known(events)).map(|(name, events)| (*name, events)).collect();
    let mut rows = Vec::new();
    let (mut platforms, mut keys) = (BTreeSet::new(), BTreeSet::new());
    let (mut alive, mut others, mut launched) = (None, Vec::new(), Vec::new());
    for (name, events) in &known {
        let of = |action: &str| {
            events.iter().find(|it| it.get(Field::Action) == action && !it.is_refused()).copied()
        };
        let launch = of("RunInstances");
        let agent = of("UpdateInstanceInformation");
        let gone = events.iter().find(|it| {
            it.get(Field::Action) == "TerminateInstances" && !it.is_refused() && it.time <= case.first
        });
        let platform =
            match (launch.map(|it| it.get(Field::Platform)), agent.map(|it| it.get(Field::AgentPlatform))) {
                (Some(it), _) | (None, Some(it)) if it.eq_ignore_ascii_case("windows") => {
                    term!("windows")
                }
                (_, Some("Linux")) | (Some(""), _) => term!("linux"),
                _ => term!("unknown"),
            };
        platforms.insert(platform);
        let value = |field| launch.map(|it| it.get(field)).unwrap_or_default();
        if !value(Field::KeyName).is_empty() {
            keys.insert(value(Field::KeyName));
        }
        alive = Some(alive.unwrap_or(false) || gone.is_none());
        let addresses: BTreeSet<&str> = events
            .iter()
            .filter(|it| it.get(Field::Action) == "UpdateInstanceInformation")
            .map(|it| it.get(Field::Address))
            .collect();
        rows.push(Row {
            cells: vec![
                (*name).to_owned(),
                word(l, platform).to_owned(),
                value(Field::InstanceType).to_owned(),
                value(Field::Image).to_owned(),
                value(Field::Vpc).to_owned(),
                value(Field::KeyName).to_owned(),
                agent.map(|it| it.get(Field::AgentComputer)).unwrap_or_default().to_owned(),
                some(l, &addresses, 3),
                launch.map(|it| say!(l, "{} by {}", time(it.time), short(it.who()))).unwrap_or_default(),
                gone.map(|it| time(it.time)).unwrap_or_default(),
            ],
            events: ids(events.iter().copied()),
            count: events.len() as u64,
            is_own: false,
        });
        let mut tags = launch.map(|it| tags_in(&it.text_at(Field::Request as usize))).unwrap_or_default();
        let requests = look.events("tagged").iter().map(|it| it.text_at(Field::Request as usize));
        for request in requests.filter(|it| values_in(it, "resourceId").iter().any(|it| it == name)) {
            for (key, value) in tags_in(&request) {
                tags.retain(|it| it.0 != key);
                tags.push((key, value));
            }
        }
        if rows.len() <= TOLD_MAX {
            if let Some(card) = launch.and_then(|it| card(l, name, it)) {
                evidence.statements.push(card);
            }
            evidence.statements.extend(exposure(look, name, launch));
            evidence.statements.push(if tags.is_empty() {
                say!(l, "Instance {}: no tags in the data.", shown(name))
            } else {
                let tags = tags.iter().map(|(key, value)| shown(&format!("{key}={value}")));
                say!(l, "Instance {}: tags {}.", shown(name), some(l, tags, 8))
            });
        }
        if let Some(launch) = launch.filter(|it| it.time <= case.first && it.time >= case.first - DAY) {
            let team = look.events("assumers").iter().filter(|it| !it.is_refused()).map(|it| it.who());
            let mut team = team.chain(case.all("chain_arns").iter().map(String::as_str));
            if team.any(|it| it == launch.who()) {
                launched.push(launch);
            }
        }
        let own = case.anchor().map_or("", Event::identity);
        others.extend(events.iter().copied().filter(|it| {
            it.is_mark(Mark::MachineAccess)
                && !it.is_refused()
                && it.identity() != own
                && it.time >= case.first
        }));
    }
    if !rows.is_empty() {
        let columns = heads![
            "instance",
            "platform",
            "type",
            "image",
            "vpc",
            "key pair",
            "computer",
            "addresses",
            "launched",
            "terminated",
        ];
        evidence.results.push(Found::table(term!("machines"), "table", columns, rows));
        // What leads onto the machines, one by one; the rest is counted.
        let access = look.events("touched").iter().map(|it| &**it);
        let access: Vec<&Event> =
            access.filter(|it| it.is_mark(Mark::MachineAccess) && it.get(Field::Action) != action).collect();
        if !access.is_empty() {
            evidence.results.push(crate::related::timeline(l, term!("access"), access, |it| case.is_own(it)));
        }
        let events =
            look.events("touched").iter().map(|it| &**it).filter(|it| it.get(Field::Action) != action);
        evidence.results.push(tally(
            l,
            "touched",
            &heads!["action and identity"][0],
            events,
            |it| (it.call_parts().map(place), place(it.identity())),
            |it| {
                let [provider, colon, action] = call_pieces(it.call_parts());
                Joined([provider, colon, action, " · ", short(it.identity())])
            },
            |it| case.is_own(it),
        ));
    }
    let unknown: Vec<&str> =
        asked.iter().copied().filter(|it| !known.iter().any(|(name, _)| name == it)).collect();
    if !unknown.is_empty() {
        evidence.statements.push(say!(
            l,
            "{|instance is|instances are} not known from any other event: {}.",
            unknown.len(),
            some(l, unknown.iter().map(|it| shown(it)), 5)
        ));
    }
    let text = if launched.is_empty() {
        say!(l, "no machine was launched in the day before by somebody who assumes the role")
    } else {
        say!(l, "a machine was launched in the day before by somebody who assumes the role")
    };
    let value = !launched.is_empty();
    look.fact("target_launched_by_team", value, Confidence::Exact, ids(launched), text);
    let platform = match platforms.len() {
        1 => platforms.first().copied().unwrap_or("unknown"),
        0 => "unknown",
        _ => term!("mixed"),
    };
    let text = say!(l, "platform of the machines: {}", word(l, platform));
    look.exact("target_platform", platform, text);
    let keys: Vec<&str> = keys.into_iter().collect();
    if !keys.is_empty() {
        look.exact(
            "target_key_name",
            keys.join(", "),
            say!(l, "key pair of the launch: {}", some(l, keys.iter().map(|it| shown(it)), 3)),
        );
    }
    // What nobody names may live all the same.
    if let Some(alive) = alive {
        let text = if alive {
            say!(l, "a machine was not terminated before the call")
        } else {
            say!(l, "the machines were terminated before the call")
        };
        look.exact("target_alive", alive, text);
    } else if !valid_instances(case).is_empty() {
        look.fact(
            "target_alive",
            false,
            Confidence::Weak,
            Vec::new(),
            say!(l, "no event but this call names the machines"),
        );
    }
    let text = match others.len() {
        0 => say!(l, "nobody else used a call that leads onto the machines afterwards"),
        count => {
            say!(l, "{|call|calls} by others that lead onto the machines, afterwards", count)
        }
    };
    let value = !others.is_empty();
    look.fact("touched_by_others", value, Confidence::Exact, ids(others), text);
    let old: Vec<&Event> =
        look.events("role-of").iter().map(|it| &**it).filter(|it| it.get(Field::Delivery) == "1.0").collect();
    if look.answers.contains_key("role-of") {
        let text = if old.is_empty() {
            say!(l, "no credentials of version 1 of the metadata service")
        } else {
            say!(l, "credentials of version 1 of the metadata service are in use")
        };
        let value = !old.is_empty();
        look.fact("imds_v1", value, Confidence::Exact, ids(old), text);
    }
    evidence.lacks(
        Lack::NotRecorded,
        say!(
            l,
            "logins, processes and the state of the password are in the machine's own logs, not in CloudTrail"
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_launches() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        for (request, tags) in [
            (
                "{tagSpecificationSet={items=[{resourceType=instance, tags=[{key=Owner, value=ops}, {value=prod, key=Env}]}]}}",
                vec![tag("Owner", "ops"), tag("Env", "prod")],
            ),
            (r#"{"tags": [{"key": "Name", "value": "web"}]}"#, vec![tag("Name", "web")]),
            (
                "{resourcesSet={items=[{resourceId=i-1}]}, tagSet={items=[{key=Env, value=prod}]}}",
                vec![tag("Env", "prod")],
            ),
            ("{instanceType=t3.micro}", Vec::new()),
        ] {
            assert_eq!(tags_in(request), tags, "{request}");
        }
    }
}
