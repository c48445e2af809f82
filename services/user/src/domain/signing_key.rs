//! When keys that sign access tokens come and go.
//!
//! U7: a key is published for at least `lead` before it signs, and stays published until the last token that it signed has
//! expired. Keys are numbered; the number is unique, so that of two replicas that make the next key one does.

use std::time::Duration;

use paymesh_kernel::Timestamp;

/// When keys change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// How long a key signs.
    pub every: Duration,
    /// How long it is published before.
    pub lead: Duration,
    /// How long a token lives, with what clocks may differ by.
    pub token_life: Duration,
}

/// A key, as far as its time is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// 1, 2, 3 …
    pub generation: i64,
    /// It signs from then until the next one does.
    pub activates_at: Timestamp,
}

/// What is to be done with the keys at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// A key to make.
    pub create: Option<Schedule>,
    /// Generations whose last token has expired.
    pub remove: Vec<i64>,
}

// === impl Rotation ===

impl Rotation {
    /// What is to be done at `now`. `keys` are in the order of their generations.
    #[must_use]
    pub fn plan(&self, keys: &[Schedule], now: Timestamp) -> Plan {
        let Some(last) = keys.last() else {
            // Nobody can know a key before the first one is there.
            let first = Schedule {
                generation: 1,
                activates_at: now,
            };
            return Plan {
                create: Some(first),
                remove: Vec::new(),
            };
        };
        let due_at = last.activates_at.plus(self.every);
        let is_due = now.plus(self.lead) >= due_at && last.activates_at <= now;
        let create = is_due.then(|| Schedule {
            generation: last.generation + 1,
            activates_at: due_at.max(now.plus(self.lead)),
        });
        let remove = keys
            .windows(2)
            .filter(|pair| pair[1].activates_at.plus(self.token_life) <= now)
            .map(|pair| pair[0].generation)
            .collect();
        Plan { create, remove }
    }
}

/// The place of the key that signs at `now`.
#[must_use]
pub(crate) fn signing(keys: &[Schedule], now: Timestamp) -> Option<usize> {
    keys.iter().rposition(|key| key.activates_at <= now)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROTATION: Rotation = Rotation {
        every: Duration::from_secs(1_000),
        lead: Duration::from_secs(100),
        token_life: Duration::from_secs(50),
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::EPOCH.plus(Duration::from_secs(seconds))
    }

    proptest! {
        /// However rarely anybody looks, U7 holds.
        #[test]
        fn u7_no_key_signs_unpublished_and_none_goes_before_its_tokens(gaps in prop::collection::vec(1_u64..3_000, 1..60)) {
            let mut keys: Vec<Schedule> = Vec::new();
            let mut published: Vec<(i64, Timestamp)> = Vec::new();
            let mut last_signed: Vec<(i64, Timestamp)> = Vec::new();
            let mut second = 0;
            for gap in gaps {
                second += gap;
                let now = at(second);
                let plan = ROTATION.plan(&keys, now);
                for generation in &plan.remove {
                    let signed = last_signed.iter().rev().find(|(known, _)| known == generation);
                    prop_assert!(signed.is_none_or(|(_, when)| when.plus(ROTATION.token_life) <= now));
                }
                keys.retain(|key| !plan.remove.contains(&key.generation));
                if let Some(key) = plan.create {
                    keys.push(key);
                    published.push((key.generation, now));
                }
                let place = signing(&keys, now).unwrap();
                let generation = keys[place].generation;
                let (_, since) = published.iter().find(|(known, _)| *known == generation).unwrap();
                prop_assert!(generation == 1 || now.since(*since) >= ROTATION.lead);
                last_signed.push((generation, now));
                prop_assert!(keys.len() <= 3);
            }
        }
    }

    #[test]
    fn u7_the_next_key_is_made_before_it_is_needed() {
        let first = Schedule {
            generation: 1,
            activates_at: at(0),
        };
        assert_eq!(ROTATION.plan(&[first], at(899)), Plan::default());
        let next = ROTATION.plan(&[first], at(900)).create.unwrap();
        assert_eq!((next.generation, next.activates_at), (2, at(1_000)));
        let late = ROTATION.plan(&[first], at(5_000)).create.unwrap();
        assert_eq!(late.activates_at, at(5_100));
        assert_eq!(ROTATION.plan(&[first, next], at(1_049)).remove, [0_i64; 0]);
        assert_eq!(ROTATION.plan(&[first, next], at(1_050)).remove, [1]);
    }
}
