//! Batches, and what they come to for each merchant and day (S1–S3).
//!
//! The ledger says how much, between two heights of its chain; facts of transactions say when it is due.

use std::collections::{BTreeMap, BTreeSet};

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use paymesh_money::Currency;

use super::{
    ids::{AccountId, BatchId, PositionId, ReleaseId, TransactionId, TransferId},
    words::words,
};

words! {
    /// Where a batch stands.
    BatchState {
        /// Takes what the ledger books.
        Open = "open",
        /// Cut; positions are being computed.
        Closing = "closing",
        /// Positions are known.
        Closed = "closed",
    }
}

/// Which of a merchant's balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Captured, not yet due.
    Pending,
    /// May be paid out.
    Available,
    /// Kept back.
    Reserve,
}

/// Sums in minor units of one currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Captured.
    pub(crate) gross: i64,
    /// Charged to the merchant.
    pub(crate) fees: i64,
    /// Given back to payers.
    pub(crate) refunds: i64,
    /// Taken by the scheme, with what it costs the merchant.
    pub(crate) chargebacks: i64,
    /// Transactions with a capture.
    pub(crate) transactions: i64,
}

/// What is settled together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Names it.
    pub(crate) id: BatchId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Its ledger.
    pub(crate) currency: Currency,
    /// From 1 without gaps in its ledger; only the last one is open.
    pub(crate) number: i64,
    /// Where it stands.
    pub(crate) state: BatchState,
    /// Exclusive.
    pub(crate) from_height: i64,
    /// Inclusive; 0 while open.
    pub(crate) until_height: i64,
    /// Sums of its positions.
    pub(crate) figures: Figures,
    /// When somebody has to look after it.
    pub(crate) next_wake_at: Option<Timestamp>,
    /// Rises with each failure.
    pub(crate) attempts: i32,
    /// When it was opened.
    pub(crate) opened_at: Timestamp,
    /// When it was cut.
    pub(crate) closed_at: Option<Timestamp>,
    /// Facts told so far.
    pub(crate) event_sequence: i64,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// What a batch comes to for one merchant and day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// Names it.
    pub(crate) id: PositionId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Of which batch.
    pub(crate) batch: BatchId,
    /// Of which merchant.
    pub(crate) merchant: MerchantId,
    /// Its ledger.
    pub(crate) currency: Currency,
    /// Sums.
    pub(crate) figures: Figures,
    /// What it adds to merchant.pending, and so is to be released; may be negative.
    pub(crate) pending_minor: i64,
    /// When it is due.
    pub(crate) available_at: Timestamp,
    /// By which release.
    pub(crate) release: Option<ReleaseId>,
    /// When it was released.
    pub(crate) released_at: Option<Timestamp>,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// One movement from merchant.pending to merchant.available, for all positions of a merchant that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// Names it.
    pub(crate) id: ReleaseId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Of which merchant.
    pub(crate) merchant: MerchantId,
    /// Its ledger.
    pub(crate) currency: Currency,
    /// Not below zero; zero moves nothing.
    pub(crate) amount_minor: i64,
    /// Debited.
    pub(crate) pending: AccountId,
    /// Credited.
    pub(crate) available: AccountId,
    /// The transfer.
    pub(crate) transfer: TransferId,
    /// When somebody has to look after it; None when it is booked.
    pub(crate) next_wake_at: Option<Timestamp>,
    /// Rises with each failure.
    pub(crate) attempts: i32,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Rises with each change.
    pub(crate) version: i64,
}

/// Side of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Debit.
    Debit,
    /// Credit.
    Credit,
}

/// What an entry is for, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The tenant's fee.
    Fee,
    /// Money back to the payer.
    Refund,
    /// Taken by the scheme.
    Chargeback,
    /// Opposite of an earlier one.
    Reversal,
    /// What a connector charges.
    ConnectorFee,
    /// Our own movements: releases, reserves, payouts, settlements.
    Own,
    /// Everything else.
    Other,
}

/// One booked entry of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its transaction.
    pub(crate) transaction: Option<TransactionId>,
    /// Above zero.
    pub(crate) minor: i64,
    /// Debit or credit.
    pub(crate) side: Side,
    /// What for.
    pub(crate) purpose: Purpose,
    /// Which batch of the ledger booked it.
    pub(crate) height: i64,
    /// Value date.
    pub(crate) effective_at: Timestamp,
}

/// What facts say of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// When its captures are due.
    pub(crate) available_at: Timestamp,
    /// The scheme has taken it at least once.
    pub(crate) is_charged_back: bool,
}

/// What one day comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// The last moment at which a part of it is due.
    pub(crate) available_at: Timestamp,
    /// Sums.
    pub(crate) figures: Figures,
    /// What it adds to merchant.pending.
    pub(crate) pending_minor: i64,
}

/// A sum is too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sum of settlement is outside the range of 64-bit minor units")]
pub(crate) struct Overflow;

/// Sums under construction; wide, so that only the result must fit.
#[derive(Clone, Debug, Default)]
struct Sums {
    gross: i128,
    fees: i128,
    refunds: i128,
    chargebacks: i128,
    pending: i128,
    captured: BTreeSet<TransactionId>,
    available_at: Option<Timestamp>,
}

// === impl Figures ===

impl Figures {
    /// gross less fees, refunds and chargebacks; None when it does not fit.
    pub(crate) fn net(&self) -> Option<i64> {
        let wide = i128::from(self.gross)
            .checked_sub(i128::from(self.fees))?
            .checked_sub(i128::from(self.refunds))?
            .checked_sub(i128::from(self.chargebacks))?;
        i64::try_from(wide).ok()
    }

    /// The sum of both.
    ///
    /// # Errors
    /// When it does not fit.
    pub(crate) fn plus(&self, other: &Self) -> Result<Self, Overflow> {
        let add = |left: i64, right: i64| left.checked_add(right).ok_or(Overflow);
        Ok(Self {
            gross: add(self.gross, other.gross)?,
            fees: add(self.fees, other.fees)?,
            refunds: add(self.refunds, other.refunds)?,
            chargebacks: add(self.chargebacks, other.chargebacks)?,
            transactions: add(self.transactions, other.transactions)?,
        })
    }
}

// === impl Sums ===

impl Sums {
    fn take(&mut self, share: Share, entry: &Entry, is_charged_back: bool) {
        let minor = i128::from(entry.minor);
        let signed = match entry.side {
            Side::Credit => minor,
            Side::Debit => minor.saturating_neg(),
        };
        if share == Share::Pending {
            self.pending = self.pending.saturating_add(signed);
        }
        let taken = signed.saturating_neg();
        match entry.purpose {
            Purpose::Fee => self.fees = self.fees.saturating_add(taken),
            Purpose::Refund => self.refunds = self.refunds.saturating_add(taken),
            Purpose::Chargeback => self.chargebacks = self.chargebacks.saturating_add(taken),
            Purpose::Reversal if is_charged_back => {
                self.chargebacks = self.chargebacks.saturating_add(taken);
            }
            Purpose::Reversal => self.refunds = self.refunds.saturating_add(taken),
            Purpose::ConnectorFee | Purpose::Own | Purpose::Other => {
                self.gross = self.gross.saturating_add(signed);
                if entry.side == Side::Credit {
                    self.captured.extend(entry.transaction);
                }
            }
        }
    }

    fn figures(&self) -> Result<Figures, Overflow> {
        let fit = |sum: i128| i64::try_from(sum).map_err(|_| Overflow);
        Ok(Figures {
            gross: fit(self.gross)?,
            fees: fit(self.fees)?,
            refunds: fit(self.refunds)?,
            chargebacks: fit(self.chargebacks)?,
            transactions: i64::try_from(self.captured.len()).map_err(|_| Overflow)?,
        })
    }
}

/// True when an entry of such a balance belongs to a position: all of merchant.pending but our own releases (S2), and of the
/// other two what payers and schemes took.
pub(crate) fn counts(share: Share, purpose: Purpose) -> bool {
    match share {
        Share::Pending => purpose != Purpose::Own,
        Share::Available | Share::Reserve => matches!(
            purpose,
            Purpose::Refund | Purpose::Chargeback | Purpose::Reversal
        ),
    }
}

/// Divides a merchant's entries into days on which they are due, in the order of the days. `hint` says what is known of a
/// transaction, or derives it from the entry.
///
/// # Errors
/// When a sum does not fit.
pub(crate) fn slices(
    entries: &[(Share, Entry)],
    hint: impl Fn(&Entry) -> Hint,
) -> Result<Vec<Slice>, Overflow> {
    let mut days: BTreeMap<i64, Sums> = BTreeMap::new();
    for (share, entry) in entries {
        if !counts(*share, entry.purpose) {
            continue;
        }
        let hint = hint(entry);
        let sums = days.entry(hint.available_at.day()).or_default();
        sums.available_at = sums.available_at.max(Some(hint.available_at));
        sums.take(*share, entry, hint.is_charged_back);
    }
    let slice = |sums: &Sums| {
        Ok(Slice {
            available_at: sums.available_at.unwrap_or(Timestamp::EPOCH),
            figures: sums.figures()?,
            pending_minor: i64::try_from(sums.pending).map_err(|_| Overflow)?,
        })
    };
    days.values().map(slice).collect()
}

/// Which of a merchant's due positions are released together, and how much moves: all of them, as soon as they do not come to less
/// than nothing (S3). What is below zero waits for what comes later.
pub(crate) fn releasable(due: &[Position]) -> Option<i64> {
    let total = due.iter().try_fold(0_i128, |total, position| {
        total.checked_add(i128::from(position.pending_minor))
    })?;
    i64::try_from(total)
        .ok()
        .filter(|total| !due.is_empty() && *total >= 0)
}

#[cfg(test)]
mod tests;
