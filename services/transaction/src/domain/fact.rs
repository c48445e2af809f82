//! What happened to a transaction, as others are told.

use paymesh_kernel::Timestamp;
use paymesh_money::Money;

use super::{
    CaptureId, DisputeId, RefundId,
    exchange::{Exchange, Legs},
    status::Status,
    transaction::Transaction,
};

/// Where a chargeback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargebackStage {
    /// The scheme took the money.
    Opened,
    /// It gave it back.
    Won,
    /// It stays taken.
    Lost,
}

/// A fact with the transaction as it then was.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its number among the facts of the transaction.
    pub sequence: i64,
    /// As it then was.
    pub transaction: Box<Transaction>,
    /// What happened.
    pub what: What,
    /// When, by the clock.
    pub at: Timestamp,
    /// When, in business time.
    pub business_at: Timestamp,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Recorded; the saga runs.
    Initiated,
    /// Reserved.
    Authorized,
    /// One capture is booked.
    Captured(Captured),
    /// Another state.
    Updated {
        /// Before.
        previous: Status,
        /// Upper snake case.
        reason: String,
    },
    /// Done.
    Completed,
    /// Ended without money.
    Failed {
        /// Upper snake case.
        reason: String,
    },
    /// A refund is booked, or its booking reversed.
    Refunded(Refunded),
    /// A chargeback is booked, reversed, or stays.
    ChargedBack(ChargedBack),
}

/// One capture.
#[derive(Clone, Debug, PartialEq)]
pub struct Captured {
    /// Its id.
    pub capture: CaptureId,
    /// Of it, in the payer's currency.
    pub amount: Money,
    /// Credited to the payee.
    pub credited: Money,
    /// Of it.
    pub fee: Money,
    /// Of it.
    pub legs: Option<Legs>,
    /// When the merchant's plan makes it available.
    pub available_at: Option<Timestamp>,
    /// None follows.
    pub is_final: bool,
}

/// One refund.
#[derive(Clone, Debug, PartialEq)]
pub struct Refunded {
    /// Its id.
    pub refund: RefundId,
    /// Given back, in the payer's currency.
    pub amount: Money,
    /// Taken from the payee.
    pub taken: Money,
    /// The part of it that came out of merchant.pending.
    pub from_pending: Option<Money>,
    /// Of it.
    pub exchange: Option<Exchange>,
    /// The caller's words.
    pub reason: String,
    /// The provider failed it later.
    pub is_reversed: bool,
}

/// One chargeback.
#[derive(Clone, Debug, PartialEq)]
pub struct ChargedBack {
    /// Its dispute.
    pub dispute: DisputeId,
    /// Where it stands.
    pub stage: ChargebackStage,
    /// In the payer's currency.
    pub amount: Money,
    /// Taken from the payee, or given back.
    pub taken: Money,
    /// Charged to the payee.
    pub fee: Option<Money>,
    /// Charged by the connector.
    pub connector_fee: Option<Money>,
}
