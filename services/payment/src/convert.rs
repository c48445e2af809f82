//! Our words become the contract's, and back. Facts and answers show things alike.

use std::fmt::Display;

use paymesh_kernel::Timestamp;
use paymesh_money::Currency;
use paymesh_proto::{
    payment::v1 as proto,
    types::v1::{DeclineReason as ProtoDecline, Money},
};

use crate::domain::{
    Attempt, AttemptState, Book, CaptureId, Decline, DeclineReason, Dispute, DisputeId,
    DisputeState, MethodKind, MethodState, Operation, OperationKind, OperationState, PaymentMethod,
    RefundId,
};

// === free functions ===

/// Microseconds; 0 for none.
pub(crate) fn moment(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}

/// An id's text; empty for none.
pub(crate) fn optional<T: Display>(id: Option<&T>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

pub(crate) fn money(minor: i64, currency: Currency) -> Money {
    Money {
        minor,
        currency: currency.code().to_owned(),
    }
}

pub(crate) const fn attempt_state(state: AttemptState) -> proto::AttemptState {
    match state {
        AttemptState::Created => proto::AttemptState::Created,
        AttemptState::Unknown => proto::AttemptState::Unknown,
        AttemptState::RequiresAction => proto::AttemptState::RequiresAction,
        AttemptState::Authorized => proto::AttemptState::Authorized,
        AttemptState::PartiallyCaptured => proto::AttemptState::PartiallyCaptured,
        AttemptState::Captured => proto::AttemptState::Captured,
        AttemptState::Canceled => proto::AttemptState::Canceled,
        AttemptState::Declined => proto::AttemptState::Declined,
        AttemptState::Failed => proto::AttemptState::Failed,
        AttemptState::Expired => proto::AttemptState::Expired,
    }
}

pub(crate) fn decline_reason(decline: Option<&Decline>) -> ProtoDecline {
    let Some(decline) = decline else {
        return ProtoDecline::Unspecified;
    };
    match decline.reason {
        DeclineReason::InsufficientFunds => ProtoDecline::InsufficientFunds,
        DeclineReason::ActionFailed => ProtoDecline::ActionFailed,
        DeclineReason::ActionExpired => ProtoDecline::ActionExpired,
        DeclineReason::PaymentMethodInvalid => ProtoDecline::PaymentMethodInvalid,
        DeclineReason::PaymentMethodExpired => ProtoDecline::PaymentMethodExpired,
        DeclineReason::IssuerDeclined => ProtoDecline::IssuerDeclined,
        DeclineReason::DoNotHonor => ProtoDecline::DoNotHonor,
        DeclineReason::LostOrStolen => ProtoDecline::LostOrStolen,
        DeclineReason::LimitExceeded => ProtoDecline::LimitExceeded,
        DeclineReason::CurrencyNotSupported => ProtoDecline::CurrencyNotSupported,
        DeclineReason::ProviderDeclined => ProtoDecline::ProviderDeclined,
    }
}

pub(crate) const fn method_kind(kind: MethodKind) -> proto::PaymentMethodKind {
    match kind {
        MethodKind::Card => proto::PaymentMethodKind::Card,
        MethodKind::BankAccount => proto::PaymentMethodKind::BankAccount,
        MethodKind::Wallet => proto::PaymentMethodKind::Wallet,
    }
}

pub(crate) const fn method_state(state: MethodState) -> proto::PaymentMethodState {
    match state {
        MethodState::Active => proto::PaymentMethodState::Active,
        MethodState::Expired => proto::PaymentMethodState::Expired,
        MethodState::Detached => proto::PaymentMethodState::Detached,
    }
}

pub(crate) const fn dispute_state(state: DisputeState) -> proto::DisputeState {
    match state {
        DisputeState::Opened => proto::DisputeState::Opened,
        DisputeState::EvidenceSubmitted => proto::DisputeState::EvidenceSubmitted,
        DisputeState::Won => proto::DisputeState::Won,
        DisputeState::Lost => proto::DisputeState::Lost,
    }
}

const fn operation_state(state: OperationState) -> proto::AttemptOperationState {
    match state {
        OperationState::Pending => proto::AttemptOperationState::Pending,
        OperationState::Unknown => proto::AttemptOperationState::Unknown,
        OperationState::Succeeded => proto::AttemptOperationState::Succeeded,
        OperationState::Declined => proto::AttemptOperationState::Declined,
        OperationState::Failed | OperationState::Reversed => proto::AttemptOperationState::Failed,
    }
}

pub(crate) fn snapshot(attempt: &Attempt) -> proto::AttemptSnapshot {
    let money_of = |minor| Some(money(minor, attempt.currency));
    proto::AttemptSnapshot {
        attempt_id: attempt.id.to_string(),
        transaction_id: attempt.transaction.to_string(),
        payment_method_id: attempt.payment_method.to_string(),
        customer_id: optional(attempt.customer.as_ref()),
        merchant_id: optional(attempt.merchant.as_ref()),
        connector: attempt.connector.clone(),
        reference: attempt.reference.clone(),
        connector_reference: attempt.connector_reference.clone().unwrap_or_default(),
        state: attempt_state(attempt.state).into(),
        amount: money_of(attempt.amount_minor),
        authorized: money_of(attempt.authorized_minor),
        captured: money_of(attempt.captured_minor),
        refunded: money_of(attempt.refunded_minor),
        decline_reason: decline_reason(attempt.decline.as_ref()).into(),
        decline_code: decline_code(attempt.decline.as_ref()),
        updated_at_us: attempt.updated_at.as_micros(),
    }
}

/// An attempt with its operations; evidence shows with its dispute instead.
pub(crate) fn attempt(book: &Book) -> proto::PaymentAttempt {
    let attempt = &book.attempt;
    let money_of = |minor| Some(money(minor, attempt.currency));
    let is_waiting = attempt.state == AttemptState::RequiresAction;
    let action = attempt.action.as_ref().filter(|_| is_waiting);
    proto::PaymentAttempt {
        id: attempt.id.to_string(),
        transaction_id: attempt.transaction.to_string(),
        payment_method_id: attempt.payment_method.to_string(),
        connector: attempt.connector.clone(),
        reference: attempt.reference.clone(),
        connector_reference: attempt.connector_reference.clone().unwrap_or_default(),
        state: attempt_state(attempt.state).into(),
        amount: money_of(attempt.amount_minor),
        authorized: money_of(attempt.authorized_minor),
        captured: money_of(attempt.captured_minor),
        refunded: money_of(attempt.refunded_minor),
        decline_reason: decline_reason(attempt.decline.as_ref()).into(),
        decline_code: decline_code(attempt.decline.as_ref()),
        action: action.map(|action| proto::AttemptAction {
            url: action.url.clone(),
            action_id: action.id.clone(),
            expires_at_us: moment(action.expires_at),
        }),
        authorization_expires_at_us: moment(attempt.authorization_expires_at),
        created_at_us: attempt.created_at.as_micros(),
        updated_at_us: attempt.updated_at.as_micros(),
        operations: book
            .operations
            .iter()
            .filter_map(|one| operation(book, one))
            .collect(),
    }
}

/// None for evidence, which is no operation of the contract.
pub(crate) fn operation(book: &Book, operation: &Operation) -> Option<proto::AttemptOperation> {
    let (kind, id) = match operation.kind {
        OperationKind::Authorize => (
            proto::AttemptOperationKind::Authorize,
            book.attempt.id.to_string(),
        ),
        OperationKind::Cancel => (
            proto::AttemptOperationKind::Cancel,
            book.attempt.id.to_string(),
        ),
        OperationKind::Capture => (
            proto::AttemptOperationKind::Capture,
            CaptureId::from(operation.subject).to_string(),
        ),
        OperationKind::Refund => (
            proto::AttemptOperationKind::Refund,
            RefundId::from(operation.subject).to_string(),
        ),
        OperationKind::Evidence => return None,
    };
    Some(proto::AttemptOperation {
        key: operation.key.clone(),
        id,
        kind: kind.into(),
        state: operation_state(operation.state).into(),
        amount: Some(money(operation.amount_minor, book.attempt.currency)),
        connector_reference: operation.connector_reference.clone().unwrap_or_default(),
        decline_reason: decline_reason(operation.decline.as_ref()).into(),
        decline_code: decline_code(operation.decline.as_ref()),
        created_at_us: operation.created_at.as_micros(),
        updated_at_us: operation.updated_at.as_micros(),
    })
}

pub(crate) fn dispute(dispute: &Dispute) -> proto::Dispute {
    let fee = (dispute.fee_minor != 0).then(|| money(dispute.fee_minor, dispute.currency));
    let id: DisputeId = dispute.id;
    proto::Dispute {
        id: id.to_string(),
        attempt_id: dispute.attempt.to_string(),
        transaction_id: dispute.transaction.to_string(),
        connector: dispute.connector.clone(),
        connector_reference: dispute.connector_reference.clone(),
        state: dispute_state(dispute.state).into(),
        amount: Some(money(dispute.amount_minor, dispute.currency)),
        connector_fee: fee,
        reason: dispute.reason.clone(),
        evidence_due_at_us: moment(dispute.evidence_due_at),
        opened_at_us: dispute.opened_at.as_micros(),
        updated_at_us: dispute.updated_at.as_micros(),
    }
}

pub(crate) fn method(method: &PaymentMethod, now: Timestamp) -> proto::PaymentMethod {
    proto::PaymentMethod {
        id: method.id.to_string(),
        customer_id: method.customer.to_string(),
        connector: method.connector.clone(),
        kind: method_kind(method.kind).into(),
        state: method_state(method.state(now)).into(),
        brand: method.details.brand.clone(),
        last4: method.details.last4.clone(),
        expiry_month: method.details.expiry_month,
        expiry_year: method.details.expiry_year,
        issuer_country: method.details.issuer_country.clone(),
        fingerprint: method.details.fingerprint.clone(),
        created_at_us: method.created_at.as_micros(),
        detached_at_us: moment(method.detached_at),
    }
}

fn decline_code(decline: Option<&Decline>) -> String {
    decline
        .map(|decline| decline.code.clone())
        .unwrap_or_default()
}
