//! No text makes the KQL parser panic; what parses prints back to the same tree, translates and is linted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match kql::parse(text) {
        Ok(ast) => {
            let printed = ast.to_string();
            assert_eq!(kql::parse(&printed).as_ref(), Ok(&ast), "printed as {printed:?}");
            let _ = kql::to_query(&ast, &ecs::Catalog::ecs());
            for found in kql::lint(&ast) {
                span::render(&found, "query", text, span::Style::Plain);
            }
        }
        Err(errors) => {
            for found in errors.to_diagnostics() {
                span::render(&found, "query", text, span::Style::Plain);
            }
        }
    }
});
