//! The JSON of the simulated provider, read into our words.

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;
use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::{
    connector::{EvidencePiece, Notice},
    domain::{
        Action, Answer, Decline, DeclineReason, DisputeSeen, DisputeState, Hint, MethodDetails,
        Observation, PartSeen, PartState, SeenStatus,
    },
};

/// What `outcome` says when nothing happened.
pub(super) const NOT_PROCESSED: &str = "not_processed";
/// The code of an authorization that arrives after its cancellation.
pub(super) const REFERENCE_CANCELED: &str = "reference_canceled";

const LONGEST_ID: usize = 128;
const LONGEST_KIND: usize = 64;

#[derive(Deserialize)]
struct Amount {
    minor: i64,
    currency: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PaymentStatus {
    RequiresAction,
    Authorized,
    PartiallyCaptured,
    Captured,
    Canceled,
    Declined,
}

#[derive(Deserialize)]
struct NextAction {
    url: String,
    expires_at: Timestamp,
}

/// A payment.
#[derive(Deserialize)]
pub(super) struct PaymentBody {
    id: String,
    status: PaymentStatus,
    amount: Amount,
    reference: String,
    decline_code: Option<String>,
    next_action: Option<NextAction>,
    captures: Vec<PartBody>,
    refunds: Vec<PartBody>,
    disputes: Vec<DisputeBody>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartStatus {
    Pending,
    Succeeded,
    Failed,
}

/// A capture or refund.
#[derive(Deserialize)]
pub(super) struct PartBody {
    id: String,
    amount: Amount,
    reference: Option<String>,
    status: PartStatus,
    #[serde(default)]
    released_minor: i64,
    failure_code: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DisputeStatus {
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

/// A dispute.
#[derive(Deserialize)]
pub(super) struct DisputeBody {
    id: String,
    amount: Amount,
    reason: String,
    status: DisputeStatus,
    fee_minor: i64,
    evidence_due_at: Option<Timestamp>,
}

/// What a token stands for.
#[derive(Deserialize)]
pub(super) struct TokenBody {
    #[serde(default)]
    brand: String,
    #[serde(default)]
    last4: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    fingerprint: String,
    #[serde(default)]
    expiry_month: i32,
    #[serde(default)]
    expiry_year: i32,
}

/// A refusal (RFC 9457).
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    pub(super) code: String,
    #[serde(default)]
    pub(super) outcome: String,
}

#[derive(Deserialize)]
struct Payments {
    data: Vec<PaymentBody>,
}

#[derive(Deserialize)]
struct Object {
    object: String,
}

#[derive(Deserialize)]
struct EventBody {
    id: String,
    r#type: String,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    payment_id: Option<String>,
    payment_reference: Option<String>,
    object_reference: Option<String>,
}

// === impl PaymentBody ===

impl PaymentBody {
    /// None when it cannot be a payment.
    pub(super) fn seen(self) -> Option<Observation> {
        let currency: Currency = self.amount.currency.parse().ok()?;
        let parts = |parts: Vec<PartBody>| -> Option<Vec<PartSeen>> {
            parts.into_iter().map(PartBody::seen).collect()
        };
        Some(Observation {
            connector_reference: self.id,
            reference: self.reference,
            status: match self.status {
                PaymentStatus::RequiresAction => {
                    SeenStatus::RequiresAction(self.next_action?.action())
                }
                PaymentStatus::Authorized => SeenStatus::Authorized,
                PaymentStatus::PartiallyCaptured => SeenStatus::PartiallyCaptured,
                PaymentStatus::Captured => SeenStatus::Captured,
                PaymentStatus::Canceled => SeenStatus::Canceled,
                PaymentStatus::Declined => {
                    SeenStatus::Declined(decline(self.decline_code.as_deref().unwrap_or_default()))
                }
            },
            currency,
            amount_minor: self.amount.minor,
            authorization_expires_at: None,
            captures: parts(self.captures)?,
            refunds: parts(self.refunds)?,
            disputes: self.disputes.into_iter().map(DisputeBody::seen).collect(),
        })
    }
}

// === impl NextAction ===

impl NextAction {
    fn action(self) -> Action {
        let id = self.url.rsplit('/').next().unwrap_or_default().to_owned();
        Action {
            id,
            url: self.url,
            expires_at: Some(self.expires_at),
        }
    }
}

// === impl PartBody ===

impl PartBody {
    /// None when it cannot be a part of a payment.
    pub(super) fn seen(self) -> Option<PartSeen> {
        let is_possible = self.amount.minor > 0 && self.released_minor >= 0;
        is_possible.then(|| PartSeen {
            reference: self.reference,
            connector_reference: self.id,
            amount_minor: self.amount.minor,
            released_minor: self.released_minor,
            state: match self.status {
                PartStatus::Pending => PartState::Pending,
                PartStatus::Succeeded => PartState::Succeeded,
                PartStatus::Failed => {
                    let code = self.failure_code.unwrap_or_default();
                    PartState::Failed(Decline::new(DeclineReason::ProviderDeclined, code))
                }
            },
        })
    }
}

// === impl DisputeBody ===

impl DisputeBody {
    pub(super) fn seen(self) -> DisputeSeen {
        DisputeSeen {
            connector_reference: self.id,
            amount_minor: self.amount.minor,
            fee_minor: self.fee_minor,
            reason: self.reason,
            evidence_due_at: self.evidence_due_at,
            state: match self.status {
                DisputeStatus::NeedsResponse => DisputeState::Opened,
                DisputeStatus::UnderReview => DisputeState::EvidenceSubmitted,
                DisputeStatus::Won => DisputeState::Won,
                DisputeStatus::Lost => DisputeState::Lost,
            },
        }
    }
}

// === impl TokenBody ===

impl TokenBody {
    pub(super) fn details(self) -> MethodDetails {
        MethodDetails {
            brand: self.brand,
            last4: self.last4,
            expiry_month: self.expiry_month,
            expiry_year: self.expiry_year,
            issuer_country: self.country,
            fingerprint: self.fingerprint,
        }
    }
}

// === impl Problem ===

impl Problem {
    /// Another request holds the key.
    pub(super) fn is_about_the_key(&self) -> bool {
        matches!(self.code.as_str(), "key_in_flight" | "key_reused")
    }
}

// === free functions ===

/// None when the bytes are something else.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

pub(super) fn read_problem(body: &[u8]) -> Option<Problem> {
    read(body)
}

/// The payment of a list by reference, where there is at most one; None when the bytes are something else.
pub(super) fn read_first_payment(body: &[u8]) -> Option<Option<Observation>> {
    match read::<Payments>(body)?.data.into_iter().next() {
        None => Some(None),
        Some(payment) => payment.seen().map(Some),
    }
}

/// A cancellation by reference is answered with the payment, or with a tombstone when there is none yet.
pub(super) fn read_cancellation(body: &[u8]) -> Answer {
    match read::<Object>(body) {
        Some(Object { object }) if object == "cancellation" => Answer::Tombstone,
        _ => read::<PaymentBody>(body)
            .and_then(PaymentBody::seen)
            .map_or(Answer::Unknown, |seen| Answer::Reply(Box::new(seen))),
    }
}

/// A decline in our words.
pub(super) fn decline(code: &str) -> Decline {
    let reason = match code {
        "insufficient_funds" => DeclineReason::InsufficientFunds,
        "do_not_honor" => DeclineReason::DoNotHonor,
        "stolen_card" => DeclineReason::LostOrStolen,
        "expired_card" => DeclineReason::PaymentMethodExpired,
        "authentication_failed" => DeclineReason::ActionFailed,
        "authentication_expired" => DeclineReason::ActionExpired,
        "unknown_token" | "card_number_refused" => DeclineReason::PaymentMethodInvalid,
        "currency_mismatch" => DeclineReason::CurrencyNotSupported,
        _ => DeclineReason::ProviderDeclined,
    };
    Decline::new(reason, code)
}

/// The event of a webhook.
pub(super) fn read_notice(body: &[u8]) -> Option<Notice> {
    let event: EventBody = read(body)?;
    let is_named = (1..=LONGEST_ID).contains(&event.id.len()) && event.r#type.len() <= LONGEST_KIND;
    let hint = match event.r#type.as_str() {
        "payment.authorized" => Some(Hint::Authorized),
        "payment.declined" => Some(Hint::Declined),
        "payment.requires_action" => Some(Hint::RequiresAction),
        "payment.captured" => Some(Hint::Captured),
        "payment.capture_failed" => Some(Hint::CaptureFailed),
        "payment.canceled" => Some(Hint::Canceled),
        "refund.succeeded" => Some(Hint::Refunded),
        _ => None,
    };
    is_named.then_some(Notice {
        event_id: event.id,
        kind: event.r#type,
        connector_reference: event.data.payment_id,
        reference: event.data.payment_reference,
        hint,
        part: event.data.object_reference,
    })
}

/// The provider takes one text: pieces one under the other, files by type, size and digest.
pub(super) fn evidence_text(pieces: &[EvidencePiece]) -> String {
    let mut lines = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut line = format!("{}: {}", piece.kind, piece.text);
        if !piece.file.is_empty() {
            let (kind, bytes) = (&piece.media_type, piece.file.len());
            let digest = hex::encode(Sha256::digest(&piece.file));
            line.push_str(&format!(" [{kind}, {bytes} bytes, sha256 {digest}]"));
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_read_with_its_parts() {
        let body = br#"{"object":"payment","id":"pay_1","status":"partially_captured",
            "amount":{"minor":1000,"currency":"EUR"},"reference":"r","captures":[
            {"object":"capture","id":"cap_1","amount":{"minor":400,"currency":"EUR"},"reference":"k",
             "status":"succeeded","fee_minor":5,"released_minor":0}],
            "refunds":[],"disputes":[{"id":"dsp_1","amount":{"minor":400,"currency":"EUR"},
             "reason":"fraudulent","status":"needs_response","fee_minor":1500}]}"#;
        let seen = read::<PaymentBody>(body).and_then(PaymentBody::seen);
        let seen = seen.expect("a payment");
        assert_eq!(seen.status, SeenStatus::PartiallyCaptured);
        assert_eq!((seen.captures.len(), seen.disputes.len()), (1, 1));
        assert_eq!(seen.disputes[0].state, DisputeState::Opened);
    }

    #[test]
    fn what_is_no_payment_is_no_payment() {
        for body in [&b"{}"[..], b"", b"[]", br#"{"object":"cancellation"}"#] {
            assert!(read::<PaymentBody>(body).is_none());
        }
        let tombstone = read_cancellation(br#"{"object":"cancellation"}"#);
        assert_eq!(tombstone, Answer::Tombstone);
        assert_eq!(read_cancellation(b"<html>"), Answer::Unknown);
    }
}
