//! What speaks for and against a harmless cause, and the exception that would have silenced the alert. No conclusion.

use serde_json::Value;

use crate::case::Case;
use crate::event::{Event, Field, tool};
use crate::evidence::{Checklist, Exception, Fact, Investigation};
use crate::fill;
use crate::look::DAY;
use crate::run::{Options, Raised};

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

struct Facts<'a>(&'a [Fact]);

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
fn weigh(list: &mut Checklist, what: &str, verdict: Option<bool>, supports: &str, against: &str) {
    match verdict {
        Some(true) => list.supports.push(supports.to_owned()),
        Some(false) => list.against.push(against.to_owned()),
        None => list.unknown.push(what.to_owned()),
    }
}

/// A list for each note of the rule's guide; for the two usual causes if it has none.
pub(crate) fn checklists(investigation: &Investigation, rule: Option<&rule::Rule>) -> Vec<Checklist> {
    let notes = rule.and_then(|it| it.guide.as_ref()).map_or(&[][..], |it| &it.false_positives);
    let facts = Facts(&investigation.facts);
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
        lists.push(checklist(Cause::Administration, "Legitimate administration", "", &facts));
        lists.push(checklist(Cause::Automation, "Automation", "", &facts));
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
    let calls = facts.number("calls");
    weigh(
        list,
        "how many calls there were",
        calls.map(|it| it <= 3.0),
        "three calls or fewer",
        "more calls than a person needs",
    );
    let targets = facts.number("targets");
    let known = targets.zip(facts.number("targets_known")).map(|(all, known)| known >= all);
    if targets.is_some() {
        weigh(
            list,
            "whether the machines are known",
            known,
            "the machines are known here",
            "machines were asked for that nobody here knows",
        );
        let windows = facts.text("target_platform").filter(|it| *it != "unknown").map(|it| it == "windows");
        weigh(
            list,
            "the platform of the machines",
            windows,
            "the machines run Windows",
            "the machines do not run Windows",
        );
    }
    let person = facts.text("root_type").map(|it| {
        matches!(it, "federation" | "identity-center") || (it == "user" && facts.holds("mfa") == Some(true))
    });
    weigh(
        list,
        "who is behind the session",
        person,
        "a person with MFA, or of the identity provider, is behind it",
        "an instance, a service, or a key without MFA is behind it",
    );
    let usual = facts.holds("new_source").map(|it| {
        !it && facts.holds("new_network") != Some(true) && facts.holds("unusual_hour") != Some(true)
    });
    weigh(
        list,
        "whether address, network and hour are usual",
        usual,
        "address, network and hour are usual",
        "the address, the network or the hour is new",
    );
    let tool = facts.holds("new_tool").map(|it| !it || facts.holds("via_console") == Some(true));
    weigh(
        list,
        "whether the tool is usual",
        tool,
        "the console, or a tool that was used before",
        "a tool that was never used before",
    );
    attack(list, facts);
    if facts.number("source_identities").is_some_and(|it| it > 1.0) {
        list.against.push("the same address uses several identities".to_owned());
    }
    for (fact, text) in [
        ("persistence_created", "something was made through which somebody could come back"),
        ("secrets_read", "secrets were read"),
        ("logging_changed", "logging was changed"),
        ("burst", "the calls came in a burst"),
    ] {
        if facts.holds(fact) == Some(true) {
            list.against.push(text.to_owned());
        }
    }
    list.unknown
        .push("whether a ticket or the person says so: ask by another way than the account".to_owned());
}

fn automation(list: &mut Checklist, facts: &Facts<'_>) {
    let seen =
        [("new_tool", "tool"), ("new_source", "address"), ("session_form_new", "form of the session name")];
    for (fact, what) in seen {
        let verdict = facts.holds(fact).map(|it| !it);
        weigh(
            list,
            &format!("whether the {what} was seen before"),
            verdict,
            &format!("the {what} was seen before"),
            &format!("the {what} is new"),
        );
    }
    let history = facts.number("history_calls");
    let new = facts.find("new_actions").map(Fact::holds);
    let known = history.zip(new).map(|(calls, new)| calls > 0.0 && !new);
    weigh(
        list,
        "whether the identity made such calls before",
        known,
        "the identity made such calls before",
        "the identity made no such call before in the data",
    );
    let policy =
        facts.text("reason").filter(|it| *it != "unknown").map(|it| it.starts_with("no identity-based"));
    let services = facts.number("probing_services").unwrap_or(0.0);
    if let Some(plain) = policy {
        let scanner = plain && services > 1.0;
        weigh(
            list,
            "",
            Some(scanner),
            "refusals over several services all say that no identity-based policy allows it",
            "the refusals are not those of a scanner that meets its limits",
        );
    }
    if facts.holds("explicit_deny") == Some(true) {
        list.against.push("an explicit deny was met".to_owned());
    }
    let fresh = facts.number("role_age").is_some_and(|it| it < 3_600.0);
    if fresh {
        list.against.push("the role was created shortly before".to_owned());
    }
    attack(list, facts);
}

fn attack(list: &mut Checklist, facts: &Facts<'_>) {
    if facts.holds("attack_tool") == Some(true) {
        list.against.push("the user agent names a tool of attack".to_owned());
    }
}

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
pub(crate) fn exception(case: &Case, rule: Option<&rule::Rule>, options: &Options) -> Option<Exception> {
    let (rule, anchor) = (rule?, case.anchor()?);
    if case.is_bare || anchor.identity().is_empty() {
        return None;
    }
    let field = if anchor.get(Field::Issuer).is_empty() { Field::Arn } else { Field::Issuer };
    let identity = anchor.get(field);
    let mut entries = vec![(field.path().to_owned(), identity.to_owned())];
    let its_tool = tool(anchor.get(Field::Agent));
    // What is not a plain word would be a pattern of the caller's making.
    let is_plain = !its_tool.is_empty()
        && fill::shown(its_tool) == format!("`{its_tool}`")
        && !its_tool.contains(['*', '?', '\\']);
    if is_plain {
        entries.push((format!("{} (matches)", Field::Agent.path()), format!("*{its_tool}*")));
    }
    let address = anchor.get(Field::Address);
    if !address.is_empty() {
        entries.push((Field::Address.path().to_owned(), address.to_owned()));
    }
    let hides = options.raised.iter().filter(|it| {
        it.rule_id == rule.rule_id
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
