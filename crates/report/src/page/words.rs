//! The words of the page.

use rule::GuideLanguage;

/// Declares the words, each in both languages; those of the script are handed to it by name.
macro_rules! words {
    (page { $($name:ident: $english:literal, $chinese:literal;)* } script { $($key:ident: $en:literal, $zh:literal;)* }) => {
        /// Words in one language.
        pub(crate) struct Words {
            $(pub(crate) $name: &'static str,)*
            /// Those of the script.
            pub(crate) script: &'static [(&'static str, &'static str)],
        }

        const ENGLISH: Words = Words { $($name: $english,)* script: &[$((stringify!($key), $en)),*] };
        const CHINESE: Words = Words { $($name: $chinese,)* script: &[$((stringify!($key), $zh)),*] };
    };
}

words! {
    page {
        title: "Trailwarden report", "Trailwarden 报告";
        tag: "en", "zh-CN";
        not_run: "for osquery; not run here", "用于 osquery，此处不运行";
        what_happened: "What happened", "发生了什么";
        stories: "Stories", "经过";
        alerts: "Alerts", "警报";
        completeness: "What could not be seen", "无法看到的部分";
        notices: "Notices", "提示";
        how_made: "How this was made", "本报告的生成方式";
        no_alert: "No rule alerted.", "没有规则触发警报。";
        one_alert: "{n} alert", "{n} 条警报";
        many_alerts: "{n} alerts", "{n} 条警报";
        about_one: " about {n} identity", "涉及 {n} 个身份";
        about_many: " about {n} identities", "涉及 {n} 个身份";
        suppressed: "{n} suppressed", "{n} 条被抑制";
        over_time: "Alerts over time, by severity (UTC)", "按严重性划分的警报时间分布（UTC）";
        confidence: "How sure", "可信程度";
        exact: "exact", "确定";
        inferred: "inferred", "推断";
        weak: "weak", "存疑";
        more_actors: "{n} more identities, with less severe alerts", "另外 {n} 个身份，其警报严重性较低";
        needs_script: "The stories and the alerts are shown by a script of this page; it is switched off.", "经过和警报由本页脚本显示；脚本已被禁用。";
        search: "Search: role, address, action, event id …", "搜索：角色、地址、操作、事件 ID……";
        sort: "Sort", "排序";
        by_severity: "most severe first", "严重性从高到低";
        by_time: "by time", "按时间";
        by_rule: "by rule", "按规则";
        clear: "Clear filters", "清除筛选";
        keys: "Keys", "快捷键";
        keys_text: "/ search · j k next, previous · Enter open, close · s story · Esc clear · ? this", "/ 搜索 · j k 下一条、上一条 · Enter 展开、收起 · s 经过 · Esc 清除 · ? 本提示";
        all_calls: "All calls, alike ones folded; alerts are marked.", "全部调用，相同的已折叠；警报有标记。";
        critical: "critical", "严重";
        high: "high", "高";
        medium: "medium", "中";
        low: "low", "低";
        investigated: "Investigated", "已调查";
        investigated_of: "{n} of the {all} alerts of severity medium and higher: the most severe and first ones; `trailwarden investigate … --alert ID` investigates any other", "严重性为中及以上的 {all} 条警报中的 {n} 条：最严重且最早的；其他任一警报可用 `trailwarden investigate … --alert ID` 调查";
        not_investigated: "no alert (--no-investigate)", "未调查任何警报（--no-investigate）";
        stream: "The records came from standard input and cannot be read again: there are no stories, and no alert was investigated.", "记录来自标准输入，无法再次读取：没有经过，也未调查任何警报。";
        cut: "The stories have {calls} calls. Of identities who made more ({n}) they are those nearest to their first alerts; `trailwarden query` finds all calls of an identity.", "经过共含 {calls} 次调用。调用更多的身份（{n} 个）仅列出离其首个警报最近的部分；某个身份的全部调用可用 `trailwarden query` 查询。";
        left_out: "{n} further identities are not told, because there are too many: see `trailwarden summary`.", "另有 {n} 个身份因数量过多未予叙述：请参阅 trailwarden summary。";
        version: "Version", "版本";
        command: "Command", "命令";
        now: "Time of the hunt", "狩猎时间";
        data: "Data", "数据";
        range: "Events", "事件";
        rules_ran: "Rules that ran", "运行的规则";
        executions: "Executions", "执行次数";
        records_in: "{records} records in {files} files ({bytes} of text)", "{files} 个文件中的 {records} 条记录（文本 {bytes}）";
        to: "{from} to {to} UTC", "{from} 至 {to}（UTC）";
        times: "All times are UTC.", "所有时间均为 UTC。";
        warning: "warning", "警告";
        note: "note", "说明";
        not_checked: "Whether the trail is complete was not checked for this report.", "本报告未检查跟踪记录是否完整。";
        plan: "Response plan", "响应计划";
        grade: "Grade", "等级";
        deviations: "What differs", "异常之处";
        missing: "What is missing", "缺失的信息";
        harmless: "False positives", "误报";
        supports: "supports", "支持";
        against: "speaks against", "不支持";
        unknown: "not known", "未知";
        exception: "The exception that would have silenced exactly this", "恰好能使本警报静默的例外";
        hides: "It would have hidden {n} alerts of the last 30 days; until {until}.", "它会隐藏最近 30 天内的 {n} 条警报；有效期至 {until}。";
        looked: "looked at {from} to {to}", "查看范围：{from} 至 {to}";
        exist_from: "; events exist from {from}", "；事件自 {from} 起存在";
        rows_more: "{n} more rows: `trailwarden investigate … --alert ID` shows them", "另有 {n} 行：`trailwarden investigate … --alert ID` 可显示";
        nothing: "nothing found", "未找到";
        raw_fields: "Raw fields", "原始字段";
        raw_fields_of: "of the {n} most severe and first of the {all} alerts; `trailwarden hunt … --format ndjson` has those of all", "{all} 条警报中最严重且最早的 {n} 条；全部警报的原始字段见 `trailwarden hunt … --format ndjson`";
        own: "marked rows: the alert's own session", "标记的行：本警报自身的会话";
        next: "To learn more", "进一步了解";
        reason: "Why", "原因";
        breaks: "Breaks", "影响";
        undo: "Undo", "撤销";
        verify: "Verify", "验证";
        needs: "Needs", "所需权限";
        not_indicated: "Not indicated", "不适用的步骤";
        risk_read: "looks only", "只读";
        risk_reversible: "reversible", "可撤销";
        risk_destructive: "destructive", "破坏性";
    }
    script {
        severity: "Severity", "严重性";
        actors: "Who", "谁";
        addresses: "From where", "来自";
        targets: "To what", "对象";
        tactics: "Tactics", "战术";
        rules: "Rules", "规则";
        shown: "{n} of {all} alerts", "{all} 条警报中的 {n} 条";
        none: "Nothing fits the filters.", "没有符合筛选条件的内容。";
        more: "{n} more", "另外 {n} 个";
        fewer: "fewer", "收起";
        who: "Who", "谁";
        what: "What", "做了什么";
        to_what: "To what", "对象";
        request: "Request", "请求";
        answer: "Answer", "结果";
        from: "From", "来自";
        when: "When", "时间";
        where: "Account", "账户";
        event: "Event", "事件";
        alert: "Alert", "警报";
        first_time: "First time", "首次出现";
        stands_for: "Stands for", "代表";
        stands_on: "Stands on alerts", "基于警报";
        reason: "Reason", "原因";
        fields: "All fields", "全部字段";
        fields_elsewhere: "The raw fields of the {n} most severe and first of the {all} alerts are on this page. `trailwarden hunt … --format ndjson` has those of all.", "本页包含 {all} 条警报中最严重且最早的 {n} 条的原始字段。全部警报的原始字段见 `trailwarden hunt … --format ndjson`。";
        paper_alerts: "On paper {open} of {all} alerts are opened, with the steps that found something, and {rows} more are rows. The page itself has all.", "纸面上展开了 {all} 条警报中的 {open} 条（含有发现的步骤），另有 {rows} 条仅列出一行。页面本身包含全部内容。";
        paper_acts: "{n} of {all} rows: of more, those with alerts and changes are on paper, up to {most}. The page itself has all.", "{all} 行中的 {n} 行：超出时，纸面上仅含有警报或更改的行，最多 {most} 行。页面本身包含全部内容。";
        paper_stories: "{n} more stories are on the page only.", "另有 {n} 个经过仅在页面上显示。";
        paper_rows: "{n} more rows are on the page only.", "另有 {n} 行仅在页面上显示。";
        story: "In the story", "在经过中查看";
        rule: "About the rule", "关于规则";
        guide: "Investigation: the guide, done", "调查：调查指南（已执行）";
        alerts_n: "{n} alerts", "{n} 条警报";
        alert_1: "1 alert", "1 条警报";
        calls: "{n} of {all} rows, {calls} calls", "{all} 行中的 {n} 行，{calls} 次调用";
        only_alerts: "only rows with alerts", "仅含警报的行";
        only_writes: "only changes", "仅更改";
        write: "change", "更改";
        each: "{n} calls", "{n} 次调用";
        time_range: "{from} to {to}", "{from} 至 {to}";
        nobody: "nobody named", "未记录";
        loose: "counts events, or stands on several", "统计事件，或基于多个事件";
        loose_cut: "its call is left out of the story", "其调用未列入经过";
        from_here: "address", "地址";
    }
}

pub(crate) fn words(language: GuideLanguage) -> &'static Words {
    match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    }
}

impl Words {
    /// The word of a severity, by how severe it is.
    pub(crate) fn rank(&self, rank: usize) -> &'static str {
        [self.low, self.medium, self.high, self.critical].get(rank).copied().unwrap_or_default()
    }
}

/// A template with its values: `{name}` stands for one.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}
