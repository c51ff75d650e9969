//! A column of texts, taken apart: its dictionary as it lies there, and for each row which of its texts it has.
//!
//! The general decoder makes a value of every row. Here a text is looked at once, however many rows have it.

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};
use reader::StoredTexts;

/// The texts of a column chunk of so many rows.
pub(super) fn decode(pages: &mut dyn PageReader, rows: usize, is_optional: bool) -> Result<StoredTexts> {
    let mut texts = StoredTexts::default();
    texts.rows.reserve(rows);
    // The texts of the dictionary are the first: their places are their numbers.
    let mut known = 0;
    while let Some(page) = pages.get_next_page()? {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                if known > 0 || !texts.rows.is_empty() {
                    return Err(wrong("a second dictionary"));
                }
                let mut plain = Plain(&buf);
                for _ in 0..num_values {
                    texts.add(plain.text()?);
                }
                known = num_values;
            }
            Page::DataPage { buf, num_values, encoding, .. } => {
                if texts.rows.len() + num_values as usize > rows {
                    return Err(wrong("more values than rows"));
                }
                data_page(&buf, num_values as usize, encoding, is_optional, known, &mut texts)?;
            }
            Page::DataPageV2 { .. } => return Err(wrong("a page of a kind that is not written")),
        }
    }
    if texts.rows.len() == rows { Ok(texts) } else { Err(wrong("a column that ends early")) }
}

fn wrong(what: &str) -> ParquetError {
    ParquetError::General(format!("{what} is in it"))
}

fn data_page(
    bytes: &[u8],
    count: usize,
    encoding: Encoding,
    is_optional: bool,
    known: u32,
    texts: &mut StoredTexts,
) -> Result<()> {
    let (mut present, mut bytes) = (None, bytes);
    if is_optional {
        let (len, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| wrong("a page that ends early"))?;
        let len = u32::from_le_bytes(*len) as usize;
        let (levels, rest) = rest.split_at_checked(len).ok_or_else(|| wrong("a page that ends early"))?;
        let mut levels_of = Vec::with_capacity(count);
        numbers(levels, 1, count, &mut |level| levels_of.push(level > 0))?;
        (present, bytes) = (Some(levels_of), rest);
    }
    let values = present.as_ref().map_or(count, |it| it.iter().filter(|is| **is).count());
    let mut its: Vec<u32> = Vec::with_capacity(values);
    match encoding {
        Encoding::PLAIN => {
            let mut plain = Plain(bytes);
            for _ in 0..values {
                its.push(texts.add(plain.text()?));
            }
        }
        Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => {
            // Without any value there need not be a width.
            let (&width, rest) = match bytes.split_first() {
                Some(split) => split,
                None if values == 0 => (&0, bytes),
                None => return Err(wrong("a page that ends early")),
            };
            let mut is_known = true;
            numbers(rest, width, values, &mut |number| {
                is_known &= number < known;
                its.push(number);
            })?;
            if !is_known {
                return Err(wrong("a value without a text"));
            }
        }
        _ => return Err(wrong("an encoding that is not written")),
    }
    match present {
        None => texts.rows.extend(its),
        Some(present) => {
            let mut its = its.into_iter();
            let next =
                |is: bool| if is { its.next().unwrap_or(StoredTexts::NONE) } else { StoredTexts::NONE };
            texts.rows.extend(present.into_iter().map(next));
        }
    }
    Ok(())
}

/// Texts with their lengths before them.
pub(super) struct Plain<'b>(pub(super) &'b [u8]);

impl<'b> Plain<'b> {
    /// The bytes of the next.
    pub(super) fn bytes(&mut self) -> Result<&'b [u8]> {
        let (len, rest) = self.0.split_first_chunk::<4>().ok_or_else(|| wrong("a page that ends early"))?;
        let len = u32::from_le_bytes(*len) as usize;
        let (text, rest) = rest.split_at_checked(len).ok_or_else(|| wrong("a page that ends early"))?;
        self.0 = rest;
        Ok(text)
    }

    /// The next.
    pub(super) fn text(&mut self) -> Result<&'b str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| wrong("a text that is no UTF-8"))
    }
}

/// Gives numbers as Parquet packs them: runs of one number, and groups of eight of so many bits each.
fn numbers(bytes: &[u8], width: u8, count: usize, take: &mut impl FnMut(u32)) -> Result<()> {
    if width > 32 {
        return Err(wrong("a width that cannot be"));
    }
    let width = usize::from(width);
    let (mut bytes, mut left) = (bytes, count);
    while left > 0 {
        let header = varint(&mut bytes)?;
        let len = usize::try_from(header >> 1).unwrap_or(usize::MAX);
        if header & 1 == 0 {
            let (value, rest) =
                bytes.split_at_checked(width.div_ceil(8)).ok_or_else(|| wrong("a page that ends early"))?;
            let value = value.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte));
            bytes = rest;
            let run = len.min(left);
            (0..run).for_each(|_| take(value));
            left -= run;
        } else {
            let groups = len.checked_mul(width).ok_or_else(|| wrong("a page that ends early"))?;
            let (packed, rest) =
                bytes.split_at_checked(groups).ok_or_else(|| wrong("a page that ends early"))?;
            bytes = rest;
            let run = len.saturating_mul(8).min(left);
            unpack(packed, width, run, take);
            left -= run;
        }
    }
    Ok(())
}

/// Numbers of so many bits, the lowest bits first.
fn unpack(packed: &[u8], width: usize, count: usize, take: &mut impl FnMut(u32)) {
    let mask = (1_u64 << width) - 1;
    for at in 0..count {
        let bit = at * width;
        let rest = packed.get(bit / 8..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => rest.iter().rev().fold(0, |all, &byte| all << 8 | u64::from(byte)),
        };
        take((word >> (bit % 8) & mask) as u32);
    }
}

fn varint(bytes: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(|| wrong("a page that ends early"))?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(wrong("a number that does not end"))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use parquet::column::page::PageMetadata;
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8], width: u8, count: usize) -> Option<Vec<u32>> {
        let mut found = Vec::new();
        numbers(bytes, width, count, &mut |it| found.push(it)).ok()?;
        Some(found)
    }

    #[test]
    fn runs_and_groups() {
        // The example of the format's description: the numbers 0 to 7, three bits each.
        let packed = [0b1000_1000, 0b1100_0110, 0b1111_1010];
        let group = [&[3][..], &packed].concat();
        assert_eq!(all(&group, 3, 8), Some((0..8).collect()));
        assert_eq!(all(&group, 3, 5), Some((0..5).collect()), "the last group may be longer");
        assert_eq!(all(&group, 3, 9), None);
        assert_eq!(all(&[8, 7, 4, 1], 3, 6), Some(vec![7, 7, 7, 7, 1, 1]));
        assert_eq!(all(&[4, 0x34, 0x12], 13, 2), Some(vec![0x1234; 2]));
        assert_eq!(all(&[6], 0, 3), Some(vec![0; 3]), "one text needs no bits");
        assert_eq!(all(&[], 1, 0), Some(Vec::new()));
        assert_eq!(all(&[3, 0, 0, 0], 33, 8), None);
        assert_eq!(all(&[0xff; 6], 8, 8), None);
    }

    /// Pages as they come.
    struct Pages(VecDeque<Page>);

    impl Iterator for Pages {
        type Item = Result<Page>;

        fn next(&mut self) -> Option<Self::Item> {
            self.0.pop_front().map(Ok)
        }
    }

    impl PageReader for Pages {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            Ok(self.0.pop_front())
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the bytes are, they are texts or an error.
        #[test]
        fn no_bytes_panic(
            dictionary in prop::collection::vec(any::<u8>(), 0..40),
            data in prop::collection::vec(any::<u8>(), 0..60),
            values in (0_u32..6, 0_u32..40, any::<bool>(), any::<bool>()),
        ) {
            let (texts, count, is_plain, is_optional) = values;
            let encoding = if is_plain { Encoding::PLAIN } else { Encoding::RLE_DICTIONARY };
            let pages = VecDeque::from([
                Page::DictionaryPage {
                    buf: Bytes::from(dictionary),
                    num_values: texts,
                    encoding: Encoding::PLAIN,
                    is_sorted: false,
                },
                Page::DataPage {
                    buf: Bytes::from(data),
                    num_values: count,
                    encoding,
                    def_level_encoding: Encoding::RLE,
                    rep_level_encoding: Encoding::RLE,
                    statistics: None,
                },
            ]);
            if let Ok(texts) = decode(&mut Pages(pages), count as usize, is_optional) {
                prop_assert_eq!(texts.rows.len(), count as usize);
                (0..texts.rows.len()).for_each(|row| drop(texts.get(row).map(str::to_owned)));
            }
        }
    }
}
