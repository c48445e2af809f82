//! Commands the provider takes, and the facts its journal is made of. Facts are also what `GET /v1/record` shows.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::keys::Fingerprint;
use crate::provider::model::{
    Authentication, Capture, CaptureMethod, Dispute, NewPayment, Outcome, Refund,
};
use crate::provider::token::Card;
use crate::timestamp::{Day, Timestamp};

/// A payment's place in the state: the number within its id.
pub(crate) type PaymentKey = u64;

/// Something a caller or a timer wants done; already validated by itself.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    Authorize(Box<Authorize>),
    AnswerChallenge {
        challenge_id: String,
        passed: Passed,
    },
    Capture {
        payment: PaymentKey,
        order: Order,
        rest: Rest,
    },
    Cancel {
        payment: PaymentKey,
    },
    CancelReference {
        reference: String,
    },
    Refund {
        payment: PaymentKey,
        order: Order,
    },
    OpenDispute {
        payment: PaymentKey,
        amount_minor: Option<i64>,
        reason: String,
    },
    SubmitEvidence {
        dispute_id: String,
        text: String,
    },
    CloseDispute {
        dispute_id: String,
        verdict: Verdict,
    },
    CloseDay {
        through: Day,
    },
    Timer {
        due_at: Timestamp,
        key: u64,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Authorize {
    pub(crate) amount: Amount,
    pub(crate) card: Card,
    pub(crate) reference: String,
    pub(crate) capture_method: CaptureMethod,
    pub(crate) authentication: Authentication,
    pub(crate) merchant_reference: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) business_at: Option<Timestamp>,
}

/// What a capture or refund asks for. Without an amount: all that is left.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) amount: Option<Amount>,
    pub(crate) reference: Option<String>,
    pub(crate) business_at: Option<Timestamp>,
}

/// What becomes of the part of an authorization that a capture leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Keep,
    Release,
}

/// What the payer did with a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    Yes,
    No,
}

/// How a dispute ends, from the merchant's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Won,
    Lost,
}

/// Something that will happen by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "timer", rename_all = "snake_case")]
pub(crate) enum Timer {
    ChallengeExpires {
        payment_id: String,
    },
    RefundFails {
        payment_id: String,
        refund_id: String,
    },
    DisputeOpens {
        payment_id: String,
    },
    DisputeDecided {
        payment_id: String,
        dispute_id: String,
        verdict: Verdict,
    },
}

/// Money of one currency that a closed report pays out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settlement {
    pub(crate) id: String,
    pub(crate) date: Day,
    pub(crate) net: Amount,
    pub(crate) gross_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) lines: u64,
    pub(crate) business_at: Timestamp,
}

/// A refund that failed after it had succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefundFailure {
    pub(crate) refund_id: String,
    pub(crate) amount: Amount,
    pub(crate) business_at: Timestamp,
    pub(crate) settlement_date: Day,
}

/// How a dispute ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DisputeClosing {
    pub(crate) dispute_id: String,
    pub(crate) amount: Amount,
    pub(crate) verdict: Verdict,
    pub(crate) business_at: Timestamp,
    pub(crate) settlement_date: Day,
}

/// Something that happened. Never changed, never taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Fact {
    PaymentCreated {
        payment: NewPayment,
        outcome: Outcome,
    },
    ChallengeAnswered {
        payment_id: String,
        outcome: Outcome,
    },
    CaptureMade {
        payment_id: String,
        capture: Capture,
    },
    PaymentCanceled {
        payment_id: String,
        released: Amount,
        business_at: Timestamp,
    },
    /// A cancellation that came before its payment; the payment will be refused.
    ReferenceCanceled {
        reference: String,
    },
    RefundMade {
        payment_id: String,
        refund: Refund,
    },
    RefundFailed {
        payment_id: String,
        failure: RefundFailure,
    },
    DisputeOpened {
        payment_id: String,
        dispute: Dispute,
    },
    EvidenceSubmitted {
        payment_id: String,
        dispute_id: String,
        evidence: String,
    },
    DisputeClosed {
        payment_id: String,
        closing: DisputeClosing,
    },
    DayClosed {
        through: Day,
        settlements: Vec<Settlement>,
    },
    DepositAccepted {
        settlement_id: String,
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
    WebhookTargets {
        targets: Vec<String>,
    },
    WebhooksDone {
        target: String,
        delivered: Vec<u64>,
        abandoned: Vec<u64>,
    },
}
