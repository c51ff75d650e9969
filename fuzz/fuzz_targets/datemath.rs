//! No text makes date math panic; rounding up never lies before rounding down, and what is printed reads back.
#![no_main]

use ecs::date::{self, DateMath, Format, Rounding};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, i64, i16)| {
    let (text, now, offset) = input;
    let offset = offset.into();
    let queries = [Format::default(), Format::nanos()].map(|it| DateMath::of_query(text, &it, offset));
    for math in queries.into_iter().chain([DateMath::of_rule(text)]).flatten() {
        assert!(math.at(now, Rounding::Down) <= math.at(now, Rounding::Up), "{text}");
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
