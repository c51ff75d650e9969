//! The questions of all steps of all alerts, each once.

use std::collections::HashMap;

use ecs::{Catalog, Millis};
use rule::QueryLanguage;

use crate::event::Field;
use crate::source::Question;

/// All questions, each once.
pub(crate) struct Book<'a> {
    catalog: &'a Catalog,
    now: Millis,
    pub(crate) questions: Vec<Question>,
    /// By the text with its language, from, to, near, limit.
    known: HashMap<(String, Millis, Millis, Millis, usize), usize>,
    pub(crate) columns: Vec<String>,
}

impl<'a> Book<'a> {
    pub(crate) fn new(catalog: &'a Catalog, now: Millis) -> Self {
        Self { catalog, now, questions: Vec::new(), known: HashMap::new(), columns: Vec::new() }
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
        let key = (format!("{language} {text}"), from, to, near, limit);
        if let Some(&known) = self.known.get(&key) {
            return Ok(known);
        }
        let name =
            QueryLanguage::from_name(language).ok_or_else(|| format!("`{language}` is no query language"))?;
        let condition = rule::check_query(name, text, self.catalog).map_err(|errors| {
            errors.first().map_or_else(String::new, |it| format!("{}: {}", it.code, it.message))
        })?;
        let question =
            Question { text: key.0.clone(), filter: condition.into_expr(self.now), from, to, near, limit };
        let number = self.questions.len();
        self.questions.push(question);
        self.known.insert(key, number);
        Ok(number)
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
