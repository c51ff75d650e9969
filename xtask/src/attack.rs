//! `cargo xtask attack`: MITRE's ATT&CK as the table that the rules are checked against.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// Where the tables are, from the root of the repository.
const TABLES: &str = "crates/rule/src/attack";

/// Arguments of `cargo xtask attack`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The STIX bundle `enterprise-attack-VERSION.json`, as MITRE publishes it in `mitre-attack/attack-stix-data`.
    bundle: PathBuf,
    /// The version of ATT&CK, if the bundle does not say it.
    #[arg(long)]
    release: Option<String>,
    /// Where to write the table. Default: beside the others.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// Writes the table of the bundle's version and says what changed in it.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(&args.bundle).with_context(|| format!("cannot read {}", args.bundle.display()))?;
    let bundle: Value = serde_json::from_str(&text).context("this is no JSON")?;
    let release =
        args.release.clone().or_else(|| release(&bundle)).context("say the version: --release 19.1")?;
    let major = release.split('.').next().unwrap_or_default();
    ensure!(!major.is_empty() && major.bytes().all(|it| it.is_ascii_digit()), "`{release}` is no version");
    let rows = rows(&bundle)?;
    let name = format!("v{major}.tsv");
    let path = args.out.clone().unwrap_or_else(|| Path::new(TABLES).join(&name));
    let before = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, table(&release, &rows)).with_context(|| format!("cannot write {}", path.display()))?;
    print!("{}", changes(&before, &rows));
    println!("{}: ATT&CK {release}, {} ids", path.display(), rows.len());
    println!("a new version has to be named in crates/rule/src/attack.rs and NOTICE");
    Ok(())
}

/// What is known of one id: its name, its tactics and its status, as they stand in the table.
type Row = [String; 3];

/// The version that the collection of the bundle has.
fn release(bundle: &Value) -> Option<String> {
    let collection = objects(bundle).find(|it| it["type"] == "x-mitre-collection")?;
    collection["x_mitre_version"].as_str().map(str::to_owned)
}

fn objects(bundle: &Value) -> impl Iterator<Item = &Value> {
    bundle["objects"].as_array().into_iter().flatten()
}

/// The rows of the tactics and techniques by their ids.
fn rows(bundle: &Value) -> anyhow::Result<BTreeMap<String, Row>> {
    let of_type = |name: &'static str| objects(bundle).filter(move |it| it["type"] == name);
    let text = |object: &Value, key: &str| object[key].as_str().unwrap_or_default().to_owned();
    let external = |object: &Value| {
        let references = object["external_references"].as_array().into_iter().flatten();
        let mut own = references.filter(|it| it["source_name"] == "mitre-attack");
        own.find_map(|it| it["external_id"].as_str()).map(str::to_owned)
    };
    let mut tactics = BTreeMap::new();
    for tactic in of_type("x-mitre-tactic") {
        let id = external(tactic).context("a tactic has no id")?;
        tactics.insert(text(tactic, "x_mitre_shortname"), id);
    }
    let ids: BTreeMap<String, String> = objects(bundle)
        .filter(|it| it["type"] == "attack-pattern" || it["type"] == "x-mitre-tactic")
        .filter_map(|it| Some((text(it, "id"), external(it)?)))
        .collect();
    let replaced: BTreeMap<String, String> = of_type("relationship")
        .filter(|it| it["relationship_type"] == "revoked-by")
        .map(|it| (text(it, "source_ref"), text(it, "target_ref")))
        .collect();
    let mut rows = BTreeMap::new();
    for object in of_type("x-mitre-tactic").chain(of_type("attack-pattern")) {
        let Some(id) = external(object) else { continue };
        let phases = object["kill_chain_phases"].as_array().into_iter().flatten();
        let mut of = phases
            .filter(|it| it["kill_chain_name"] == "mitre-attack")
            .map(|it| {
                let phase = text(it, "phase_name");
                tactics.get(&phase).cloned().with_context(|| format!("{id}: there is no tactic `{phase}`"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        of.sort();
        of.dedup();
        let status = if object["revoked"] == true {
            format!("revoked:{}", last(&text(object, "id"), &replaced, &ids).with_context(|| id.clone())?)
        } else if object["x_mitre_deprecated"] == true {
            "deprecated".to_owned()
        } else {
            String::new()
        };
        rows.insert(id, [text(object, "name"), of.join(","), status]);
    }
    ensure!(rows.len() > tactics.len() && !tactics.is_empty(), "the bundle holds no tactics and techniques");
    Ok(rows)
}

/// What is in use in place of a revoked object: what took its place may have been revoked in turn.
fn last(
    id: &str,
    replaced: &BTreeMap<String, String>,
    ids: &BTreeMap<String, String>,
) -> anyhow::Result<String> {
    let mut at = id;
    for _ in 0..=replaced.len() {
        match replaced.get(at) {
            Some(next) => at = next,
            None if at == id => bail!("revoked, and nothing took its place"),
            None => return ids.get(at).cloned().context("what took its place is not in the bundle"),
        }
    }
    bail!("what took its place leads back to it")
}

/// The rows as they are embedded.
fn table(release: &str, rows: &BTreeMap<String, Row>) -> String {
    let mut out = format!(
        "# MITRE ATT&CK(R) Enterprise {release}: ids, names, tactics and what became of revoked ids. Nothing else of ATT&CK is here.\n\
         # (c) The MITRE Corporation. This work is reproduced and distributed with the permission of The MITRE Corporation,\n\
         # under the terms of use of ATT&CK (https://attack.mitre.org/resources/legal-and-branding/terms-of-use/).\n\
         # ATT&CK is a registered trademark of The MITRE Corporation.\n\
         # id, name, tactics of a technique, status (`revoked:<replacement>`, `deprecated`, or empty)\n"
    );
    // Tactics first, as in the order of the ids.
    let is_tactic = |id: &str| id.starts_with("TA");
    for wanted in [true, false] {
        for (id, row) in rows.iter().filter(|(id, _)| is_tactic(id) == wanted) {
            writeln!(out, "{id}\t{}", row.join("\t")).expect("a text takes everything");
        }
    }
    out
}

/// What differs from the table that was there, a line each.
fn changes(before: &str, rows: &BTreeMap<String, Row>) -> String {
    let known: BTreeMap<&str, &str> = before
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('\t'))
        .collect();
    let mut out = String::new();
    let mut say = |sign: char, id: &str, row: &str| {
        writeln!(out, "{sign} {id}\t{row}").expect("a text takes everything");
    };
    for (id, row) in rows {
        let row = row.join("\t");
        match known.get(id.as_str()) {
            Some(old) if **old == row => {}
            Some(old) => {
                say('-', id, old);
                say('+', id, &row);
            }
            None => say('+', id, &row),
        }
    }
    for (id, row) in known.iter().filter(|(id, _)| !rows.contains_key(**id)) {
        say('-', id, row);
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tactic(id: &str, short: &str, name: &str) -> Value {
        json!({
            "type": "x-mitre-tactic", "id": format!("x-mitre-tactic--{id}"), "name": name, "x_mitre_shortname": short,
            "external_references": [{"source_name": "mitre-attack", "external_id": id}],
        })
    }

    fn technique(id: &str, name: &str, phases: &[&str]) -> Value {
        let phases: Vec<Value> =
            phases.iter().map(|it| json!({"kill_chain_name": "mitre-attack", "phase_name": it})).collect();
        json!({
            "type": "attack-pattern", "id": format!("attack-pattern--{id}"), "name": name, "kill_chain_phases": phases,
            "external_references": [
                {"source_name": "somebody", "external_id": "CVE-1"},
                {"source_name": "mitre-attack", "external_id": id},
            ],
        })
    }

    fn revoked(id: &str, by: &str) -> [Value; 2] {
        let mut object = technique(id, "Old", &["hiding"]);
        object["revoked"] = true.into();
        let relationship = json!({
            "type": "relationship", "relationship_type": "revoked-by",
            "source_ref": format!("attack-pattern--{id}"), "target_ref": format!("attack-pattern--{by}"),
        });
        [object, relationship]
    }

    fn bundle() -> Value {
        let mut objects = vec![
            json!({"type": "x-mitre-collection", "x_mitre_version": "77.1"}),
            json!({"type": "malware", "name": "Not this", "external_references": [{"source_name": "mitre-attack", "external_id": "S0001"}]}),
            tactic("TA0902", "hiding", "Hiding"),
            tactic("TA0901", "taking", "Taking"),
            technique("T9001", "Take All", &["taking", "hiding", "taking"]),
            technique("T9001.001", "Take Some", &["taking"]),
        ];
        let mut old = technique("T9000", "Long Gone", &["taking"]);
        old["x_mitre_deprecated"] = true.into();
        objects.push(old);
        objects.extend(revoked("T9003", "T9004"));
        objects.extend(revoked("T9004", "T9001.001"));
        json!({ "type": "bundle", "objects": objects })
    }

    #[test]
    fn a_bundle_becomes_a_table() {
        assert_eq!(release(&bundle()).as_deref(), Some("77.1"));
        let table = table("77.1", &rows(&bundle()).unwrap());
        let (head, body) = table.split_at(table.find("TA09").unwrap());
        assert!(head.starts_with("# MITRE ATT&CK(R) Enterprise 77.1: "));
        assert_eq!(
            body,
            "TA0901\tTaking\t\t\nTA0902\tHiding\t\t\nT9000\tLong Gone\tTA0901\tdeprecated\n\
             T9001\tTake All\tTA0901,TA0902\t\nT9001.001\tTake Some\tTA0901\t\n\
             T9003\tOld\tTA0902\trevoked:T9001.001\nT9004\tOld\tTA0902\trevoked:T9001.001\n"
        );
    }

    #[test]
    fn what_changed_is_said() {
        let before = table("77.0", &rows(&bundle()).unwrap());
        assert_eq!(changes(&before, &rows(&bundle()).unwrap()), "");
        let mut after = rows(&bundle()).unwrap();
        after.remove("T9000");
        after.get_mut("T9001").unwrap()[0] = "Take Everything".to_owned();
        assert_eq!(
            changes(&before, &after),
            "- T9001\tTake All\tTA0901,TA0902\t\n+ T9001\tTake Everything\tTA0901,TA0902\t\n- T9000\tLong Gone\tTA0901\tdeprecated\n"
        );
    }

    #[test]
    fn a_bundle_that_is_not_whole_is_refused() {
        let without = |what: &str| {
            let mut bundle = bundle();
            let objects = bundle["objects"].as_array_mut().unwrap();
            objects.retain(|it| it["id"] != what && it["source_ref"] != what);
            rows(&bundle).map_err(|error| format!("{error:#}"))
        };
        assert!(without("nothing").is_ok());
        assert_eq!(without("x-mitre-tactic--TA0902").unwrap_err(), "T9001: there is no tactic `hiding`");
        assert_eq!(
            without("attack-pattern--T9004").unwrap_err(),
            "T9003: what took its place is not in the bundle"
        );
        assert!(rows(&json!({"objects": []})).is_err());
        let mut circle = bundle();
        circle["objects"].as_array_mut().unwrap().extend(revoked("T9001.001", "T9003"));
        assert!(format!("{:#}", rows(&circle).unwrap_err()).ends_with("leads back to it"));
    }
}
