//! The Mersenne Twister MT19937 with both of its authors' seedings (Matsumoto and Nishimura,
//! "Mersenne Twister", 1998; the array seeding is of 2002). NumPy's legacy generator seeds by a
//! number, CPython's `random` by an array of words; what follows is common to both.
//!
//! Not for secrets: 624 outputs tell all later ones.

/// Words of state.
const WORDS: usize = 624;
/// How far ahead the word lies that is mixed into the current one.
const SHIFT: usize = 397;

const TWIST: u32 = 0x9908_b0df;
const UPPER_BIT: u32 = 0x8000_0000;
const LOWER_BITS: u32 = 0x7fff_ffff;

/// A stream of 32-bit words.
#[derive(Debug, Clone)]
pub(super) struct MersenneTwister {
    state: [u32; WORDS],
    /// The word to hand out next; `WORDS` when the state has to be renewed first.
    next: usize,
}

impl MersenneTwister {
    /// `init_genrand` of the reference implementation.
    pub(super) fn from_seed(seed: u32) -> Self {
        let mut state = [0; WORDS];
        let mut previous = seed;
        for (index, word) in (0u32..).zip(&mut state) {
            if index > 0 {
                previous = 1_812_433_253u32
                    .wrapping_mul(previous ^ (previous >> 30))
                    .wrapping_add(index);
            }
            *word = previous;
        }
        Self { state, next: WORDS }
    }

    /// `init_by_array` of the reference implementation, for a key of one word.
    pub(super) fn from_key(key: u32) -> Self {
        let mut twister = Self::from_seed(19_650_218);
        let state = &mut twister.state;
        let mut index = 1;
        for _ in 0..WORDS {
            state[index] =
                (state[index] ^ mixed(state[index - 1]).wrapping_mul(1_664_525)).wrapping_add(key);
            index = advance(index, state);
        }
        for _ in 1..WORDS {
            let position = u32::try_from(index).expect("an index into 624 words fits into 32 bits");
            state[index] = (state[index] ^ mixed(state[index - 1]).wrapping_mul(1_566_083_941))
                .wrapping_sub(position);
            index = advance(index, state);
        }
        state[0] = UPPER_BIT;
        twister
    }

    /// The next 32 random bits.
    pub(super) fn next_u32(&mut self) -> u32 {
        if self.next == WORDS {
            self.renew();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// A number in [0, 1) with 53 random bits, made of two words.
    pub(super) fn next_f64(&mut self) -> f64 {
        let high = f64::from(self.next_u32() >> 5);
        let low = f64::from(self.next_u32() >> 6);
        // The scales are 2^26 and 2^-53, so nothing is rounded.
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    fn renew(&mut self) {
        for index in 0..WORDS {
            let ahead = self.state[(index + SHIFT) % WORDS];
            let following = self.state[(index + 1) % WORDS];
            let joined = (self.state[index] & UPPER_BIT) | (following & LOWER_BITS);
            let twist = if joined & 1 == 0 { 0 } else { TWIST };
            self.state[index] = ahead ^ (joined >> 1) ^ twist;
        }
        self.next = 0;
    }
}

fn mixed(word: u32) -> u32 {
    word ^ (word >> 30)
}

/// The array seeding walks the words in a circle; when it closes, the last word becomes the first
/// one's predecessor.
fn advance(index: usize, state: &mut [u32; WORDS]) -> usize {
    if index + 1 < WORDS {
        return index + 1;
    }
    state[0] = state[WORDS - 1];
    1
}
