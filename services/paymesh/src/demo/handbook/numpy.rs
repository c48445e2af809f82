//! The distributions of NumPy's legacy `RandomState`, whose streams NumPy keeps as they are (its
//! NEP 19): the same seed and the same calls give the same numbers here, bit for bit.

use super::rng::MersenneTwister;

/// A seeded stream of numbers.
#[derive(Debug, Clone)]
pub(super) struct RandomState {
    bits: MersenneTwister,
    /// The polar method makes normal numbers in pairs; the second one waits here for the next call.
    spare_normal: Option<f64>,
}

impl RandomState {
    /// `numpy.random.seed(seed)`.
    pub(super) fn new(seed: u32) -> Self {
        Self {
            bits: MersenneTwister::from_seed(seed),
            spare_normal: None,
        }
    }

    /// A number in [low, high).
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.bits.next_f64()
    }

    /// A normally distributed number.
    pub(super) fn normal(&mut self, mean: f64, std: f64) -> f64 {
        mean + std * self.standard_normal()
    }

    /// A Poisson distributed count, by multiplying uniform numbers (Knuth). NumPy changes the
    /// method at a mean of 10, so `mean` is below.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        debug_assert!(mean < 10.0, "another method serves larger means");
        if mean == 0.0 {
            return 0;
        }
        let limit = (-mean).exp();
        let mut count = 0;
        let mut product = self.bits.next_f64();
        while product > limit {
            count += 1;
            product *= self.bits.next_f64();
        }
        count
    }

    /// `size` different numbers below `population` (all of them when there are fewer): the head of
    /// a whole permutation, which is how `choice` without replacement, and with it pandas'
    /// `sample`, draws.
    pub(super) fn sample(&mut self, population: u32, size: usize) -> Vec<u32> {
        let mut items: Vec<u32> = (0..population).collect();
        for (last, index) in (0..population).zip(0..items.len()).skip(1).rev() {
            let other = self.up_to(last);
            items.swap(
                index,
                usize::try_from(other).expect("an index fits into a usize"),
            );
        }
        items.truncate(size);
        items
    }

    /// The polar method of Marsaglia and Bray. NumPy hands out the second coordinate first.
    fn standard_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let first = 2.0 * self.bits.next_f64() - 1.0;
            let second = 2.0 * self.bits.next_f64() - 1.0;
            let square = first * first + second * second;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare_normal = Some(factor * first);
                return factor * second;
            }
        }
    }

    /// A number from zero to `max`, by masking words and rejecting what is too large.
    fn up_to(&mut self, max: u32) -> u32 {
        let mask = u32::MAX.checked_shr(max.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.bits.next_u32() & mask;
            if value <= max {
                return value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]

    use super::RandomState;

    // The expected numbers were printed by NumPy 2.4 and pandas 3.1.

    #[test]
    fn distributions_interleave_as_in_numpy() {
        let mut random = RandomState::new(42);
        assert_eq!(random.uniform(5.0, 100.0), 40.581311290499436);
        assert_eq!(random.normal(43_200.0, 20_000.0), 20962.39763906159);
        assert_eq!(
            [0; 12].map(|_: u32| random.poisson(3.25)),
            [1, 3, 3, 2, 3, 3, 3, 2, 4, 2, 1, 4]
        );
        assert_eq!(
            random.normal(50.0, 25.0),
            57.972554617234586,
            "the second normal number waited"
        );
        assert_eq!(random.normal(50.0, 25.0), 16.79534877753924);
        assert_eq!(random.poisson(0.0), 0);
        assert_eq!(random.uniform(0.0, 4.0), 3.8783385110582342);
    }

    #[test]
    fn a_sample_is_the_head_of_a_permutation() {
        for (seed, two, three) in [
            (0, [9394, 898], [398, 3833, 4836]),
            (1, [9953, 3850], [2764, 4767, 3814]),
            (181, [8036, 7289], [4314, 3945, 4038]),
        ] {
            assert_eq!(RandomState::new(seed).sample(10_000, 2), two, "seed {seed}");
            assert_eq!(
                RandomState::new(seed).sample(5_000, 3),
                three,
                "seed {seed}"
            );
        }
        assert_eq!(
            RandomState::new(7).sample(10, 10),
            [8, 5, 0, 2, 1, 9, 7, 3, 6, 4]
        );
    }

    #[test]
    fn a_sample_of_too_few_is_all_of_them() {
        assert_eq!(RandomState::new(0).sample(0, 3), [0; 0]);
        assert_eq!(RandomState::new(0).sample(1, 3), [0]);
    }
}
