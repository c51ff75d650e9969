//! The plan of response: which steps are indicated by the facts, in which order, with values filled in. It runs nothing.

use ecs::Millis;
use rule::{Comparison, Facts, Guide, GuideLanguage, Risk, Rule, Step};
use serde_json::Value;

use crate::class::Class;
use crate::evidence::Investigation;
use crate::fill::{self, Command, Values, markdown, placeholders};
use crate::look::HOUR;
use crate::run::general;
use crate::say::say;

/// The longest session of a role: what denies older sessions is not taken back before they have ended.
const SESSION_MAX: Millis = 12 * HOUR;

/// A plan of response to one alert.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The id of the alert, and the short one in names and tags.
    pub id: String,
    /// What happened.
    pub sentence: String,
    /// `A`, `B` or `C`, and why.
    pub grade: (String, String),
    /// Damage is under way: containment comes before evidence.
    pub contain_first: bool,
    /// The account of the commands.
    pub account: Option<String>,
    /// That of the role, if it is another.
    pub role_account: Option<String>,
    /// What is indicated, in order.
    pub steps: Vec<PlanStep>,
    /// What is not, and why.
    pub not_indicated: Vec<(PlanStep, String)>,
    /// What the guide of the rule says, step by step.
    pub guide: Vec<(String, String)>,
    /// Rules that the plan's own commands will make alert, each with the call.
    pub own_alerts: Vec<(String, String)>,
    /// What is not known.
    pub open: Vec<String>,
}

/// A step of a plan.
#[derive(Clone, Debug, Default)]
pub struct PlanStep {
    /// `R5`.
    pub id: String,
    /// One line.
    pub title: String,
    /// Markdown, as what follows.
    pub text: String,
    /// The condition.
    pub when: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What stops working.
    pub breaks: Option<String>,
    /// How to take it back, and not before when.
    pub undo: Option<String>,
    /// How to see that it worked.
    pub verify: Option<String>,
    /// Permissions.
    pub needs: Vec<String>,
    /// Its place in the order.
    pub phase: u8,
    /// What the commands do.
    pub risk: Option<Risk>,
    /// The commands.
    pub command: Command,
}

/// The plan that the facts of an investigation indicate. `rules` are those that could alert on the plan itself.
pub fn plan(it: &Investigation, rules: &[Rule], language: GuideLanguage, now: Millis) -> Plan {
    let guide: Guide = general(language).guide.unwrap_or_default();
    let values = values(it, now);
    let mut steps = Vec::new();
    let mut not_indicated = Vec::new();
    for step in &guide.response {
        let made = made(step, &values, language);
        match &step.when {
            Some(when) if !when.holds(it) => not_indicated.push((made, why(when, it, language))),
            Some(_) | None => steps.push(made),
        }
    }
    let contain_first = it.fact("destruction_under_way").is_some_and(crate::evidence::Fact::holds);
    // Evidence first, unless damage is under way.
    let order = |phase: u8| match phase {
        1 if contain_first => 2,
        2 if contain_first => 1,
        phase => phase,
    };
    steps.sort_by_key(|it| order(it.phase));
    let grade = it.fact("grade");
    let grade =
        grade.map_or((String::new(), String::new()), |it| (crate::fact_text(&it.value), it.text.clone()));
    let valid = |name: &str| it.values.first(name).filter(|it| Class::Account.accepts(it)).map(str::to_owned);
    let account = valid("case.account");
    let role_account = valid("case.role_account").filter(|it| Some(it) != account.as_ref());
    let own = it.rule.as_ref().and_then(|it| it.guide.as_ref()).map_or(&[][..], |it| &it.response);
    Plan {
        id: it.id.clone(),
        sentence: it.sentence.clone(),
        grade,
        contain_first,
        account,
        role_account,
        own_alerts: own_alerts(&steps, rules),
        steps,
        not_indicated,
        guide: own
            .iter()
            .map(|it| (it.title.trim().to_owned(), markdown(it.text.trim(), &values, language)))
            .collect(),
        open: it.all_missing().iter().map(|it| it.text.clone()).collect(),
    }
}

/// The values of the case, and those that only a plan needs.
fn values(it: &Investigation, now: Millis) -> Values {
    let mut values = it.values.clone();
    let list = |name: &str| it.fact(name).and_then(|it| it.value.as_array()).map_or(&[][..], Vec::as_slice);
    let machines = list("machines_reached").iter().filter_map(Value::as_str);
    let machines: Vec<&str> =
        values.get("case.home_instance").iter().map(String::as_str).chain(machines).collect();
    let machines: Vec<String> =
        machines.into_iter().filter(|it| Class::Instance.accepts(it)).map(str::to_owned).collect();
    values.add("case.machine", machines);
    let made = |call: &'static str| {
        let texts = list("persistence_created").iter().filter_map(Value::as_str);
        texts.filter_map(move |it| it.strip_prefix(call)).map(str::to_owned).collect::<Vec<_>>()
    };
    values.add("case.made_user", made("iam:CreateUser "));
    values.add("case.made_role", made("iam:CreateRole "));
    let named = |fact: &str, calls: &[&str]| -> Vec<String> {
        let texts = list(fact).iter().filter_map(Value::as_str);
        texts
            .filter_map(|it| calls.iter().find_map(|call| it.strip_prefix(call)?.strip_prefix(' ')))
            .map(str::to_owned)
            .collect()
    };
    let objects = |fact: &str| -> Vec<String> {
        list(fact).iter().filter_map(Value::as_str).filter(|it| *it != "unnamed").map(str::to_owned).collect()
    };
    let trails = ["cloudtrail:StopLogging", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors"];
    values.add("case.trail", named("logging_off", &trails));
    values.add("case.recorder", named("logging_off", &["config:StopConfigurationRecorder"]));
    values.add("case.detector", named("logging_off", &["guardduty:UpdateDetector"]));
    values.add("case.attached_role", named("rights_widened", &["iam:AttachRolePolicy"]));
    values.add("case.attached_user", named("rights_widened", &["iam:AttachUserPolicy"]));
    values.add("case.put_role", named("rights_widened", &["iam:PutRolePolicy"]));
    values.add("case.put_user", named("rights_widened", &["iam:PutUserPolicy"]));
    let versions = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"];
    values.add("case.versioned_policy", named("rights_widened", &versions));
    values.add("case.shared_snapshot", named("snapshots_shared", &["ec2:ModifySnapshotAttribute"]));
    values.add("case.shared_image", named("snapshots_shared", &["ec2:ModifyImageAttribute"]));
    values.add("case.shared_db_snapshot", named("snapshots_shared", &["rds:ModifyDBSnapshotAttribute"]));
    // Which of several accounts got which object, the person must see.
    if let [one] = objects("shared_with").as_slice() {
        values.add("case.shared_account", [one.as_str()]);
    }
    values.add("case.kms_key", objects("keys_disabled"));
    values.add("case.command_id", objects("commands_sent"));
    values.add("case.shell_id", objects("shells_opened"));
    values.add("case.launched", objects("instances_launched"));
    values.add("case.opened_bucket", objects("buckets_opened"));
    let deletions = ["s3:DeleteObject", "s3:DeleteObjects", "s3:DeleteBucket"];
    values.add("case.lost_bucket", named("objects_destroyed", &deletions));
    let root =
        values.first("case.root_arn").and_then(|it| it.split(':').nth(4)).unwrap_or_default().to_owned();
    values.add("case.root_account", [root]);
    let whole = (now + SESSION_MAX).div_euclid(1_000) * 1_000;
    values.add("case.undo_from", [ecs::date::to_iso(whole)]);
    values
}

/// A step with its values.
fn made(step: &Step, values: &Values, language: GuideLanguage) -> PlanStep {
    let text = |text: &Option<String>| text.as_ref().map(|it| markdown(it.trim(), values, language));
    // A command about a role says nothing where there is none.
    let about = [
        "case.role_arn",
        "case.role_name",
        "case.root_user",
        "case.root_key",
        "case.made_user",
        "case.made_role",
        "case.session_key",
        "case.trail",
        "case.recorder",
        "case.detector",
        "case.attached_role",
        "case.attached_user",
        "case.put_role",
        "case.put_user",
        "case.versioned_policy",
        "case.shared_snapshot",
        "case.shared_image",
        "case.shared_db_snapshot",
        "case.kms_key",
        "case.command_id",
        "case.shell_id",
        "case.launched",
        "case.opened_bucket",
        "case.lost_bucket",
        "case.root_account",
    ];
    let has_values = |line: &&str| {
        placeholders(line).iter().all(|name| !about.contains(name) || !values.get(name).is_empty())
    };
    let lines: Vec<&str> =
        step.command.as_deref().unwrap_or_default().trim().lines().filter(has_values).collect();
    PlanStep {
        id: step.id.clone().unwrap_or_default(),
        title: step.title.trim().to_owned(),
        text: markdown(step.text.trim(), values, language),
        when: step.when.as_ref().map(ToString::to_string),
        reason: text(&step.reason),
        breaks: text(&step.breaks),
        undo: text(&step.undo),
        verify: text(&step.verify),
        needs: step.needs.clone(),
        phase: step.phase.unwrap_or(0),
        risk: step.risk,
        command: fill::shell(&lines.join("\n"), values, language),
    }
}

/// Why a step is not indicated: the condition, and what its facts are.
fn why(when: &rule::When, it: &Investigation, l: GuideLanguage) -> String {
    let facts: Vec<String> = when
        .facts()
        .into_iter()
        .map(|name| match it.fact(name) {
            None => say!(l, "{} is not known", name),
            Some(fact) => {
                let text = crate::fact_text(&fact.value);
                let text: String = text.chars().take(60).collect();
                if text.is_empty() { say!(l, "{} is empty", name) } else { say!(l, "{} is {}", name, text) }
            }
        })
        .collect();
    say!(l, "it is indicated when {}; {}", when, facts.join(", "))
}

impl Facts for Investigation {
    fn holds(&self, fact: &str) -> Option<bool> {
        self.fact(fact).map(crate::evidence::Fact::holds)
    }

    fn compares(&self, fact: &str, comparison: Comparison, word: &str) -> Option<bool> {
        let value = &self.fact(fact)?.value;
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::Array(items) => Some(items.len() as f64),
            Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Value::String(_) | Value::Null | Value::Object(_) => None,
        };
        let order = match (number, word.parse::<f64>()) {
            (Some(number), Ok(wanted)) => number.partial_cmp(&wanted)?,
            (None, _) => value.as_str()?.cmp(word),
            (Some(_), Err(_)) => return None,
        };
        Some(match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::NotEqual => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        })
    }
}

/// The rules that look for what the commands do. Read off their queries' words: more rather than less.
fn own_alerts(steps: &[PlanStep], rules: &[Rule]) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let risky = steps.iter().filter(|it| it.risk != Some(Risk::Destructive));
    for line in risky.flat_map(|it| it.command.text.lines()) {
        let mut words = line.split_whitespace();
        let (Some("aws"), Some(_), Some(command)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let action: String = command
            .split('-')
            .map(|it| {
                let mut chars = it.chars();
                chars
                    .next()
                    .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
            })
            .collect();
        let names =
            |query: &str| query.split(|it: char| !it.is_ascii_alphanumeric()).any(|word| word == action);
        for rule in rules.iter().filter(|it| names(&it.query)) {
            let one = (rule.name.clone(), action.clone());
            if !out.contains(&one) {
                out.push(one);
            }
        }
    }
    out.sort();
    out
}
