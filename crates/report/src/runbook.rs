//! Plans of response: a runbook in Markdown, a shell script that asks, JSON.

use std::io;

use investigate::{Plan, PlanStep};
use rule::{GuideLanguage, Risk};
use serde_json::{Value, json};

use crate::clean;
use crate::investigation::{escape, prose};
use crate::one_by_one::JsonList;

/// How plans are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFormat {
    /// A runbook.
    Markdown,
    /// A shell script.
    Shell,
    /// JSON.
    Json,
}

/// Words around a plan.
struct Words {
    plan: &'static str,
    first: &'static str,
    contain_first: &'static str,
    grade: &'static str,
    account: &'static str,
    role_account: &'static str,
    phases: [&'static str; 8],
    reason: &'static str,
    breaks: &'static str,
    undo: &'static str,
    verify: &'static str,
    needs: &'static str,
    not_indicated: &'static str,
    own_alerts: &'static str,
    own_note: &'static str,
    guide: &'static str,
    open: &'static str,
    risks: [&'static str; 3],
}

const ENGLISH: Words = Words {
    plan: "Response plan",
    first: "Work from an identity and a machine that are not part of the case. Intruders read IAM and CloudTrail, too.",
    contain_first: "Damage is under way: contain first, preserve then.",
    grade: "Grade",
    account: "Account",
    role_account: "Run the commands about the role in its account",
    phases: [
        "Record",
        "Preserve",
        "Contain the identity",
        "Contain the machine",
        "Rotate",
        "Eradicate",
        "Review and prevent",
        "Close",
    ],
    reason: "Why",
    breaks: "Breaks",
    undo: "Undo",
    verify: "Verify",
    needs: "Needs",
    not_indicated: "Not indicated",
    own_alerts: "Alerts that this plan will raise",
    own_note: "Close them with a note that names this case; make no exception for them.",
    guide: "What the guide of the rule says",
    open: "Open questions",
    risks: ["read", "reversible", "destructive"],
};

const CHINESE: Words = Words {
    plan: "响应计划",
    first: "请使用与本案无关的身份和机器开展工作：入侵者同样会查看 IAM 和 CloudTrail。",
    contain_first: "破坏仍在进行：先遏制，再保全证据。",
    grade: "等级",
    account: "账户",
    role_account: "与角色有关的命令请在其所属账户中运行",
    phases: ["记录", "保全证据", "遏制身份", "遏制主机", "轮换", "清除", "审查与预防", "结案"],
    reason: "原因",
    breaks: "影响",
    undo: "撤销",
    verify: "验证",
    needs: "所需权限",
    not_indicated: "不适用的步骤",
    own_alerts: "本计划自身会触发的警报",
    own_note: "关闭这些警报时请注明本案，不要为其添加例外。",
    guide: "规则的调查指南",
    open: "未决问题",
    risks: ["只读", "可撤销", "破坏性"],
};

fn words(language: GuideLanguage) -> &'static Words {
    match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    }
}

impl Words {
    fn risk(&self, risk: Option<Risk>) -> &'static str {
        match risk {
            Some(Risk::Read) | None => self.risks[0],
            Some(Risk::Reversible) => self.risks[1],
            Some(Risk::Destructive) => self.risks[2],
        }
    }
}

/// Prints plans that are all there.
pub fn write(
    to: &mut dyn io::Write,
    format: PlanFormat,
    plans: &[Plan],
    language: GuideLanguage,
) -> io::Result<()> {
    let mut writer = Writer::new(to, format, language);
    for plan in plans {
        writer.add(plan)?;
    }
    writer.finish()
}

/// Prints plans as they come.
pub struct Writer<'t> {
    to: &'t mut dyn io::Write,
    format: PlanFormat,
    words: &'static Words,
    count: usize,
    list: JsonList,
}

impl<'t> Writer<'t> {
    /// Prints to `to`.
    pub fn new(to: &'t mut dyn io::Write, format: PlanFormat, language: GuideLanguage) -> Self {
        Self { to, format, words: words(language), count: 0, list: JsonList::new("plans") }
    }

    /// Prints one more.
    pub fn add(&mut self, plan: &Plan) -> io::Result<()> {
        let is_first = self.count == 0;
        self.count += 1;
        let text = match self.format {
            PlanFormat::Markdown => {
                let rule = if is_first { "" } else { "\n---\n\n" };
                format!("{rule}{}", markdown(plan, self.words))
            }
            PlanFormat::Shell => {
                let head = if is_first { script_head(self.words) } else { String::new() };
                head + &script(plan, self.words)
            }
            PlanFormat::Json => return self.list.add(self.to, &json(plan)),
        };
        self.to.write_all(text.as_bytes())
    }

    /// Prints what comes at the end.
    pub fn finish(self) -> io::Result<()> {
        match self.format {
            PlanFormat::Shell if self.count == 0 => self.to.write_all(script_head(self.words).as_bytes()),
            PlanFormat::Markdown | PlanFormat::Shell => Ok(()),
            PlanFormat::Json => self.list.finish(self.to),
        }
    }
}

fn phase<'w>(words: &'w Words, step: &PlanStep) -> &'w str {
    words.phases.get(usize::from(step.phase)).copied().unwrap_or_default()
}

fn markdown(plan: &Plan, words: &Words) -> String {
    let mut out = format!("# {}\n\n**{}**\n\n{}\n\n", words.plan, words.first, prose(&plan.sentence));
    out += &format!("{} **{}**: {}\n", words.grade, escape(&plan.grade.0), prose(&plan.grade.1));
    if plan.contain_first {
        out += &format!("\n**{}**\n", words.contain_first);
    }
    if let Some(account) = &plan.account {
        out += &format!("\n{} {account}\n", words.account);
    }
    if let Some(account) = &plan.role_account {
        out += &format!("\n{}: {account}\n", words.role_account);
    }
    if !plan.guide.is_empty() {
        out += &format!("\n## {}\n\n", words.guide);
        for (at, (title, text)) in plan.guide.iter().enumerate() {
            out += &format!("{}. **{}** {}\n", at + 1, escape(title), text);
        }
    }
    let mut last = None;
    for step in &plan.steps {
        if last != Some(step.phase) {
            out += &format!("\n## {} {}\n", step.phase, phase(words, step));
            last = Some(step.phase);
        }
        out += &format!("\n- [ ] **{} {}** · {}\n\n", step.id, escape(&step.title), words.risk(step.risk));
        let mut body = step.text.clone() + "\n";
        for (what, text) in [
            (words.reason, &step.reason),
            (words.breaks, &step.breaks),
            (words.undo, &step.undo),
            (words.verify, &step.verify),
        ] {
            if let Some(text) = text {
                body += &format!("\n*{what}*: {text}\n");
            }
        }
        if !step.needs.is_empty() {
            let needs: Vec<String> = step.needs.iter().map(|it| format!("`{it}`")).collect();
            body += &format!("\n*{}*: {}\n", words.needs, needs.join(", "));
        }
        for note in &step.command.notes {
            body += &format!("\n{}\n", prose(note));
        }
        if !step.command.text.is_empty() {
            let account = plan.account.as_ref().map(|it| format!("# account {it}\n")).unwrap_or_default();
            body += &format!("\n```sh\n{account}{}\n```\n", safe(&step.command.text));
        }
        if let Some(watch) = plan.watch_of(step) {
            body += &format!("\n```toml\n{}\n```\n", safe(watch));
        }
        for line in body.lines() {
            out += &if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") };
        }
    }
    if !plan.own_alerts.is_empty() {
        out += &format!("\n## {}\n\n{}\n\n", words.own_alerts, words.own_note);
        for (rule, call) in &plan.own_alerts {
            out += &format!("- {} (`{call}`)\n", escape(rule));
        }
    }
    if !plan.not_indicated.is_empty() {
        out += &format!("\n## {}\n\n", words.not_indicated);
        for (step, why) in &plan.not_indicated {
            out += &format!("- **{} {}**: {}\n", step.id, escape(&step.title), prose(why));
        }
    }
    if !plan.open.is_empty() {
        out += &format!("\n## {}\n\n", words.open);
        for line in &plan.open {
            out += &format!("- {}\n", prose(line));
        }
    }
    out
}

/// Commands inside a fence: nothing in them ends it, nothing steers a terminal.
fn safe(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n").replace("```", "` ` `")
}

/// A comment of one line.
fn comment(text: &str) -> String {
    format!("# {}\n", clean(text))
}

/// The beginning of a script.
fn script_head(words: &Words) -> String {
    let ask = "ask() { printf '%s [y/N] ' \"$1\"; read -r answer; [ \"$answer\" = y ]; }\n";
    format!("#!/bin/sh\nset -u\n{}{ask}", comment(words.first))
}

/// Asks before each step, those that only look first; prints what cannot be taken back and what is still to be filled in.
fn script(plan: &Plan, words: &Words) -> String {
    let mut out = format!("\n{}", comment(&plan.id));
    for account in plan.account.iter().chain(&plan.role_account) {
        out += &comment(&format!("account {account}"));
    }
    let is_read = |it: &&PlanStep| it.risk.is_none_or(|it| it == Risk::Read);
    let (first, then): (Vec<&PlanStep>, Vec<&PlanStep>) = plan.steps.iter().partition(is_read);
    for step in first.into_iter().chain(then) {
        out += &format!("\n{}", comment(&format!("{} {} ({})", step.id, step.title, words.risk(step.risk))));
        for note in &step.command.notes {
            out += &comment(note);
        }
        let runs = step.risk != Some(Risk::Destructive);
        let (mut ready, mut open) = (Vec::new(), Vec::new());
        // What is to be done in another account is printed, with the account before it.
        let mut is_elsewhere = false;
        for line in step.command.text.lines() {
            if let Some(account) = line.strip_prefix("# account ") {
                is_elsewhere = plan.account.as_deref() != Some(account);
                open.extend(is_elsewhere.then_some(line));
            } else if runs && !is_elsewhere && !is_open(line) {
                ready.push(line);
            } else {
                open.push(line);
            }
        }
        if !ready.is_empty() {
            let title = format!("{} {}", step.id, clean(&step.title));
            out += &format!("if ask '{}'; then\n", title.replace('\'', "'\\''"));
            for line in ready {
                out += &format!("  {}\n", clean(line));
            }
            out += "fi\n";
        }
        for line in open {
            out += &comment(line.strip_prefix("# ").unwrap_or(line));
        }
        for line in plan.watch_of(step).unwrap_or_default().lines() {
            out += &comment(line);
        }
    }
    out
}

/// Whether something in a command is still to be filled in.
fn is_open(line: &str) -> bool {
    line.contains('<') || line.starts_with('#') || line.contains("file://")
}

fn json(plan: &Plan) -> Value {
    let step = |it: &PlanStep| {
        json!({
            "id": it.id,
            "title": it.title,
            "text": it.text,
            "when": it.when,
            "reason": it.reason,
            "breaks": it.breaks,
            "undo": it.undo,
            "verify": it.verify,
            "needs": it.needs,
            "phase": it.phase,
            "risk": it.risk.map(Risk::as_str),
            "command": crate::investigation::command(&it.command),
        })
    };
    json!({
        "id": plan.id,
        "sentence": plan.sentence,
        "grade": {"grade": plan.grade.0, "text": plan.grade.1},
        "contain_first": plan.contain_first,
        "account": plan.account,
        "role_account": plan.role_account,
        "guide": plan.guide.iter().map(|(title, text)| json!({"title": title, "text": text})).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "not_indicated": plan.not_indicated.iter().map(|(it, why)| json!({"step": step(it), "why": why})).collect::<Vec<_>>(),
        "own_alerts": plan.own_alerts.iter().map(|(rule, call)| json!({"rule": rule, "call": call})).collect::<Vec<_>>(),
        "open": plan.open,
        "watch": plan.watch,
    })
}
