//! Commands the bank takes, and the facts its journal is made of.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::keys::Fingerprint;
use crate::timestamp::{Day, Timestamp};

/// Something a caller or a timer wants done; already validated by itself.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    PayOut(PayoutOrder),
    Deposit(DepositOrder),
    Return { end_to_end_id: String },
    Timer { due_at: Timestamp, key: u64 },
}

#[derive(Clone, Debug)]
pub(crate) struct PayoutOrder {
    pub(crate) end_to_end_id: String,
    pub(crate) amount: Amount,
    pub(crate) beneficiary: String,
    pub(crate) reference: Option<String>,
    pub(crate) business_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub(crate) struct DepositOrder {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    pub(crate) source: String,
    pub(crate) reference: Option<String>,
    pub(crate) business_at: Option<Timestamp>,
}

/// Where a payout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayoutStatus {
    /// Taken, not booked yet.
    Processing,
    Booked,
    Rejected,
    Returned,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub(crate) id: String,
    pub(crate) end_to_end_id: String,
    pub(crate) amount: Amount,
    pub(crate) beneficiary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) status: PayoutStatus,
    /// Why it was rejected or returned, as ISO 20022 codes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) business_at: Timestamp,
}

/// A deposit. A negative amount takes money out: the provider had more to take back than to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deposit {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    pub(crate) source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) business_at: Timestamp,
}

/// Something that will happen by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub(crate) enum Timer {
    PayoutBooks { end_to_end_id: String },
    PayoutReturns { end_to_end_id: String },
}

/// What a statement line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryKind {
    Deposit,
    Payout,
    PayoutReturn,
}

/// One booked line of the account. Positive amounts come in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) kind: EntryKind,
    /// A payout's end-to-end id, or a deposit's id.
    pub(crate) subject: String,
    pub(crate) amount: Amount,
    pub(crate) booking_date: Day,
    pub(crate) business_at: Timestamp,
}

/// Something that happened. Never changed, never taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Fact {
    PayoutAccepted {
        payout: Payout,
    },
    PayoutBooked {
        end_to_end_id: String,
    },
    PayoutReturned {
        end_to_end_id: String,
        reason: String,
    },
    DepositAccepted {
        deposit: Deposit,
    },
    EntryBooked {
        entry: Entry,
    },
    TimerSet {
        due_at: Timestamp,
        business_at: Timestamp,
        timer: Timer,
    },
    TimerDone {
        due_at: Timestamp,
        key: u64,
    },
    FaultShown {
        scope: Fingerprint,
    },
}
