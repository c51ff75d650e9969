//! Rules for people.

use rule::{Rule, RuleKind, Severity};
use serde_json::Value;

use crate::{Cell, Terminal, grid};

/// Words around a rule, in the language of its guide.
pub(crate) struct Words {
    rule: &'static str,
    fields: [&'static str; 17],
    pub(crate) guide: &'static str,
    pub(crate) triage: &'static str,
    pub(crate) false_positives: &'static str,
    pub(crate) response: &'static str,
    pub(crate) query: &'static str,
    pub(crate) command: &'static str,
    pub(crate) window: &'static str,
    pub(crate) placeholders: &'static str,
    /// Lowest first, as [`Severity::ALL`].
    severities: [&'static str; Severity::ALL.len()],
}

const ENGLISH: Words = Words {
    rule: "Rule",
    fields: [
        "Type",
        "Severity",
        "Risk score",
        "Rule ID",
        "Version",
        "Indices",
        "Runs every",
        "Looks back from",
        "Alerts an execution",
        "New terms of",
        "History from",
        "ATT&CK",
        "Tags",
        "References",
        "Author",
        "License",
        "Alerts suppressed by",
    ],
    guide: "Guide",
    triage: "Triage",
    false_positives: "False positives",
    response: "Response",
    query: "Query",
    command: "Command",
    window: "window",
    placeholders: "What stands in `<…>` is a value of the alert: `trailwarden investigate PATH… --alert ID` fills it in.",
    severities: ["low", "medium", "high", "critical"],
};

const CHINESE: Words = Words {
    rule: "规则",
    fields: [
        "类型",
        "严重性",
        "风险评分",
        "规则 ID",
        "版本",
        "索引",
        "运行间隔",
        "回溯时间",
        "每次执行的最大警报数",
        "新术语字段",
        "历史窗口起点",
        "ATT&CK",
        "标签",
        "参考资料",
        "作者",
        "许可证",
        "警报抑制依据",
    ],
    guide: "调查指南",
    triage: "分类和分析",
    false_positives: "误报分析",
    response: "响应和补救",
    query: "查询",
    command: "命令",
    window: "时间窗口",
    placeholders: "`<…>` 表示警报的值：`trailwarden investigate PATH… --alert ID` 会将其填入。",
    severities: ["低", "中", "高", "严重"],
};

/// One line a rule. With each comes why it is not run, if that is so.
pub fn list<'r>(rules: impl IntoIterator<Item = (&'r Rule, Option<&'r str>)>, terminal: Terminal) -> String {
    let rules: Vec<_> = rules.into_iter().collect();
    let mut heads = vec!["Severity", "Risk", "Type", "Rule", "Tactic", "Rule ID"];
    // Most people's rules all run: that needs no column.
    let some_idle = rules.iter().any(|(_, idle)| idle.is_some());
    if some_idle {
        heads.insert(3, "Not run");
    }
    let rows = rules.into_iter().map(|(rule, idle)| {
        let mut row = vec![
            Cell::severity(rule.severity.as_str()),
            Cell::number(rule.risk_score.to_string()),
            rule.kind.type_name().into(),
            rule.name.as_str().into(),
            tactics(rule).into(),
            rule.rule_id.as_str().into(),
        ];
        if some_idle {
            row.insert(3, idle.unwrap_or_default().into());
        }
        row
    });
    grid(&heads, rows, terminal)
}

/// By which values its alerts suppress one another, and for how long.
fn suppression(rule: &Rule) -> String {
    let Some(suppression) = &rule.alert_suppression else { return String::new() };
    let fields = match &rule.kind {
        RuleKind::Threshold(it) => it.fields.join(", "),
        RuleKind::Query
        | RuleKind::SavedQuery { .. }
        | RuleKind::NewTerms(_)
        | RuleKind::Eql { .. }
        | RuleKind::Esql
        | RuleKind::ThreatMatch(_)
        | RuleKind::MachineLearning { .. } => suppression.group_by.join(", "),
    };
    suppression.duration.as_ref().map_or(fields.clone(), |it| format!("{fields} ({it})"))
}

/// The tactics of a rule.
fn tactics(rule: &Rule) -> String {
    let names: Vec<&str> = rule.threat.iter().map(|threat| threat.tactic.1.as_str()).collect();
    names.join(", ")
}

pub(crate) fn words(language: rule::GuideLanguage) -> &'static Words {
    match language {
        rule::GuideLanguage::English => &ENGLISH,
        rule::GuideLanguage::SimplifiedChinese => &CHINESE,
    }
}

/// Everything about a rule as Markdown: reads well in a terminal and as a page.
pub fn show(rule: &Rule, language: rule::GuideLanguage) -> String {
    with_blanks(rule, language, crate::guide::in_words)
}

/// The same with something else where the values of an alert would stand.
pub(crate) fn with_blanks(rule: &Rule, language: rule::GuideLanguage, blank: crate::guide::Blank) -> String {
    let words = words(language);
    let mut out = format!("# {}\n\n{}\n\n", rule.name, rule.description.trim());
    let mut field = |at: usize, value: String| {
        if !value.is_empty() {
            out += &format!("- {}: {value}\n", words.fields[at]);
        }
    };
    field(0, rule.kind.type_name().to_owned());
    field(1, words.severities[rule.severity as usize].to_owned());
    field(2, rule.risk_score.to_string());
    field(3, rule.rule_id.clone());
    field(4, rule.version.to_string());
    field(5, rule.index.join(", "));
    field(6, rule.interval.to_string());
    field(7, rule.from.to_string());
    field(8, rule.max_signals.to_string());
    field(16, suppression(rule));
    if let RuleKind::NewTerms(terms) = &rule.kind {
        field(9, terms.fields.join(", "));
        field(10, terms.history_window_start.to_string());
    }
    for threat in &rule.threat {
        let techniques: Vec<String> =
            threat.techniques.iter().map(|(id, name)| format!("{id} {name}")).collect();
        let tactic = format!("{} {}", threat.tactic.0, threat.tactic.1);
        field(
            11,
            if techniques.is_empty() { tactic } else { format!("{tactic}: {}", techniques.join(", ")) },
        );
    }
    field(12, rule.tags.join(", "));
    for reference in &rule.references {
        field(13, reference.clone());
    }
    field(14, rule.author.join(", "));
    field(15, rule.license.clone().unwrap_or_default());
    if !rule.query.is_empty() {
        let language = rule.language.map_or("", rule::QueryLanguage::as_str);
        out += &format!("\n## {}\n\n```{language}\n{}\n```\n", words.query, rule.query.trim());
    }
    for filter in &rule.filters {
        out += &format!("\n```json\n{}\n```\n", pretty(filter));
    }
    out += &crate::guide::raw(rule, language, blank);
    if !rule.setup.trim().is_empty() {
        out += &format!("\n## {} · Setup\n\n{}\n", words.rule, rule.setup.trim());
    }
    out
}

/// Text inside a list item.
pub(crate) fn indent(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("   {line}") })
        .collect::<Vec<_>>()
        .join("\n")
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
