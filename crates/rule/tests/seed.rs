//! The rule that the project began with, held to the facts of the published rule. They are written down here a second
//! time, by hand: what the rule's file says is never asked for what to expect.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rule::{GuideLanguage, QueryLanguage, Rule, RuleKind, Severity, Step};

const ID: &str = "52ba7dad-d2ad-5157-8031-77e4c0ca146f";

fn seed(language: GuideLanguage) -> Rule {
    rule::builtin(language).rules.into_iter().find(|it| it.rule_id == ID).unwrap()
}

#[test]
fn its_settings_are_those_of_the_published_rule() {
    let rule = seed(GuideLanguage::English);
    let RuleKind::NewTerms(terms) = &rule.kind else { panic!("{:?}", rule.kind) };
    assert_eq!(terms.fields, ["aws.cloudtrail.user_identity.session_context.session_issuer.arn"]);
    assert_eq!(rule.index, ["filebeat-*", "logs-aws.cloudtrail*"]);
    assert_eq!((rule.severity, rule.risk_score), (Severity::Medium, 47));
    for (field, text) in
        [("history_window_start", "now-7d"), ("interval", "5m"), ("from", "now-9m"), ("to", "now")]
    {
        assert_eq!(rule.api()[field], text, "{field}");
    }
    assert_eq!(rule.max_signals, 100);
    assert_eq!(
        rule.tags,
        [
            "Domain: Cloud",
            "Data Source: AWS",
            "Data Source: Amazon Web Services",
            "Data Source: Amazon EC2",
            "Use Case: Identity and Access Audit",
            "Resources: Investigation Guide",
            "Tactic: Credential Access",
        ]
    );
    assert_eq!(rule.version, 3);
    // The page does not show it; every rule on data that is shipped has it.
    assert_eq!(rule.timestamp_override.as_deref(), Some("event.ingested"));
    assert!(!rule.timestamp_override_fallback_disabled);
    assert_eq!(
        (rule.author.as_slice(), rule.license.as_deref()),
        (&["Trailwarden".to_owned()][..], Some("Apache-2.0"))
    );
    assert_eq!(rule.maturity.as_deref(), Some("production"));
    assert!(rule.filters.is_empty() && rule.exceptions_list.is_empty() && rule.alert_suppression.is_none());
    assert!(rule.building_block_type.is_none() && rule.severity_mapping.is_empty());
}

#[test]
fn it_asks_for_five_things_and_no_more() {
    let rule = seed(GuideLanguage::English);
    assert_eq!(rule.language, Some(QueryLanguage::Kuery));
    let published = "event.dataset: \"aws.cloudtrail\" and event.provider: \"ec2.amazonaws.com\" \
         and event.action: \"GetPasswordData\" and aws.cloudtrail.user_identity.type: \"AssumedRole\" \
         and aws.cloudtrail.error_code: \"Client.UnauthorizedOperation\"";
    // As trees, printed: where the lines break means nothing.
    let tree = |query: &str| kql::parse(query).unwrap().to_string();
    assert_eq!(tree(&rule.query), tree(published));
}

#[test]
fn it_is_mapped_to_the_credentials_of_the_metadata_service() {
    let rule = seed(GuideLanguage::English);
    let [threat] = rule.threat.as_slice() else { panic!("{:?}", rule.threat) };
    assert_eq!(threat.framework, "MITRE ATT&CK");
    assert_eq!((threat.tactic.0.as_str(), threat.tactic.1.as_str()), ("TA0006", "Credential Access"));
    assert!(
        threat.techniques.iter().any(|(id, name)| id == "T1552.005" && name == "Cloud Instance Metadata API")
    );
    assert!(rule.references.contains(&"https://attack.mitre.org/techniques/T1552/005/".to_owned()));
    assert!(rule.references.iter().any(|it| it.contains("privilege-escalation")), "{:?}", rule.references);
}

/// What a part of the text is about: one of each of these words.
type Subject = &'static [&'static [&'static str]];

#[track_caller]
fn is_about(what: &str, texts: &[(String, String)], subjects: &[Subject]) {
    assert_eq!(texts.len(), subjects.len(), "{what}");
    for (at, ((title, text), subject)) in texts.iter().zip(subjects).enumerate() {
        let whole = format!("{title}: {text}").to_lowercase();
        for words in *subject {
            assert!(
                words.iter().any(|it| whole.contains(it)),
                "{what} {}: none of {words:?} in {whole}",
                at + 1
            );
        }
    }
}

fn texts(steps: Vec<Step>) -> Vec<(String, String)> {
    steps.into_iter().map(|step| (step.title, step.text)).collect()
}

#[test]
fn it_says_what_it_finds() {
    let english = seed(GuideLanguage::English);
    assert_eq!(english.name, "AWS EC2 Admin Credential Fetch via Assumed Role");
    let texts = |rule: &Rule| vec![(rule.name.clone(), rule.description.clone())];
    is_about(
        "description",
        &texts(&english),
        &[&[
            &["first"],
            &["assumed role"],
            &["getpassworddata"],
            &["encrypted administrator password"],
            &["ec2"],
            &["privilege escalation"],
            &["lateral movement"],
            &["seven days"],
        ]],
    );
    is_about(
        "description",
        &texts(&seed(GuideLanguage::SimplifiedChinese)),
        &[&[
            &["首次"],
            &["代入的角色"],
            &["getpassworddata"],
            &["加密管理员密码"],
            &["ec2"],
            &["权限提升"],
            &["横向移动"],
            &["七天"],
        ]],
    );
}

#[test]
fn triage_has_the_seven_steps_in_their_order() {
    let steps = |language| texts(seed(language).guide.unwrap().triage);
    is_about(
        "triage",
        &steps(GuideLanguage::English),
        &[
            &[&["who called"], &["role"], &["may do"], &["permissions"]],
            &[&["request parameters"], &["response elements"]],
            &[&["behaviour"], &["hours"], &["addresses"], &["before"], &["after"]],
            &[&["instance"], &["critical"], &["sensitive"]],
            &[
                &["same identity"],
                &["cloudtrail"],
                &["security groups"],
                &["network access control"],
                &["metadata"],
            ],
            &[&["other services"], &["moved on"], &["resource"]],
            &[&["came from"], &["address"], &["country"], &["administrators work"]],
        ],
    );
    is_about(
        "triage",
        &steps(GuideLanguage::SimplifiedChinese),
        &[
            &[&["身份"], &["角色"], &["权限"]],
            &[&["请求参数"], &["响应元素"]],
            &[&["行为"], &["时段"], &["地址"], &["前后"]],
            &[&["实例"], &["关键"], &["敏感"]],
            &[&["同一身份"], &["cloudtrail"], &["安全组"], &["网络访问控制"], &["元数据"]],
            &[&["其他服务"], &["横向移动"], &["资源"]],
            &[&["来源"], &["地址"], &["国家或地区"], &["管理员平时工作的地点"]],
        ],
    );
    // Each is backed by a query or a computation, so that it can be taken and not only read.
    let guide = seed(GuideLanguage::English).guide.unwrap();
    assert!(guide.triage.iter().all(|step| !step.queries.is_empty() || step.builtin.is_some()));
}

#[test]
fn false_positives_are_the_two_in_their_order() {
    let notes = |language| -> Vec<(String, String)> {
        let notes = seed(language).guide.unwrap().false_positives;
        notes.into_iter().map(|note| (note.title, note.text)).collect()
    };
    let plain = |language| -> Vec<(String, String)> {
        seed(language).false_positives.into_iter().map(|text| (String::new(), text)).collect()
    };
    let english: [Subject; 2] = [
        &[&["administrat"], &["maintenance"], &["update"]],
        &[&["automation"], &["deployment"], &["script"]],
    ];
    let chinese: [Subject; 2] = [&[&["管理"], &["维护"], &["更新"]], &[&["自动化"], &["部署"], &["脚本"]]];
    is_about("false positives", &notes(GuideLanguage::English), &english);
    is_about("false_positives", &plain(GuideLanguage::English), &english);
    is_about("false positives", &notes(GuideLanguage::SimplifiedChinese), &chinese);
    is_about("false_positives", &plain(GuideLanguage::SimplifiedChinese), &chinese);
}

#[test]
fn response_has_the_six_steps_in_their_order() {
    let steps = |language| texts(seed(language).guide.unwrap().response);
    is_about(
        "response",
        &steps(GuideLanguage::English),
        &[
            &[&["isolate"], &["at once"], &["instance"]],
            &[&["rotate"], &["role"], &["instance"], &["may have leaked"]],
            &[&["review"], &["identity"], &["least privilege"]],
            &[&["watch"], &["identity"], &["instances of the same kind"]],
            &[
                &["incident response"],
                &["confirmed"],
                &["investigate"],
                &["contain"],
                &["remove"],
                &["restore"],
            ],
            &[&["prevent"], &["multi-factor"], &["audit"], &["getpassworddata"]],
        ],
    );
    is_about(
        "response",
        &steps(GuideLanguage::SimplifiedChinese),
        &[
            &[&["立即"], &["隔离"], &["实例"]],
            &[&["轮换"], &["角色"], &["实例"], &["可能泄露"]],
            &[&["审查"], &["身份"], &["最小权限"]],
            &[&["监控"], &["身份"], &["同类实例"]],
            &[&["事件响应"], &["确认属实"], &["调查"], &["遏制"], &["清除"], &["恢复"]],
            &[&["防止"], &["多重身份验证"], &["审计"], &["getpassworddata"]],
        ],
    );
}
