//! No text makes the ES|QL parser or its checker panic; what parses prints back to the same tree.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let show = |diagnostics: Vec<span::Diagnostic>| {
        for found in diagnostics {
            span::render(&found, "query", text, span::Style::Plain);
        }
    };
    match esql::parse(text) {
        Ok(ast) => {
            let printed = ast.to_string();
            assert_eq!(esql::parse(&printed).as_ref(), Ok(&ast), "printed as {printed:?}");
            for catalog in [ecs::Catalog::ecs(), std::sync::Arc::new(ecs::Catalog::default())] {
                show(esql::pipeline(text, &esql::Sources::of(&catalog)).err().unwrap_or_default());
            }
        }
        Err(errors) => show(errors.to_diagnostics(text)),
    }
});
