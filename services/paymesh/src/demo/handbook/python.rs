//! The part of CPython's `random` module the simulator uses; the same seed and the same calls give
//! the same choices (CPython 3.2 and later).

use std::collections::HashSet;

use super::rng::MersenneTwister;

/// A seeded stream of choices.
#[derive(Debug, Clone)]
pub(super) struct Random {
    bits: MersenneTwister,
}

impl Random {
    /// `random.seed(seed)` for an integer.
    pub(super) fn new(seed: u32) -> Self {
        Self {
            bits: MersenneTwister::from_key(seed),
        }
    }

    /// One item, each as likely; `None` when there are none.
    pub(super) fn choice<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() {
            return None;
        }
        items.get(self.below(items.len())).copied()
    }

    /// `size` items without replacement, in random order; all of them when there are fewer.
    ///
    /// CPython chooses the cheaper of two ways by size, and they use the stream differently: a pool
    /// that shrinks, or a set of what was taken.
    pub(super) fn sample<T: Copy>(&mut self, items: &[T], size: usize) -> Vec<T> {
        let size = size.min(items.len());
        if items.len() <= pool_limit(size) {
            self.sample_pool(items, size)
        } else {
            self.sample_set(items, size)
        }
    }

    fn sample_pool<T: Copy>(&mut self, items: &[T], size: usize) -> Vec<T> {
        let mut pool = items.to_vec();
        (0..size)
            .map(|_| pool.swap_remove(self.below(pool.len())))
            .collect()
    }

    fn sample_set<T: Copy>(&mut self, items: &[T], size: usize) -> Vec<T> {
        let mut taken = HashSet::with_capacity(size);
        let mut sample = Vec::with_capacity(size);
        while sample.len() < size {
            let index = self.below(items.len());
            if taken.insert(index) {
                sample.push(items[index]);
            }
        }
        sample
    }

    /// A number below `limit`, which is not zero: as many bits as `limit` has, until they make a
    /// number small enough.
    fn below(&mut self, limit: usize) -> usize {
        let shift = u32::try_from(limit)
            .expect("a list has fewer than 2^32 items")
            .leading_zeros();
        loop {
            let value =
                usize::try_from(self.bits.next_u32() >> shift).expect("32 bits fit into a usize");
            if value < limit {
                return value;
            }
        }
    }
}

/// The largest population that is sampled from a pool: what a set of `size` items would take as
/// memory.
fn pool_limit(size: usize) -> usize {
    let table = if size > 5 {
        std::iter::successors(Some(1), |power| Some(power * 4))
            .find(|power| *power >= size * 3)
            .unwrap_or(0)
    } else {
        0
    };
    21 + table
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )]

    use super::Random;

    // The expected numbers were printed by CPython 3.11.

    #[test]
    fn choices_are_those_of_python() {
        let items: Vec<u32> = (0..75).collect();
        for (seed, expected) in [
            (0, [49, 53, 5, 33, 65, 62, 51, 38]),
            (1, [17, 72, 8, 32, 15, 63, 57, 60]),
            (4999, [20, 23, 14, 6, 2, 35, 60, 6]),
        ] {
            let mut random = Random::new(seed);
            assert_eq!(
                [0; 8].map(|_: u32| random.choice(&items).unwrap()),
                expected,
                "seed {seed}"
            );
        }
        assert_eq!(Random::new(0).choice::<u32>(&[]), None);
    }

    #[test]
    fn samples_are_those_of_python_on_both_sides_of_where_the_way_changes() {
        let items: Vec<u32> = (0..1_000).collect();
        for (population, expected) in [
            (21, vec![1, 2, 19, 11, 5]),
            (22, vec![1, 2, 11, 5, 21]),
            (
                85,
                vec![
                    7, 11, 10, 46, 21, 39, 32, 77, 27, 4, 74, 20, 55, 50, 65, 47, 56, 64, 34, 75, 3,
                ],
            ),
            (
                86,
                vec![
                    7, 11, 10, 46, 21, 85, 39, 32, 77, 27, 4, 74, 20, 55, 81, 50, 65, 47, 69, 56,
                    64,
                ],
            ),
            (
                277,
                vec![
                    28, 46, 43, 184, 86, 157, 128, 108, 18, 81, 220, 201, 260, 190, 227, 257, 137,
                    268, 14, 186, 238, 163,
                ],
            ),
            (
                278,
                vec![
                    28, 46, 43, 184, 86, 157, 128, 108, 18, 81, 220, 201, 260, 190, 227, 257, 137,
                    14, 186, 238, 163, 194,
                ],
            ),
        ] {
            let mut random = Random::new(2);
            let sample = random.sample(&items[..population], expected.len());
            assert_eq!(sample, expected, "of {population}");
        }
    }

    #[test]
    fn a_sample_uses_the_stream_as_far_as_python_does() {
        let items: Vec<u32> = (0..1_000).collect();
        let mut random = Random::new(2);
        assert_eq!(random.sample(&items[..86], 21).len(), 21);
        assert_eq!(random.sample(&items[..1], 3), [0]);
        assert_eq!(random.choice(&items), Some(922));
    }
}
