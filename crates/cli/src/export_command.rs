//! `trailwarden rules export`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use anyhow::{Context as _, bail};
use rule::{RuleSet, Selection};

use crate::args::ExportFormat;
use crate::terminal;

/// Writes the rules of the set; of those with one id the one that would run, whatever keeps it from running.
pub(crate) fn export(
    mut set: RuleSet,
    format: ExportFormat,
    output: Option<&Path>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let selection = Selection::all(std::mem::take(&mut set.rules));
    let rules = selection.rules();
    match (format, output) {
        (ExportFormat::Ndjson, path) => {
            let text = rule::to_ndjson(rules.iter().map(|it| &**it), &set.exceptions);
            match path {
                None => out.write_all(text.as_bytes())?,
                Some(path) => create(path, &text)?,
            }
        }
        (ExportFormat::Toml, None) => match rules {
            [rule] => out.write_all(rule::rule_to_toml(rule).as_bytes())?,
            _ => bail!(
                "{} rules are {} files in TOML: say where with --output DIR, or pick a rule with --only",
                rules.len(),
                rules.len()
            ),
        },
        (ExportFormat::Toml, Some(folder)) => {
            let mut files: BTreeMap<String, String> = BTreeMap::new();
            for rule in rules {
                let mut name = rule::file_name(rule);
                if files.contains_key(&name) {
                    name = format!("{}_{}.toml", name.trim_end_matches(".toml"), rule.rule_id);
                }
                files.insert(name, rule::rule_to_toml(rule));
            }
            let exceptions = rule::exceptions_to_toml(rules.iter().map(|it| &**it), &set.exceptions);
            files.extend(exceptions.map(|text| ("exceptions.toml".to_owned(), text)));
            let there: Vec<&str> =
                files.keys().map(String::as_str).filter(|it| folder.join(it).exists()).collect();
            if let Some(first) = there.first() {
                bail!(
                    "`{}` is there already, and no file is written over: name an empty folder",
                    folder.join(first).display()
                );
            }
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
            for (name, text) in &files {
                create(&folder.join(name), text)?;
            }
            let written = report::plural(files.len() as u64, "file", "files");
            terminal::say(&format!("{written} in {}\n", folder.display()));
        }
    }
    Ok(())
}

/// Writes a file that is not there yet.
fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let place = || format!("cannot write `{}`", path.display());
    File::create_new(path).with_context(place)?.write_all(text.as_bytes()).with_context(place)
}
