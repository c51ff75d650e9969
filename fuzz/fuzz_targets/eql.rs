//! No text makes the EQL parser panic; what parses prints back to the same tree, is checked against the fields and linted.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let show = |diagnostics: Vec<span::Diagnostic>| {
        for found in diagnostics {
            span::render(&found, "query", text, span::Style::Plain);
        }
    };
    match eql::parse(text) {
        Ok(ast) => {
            let printed = ast.to_string();
            assert_eq!(eql::parse(&printed).as_ref(), Ok(&ast), "printed as {printed:?}");
            for catalog in [&*ecs::Catalog::ecs(), &ecs::Catalog::default()] {
                show(eql::check(text, catalog).err().unwrap_or_default());
            }
            show(eql::findings(text));
            for used in eql::fields(text) {
                assert!(text.get(used.span.range()).is_some(), "{:?}", used.span);
            }
            eql::values(text);
        }
        Err(errors) => show(errors.to_diagnostics(text)),
    }
});
