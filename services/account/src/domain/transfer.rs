//! Transfers: as asked, and as booked. A booked transfer is never changed (A4).

use std::collections::BTreeMap;

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;

use super::{
    ids::{AccountId, TransactionId, TransferId},
    key::AccountKey,
    words::words,
};

words! {
    /// How a transfer moves money.
    Kind {
        /// Booked at once.
        Single = "single",
        /// Reserved until it is posted, voided or expires.
        Pending = "pending",
        /// Books a pending transfer, in full or for less.
        Post = "post",
        /// Releases a pending transfer.
        Void = "void",
    }
}

words! {
    /// What a transfer is for.
    Code {
        /// Between customers.
        Transfer = "transfer",
        /// Captured card purchase.
        Purchase = "purchase",
        /// Into a customer's balance.
        TopUp = "top_up",
        /// Out of a customer's balance.
        Withdrawal = "withdrawal",
        /// Fee of the tenant.
        Fee = "fee",
        /// Leg against a position.
        Exchange = "exchange",
        /// Leg against earned spread.
        Spread = "spread",
        /// Back to the payer.
        Refund = "refund",
        /// Charged by a connector.
        ConnectorFee = "connector_fee",
        /// Paid by a connector to the bank.
        ConnectorSettlement = "connector_settlement",
        /// From pending or reserve to what may be paid out.
        Release = "release",
        /// Kept back from a merchant.
        Reserve = "reserve",
        /// To the payee's bank.
        Payout = "payout",
        /// Bank line that confirms a payout.
        PayoutConfirmation = "payout_confirmation",
        /// Bank sent a payout back.
        PayoutReturn = "payout_return",
        /// The tenant's own exchange of currency.
        Treasury = "treasury",
        /// Opposite of an earlier transfer.
        Reversal = "reversal",
        /// Uncollectable balance or break.
        WriteOff = "write_off",
        /// By two people.
        Adjustment = "adjustment",
        /// Forced: by the scheme.
        Chargeback = "chargeback",
        /// Forced: the provider already refunded.
        ProviderRefund = "provider_refund",
        /// Forced: puts right what was booked wrong.
        Correction = "correction",
    }
}

words! {
    /// Where a pending transfer stands.
    PendingState {
        /// Reserved.
        Pending = "pending",
        /// Booked, in full or for less.
        Posted = "posted",
        /// Released.
        Voided = "voided",
        /// Released because its time was over.
        Expired = "expired",
    }
}

words! {
    /// What to do with a credit to a closed account.
    ClosedCredit {
        /// Refuse it.
        Refuse = "refuse",
        /// Credit the tenant's suspense account instead.
        Suspense = "suspense",
    }
}

/// Labels of the caller, sorted.
pub type Metadata = BTreeMap<String, String>;

/// A field that the caller may leave out, and may get wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given<T> {
    /// Left out.
    Missing,
    /// Not a value of its type.
    Malformed,
    /// As given.
    Value(T),
}

/// Which account is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRef {
    /// By id.
    Id(AccountId),
    /// By what it is for.
    Key(AccountKey),
}

/// A transfer as asked. What is malformed becomes a result of its own, not an error.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The idempotency key; None when it is no such id.
    pub id: Option<TransferId>,
    /// How it moves money.
    pub kind: Given<Kind>,
    /// Account to debit.
    pub debit: Given<AccountRef>,
    /// Account to credit.
    pub credit: Given<AccountRef>,
    /// Minor units; None for the whole of a pending transfer.
    pub amount: Option<i64>,
    /// Currency of the amount.
    pub currency: Given<Currency>,
    /// The pending transfer to post or void.
    pub pending: Given<TransferId>,
    /// What it is for.
    pub code: Given<Code>,
    /// When the reservation ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Value date; None is the time of booking.
    pub effective_at: Option<Timestamp>,
    /// The business transaction.
    pub transaction: Option<TransactionId>,
    /// Labels.
    pub metadata: Metadata,
    /// What to do with a credit to a closed account.
    pub closed_credit: ClosedCredit,
}

/// A transfer as booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// Made by the caller.
    pub id: TransferId,
    /// Whose ledger.
    pub tenant: TenantId,
    /// How it moved money.
    pub kind: Kind,
    /// Account debited.
    pub debit: AccountId,
    /// Account credited.
    pub credit: AccountId,
    /// The closed account that was asked for, when suspense was credited instead.
    pub redirected_from: Option<AccountId>,
    /// Minor units booked or reserved; for a void, released.
    pub amount: i64,
    /// Minor units of a reservation that ended with it.
    pub released: i64,
    /// Of the amount.
    pub currency: Currency,
    /// The pending transfer that it ended.
    pub pending: Option<TransferId>,
    /// What it is for.
    pub code: Code,
    /// The business transaction.
    pub transaction: Option<TransactionId>,
    /// The first transfer of its group.
    pub group: TransferId,
    /// Labels.
    pub metadata: Metadata,
    /// What was to be done with a credit to a closed account.
    pub closed_credit: ClosedCredit,
    /// When the reservation ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Value date.
    pub effective_at: Timestamp,
    /// When it was booked: the moment of its batch.
    pub booked_at: Timestamp,
    /// Its place in the tree, from 0.
    pub leaf_index: i64,
    /// The batch that booked it.
    pub batch_height: i64,
}

/// A pending transfer's fate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The pending transfer.
    pub id: TransferId,
    /// Where it stands.
    pub state: PendingState,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// The transfer that ended it.
    pub resolved_by: Option<TransferId>,
    /// Raised by one with each change.
    pub version: i64,
}

/// A void that came before its transfer: the id is refused from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// The id that must not be booked any more.
    pub id: TransferId,
    /// Whose.
    pub tenant: TenantId,
    /// The void.
    pub void: TransferId,
    /// When.
    pub created_at: Timestamp,
}

// === impl Code ===

impl Code {
    /// True when it may cross a bound: the money has moved already, outside.
    #[must_use]
    pub const fn is_forced(self) -> bool {
        matches!(
            self,
            Self::Chargeback | Self::ProviderRefund | Self::Correction
        )
    }

    /// True when it may debit a suspended account: forced codes, and what the tenant itself charges on the way of a
    /// transaction that has passed its pivot.
    #[must_use]
    pub const fn passes_suspension(self) -> bool {
        self.is_forced() || matches!(self, Self::Fee)
    }
}

// === impl Kind ===

impl Kind {
    /// True when it ends a pending transfer.
    #[must_use]
    pub const fn ends_pending(self) -> bool {
        matches!(self, Self::Post | Self::Void)
    }
}

// === impl Given ===

impl<T> Given<T> {
    /// The value, if it is one.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Malformed => None,
        }
    }

    /// True when it was left out.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

// === impl Transfer ===

impl Transfer {
    /// The account that the caller asked to credit.
    #[must_use]
    pub fn asked_credit(&self) -> AccountId {
        self.redirected_from.unwrap_or(self.credit)
    }
}

// === impl Pending ===

impl Pending {
    /// True when its time is over, whether or not that is booked yet.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}
