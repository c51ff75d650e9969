//! Commands.

use super::{Parsed, Parser};
use crate::ast::{Aggregate, CommandKind, Item, Order, Rename, Stats};
use crate::error::ParseErrorKind;
use crate::lexer::Kind;

/// All commands that can run, by their first word.
const COMMANDS: [&str; 17] = [
    "DISSECT",
    "DROP",
    "ENRICH",
    "EVAL",
    "FROM",
    "GROK",
    "INLINE STATS",
    "KEEP",
    "LIMIT",
    "LOOKUP JOIN",
    "MV_EXPAND",
    "RENAME",
    "ROW",
    "SORT",
    "STATS",
    "WHERE",
    "INLINESTATS",
];

/// What other engines have.
const UNSUPPORTED: [&str; 11] = [
    "CHANGE_POINT",
    "COMPLETION",
    "EXPLAIN",
    "FORK",
    "FUSE",
    "INSIST",
    "METRICS",
    "RERANK",
    "SAMPLE",
    "SHOW",
    "TS",
];

impl Parser<'_> {
    /// One of the commands. None of one that is noted and left out.
    pub(super) fn command_kind(&mut self, is_first: bool) -> Parsed<Option<CommandKind>> {
        let span = self.span();
        let Some(word) = self.word_at(0) else {
            let expected = if is_first { "FROM or ROW" } else { "a command" };
            return Err(self.unexpected(expected));
        };
        self.at += 1;
        Ok(Some(match word.to_ascii_uppercase().as_str() {
            "FROM" => self.from()?,
            "ROW" => CommandKind::Row(self.several(Self::item)?),
            "WHERE" => CommandKind::Where(self.expression()?),
            "EVAL" => CommandKind::Eval(self.several(Self::item)?),
            "STATS" => CommandKind::Stats(self.stats("STATS")?),
            "INLINE" if self.eat_word("stats") => CommandKind::InlineStats(self.stats("INLINE STATS")?),
            "INLINESTATS" => CommandKind::InlineStats(self.stats("INLINE STATS")?),
            "SORT" => CommandKind::Sort(self.several(Self::order)?),
            "LIMIT" => CommandKind::Limit(self.expression()?),
            "KEEP" => CommandKind::Keep(self.several(Self::pattern)?),
            "DROP" => CommandKind::Drop(self.several(Self::pattern)?),
            "RENAME" => CommandKind::Rename(self.several(Self::rename)?),
            "MV_EXPAND" => CommandKind::MvExpand(self.name("the name of a column")?),
            "DISSECT" => self.dissect()?,
            "GROK" => {
                let input = self.operand()?;
                let patterns = self.several(|it| it.text("a pattern in double quotes"))?;
                CommandKind::Grok { input, patterns }
            }
            "ENRICH" => self.enrich()?,
            "LOOKUP" if self.eat_word("join") => self.lookup_join()?,
            name => {
                if let Some(name) = UNSUPPORTED.into_iter().find(|it| *it == name) {
                    self.note(ParseErrorKind::UnsupportedCommand { name }, span);
                    return Ok(None);
                }
                let similar = similar(name);
                return Err(ParseErrorKind::UnknownCommand { name: word.to_owned(), similar }.at(span));
            }
        }))
    }

    /// `from = "FROM" index ( "," index )* [ "METADATA" name ( "," name )* ]`
    fn from(&mut self) -> Parsed<CommandKind> {
        let patterns = self.several(|it| it.index("the pattern of an index, such as `logs-*`"))?;
        let in_brackets =
            self.is("[") && self.word_at(1).is_some_and(|it| it.eq_ignore_ascii_case("metadata"));
        if in_brackets {
            self.open("[");
        }
        let mut metadata = Vec::new();
        if self.eat_word("metadata") {
            metadata = self.several(|it| it.name("a name such as `_id`"))?;
        }
        if in_brackets {
            self.close("]", "`,` or `]`")?;
        }
        Ok(CommandKind::From { patterns, metadata })
    }

    /// `item = [ name "=" ] expression`
    fn item(&mut self) -> Parsed<Item> {
        let start = self.span();
        let name = self.name_of_item()?;
        let first = self.span();
        self.operators = 0;
        let value = self.expression()?;
        let text = self.text[first.to(self.before()).range()].to_owned();
        Ok(Item { name, value, text, span: start.to(self.before()) })
    }

    /// `stats = [ aggregate ( "," aggregate )* ] [ "BY" item ( "," item )* ]`
    fn stats(&mut self, name: &'static str) -> Parsed<Stats> {
        let start = self.before();
        let (mut aggregates, mut by) = (Vec::new(), Vec::new());
        if matches!(self.kind(), Kind::End | Kind::Symbol("|")) {
            return Err(ParseErrorKind::EmptyStats { name }.at(start));
        }
        if !self.is_word("by") {
            aggregates = self.several(Self::aggregate)?;
        }
        if self.eat_word("by") {
            by = self.several(Self::item)?;
        }
        Ok(Stats { aggregates, by })
    }

    /// `aggregate = item [ "WHERE" expression ]`
    fn aggregate(&mut self) -> Parsed<Aggregate> {
        let mut item = self.item()?;
        let filter = if self.eat_word("where") { Some(self.expression()?) } else { None };
        if item.name.is_none() {
            // The filter is part of how it is written.
            self.text[item.span.to(self.before()).range()].clone_into(&mut item.text);
        }
        Ok(Aggregate { item, filter })
    }

    /// `order = expression [ "ASC" | "DESC" ] [ "NULLS" ( "FIRST" | "LAST" ) ]`
    fn order(&mut self) -> Parsed<Order> {
        self.operators = 0;
        let value = self.expression()?;
        let descending = self.eat_word("desc");
        if !descending {
            self.eat_word("asc");
        }
        let mut nulls_first = None;
        if self.eat_word("nulls") {
            nulls_first = Some(self.is_word("first"));
            if !self.eat_word("first") && !self.eat_word("last") {
                return Err(self.unexpected("FIRST or LAST"));
            }
        }
        Ok(Order { value, descending, nulls_first })
    }

    /// `rename = name "AS" name | name "=" name`
    fn rename(&mut self) -> Parsed<Rename> {
        let first = self.name("the name of a column")?;
        if self.eat("=") {
            let old = self.name("the name of a column")?;
            return Ok(Rename { old, new: first });
        }
        if !self.eat_word("as") {
            return Err(self.unexpected("AS, or `=` behind the new name"));
        }
        let new = self.name("the new name")?;
        Ok(Rename { old: first, new })
    }

    /// `dissect = operand TEXT [ "APPEND_SEPARATOR" "=" TEXT ]`
    fn dissect(&mut self) -> Parsed<CommandKind> {
        let input = self.operand()?;
        let pattern = self.text("a pattern in double quotes")?;
        let mut separator = None;
        if self.eat_word("append_separator") {
            self.expect("=", "`=`")?;
            separator = Some(self.text("a text in double quotes")?);
        }
        Ok(CommandKind::Dissect { input, pattern, separator })
    }

    /// `enrich = index [ "ON" name ] [ "WITH" [ name "=" ] name ( "," [ name "=" ] name )* ]`
    fn enrich(&mut self) -> Parsed<CommandKind> {
        let policy = self.index("the name of a policy")?;
        let on = if self.eat_word("on") { Some(self.name("the name of a column")?) } else { None };
        let mut with = Vec::new();
        if self.eat_word("with") {
            with =
                self.several(|it| Ok((it.name_of_item()?, it.name("the name of a column of the policy")?)))?;
        }
        Ok(CommandKind::Enrich { policy, on, with })
    }

    /// `lookup_join = index "ON" name ( "," name )*`
    fn lookup_join(&mut self) -> Parsed<CommandKind> {
        let table = self.index("the name of a table")?;
        if !self.eat_word("on") {
            return Err(self.unexpected("ON and the columns that must be equal"));
        }
        let start = self.span();
        let on = self.several(|it| it.name("the name of a column"))?;
        if let Kind::Symbol("==" | "=" | "<" | ">" | "<=" | ">=" | "!=") = self.kind() {
            return Err(ParseErrorKind::JoinCondition.at(start.to(self.token(1).span)));
        }
        Ok(CommandKind::LookupJoin { table, on })
    }
}

/// The command that is meant.
fn similar(name: &str) -> Option<&'static str> {
    match name {
        "INLINE" => return Some("INLINE STATS"),
        "LOOKUP" | "JOIN" => return Some("LOOKUP JOIN"),
        "SELECT" | "PROJECT" | "FIELDS" => return Some("KEEP"),
        "FILTER" | "SEARCH" => return Some("WHERE"),
        "EXTEND" | "LET" => return Some("EVAL"),
        "SUMMARIZE" | "GROUP" | "AGGREGATE" => return Some("STATS"),
        "HEAD" | "TAKE" | "TOP" => return Some("LIMIT"),
        "ORDER" => return Some("SORT"),
        "EXPAND" | "MVEXPAND" | "UNNEST" => return Some("MV_EXPAND"),
        _ => {}
    }
    let near = |it: &&str| strsim::damerau_levenshtein(it, name) <= 2;
    let best = COMMANDS.into_iter().filter(near).min_by_key(|it| strsim::damerau_levenshtein(it, name))?;
    Some(if best == "INLINESTATS" { "INLINE STATS" } else { best })
}
