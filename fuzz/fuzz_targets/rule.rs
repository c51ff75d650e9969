//! Rule files: any bytes load or are refused with findings that print; lint and the other language cannot fail.
#![no_main]

use libfuzzer_sys::fuzz_target;
use span::Style;

fuzz_target!(|bytes: &[u8]| {
    let set = rule::load_bytes("fuzz", bytes);
    for problem in set.problems.iter().chain(&rule::lint(&set, &ecs::Catalog::ecs(), cloudtrail::vocabulary(), 1_767_225_600_000)) {
        let _ = set.render(problem, Style::Plain);
    }
    let _ = set.localised(rule::GuideLanguage::SimplifiedChinese);
});
