//! Words around an investigation.

use rule::GuideLanguage;

pub(super) struct Words {
    pub(super) language: GuideLanguage,
    pub(super) investigation: &'static str,
    pub(super) deviations: &'static str,
    pub(super) missing: &'static str,
    pub(super) next: &'static str,
    pub(super) facts: &'static str,
    pub(super) harmless: &'static str,
    pub(super) supports: &'static str,
    pub(super) against: &'static str,
    pub(super) unknown: &'static str,
    pub(super) looked: &'static str,
    pub(super) exist_from: &'static str,
    pub(super) more: &'static str,
    pub(super) common: &'static str,
    pub(super) same: &'static str,
    pub(super) exception: &'static str,
    pub(super) hides: &'static str,
    pub(super) expires: &'static str,
    pub(super) own: &'static str,
    pub(super) nothing: &'static str,
    pub(super) grade: &'static str,
    pub(super) alert: &'static str,
    pub(super) rule: &'static str,
    pub(super) not_run: &'static str,
}

const ENGLISH: Words = Words {
    language: GuideLanguage::English,
    investigation: "Investigation",
    deviations: "What differs",
    missing: "What is missing",
    next: "Next commands",
    facts: "Facts",
    harmless: "False positives",
    supports: "supports",
    against: "speaks against",
    unknown: "not known",
    looked: "looked at",
    exist_from: "events exist from",
    common: "in all rows",
    same: "the same as",
    more: "more; --format json has the first 200",
    exception: "The exception that would have silenced exactly this",
    hides: "of the alerts of the last 30 days it would have hidden",
    expires: "until",
    own: "of the alert's own session",
    nothing: "nothing found",
    grade: "Grade",
    alert: "Alert",
    rule: "Rule",
    not_run: "for osquery; not run here",
};

const CHINESE: Words = Words {
    language: GuideLanguage::SimplifiedChinese,
    investigation: "调查",
    deviations: "异常之处",
    missing: "缺失的信息",
    next: "后续命令",
    facts: "事实",
    harmless: "误报分析",
    supports: "支持",
    against: "不支持",
    unknown: "未知",
    looked: "查看范围",
    exist_from: "事件自此时起存在：",
    common: "所有行相同",
    same: "同",
    more: "条未显示；--format json 包含前 200 条",
    exception: "恰好能使本警报静默的例外",
    hides: "条最近 30 天的警报会被其隐藏",
    expires: "有效期至",
    own: "属于本警报的会话",
    nothing: "未找到",
    grade: "等级",
    alert: "警报",
    rule: "规则",
    not_run: "用于 osquery，此处不运行",
};

impl Words {
    /// The name of a query, or a head of a table.
    pub(super) fn word<'w>(&self, word: &'w str) -> &'w str {
        investigate::word(self.language, word)
    }

    /// A head of a table.
    pub(super) fn head(&self, head: &str) -> String {
        head_of(self.language, head)
    }
}

/// A head of a table for people; of a field the last of its names, which says enough beside the values.
pub(crate) fn head_of(language: GuideLanguage, head: &str) -> String {
    let field = |path: &str| {
        let mut names = path.rsplit('.');
        let last = names.next().unwrap_or(path);
        let name = match (last, names.next()) {
            ("id" | "name" | "type", Some(above)) => format!("{above} {last}"),
            ("original" | "@timestamp", Some(above)) => above.to_owned(),
            _ => last.to_owned(),
        };
        name.trim_start_matches('@').replace('_', " ")
    };
    let is_field = |it: &str| it.contains(['.', '@']) && !it.contains(' ');
    if head.split(" · ").any(is_field) {
        head.split(" · ").map(field).collect::<Vec<_>>().join(" · ")
    } else {
        investigate::word(language, head).to_owned()
    }
}

pub(super) fn of(language: GuideLanguage) -> &'static Words {
    match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    }
}
