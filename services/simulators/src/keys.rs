//! Idempotency keys: which are in flight, and where the answer of a finished one stands in the journal.
//!
//! Only hashes and places are held in memory; the answer itself is read from the journal when it is asked for again.
//! A key lives for a declared time from its answer; after it, the key is new again.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::Place;
use crate::timestamp::Timestamp;

/// The longest key, in bytes.
pub(crate) const LONGEST_KEY_BYTES: usize = 255;
/// How many expired keys one request forgets at most, so that no request pays for all of them.
const FORGET_AT_ONCE: usize = 64;

/// 128 bits of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint(u128);

/// The key of a request, and what it asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyedRequest {
    pub(crate) key: Fingerprint,
    pub(crate) body: Fingerprint,
}

/// A finished request, as the journal keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptAnswer {
    pub(crate) key: Fingerprint,
    pub(crate) body: Fingerprint,
    pub(crate) expires_at: Timestamp,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Not seen, or expired.
    New,
    /// Seen with another request.
    Mismatch,
    /// Being worked on.
    InFlight,
    /// Finished; its answer stands there.
    Done(Place, u64),
}

/// All keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    in_flight: HashMap<Fingerprint, Fingerprint>,
    done: HashMap<Fingerprint, Done>,
    by_expiry: VecDeque<(Timestamp, Fingerprint)>,
}

#[derive(Debug)]
struct Done {
    body: Fingerprint,
    expires_at: Timestamp,
    place: Place,
    seq: u64,
}

// === impl Fingerprint ===

impl Fingerprint {
    /// Of several parts; their borders count.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let (head, _) = digest
            .split_first_chunk::<16>()
            .expect("a SHA-256 digest has 32 bytes");
        Self(u128::from_be_bytes(*head))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", self.0))
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

// === impl Keys ===

impl Keys {
    pub(crate) fn look_up(&mut self, request: &KeyedRequest, now: Timestamp) -> Known {
        self.forget_expired(now);
        if let Some(body) = self.in_flight.get(&request.key) {
            return if *body == request.body {
                Known::InFlight
            } else {
                Known::Mismatch
            };
        }
        match self.done.get(&request.key) {
            Some(done) if done.expires_at <= now => Known::New,
            Some(done) if done.body == request.body => Known::Done(done.place, done.seq),
            Some(_) => Known::Mismatch,
            None => Known::New,
        }
    }

    pub(crate) fn begin(&mut self, request: &KeyedRequest) {
        self.in_flight.insert(request.key, request.body);
    }

    pub(crate) fn end(&mut self, key: Fingerprint) {
        self.in_flight.remove(&key);
    }

    /// Notes a finished request whose answer stands at `place`.
    pub(crate) fn finish(&mut self, kept: &KeptAnswer, place: Place, seq: u64) {
        let done = Done {
            body: kept.body,
            expires_at: kept.expires_at,
            place,
            seq,
        };
        self.done.insert(kept.key, done);
        self.by_expiry.push_back((kept.expires_at, kept.key));
    }

    fn forget_expired(&mut self, now: Timestamp) {
        for _ in 0..FORGET_AT_ONCE {
            match self.by_expiry.front() {
                Some((expires_at, key)) if *expires_at <= now => {
                    // A key used again after it expired has a later entry of its own in the queue.
                    if self
                        .done
                        .get(key)
                        .is_some_and(|done| done.expires_at <= now)
                    {
                        self.done.remove(key);
                    }
                    self.by_expiry.pop_front();
                }
                Some(_) | None => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, body: &str) -> KeyedRequest {
        KeyedRequest {
            key: Fingerprint::of(&[key.as_bytes()]),
            body: Fingerprint::of(&[body.as_bytes()]),
        }
    }

    #[test]
    fn a_key_goes_from_new_over_in_flight_to_done_and_expires() {
        let mut keys = Keys::default();
        let (now, later) = (Timestamp::from_micros(10), Timestamp::from_micros(20));
        let (first, other) = (request("k", "a"), request("k", "b"));
        let place = Place {
            offset: 5,
            length: 7,
        };

        assert_eq!(keys.look_up(&first, now), Known::New);
        keys.begin(&first);
        assert_eq!(keys.look_up(&first, now), Known::InFlight);
        assert_eq!(keys.look_up(&other, now), Known::Mismatch);

        let kept = KeptAnswer {
            key: first.key,
            body: first.body,
            expires_at: later,
            status: 201,
            answer: String::new(),
        };
        keys.finish(&kept, place, 1);
        keys.end(first.key);
        assert_eq!(keys.look_up(&first, now), Known::Done(place, 1));
        assert_eq!(keys.look_up(&other, now), Known::Mismatch);
        assert_eq!(keys.look_up(&other, later), Known::New);
        assert!(keys.done.is_empty() && keys.by_expiry.is_empty());
    }

    #[test]
    fn parts_of_a_fingerprint_have_borders() {
        assert_ne!(
            Fingerprint::of(&[b"ab", b"c"]),
            Fingerprint::of(&[b"a", b"bc"])
        );
    }
}
