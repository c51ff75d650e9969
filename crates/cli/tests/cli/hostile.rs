//! Records are written by whoever attacks: nothing in them may steer what reads the results.

use serde_json::json;

use crate::setup::{Folder, refused};

const ESCAPE: &str = "r\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}turned\u{200b}";

fn folder(role: &str) -> Folder {
    let folder = Folder::new();
    let mut record = refused("e-1", "2026-03-02T10:00:00Z", "plain");
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] =
        format!("arn:aws:iam::111122223333:role/{role}").into();
    record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] = role.into();
    record["userAgent"] = role.into();
    record["requestParameters"] = json!({ role: role });
    folder.lines("calls.ndjson", &[record]);
    folder
}

fn hunt<'a>(format: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [["hunt", "calls.ndjson", "--only", "EC2 Admin", "-f", format].as_slice(), more].concat()
}

fn steers(text: &str) -> bool {
    text.contains(|it: char| it.is_control() && it != '\n' || "\u{202e}\u{200b}".contains(it))
}

#[test]
fn terminals() {
    let folder = folder(ESCAPE);
    for format in ["summary", "table", "timeline", "csv", "html"] {
        let ran = folder.run(&hunt(format, &[]));
        assert!(ran.printed(0).contains("red"), "{format}");
        assert!(!steers(&ran.out.replace('\r', "")) && !steers(&ran.err), "{format}: {:?}", ran.out);
    }
    let ran = folder.run(&["hunt", "calls.ndjson", "--explain", "e-1"]);
    assert!(!steers(ran.printed(0)), "{:?}", ran.out);
    for format in ["table", "csv"] {
        let ran =
            folder.run(&["query", "event.action: *", "calls.ndjson", "-f", format, "--columns", "user.name"]);
        assert!(ran.printed(0).contains("red") && !steers(&ran.out), "{format}: {:?}", ran.out);
    }
}

#[test]
fn names_of_files() {
    let folder = Folder::new();
    folder.write("input/a\u{1b}[2Jb.json", "{\"eventName\": nope}\n");
    for arguments in [["hunt", "input", "-f", "csv"].as_slice(), &["hunt", "input"], &["normalize", "input"]]
    {
        let ran = folder.run(arguments);
        assert!(ran.out.contains("[2Jb.json") || ran.err.contains("[2Jb.json"), "{ran:?}");
        assert!(!steers(&ran.out) && !steers(&ran.err), "{ran:?}");
    }
}

#[test]
fn spreadsheets() {
    for formula in ["=1+1", "+1", "-1", "@SUM(1)", "\t=1"] {
        let folder = Folder::new();
        let mut record = refused(formula, "2026-03-02T10:00:00Z", "ci");
        record["awsRegion"] = formula.into();
        record["sourceIPAddress"] = formula.into();
        folder.lines("calls.ndjson", &[record]);
        let ran = folder.run(&hunt("csv", &[]));
        let row = ran.printed(0).lines().nth(1).unwrap();
        assert!(row.contains(&format!(",'{formula}")), "{row}");
        assert!(!row.contains(&format!(",{formula},")), "{row}");
    }
}

#[test]
fn web_pages() {
    let attack = "\"><script>alert('x')</script><img src=x onerror=alert(1)>";
    let folder = folder(attack);
    let rule = format!(
        "[rule]\nrule_id = \"r-1\"\nname = '''{attack}'''\ndescription = '''{attack} [a](javascript:alert(1))'''\n\
         severity = \"low\"\nrisk_score = 21\ntype = \"query\"\nquery = \"event.action: GetPasswordData\"\n\
         note = '''{attack}'''\n"
    );
    folder.write("rules/r.toml", rule);
    let ran = folder.run(&["hunt", "calls.ndjson", "-r", "rules", "-f", "html"]);
    let page = ran.printed(0);
    assert!(page.contains("&lt;script&gt;alert"), "it is shown");
    assert_eq!(page.matches("<script>").count(), 1, "only our own");
    assert_eq!(
        page.matches("<script").count(),
        page.matches("<script type=\"application/json\" id=\"data-").count() + 1
    );
    assert_eq!(page.matches("<script").count(), page.matches("</script").count());
    assert!(!page.contains("<img") && !page.contains("\"javascript:"), "{page}");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn enormous_values() {
    let folder = Folder::new();
    let mut long = refused("e-1", "2026-03-02T10:00:00Z", "long");
    long["userIdentity"]["arn"] =
        format!("arn:aws:sts::111122223333:assumed-role/long/{}", "s".repeat(500_000)).into();
    folder.lines("calls.ndjson", &[long, refused("e-2", "2026-03-02T10:01:00Z", "short")]);
    for format in ["summary", "table", "timeline"] {
        let ran = folder.run(&hunt(format, &[]));
        let widest = ran.printed(0).lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest < 600, "{format}: {widest} columns");
        assert!(ran.out.contains("short") && ran.out.contains('…'), "{format}");
    }
    assert!(folder.run(&hunt("csv", &[])).printed(0).len() > 500_000, "nothing is cut for programs");
}

#[test]
fn wide_characters_stand_in_columns() {
    let folder = Folder::new();
    let names = ["管理者ロール", "admin", "관리자"];
    let records: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| refused(&format!("e-{at}"), &format!("2026-03-02T10:0{at}:00Z"), name))
        .collect();
    folder.lines("calls.ndjson", &records);
    insta::assert_snapshot!("wide_characters", folder.run(&hunt("table", &[])).printed(0));
}

#[test]
fn thousands_of_alerts() {
    let folder = Folder::new();
    let records: Vec<_> = (0..3_000)
        .map(|at| {
            let time = format!("2026-03-02T{:02}:{:02}:{:02}Z", at / 3_600, at / 60 % 60, at % 60);
            refused(&format!("e-{at}"), &time, &format!("role-{at}"))
        })
        .collect();
    folder.lines("calls.ndjson", &records);
    let more = ["--max-signals", "3000", "--now", "2026-04-01"];
    let summary = folder.run(&hunt("summary", &more));
    assert!(summary.printed(0).starts_with("3,000 alerts: 3,000 medium\n"), "{}", summary.out);
    assert!(summary.out.lines().count() < 120, "a summary stays one");
    assert_eq!(folder.run(&hunt("table", &more)).printed(0).lines().count(), 3_001);
    // What the rule's own limit leaves out is said.
    let limited = folder.run(&hunt("summary", &["--now", "2026-04-01"]));
    assert!(limited.printed(0).contains("reached its limit of 100 alerts in"), "{}", limited.out);
}
