//! A balance is four sums that only grow or are released, never one signed number (A2).

use super::{chart::NormalSide, entry::Side};

/// Limits that each transfer without a forced code keeps (A3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Debits, pending and posted, stay at or below posted credits.
    pub debits_within_credits: bool,
    /// Credits, pending and posted, stay at or below posted debits.
    pub credits_within_debits: bool,
}

/// The sums of an account, in minor units of its currency. None is below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Reserved on the debit side.
    pub debits_pending: i64,
    /// Booked on the debit side.
    pub debits_posted: i64,
    /// Reserved on the credit side.
    pub credits_pending: i64,
    /// Booked on the credit side.
    pub credits_posted: i64,
}

/// What an entry does to the sums of its side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Added to the pending sum; below zero when a reservation ends.
    pub pending: i64,
    /// Added to the posted sum.
    pub posted: i64,
}

// === impl Bounds ===

impl Bounds {
    /// True when everything that `other` limits is limited here too.
    #[must_use]
    pub const fn cover(self, other: Self) -> bool {
        (self.debits_within_credits || !other.debits_within_credits)
            && (self.credits_within_debits || !other.credits_within_debits)
    }
}

// === impl Balance ===

impl Balance {
    /// The sums after an entry; None when one of them, or both of a side together, would pass the largest 64-bit number.
    ///
    /// # Panics
    /// When a sum would fall below zero, which means that more is released than was reserved (A2).
    #[must_use]
    pub fn with(self, side: Side, delta: Delta) -> Option<Self> {
        let (pending, posted) = match side {
            Side::Debit => (self.debits_pending, self.debits_posted),
            Side::Credit => (self.credits_pending, self.credits_posted),
        };
        let pending = pending.checked_add(delta.pending)?;
        let posted = posted.checked_add(delta.posted)?;
        pending.checked_add(posted)?;
        assert!(pending >= 0, "A2: no more is released than was reserved");
        assert!(posted >= 0, "A2: a posted sum never falls below zero");
        Some(match side {
            Side::Debit => Self {
                debits_pending: pending,
                debits_posted: posted,
                ..self
            },
            Side::Credit => Self {
                credits_pending: pending,
                credits_posted: posted,
                ..self
            },
        })
    }

    /// Posted on the normal side less posted on the other.
    #[must_use]
    pub const fn booked(self, normal: NormalSide) -> i64 {
        let (plus, minus) = match normal {
            NormalSide::Debit => (self.debits_posted, self.credits_posted),
            NormalSide::Credit => (self.credits_posted, self.debits_posted),
        };
        // Both lie between zero and the largest number, so their difference fits.
        plus.saturating_sub(minus)
    }

    /// Booked, less what is reserved against it.
    #[must_use]
    pub const fn available(self, normal: NormalSide) -> i64 {
        let reserved = match normal {
            NormalSide::Debit => self.credits_pending,
            NormalSide::Credit => self.debits_pending,
        };
        // Pending and posted of a side together fit, see `with`.
        self.booked(normal).saturating_sub(reserved)
    }

    /// By how much a bound is crossed; zero when it is kept.
    #[must_use]
    pub fn crossed(self, bounds: Bounds, side: Side) -> i64 {
        let over = match side {
            Side::Debit if bounds.debits_within_credits => {
                self.available(NormalSide::Credit).checked_neg()
            }
            Side::Credit if bounds.credits_within_debits => {
                self.available(NormalSide::Debit).checked_neg()
            }
            Side::Debit | Side::Credit => Some(0),
        };
        over.unwrap_or(i64::MAX).max(0)
    }

    /// True when nothing is reserved and both sides are equal.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.debits_pending == 0
            && self.credits_pending == 0
            && self.debits_posted == self.credits_posted
    }

    /// True when no sum is below zero.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        self.debits_pending >= 0
            && self.debits_posted >= 0
            && self.credits_pending >= 0
            && self.credits_posted >= 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPENDABLE: Bounds = Bounds {
        debits_within_credits: true,
        credits_within_debits: false,
    };

    fn balance(sums: [i64; 4]) -> Balance {
        let [
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
        ] = sums;
        Balance {
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
        }
    }

    #[test]
    fn what_is_reserved_counts_against_the_available_balance_only() {
        let b = balance([30, 20, 500, 100]);
        assert_eq!(b.booked(NormalSide::Credit), 80);
        assert_eq!(b.available(NormalSide::Credit), 50);
        assert_eq!(b.booked(NormalSide::Debit), -80);
        assert_eq!(b.available(NormalSide::Debit), -580);
    }

    #[test]
    fn a3_pending_credits_do_not_widen_a_bound_and_pending_debits_fill_it() {
        for (sums, over) in [
            ([0, 0, 0, 0], 0),
            ([60, 40, 0, 100], 0),
            ([61, 40, 0, 100], 1),
            ([0, 101, 900, 100], 1),
        ] {
            assert_eq!(
                balance(sums).crossed(SPENDABLE, Side::Debit),
                over,
                "{sums:?}"
            );
            assert_eq!(balance(sums).crossed(Bounds::default(), Side::Debit), 0);
        }
    }

    #[test]
    fn a_side_never_exceeds_64_bits_even_with_what_is_pending() {
        let full = balance([1, i64::MAX.saturating_sub(1), 0, 0]);
        let one = Delta {
            pending: 0,
            posted: 1,
        };
        assert_eq!(full.with(Side::Debit, one), None);
        assert!(full.with(Side::Credit, one).is_some());
    }

    #[test]
    #[should_panic(expected = "A2")]
    fn a2_more_cannot_be_released_than_was_reserved() {
        let released = Delta {
            pending: -2,
            posted: 0,
        };
        assert!(balance([1, 0, 0, 0]).with(Side::Debit, released).is_none());
    }
}
