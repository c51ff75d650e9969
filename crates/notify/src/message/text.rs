//! E-mail: text that is nothing but text.

use super::Message;
use crate::template::Escape;

/// What stands in a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The subject: one line.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// The longest subject.
const SUBJECT_MAX: usize = 180;

/// The mail of a message.
pub fn mail(message: &Message<'_>) -> Mail {
    let subject = message.param("subject", Escape::Plain).unwrap_or_else(|| message.title());
    // Whoever could end the line could write headers.
    let subject = super::shortened(&report::clean(&subject), SUBJECT_MAX);
    let text = message.param("message", Escape::Plain).unwrap_or_else(|| message.plain());
    let text = format!("{text}\n-- \nTrailwarden, message {}\n", message.delivery.id);
    Mail { subject, text }
}
