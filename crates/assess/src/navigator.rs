//! A layer for the ATT&CK Navigator.

use serde_json::{Value, json};

use crate::Coverage;

/// The layer: a technique's score is how many rules are about it, its comment names them.
pub fn layer(coverage: &Coverage, name: &str, version: &str) -> Value {
    let mut highest = 1;
    let mut techniques = Vec::new();
    for tactic in &coverage.tactics {
        // The navigator knows a tactic by its name with hyphens.
        let short = tactic.name.to_lowercase().replace(' ', "-");
        for technique in &tactic.techniques {
            highest = highest.max(technique.rules.len());
            techniques.push(json!({
                "techniqueID": technique.id,
                "tactic": short,
                "score": technique.rules.len(),
                "comment": technique.rules.join("\n"),
                "enabled": true,
                "showSubtechniques": technique.id.contains('.'),
            }));
        }
    }
    json!({
        "name": name,
        "versions": {"layer": "4.5", "navigator": "5.1.0", "attack": version},
        "domain": "enterprise-attack",
        "description": "How many detection rules are about each technique.",
        "techniques": techniques,
        "gradient": {"colors": ["#cfe8ff", "#0b5cad"], "minValue": 1, "maxValue": highest},
        "hideDisabled": false,
    })
}
