//! Sums of doubles that do not depend on the order of what is added: however rows are cut into chunks, the same result.
//!
//! What rounding loses is kept beside the sum, as Shewchuk has it ("Adaptive Precision Floating-Point Arithmetic"): parts
//! that do not overlap, whose sum is exact.

/// An exact sum.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exact {
    parts: Vec<f64>,
    /// What is not finite.
    special: f64,
}

impl Exact {
    pub(crate) fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.special += value;
            return;
        }
        let mut carried = value;
        let mut kept = 0;
        for at in 0..self.parts.len() {
            let (sum, lost) = two_sum(carried, self.parts[at]);
            if lost != 0.0 {
                self.parts[kept] = lost;
                kept += 1;
            }
            carried = sum;
        }
        if !carried.is_finite() {
            self.special += carried;
            self.parts.clear();
            return;
        }
        self.parts.truncate(kept);
        self.parts.push(carried);
    }

    /// The exact product.
    pub(crate) fn add_product(&mut self, a: f64, b: f64) {
        let product = a * b;
        self.add(product);
        if product.is_finite() {
            self.add(a.mul_add(b, -product));
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.special += other.special;
        other.parts.iter().for_each(|it| self.add(*it));
    }

    pub(crate) fn parts(&self) -> &[f64] {
        &self.parts
    }

    /// The double that is nearest to it.
    pub(crate) fn value(&self) -> f64 {
        if self.special != 0.0 || self.special.is_nan() {
            return self.special;
        }
        let mut parts = self.parts.iter().rev().copied();
        let Some(mut high) = parts.next() else { return 0.0 };
        let mut low = 0.0;
        for part in parts.by_ref() {
            let (sum, lost) = two_sum(high, part);
            high = sum;
            low = lost;
            if low != 0.0 {
                break;
            }
        }
        // A tie is decided by what is still smaller.
        if let Some(next) = parts.next()
            && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
        {
            let doubled = low * 2.0;
            let other = high + doubled;
            if (other - high - doubled).abs() == 0.0 {
                high = other;
            }
        }
        high
    }
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    let of_a = sum - of_b;
    (sum, (a - of_a) + (b - of_b))
}

/// The sum of all.
pub(crate) fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut sum = Exact::default();
    values.for_each(|it| sum.add(it));
    sum.value()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "these are exact")]
    fn nothing_is_lost() {
        assert_eq!(sum([1e100, 1.0, -1e100].into_iter()), 1.0);
        assert_eq!(sum([0.1; 10].into_iter()), 1.0);
        assert!(sum([f64::MAX, f64::MAX].into_iter()).is_infinite());
    }

    proptest! {
        #[test]
        fn order_and_chunks_do_not_matter(mut values in prop::collection::vec(-1e12f64..1e12, 0..60), cut in 0usize..60) {
            let expected = sum(values.iter().copied());
            let (mut first, mut second) = (Exact::default(), Exact::default());
            let cut = cut.min(values.len());
            values[..cut].iter().for_each(|it| first.add(*it));
            values[cut..].iter().for_each(|it| second.add(*it));
            first.merge(&second);
            prop_assert_eq!(first.value().to_bits(), expected.to_bits());
            values.reverse();
            prop_assert_eq!(sum(values.into_iter()).to_bits(), expected.to_bits());
        }
    }
}
