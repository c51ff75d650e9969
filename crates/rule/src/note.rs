//! The guide as one Markdown text, for the field `note`.

use crate::{Guide, GuideLanguage, Note, Step};

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
    response: "Response and remediation",
};

const CHINESE: Headings =
    Headings {
        triage: "分类和分析", steps: "调查步骤", false_positives: "误报分析", response: "响应和补救"
    };

/// Writes the guide as Markdown.
pub(crate) fn note(guide: &Guide, language: GuideLanguage) -> String {
    let headings = match language {
        GuideLanguage::English => &ENGLISH,
        GuideLanguage::SimplifiedChinese => &CHINESE,
    };
    let mut blocks = vec![format!("## {}", headings.triage)];
    blocks.extend(guide.overview.as_deref().map(|overview| overview.trim().to_owned()));
    steps(headings.steps, &guide.triage, &mut blocks);
    if !guide.false_positives.is_empty() {
        blocks.push(format!("### {}", headings.false_positives));
        let item = |note: &Note| format!("- **{}**: {}", note.title.trim(), indented(note.text.trim(), 2));
        blocks.push(guide.false_positives.iter().map(item).collect::<Vec<_>>().join("\n"));
    }
    steps(headings.response, &guide.response, &mut blocks);
    blocks.join("\n\n") + "\n"
}

fn steps(heading: &str, steps: &[Step], blocks: &mut Vec<String>) {
    if steps.is_empty() {
        return;
    }
    blocks.push(format!("### {heading}"));
    for (at, step) in steps.iter().enumerate() {
        blocks.push(format!("{}. **{}**", at + 1, step.title.trim()));
        blocks.push(format!("   {}", indented(step.text.trim(), 3)));
        blocks.extend(step.queries.iter().map(|query| fenced(&query.language, query.query.trim())));
        blocks.extend(step.command.as_ref().map(|command| fenced("sh", command.trim())));
    }
}

fn fenced(language: &str, text: &str) -> String {
    format!("   ```{language}\n   {}\n   ```", indented(text, 3))
}

/// Indents all lines but the first, so that the text stays within its list item.
fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}
