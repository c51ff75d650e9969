//! The records of a row group: only pages are unpacked that hold some that are wanted.

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::{ParquetError, Result};

use super::texts::Plain;

/// The page that was unpacked last: what is wanted next often lies in it, too.
#[derive(Debug, Default)]
pub(super) struct LastPage {
    page: Option<(usize, Bytes)>,
}

/// Gives the bytes of the records at these rows of a row group, ascending, or of all.
pub(super) fn each(
    pages: &mut dyn PageReader,
    rows: usize,
    wanted: Option<&[u64]>,
    last: &mut LastPage,
    take: &mut dyn FnMut(u64, &[u8]) -> Result<bool>,
) -> Result<()> {
    let early = || ParquetError::General("its records end early".to_owned());
    let (mut first, mut number, mut wanted) = (0, 0, wanted);
    while first < rows as u64 {
        if wanted.is_some_and(<[u64]>::is_empty) {
            return Ok(());
        }
        let next = pages.peek_next_page()?.ok_or_else(early)?;
        let count = next.num_rows.or(next.num_levels).ok_or_else(early)? as u64;
        let end = first.saturating_add(count);
        if wanted.is_some_and(|it| it[0] >= end) {
            pages.skip_next_page()?;
            (first, number) = (end, number + 1);
            continue;
        }
        let bytes = match &last.page {
            Some((its, bytes)) if *its == number => {
                pages.skip_next_page()?;
                bytes.clone()
            }
            Some(_) | None => {
                let page = pages.get_next_page()?.ok_or_else(early)?;
                let Page::DataPage { buf, encoding: Encoding::PLAIN, .. } = page else {
                    return Err(ParquetError::General(
                        "its records are of a kind that is not written".to_owned(),
                    ));
                };
                last.page = Some((number, buf.clone()));
                buf
            }
        };
        let mut plain = Plain(&bytes);
        for row in first..end.min(rows as u64) {
            let record = plain.bytes()?;
            if let Some(left) = &mut wanted {
                match left {
                    [] => return Ok(()),
                    [at, ..] if *at != row => continue,
                    [_, rest @ ..] => *left = rest,
                }
            }
            if !take(row, record)? {
                return Ok(());
            }
        }
        (first, number) = (end, number + 1);
    }
    Ok(())
}
