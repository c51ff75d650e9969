//! Seeds, and the two distributions everything is drawn from.
//!
//! Only integers are used, so that a seed gives the same bytes on every machine.

use fastrand::Rng;

/// A seed made from a seed and a number: neighbouring numbers give unrelated seeds (the finaliser of `SplitMix64`).
pub(super) fn mix(seed: u64, number: u64) -> u64 {
    let mut x = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Weighted choice by binary search in cumulative weights.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    cumulative: Vec<u64>,
}

impl Choice {
    /// Chooses index `i` with a probability proportional to `weights[i]`. At least one weight must be positive.
    pub(super) fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let mut total = 0;
        let cumulative = weights
            .into_iter()
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        assert!(total > 0, "a choice needs something to choose from");
        Self { cumulative }
    }

    /// Zipf's law over `count` ranks: rank `k` is drawn `1/k` times as often as the first.
    pub(super) fn zipf(count: usize) -> Self {
        const FIRST: u64 = 1 << 32;
        Self::new((1..=count as u64).map(|rank| FIRST / rank))
    }

    pub(super) fn draw(&self, rng: &mut Rng) -> usize {
        self.at(rng.u64(0..self.total()))
    }

    /// The choice that a number (a hash, say) stands for.
    pub(super) fn pick(&self, number: u64) -> usize {
        self.at(number % self.total())
    }

    pub(super) fn len(&self) -> usize {
        self.cumulative.len()
    }

    /// The sum of all weights.
    pub(super) fn total(&self) -> u64 {
        *self.cumulative.last().expect("a choice is never empty")
    }

    /// The sum of the weights before `index`.
    pub(super) fn before(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(0, |last| self.cumulative[last])
    }

    fn at(&self, point: u64) -> usize {
        self.cumulative.partition_point(|&end| end <= point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_halves_at_the_second_rank() {
        let zipf = Choice::zipf(50);
        let mut rng = Rng::with_seed(7);
        let mut counts = [0_u32; 50];
        for _ in 0..200_000 {
            counts[zipf.draw(&mut rng)] += 1;
        }
        let first = f64::from(counts[0]);
        for rank in [2_u32, 4, 10] {
            let share = f64::from(counts[rank as usize - 1]) / first;
            let wanted = 1.0 / f64::from(rank);
            assert!((share - wanted).abs() < 0.15 * wanted, "rank {rank}: {share} instead of {wanted}");
        }
        assert!(counts.iter().all(|&count| count > 0));
    }

    #[test]
    fn a_weight_of_zero_is_never_chosen() {
        let choice = Choice::new([0, 3, 0, 1]);
        let mut rng = Rng::with_seed(1);
        let drawn: Vec<usize> = (0..1000).map(|_| choice.draw(&mut rng)).collect();
        assert!(drawn.iter().all(|index| [1, 3].contains(index)));
        assert!(drawn.contains(&1) && drawn.contains(&3));
        assert_eq!((choice.before(1), choice.before(3), choice.total()), (0, 3, 4));
    }

    #[test]
    fn mixed_seeds_differ() {
        let seeds: std::collections::BTreeSet<u64> = (0..10_000).map(|number| mix(1, number)).collect();
        assert_eq!(seeds.len(), 10_000);
        assert_ne!(mix(1, 2), mix(2, 1));
    }
}
