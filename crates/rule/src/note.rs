//! The guide as one Markdown text, for the field `note`.

use crate::{Guide, GuideLanguage, Step};

/// The headings of the note in one language.
struct Headings {
    triage: &'static str,
    steps: &'static str,
    false_positives: &'static str,
    response: &'static str,
}

const ENGLISH: Headings = Headings {
    triage: "Triage and analysis",
    steps: "Investigation steps",
    false_positives: "False positives",
    response: "Response",
};

const CHINESE: Headings =
    Headings {
        triage: "分诊与分析", steps: "调查步骤", false_positives: "误报分析", response: "响应与处置"
    };

/// Writes the guide as Markdown.
pub(crate) fn note(guide: &Guide, language: GuideLanguage) -> String {
    let headings = match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    };
    let mut out = format!("## {}\n", headings.triage);
    if let Some(overview) = &guide.overview {
        out += &format!("\n{}\n", overview.trim());
    }
    steps(headings.steps, &guide.triage, &mut out);
    if !guide.false_positives.is_empty() {
        out += &format!("\n### {}\n\n", headings.false_positives);
        for note in &guide.false_positives {
            out += &format!("- **{}**: {}\n", note.title.trim(), indented(note.text.trim(), 2));
        }
    }
    steps(headings.response, &guide.response, &mut out);
    out
}

fn steps(heading: &str, steps: &[Step], out: &mut String) {
    if steps.is_empty() {
        return;
    }
    *out += &format!("\n### {heading}\n");
    for (at, step) in steps.iter().enumerate() {
        *out += &format!("\n{}. **{}**\n\n   {}\n", at + 1, step.title.trim(), indented(step.text.trim(), 3));
        if let Some(query) = &step.query {
            *out += &fenced(&query.language, query.query.trim());
        }
        if let Some(command) = &step.command {
            *out += &fenced("sh", command.trim());
        }
    }
}

fn fenced(language: &str, text: &str) -> String {
    format!("\n   ```{language}\n   {}\n   ```\n", indented(text, 3))
}

/// Indents all lines but the first, so that the text stays within its list item.
fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}
