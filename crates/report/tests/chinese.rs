//! The Chinese texts, those of the built-in rules and those around them, keep to the words of `docs/words.zh-CN.md`.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use rule::{GuideLanguage, Rule, RuleKind, Severity};

const TABLE: &str = include_str!("../../../docs/words.zh-CN.md");

/// One line of the table.
#[derive(Debug)]
struct Word {
    /// What it is called in English.
    english: Vec<&'static str>,
    /// What it is called in Chinese.
    chinese: &'static str,
    /// What it is not called.
    not: Vec<&'static str>,
}

/// The words of the table.
fn words() -> Vec<Word> {
    let list = |cell: &'static str| cell.split(", ").map(str::trim).filter(|it| !it.is_empty()).collect();
    let rows = TABLE.lines().filter(|line| line.starts_with('|')).skip(2);
    let words: Vec<Word> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [english, chinese, not] = cells[..] else { panic!("three cells in a row: {row}") };
            Word { english: list(english), chinese, not: list(not) }
        })
        .collect();
    assert!(words.len() > 10, "the table was not found");
    words
}

/// Whether a text has the term, as whole words, whatever their case; a `*` at its end stands for further letters.
fn has(text: &str, term: &str) -> bool {
    let text = text.to_lowercase();
    let (stem, open) = term.strip_suffix('*').map_or((term, false), |stem| (stem, true));
    let is_letter = |it: Option<char>| it.is_some_and(|it| it.is_ascii_alphanumeric() || "-_.".contains(it));
    text.match_indices(stem).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + stem.len()..].chars().next());
        !is_letter(before) && (open || !after.is_some_and(|it| it.is_ascii_alphanumeric() || it == '_'))
    })
}

/// The texts of a rule that people read, each with its name.
fn texts(rule: &Rule) -> Vec<(String, String)> {
    let mut out = vec![
        ("name".to_owned(), rule.name.clone()),
        ("description".to_owned(), rule.description.clone()),
        ("setup".to_owned(), rule.setup.clone()),
    ];
    let numbered = |kind: &str, at: usize| format!("{kind} {}", at + 1);
    for (at, text) in rule.false_positives.iter().enumerate() {
        out.push((numbered("false_positives", at), text.clone()));
    }
    let guide = rule.guide.clone().unwrap();
    out.push(("overview".to_owned(), guide.overview.unwrap_or_default()));
    for (kind, steps) in [("triage", guide.triage), ("response", guide.response)] {
        for (at, step) in steps.into_iter().enumerate() {
            out.push((numbered(kind, at), format!("{}: {}", step.title, step.text)));
        }
    }
    for (at, note) in guide.false_positives.into_iter().enumerate() {
        out.push((numbered("false_positive", at), format!("{}: {}", note.title, note.text)));
    }
    out
}

#[test]
fn a_thing_is_called_by_its_word() {
    let english = rule::builtin(GuideLanguage::English).rules;
    let chinese = rule::builtin(GuideLanguage::SimplifiedChinese).rules;
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (english, chinese) in english.iter().zip(&chinese) {
        for ((place, from), (_, to)) in texts(english).iter().zip(texts(chinese)) {
            for word in words() {
                if let Some(term) = word.english.iter().find(|term| has(from, term)) {
                    seen += 1;
                    if !to.contains(word.chinese) {
                        wrong.push(format!(
                            "{} {place}: `{term}` is not {}\n    {from}\n    {to}",
                            chinese.file, word.chinese
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 50, "{seen} places say very little");
}

#[test]
fn no_other_word_stands_anywhere() {
    let chinese = rule::builtin(GuideLanguage::SimplifiedChinese).rules;
    assert!(!chinese.is_empty());
    for rule in &chinese {
        let mut all = texts(rule);
        all.push(("note".to_owned(), rule.note.clone().unwrap()));
        all.push(("page".to_owned(), report::rules::show(rule, GuideLanguage::SimplifiedChinese)));
        for (place, text) in all {
            for word in words() {
                let found: Vec<&str> = word.not.iter().filter(|it| text.contains(**it)).copied().collect();
                assert!(found.is_empty(), "{} {place}: {found:?} is {}:\n{text}", rule.file, word.chinese);
            }
        }
    }
}

/// What investigations say, and the general steps: in English and in Chinese.
fn investigations() -> Vec<(String, String)> {
    const SENTENCES: &str = include_str!("../../investigate/src/sentences.zh-CN.txt");
    let lines: Vec<&str> = SENTENCES.lines().filter(|it| !it.is_empty() && !it.starts_with('#')).collect();
    let mut out: Vec<(String, String)> =
        lines.chunks(2).map(|it| (it[0].to_owned(), it[1].to_owned())).collect();
    let steps = |language| {
        let guide = investigate::general(language).guide.as_ref().unwrap();
        let of = |it: &rule::Step| {
            let more = [&it.reason, &it.breaks, &it.undo, &it.verify];
            let more = more.into_iter().map(|it| it.clone().unwrap_or_default());
            [it.title.clone(), it.text.clone()].into_iter().chain(more).collect::<Vec<_>>()
        };
        guide.triage.iter().chain(&guide.response).flat_map(of).collect::<Vec<String>>()
    };
    out.extend(steps(GuideLanguage::English).into_iter().zip(steps(GuideLanguage::SimplifiedChinese)));
    out
}

#[test]
fn investigations_keep_to_the_words() {
    let all = investigations();
    assert!(all.len() > 250, "{} texts", all.len());
    let mut wrong = Vec::new();
    for (from, to) in &all {
        for word in words() {
            if let Some(found) = word.not.iter().find(|it| to.contains(**it)) {
                wrong.push(format!("{found} is {}: {to}", word.chinese));
            }
            let term = word.english.iter().find(|term| has(from, term));
            if let Some(term) = term.filter(|_| !to.contains(word.chinese)) {
                wrong.push(format!("`{term}` is not {}\n    {from}\n    {to}", word.chinese));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_stands_around_a_rule_is_called_by_its_word() {
    let words = words();
    let word = |term: &str| words.iter().find(|it| it.english.contains(&term)).unwrap().chinese;
    let rules = rule::builtin(GuideLanguage::SimplifiedChinese).rules;
    for (severity, name) in Severity::ALL.into_iter().zip([
        word("low severity"),
        word("medium severity"),
        word("high severity"),
        word("critical severity"),
    ]) {
        let mut rule = rules[0].clone();
        rule.severity = severity;
        let page = report::rules::show(&rule, GuideLanguage::SimplifiedChinese);
        assert!(page.contains(&format!("- {}: {name}\n", word("severity"))), "{page}");
    }
    let of_new_terms = |rule: &&Rule| matches!(rule.kind, RuleKind::NewTerms(_));
    let rule = rules.iter().find(of_new_terms).unwrap();
    let RuleKind::NewTerms(new_terms) = &rule.kind else { unreachable!("it was looked for") };
    let page = report::rules::show(rule, GuideLanguage::SimplifiedChinese);
    for (term, value) in [
        ("risk score", rule.risk_score.to_string()),
        ("new terms", new_terms.fields[0].clone()),
        ("look-back", rule.from.to_string()),
    ] {
        let is_line = |line: &str| line.contains(word(term)) && line.contains(&value);
        assert!(page.lines().any(is_line), "{term}: {page}");
    }
    let headings =
        ["investigation guide", "triage and analysis", "false positive*", "response and remediation"];
    for term in headings {
        let is_heading = |line: &str| line.starts_with("## ") && line.contains(word(term));
        assert!(page.lines().any(is_heading), "{term}: {page}");
    }
    let note = rule.note.as_deref().unwrap();
    for term in &headings[1..] {
        let is_heading = |line: &str| line.starts_with("##") && line.contains(word(term));
        assert!(note.lines().any(is_heading), "{term}: {note}");
    }
}

#[test]
fn terms_are_whole_words() {
    assert!(has("It assumed the role.", "assumed the role"));
    assert!(has("Credentials, stolen", "credential*"));
    assert!(has("an access key's owner", "access key*"));
    assert!(!has("kibana.alert.uuid", "alert*"), "a field is no word of a text");
    assert!(!has("accesskeyid", "access key*"));
    assert!(!has("the severity_mapping", "severity"));
}
