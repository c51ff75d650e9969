//! What to write instead.

use super::ParseErrorKind;

/// In words, where it is known.
pub(super) fn help(kind: &ParseErrorKind) -> Option<String> {
    Some(match kind {
        ParseErrorKind::Unexpected { found, .. } => return foreign(found).map(str::to_owned),
        ParseErrorKind::Unclosed { open } => match *open {
            "\"" => "add the closing `\"` on the same line; one that belongs to the text is written `\\\"`".to_owned(),
            "'" => "texts have double quotes, and end on the line they begin on".to_owned(),
            "\"\"\"" => "add the closing `\"\"\"` on the same line".to_owned(),
            "`" => "add the closing backquote; one that belongs to the name is doubled".to_owned(),
            "/*" => "add `*/`".to_owned(),
            _ => "add the closing bracket".to_owned(),
        },
        ParseErrorKind::Unopened { .. } => "remove it".to_owned(),
        ParseErrorKind::Character { .. } => "put texts in double quotes, and unusual names in backquotes".to_owned(),
        ParseErrorKind::TooDeep { .. } | ParseErrorKind::TooManyOperators { .. } => {
            "compute a part of it in an EVAL before".to_owned()
        }
        ParseErrorKind::TooLong { .. } => "split the query, or put long lists of values into a table and use LOOKUP JOIN".to_owned(),
        ParseErrorKind::Escape { .. } => {
            "write `\\\\` for a backslash, or put the text in `\"\"\"`, where nothing is escaped".to_owned()
        }
        ParseErrorKind::EmptyName => "write the name of a column between the backquotes".to_owned(),
        ParseErrorKind::SingleQuotes => "write `\"…\"`, or `\"\"\"…\"\"\"` for a text without escapes".to_owned(),
        ParseErrorKind::SingleEquals => "write `==`".to_owned(),
        ParseErrorKind::Chained => "write both comparisons: `x > 1 AND x < 3`".to_owned(),
        ParseErrorKind::NoOperator { operator } => match *operator {
            "&&" => "write `AND`",
            "||" => "write `OR`",
            "!" => "write `NOT`",
            "<>" => "write `!=`",
            "=~" | "!~" => "write `RLIKE` for a regular expression, `TO_LOWER(…) ==` for either case",
            _ => return None,
        }
        .to_owned(),
        ParseErrorKind::Reserved { word } => format!("a column of that name is written `` `{word}` ``"),
        ParseErrorKind::EmptyList => "write the values, or `null`".to_owned(),
        ParseErrorKind::List => "write such as `[1, 2]`; what is computed is joined by MV_APPEND".to_owned(),
        ParseErrorKind::Unit { .. } => {
            "the units are years, quarters, months, weeks, days, hours, minutes, seconds and milliseconds; `m` is minutes".to_owned()
        }
        ParseErrorKind::Parameter => "write the value itself".to_owned(),
        ParseErrorKind::UnknownCommand { similar, .. } => match similar {
            Some(it) => format!("write {it}"),
            None => "the commands are FROM, ROW, WHERE, EVAL, STATS, INLINE STATS, SORT, LIMIT, KEEP, DROP, RENAME, MV_EXPAND, DISSECT, GROK, ENRICH and LOOKUP JOIN".to_owned(),
        },
        ParseErrorKind::UnsupportedCommand { name } => match *name {
            "COMPLETION" | "RERANK" => {
                "it asks a language model; decide with WHERE, EVAL and CASE what the model was to decide, or let an analyst do it"
            }
            "FORK" | "FUSE" => "write a rule for each branch",
            "CHANGE_POINT" => "compare with an earlier time, by STATS over DATE_TRUNC",
            "SAMPLE" => "remove it: all rows are read, so that the same events give the same alerts",
            "SHOW" => "ask `trailwarden --version`",
            "TS" => "write FROM, and group by DATE_TRUNC",
            _ => "remove it",
        }
        .to_owned(),
        ParseErrorKind::NoSource => "write such as `FROM logs-* | WHERE …`".to_owned(),
        ParseErrorKind::NotFirst { .. } => "write one query for each, or all patterns after the first FROM".to_owned(),
        ParseErrorKind::EmptyStats { .. } => "write such as `STATS count = COUNT(*) BY user.name`".to_owned(),
        ParseErrorKind::NotConstant { .. } => {
            "put the pattern in double quotes; columns are compared by ==, STARTS_WITH, ENDS_WITH or CONTAINS".to_owned()
        }
        ParseErrorKind::JoinCondition => "RENAME one of them before, and write `ON name`".to_owned(),
        ParseErrorKind::LargeNumber => return None,
    })
}

/// What other languages write, and what it is here.
fn foreign(found: &str) -> Option<&'static str> {
    Some(match found {
        "`&&`" => "write `AND`",
        "`||`" => "write `OR`",
        "`!`" => "write `NOT`",
        "`<>`" => "write `!=`",
        "`=`" => "write `==` to compare; in EVAL and STATS a name stands before `=`",
        "`;`" => "remove it: one query is asked at a time",
        "`-`" => "a name with `-` is written in backquotes",
        _ => return None,
    })
}

/// The text that is surely meant, where it is known.
pub(super) fn instead(kind: &ParseErrorKind, text: &str) -> Option<String> {
    match kind {
        ParseErrorKind::SingleEquals => Some("==".to_owned()),
        ParseErrorKind::Reserved { word } => Some(format!("`{word}`")),
        ParseErrorKind::NoOperator { operator } => match *operator {
            "&&" => Some("AND".to_owned()),
            "||" => Some("OR".to_owned()),
            "<>" => Some("!=".to_owned()),
            _ => None,
        },
        ParseErrorKind::UnknownCommand { similar: Some(similar), .. } => Some((*similar).to_owned()),
        ParseErrorKind::SingleQuotes => {
            let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
            let is_plain = !inner.contains(['"', '\\']);
            is_plain.then(|| format!("\"{inner}\""))
        }
        ParseErrorKind::Unexpected { .. }
        | ParseErrorKind::Unclosed { .. }
        | ParseErrorKind::Unopened { .. }
        | ParseErrorKind::Character { .. }
        | ParseErrorKind::TooDeep { .. }
        | ParseErrorKind::TooLong { .. }
        | ParseErrorKind::TooManyOperators { .. }
        | ParseErrorKind::Escape { .. }
        | ParseErrorKind::EmptyName
        | ParseErrorKind::LargeNumber
        | ParseErrorKind::Chained
        | ParseErrorKind::EmptyList
        | ParseErrorKind::List
        | ParseErrorKind::Unit { .. }
        | ParseErrorKind::Parameter
        | ParseErrorKind::UnknownCommand { similar: None, .. }
        | ParseErrorKind::UnsupportedCommand { .. }
        | ParseErrorKind::NoSource
        | ParseErrorKind::NotFirst { .. }
        | ParseErrorKind::EmptyStats { .. }
        | ParseErrorKind::NotConstant { .. }
        | ParseErrorKind::JoinCondition => None,
    }
}
