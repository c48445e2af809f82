//! Rows become what they stand for, and back.

use paymesh_kernel::id::reexport::Uuid;
use sha2::{Digest as _, Sha256};

use super::{
    StoreError,
    entity::{attempt, dispute, operation, payment_method},
};
use crate::domain::{
    Action, Attempt, AttemptState, CaptureMode, Decline, DeclineReason, Dispute, DisputeState,
    MethodDetails, MethodKind, Operation, OperationKind, OperationState, Origin, PaymentMethod,
    ThreeDs,
};

type Read<T> = Result<T, StoreError>;

// === free functions ===

/// The primary key of an operation.
pub(crate) fn operation_id(operation: &Operation) -> Uuid {
    hash(&[
        operation.tenant.as_uuid().as_bytes(),
        operation.key.as_bytes(),
    ])
}

/// The first half of a SHA-256 over parts with borders.
pub(crate) fn hash(parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(first)
}

fn word<T>(found: Option<T>, column: &'static str) -> Read<T> {
    found.ok_or(StoreError::Corrupt { column })
}

fn read_decline(reason: Option<&str>, code: Option<String>) -> Read<Option<Decline>> {
    let Some(reason) = reason else {
        return Ok(None);
    };
    let reason = word(DeclineReason::parse(reason), "decline_reason")?;
    Ok(Some(Decline::new(reason, code.unwrap_or_default())))
}

fn decline_columns(decline: Option<&Decline>) -> (Option<String>, Option<String>) {
    let reason = decline.map(|decline| decline.reason.as_str().to_owned());
    (reason, decline.map(|decline| decline.code.clone()))
}

pub(crate) fn attempt_row(attempt: &Attempt) -> attempt::Model {
    let (decline_reason, decline_code) = decline_columns(attempt.decline.as_ref());
    let action = attempt.action.clone();
    let (action_url, action_id, action_expires_at) = match action {
        Some(Action {
            url,
            id,
            expires_at,
        }) => (Some(url), Some(id), expires_at),
        None => (None, None, None),
    };
    attempt::Model {
        id: attempt.id,
        tenant_id: attempt.tenant,
        transaction_id: attempt.transaction,
        payment_method_id: attempt.payment_method,
        customer_id: attempt.customer,
        merchant_id: attempt.merchant,
        connector: attempt.connector.clone(),
        reference: attempt.reference.clone(),
        connector_reference: attempt.connector_reference.clone(),
        state: attempt.state.as_str().to_owned(),
        capture: attempt.capture.as_str().to_owned(),
        three_ds: attempt.three_ds.as_str().to_owned(),
        statement_descriptor: attempt.statement_descriptor.clone(),
        return_url: attempt.return_url.clone(),
        currency: attempt.currency.code().to_owned(),
        amount_minor: attempt.amount_minor,
        authorized_minor: attempt.authorized_minor,
        captured_minor: attempt.captured_minor,
        released_minor: attempt.released_minor,
        refunded_minor: attempt.refunded_minor,
        charged_back_minor: attempt.charged_back_minor,
        decline_reason,
        decline_code,
        action_url,
        action_id,
        action_expires_at,
        authorization_expires_at: attempt.authorization_expires_at,
        is_abandoned: attempt.is_abandoned,
        correlation_id: attempt.correlation_id.clone(),
        business_at: attempt.business_at,
        dispute_count: attempt.dispute_count,
        event_sequence: attempt.event_sequence,
        created_at: attempt.created_at,
        updated_at: attempt.updated_at,
        version: attempt.version,
    }
}

pub(crate) fn read_attempt(row: attempt::Model) -> Read<Attempt> {
    let action = match (row.action_url, row.action_id) {
        (Some(url), Some(id)) => Some(Action {
            url,
            id,
            expires_at: row.action_expires_at,
        }),
        _ => None,
    };
    Ok(Attempt {
        id: row.id,
        tenant: row.tenant_id,
        transaction: row.transaction_id,
        payment_method: row.payment_method_id,
        customer: row.customer_id,
        merchant: row.merchant_id,
        connector: row.connector,
        reference: row.reference,
        connector_reference: row.connector_reference,
        state: word(AttemptState::parse(&row.state), "attempts.state")?,
        capture: word(CaptureMode::parse(&row.capture), "attempts.capture")?,
        three_ds: word(ThreeDs::parse(&row.three_ds), "attempts.three_ds")?,
        statement_descriptor: row.statement_descriptor.clone(),
        return_url: row.return_url.clone(),
        currency: word(row.currency.parse().ok(), "attempts.currency")?,
        amount_minor: row.amount_minor,
        authorized_minor: row.authorized_minor,
        captured_minor: row.captured_minor,
        released_minor: row.released_minor,
        refunded_minor: row.refunded_minor,
        charged_back_minor: row.charged_back_minor,
        decline: read_decline(row.decline_reason.as_deref(), row.decline_code)?,
        action,
        authorization_expires_at: row.authorization_expires_at,
        is_abandoned: row.is_abandoned,
        correlation_id: row.correlation_id,
        business_at: row.business_at,
        dispute_count: row.dispute_count,
        event_sequence: row.event_sequence,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

pub(crate) fn operation_row(operation: &Operation, place: usize) -> operation::Model {
    let (decline_reason, decline_code) = decline_columns(operation.decline.as_ref());
    operation::Model {
        id: operation_id(operation),
        attempt_id: operation.attempt,
        tenant_id: operation.tenant,
        key: operation.key.clone(),
        kind: operation.kind.as_str().to_owned(),
        state: operation.state.as_str().to_owned(),
        origin: operation.origin.as_str().to_owned(),
        subject_id: operation.subject,
        fingerprint: operation.fingerprint,
        amount_minor: operation.amount_minor,
        is_final: operation.is_final,
        reason: operation.reason.clone(),
        connector_reference: operation.connector_reference.clone(),
        decline_reason,
        decline_code,
        is_in_flight: operation.is_in_flight,
        sends: operation.sends,
        asks: operation.asks,
        sent_at: operation.sent_at,
        wake_at: operation.wake_at,
        position: i32::try_from(place).unwrap_or(i32::MAX),
        created_at: operation.created_at,
        updated_at: operation.updated_at,
        version: operation.version,
    }
}

pub(crate) fn read_operation(row: operation::Model) -> Read<Operation> {
    Ok(Operation {
        key: row.key,
        attempt: row.attempt_id,
        tenant: row.tenant_id,
        kind: word(OperationKind::parse(&row.kind), "operations.kind")?,
        state: word(OperationState::parse(&row.state), "operations.state")?,
        origin: word(Origin::parse(&row.origin), "operations.origin")?,
        subject: row.subject_id,
        fingerprint: row.fingerprint,
        amount_minor: row.amount_minor,
        is_final: row.is_final,
        reason: row.reason,
        connector_reference: row.connector_reference,
        decline: read_decline(row.decline_reason.as_deref(), row.decline_code)?,
        is_in_flight: row.is_in_flight,
        sends: row.sends,
        asks: row.asks,
        sent_at: row.sent_at,
        wake_at: row.wake_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

pub(crate) fn dispute_row(dispute: &Dispute) -> dispute::Model {
    dispute::Model {
        id: dispute.id,
        tenant_id: dispute.tenant,
        attempt_id: dispute.attempt,
        transaction_id: dispute.transaction,
        customer_id: dispute.customer,
        merchant_id: dispute.merchant,
        connector: dispute.connector.clone(),
        connector_reference: dispute.connector_reference.clone(),
        state: dispute.state.as_str().to_owned(),
        currency: dispute.currency.code().to_owned(),
        amount_minor: dispute.amount_minor,
        fee_minor: dispute.fee_minor,
        reason: dispute.reason.clone(),
        evidence_due_at: dispute.evidence_due_at,
        event_sequence: dispute.event_sequence,
        opened_at: dispute.opened_at,
        updated_at: dispute.updated_at,
        version: dispute.version,
    }
}

pub(crate) fn read_dispute(row: dispute::Model) -> Read<Dispute> {
    Ok(Dispute {
        id: row.id,
        tenant: row.tenant_id,
        attempt: row.attempt_id,
        transaction: row.transaction_id,
        customer: row.customer_id,
        merchant: row.merchant_id,
        connector: row.connector,
        connector_reference: row.connector_reference,
        state: word(DisputeState::parse(&row.state), "disputes.state")?,
        currency: word(row.currency.parse().ok(), "disputes.currency")?,
        amount_minor: row.amount_minor,
        fee_minor: row.fee_minor,
        reason: row.reason,
        evidence_due_at: row.evidence_due_at,
        event_sequence: row.event_sequence,
        opened_at: row.opened_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

pub(crate) fn method_row(method: &PaymentMethod) -> payment_method::Model {
    payment_method::Model {
        id: method.id,
        tenant_id: method.tenant,
        customer_id: method.customer,
        connector: method.connector.clone(),
        kind: method.kind.as_str().to_owned(),
        provider_token: method.token.clone(),
        brand: method.details.brand.clone(),
        last4: method.details.last4.clone(),
        expiry_month: method.details.expiry_month,
        expiry_year: method.details.expiry_year,
        issuer_country: method.details.issuer_country.clone(),
        fingerprint: method.details.fingerprint.clone(),
        expires_at: method.expires_at,
        created_at: method.created_at,
        detached_at: method.detached_at,
        version: method.version,
    }
}

pub(crate) fn read_method(row: payment_method::Model) -> Read<PaymentMethod> {
    Ok(PaymentMethod {
        id: row.id,
        tenant: row.tenant_id,
        customer: row.customer_id,
        connector: row.connector,
        kind: word(MethodKind::parse(&row.kind), "payment_methods.kind")?,
        token: row.provider_token,
        details: MethodDetails {
            brand: row.brand,
            last4: row.last4,
            expiry_month: row.expiry_month,
            expiry_year: row.expiry_year,
            issuer_country: row.issuer_country,
            fingerprint: row.fingerprint,
        },
        expires_at: row.expires_at,
        created_at: row.created_at,
        detached_at: row.detached_at,
        version: row.version,
    })
}
