//! A rule with some of its fields changed by whoever runs it.

use serde_json::{Map, Value};
use span::{Diagnostic, Span};

use crate::Rule;
use crate::check::{Text, check_rule};
use crate::error::Findings;
use crate::source::Source;
use crate::text::{Data, Member, Node, parse_json};

impl Rule {
    /// The rule with these fields in place of its own, guide and translations kept. `null` takes a field away. Fails with what
    /// is wrong with the new values.
    pub fn changed(&self, fields: &Map<String, Value>) -> Result<Self, Vec<Diagnostic>> {
        let mut source = Source::clone(&self.source);
        for (key, value) in fields {
            while source.rule.take(key).is_some() {}
            let (nodes, _) = parse_json(&value.to_string());
            if let Some(mut value) = nodes.into_iter().next().filter(|it| it.data != Data::Null) {
                // They stand nowhere in the file.
                nowhere(&mut value);
                source.rule.push(Member { key: key.clone(), key_span: Span::at(0), value });
            }
        }
        let mut findings = Findings::default();
        check_rule(&source.rule, Text { text: &source.text, syntax: source.syntax }, &mut findings);
        if findings.refuse() {
            return Err(findings.into_diagnostics());
        }
        let rule = crate::read::rule(self.file.clone(), None, source);
        Ok(Self { maturity: self.maturity.clone(), translations: self.translations.clone(), ..rule })
    }
}

fn nowhere(node: &mut Node) {
    node.span = Span::at(0);
    match &mut node.data {
        Data::List(items) => items.iter_mut().for_each(nowhere),
        Data::Table(members) => {
            for member in members {
                member.key_span = Span::at(0);
                nowhere(&mut member.value);
            }
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::Text(_) | Data::Date(_) => {}
    }
}
