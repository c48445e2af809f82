//! What is booked: legs, each the debit of one account and the credit of another, in groups that are booked whole or not at all.

use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize};

use super::{AccountId, MerchantId, TransferId};

/// Longest group.
pub const MAX_LEGS: usize = 24;

/// An account, by its id or by what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Book {
    /// A customer's, a merchant's, or any account of an adjustment.
    Account(AccountId),
    /// `merchant.pending`, `.available` or `.reserve`.
    Merchant(MerchantId, Share, AccountId),
    /// What a connector owes.
    Receivable(String),
    /// What a connector charges.
    ConnectorFees(String),
    /// Zero for each transaction that has ended.
    Clearing,
    /// Sent and not yet on a bank statement.
    PayoutInTransit,
    /// The tenant's position in a currency.
    FxPosition,
    /// Earned on exchange.
    FxSpread,
    /// Fees charged.
    FeeRevenue,
}

/// Which of a merchant's balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// Captured, not yet due.
    Pending,
    /// May be paid out.
    Available,
    /// Kept back.
    Reserve,
}

/// How a leg moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Move {
    /// At once.
    Single,
    /// Reserved until it is posted or voided.
    Pending,
    /// Books what the named transfer reserved; the rest is released.
    Post(TransferId),
    /// Releases what the named transfer reserved.
    Void(TransferId),
}

/// What a leg is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Between customers.
    Transfer,
    /// Captured purchase.
    Purchase,
    /// Into a customer's balance.
    TopUp,
    /// Out of a customer's balance.
    Withdrawal,
    /// To a merchant's bank.
    Payout,
    /// Fee of the tenant.
    Fee,
    /// Against fx.position.
    Exchange,
    /// Into fx.spread.
    Spread,
    /// Back to the payer.
    Refund,
    /// Back to the payer although the merchant does not cover it (forced).
    ForcedRefund,
    /// Taken by the scheme (forced).
    Chargeback,
    /// Charged by a connector.
    ConnectorFee,
    /// Opposite of an earlier leg.
    Reversal,
    /// Puts right what cannot be refused any more (forced).
    Correction,
    /// By two people.
    Adjustment,
}

/// What happens when the account to credit is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The group is refused: before the pivot.
    Refuse,
    /// The tenant's suspense account is credited: after the pivot, when nothing can be refused.
    Suspense,
}

/// One transfer to book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// Debited.
    pub debit: Book,
    /// Credited.
    pub credit: Book,
    /// Above zero.
    pub amount: Money,
    /// How.
    pub by: Move,
    /// What for.
    pub code: Code,
    /// When `credit` is closed.
    pub closed: Closed,
}

/// A group under construction. Legs of nothing are left out: the ledger takes no transfer of zero.
#[derive(Clone, Debug)]
pub struct Group {
    legs: Vec<Leg>,
    closed: Closed,
}

// === impl Group ===

impl Group {
    /// An empty group.
    #[must_use]
    pub const fn new(closed: Closed) -> Self {
        Self {
            legs: Vec::new(),
            closed,
        }
    }

    /// Adds a single-phase leg, unless it is of nothing.
    pub fn single(&mut self, debit: &Book, credit: &Book, amount: Money, code: Code) {
        self.add((debit, credit), amount, Move::Single, code);
    }

    /// Adds a leg from debit to credit, unless it is of nothing.
    pub fn add(&mut self, (debit, credit): (&Book, &Book), amount: Money, by: Move, code: Code) {
        assert!(
            !amount.is_negative(),
            "T3: the direction of a leg is never said by a sign"
        );
        if amount.is_zero() {
            return;
        }
        self.legs.push(Leg {
            debit: debit.clone(),
            credit: credit.clone(),
            amount,
            by,
            code,
            closed: self.closed,
        });
    }

    /// The legs, in the order in which the ledger folds them.
    #[must_use]
    pub fn legs(self) -> Vec<Leg> {
        assert!(
            self.legs.len() <= MAX_LEGS,
            "a group has a bounded number of legs"
        );
        self.legs
    }
}

/// The opposite of booked legs, at the same figures: what was posted out of a reservation is reversed as booked.
#[must_use]
pub fn opposite(legs: &[Leg], code: Code) -> Vec<Leg> {
    let mut group = Group::new(Closed::Suspense);
    for leg in legs.iter().rev() {
        match leg.by {
            Move::Single | Move::Post(_) => group.single(&leg.credit, &leg.debit, leg.amount, code),
            Move::Pending | Move::Void(_) => {}
        }
    }
    group.legs()
}

/// Posted debits less posted credits of each account and currency, for assertions.
#[must_use]
pub fn net(legs: &[Leg]) -> Vec<(Book, Currency, i128)> {
    let mut sums: Vec<(Book, Currency, i128)> = Vec::new();
    let mut add = |book: &Book, currency: Currency, minor: i128| match sums
        .iter_mut()
        .find(|(known, of, _)| known == book && *of == currency)
    {
        Some((_, _, sum)) => *sum = sum.saturating_add(minor),
        None => sums.push((book.clone(), currency, minor)),
    };
    for leg in legs {
        if matches!(leg.by, Move::Single | Move::Post(_)) {
            let minor = i128::from(leg.amount.minor());
            add(&leg.debit, leg.amount.currency(), minor);
            add(&leg.credit, leg.amount.currency(), minor.saturating_neg());
        }
    }
    sums
}
