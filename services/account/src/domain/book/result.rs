//! What becomes of a transfer.

use paymesh_kernel::Timestamp;

use crate::domain::{AccountId, Transfer};

/// The codes of the contract. From [`ResultCode::IdInvalid`] on they are checked in this order, and the first that holds is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResultCode {
    /// Booked.
    Applied,
    /// The void of an unknown transfer: a late original will be refused.
    Tombstoned,
    /// Not an id of a transfer, or twice in the request.
    IdInvalid,
    /// The id exists with another body.
    IdConflict,
    /// The id was voided before it arrived.
    IdTombstoned,
    /// No kind.
    KindInvalid,
    /// Not above zero.
    AmountInvalid,
    /// No currency, or not that of the pending transfer.
    CurrencyInvalid,
    /// No code.
    CodeInvalid,
    /// Set on what is not pending, or not in the future.
    ExpiryInvalid,
    /// Missing for a post or a void, malformed, or set for another kind.
    PendingIdInvalid,
    /// Debit and credit are one account.
    AccountsSame,
    /// A post of an unknown transfer.
    PendingNotFound,
    /// The id is of no pending transfer.
    PendingKindInvalid,
    /// The accounts are not those of the pending transfer.
    PendingAccountsDiffer,
    /// It was posted.
    PendingAlreadyPosted,
    /// It was voided.
    PendingAlreadyVoided,
    /// Its time is over.
    PendingExpired,
    /// More than is pending; for a void, another amount than the whole.
    PendingAmountExceeded,
    /// No such account to debit.
    DebitAccountNotFound,
    /// No such account to credit.
    CreditAccountNotFound,
    /// An account is kept in another currency.
    AccountCurrencyDiffers,
    /// The account to debit is closed.
    DebitAccountClosed,
    /// The account to credit is closed.
    CreditAccountClosed,
    /// Debits are blocked.
    DebitAccountSuspended,
    /// The value date lies in a closed period.
    PeriodClosed,
    /// A sum would pass 64 bits.
    BalanceOverflow,
    /// Insufficient funds.
    DebitBoundExceeded,
    /// The credited account's bound.
    CreditBoundExceeded,
    /// Another transfer of the group was rejected.
    GroupRejected,
}

/// What became of one transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferResult {
    /// What became of it.
    pub code: ResultCode,
    /// An earlier call did it.
    pub already_applied: bool,
    /// For a conflict: the fields that differ.
    pub differing_fields: Vec<&'static str>,
    /// Where and when it was booked.
    pub booked: Option<Booked>,
}

/// Where and when a transfer was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Its place in the tree.
    pub leaf_index: i64,
    /// When.
    pub booked_at: Timestamp,
    /// The account that was credited.
    pub credited: AccountId,
    /// The batch.
    pub batch_height: i64,
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupResult {
    /// Nothing in it was rejected.
    pub applied: bool,
    /// In the order asked.
    pub transfers: Vec<TransferResult>,
}

// === impl TransferResult ===

impl TransferResult {
    /// A rejection.
    #[must_use]
    pub const fn rejected(code: ResultCode) -> Self {
        Self {
            code,
            already_applied: false,
            differing_fields: Vec::new(),
            booked: None,
        }
    }

    /// Booked by this call.
    pub(super) fn applied(transfer: &Transfer) -> Self {
        Self {
            code: ResultCode::Applied,
            already_applied: false,
            differing_fields: Vec::new(),
            booked: Some(Booked {
                leaf_index: transfer.leaf_index,
                booked_at: transfer.booked_at,
                credited: transfer.credit,
                batch_height: transfer.batch_height,
            }),
        }
    }

    /// Booked by an earlier call.
    pub(super) fn already(transfer: &Transfer) -> Self {
        Self {
            already_applied: true,
            ..Self::applied(transfer)
        }
    }

    pub(super) const fn conflict(differing_fields: Vec<&'static str>) -> Self {
        Self {
            code: ResultCode::IdConflict,
            already_applied: false,
            differing_fields,
            booked: None,
        }
    }
}
