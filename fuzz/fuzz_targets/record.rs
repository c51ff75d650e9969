//! What the fast parser is sure of is what the other one says, once half a surrogate pair is mended for it.
#![no_main]

use json::Tokens;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (mut spare, mut tape) = (Vec::new(), Vec::new());
    if json::tape::fill(text, &Tokens::of(text), &mut spare, &mut tape).is_ok() {
        let mut bytes = text.as_bytes().to_vec();
        json::mend_halves(&mut bytes);
        let other = simd_json::to_tape(&mut bytes).expect("what one parser is sure of the other one reads");
        assert_eq!(format!("{tape:?}"), format!("{:?}", other.0));
    }
});
