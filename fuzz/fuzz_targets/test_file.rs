//! Test files: any text is read or refused with findings that print.
#![no_main]

use libfuzzer_sys::fuzz_target;
use span::Style;

fuzz_target!(|text: &str| {
    let (_, found) = rule::test_text("fuzz.test.yaml", text);
    for diagnostic in found {
        let _ = span::render(&diagnostic, "fuzz.test.yaml", text, Style::Plain);
    }
});
