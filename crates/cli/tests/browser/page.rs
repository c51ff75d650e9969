//! What the page does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};

use crate::driver::Browser;

/// A folder with records, and the page of a hunt in them.
struct Hunted {
    folder: tempfile::TempDir,
}

impl Hunted {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn page(&self, arguments: &[&str]) -> PathBuf {
        let page = self.folder.path().join("page.html");
        let mut command = Command::new(env!("CARGO_BIN_EXE_trailwarden"));
        command.args(["hunt", "-q", "-f", "html", "--now", "2026-04-01", "-o"]).arg(&page).args(arguments);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        page
    }
}

/// A call of a role.
fn call(at: usize, role: &str, action: &str) -> Value {
    let time = format!("2026-03-02T{:02}:{:02}:{:02}Z", at / 3600 % 24, at / 60 % 60, at % 60);
    json!({
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": format!("AROAEXAMPLEROLE:{role}"),
            "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/session-1"),
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "principalId": "AROAEXAMPLEROLE",
                "arn": format!("arn:aws:iam::111122223333:role/{role}"),
                "accountId": "111122223333",
                "userName": role,
            }},
        },
        "eventTime": time,
        "eventSource": "ec2.amazonaws.com",
        "eventName": action,
        "awsRegion": "eu-west-1",
        "sourceIPAddress": if at.is_multiple_of(2) { "203.0.113.20" } else { "203.0.113.21" },
        "userAgent": "aws-cli/2.15.30",
        "readOnly": true,
        "requestParameters": {"instanceId": format!("i-0example{at:09}")},
        "responseElements": null,
        "eventID": format!("e-{at}"),
        "eventType": "AwsApiCall",
        "eventCategory": "Management",
        "managementEvent": true,
        "recipientAccountId": "111122223333",
    })
}

fn rule(name: &str, severity: &str, query: &str) -> String {
    format!(
        "[rule]\nrule_id = \"{name}\"\nname = \"{name}\"\ndescription = \"d\"\nseverity = \"{severity}\"\n\
         risk_score = 1\ntype = \"query\"\nmax_signals = 10000\nquery = '{query}'\n"
    )
}

/// The bundled example, with the built-in rules.
fn example() -> (Hunted, PathBuf) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/cloudtrail");
    let hunted = Hunted::new();
    let page = hunted.page(&[data.to_str().unwrap()]);
    (hunted, page)
}

const COUNT: &str = "return document.getElementById('count').textContent";
const GROUPS: &str = "return document.querySelectorAll('#alert-list .group').length";
const CLEAR: char = '\u{e00c}';
const ENTER: char = '\u{e007}';

#[test]
fn it_opens_filters_searches_and_is_worked_by_keys() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let (_hunted, page) = example();
    browser.open(&page);
    assert_eq!(browser.complaints(), Vec::<String>::new(), "the console is silent");
    let all = browser.text(COUNT);
    let number = |text: &str| text.split(' ').next().unwrap().replace(',', "").parse::<u64>().unwrap();
    assert!(number(&all) > 20, "{all}");

    // A facet filters the alerts, and the others count what is left.
    let high = "document.querySelector('[data-facet=\"severity\"][data-value=\"2\"]')";
    let expected = browser.text(&format!("return {high}.querySelector('.number').textContent"));
    browser.run(&format!("{high}.click()"));
    assert_eq!(number(&browser.text(COUNT)), number(&expected));
    browser.run("document.getElementById('alerts').scrollIntoView()");
    browser.wait("return document.querySelectorAll('#alert-list .group').length > 0");
    let others = browser.number("return document.querySelectorAll('#alert-list .group:not(.s2)').length");
    assert_eq!(others, 0, "only groups of high severity");
    assert_eq!(browser.text("return document.querySelector('#bar .chosen').textContent"), "high ×");
    browser.run("document.querySelector('#bar .chosen').click()");
    assert_eq!(browser.text(COUNT), all);
    // So do an actor in the sentences, and a bar of the time line.
    browser.run("document.querySelector('.actor .name').click()");
    let of_actor = browser.text("return document.querySelector('.actor .pill').textContent");
    assert_eq!(number(&browser.text(COUNT)), number(&of_actor));
    assert_eq!(
        browser.number("return [...document.querySelectorAll('.story')].filter((it) => !it.hidden).length"),
        1
    );
    browser.press(&CLEAR.to_string());
    assert_eq!(browser.text(COUNT), all);
    browser.run("document.querySelector('.bar:not(.empty)').dispatchEvent(new MouseEvent('click'))");
    assert!(number(&browser.text(COUNT)) < number(&all));
    browser.press(&CLEAR.to_string());

    // A word is searched for in alerts and stories; what fits nothing is said.
    browser.press("/");
    browser.press("createaccesskey");
    browser.wait(&format!("return document.getElementById('count').textContent !== {all:?}"));
    let found = number(&browser.text(COUNT));
    assert!(found > 0 && found < number(&all), "{found} of {all}");
    browser.press("nothing");
    browser.wait("return document.getElementById('count').textContent.startsWith('0 of ')");
    assert_eq!(browser.number("return document.querySelectorAll('#alert-list .none-fits').length"), 1);
    browser.press(&CLEAR.to_string());
    assert_eq!(browser.text(COUNT), all);

    // Keys go from row to row, and open: also to rows that nobody has seen yet.
    browser
        .run("document.getElementById('search').blur(); document.getElementById('alerts').scrollIntoView()");
    browser.wait("return document.querySelectorAll('#alert-list .group').length > 3");
    // The alerts of the first group count other alerts, and stand in no story.
    browser.press("jj");
    browser.press(&ENTER.to_string());
    browser.press("jj");
    browser.press("k");
    assert_eq!(
        browser.text("return document.activeElement.className"),
        "row",
        "the first alert of the second group"
    );
    browser.press(&ENTER.to_string());
    browser.wait("return document.querySelectorAll('.detail .facts').length === 1");
    assert!(browser.text("return document.querySelector('.detail').textContent").contains("UTC"));
    // Its guide is done, its fields are folded.
    assert_eq!(
        browser.number("return document.querySelectorAll('.detail .guide[open] .step').length > 5 ? 1 : 0"),
        1
    );
    assert_eq!(browser.number("return document.querySelectorAll('.detail .raw[open]').length"), 0);
    browser.run("document.querySelector('.detail .raw').open = true");
    browser.wait("return document.querySelectorAll('.fields tr').length > 20");
    // In the story it is marked.
    browser.press("s");
    browser.wait("return document.activeElement.classList.contains('act') && document.activeElement.classList.contains('marked')");
    // By time, the first is first.
    browser.run("const it = document.getElementById('sort'); it.value = 'time'; it.dispatchEvent(new Event('change'))");
    browser.run("document.getElementById('alerts').scrollIntoView()");
    browser.wait("return document.querySelectorAll('#alert-list .group').length > 3");
    let ordered = "const all = [...document.querySelectorAll('#alert-list .head .of:last-child')].map((it) => it.textContent.slice(0, 19)); return all.every((it, at) => at === 0 || all[at - 1] <= it)";
    assert_eq!(browser.run(ordered), json!(true));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// It fits small windows, and its colours follow the system.
#[test]
fn it_fits() {
    let (_hunted, page) = example();
    for (width, height) in [(768, 1024), (1440, 900)] {
        let Some(browser) = Browser::start(width, height) else { return };
        for scheme in ["light", "dark"] {
            let feature = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
            browser.command("Emulation.setEmulatedMedia", &feature);
            browser.open(&page);
            let wide = browser.number("return document.documentElement.scrollWidth");
            assert!(wide <= u64::from(width), "{wide} of {width}");
            let paper = browser.text("return getComputedStyle(document.body).backgroundColor");
            let first: u32 = paper
                .split(|it: char| !it.is_ascii_digit())
                .find(|it| !it.is_empty())
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(first > 128, scheme == "light", "{paper}");
        }
        assert_eq!(browser.complaints(), Vec::<String>::new());
    }
}

/// On paper stands what somebody reads there, it says what it leaves out, and after it the page is as it was.
#[test]
fn printing_is_a_document() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let (_hunted, page) = example();
    browser.open(&page);
    let before = browser.number("return document.querySelectorAll('*').length");
    let start = Instant::now();
    let printed = browser.print();
    let took = start.elapsed();
    eprintln!("MEASURED: the example was printed in {} ms", took.as_millis());
    assert!(printed.len() > 10_000 && printed.starts_with("JVBERi"), "a PDF");
    assert_eq!(browser.number("return document.querySelectorAll('*').length"), before);
    // The events around printing are the page's own business: what it makes for paper can be looked at.
    browser.run("dispatchEvent(new Event('beforeprint'))");
    let on_paper =
        |what: &str| browser.number(&format!("return document.querySelectorAll('.paper {what}').length"));
    assert_eq!(on_paper(".detail"), 6, "so many alerts are opened");
    assert!(on_paper(".guide > .step[open]") > 6, "with what was found");
    let bare = "details:not([open]):not(.plan .step), .bare, .raw, .about, .jump";
    assert_eq!(on_paper(&format!(":is({bare})")), 0, "and without what would be pressed");
    assert!(on_paper(".row:not(:has(+ .detail))") > 3, "others are rows");
    let all = browser.text(COUNT);
    let all = all.split(' ').next().unwrap();
    let limits = browser
        .text("return [...document.querySelectorAll('.paper .limit')].map((it) => it.textContent).join('|')");
    assert!(limits.contains(&format!("6 of {all} alerts are opened")), "{limits}");
    assert!(on_paper(".act") > 10, "stories are there, folded");
    browser.run("dispatchEvent(new Event('afterprint'))");
    assert_eq!(on_paper("*"), 0);
    // What the filters leave is printed.
    browser.run("document.querySelector('[data-facet=\"severity\"][data-value=\"2\"]').click(); dispatchEvent(new Event('beforeprint'))");
    assert_eq!(on_paper(".group:not(.s2)"), 0);
    browser.run("dispatchEvent(new Event('afterprint'))");
    // Dots are coloured on paper, too.
    browser.command("Emulation.setEmulatedMedia", &json!({"media": "print"}));
    let dot = "const dot = document.createElement('span'); dot.className = 'dot s3'; document.body.append(dot); return getComputedStyle(dot).printColorAdjust";
    assert_eq!(browser.text(dot), "exact");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// What an attacker wrote does nothing, wherever it is shown.
#[test]
fn hostile_values_do_nothing() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let hunted = Hunted::new();
    let attack = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 1'><svg onload=window.hit=1>`\u{202e}\u{2028}${window.hit = 1}";
    let mut hostile = call(1, "ci", "GetPasswordData");
    for path in
        ["eventName", "sourceIPAddress", "userAgent", "errorCode", "errorMessage", "awsRegion", "eventID"]
    {
        hostile[path] = attack.into();
    }
    hostile["userIdentity"]["arn"] =
        format!("arn:aws:sts::111122223333:assumed-role/{attack}/{attack}").into();
    hostile["requestParameters"] = json!({"instanceId": attack, "userName": attack, attack: attack});
    let mut long = call(2, "ci", "GetPasswordData");
    long["userAgent"] = "x".repeat(1 << 20).into();
    long["requestParameters"] = json!({"instanceId": "y".repeat(1 << 20)});
    hunted.write("calls.ndjson", &format!("{hostile}\n{long}\n"));
    hunted.write("rule.toml", &rule("All of `it*`", "high", "event.id: *"));
    browser.open(&hunted.page(&["calls.ndjson", "-r", "rule.toml"]));
    browser.run("document.getElementById('alerts').scrollIntoView()");
    browser.wait("return document.querySelectorAll('#alert-list .group').length > 0");
    browser.run("for (const it of document.querySelectorAll('.head')) if (it.getAttribute('aria-expanded') === 'false') it.click()");
    browser.wait("return document.querySelectorAll('#alert-list .row').length > 0");
    browser.run("for (const it of document.querySelectorAll('#alert-list .row')) it.click(); dispatchEvent(new Event('beforeprint'))");
    browser.run("for (const it of document.querySelectorAll('details')) it.open = true; for (const it of document.querySelectorAll('.act')) it.click()");
    browser.wait("return document.querySelectorAll('.fields tr').length > 20");
    assert_eq!(browser.run("return window.hit === undefined"), json!(true));
    assert_eq!(
        browser.number("return document.querySelectorAll('img, svg[onload], iframe, object').length"),
        0
    );
    assert_eq!(browser.number("return document.querySelectorAll('script:not([type])').length"), 1);
    let text = browser.text("return document.body.textContent");
    assert!(text.contains("<img src=x") && !text.contains('\u{202e}'), "it is shown as text");
    let wide = browser.number("return document.documentElement.scrollWidth");
    assert!(wide <= 1280, "{wide}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// Thousands of alerts: rows are made when they are seen. How long it takes to open is measured and said, not asserted:
/// it depends on the machine. That most rows are not there is.
#[test]
fn thousands_of_alerts_open_at_once() {
    let Some(browser) = Browser::start(1280, 900) else { return };
    let hunted = Hunted::new();
    let calls: String = (0..4_000)
        .map(|at| call(at, &format!("role-{}", at % 700), "GetPasswordData").to_string() + "\n")
        .collect();
    hunted.write("calls.ndjson", &calls);
    hunted.write("rule.toml", &rule("Asked", "low", "event.action: GetPasswordData"));
    let page = hunted.page(&["calls.ndjson", "-r", "rule.toml", "--max-signals", "10000"]);
    let start = Instant::now();
    browser.open(&page);
    browser.wait("return document.getElementById('count')?.textContent.startsWith('4,000 of 4,000')");
    let opened = start.elapsed();
    let bytes = std::fs::metadata(&page).unwrap().len();
    eprintln!("MEASURED: 4,000 alerts ({} KiB) opened in {} ms", bytes >> 10, opened.as_millis());
    let made = browser.number("return document.querySelectorAll('.row, .group, .act').length");
    assert!(made < 400, "{made} rows");
    // The list has its height, and its end is made when somebody goes there.
    let groups = browser.number(GROUPS);
    browser.run("document.getElementById('completeness').scrollIntoView()");
    browser.wait(&format!("return document.querySelectorAll('#alert-list .group').length > {groups}"));
    let start = Instant::now();
    browser.run("const it = document.getElementById('search'); it.value = 'role-699'; it.dispatchEvent(new Event('input'))");
    browser.wait("return document.getElementById('count').textContent === '5 of 4,000 alerts'");
    eprintln!("MEASURED: a search of them took {} ms", start.elapsed().as_millis());
    // All of them on paper are a few pages, and do not take a browser's patience.
    browser.press(&CLEAR.to_string());
    let start = Instant::now();
    let printed = browser.print();
    eprintln!("MEASURED: {} KiB of paper in {} ms", printed.len() >> 10, start.elapsed().as_millis());
    assert!(printed.len() < 8 << 20, "{} bytes", printed.len());
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
