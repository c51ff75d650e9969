//! The questions of all steps of all alerts, each once.

use std::collections::HashMap;
use std::sync::Arc;

use ecs::{Catalog, Millis};
use plan::Expr;
use rule::QueryLanguage;

use crate::event::Field;
use crate::source::Question;

/// All questions, each once.
pub(crate) struct Book<'a> {
    catalog: &'a Catalog,
    now: Millis,
    pub(crate) questions: Vec<Question>,
    /// By the text with its language, from, to, near, limit.
    known: HashMap<(Arc<str>, Millis, Millis, Millis, usize), usize>,
    /// What holds of the events of a text with its language; else why it cannot be asked. Many alerts ask the same.
    filters: HashMap<Arc<str>, Result<Arc<Expr>, String>>,
    pub(crate) columns: Vec<String>,
}

impl<'a> Book<'a> {
    pub(crate) fn new(catalog: &'a Catalog, now: Millis) -> Self {
        Self {
            catalog,
            now,
            questions: Vec::new(),
            known: HashMap::new(),
            filters: HashMap::new(),
            columns: Vec::new(),
        }
    }

    /// The number of a question; else why it cannot be asked.
    pub(crate) fn add(
        &mut self,
        language: &str,
        text: &str,
        from: Millis,
        to: Millis,
        near: Millis,
        limit: usize,
    ) -> Result<usize, String> {
        let named = format!("{language} {text}");
        let (named, filter) = if let Some((known, filter)) = self.filters.get_key_value(named.as_str()) {
            (Arc::clone(known), filter.clone())
        } else {
            let (named, filter) = (Arc::from(named), self.filter(language, text).map(Arc::new));
            self.filters.insert(Arc::clone(&named), filter.clone());
            (named, filter)
        };
        let filter = filter?;
        let number = self.questions.len();
        let known = *self.known.entry((Arc::clone(&named), from, to, near, limit)).or_insert(number);
        if known == number {
            self.questions.push(Question { text: named, filter, from, to, near, limit });
        }
        Ok(known)
    }

    fn filter(&self, language: &str, text: &str) -> Result<Expr, String> {
        let name =
            QueryLanguage::from_name(language).ok_or_else(|| format!("`{language}` is no query language"))?;
        let condition = rule::check_query(name, text, self.catalog).map_err(|errors| {
            errors.first().map_or_else(String::new, |it| format!("{}: {}", it.code, it.message))
        })?;
        Ok(condition.into_expr(self.now))
    }

    /// Every event has the values of this path, too.
    pub(crate) fn column(&mut self, path: &str) {
        let is_known =
            Field::ALL.iter().any(|it| it.path() == path) || path == "@timestamp" || path == "event.id";
        if !is_known && !self.columns.iter().any(|it| it == path) {
            self.columns.push(path.to_owned());
        }
    }

    /// Where the values of a path stand in an event.
    pub(crate) fn place(&self, path: &str) -> Option<usize> {
        Field::ALL
            .iter()
            .position(|it| it.path() == path)
            .or_else(|| self.columns.iter().position(|it| it == path).map(|at| Field::ALL.len() + at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_in_two_languages_is_two_questions() {
        let catalog = Catalog::ecs();
        let mut book = Book::new(&catalog, 0);
        let mut ask = |language: &str| book.add(language, "event.action:GetObject*", 0, 9, 5, 10).unwrap();
        let (kuery, lucene) = (ask("kuery"), ask("lucene"));
        assert_ne!(kuery, lucene);
        assert_eq!((kuery, lucene), (ask("kuery"), ask("lucene")));
        // Sources share filters by these texts.
        assert_ne!(book.questions[kuery].text, book.questions[lucene].text);
    }
}
