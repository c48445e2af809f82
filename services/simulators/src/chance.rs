//! Chance that repeats: every draw is a hash of the seed, what is drawn and for whom, so one seed gives one behaviour
//! whatever the order in which requests arrive.

use sha2::{Digest, Sha256};

/// Consonants but for `l`, which looks like a digit: no id reads as a word.
const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrstv";

/// A seeded source of draws.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chance {
    seed: u64,
}

// === impl Chance ===

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// A number for `topic` and `subject`, uniform over `u64`.
    pub(crate) fn draw(self, topic: &str, subject: &str) -> u64 {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(topic.as_bytes());
        hash.update([0]);
        hash.update(subject.as_bytes());
        first_eight(&hash.finalize())
    }

    /// Whether this draw falls into a share given in thousandths.
    pub(crate) fn hits(self, topic: &str, subject: &str, per_mille: u16) -> bool {
        per_mille > 0 && self.draw(topic, subject) % 1_000 < u64::from(per_mille)
    }
}

// === free functions ===

/// A hash of a text that does not depend on any seed.
pub(crate) fn fixed(topic: &str, subject: &str) -> u64 {
    Chance::new(0).draw(topic, subject)
}

/// A bijection on 64 bits (the finalizer of SplitMix64): distinct numbers stay distinct but look unrelated.
pub(crate) fn scatter(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number as sixteen letters. Sixteen hexadecimal digits are now and then all decimal and a card number by chance, which
/// platforms refuse in what they are told.
pub(crate) fn letters(number: u64) -> String {
    let letter = |place: u32| {
        let nibble = (number >> (place * 4)) & 0xf;
        char::from(LETTERS[usize::try_from(nibble).unwrap_or(0)])
    };
    (0..16).rev().map(letter).collect()
}

/// The number of sixteen [`letters`].
pub(crate) fn from_letters(text: &str) -> Option<u64> {
    let add = |number: u64, letter: u8| {
        let nibble = LETTERS.iter().position(|known| *known == letter)?;
        Some(number << 4 | u64::try_from(nibble).ok()?)
    };
    (text.len() == 16).then(|| text.bytes().try_fold(0, add))?
}

fn first_eight(digest: &[u8]) -> u64 {
    let (head, _) = digest
        .split_first_chunk::<8>()
        .expect("a SHA-256 digest has 32 bytes");
    u64::from_be_bytes(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_behaviour() {
        let (one, same, other) = (Chance::new(7), Chance::new(7), Chance::new(8));
        assert_eq!(one.draw("latency", "ref-1"), same.draw("latency", "ref-1"));
        assert_ne!(one.draw("latency", "ref-1"), other.draw("latency", "ref-1"));
        assert_ne!(one.draw("latency", "ref-1"), one.draw("fault", "ref-1"));
    }

    #[test]
    fn letters_tell_numbers_apart_and_hold_no_digit() {
        assert_eq!(letters(0), "bbbbbbbbbbbbbbbb");
        assert_eq!(letters(0x0123_4567_89ab_cdef), "bcdfghjkmnpqrstv");
        assert_eq!(letters(u64::MAX), "vvvvvvvvvvvvvvvv");
        for number in [0, 0x0123_4567_89ab_cdef, u64::MAX] {
            assert_eq!(from_letters(&letters(number)), Some(number));
        }
        for text in [
            "",
            "bbbbbbbbbbbbbbb",
            "bbbbbbbbbbbbbbbbb",
            "bbbbbbbbbbbbbbb1",
        ] {
            assert_eq!(from_letters(text), None, "{text}");
        }
    }

    #[test]
    fn a_share_is_met_within_a_few_percent() {
        let chance = Chance::new(1);
        let hits = (0..10_000)
            .filter(|number: &i32| chance.hits("share", &number.to_string(), 200))
            .count();
        assert!((1_850..2_150).contains(&hits), "{hits}");
        assert!(!chance.hits("share", "any", 0));
        assert!(chance.hits("share", "any", 1_000));
    }
}
