//! A pass over a text, compiled for each kind of processor.

use crate::mask::{self, BLOCK, Masks};

/// What a pass is given for its kind of processor.
pub trait Machine {
    /// The masks of a block.
    fn masks(&self, block: &[u8; BLOCK]) -> Masks;

    /// Bit `i` of the result says whether an odd number of bits up to and including `i` is set.
    fn prefix_xor(&self, bits: u64) -> u64;

    /// Writes `at` plus the number of each bit that is set, in order, from the start of `places`; what it writes behind
    /// those means nothing.
    fn places(&self, at: u32, bits: u64, places: &mut [u32; BLOCK]);
}

/// Work that goes over a text block by block.
pub trait Pass {
    /// What comes of it.
    type Output;

    /// Does it. To be inlined, so that it is compiled for the processor of its caller.
    fn run(self, machine: &impl Machine) -> Self::Output;
}

/// Does the work with the best instructions that the processor has.
#[inline]
pub fn run<P: Pass>(pass: P) -> P::Output {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "vector instructions: the portable way is several times slower")]
    {
        if has_avx2() {
            if has_avx512() {
                // SAFETY: just asked for.
                return unsafe { avx512(pass) };
            }
            // SAFETY: just asked for.
            return unsafe { avx2(pass) };
        }
    }
    pass.run(&Any)
}

/// Does the work in every way that this processor can, one byte after the other first, and gives the name of each way
/// with what came of it. For tests: all must give the same, and [`run`] shows one of them only.
pub fn run_each<P: Pass>(mut pass: impl FnMut() -> P) -> Vec<(&'static str, P::Output)> {
    let bytewise =
        With { masks: mask::portable, prefix_xor: |bits| Any.prefix_xor(bits), places: one_by_one };
    let mut results = Vec::from([("byte by byte", pass().run(&bytewise))]);
    results.push(("any", pass().run(&Any)));
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "vector instructions")]
    if has_avx2() {
        // SAFETY: just asked for.
        results.push(("avx2", unsafe { avx2(pass()) }));
        if has_avx512() {
            // SAFETY: just asked for.
            results.push(("avx512", unsafe { avx512(pass()) }));
        }
    }
    results
}

/// Whether the processor has what [`avx2`] takes.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("pclmulqdq")
}

/// Whether the processor has what [`avx512`] takes beyond that.
#[cfg(target_arch = "x86_64")]
#[inline]
fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi2")
}

/// What all processors have had since 2013.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq")]
fn avx2<P: Pass>(pass: P) -> P::Output {
    let prefix_xor = |bits: u64| multiplied(bits);
    pass.run(&With { masks: |block: &[u8; BLOCK]| mask::avx2(block), prefix_xor, places: one_by_one })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt,pclmulqdq,avx512f,avx512bw,avx512vbmi2")]
fn avx512<P: Pass>(pass: P) -> P::Output {
    let places = |at: u32, bits: u64, places: &mut [u32; BLOCK]| compressed(at, bits, places);
    let prefix_xor = |bits: u64| multiplied(bits);
    pass.run(&With { masks: |block: &[u8; BLOCK]| mask::avx512(block), prefix_xor, places })
}

/// The ways of a kind of processor.
struct With<M, X, P> {
    masks: M,
    prefix_xor: X,
    places: P,
}

impl<M, X, P> Machine for With<M, X, P>
where
    M: Fn(&[u8; BLOCK]) -> Masks,
    X: Fn(u64) -> u64,
    P: Fn(u32, u64, &mut [u32; BLOCK]),
{
    #[inline(always)]
    fn prefix_xor(&self, bits: u64) -> u64 {
        (self.prefix_xor)(bits)
    }

    #[inline(always)]
    fn masks(&self, block: &[u8; BLOCK]) -> Masks {
        (self.masks)(block)
    }

    #[inline(always)]
    fn places(&self, at: u32, bits: u64, places: &mut [u32; BLOCK]) {
        (self.places)(at, bits, places);
    }
}

/// Any processor.
struct Any;

impl Machine for Any {
    #[inline(always)]
    fn masks(&self, block: &[u8; BLOCK]) -> Masks {
        #[cfg(target_arch = "x86_64")]
        #[expect(unsafe_code, reason = "vector instructions")]
        // SAFETY: SSE2 is part of every x86-64.
        return unsafe { mask::sse2(block) };
        #[cfg(not(target_arch = "x86_64"))]
        mask::portable(block)
    }

    #[inline(always)]
    fn prefix_xor(&self, mut bits: u64) -> u64 {
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        bits ^ bits << 32
    }

    #[inline(always)]
    fn places(&self, at: u32, bits: u64, places: &mut [u32; BLOCK]) {
        one_by_one(at, bits, places);
    }
}

/// [`Machine::prefix_xor`], which is what a multiplication by all ones without carry gives.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "pclmulqdq")]
fn multiplied(bits: u64) -> u64 {
    use std::arch::x86_64::{_mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8};

    _mm_cvtsi128_si64(_mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1))) as u64
}

#[inline(always)]
fn one_by_one(at: u32, mut bits: u64, places: &mut [u32; BLOCK]) {
    // Most blocks have a few: writing some too many costs less than asking after each.
    for chunk in places.as_chunks_mut::<8>().0 {
        for place in chunk {
            *place = at.wrapping_add(bits.trailing_zeros());
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            break;
        }
    }
}

/// [`one_by_one`], sixteen at a time.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
fn compressed(at: u32, bits: u64, places: &mut [u32; BLOCK]) {
    use std::arch::x86_64::{
        _mm512_add_epi32, _mm512_castsi512_si128, _mm512_cvtepu8_epi32, _mm512_extracti32x4_epi32,
        _mm512_maskz_compress_epi8, _mm512_set_epi64, _mm512_set1_epi32, _mm512_storeu_si512,
    };

    let numbers = |eight: i64| 0x0706_0504_0302_0100 + eight * 0x0808_0808_0808_0808;
    let numbers = _mm512_set_epi64(
        numbers(7),
        numbers(6),
        numbers(5),
        numbers(4),
        numbers(3),
        numbers(2),
        numbers(1),
        numbers(0),
    );
    let found = _mm512_maskz_compress_epi8(bits, numbers);
    let parts = [
        _mm512_castsi512_si128(found),
        _mm512_extracti32x4_epi32::<1>(found),
        _mm512_extracti32x4_epi32::<2>(found),
        _mm512_extracti32x4_epi32::<3>(found),
    ];
    let count = bits.count_ones() as usize;
    for (number, (part, places)) in parts.into_iter().zip(places.as_chunks_mut::<16>().0).enumerate() {
        if number > 0 && count <= number * 16 {
            break;
        }
        let wide = _mm512_add_epi32(_mm512_cvtepu8_epi32(part), _mm512_set1_epi32(at as i32));
        #[expect(unsafe_code, reason = "a vector is stored")]
        // SAFETY: sixteen numbers of 32 bits are 512 bits, and any alignment will do.
        unsafe {
            _mm512_storeu_si512(places.as_mut_ptr().cast(), wide);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives the places of some bits, and their sums.
    struct Both(u32, u64);

    impl Pass for Both {
        type Output = (Vec<u32>, u64);

        fn run(self, machine: &impl Machine) -> (Vec<u32>, u64) {
            let mut places = [0; BLOCK];
            machine.places(self.0, self.1, &mut places);
            (places[..self.1.count_ones() as usize].to_vec(), machine.prefix_xor(self.1))
        }
    }

    proptest! {
        #[test]
        fn processors_agree(at in 0u32..1 << 30, one in any::<u64>(), other in any::<u64>(), few in any::<bool>()) {
            let bits = if few { one & other } else { one | other };
            let places = (0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| at + bit).collect();
            let sums = (0..64).filter(|bit| (bits << (63 - bit)).count_ones() % 2 == 1).map(|bit| 1 << bit).sum();
            let expected = (places, sums);
            prop_assert_eq!(&run(Both(at, bits)), &expected);
            for (way, found) in run_each(|| Both(at, bits)) {
                prop_assert_eq!(&found, &expected, "{}", way);
            }
        }
    }
}
