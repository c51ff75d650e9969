//! Tables in text.

use comfy_table::{Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, presets};

use crate::alert::Line;
use crate::lines::{Ids, facts};
use crate::{Terminal, plural, when};

/// A cell: its text and, where it has one, its severity, which gives it a colour.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// What it says.
    pub text: String,
    /// `low` to `critical`; anything else has no colour.
    pub severity: Option<String>,
    /// Numbers stand to the right.
    pub right: bool,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self { text: text.into(), severity: None, right: false }
    }
}

impl Cell {
    /// A severity.
    pub fn severity(name: &str) -> Self {
        Self { text: name.to_owned(), severity: Some(name.to_owned()), right: false }
    }

    /// A number.
    pub fn number(text: impl Into<String>) -> Self {
        Self { text: text.into(), severity: None, right: true }
    }
}

/// A table without lines, as wide as the terminal at most.
pub fn grid(heads: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>, terminal: Terminal) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // Only a terminal has an edge; a pipe gets each row on a line of its own.
    if let Some(width) = terminal.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    } else {
        table.set_content_arrangement(ContentArrangement::Disabled);
    }
    if terminal.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if !heads.is_empty() {
        table
            .set_header(heads.iter().map(|head| comfy_table::Cell::new(head).add_attribute(Attribute::Bold)));
    }
    // For each column the width of its widest single word; `None` if it holds anything else.
    let mut words: Vec<Option<usize>> = heads.iter().map(|head| Some(head.len())).collect();
    for row in rows {
        for (word, cell) in words.iter_mut().zip(&row) {
            let single = cell.text.bytes().all(|byte| byte.is_ascii_graphic());
            *word = word.filter(|_| single).map(|width| width.max(cell.text.len()));
        }
        table.add_row(row.into_iter().map(|cell| {
            let colour = match cell.severity.as_deref() {
                Some("critical") => Some(Color::Magenta),
                Some("high") => Some(Color::Red),
                Some("medium") => Some(Color::Yellow),
                Some("low") => Some(Color::Cyan),
                _ => None,
            };
            let mut out = comfy_table::Cell::new(clip(&clean(&cell.text)));
            if let Some(colour) = colour {
                out = out.fg(colour);
            }
            if cell.right { out.set_alignment(CellAlignment::Right) } else { out }
        }));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    for at in terminal.width.map(|width| unbroken(&words, width.into())).unwrap_or_default() {
        if let Some(column) = table.column_mut(at) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut text = table.to_string();
    if !terminal.colour {
        text = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    }
    text.push('\n');
    text
}

/// What a column that may be broken has at least.
const BROKEN_MIN: usize = 14;

/// The columns of single words, such as ids, that need not be broken: the narrow ones first, as long as enough is
/// left for the others. An id in two lines cannot be copied.
fn unbroken(words: &[Option<usize>], width: usize) -> Vec<usize> {
    let mut candidates: Vec<(usize, usize)> =
        words.iter().enumerate().filter_map(|(at, word)| word.map(|word| (word, at))).collect();
    candidates.sort_unstable();
    let mut left = width;
    let mut kept = Vec::new();
    for (word, at) in candidates {
        let others = words.len() - kept.len() - 1;
        match left.checked_sub(word + 2) {
            Some(rest) if rest >= others * BROKEN_MIN => left = rest,
            _ => break,
        }
        kept.push(at);
    }
    kept
}

/// Text from a record, safe to print: an attacker's control characters must not steer the analyst's terminal,
/// nor turn the order of what is read, nor hide in it.
pub fn clean(text: &str) -> String {
    text.chars().map(|it| if it.is_control() || is_invisible(it) { '\u{fffd}' } else { it }).collect()
}

/// Characters that show nothing themselves and change how others are shown: directions, joins that no name
/// needs, line separators, tags.
pub(crate) fn is_invisible(it: char) -> bool {
    matches!(
        it,
        '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// Characters that take two columns of a terminal.
pub(crate) fn is_wide(it: char) -> bool {
    matches!(it, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}')
}

/// Characters of a cell or a fact that are shown; what is longer is cut, or one record spoils the whole page.
const SHOWN_CHARS: usize = 240;

/// The beginning of a text, where all of it would be too much.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Narrower terminals get fewer columns, with more in each.
const WIDE: u16 = 150;

/// One line an alert.
pub(crate) fn alerts(alerts: &[Line], terminal: Terminal) -> String {
    let ids = Ids::of(alerts);
    let start = |alert: &Line| -> Vec<Cell> {
        vec![alert.time.map(when).unwrap_or_default().into(), Cell::severity(&alert.severity)]
    };
    if terminal.width.is_some_and(|width| width < WIDE) {
        let rows = alerts.iter().map(|alert| {
            let mut said = facts(alert, &ids);
            said.extend(on(alert));
            let what = format!("{}: {}", alert.rule, said.join(", "));
            start(alert).into_iter().chain([what.into()]).collect()
        });
        return grid(&["Time (UTC)", "Severity", "What"], rows, terminal);
    }
    let rows = alerts.iter().map(|alert| {
        let highlights = alert.highlights.iter().map(|(key, value)| format!("{key} {value}"));
        let more: Vec<String> = highlights.chain(alert.stands_for.clone()).chain(on(alert)).collect();
        let cells: [Cell; 8] = [
            alert.rule.as_str().into(),
            alert.who.as_str().into(),
            alert.from.as_str().into(),
            alert.what.as_str().into(),
            alert.target.as_str().into(),
            more.join(", ").into(),
            alert.outcome.as_str().into(),
            ids.short(if alert.event.is_empty() { &alert.id } else { &alert.event }).into(),
        ];
        start(alert).into_iter().chain(cells).collect()
    });
    let heads =
        ["Time (UTC)", "Severity", "Rule", "Who", "Source", "Event", "To what", "Request", "Outcome", "ID"];
    grid(&heads, rows, terminal)
}

/// How many alerts the alert stands on, where that is not what it counted.
fn on(alert: &Line) -> Option<String> {
    let says = !alert.stands_on.is_empty() && alert.counted.is_none();
    says.then(|| format!("on {}", plural(alert.stands_on.len() as u64, "alert", "alerts")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(
            clean("a\u{1b}[31m\u{9b}2J\u{202e}b\u{200b}c\nd"),
            "a\u{fffd}[31m\u{fffd}2J\u{fffd}b\u{fffd}c\u{fffd}d"
        );
        assert_eq!(clean("role/管理者 é 👩‍💻"), "role/管理者 é 👩‍💻");
    }

    #[test]
    fn ids_are_not_broken_where_there_is_room() {
        let id = "0f6f0c2e-8b0a-4c51-9d7b-3f1a7f3c9a01";
        let row = || vec![Cell::from("high"), "a name of several words that may be broken".into(), id.into()];
        let narrow = |width| {
            grid(&["Severity", "Name", "Rule ID"], [row()], Terminal { width: Some(width), colour: false })
        };
        assert!(narrow(70).contains(id), "{}", narrow(70));
        assert!(narrow(70).lines().all(|line| line.len() <= 70), "{}", narrow(70));
        assert!(!narrow(40).contains(id), "{}", narrow(40));
    }

    #[test]
    fn one_long_cell_spoils_nothing() {
        let rows = ["x".repeat(100_000), "y".to_owned()].map(|text| vec![text.into(), "z".into()]);
        let text = grid(&["A", "B"], rows, Terminal::PLAIN);
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.chars().count() < 260), "{text}");
        assert_eq!(clip("é".repeat(240).as_str()), "é".repeat(240));
        assert_eq!(clip("é".repeat(241).as_str()), format!("{}…", "é".repeat(240)));
    }
}
