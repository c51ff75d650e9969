//! Every file in `tests/cases` is loaded and linted; what is said about it stands in the `.snap` beside it.

use std::fs;
use std::path::Path;

use span::Style;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600_000;

#[test]
fn cases() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension != "snap" && extension != "new"))
        .collect();
    files.sort();
    assert!(files.len() > 10, "only {} cases", files.len());
    let catalog = ecs::Catalog::ecs();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let set = rule::load_bytes(name, &fs::read(&file).unwrap());
        let mut said = String::new();
        for problem in set.problems.iter().chain(&rule::lint(&set, &catalog, cloudtrail::vocabulary(), NOW)) {
            said += &set.render(problem, Style::Plain);
            said += "\n";
        }
        let names: Vec<_> = set.rules.iter().map(|rule| rule.name.as_str()).collect();
        said += "loaded: ";
        said += &if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        said += "\n";
        insta::with_settings!({ snapshot_path => "cases", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, said);
        });
    }
}
