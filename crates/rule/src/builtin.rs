//! The rules that come with the engine.

use std::sync::Arc;

use crate::load::{TranslationFile, attach};
use crate::parse::{Input, parse};
use crate::text::Syntax;
use crate::{GuideLanguage, RuleSet};

include!(concat!(env!("OUT_DIR"), "/builtin_rules.rs"));

/// The built-in rules, with their prose in that language as far as it is translated.
pub fn builtin(language: GuideLanguage) -> RuleSet {
    let mut set = RuleSet::default();
    let translated = |name: &str| {
        let stem = name.strip_suffix(".toml")?;
        GuideLanguage::from_tag(stem.rsplit_once('.')?.1)
    };
    for &(name, text) in BUILTIN_RULES {
        if translated(name).is_none() {
            let text = Arc::from(text);
            let input = Input { name, text, syntax: Syntax::Toml, expected: true, built_in: true };
            parse(&input, &mut set);
        }
    }
    let translations = BUILTIN_RULES.iter().filter_map(|&(name, text)| {
        Some(TranslationFile { language: translated(name)?, name: name.to_owned(), text: text.to_owned() })
    });
    attach(translations.collect(), &mut set);
    set.localised(language)
}
