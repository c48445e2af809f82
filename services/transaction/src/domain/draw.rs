//! From where a refund is drawn: from what the purchase still has in merchant.pending, then from merchant.available, then from
//! merchant.reserve; the rest is forced when the merchant's plan allows it, else the refund is declined (T7).

use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::ledger::{Book, Code};

/// One part of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draw {
    /// The account debited.
    pub from: Book,
    /// Above zero.
    pub amount: Money,
    /// [`Code::Refund`], or [`Code::ForcedRefund`] for what crosses the bound.
    pub code: Code,
}

/// What a merchant has, in minor units of the settlement currency. Less than nothing counts as nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balances {
    /// What this purchase still has in merchant.pending, and the account has as well.
    pub purchase_pending: i64,
    /// merchant.available.
    pub available: i64,
    /// merchant.reserve.
    pub reserve: i64,
}

/// Whether settlement has had time to move the purchase to merchant.available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Not before the day that the plan says: the money is in merchant.pending.
    NotDue,
    /// It is most likely in merchant.available.
    Due,
}

/// Whether a merchant's balance may go below zero for refunds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Negative {
    /// A refund that is not covered is declined.
    Refused,
    /// The rest is forced, and later payouts net it.
    Allowed,
}

/// The merchant's three accounts.
#[derive(Clone, Copy, Debug)]
pub struct Accounts<'a> {
    /// merchant.pending.
    pub pending: &'a Book,
    /// merchant.available.
    pub available: &'a Book,
    /// merchant.reserve.
    pub reserve: &'a Book,
}

/// Divides `needed` over the accounts; None when it is not covered and may not be forced (T7).
#[must_use]
pub fn draw(
    needed: Money,
    balances: Balances,
    accounts: Accounts<'_>,
    release: Release,
    negative: Negative,
) -> Option<Vec<Draw>> {
    let pending = (accounts.pending, balances.purchase_pending);
    let available = (accounts.available, balances.available);
    let order = match release {
        Release::NotDue => [pending, available],
        Release::Due => [available, pending],
    };
    let currency: Currency = needed.currency();
    let mut left = needed.minor();
    let mut draws = Vec::new();
    for (from, has) in order
        .into_iter()
        .chain([(accounts.reserve, balances.reserve)])
    {
        let part = left.min(has.max(0));
        if part > 0 {
            left = left.checked_sub(part)?;
            draws.push(Draw {
                from: from.clone(),
                amount: Money::new(part, currency),
                code: Code::Refund,
            });
        }
    }
    if left == 0 {
        return Some(draws);
    }
    match negative {
        Negative::Refused => None,
        Negative::Allowed => {
            draws.push(Draw {
                from: accounts.available.clone(),
                amount: Money::new(left, currency),
                code: Code::ForcedRefund,
            });
            Some(draws)
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::domain::{AccountId, MerchantId, ledger::Share};

    fn book(share: Share) -> Book {
        let id = Uuid::from_u128(7);
        Book::Merchant(MerchantId::from(id), share, AccountId::from(id))
    }

    fn shares(
        needed: i64,
        has: [i64; 3],
        release: Release,
        negative: Negative,
    ) -> Option<Vec<(Share, i64, Code)>> {
        let [pending, available, reserve] =
            [Share::Pending, Share::Available, Share::Reserve].map(book);
        let accounts = Accounts {
            pending: &pending,
            available: &available,
            reserve: &reserve,
        };
        let [purchase_pending, available, reserve] = has;
        let balances = Balances {
            purchase_pending,
            available,
            reserve,
        };
        let draws = draw(
            Money::new(needed, Currency::EUR),
            balances,
            accounts,
            release,
            negative,
        )?;
        let share = |draw: Draw| {
            let shares = [Share::Pending, Share::Available, Share::Reserve];
            let share = shares.into_iter().find(|share| book(*share) == draw.from)?;
            Some((share, draw.amount.minor(), draw.code))
        };
        draws.into_iter().map(share).collect()
    }

    #[test]
    fn t7_a_refund_draws_from_pending_then_available_then_reserve_and_the_rest_is_forced_or_declined()
     {
        use Code::{ForcedRefund, Refund};
        use Negative::{Allowed, Refused};
        use Release::{Due, NotDue};
        use Share::{Available, Pending, Reserve};
        let all_three = vec![
            (Pending, 40, Refund),
            (Available, 30, Refund),
            (Reserve, 20, Refund),
        ];
        let cases = [
            (
                30,
                [40, 30, 20],
                NotDue,
                Refused,
                Some(vec![(Pending, 30, Refund)]),
            ),
            (
                50,
                [40, 30, 20],
                NotDue,
                Refused,
                Some(vec![(Pending, 40, Refund), (Available, 10, Refund)]),
            ),
            (90, [40, 30, 20], NotDue, Refused, Some(all_three.clone())),
            (91, [40, 30, 20], NotDue, Refused, None),
            (
                91,
                [40, 30, 20],
                NotDue,
                Allowed,
                Some([all_three, vec![(Available, 1, ForcedRefund)]].concat()),
            ),
            (
                50,
                [40, 30, 20],
                Due,
                Refused,
                Some(vec![(Available, 30, Refund), (Pending, 20, Refund)]),
            ),
            (5, [-10, -10, 0], NotDue, Refused, None),
            (
                5,
                [-10, -10, 0],
                NotDue,
                Allowed,
                Some(vec![(Available, 5, ForcedRefund)]),
            ),
        ];
        for (needed, has, release, negative, expected) in cases {
            assert_eq!(
                shares(needed, has, release, negative),
                expected,
                "T7: {needed} of {has:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn t7_what_is_drawn_is_what_is_needed(
            needed in 1_i64..1_000_000, has in proptest::array::uniform3(-1_000_i64..1_000_000), due: bool
        ) {
            let release = if due { Release::Due } else { Release::NotDue };
            let drawn: i64 = shares(needed, has, release, Negative::Allowed).unwrap().iter().map(|(_, part, _)| part).sum();
            prop_assert_eq!(drawn, needed);
            let covered = has.iter().map(|part| (*part).max(0)).sum::<i64>() >= needed;
            prop_assert_eq!(shares(needed, has, release, Negative::Refused).is_some(), covered);
        }
    }
}
