//! The guides of alerts that were investigated. Of an investigation nothing is kept but its HTML, and of that what is the same
//! in several once.

use std::io::{self, Write};

use investigate::{Investigation, Plan};
use rule::GuideLanguage;

use super::evidence;
use super::parts::Parts;
use super::words::words;

/// So large all guides of a page may be, to which one more may come: it is to be opened in a browser.
pub const GUIDES_BYTES_MAX: usize = 8 << 20;

/// The guides of a page.
#[derive(Debug, Default)]
pub struct Guides {
    language: GuideLanguage,
    /// The ids of the alerts.
    ids: Vec<String>,
    all: Vec<String>,
    parts: Parts,
    /// Bytes of `all`.
    bytes: usize,
}

impl Guides {
    /// None so far.
    pub fn new(language: GuideLanguage) -> Self {
        Self { language, ..Self::default() }
    }

    /// Adds that of an alert.
    pub fn add(&mut self, it: &Investigation, plan: &Plan) {
        self.ids.push(it.id.clone());
        let guide = evidence::guide(it, plan, words(self.language), &mut self.parts);
        self.bytes += guide.len();
        self.all.push(guide);
    }

    /// Whether the page has no room for more.
    pub fn is_full(&self) -> bool {
        self.bytes + self.parts.bytes() > GUIDES_BYTES_MAX
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The ids of their alerts, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    pub(super) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        for (at, guide) in self.all.iter().enumerate() {
            to.write_all(format!("<template id=\"guide-{at}\">\n{guide}</template>\n").as_bytes())?;
        }
        self.parts.write(to)
    }
}
