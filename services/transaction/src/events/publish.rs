//! What happened becomes facts of the contract.

use std::borrow::Cow;

use paymesh_bus::Event;
use paymesh_kernel::{ChangeSet, Ids, Timestamp};
use paymesh_money::Money;
use paymesh_proto::{
    Fact as Contract,
    transaction::v1::{self as wire},
    types::v1::DeclineReason as WireDecline,
};

use crate::{
    clients::wire::{to_decline, to_money},
    domain::{
        exchange::{Exchange, Legs},
        fact::{Captured, ChargebackStage, ChargedBack, Fact, Refunded, What},
        party::Party,
        transaction::{CaptureMethod, Transaction},
    },
    grpc::convert,
};

/// Puts facts into the change set of what they tell of.
pub(crate) fn publish(changes: &mut ChangeSet, facts: &[Fact], ids: &Ids, request_id: &str) {
    for fact in facts {
        let (kind, payload) = encode(fact);
        let transaction = &fact.transaction;
        paymesh_bus::publish(
            changes,
            Event {
                id: ids.next(),
                tenant: Some(transaction.tenant),
                stream: Cow::Borrowed("transaction"),
                kind: Cow::Borrowed(kind),
                aggregate_type: Cow::Borrowed("transaction"),
                aggregate_id: transaction.id.as_uuid(),
                sequence: fact.sequence,
                causation_id: request_id.to_owned(),
                correlation_id: transaction.id.to_string(),
                occurred_at: fact.at,
                business_at: fact.business_at,
                traceparent: None,
                payload,
            },
        );
    }
}

fn encode(fact: &Fact) -> (&'static str, Vec<u8>) {
    let transaction = &*fact.transaction;
    let snapshot = Some(snapshot(transaction));
    let at = fact.at.as_micros();
    match &fact.what {
        What::Initiated => of(&wire::TransactionInitiated {
            transaction: snapshot,
        }),
        What::Authorized => of(&wire::TransactionAuthorized {
            transaction: snapshot,
            expires_at_us: micros(transaction.details.authorization_expires_at),
        }),
        What::Captured(captured) => of(&capture(transaction, captured, at)),
        What::Updated { previous, reason } => of(&wire::TransactionUpdated {
            transaction: snapshot,
            previous_status: convert::status(*previous).into(),
            reason: reason.clone(),
            changed_at_us: at,
        }),
        What::Completed => of(&wire::TransactionCompleted {
            transaction: snapshot,
            available_at_us: micros(transaction.details.available_at),
            completed_at_us: at,
        }),
        What::Failed { reason } => of(&wire::TransactionFailed {
            transaction: snapshot,
            reason: reason.clone(),
            failed_at_us: at,
        }),
        What::Refunded(refunded) => of(&refund(transaction, refunded, at)),
        What::ChargedBack(charged_back) => of(&chargeback(transaction, charged_back, at)),
    }
}

fn of<F: Contract>(message: &F) -> (&'static str, Vec<u8>) {
    (F::TYPE, message.encode_to_vec())
}

fn capture(transaction: &Transaction, captured: &Captured, at: i64) -> wire::TransactionCaptured {
    let full = transaction.details.exchange.as_ref();
    wire::TransactionCaptured {
        transaction: Some(snapshot(transaction)),
        operation_id: captured.capture.to_string(),
        amount: Some(to_money(captured.amount)),
        merchant_gross: transaction
            .payee
            .merchant()
            .map(|_| to_money(captured.credited)),
        fee: Some(to_money(captured.fee)),
        exchange: full
            .zip(captured.legs.as_ref())
            .map(|(full, legs)| part_of(full, legs)),
        available_at_us: micros(captured.available_at),
        r#final: captured.is_final,
        captured_at_us: at,
    }
}

fn refund(transaction: &Transaction, refunded: &Refunded, at: i64) -> wire::TransactionRefunded {
    wire::TransactionRefunded {
        transaction: Some(snapshot(transaction)),
        refund_id: refunded.refund.to_string(),
        amount: Some(to_money(refunded.amount)),
        merchant_amount: Some(to_money(refunded.taken)),
        exchange: refunded.exchange.as_ref().map(convert::exchange),
        reason: refunded.reason.clone(),
        reversed: refunded.is_reversed,
        refunded_at_us: at,
        merchant_pending_amount: refunded.from_pending.map(to_money),
    }
}

fn chargeback(
    transaction: &Transaction,
    of: &ChargedBack,
    at: i64,
) -> wire::TransactionChargedBack {
    let stage = match of.stage {
        ChargebackStage::Opened => wire::ChargebackStage::Opened,
        ChargebackStage::Won => wire::ChargebackStage::Won,
        ChargebackStage::Lost => wire::ChargebackStage::Lost,
    };
    wire::TransactionChargedBack {
        transaction: Some(snapshot(transaction)),
        dispute_id: of.dispute.to_string(),
        stage: stage.into(),
        amount: Some(to_money(of.amount)),
        merchant_amount: Some(to_money(of.taken)),
        merchant_fee: of.fee.map(to_money),
        connector_fee: of.connector_fee.map(to_money),
        charged_back_at_us: at,
    }
}

fn part_of(full: &Exchange, legs: &Legs) -> wire::Exchange {
    wire::Exchange {
        source: Some(to_money(legs.source)),
        target: Some(to_money(legs.target)),
        spread: Some(to_money(legs.spread)),
        ..convert::exchange(full)
    }
}

fn snapshot(of: &Transaction) -> wire::TransactionSnapshot {
    let details = &of.details;
    let text = |id: Option<String>| id.unwrap_or_default();
    let money = |minor: i64| Some(to_money(of.money(minor)));
    let merchant = of.payee.merchant().or_else(|| of.payer.merchant());
    let terminal = match &of.payee {
        Party::Merchant { terminal, .. } => terminal.map(|id| id.to_string()),
        Party::Account { .. } | Party::Method { .. } | Party::Bank { .. } => None,
    };
    let token = match &of.payee {
        Party::Bank { token } => token.clone(),
        Party::Account { .. } | Party::Method { .. } | Party::Merchant { .. } => String::new(),
    };
    let capture = match details.capture {
        CaptureMethod::Automatic => wire::CaptureMethod::Automatic,
        CaptureMethod::Manual => wire::CaptureMethod::Manual,
    };
    let decline = details
        .decline
        .as_ref()
        .map_or(WireDecline::Unspecified, |decline| {
            to_decline(decline.reason)
        });
    wire::TransactionSnapshot {
        transaction_id: of.id.to_string(),
        kind: convert::kind(of.kind).into(),
        status: convert::status(of.status).into(),
        version: u64::try_from(of.version).unwrap_or(0),
        amount: Some(to_money(of.amount)),
        authorized: money(of.sums.authorized),
        captured: money(of.sums.captured),
        refunded: money(of.sums.refunded.saturating_add(of.sums.lost)),
        fee: Some(to_money(of.fee)).filter(|_| of.fee != Money::zero(of.fee.currency())),
        exchange: details.exchange.as_ref().map(convert::exchange),
        payer_user_id: text(of.payer.user().map(|id| id.to_string())),
        payer_account_id: pays_from(of),
        payment_method_id: text(of.payer.method().map(|id| id.to_string())),
        payee_user_id: text(of.payee.user().map(|id| id.to_string())),
        payee_account_id: text(of.payee.account().map(|id| id.to_string())),
        merchant_id: text(merchant.map(|id| id.to_string())),
        terminal_id: text(terminal),
        bank_destination_token: token,
        capture_method: capture.into(),
        purpose: details.purpose.clone(),
        decline_reason: decline.into(),
        risk_decision_id: text(details.risk.as_ref().map(|risk| risk.decision.to_string())),
        risk_score: details.risk.as_ref().map_or(0, |risk| risk.score),
        country: details.country.clone(),
        attempt_id: text(
            details
                .attempt
                .as_ref()
                .map(|attempt| attempt.id.to_string()),
        ),
        connector: details
            .attempt
            .as_ref()
            .map(|attempt| attempt.connector.clone())
            .unwrap_or_default(),
        business_at_us: of.business_at.as_micros(),
        created_at_us: of.created_at.as_micros(),
        updated_at_us: of.updated_at.as_micros(),
    }
}

/// The account debited: the payer's own, or a merchant's available balance.
fn pays_from(of: &Transaction) -> String {
    let terms = of.details.terms.merchant.as_ref();
    let account = match &of.payer {
        Party::Merchant { .. } => terms.map(|terms| terms.available),
        Party::Account { .. } | Party::Method { .. } | Party::Bank { .. } => of.payer.account(),
    };
    account.map(|id| id.to_string()).unwrap_or_default()
}

fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}
