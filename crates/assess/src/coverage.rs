//! Which techniques of ATT&CK the rules are about.

use std::collections::BTreeMap;

use rule::Rule;

/// The techniques that rules are mapped to, by tactic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The tactics, in the order that attacks take.
    pub tactics: Vec<Tactic>,
    /// The names of rules without any mapping.
    pub unmapped: Vec<String>,
}

/// A tactic, and what rules see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tactic {
    /// Such as `TA0003`.
    pub id: String,
    /// Such as `Persistence`.
    pub name: String,
    /// Its techniques that a rule is about, by id.
    pub techniques: Vec<Technique>,
    /// The names of rules that name the tactic and none of its techniques.
    pub general: Vec<String>,
}

/// A technique or sub-technique, and the rules about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// Such as `T1098.001`.
    pub id: String,
    /// Its name; of a sub-technique its own.
    pub name: String,
    /// The names of the rules.
    pub rules: Vec<String>,
}

/// The tactics in the order of an attack, as ATT&CK's matrix has them.
const ORDER: [&str; 15] = [
    "TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0112", "TA0006", "TA0007",
    "TA0008", "TA0009", "TA0011", "TA0010", "TA0040",
];

/// Collects what the rules are mapped to.
pub fn coverage<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> Coverage {
    type Techniques = BTreeMap<String, (String, Vec<String>)>;
    let mut tactics: BTreeMap<(usize, String), (String, Techniques, Vec<String>)> = BTreeMap::new();
    let mut unmapped = Vec::new();
    for rule in rules {
        if rule.threat.is_empty() {
            unmapped.push(rule.name.clone());
        }
        for threat in &rule.threat {
            let (id, name) = &threat.tactic;
            let place = ORDER.iter().position(|it| it == id).unwrap_or(ORDER.len());
            let (_, techniques, general) = tactics
                .entry((place, id.clone()))
                .or_insert_with(|| (name.clone(), BTreeMap::new(), Vec::new()));
            if threat.techniques.is_empty() {
                general.push(rule.name.clone());
            }
            for (id, name) in &threat.techniques {
                let (_, rules) = techniques.entry(id.clone()).or_insert_with(|| (name.clone(), Vec::new()));
                if !rules.contains(&rule.name) {
                    rules.push(rule.name.clone());
                }
            }
        }
    }
    let tactics = tactics
        .into_iter()
        .map(|((_, id), (name, techniques, general))| Tactic {
            id,
            name,
            techniques: techniques
                .into_iter()
                .map(|(id, (name, rules))| Technique { id, name, rules })
                .collect(),
            general,
        })
        .collect();
    unmapped.sort_unstable();
    Coverage { tactics, unmapped }
}
