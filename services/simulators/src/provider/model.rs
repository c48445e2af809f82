//! What the provider keeps: payments with their captures, refunds and disputes. Pure data and pure questions about it.

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Currency};
use crate::timestamp::{Day, Timestamp};

/// Why an issuer declines. Part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeclineCode {
    DoNotHonor,
    InsufficientFunds,
    StolenCard,
    ExpiredCard,
    AuthenticationFailed,
    AuthenticationExpired,
}

/// When captured money is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CaptureMethod {
    #[default]
    Automatic,
    Manual,
}

/// Whether the caller wants the payer to be authenticated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authentication {
    /// As the token says.
    #[default]
    Automatic,
    /// Always by a challenge.
    Required,
}

/// What an authorization came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(crate) enum Outcome {
    Authorized,
    Declined {
        code: DeclineCode,
    },
    RequiresAction {
        challenge_id: String,
        expires_at: Timestamp,
    },
}

/// How the payer was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Authenticated {
    Challenge,
    Frictionless,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    RequiresAction,
    Authorized,
    PartiallyCaptured,
    Captured,
    Canceled,
    Declined,
}

/// Whether a capture or refund worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Result {
    Succeeded,
    Failed,
}

/// What a caller sends to start a payment, as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NewPayment {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    pub(crate) token: String,
    pub(crate) reference: String,
    pub(crate) capture_method: CaptureMethod,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merchant_reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) statement_descriptor: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) return_url: Option<String>,
    pub(crate) business_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Capture {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) status: Result,
    pub(crate) fee_minor: i64,
    /// What is left of the authorization after it was released by this capture.
    pub(crate) released_minor: i64,
    pub(crate) business_at: Timestamp,
    pub(crate) settlement_date: Day,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    pub(crate) status: Result,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure_code: Option<String>,
    pub(crate) business_at: Timestamp,
    pub(crate) settlement_date: Day,
}

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) amount: Amount,
    pub(crate) reason: String,
    pub(crate) status: DisputeStatus,
    pub(crate) fee_minor: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<String>,
    pub(crate) business_at: Timestamp,
    pub(crate) settlement_date: Day,
}

/// A payment with all that happened to it.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) new: NewPayment,
    pub(crate) created_at: Timestamp,
    pub(crate) outcome: Outcome,
    pub(crate) authenticated: Option<Authenticated>,
    pub(crate) captured_minor: i64,
    pub(crate) released_minor: i64,
    pub(crate) refunded_minor: i64,
    pub(crate) charged_back_minor: i64,
    pub(crate) captures: Vec<Capture>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) disputes: Vec<Dispute>,
}

// === impl Payment ===

impl Payment {
    pub(crate) fn new(new: NewPayment, outcome: Outcome, created_at: Timestamp) -> Self {
        Self {
            new,
            created_at,
            outcome,
            authenticated: None,
            captured_minor: 0,
            released_minor: 0,
            refunded_minor: 0,
            charged_back_minor: 0,
            captures: Vec::new(),
            refunds: Vec::new(),
            disputes: Vec::new(),
        }
    }

    pub(crate) fn currency(&self) -> Currency {
        self.new.amount.currency
    }

    pub(crate) fn amount(&self, minor: i64) -> Amount {
        Amount {
            minor,
            currency: self.currency(),
        }
    }

    /// What may still be captured.
    pub(crate) fn capturable_minor(&self) -> i64 {
        match self.outcome {
            Outcome::Authorized => {
                self.new.amount.minor - self.captured_minor - self.released_minor
            }
            Outcome::Declined { .. } | Outcome::RequiresAction { .. } => 0,
        }
    }

    /// What may still be given back: what was captured, less refunds and lost or open disputes.
    pub(crate) fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refunded_minor - self.charged_back_minor
    }

    pub(crate) fn status(&self) -> Status {
        match (&self.outcome, self.capturable_minor(), self.captured_minor) {
            (Outcome::RequiresAction { .. }, _, _) if self.released_minor > 0 => Status::Canceled,
            (Outcome::RequiresAction { .. }, _, _) => Status::RequiresAction,
            (Outcome::Declined { .. }, _, _) => Status::Declined,
            (Outcome::Authorized, 0, 0) => Status::Canceled,
            (Outcome::Authorized, 0, _) => Status::Captured,
            (Outcome::Authorized, _, 0) => Status::Authorized,
            (Outcome::Authorized, _, _) => Status::PartiallyCaptured,
        }
    }

    pub(crate) fn refund(&self, id: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    pub(crate) fn dispute(&self, id: &str) -> Option<&Dispute> {
        self.disputes.iter().find(|dispute| dispute.id == id)
    }
}
