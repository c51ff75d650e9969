//! What the server says of itself, on standard error: one line each, for people or as JSON.

use std::io::Write as _;
use std::sync::Arc;

use ecs::Millis;
use serde_json::{Map, Value};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object each.
    Json,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It is as it should be.
    Info,
    /// Something is not as it should be, and goes on.
    Warning,
    /// Something does not go on.
    Error,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Tells the time, in milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> Millis + Send + Sync>;

/// Says things. Whoever says a secret has made a mistake: nothing here looks for one.
#[derive(Clone)]
pub struct Log {
    format: LogFormat,
    clock: Clock,
}

impl Log {
    /// Says them in this format.
    pub fn new(format: LogFormat, clock: Clock) -> Self {
        Self { format, clock }
    }

    /// Says something. If nobody listens there, that is no reason to stop.
    pub fn say(&self, level: Level, code: &str, message: &str, details: &[(&str, Value)]) {
        let line = self.line(level, code, message, details);
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    pub(crate) fn info(&self, code: &str, message: &str, details: &[(&str, Value)]) {
        self.say(Level::Info, code, message, details);
    }

    pub(crate) fn warn(&self, code: &str, message: &str, details: &[(&str, Value)]) {
        self.say(Level::Warning, code, message, details);
    }

    pub(crate) fn error(&self, code: &str, message: &str, details: &[(&str, Value)]) {
        self.say(Level::Error, code, message, details);
    }

    fn line(&self, level: Level, code: &str, message: &str, details: &[(&str, Value)]) -> String {
        let time = ecs::date::to_iso((self.clock)());
        match self.format {
            LogFormat::Json => {
                let mut line = Map::new();
                line.insert("time".to_owned(), time.into());
                line.insert("level".to_owned(), level.as_str().into());
                line.insert("code".to_owned(), code.into());
                line.insert("message".to_owned(), message.into());
                line.extend(details.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
                Value::Object(line).to_string() + "\n"
            }
            LogFormat::Text => {
                // What others wrote may hold anything; a line stays one.
                let mut line = format!("{time} {} {code} {}", level.as_str(), clean(message));
                for (key, value) in details {
                    line += &format!(" {key}={}", clean(&value.to_string()));
                }
                line + "\n"
            }
        }
    }
}

/// A text without what moves a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let clock: Clock = Arc::new(|| 1_772_359_200_000);
        let details = [("key", Value::from("a\n\u{1b}[2J"))];
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = Log::new(format, Arc::clone(&clock)).line(Level::Info, "SRV001", "one\ntwo", &details);
            assert_eq!(line.lines().count(), 1, "{line}");
            assert!(line.chars().filter(|it| it.is_control()).eq("\n".chars()), "{line}");
            assert!(line.contains("SRV001") && line.contains("2026-03-01T10:00:00"), "{line}");
        }
    }
}
