//! Moments with amounts, in order of business time, and how many of them lie in a window.
//!
//! A series is exact while it has few moments. When it has more than [`MAX_MOMENTS`], those older than two hours are joined by five
//! minutes, those older than a day by hours, and the rest by seconds, so that a window of a very busy merchant or country is off at
//! its old end by less than one in a hundred of its length, and the memory of a series has a limit.

use std::collections::VecDeque;

use paymesh_kernel::Timestamp;

/// Moments of one series before it is compacted.
pub const MAX_MOMENTS: usize = 16_384;
/// Moments are kept for so long, in microseconds: the longest window and the delay of labels.
pub const RETENTION_US: i64 = 37 * 24 * HOUR_US;

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 3_600 * SECOND_US;
/// Age, and what moments of that age are rounded down to.
const TIERS: [(i64, i64); 2] = [(25 * HOUR_US, HOUR_US), (2 * HOUR_US, 300 * SECOND_US)];

/// One moment; both totals include it and all before, and may wrap.
#[derive(Clone, Copy, Debug)]
struct Slot {
    at: i64,
    minor: i64,
    count: u32,
}

/// Moments of one kind of one entity.
#[derive(Clone, Debug, Default)]
pub struct Series {
    slots: VecDeque<Slot>,
    /// Totals of what was before the first slot.
    base_minor: i64,
    base_count: u32,
    /// Sum of what is kept, which tells whether differences of totals can have wrapped.
    kept_minor: i128,
    newest: i64,
}

// === impl Series ===

impl Series {
    /// Moments that it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// True when it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Counts `minor` at a moment, wherever in the order it belongs. What is older than the retention is left out.
    pub fn insert(&mut self, at: Timestamp, minor: i64) {
        let at = at.as_micros();
        if self.slots.is_empty() || at > self.newest {
            self.newest = at;
            self.prune();
        }
        if at <= self.newest.saturating_sub(RETENTION_US) {
            return;
        }
        let place = self.slots.partition_point(|slot| slot.at <= at);
        let follows = place > 0 && self.slots[place - 1].at == at;
        let first = if follows { place - 1 } else { place };
        if !follows {
            let (minor, count) = self.totals_before(place);
            self.slots.insert(place, Slot { at, minor, count });
        }
        for slot in self.slots.range_mut(first..) {
            slot.minor = slot.minor.wrapping_add(minor);
            slot.count = slot.count.wrapping_add(1);
        }
        self.kept_minor += i128::from(minor);
        if self.slots.len() > MAX_MOMENTS {
            self.compact();
        }
    }

    /// Takes back what [`Series::insert`] counted; nothing happens when it is not there.
    pub fn remove(&mut self, at: Timestamp, minor: i64) {
        let place = self.slots.partition_point(|slot| slot.at <= at.as_micros());
        let Some(place) = place.checked_sub(1) else {
            return;
        };
        let (before_minor, before_count) = self.totals_before(place);
        let slot = self.slots[place];
        if slot.minor.wrapping_sub(before_minor) < minor {
            return;
        }
        for slot in self.slots.range_mut(place..) {
            slot.minor = slot.minor.wrapping_sub(minor);
            slot.count = slot.count.wrapping_sub(1);
        }
        self.kept_minor -= i128::from(minor);
        if slot.count.wrapping_sub(before_count) == 1 {
            self.slots.remove(place);
        }
    }

    /// How many moments lie after `from` and not after `until`, and the sum of their amounts.
    #[must_use]
    pub fn window(&self, from: Timestamp, until: Timestamp) -> (i64, i64) {
        let first = self
            .slots
            .partition_point(|slot| slot.at <= from.as_micros());
        let end = self
            .slots
            .partition_point(|slot| slot.at <= until.as_micros())
            .max(first);
        let (before_minor, before_count) = self.totals_before(first);
        let (minor, count) = self.totals_before(end);
        let sum = if self.kept_minor <= i128::from(i64::MAX) {
            minor.wrapping_sub(before_minor)
        } else {
            self.slow_sum(first, end)
        };
        (i64::from(count.wrapping_sub(before_count)), sum)
    }

    /// The sum slot by slot, at most the largest number there is.
    fn slow_sum(&self, first: usize, end: usize) -> i64 {
        let (mut before, _) = self.totals_before(first);
        let mut sum = 0_i128;
        for slot in self.slots.range(first..end) {
            sum += i128::from(slot.minor.wrapping_sub(before));
            before = slot.minor;
        }
        i64::try_from(sum).unwrap_or(i64::MAX)
    }

    fn totals_before(&self, place: usize) -> (i64, u32) {
        place
            .checked_sub(1)
            .and_then(|before| self.slots.get(before))
            .map_or((self.base_minor, self.base_count), |slot| {
                (slot.minor, slot.count)
            })
    }

    fn prune(&mut self) {
        let oldest = self.newest.saturating_sub(RETENTION_US);
        while let Some(slot) = self.slots.front().copied().filter(|slot| slot.at <= oldest) {
            self.slots.pop_front();
            self.kept_minor -= i128::from(slot.minor.wrapping_sub(self.base_minor));
            self.base_minor = slot.minor;
            self.base_count = slot.count;
        }
    }

    fn compact(&mut self) {
        let newest = self.newest;
        let mut joined: VecDeque<Slot> = VecDeque::with_capacity(MAX_MOMENTS);
        for slot in self.slots.drain(..) {
            let at = rounded(slot.at, newest);
            match joined.back_mut().filter(|last| last.at == at) {
                Some(last) => *last = Slot { at, ..slot },
                None => joined.push_back(Slot { at, ..slot }),
            }
        }
        self.slots = joined;
    }
}

fn rounded(at: i64, newest: i64) -> i64 {
    let age = newest.saturating_sub(at);
    let step = TIERS
        .iter()
        .find(|(older, _)| age >= *older)
        .map_or(SECOND_US, |(_, step)| *step);
    at.div_euclid(step) * step
}

#[cfg(test)]
mod tests;
