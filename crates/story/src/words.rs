//! The words of what is told.

use investigate::DeedKind;
use rule::GuideLanguage;

/// The words in one language. Templates have their values in braces.
pub(crate) struct Words {
    /// Who, what it is, account, calls, times.
    pub(crate) sentence: &'static str,
    pub(crate) in_account: &'static str,
    pub(crate) from: &'static str,
    pub(crate) refused: &'static str,
    pub(crate) nothing_seen: &'static str,
    pub(crate) and_more: &'static str,
    pub(crate) comma: &'static str,
    pub(crate) exact_sessions: &'static str,
    pub(crate) exact: &'static str,
    pub(crate) inferred: &'static str,
    pub(crate) several_calls: &'static str,
    pub(crate) no_issue: &'static str,
    pub(crate) ambiguous: &'static str,
    pub(crate) broken: &'static str,
    pub(crate) cut: &'static str,
    pub(crate) everyone: &'static str,
    pub(crate) of: &'static str,
    pub(crate) for_whom: &'static str,
    language: GuideLanguage,
}

const ENGLISH: Words = Words {
    sentence: "{who}, {kind}{account}, made {calls} between {start} and {end} UTC{from}{refused}.",
    in_account: " of account {account}",
    from: ", from {addresses}",
    refused: "; {number} of them were refused or failed",
    nothing_seen: "{who}, {kind}{account}, is named by alerts; its calls are not in the data.",
    and_more: "{number} more",
    comma: ", ",
    exact_sessions: "Exact: the records name it, and its {sessions} are tied to it by the access keys that its calls were answered with.",
    exact: "Exact: the records themselves name it.",
    inferred: "Inferred: some of its sessions are tied to it by time, role and session name, not by an access key.",
    several_calls: "Weak: which of several calls issued some of its credentials is not certain; all were made by the same.",
    no_issue: "Weak: no call that issued these credentials is in the data; somebody else is behind them.",
    ambiguous: "Weak: several identities could be behind these credentials.",
    broken: "Weak: the records of who issued these credentials contradict each other.",
    cut: "Only the {number} calls nearest to its first alert are told.",
    everyone: "everyone",
    of: "{what} of {whom}",
    for_whom: "{what} for {whom}",
    language: GuideLanguage::English,
};

const CHINESE: Words = Words {
    sentence: "{who}（{kind}{account}）在 {start} 至 {end}（UTC）之间发出了 {calls}{from}{refused}。",
    in_account: "，账户 {account}",
    from: "，来自 {addresses}",
    refused: "；其中 {number} 次被拒绝或失败",
    nothing_seen: "{who}（{kind}{account}）出现在警报中；数据中没有它的调用。",
    and_more: "另外 {number} 个",
    comma: "、",
    exact_sessions: "确定：记录中指明了它，其{sessions}均由其调用所返回的访问密钥与之关联。",
    exact: "确定：记录本身指明了它。",
    inferred: "推断：它的部分会话只凭时间、角色和会话名称与之关联，而非访问密钥。",
    several_calls: "存疑：无法确定其部分凭证由多次调用中的哪一次签发；这些调用均出自同一身份。",
    no_issue: "存疑：数据中没有签发这些凭证的调用；其背后另有其人。",
    ambiguous: "存疑：这些凭证背后可能是多个身份。",
    broken: "存疑：关于谁签发了这些凭证的记录互相矛盾。",
    cut: "此处只列出离其首个警报最近的 {number} 次调用。",
    everyone: "所有人",
    of: "{whom} 的 {what}",
    for_whom: "{what}（{whom}）",
    language: GuideLanguage::SimplifiedChinese,
};

pub(crate) fn words(language: GuideLanguage) -> &'static Words {
    match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    }
}

/// A template with its values: `{name}` stands for one.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out += &rest[..at];
        let end = rest[at..].find('}').map_or(rest.len(), |it| at + it);
        let name = &rest[at + 1..end];
        out += values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    out + rest
}

/// Digits in groups of three.
pub(crate) fn number(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl Words {
    /// `1 call`, `2 calls`.
    pub(crate) fn calls(&self, count: usize) -> String {
        self.plural(count, "call", "calls", "次调用")
    }

    /// `1 session`, `2 sessions`.
    pub(crate) fn sessions(&self, count: usize) -> String {
        self.plural(count, "session", "sessions", "个会话")
    }

    fn plural(&self, count: usize, one: &str, many: &str, chinese: &str) -> String {
        let digits = number(count);
        match self.language {
            GuideLanguage::English => format!("{digits} {}", if count == 1 { one } else { many }),
            GuideLanguage::SimplifiedChinese => format!("{digits} {chinese}"),
        }
    }

    /// What an identity of that type is.
    pub(crate) fn kind(&self, kind: Option<&str>, service: Option<&str>) -> String {
        let known: &[(&str, &str, &str)] = &[
            ("IAMUser", "an IAM user", "IAM 用户"),
            ("Root", "the root user", "根用户"),
            ("AssumedRole", "a role", "角色"),
            ("Role", "a role", "角色"),
            ("FederatedUser", "a federated user", "联合用户"),
            ("SAMLUser", "a user of a SAML provider", "SAML 提供商的用户"),
            ("WebIdentityUser", "a user of a web identity provider", "Web 身份提供商的用户"),
            ("IdentityCenterUser", "a user of Identity Center", "Identity Center 用户"),
            ("AWSAccount", "another account", "其他账户"),
            ("AWSService", "a service of AWS", "AWS 服务"),
        ];
        let found = known.iter().find(|(name, _, _)| kind == Some(name));
        let chinese = self.language == GuideLanguage::SimplifiedChinese;
        let what = match (found, chinese) {
            (Some((_, english, _)), false) => (*english).to_owned(),
            (Some((_, _, chinese)), true) => (*chinese).to_owned(),
            (None, false) => "an identity".to_owned(),
            (None, true) => "身份".to_owned(),
        };
        match (service, chinese) {
            (None, _) => what,
            (Some(service), false) => format!("{what} whose credentials `{service}` hands out"),
            (Some(service), true) => format!("{what}，凭证由 `{service}` 发放"),
        }
    }

    /// What was done; `objects` are what it is about.
    pub(crate) fn deed(&self, kind: DeedKind, count: usize, objects: &str) -> String {
        let (english, chinese) = match kind {
            DeedKind::SignedIn => ("signed in: {objects}", "登录：{objects}"),
            DeedKind::TookSessions => ("took {number}: {objects}", "获取了 {number}：{objects}"),
            DeedKind::MadeUsers | DeedKind::MadeKeys | DeedKind::MadeRoles => {
                ("made {number}: {objects}", "创建了 {number}：{objects}")
            }
            DeedKind::MadeLogins => {
                ("gave {number} a password: {objects}", "为 {number}设置了密码：{objects}")
            }
            DeedKind::MadePolicies => {
                ("made or changed {number}: {objects}", "创建或更改了 {number}：{objects}")
            }
            DeedKind::Granted => ("gave permissions: {objects}", "授予了权限：{objects}"),
            DeedKind::Trusted => ("changed who is trusted: {objects}", "更改了信任对象：{objects}"),
            DeedKind::Shared => {
                ("gave access to data or code: {objects}", "开放了对数据或代码的访问：{objects}")
            }
            DeedKind::ReadSecrets | DeedKind::ReadData => {
                ("read {number}: {objects}", "读取了 {number}：{objects}")
            }
            DeedKind::WroteData => ("wrote {number}: {objects}", "写入了 {number}：{objects}"),
            DeedKind::OpenedNetworks => ("changed networks: {objects}", "更改了网络：{objects}"),
            DeedKind::RanMachines => {
                ("started or changed machines: {objects}", "启动或更改了主机：{objects}")
            }
            DeedKind::RanCommands => ("ran commands on machines: {objects}", "在主机上运行了命令：{objects}"),
            DeedKind::ChangedCode => ("made or changed code: {objects}", "创建或更改了代码：{objects}"),
            DeedKind::MadeCopies => ("copied disks or databases: {objects}", "复制了磁盘或数据库：{objects}"),
            DeedKind::ChangedLogging => {
                ("changed what is logged or watched: {objects}", "更改了日志记录或监控：{objects}")
            }
            DeedKind::TookBack => ("took back permissions: {objects}", "收回了权限：{objects}"),
            DeedKind::Destroyed => ("removed or ended: {objects}", "移除或终止：{objects}"),
            DeedKind::LookedAround => {
                ("looked around with {number}: {objects}", "进行了侦查（{number}）：{objects}")
            }
            DeedKind::Changed => ("made other changes: {objects}", "进行了其他更改：{objects}"),
            DeedKind::Refused => {
                ("was refused or failed in {number}: {objects}", "被拒绝或失败（{number}）：{objects}")
            }
        };
        let number = match kind {
            DeedKind::TookSessions => self.sessions(count),
            DeedKind::MadeUsers | DeedKind::MadeLogins => self.plural(count, "user", "users", "个用户"),
            DeedKind::MadeKeys => self.plural(count, "key", "keys", "个密钥"),
            DeedKind::MadeRoles => {
                self.plural(count, "role or profile", "roles and profiles", "个角色或配置文件")
            }
            DeedKind::MadePolicies => self.plural(count, "policy", "policies", "个策略"),
            DeedKind::ReadSecrets => self.plural(count, "secret", "secrets", "个密钥或密码"),
            DeedKind::ReadData | DeedKind::WroteData => self.plural(count, "object", "objects", "个对象"),
            DeedKind::LookedAround | DeedKind::Refused => self.calls(count),
            DeedKind::SignedIn
            | DeedKind::Granted
            | DeedKind::Trusted
            | DeedKind::Shared
            | DeedKind::OpenedNetworks
            | DeedKind::RanMachines
            | DeedKind::RanCommands
            | DeedKind::ChangedCode
            | DeedKind::MadeCopies
            | DeedKind::ChangedLogging
            | DeedKind::TookBack
            | DeedKind::Destroyed
            | DeedKind::Changed => String::new(),
        };
        let template = match self.language {
            GuideLanguage::English => english,
            GuideLanguage::SimplifiedChinese => chinese,
        };
        fill(template, &[("number", &number), ("objects", objects)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        assert_eq!(fill("a {b} c {d}", &[("b", "1"), ("d", "{b}")]), "a 1 c {b}");
        assert_eq!(fill("{none}x{", &[]), "x");
        assert_eq!(number(1_234_567), "1,234,567");
    }
}
