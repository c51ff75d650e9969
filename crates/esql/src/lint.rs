//! What is legal, but probably not meant.

use span::{Diagnostic, Severity, Span};

use crate::ast::{
    Ast, Command, CommandKind, CompareOp, Expr, ExprKind, LikeKind, Literal, Name, Pattern, Text,
};

/// What says which event a row was.
const IDENTITY: [&str; 3] = ["_id", "_index", "_version"];

/// Fields of the common schema that hold lists, by their definition.
const LISTS: [&str; 14] = [
    "container.image.tag",
    "dns.header_flags",
    "dns.resolved_ip",
    "event.category",
    "event.type",
    "host.ip",
    "host.mac",
    "process.args",
    "process.parent.args",
    "related.hash",
    "related.hosts",
    "related.ip",
    "related.user",
    "tags",
];

/// Findings for people who write rules, in the order of their places in the text. None of them changes what the
/// query means; all have the codes `ESQL201` and up.
pub fn lint(ast: &Ast, text: &str) -> Vec<Diagnostic> {
    let mut lint = Lint { text, found: Vec::new(), expanded: Vec::new() };
    lint.identity(ast);
    lint.limits(ast);
    for command in &ast.commands {
        lint.command(command);
    }
    lint.found.sort_by_key(Diagnostic::span);
    lint.found
}

struct Lint<'a> {
    text: &'a str,
    found: Vec<Diagnostic>,
    /// Columns that have one value a row, or are no fields any more.
    expanded: Vec<String>,
}

impl Lint<'_> {
    fn warn(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::new(Severity::Warning, code, message, span).help(help));
    }

    fn note(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(Diagnostic::new(Severity::Note, code, message, span).help(help));
    }

    /// Whether alerts know their events.
    fn identity(&mut self, ast: &Ast) {
        let Some(Command { kind: CommandKind::From { patterns, metadata }, .. }) = ast.commands.first()
        else {
            return;
        };
        if ast.is_aggregating() {
            return;
        }
        let has = |name: &str| metadata.iter().any(|it| it.text == name);
        let missing: Vec<&str> = IDENTITY.into_iter().filter(|it| !has(it)).collect();
        if !missing.is_empty() {
            let span =
                patterns.iter().map(|it| it.span).chain(metadata.iter().map(|it| it.span)).reduce(Span::to);
            let message = format!(
                "rows do not say which events they are: without {} Elasticsearch alerts on an event in every execution that sees it",
                missing.join(", ")
            );
            let mut found = Diagnostic::new(Severity::Warning, "ESQL201", message, span.unwrap_or_default())
                .help("write `METADATA _id, _index, _version` behind FROM");
            if metadata.is_empty()
                && let Some(span) = span
            {
                found = found.edit(Span::at(span.end), " METADATA _id, _index, _version");
            }
            self.found.push(found);
        }
        // The last KEEP decides what is left.
        for command in &ast.commands {
            let lost: Vec<&str> = match &command.kind {
                CommandKind::Keep(patterns) => lost(patterns, &has, false),
                CommandKind::Drop(patterns) => lost(patterns, &has, true),
                _ => continue,
            };
            if !lost.is_empty() {
                let message = format!(
                    "this leaves out {}, and alerts do not know their events any more",
                    lost.join(", ")
                );
                self.warn("ESQL202", command.span, message, "keep `_id`, `_index` and `_version`, too");
                return;
            }
        }
    }

    /// Rows that are cut off before all is decided.
    fn limits(&mut self, ast: &Ast) {
        let mut limit: Option<Span> = None;
        let mut is_sorted = false;
        for command in &ast.commands {
            match &command.kind {
                CommandKind::Sort(_) => is_sorted = true,
                CommandKind::Limit(_) => limit = limit.or((!is_sorted).then_some(command.span)),
                CommandKind::Where(_) | CommandKind::Stats(_) | CommandKind::InlineStats(_) => {
                    if let Some(limit) = limit.take() {
                        let message =
                            "which rows are left here is chance, and what follows decides about these alone";
                        self.warn("ESQL203", limit, message, "move it to the end, or SORT before it");
                    }
                    is_sorted &= matches!(command.kind, CommandKind::Where(_));
                }
                _ => {}
            }
        }
    }

    fn command(&mut self, command: &Command) {
        for it in command.kind.expressions() {
            it.walk(&mut |expr| self.expression(expr));
        }
        match &command.kind {
            CommandKind::MvExpand(name) => self.expanded.push(name.text.clone()),
            CommandKind::Eval(items) | CommandKind::Row(items) => {
                self.expanded
                    .extend(items.iter().filter_map(|it| it.name.as_ref()).map(|it| it.text.clone()));
            }
            CommandKind::Stats(stats) => {
                // A group has one value of each of its keys.
                self.expanded.extend(stats.by.iter().map(|it| {
                    if let (None, ExprKind::Column(name)) = (&it.name, &it.value.kind) {
                        return name.text.clone();
                    }
                    it.name.as_ref().map_or_else(String::new, |it| it.text.clone())
                }));
                self.expanded.extend(
                    stats.aggregates.iter().filter_map(|it| it.item.name.as_ref()).map(|it| it.text.clone()),
                );
            }
            CommandKind::Rename(renames) => {
                self.expanded.extend(renames.iter().map(|it| it.new.text.clone()));
            }
            CommandKind::From { .. }
            | CommandKind::Where(_)
            | CommandKind::InlineStats(_)
            | CommandKind::Sort(_)
            | CommandKind::Limit(_)
            | CommandKind::Keep(_)
            | CommandKind::Drop(_)
            | CommandKind::Dissect { .. }
            | CommandKind::Grok { .. }
            | CommandKind::LookupJoin { .. }
            | CommandKind::Enrich { .. } => {}
        }
    }

    fn expression(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Compare { left, op, right } => {
                for (value, other) in [(left, right), (right, left)] {
                    self.null(value, expr.span, *op);
                    self.equality(value, other, *op);
                    self.letter_case(value, other);
                }
                self.lists(left);
                self.lists(right);
            }
            ExprKind::In { value, list, negated } => {
                for it in list {
                    self.letter_case(it, value);
                    let is_null = matches!(it.kind, ExprKind::Literal(Literal::Null));
                    if is_null && *negated {
                        let message = "a list with null in it makes NOT IN null or false, and never true";
                        self.warn("ESQL204", it.span, message, "remove it");
                    }
                    self.equality(it, value, CompareOp::Equal);
                }
                self.lists(value);
            }
            ExprKind::Like { value, kind, patterns, .. } => {
                self.patterns(value, *kind, patterns, expr.span);
                self.lists(value);
            }
            ExprKind::Arithmetic { left, right, .. } => {
                for it in [left, right] {
                    if matches!(it.kind, ExprKind::Literal(Literal::Null)) {
                        self.warn("ESQL204", expr.span, "this is always null", "remove it");
                    }
                }
            }
            ExprKind::Or(_)
            | ExprKind::And(_)
            | ExprKind::Not(_)
            | ExprKind::IsNull { .. }
            | ExprKind::Match { .. }
            | ExprKind::Negate(_)
            | ExprKind::Cast { .. }
            | ExprKind::Literal(_)
            | ExprKind::Column(_)
            | ExprKind::Call { .. }
            | ExprKind::Star => {}
        }
    }

    /// `x == null`.
    fn null(&mut self, value: &Expr, span: Span, op: CompareOp) {
        if !matches!(value.kind, ExprKind::Literal(Literal::Null)) {
            return;
        }
        let help = match op {
            CompareOp::NotEqual => "write `IS NOT NULL`",
            CompareOp::Equal => "write `IS NULL`",
            CompareOp::Less | CompareOp::LessOrEqual | CompareOp::Greater | CompareOp::GreaterOrEqual => {
                "remove it"
            }
        };
        self.warn("ESQL204", span, "a comparison with null is always null, and never true", help);
    }

    /// A pattern where none is known.
    fn equality(&mut self, value: &Expr, other: &Expr, op: CompareOp) {
        if let ExprKind::Literal(Literal::Text(text)) = &value.kind
            && matches!(op, CompareOp::Equal | CompareOp::NotEqual)
            && !matches!(other.kind, ExprKind::Literal(_))
            && text.len() > 1
            && (text.starts_with('*') || text.ends_with('*'))
        {
            self.warn("ESQL205", value.span, "`==` knows no patterns: the `*` is an asterisk", "write LIKE");
        }
    }

    /// `TO_LOWER(x) == "Abc"`.
    fn letter_case(&mut self, value: &Expr, other: &Expr) {
        let ExprKind::Literal(Literal::Text(text)) = &value.kind else { return };
        self.cased(text, value.span, other, false);
    }

    fn cased(&mut self, text: &str, span: Span, other: &Expr, is_pattern: bool) {
        let ExprKind::Call { function, .. } = &other.kind else { return };
        let changed = match function.text.to_ascii_uppercase().as_str() {
            "TO_LOWER" => text.to_lowercase(),
            "TO_UPPER" => text.to_uppercase(),
            _ => return,
        };
        if changed != text {
            let name = function.text.to_ascii_uppercase();
            let message = format!("{name} never gives this: it is in the other letter case");
            let mut found = Diagnostic::new(Severity::Warning, "ESQL206", message, span);
            // Within quotes, so that what is escaped stays so.
            if !is_pattern && self.text.get(span.range()) == Some(&format!("\"{text}\"")) {
                found = found.edit(span, format!("\"{changed}\""));
            }
            self.found.push(found.help(format!("write `{changed}`")));
        }
    }

    fn patterns(&mut self, value: &Expr, kind: LikeKind, patterns: &[Text], span: Span) {
        match kind {
            LikeKind::Like => {
                for it in patterns {
                    self.cased(&it.text, it.span, value, true);
                }
                // Beside patterns it may stand for the sake of the list.
                if patterns.iter().all(|it| !it.text.contains(['*', '?', '\\'])) {
                    let message = "without a wildcard LIKE asks what `==` and IN ask: the whole value";
                    let help = "write `*` where anything may stand, or `==`";
                    self.note("ESQL207", span, message, help);
                }
            }
            LikeKind::RLike => {
                for it in patterns {
                    self.regexp(it);
                }
            }
        }
    }

    fn regexp(&mut self, pattern: &Text) {
        let text = &*pattern.text;
        if text.starts_with('^') || text.ends_with('$') && !text.ends_with("\\$") {
            let message =
                "a regular expression has to fit the whole value; `^` and `$` are ordinary characters";
            self.warn("ESQL208", pattern.span, message, "remove them");
        }
        if let Some(operator) = operator(text) {
            let meaning = match operator {
                '@' => "any text",
                '&' => "that both sides fit",
                '#' => "nothing at all",
                '~' => "what does not fit",
                '<' => "a range of numbers",
                _ => "a text without operators",
            };
            let message = format!("`{operator}` stands for {meaning} here, not for itself");
            self.warn(
                "ESQL209",
                pattern.span,
                message,
                format!("write `\\{operator}`, which needs `\"\"\"` around the pattern"),
            );
        }
    }

    /// A field that has several values, where one is looked at.
    fn lists(&mut self, value: &Expr) {
        let mut value = value;
        // A function that goes over all values changes nothing of it.
        while let ExprKind::Call { function, arguments, .. } = &value.kind
            && matches!(function.text.to_ascii_uppercase().as_str(), "TO_LOWER" | "TO_UPPER" | "TO_STRING")
            && let [inner] = arguments.as_slice()
        {
            value = inner;
        }
        let ExprKind::Column(Name { text: name, span }) = &value.kind else { return };
        if LISTS.contains(&name.as_str()) && !self.expanded.contains(name) {
            let message = format!(
                "`{name}` may have several values, and of these a comparison is null: such events are not found"
            );
            self.note(
                "ESQL210",
                *span,
                message,
                format!("write `MV_EXPAND {name}` before, or MV_CONTAINS({name}, …)"),
            );
        }
    }
}

/// What of the identity is asked for and not kept.
fn lost<'a>(patterns: &[Pattern], has: &impl Fn(&str) -> bool, drops: bool) -> Vec<&'a str> {
    let is_named = |name: &str| patterns.iter().any(|it| it.matches(name));
    IDENTITY.into_iter().filter(|it| has(it) && is_named(it) == drops).collect()
}

/// The first operator that other regular expressions do not have, outside of classes and not escaped.
fn operator(pattern: &str) -> Option<char> {
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(it) = chars.next() {
        match it {
            '\\' => {
                chars.next();
            }
            '[' => in_class = true,
            ']' => in_class = false,
            '@' | '&' | '#' | '~' | '<' | '"' if !in_class => return Some(it),
            _ => {}
        }
    }
    None
}
