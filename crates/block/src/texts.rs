//! Texts that were taken apart before: a dictionary, and for each row which of them it has.

/// Texts with numbers, one behind the other, and for each of some rows the number of its text. A text may stand there twice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Texts<'a> {
    /// The texts.
    pub bytes: &'a str,
    /// Where each ends.
    pub ends: &'a [usize],
    /// For each row the number of its text; whatever is no such number stands for none.
    pub rows: &'a [u32],
}

impl<'a> Texts<'a> {
    /// The number of a row's text, if it has one.
    #[inline]
    pub fn number(&self, row: u32) -> Option<u32> {
        self.rows.get(row as usize).copied().filter(|&it| (it as usize) < self.ends.len())
    }

    /// The text with that number.
    #[inline]
    pub fn text(&self, number: u32) -> &'a str {
        let at = number as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}
