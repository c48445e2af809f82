//! Rows become domain values, and back.

use paymesh_money::{Currency, Money};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    StoreError,
    entity::{operation, transaction},
};
use crate::domain::{
    operation::{Lease, Operation, OperationKind, OperationState},
    party::Party,
    status::{Kind, Status},
    transaction::{Sums, Transaction},
};

#[derive(Serialize)]
struct PartiesOut<'a> {
    payer: &'a Party,
    payee: &'a Party,
}

#[derive(Deserialize)]
struct PartiesIn {
    payer: Party,
    payee: Party,
}

pub(super) fn to_transaction_row(of: &Transaction) -> transaction::Model {
    let Sums {
        authorized,
        captured,
        capturing,
        refunded,
        refunding,
        charged_back,
        charging_back,
        beyond,
        lost,
    } = of.sums;
    transaction::Model {
        id: of.id,
        tenant_id: of.tenant,
        kind: of.kind.as_str().to_owned(),
        status: of.status.as_str().to_owned(),
        version: of.version,
        event_sequence: of.event_sequence,
        currency: of.amount.currency().code().to_owned(),
        amount_minor: of.amount.minor(),
        authorized_minor: authorized,
        captured_minor: captured,
        capturing_minor: capturing,
        refunded_minor: refunded,
        refunding_minor: refunding,
        charged_back_minor: charged_back,
        charging_back_minor: charging_back,
        beyond_minor: beyond,
        lost_minor: lost,
        fee_currency: of.fee.currency().code().to_owned(),
        fee_minor: of.fee.minor(),
        credited_minor: of.credited_minor,
        drawn_minor: of.drawn_minor,
        payment_method_id: of.payer.method(),
        parties: json(&PartiesOut {
            payer: &of.payer,
            payee: &of.payee,
        }),
        details: json(&of.details),
        business_at: of.business_at,
        created_at: of.created_at,
        updated_at: of.updated_at,
        ended_at: of.ended_at,
    }
}

pub(super) fn to_transaction(row: transaction::Model) -> Result<Transaction, StoreError> {
    const WHAT: &str = "transaction";
    let parties: PartiesIn = parse(&row.parties, WHAT)?;
    Ok(Transaction {
        id: row.id,
        tenant: row.tenant_id,
        kind: kind(&row.kind)?,
        status: status(&row.status)?,
        version: row.version,
        event_sequence: row.event_sequence,
        amount: Money::new(row.amount_minor, currency(&row.currency, WHAT)?),
        sums: Sums {
            authorized: row.authorized_minor,
            captured: row.captured_minor,
            capturing: row.capturing_minor,
            refunded: row.refunded_minor,
            refunding: row.refunding_minor,
            charged_back: row.charged_back_minor,
            charging_back: row.charging_back_minor,
            beyond: row.beyond_minor,
            lost: row.lost_minor,
        },
        fee: Money::new(row.fee_minor, currency(&row.fee_currency, WHAT)?),
        credited_minor: row.credited_minor,
        drawn_minor: row.drawn_minor,
        payer: parties.payer,
        payee: parties.payee,
        details: parse(&row.details, WHAT)?,
        business_at: row.business_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        ended_at: row.ended_at,
    })
}

pub(super) fn to_operation_row(of: &Operation) -> operation::Model {
    operation::Model {
        id: of.id,
        tenant_id: of.tenant,
        transaction_id: of.transaction,
        kind: of.kind.as_str().to_owned(),
        state: of.state.as_str().to_owned(),
        currency: of.amount.currency().code().to_owned(),
        amount_minor: of.amount.minor(),
        version: of.version,
        lease_owner: of
            .lease
            .as_ref()
            .map(|lease| lease.owner.clone())
            .unwrap_or_default(),
        lease_until: of.lease.as_ref().map(|lease| lease.until),
        next_wake_at: of.next_wake_at,
        failures: i32::try_from(of.failures).unwrap_or(i32::MAX),
        saga: json(&of.saga),
        details: json(&of.details),
        created_at: of.created_at,
        finished_at: of.finished_at,
    }
}

pub(super) fn to_operation(row: operation::Model) -> Result<Operation, StoreError> {
    const WHAT: &str = "operation";
    let corrupt = StoreError::Corrupt { what: WHAT };
    Ok(Operation {
        id: row.id,
        tenant: row.tenant_id,
        transaction: row.transaction_id,
        kind: OPERATION_KINDS
            .into_iter()
            .find(|kind| kind.as_str() == row.kind)
            .ok_or(corrupt)?,
        state: OPERATION_STATES
            .into_iter()
            .find(|state| state.as_str() == row.state)
            .ok_or(StoreError::Corrupt { what: WHAT })?,
        amount: Money::new(row.amount_minor, currency(&row.currency, WHAT)?),
        version: row.version,
        lease: row.lease_until.map(|until| Lease {
            owner: row.lease_owner,
            until,
        }),
        next_wake_at: row.next_wake_at,
        failures: u32::try_from(row.failures).unwrap_or(0),
        saga: parse(&row.saga, WHAT)?,
        details: parse(&row.details, WHAT)?,
        created_at: row.created_at,
        finished_at: row.finished_at,
    })
}

const OPERATION_KINDS: [OperationKind; 6] = [
    OperationKind::Main,
    OperationKind::Capture,
    OperationKind::Refund,
    OperationKind::Chargeback,
    OperationKind::ChargebackReversal,
    OperationKind::LateUndo,
];

const OPERATION_STATES: [OperationState; 5] = [
    OperationState::Pending,
    OperationState::Completed,
    OperationState::Declined,
    OperationState::Failed,
    OperationState::Unknown,
];

pub(super) fn kind(text: &str) -> Result<Kind, StoreError> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or(StoreError::Corrupt { what: "kind" })
}

pub(super) fn status(text: &str) -> Result<Status, StoreError> {
    Status::ALL
        .into_iter()
        .find(|status| status.as_str() == text)
        .ok_or(StoreError::Corrupt { what: "status" })
}

pub(super) fn currency(code: &str, what: &'static str) -> Result<Currency, StoreError> {
    code.parse().map_err(|_| StoreError::Corrupt { what })
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value)
        .expect("values of the domain have text keys only, so they are JSON")
}

fn parse<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what })
}
