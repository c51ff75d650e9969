//! The plan of response: which steps are indicated by the facts, in which order, with values filled in. It runs nothing.

use ecs::Millis;
use rule::{Comparison, Facts, GuideLanguage, Risk, Rule, Step};
use serde_json::Value;

use crate::class::Class;
use crate::evidence::{Investigation, Target};
use crate::fill::{self, COMMANDS_MAX, Command, Values, markdown, placeholders, shown};
use crate::look::{HOUR, some};
use crate::run::general;
use crate::say::say;
use crate::watch;

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
    /// A rule that watches for whoever it was, ready to be loaded; none if nothing is known to watch for.
    pub watch: Option<String>,
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

/// The step that proposes to watch.
const WATCH: &str = "R12";

impl Plan {
    /// The rule that a step proposes.
    pub fn watch_of(&self, step: &PlanStep) -> Option<&str> {
        self.watch.as_deref().filter(|_| step.id == WATCH)
    }
}

/// The plan that the facts of an investigation indicate. `rules` are those that could alert on the plan itself.
pub fn plan(it: &Investigation, rules: &[Rule], language: GuideLanguage, now: Millis) -> Plan {
    let general = general(language).guide.as_ref().map_or(&[][..], |it| &it.response);
    let values = values(it, now);
    let mut steps = Vec::new();
    let mut not_indicated = Vec::new();
    for step in general {
        let made = made(step, it, &values, language);
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
        watch: watch::rule(it, &values, now),
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
    let root =
        values.first("case.root_arn").and_then(|it| it.split(':').nth(4)).unwrap_or_default().to_owned();
    let own: Vec<String> = values.get("case.account").to_vec();
    let named = ["trusted_accounts", "shared_with"].iter().flat_map(|it| list(it)).filter_map(Value::as_str);
    let others: Vec<String> = named
        .map(str::to_owned)
        .chain([root])
        .filter(|it| Class::Account.accepts(it) && !own.contains(it))
        .collect();
    values.add("case.other_account", others);
    let whole = (now + SESSION_MAX).div_euclid(1_000) * 1_000;
    values.add("case.undo_from", [ecs::date::to_iso(whole)]);
    values
}

/// Placeholders that go together: of each thing that facts are about, its name and what else a command has to name.
struct Group {
    facts: &'static [&'static str],
    /// The calls that are meant; none is all.
    calls: &'static [&'static str],
    object: &'static str,
    detail: &'static str,
}

const fn group(
    fact: &'static [&'static str],
    calls: &'static [&'static str],
    object: &'static str,
    detail: &'static str,
) -> Group {
    Group { facts: fact, calls, object, detail }
}

const RIGHTS: &[&str] = &["rights_widened"];
const MADE: &[&str] = &["persistence_created"];
const READ: &[&str] = &["secrets_read"];
const SHARED: &[&str] = &["snapshots_shared"];
const OFF: &[&str] = &["logging_off"];
/// A placeholder of this name is none.
const NONE: &str = "";

const GROUPS: &[Group] = &[
    group(RIGHTS, &["iam:AttachRolePolicy"], "case.attached_role", "case.attached_role_policy"),
    group(RIGHTS, &["iam:AttachUserPolicy"], "case.attached_user", "case.attached_user_policy"),
    group(RIGHTS, &["iam:AttachGroupPolicy"], "case.attached_group", "case.attached_group_policy"),
    group(RIGHTS, &["iam:PutRolePolicy"], "case.put_role", "case.put_role_policy"),
    group(RIGHTS, &["iam:PutUserPolicy"], "case.put_user", "case.put_user_policy"),
    group(RIGHTS, &["iam:PutGroupPolicy"], "case.put_group", "case.put_group_policy"),
    group(RIGHTS, &["iam:AddUserToGroup"], "case.added_user", "case.added_group"),
    group(RIGHTS, &["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"], "case.versioned_policy", NONE),
    group(
        MADE,
        &["iam:CreateUser", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"],
        "case.made_user",
        NONE,
    ),
    group(MADE, &["iam:CreateRole"], "case.made_role", NONE),
    group(MADE, &["iam:CreateAccessKey"], "case.made_key_user", "case.made_key"),
    group(MADE, &["iam:CreateLoginProfile", "iam:UpdateLoginProfile"], "case.made_login", NONE),
    group(
        MADE,
        &[
            "lambda:CreateFunction20150331",
            "lambda:UpdateFunctionCode20150331v2",
            "lambda:UpdateFunctionConfiguration20150331v2",
            "lambda:AddPermission20150331v2",
        ],
        "case.made_function",
        NONE,
    ),
    group(MADE, &["rolesanywhere:CreateTrustAnchor"], NONE, "case.made_anchor"),
    group(&["sg_opened_admin_port"], &[], "case.opened_group", "case.opened_rule"),
    group(
        READ,
        &["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"],
        "case.read_secret",
        NONE,
    ),
    group(READ, &["ssm:GetParameter", "ssm:GetParameters"], "case.read_parameter", NONE),
    group(SHARED, &["ec2:ModifySnapshotAttribute"], "case.shared_snapshot", "case.snapshot_account"),
    group(SHARED, &["ec2:ModifyImageAttribute"], "case.shared_image", "case.image_account"),
    group(SHARED, &["rds:ModifyDBSnapshotAttribute"], "case.shared_db_snapshot", "case.db_snapshot_account"),
    group(&["role_session", "lateral_sessions"], &[], "case.ended_role", NONE),
    group(&["commands_sent"], &[], NONE, "case.command_id"),
    group(&["shells_opened"], &[], NONE, "case.shell_id"),
    group(&["instances_launched"], &[], NONE, "case.launched"),
    group(&["buckets_opened"], &[], NONE, "case.opened_bucket"),
    group(&["keys_disabled"], &[], "case.kms_key", NONE),
    group(
        &["objects_destroyed"],
        &["s3:DeleteObject", "s3:DeleteObjects", "s3:DeleteBucket"],
        NONE,
        "case.lost_bucket",
    ),
    group(
        OFF,
        &["cloudtrail:StopLogging", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors"],
        "case.trail",
        NONE,
    ),
    group(OFF, &["config:StopConfigurationRecorder"], "case.recorder", NONE),
    group(OFF, &["guardduty:UpdateDetector"], "case.detector", NONE),
];

/// Roles that nobody but AWS or Identity Center can change.
const FOREIGN_ROLES: [&str; 2] = ["AWSReservedSSO_", "AWSServiceRoleFor"];

impl Group {
    /// The group of the placeholders of a command.
    fn of(line: &str) -> Option<&'static Self> {
        let names = placeholders(line);
        let is_named = |it: &'static str| it != NONE && names.contains(&it);
        GROUPS.iter().find(|it| is_named(it.object) || is_named(it.detail))
    }

    /// What stands for them, one by one.
    fn targets<'i>(&self, it: &'i Investigation) -> Vec<&'i Target> {
        let all = self.facts.iter().filter_map(|name| it.fact(name)).flat_map(|it| &it.targets);
        let is_meant = |it: &&Target| {
            (self.calls.is_empty() || self.calls.contains(&&*it.call))
                && (self.object != "case.ended_role"
                    || !FOREIGN_ROLES.iter().any(|start| it.object.starts_with(start)))
        };
        all.filter(is_meant).collect()
    }
}

/// Placeholders of a command that says nothing without their values.
const ABOUT: [&str; 6] = [
    "case.role_arn",
    "case.role_name",
    "case.root_user",
    "case.root_key",
    "case.session_key",
    "case.other_account",
];

/// The commands of a step: of each line one for each thing that it is about, in that thing's region; in which account, where
/// that is another.
fn commands(template: &str, it: &Investigation, values: &Values, l: GuideLanguage) -> Command {
    let own = values.first("case.account").unwrap_or_default().to_owned();
    let mut whole = Command::default();
    let mut account = own.clone();
    let mut add = |command: Command, its: &str| {
        if Class::Account.accepts(its) && its != account {
            its.clone_into(&mut account);
            push(&mut whole, &format!("# account {its}"));
        }
        push(&mut whole, &command.text);
        whole.is_open |= command.is_open;
        for note in command.notes {
            if !whole.notes.contains(&note) {
                whole.notes.push(note);
            }
        }
    };
    for line in template.trim().lines() {
        let Some(group) = Group::of(line) else {
            let has_values =
                placeholders(line).iter().all(|name| !ABOUT.contains(name) || !values.get(name).is_empty());
            if has_values {
                add(fill::shell(line, values, l), &own);
            }
            continue;
        };
        let names = placeholders(line);
        let mut rows: Vec<Target> = Vec::new();
        for target in group.targets(it) {
            let part = |name: &'static str, value: &str| {
                if name != NONE && names.contains(&name) { value.to_owned() } else { String::new() }
            };
            let row = Target {
                call: String::new(),
                object: part(group.object, &target.object),
                detail: part(group.detail, &target.detail),
                region: target.region.clone(),
                account: target.account.clone(),
            };
            // What nothing is known of is told once, and not at all beside what is.
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
        rows.sort_by(|a, b| (a.account != own, a).cmp(&(b.account != own, b)));
        let is_empty = |it: &Target| it.object.is_empty() && it.detail.is_empty();
        if rows.iter().any(|it| !is_empty(it)) {
            rows.retain(|it| !is_empty(it));
        }
        let left = rows.len().saturating_sub(COMMANDS_MAX);
        for row in rows.iter().take(COMMANDS_MAX) {
            let mut its = values.only(&names).without(&[group.object, group.detail]);
            its.add(group.object, [row.object.as_str()]);
            its.add(group.detail, [row.detail.as_str()]);
            if !row.region.is_empty() {
                its = its.with("case.region", &row.region);
            }
            let its_account = if row.account.is_empty() { &own } else { &row.account };
            add(fill::shell(line, &its, l), its_account);
        }
        if left > 0 {
            let text = say!(l, "the same for {} more, which the fact `{}` names", left, group.facts[0]);
            add(Command { text: format!("# {text}"), is_open: true, ..Command::default() }, &own);
        }
    }
    whole
}

fn push(command: &mut Command, text: &str) {
    if !command.text.is_empty() && !text.is_empty() {
        command.text.push('\n');
    }
    command.text.push_str(text);
}

/// What whoever runs the commands must know of what they are about.
fn notes(step: &Step, it: &Investigation, l: GuideLanguage) -> Vec<String> {
    let command = step.command.as_deref().unwrap_or_default();
    let mut out = Vec::new();
    let targets = |name: &str| it.fact(name).map_or(&[][..], |it| &it.targets);
    if command.contains("{{case.ended_role}}") {
        let reached: Vec<String> = targets("lateral_sessions")
            .iter()
            .map(|it| format!("{} ({})", shown(&it.detail), it.object))
            .collect();
        if !reached.is_empty() {
            out.push(say!(
                l,
                "sessions that were obtained with the credentials: {}",
                some(l, &reached, KEYS_MAX)
            ));
        }
        let alive: Vec<String> = targets("sessions_alive").iter().map(|it| shown(&it.detail)).collect();
        if !alive.is_empty() {
            out.push(say!(
                l,
                "other sessions of the role that may be alive and end as well: {}",
                some(l, &alive, KEYS_MAX)
            ));
        }
    }
    if command.contains("{{case.made_") {
        let gone = it.fact("made_gone").and_then(|it| it.value.as_array()).map_or(&[][..], Vec::as_slice);
        let gone: Vec<String> = gone.iter().filter_map(Value::as_str).map(shown).collect();
        if !gone.is_empty() {
            out.push(say!(
                l,
                "taken away since, as the records say, and left out here: {}",
                some(l, &gone, KEYS_MAX)
            ));
        }
    }
    out
}

/// Of keys so many are told at a step.
const KEYS_MAX: usize = 20;

/// A step with its values.
fn made(step: &Step, it: &Investigation, values: &Values, language: GuideLanguage) -> PlanStep {
    let text = |text: &Option<String>| text.as_ref().map(|it| markdown(it.trim(), values, language));
    let mut command = commands(step.command.as_deref().unwrap_or_default(), it, values, language);
    let mut notes = notes(step, it, language);
    notes.append(&mut command.notes);
    command.notes = notes;
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
        command,
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
