//! No text makes date math panic; rounding up never lies before rounding down, and what is printed reads back.
#![no_main]

use ecs::date::{self, Format, Rounding};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, i64, i16)| {
    let (text, now, offset) = input;
    let _ = date::datemath(text, now);
    for format in [Format::default(), Format::nanos()] {
        let down = date::resolve(text, &format, now, Rounding::Down, offset.into());
        let up = date::resolve(text, &format, now, Rounding::Up, offset.into());
        if let (Ok(down), Ok(up)) = (down, up) {
            assert!(down <= up, "{text}");
        }
    }
    if let Ok(millis) = date::parse(text) {
        let printed = date::to_iso(millis);
        // Years of more than four digits are not read.
        if printed.len() == "2024-05-01T10:30:00.000Z".len() {
            assert_eq!(date::parse(&printed), Ok(millis));
        }
    }
    if let Ok(format) = Format::new(text) {
        let _ = format.read(text, Rounding::Up, 0);
        assert_eq!(Format::new(&format.name()), Ok(format));
    }
});
