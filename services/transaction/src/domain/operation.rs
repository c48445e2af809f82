//! One operation of a transaction and its saga: the transaction itself, a capture, a refund, a chargeback. Two partial captures
//! are two operations, each with keys, ids and a row of its own.

use paymesh_kernel::Timestamp;
use paymesh_money::Money;
use serde::{Deserialize, Serialize};

use super::{
    CaptureId, DisputeId, OperationId, QuoteId, RefundId, TenantId, TransactionId,
    decline::Decline,
    draw::Draw,
    exchange::{Exchange, Legs},
    ledger::Leg,
    saga::{Direction, Saga, StepKind},
    template::Held,
};

/// What an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// The transaction itself; its id is the transaction's.
    Main,
    /// A capture of an authorized purchase.
    Capture,
    /// A refund.
    Refund,
    /// A chargeback.
    Chargeback,
    /// A chargeback given back: the dispute was won.
    ChargebackReversal,
    /// Success that came too late is given back at the provider.
    LateUndo,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Runs or waits.
    Pending,
    /// Done.
    Completed,
    /// Refused with a reason.
    Declined,
    /// Undone after it had begun.
    Failed,
    /// An answer is missing and is being asked for.
    Unknown,
}

/// Who drives a saga, and until when nobody else may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The instance.
    pub owner: String,
    /// After this moment another instance may take it.
    pub until: Timestamp,
}

/// An operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Names it.
    pub id: OperationId,
    /// Whose.
    pub tenant: TenantId,
    /// Of which transaction.
    pub transaction: TransactionId,
    /// What it is.
    pub kind: OperationKind,
    /// Where it stands.
    pub state: OperationState,
    /// In the transaction's currency.
    pub amount: Money,
    /// Rises with each change, and fences drivers that lost their lease.
    pub version: i64,
    /// None when nobody drives it.
    pub lease: Option<Lease>,
    /// When it is to be looked at; None when nothing is due. A lease's end counts as such a moment.
    pub next_wake_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// How far it has come.
    pub saga: Saga,
    /// The rest.
    pub details: OperationDetails,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it reached an end.
    pub finished_at: Option<Timestamp>,
}

/// What is stored as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationDetails {
    /// Of a capture: none follows, the rest is released.
    pub is_final: bool,
    /// The caller's words, or the scheme's code.
    pub reason: String,
    /// Business time.
    pub business_at: Timestamp,
    /// Set when declined.
    pub decline: Option<Decline>,
    /// Charged with it.
    pub fee: Option<Money>,
    /// A quote that was locked by the caller.
    pub quote: Option<QuoteId>,
    /// Of a refund or chargeback.
    pub exchange: Option<Exchange>,
    /// Of a capture: its share of the transaction's exchange.
    pub legs: Option<Legs>,
    /// Credited to the payee, or taken from it.
    pub payee_amount: Option<Money>,
    /// The part of a refund that came out of merchant.pending.
    pub from_pending: Option<Money>,
    /// Reserved by it in the ledger.
    pub holds: Vec<Held>,
    /// Where a refund draws from.
    pub draws: Vec<Draw>,
    /// What it booked, for its reversal.
    pub booked: Vec<Leg>,
    /// The provider's reference.
    pub connector_reference: String,
    /// Of a chargeback.
    pub dispute: Option<DisputeId>,
    /// What the connector charges for a chargeback.
    pub connector_fee: Option<Money>,
    /// A chargeback whose dispute is lost for good.
    pub is_lost: bool,
    /// The payee's account refuses debits: its fee is netted.
    pub nets_fee: bool,
    /// The value date lies in a closed period: the ledger's own date is taken.
    pub books_today: bool,
    /// A capture's id when the transaction is captured at once.
    pub capture: Option<CaptureId>,
    /// The payment method was not used before.
    pub is_first_use: bool,
}

// === impl OperationKind ===

impl OperationKind {
    /// The word in databases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::ChargebackReversal => "chargeback_reversal",
            Self::LateUndo => "late_undo",
        }
    }
}

// === impl OperationState ===

impl OperationState {
    /// The word in databases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Declined => "declined",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// True when nothing follows.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Completed | Self::Declined | Self::Failed => true,
            Self::Pending | Self::Unknown => false,
        }
    }
}

// === impl OperationDetails ===

impl OperationDetails {
    /// Nothing known but when.
    #[must_use]
    pub const fn new(business_at: Timestamp) -> Self {
        Self {
            is_final: false,
            reason: String::new(),
            business_at,
            decline: None,
            fee: None,
            quote: None,
            exchange: None,
            legs: None,
            payee_amount: None,
            from_pending: None,
            holds: Vec::new(),
            draws: Vec::new(),
            booked: Vec::new(),
            connector_reference: String::new(),
            dispute: None,
            connector_fee: None,
            is_lost: false,
            nets_fee: false,
            books_today: false,
            capture: None,
            is_first_use: false,
        }
    }
}

// === impl Operation ===

impl Operation {
    /// Its id as others see it: `txn_`, `cap_`, `re_` or `dp_` by kind.
    #[must_use]
    pub fn public_id(&self) -> String {
        let uuid = self.id.as_uuid();
        match self.kind {
            OperationKind::Main => TransactionId::from(uuid).to_string(),
            OperationKind::Capture => CaptureId::from(uuid).to_string(),
            OperationKind::Refund | OperationKind::LateUndo => RefundId::from(uuid).to_string(),
            OperationKind::Chargeback | OperationKind::ChargebackReversal => {
                self.details.dispute.map_or_else(
                    || DisputeId::from(uuid).to_string(),
                    |dispute| dispute.to_string(),
                )
            }
        }
    }

    /// The key of one of its steps: `operation id : step : direction` (T9). A chargeback and its reversal share the id of their
    /// dispute, and differ in their steps.
    #[must_use]
    pub fn step_key(&self, step: StepKind, direction: Direction) -> String {
        format!(
            "{}:{}:{}",
            self.public_id(),
            step.as_str(),
            direction.as_str()
        )
    }

    /// True when it is leased at `now`.
    #[must_use]
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.until > now)
    }
}
