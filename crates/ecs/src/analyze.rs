//! Text to tokens, as Lucene's standard analyzer does it.

use unicode_segmentation::UnicodeSegmentation as _;

/// Longer tokens are cut into pieces of this length (in UTF-16 units, as Java counts).
const MAX_TOKEN_UNITS: usize = 255;

/// The tokens of a text, lower-cased, in order: Unicode's word boundaries (UAX #29), without what has neither
/// letter nor digit. Scripts without spaces (Thai, Lao, Khmer, Myanmar) give one token a run.
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    'text: loop {
        let mut run: Option<std::ops::Range<usize>> = None;
        for (at, word) in rest.split_word_bound_indices() {
            let end = at + word.len();
            if word.starts_with(is_complex) {
                run = Some(run.map_or(at, |run| run.start)..end);
                continue;
            }
            if let Some(run) = run.take() {
                tokens.push(lower(&rest[run]));
            }
            if !is_token(word) {
                continue;
            }
            // A skin tone joins what stands before it, also a sign that is no token.
            let word = if word.contains(is_emoji) && !word.contains(is_word) {
                word.trim_start_matches(|it: char| !is_emoji(it))
            } else {
                word
            };
            let at = end - word.len();
            if let Some(cut) = cut(word) {
                // What is left is read anew, as Lucene does.
                tokens.push(lower(&word[..cut]));
                rest = &rest[at + cut..];
                continue 'text;
            }
            tokens.push(lower(word));
        }
        if let Some(run) = run {
            tokens.push(lower(&rest[run]));
        }
        return tokens;
    }
}

fn is_token(word: &str) -> bool {
    word.chars().any(|it| is_word(it) || is_emoji(it))
        // Two regional indicators make a flag, a keycap makes an emoji of a sign.
        || word.chars().filter(|it| ('\u{1F1E6}'..='\u{1F1FF}').contains(it)).count() > 1
        || (word.starts_with(['#', '*']) && word.ends_with('\u{20E3}'))
}

fn is_word(it: char) -> bool {
    it.is_alphabetic() || is_digit(it) || is_letter_to_unicode(it)
}

/// Decimal digits: not fractions, superscripts or circled numbers.
fn is_digit(it: char) -> bool {
    /// The zeros of the scripts; nine more follow each.
    const ZEROS: [u32; 41] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
        0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0,
        0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x11066,
        0x110F0, 0x11136,
    ];
    let it = it as u32;
    let after = ZEROS.partition_point(|&zero| zero <= it);
    after > 0 && it - ZEROS[after - 1] < 10
}

/// Signs that Unicode counts as letters of words though they are none.
fn is_letter_to_unicode(it: char) -> bool {
    matches!(it,
        '\u{2C2}'..='\u{2C5}' | '\u{2D2}'..='\u{2D7}' | '\u{2DE}'..='\u{2DF}' | '\u{2E5}'..='\u{2EB}'
        | '\u{2ED}' | '\u{2EF}'..='\u{2FF}' | '\u{55A}'..='\u{55C}' | '\u{55E}' | '\u{58A}' | '\u{5F3}'
        | '\u{A708}'..='\u{A716}' | '\u{A720}'..='\u{A721}' | '\u{A789}'..='\u{A78A}' | '\u{AB5B}')
}

/// Where a token that is too long is cut.
fn cut(word: &str) -> Option<usize> {
    if word.len() <= MAX_TOKEN_UNITS {
        return None;
    }
    let mut units = 0;
    word.char_indices().find_map(|(at, it)| {
        units += it.len_utf16();
        (units > MAX_TOKEN_UNITS).then_some(at)
    })
}

/// Lower-cases character by character, as Java's `Character.toLowerCase` does: no context, one for one.
pub fn lower(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(|it| it.to_lowercase().next().unwrap_or(it)).collect()
}

/// Scripts whose words Unicode does not find without a dictionary (line break class SA).
fn is_complex(it: char) -> bool {
    matches!(it,
        '\u{0E01}'..='\u{0E3A}' | '\u{0E40}'..='\u{0E4E}'
        | '\u{0E81}'..='\u{0ECD}' | '\u{0EDC}'..='\u{0EDF}'
        | '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' | '\u{109A}'..='\u{109F}'
        | '\u{1780}'..='\u{17D3}' | '\u{17D7}' | '\u{17DC}'..='\u{17DD}'
        | '\u{1950}'..='\u{1974}' | '\u{1980}'..='\u{19C9}' | '\u{1A20}'..='\u{1AAD}')
}

/// Unicode's `Emoji` without digits, `#`, `*` and regional indicators.
fn is_emoji(it: char) -> bool {
    matches!(it,
        '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{2199}' | '\u{21A9}'..='\u{21AA}'
        | '\u{231A}'..='\u{231B}' | '\u{2328}' | '\u{23CF}' | '\u{23E9}'..='\u{23F3}' | '\u{23F8}'..='\u{23FA}'
        | '\u{24C2}' | '\u{25AA}'..='\u{25AB}' | '\u{25B6}' | '\u{25C0}' | '\u{25FB}'..='\u{25FE}'
        | '\u{2600}'..='\u{2604}' | '\u{260E}' | '\u{2611}' | '\u{2614}'..='\u{2615}' | '\u{2618}' | '\u{261D}'
        | '\u{2620}' | '\u{2622}'..='\u{2623}' | '\u{2626}' | '\u{262A}' | '\u{262E}'..='\u{262F}'
        | '\u{2638}'..='\u{263A}' | '\u{2640}' | '\u{2642}' | '\u{2648}'..='\u{2653}' | '\u{265F}'..='\u{2660}'
        | '\u{2663}' | '\u{2665}'..='\u{2666}' | '\u{2668}' | '\u{267B}' | '\u{267E}'..='\u{267F}'
        | '\u{2692}'..='\u{2697}' | '\u{2699}' | '\u{269B}'..='\u{269C}' | '\u{26A0}'..='\u{26A1}' | '\u{26A7}'
        | '\u{26AA}'..='\u{26AB}' | '\u{26B0}'..='\u{26B1}' | '\u{26BD}'..='\u{26BE}' | '\u{26C4}'..='\u{26C5}'
        | '\u{26C8}' | '\u{26CE}'..='\u{26CF}' | '\u{26D1}' | '\u{26D3}'..='\u{26D4}' | '\u{26E9}'..='\u{26EA}'
        | '\u{26F0}'..='\u{26F5}' | '\u{26F7}'..='\u{26FA}' | '\u{26FD}' | '\u{2702}' | '\u{2705}'
        | '\u{2708}'..='\u{270D}' | '\u{270F}' | '\u{2712}' | '\u{2714}' | '\u{2716}' | '\u{271D}' | '\u{2721}'
        | '\u{2728}' | '\u{2733}'..='\u{2734}' | '\u{2744}' | '\u{2747}' | '\u{274C}' | '\u{274E}'
        | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2763}'..='\u{2764}' | '\u{2795}'..='\u{2797}' | '\u{27A1}'
        | '\u{27B0}' | '\u{27BF}' | '\u{2934}'..='\u{2935}' | '\u{2B05}'..='\u{2B07}' | '\u{2B1B}'..='\u{2B1C}'
        | '\u{2B50}' | '\u{2B55}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F004}' | '\u{1F0CF}'
        | '\u{1F170}'..='\u{1F171}' | '\u{1F17E}'..='\u{1F17F}' | '\u{1F18E}' | '\u{1F191}'..='\u{1F19A}'
        | '\u{1F201}'..='\u{1F202}' | '\u{1F21A}' | '\u{1F22F}'
        | '\u{1F232}'..='\u{1F23A}' | '\u{1F250}'..='\u{1F251}' | '\u{1F300}'..='\u{1F64F}'
        | '\u{1F680}'..='\u{1F6FF}' | '\u{1F7E0}'..='\u{1F7F0}' | '\u{1F90C}'..='\u{1FAFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_the_standard_analyzer_does() {
        for (text, expected) in [
            ("The quick Brown-fox", "the quick brown fox"),
            ("!!! - _", ""),
            ("notepad.exe 10.1.2.3 O'Neil", "notepad.exe 10.1.2.3 o'neil"),
            ("b2.c3 ec2:RunInstances 1:2 1;2", "b2 c3 ec2 runinstances 1 2 1;2"),
            ("arn:aws:iam::111122223333:role/ops", "arn:aws:iam 111122223333 role ops"),
            ("who@example.com my_role a..b x=y", "who example.com my_role a b x y"),
            ("10.0.0.1:443 fe80::1 aws-cli/2.15.0", "10.0.0.1 443 fe80 1 aws cli 2.15.0"),
            (
                "\u{4e2d}\u{6587} \u{1F600}\u{1F600} \u{1F1E9}\u{1F1EA}",
                "\u{4e2d} \u{6587} \u{1F600} \u{1F600} \u{1F1E9}\u{1F1EA}",
            ),
            ("สวัสดี ครับ", "สวัสดี ครับ"),
            ("ΣΑΣ İ", "σασ i"),
        ] {
            assert_eq!(tokens(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn long_tokens_are_cut_and_nothing_is_lost() {
        let text = "a".repeat(600);
        let lens: Vec<usize> = tokens(&text).iter().map(String::len).collect();
        assert_eq!(lens, [255, 255, 90]);
    }
}
