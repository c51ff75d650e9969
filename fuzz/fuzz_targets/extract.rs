//! No grok or dissect pattern panics, whatever the text; what is found lies in the text. The first line is the pattern.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (pattern, text) = input.split_once('\n').unwrap_or((input, ""));
    if let Ok(grok) = extract::Grok::new(&[pattern]) {
        grok.find(text, |output, value| {
            assert!(output < grok.outputs().len());
            assert!(text.contains(value));
        });
    }
    if let Ok(dissect) = extract::Dissect::new(pattern, ",")
        && let Some(values) = dissect.find(text)
    {
        assert_eq!(values.len(), dissect.outputs().len());
    }
});
