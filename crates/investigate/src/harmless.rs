//! What speaks for and against a harmless cause, and the exception that would have silenced the alert. No conclusion.

use rule::GuideLanguage;
use serde_json::Value;

use crate::case::Case;
use crate::event::{Event, Field, tool};
use crate::evidence::{Checklist, Exception, ExceptionEntry, Fact, Investigation};
use crate::fill;
use crate::look::DAY;
use crate::run::{Options, Raised};
use crate::say::say;

/// An exception ends after that, if nobody says otherwise.
const EXPIRES: i64 = 30 * DAY;
/// An exception is tried on the alerts of so long before.
const TRIED: i64 = 30 * DAY;

/// A kind of harmless cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Administration,
    Automation,
}

/// Words of notes on automation, in both languages.
const AUTOMATION: [&str; 10] =
    ["automat", "script", "pipeline", "scanner", "inventory", "tool", "backup", "自动化", "脚本", "流水线"];

struct Facts<'a>(&'a [Fact], GuideLanguage);

impl Facts<'_> {
    fn find(&self, name: &str) -> Option<&Fact> {
        self.0.iter().find(|it| it.name == name)
    }

    fn holds(&self, name: &str) -> Option<bool> {
        self.find(name).map(Fact::holds)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.find(name)?.value.as_f64()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.find(name)?.value.as_str()
    }
}

/// Adds one line to the checklist, on the side that the facts put it.
fn weigh(list: &mut Checklist, unknown: String, verdict: Option<bool>, supports: String, against: String) {
    match verdict {
        Some(true) => list.supports.push(supports),
        Some(false) => list.against.push(against),
        None => list.unknown.push(unknown),
    }
}

/// A list for each note of the rule's guide; for the two usual causes if it has none.
pub(crate) fn checklists(
    investigation: &Investigation,
    rule: Option<&rule::Rule>,
    l: GuideLanguage,
) -> Vec<Checklist> {
    let notes = rule.and_then(|it| it.guide.as_ref()).map_or(&[][..], |it| &it.false_positives);
    let facts = Facts(&investigation.facts, l);
    let kind = |title: &str, text: &str| {
        let whole = format!("{title} {text}").to_lowercase();
        if AUTOMATION.iter().any(|it| whole.contains(it)) { Cause::Automation } else { Cause::Administration }
    };
    let mut lists = Vec::new();
    for note in notes {
        let cause = if notes.len() == 2 && lists.is_empty() && kind(&note.title, "") == Cause::Administration
        {
            Cause::Administration
        } else {
            kind(&note.title, &note.text)
        };
        lists.push(checklist(cause, note.title.trim(), note.text.trim(), &facts));
    }
    if lists.is_empty() {
        lists.push(checklist(Cause::Administration, &say!(l, "Legitimate administration"), "", &facts));
        lists.push(checklist(Cause::Automation, &say!(l, "Automation"), "", &facts));
    }
    lists
}

fn checklist(cause: Cause, title: &str, text: &str, facts: &Facts<'_>) -> Checklist {
    let mut list = Checklist { title: title.to_owned(), text: text.to_owned(), ..Checklist::default() };
    match cause {
        Cause::Administration => administration(&mut list, facts),
        Cause::Automation => automation(&mut list, facts),
    }
    list
}

fn administration(list: &mut Checklist, facts: &Facts<'_>) {
    let l = facts.1;
    let calls = facts.number("calls");
    weigh(
        list,
        say!(l, "how many calls there were"),
        calls.map(|it| it <= 3.0),
        say!(l, "three calls or fewer"),
        say!(l, "more calls than a person needs"),
    );
    let targets = facts.number("targets");
    let known = targets.zip(facts.number("targets_known")).map(|(all, known)| known >= all);
    if targets.is_some() {
        weigh(
            list,
            say!(l, "whether the machines are known"),
            known,
            say!(l, "the machines are known here"),
            say!(l, "machines were asked for that nobody here knows"),
        );
        let windows = facts.text("target_platform").filter(|it| *it != "unknown").map(|it| it == "windows");
        weigh(
            list,
            say!(l, "the platform of the machines"),
            windows,
            say!(l, "the machines run Windows"),
            say!(l, "the machines do not run Windows"),
        );
        if facts.holds("target_launched_by_team") == Some(true) {
            list.supports
                .push(say!(l, "a machine was launched in the day before by somebody who assumes the role"));
        }
    }
    let person = facts.text("root_type").map(|it| {
        matches!(it, "federation" | "identity-center") || (it == "user" && facts.holds("mfa") == Some(true))
    });
    weigh(
        list,
        say!(l, "who is behind the session"),
        person,
        say!(l, "a person with MFA, or of the identity provider, is behind it"),
        say!(l, "an instance, a service, or a key without MFA is behind it"),
    );
    let is_new = |it: &str| facts.holds(it) == Some(true);
    let usual = facts
        .holds("new_source")
        .map(|it| !it && !is_new("new_network") && !is_new("new_country") && !is_new("unusual_hour"));
    weigh(
        list,
        say!(l, "whether address, network and hour are usual"),
        usual,
        say!(l, "address, network and hour are usual"),
        say!(l, "the address, the network, the country or the hour is new"),
    );
    if is_new("new_network") && is_new("src_hosting") {
        list.against.push(say!(l, "the new network rents out machines"));
    }
    let tool = facts.holds("new_tool").map(|it| !it || facts.holds("via_console") == Some(true));
    weigh(
        list,
        say!(l, "whether the tool is usual"),
        tool,
        say!(l, "the console, or a tool that was used before"),
        say!(l, "a tool that was never used before"),
    );
    if is_new("answered_later") {
        list.supports.push(say!(l, "the same person was answered later, with an identity that may"));
    }
    attack(list, facts);
    if facts.number("source_identities").is_some_and(|it| it > 1.0) {
        list.against.push(say!(l, "the same address uses several identities"));
    }
    for (fact, text) in [
        ("persistence_created", say!(l, "something was made through which somebody could come back")),
        ("secrets_read", say!(l, "secrets were read by the identities of the chain")),
        ("logging_changed", say!(l, "logging was changed")),
        ("burst", say!(l, "the calls came in a burst")),
        ("impossible_travel", say!(l, "the identity was elsewhere too shortly before")),
    ] {
        if facts.holds(fact) == Some(true) {
            list.against.push(text);
        }
    }
    list.unknown.push(say!(l, "whether a ticket or the person says so: ask by another way than the account"));
}

fn automation(list: &mut Checklist, facts: &Facts<'_>) {
    let l = facts.1;
    let not = |name: &str| facts.holds(name).map(|it| !it);
    weigh(
        list,
        say!(l, "whether the tool was seen before"),
        not("new_tool"),
        say!(l, "the tool was seen before"),
        say!(l, "the tool is new"),
    );
    weigh(
        list,
        say!(l, "whether the address was seen before"),
        not("new_source"),
        say!(l, "the address was seen before"),
        say!(l, "the address is new"),
    );
    if facts.holds("role_session") != Some(false) {
        weigh(
            list,
            say!(l, "whether the form of the session name was seen before"),
            not("session_form_new"),
            say!(l, "the form of the session name was seen before"),
            say!(l, "the form of the session name is new"),
        );
    }
    let share = facts.number("listing_share").zip(facts.number("session_actions"));
    weigh(
        list,
        say!(l, "what the session mostly does"),
        share.map(|(share, actions)| share >= 80.0 && actions > 1.0),
        say!(l, "the session mostly lists and reads, with several actions, as an inventory does"),
        say!(l, "the session has one action only, or changes things"),
    );
    let rhythm =
        facts.number("history_days").filter(|days| *days >= 2.0).and(facts.number("same_minute_days"));
    weigh(
        list,
        say!(l, "whether it comes at the same minute on other days: there are too few days of data"),
        rhythm.map(|days| days > 0.0),
        say!(l, "such calls came at the same minute on earlier days"),
        say!(l, "on no earlier day did such calls come at that minute"),
    );
    let history = facts.number("history_calls");
    let new = facts.find("new_actions").map(Fact::holds);
    let known = history.zip(new).map(|(calls, new)| calls > 0.0 && !new);
    weigh(
        list,
        say!(l, "whether the identity made such calls before"),
        known,
        say!(l, "the identity made such calls before"),
        say!(l, "the identity made no such call before in the data"),
    );
    let policy =
        facts.text("reason").filter(|it| *it != "unknown").map(|it| it.starts_with("no identity-based"));
    let services = facts.number("probing_services").unwrap_or(0.0);
    if let Some(plain) = policy {
        weigh(
            list,
            String::new(),
            Some(plain && services > 1.0),
            say!(l, "refusals over several services all say that no identity-based policy allows it"),
            say!(l, "the refusals are not those of a scanner that meets its limits"),
        );
    }
    if facts.holds("explicit_deny") == Some(true) {
        list.against.push(if services > 1.0 {
            say!(l, "an explicit deny was met, and other ways were tried")
        } else {
            say!(l, "an explicit deny was met")
        });
    }
    if let Some(usual) = facts.holds("role_changer_usual") {
        weigh(
            list,
            String::new(),
            Some(usual),
            say!(l, "the role was changed in the week before by the identity that always does"),
            say!(l, "the role was changed in the week before by an identity that did not before"),
        );
    }
    if facts.number("role_age").is_some_and(|it| it < 3_600.0) {
        list.against.push(say!(l, "the role was created shortly before"));
    }
    attack(list, facts);
}

fn attack(list: &mut Checklist, facts: &Facts<'_>) {
    if facts.holds("attack_tool") == Some(true) {
        list.against.push(say!(facts.1, "the user agent names a tool of attack"));
    }
}

/// What [`raised`] reads.
pub(crate) const RAISED: [Field; 7] = [
    Field::Arn,
    Field::Issuer,
    Field::InvokedBy,
    Field::UserId,
    Field::UserName,
    Field::Address,
    Field::Agent,
];

/// What an exception could look at in an event.
pub(crate) fn raised(rule_id: &str, event: &Event) -> Raised {
    Raised {
        rule_id: rule_id.to_owned(),
        time: event.time,
        identity: event.identity().to_owned(),
        agent: event.get(Field::Agent).to_owned(),
        address: event.get(Field::Address).to_owned(),
    }
}

/// The exception for exactly this: identity, tool and address together, never a tool alone.
pub(crate) fn exception(case: &Case, rule_id: &str, options: &Options) -> Option<Exception> {
    let anchor = case.anchor()?;
    if case.is_bare || anchor.identity().is_empty() {
        return None;
    }
    let field = if anchor.get(Field::Issuer).is_empty() { Field::Arn } else { Field::Issuer };
    let identity = anchor.get(field);
    let entry = |field: Field, value: String, is_pattern: bool| ExceptionEntry {
        field: field.path().to_owned(),
        value,
        is_pattern,
    };
    let mut entries = vec![entry(field, identity.to_owned(), false)];
    let its_tool = match tool(anchor.get(Field::Agent)) {
        // What a browser is called here is no part of what it says.
        "browser" => "Mozilla",
        tool => tool,
    };
    // What is not a plain word would be a pattern of the caller's making.
    let is_plain = !its_tool.is_empty()
        && fill::shown(its_tool) == format!("`{its_tool}`")
        && !its_tool.contains(['*', '?', '\\']);
    if is_plain {
        entries.push(entry(Field::Agent, format!("*{its_tool}*"), true));
    }
    let address = anchor.get(Field::Address);
    if !address.is_empty() {
        entries.push(entry(Field::Address, address.to_owned(), false));
    }
    let hides = options.raised.iter().filter(|it| {
        it.rule_id == rule_id
            && it.time > case.last - TRIED
            && it.time <= case.last
            && it.identity == identity
            && (!is_plain || it.agent.contains(its_tool))
            && (address.is_empty() || it.address == address)
    });
    Some(Exception { entries, hides: (hides.count() as u64).max(1), expires: options.now + EXPIRES })
}

/// The value of a fact in a line.
pub fn fact_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(fact_text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
