//! No text makes the Lucene parser panic; what parses prints back to the same tree, translates and is linted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match lucene::parse(text) {
        Ok(ast) => {
            let printed = ast.to_string();
            assert_eq!(lucene::parse(&printed).as_ref(), Ok(&ast), "printed as {printed:?}");
            let _ = lucene::check(text, &ecs::Catalog::default());
            for found in lucene::lint(&ast) {
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
