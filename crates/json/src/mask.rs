//! Sixty-four bytes of JSON text as bit masks, one bit a byte.
//!
//! This runs once for every 64 bytes of every input. All ways to do it give the same; the tests hold them to the
//! portable one.

/// How many bytes one [`Masks`] covers.
pub const BLOCK: usize = 64;

/// Which bytes of a block are what, regardless of strings and escapes. The first byte is the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Masks {
    /// `"`
    pub quote: u64,
    /// `\`
    pub backslash: u64,
    /// `{` or `[`
    pub open: u64,
    /// `}` or `]`
    pub close: u64,
    /// Comma, colon, and everything up to the space: what may stand between two tokens.
    pub gap: u64,
    /// A line feed.
    pub newline: u64,
    /// What JSON does not allow in strings: everything before the space.
    pub control: u64,
    /// A byte that is not ASCII.
    pub high: u64,
}

/// The masks of one block on any x86-64.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "sse2")]
pub(crate) fn sse2(block: &[u8; BLOCK]) -> Masks {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };

    let bits = |v: __m128i| u64::from(_mm_movemask_epi8(v) as u16);
    let all = |byte: u8| _mm_set1_epi8(byte as i8);
    let mut masks = Masks::default();
    for (lane, bytes) in block.as_chunks::<16>().0.iter().enumerate() {
        let [low, high] = [0, 1].map(|half| i64::from_le_bytes(bytes.as_chunks::<8>().0[half]));
        let v = _mm_set_epi64x(high, low);
        // `{` and `[` differ in one bit only, `}` and `]` in the same one.
        let brackets = _mm_or_si128(v, all(0x20));
        let space = _mm_cmpeq_epi8(_mm_min_epu8(v, all(b' ')), v);
        let comma = _mm_cmpeq_epi8(v, all(b','));
        let colon = _mm_cmpeq_epi8(v, all(b':'));
        let shift = lane * 16;
        masks.quote |= bits(_mm_cmpeq_epi8(v, all(b'"'))) << shift;
        masks.backslash |= bits(_mm_cmpeq_epi8(v, all(b'\\'))) << shift;
        masks.open |= bits(_mm_cmpeq_epi8(brackets, all(b'{'))) << shift;
        masks.close |= bits(_mm_cmpeq_epi8(brackets, all(b'}'))) << shift;
        masks.gap |= bits(_mm_or_si128(space, _mm_or_si128(comma, colon))) << shift;
        masks.newline |= bits(_mm_cmpeq_epi8(v, all(b'\n'))) << shift;
        masks.control |= bits(_mm_cmpeq_epi8(_mm_min_epu8(v, all(b' ' - 1)), v)) << shift;
        masks.high |= bits(v) << shift;
    }
    masks
}

/// [`sse2`] in half as many instructions, for processors since 2013.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
pub(crate) fn avx2(block: &[u8; BLOCK]) -> Masks {
    use std::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
        _mm256_or_si256, _mm256_set1_epi8,
    };

    let bits = |v: __m256i| u64::from(_mm256_movemask_epi8(v) as u32);
    let all = |byte: u8| _mm256_set1_epi8(byte as i8);
    let mut masks = Masks::default();
    for (lane, bytes) in block.as_chunks::<32>().0.iter().enumerate() {
        #[expect(unsafe_code, reason = "a vector is loaded")]
        // SAFETY: there are 32 bytes, and any alignment will do.
        let v = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        let brackets = _mm256_or_si256(v, all(0x20));
        let space = _mm256_cmpeq_epi8(_mm256_min_epu8(v, all(b' ')), v);
        let comma = _mm256_cmpeq_epi8(v, all(b','));
        let colon = _mm256_cmpeq_epi8(v, all(b':'));
        let shift = lane * 32;
        masks.quote |= bits(_mm256_cmpeq_epi8(v, all(b'"'))) << shift;
        masks.backslash |= bits(_mm256_cmpeq_epi8(v, all(b'\\'))) << shift;
        masks.open |= bits(_mm256_cmpeq_epi8(brackets, all(b'{'))) << shift;
        masks.close |= bits(_mm256_cmpeq_epi8(brackets, all(b'}'))) << shift;
        masks.gap |= bits(_mm256_or_si256(space, _mm256_or_si256(comma, colon))) << shift;
        masks.newline |= bits(_mm256_cmpeq_epi8(v, all(b'\n'))) << shift;
        masks.control |= bits(_mm256_cmpeq_epi8(_mm256_min_epu8(v, all(b' ' - 1)), v)) << shift;
        masks.high |= bits(v) << shift;
    }
    masks
}

/// [`sse2`] in a few instructions, for processors since 2019.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(crate) fn avx512(block: &[u8; BLOCK]) -> Masks {
    use std::arch::x86_64::{
        __m512i, _mm512_cmpeq_epi8_mask, _mm512_cmple_epu8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512,
        _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8,
    };

    let all = |byte: u8| -> __m512i { _mm512_set1_epi8(byte as i8) };
    #[expect(unsafe_code, reason = "a vector is loaded")]
    // SAFETY: the block has 64 bytes, and any alignment will do.
    let v = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
    let brackets = _mm512_or_si512(v, all(0x20));
    let separators = _mm512_cmpeq_epi8_mask(v, all(b',')) | _mm512_cmpeq_epi8_mask(v, all(b':'));
    Masks {
        quote: _mm512_cmpeq_epi8_mask(v, all(b'"')),
        backslash: _mm512_cmpeq_epi8_mask(v, all(b'\\')),
        open: _mm512_cmpeq_epi8_mask(brackets, all(b'{')),
        close: _mm512_cmpeq_epi8_mask(brackets, all(b'}')),
        gap: _mm512_cmple_epu8_mask(v, all(b' ')) | separators,
        newline: _mm512_cmpeq_epi8_mask(v, all(b'\n')),
        control: _mm512_cmplt_epu8_mask(v, all(b' ')),
        high: _mm512_movepi8_mask(v),
    }
}

/// The masks of one block, one byte after the other.
pub(crate) fn portable(block: &[u8; BLOCK]) -> Masks {
    let mut masks = Masks::default();
    for (i, &byte) in block.iter().enumerate() {
        masks.quote |= u64::from(byte == b'"') << i;
        masks.backslash |= u64::from(byte == b'\\') << i;
        masks.open |= u64::from(byte == b'{' || byte == b'[') << i;
        masks.close |= u64::from(byte == b'}' || byte == b']') << i;
        masks.gap |= u64::from(byte <= b' ' || byte == b',' || byte == b':') << i;
        masks.newline |= u64::from(byte == b'\n') << i;
        masks.control |= u64::from(byte < b' ') << i;
        masks.high |= u64::from(byte >= 0x80) << i;
    }
    masks
}

#[cfg(test)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "tests the vector instructions"))]
mod tests {
    use super::*;

    /// Every byte value at every place of a block.
    #[test]
    fn agrees_with_portable() {
        for place in 0..BLOCK {
            for byte in 0..=u8::MAX {
                let mut block = [b'a'; BLOCK];
                block[place] = byte;
                block[(place + 17) % BLOCK] = byte;
                let expected = portable(&block);
                #[cfg(target_arch = "x86_64")]
                {
                    // SAFETY: SSE2 is part of every x86-64.
                    assert_eq!(unsafe { sse2(&block) }, expected, "{byte:#x} at {place}");
                    if is_x86_feature_detected!("avx2") {
                        // SAFETY: just asked for.
                        assert_eq!(unsafe { avx2(&block) }, expected, "{byte:#x} at {place}");
                    }
                    if is_x86_feature_detected!("avx512bw") {
                        // SAFETY: just asked for.
                        assert_eq!(unsafe { avx512(&block) }, expected, "{byte:#x} at {place}");
                    }
                }
            }
        }
    }
}
