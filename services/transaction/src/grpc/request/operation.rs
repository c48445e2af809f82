//! Requests about a transaction that exists.

use paymesh_proto::transaction::v1 as wire;

use super::{TEXT, fingerprint};
use crate::{
    app::command::{BankWord, ChargebackWord, Keyed, PartOf, Verification},
    domain::{
        TransactionId, command::Finality, fact::ChargebackStage, ids::ResolutionId, status::Status,
        transaction::Resolution,
    },
    error::Error,
    grpc::{convert, read::Reader},
};

/// Bytes of what a verification returned.
const RESPONSE: usize = 2_048;

pub(in crate::grpc) fn capture(
    mut request: wire::CaptureRequest,
) -> Result<(PartOf, Finality), Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let amount = reader.maybe_money("amount", request.amount.as_ref());
    let business_at = reader.moment("business_at", request.business_at_us);
    let wait_ms = reader.wait(request.wait_ms);
    let finality = if request.r#final {
        Finality::Last
    } else {
        Finality::MoreMayFollow
    };
    let part = transaction.map(|transaction| PartOf {
        keyed: Keyed {
            key,
            asked,
            transaction,
            wait_ms,
        },
        amount,
        reason: String::new(),
        business_at,
    });
    Ok((reader.finish(part)?, finality))
}

pub(in crate::grpc) fn refund(mut request: wire::RefundRequest) -> Result<PartOf, Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let amount = reader.maybe_money("amount", request.amount.as_ref());
    let reason = reader.text("reason", &request.reason, TEXT);
    let business_at = reader.moment("business_at", request.business_at_us);
    let wait_ms = reader.wait(request.wait_ms);
    let part = transaction.map(|transaction| PartOf {
        keyed: Keyed {
            key,
            asked,
            transaction,
            wait_ms,
        },
        amount,
        reason,
        business_at,
    });
    reader.finish(part)
}

pub(in crate::grpc) fn cancel(
    mut request: wire::CancelTransactionRequest,
) -> Result<(Keyed, String), Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let reason = reader.text("reason", &request.reason, TEXT);
    let wait_ms = reader.wait(request.wait_ms);
    let keyed = transaction.map(|transaction| Keyed {
        key,
        asked,
        transaction,
        wait_ms,
    });
    Ok((reader.finish(keyed)?, reason))
}

pub(in crate::grpc) fn complete_action(
    mut request: wire::CompleteActionRequest,
) -> Result<(Keyed, Verification), Error> {
    let key = std::mem::take(&mut request.idempotency_key);
    let asked = fingerprint(&request);
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    if request.response.len() > RESPONSE {
        reader.refuse("response", format!("must have at most {RESPONSE} bytes"));
    }
    let action_id = reader.text("action_id", &request.action_id, TEXT);
    let wait_ms = reader.wait(request.wait_ms);
    let keyed = transaction.map(|transaction| Keyed {
        key,
        asked,
        transaction,
        wait_ms,
    });
    let response = request.response;
    Ok((
        reader.finish(keyed)?,
        Verification {
            action_id,
            response,
        },
    ))
}

pub(in crate::grpc) fn review(
    id: &str,
    note: &str,
    wait_ms: Option<i32>,
) -> Result<((TransactionId, Option<i32>), String), Error> {
    let mut reader = Reader::default();
    let id = reader.id("transaction_id", id);
    let note = reader.text("note", note, TEXT);
    let wait_ms = reader.wait(wait_ms);
    Ok(((reader.finish(id)?, wait_ms), note))
}

pub(in crate::grpc) fn chargeback(
    request: wire::RecordChargebackRequest,
) -> Result<ChargebackWord, Error> {
    let mut reader = Reader::default();
    let stage = match request.stage() {
        wire::ChargebackStage::Opened => Some(ChargebackStage::Opened),
        wire::ChargebackStage::Won => Some(ChargebackStage::Won),
        wire::ChargebackStage::Lost => Some(ChargebackStage::Lost),
        wire::ChargebackStage::Unspecified => {
            reader.refuse("stage", "must be opened, won or lost");
            None
        }
    };
    let dispute = reader.id("dispute_id", &request.dispute_id);
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let amount = reader.maybe_money("amount", request.amount.as_ref());
    if stage == Some(ChargebackStage::Opened) && request.amount.is_none() {
        reader.refuse("amount", "must be set");
    }
    let connector_fee = reader.maybe_money("connector_fee", request.connector_fee.as_ref());
    let reason = reader.text("reason", &request.reason, TEXT);
    let business_at = reader.moment("business_at", request.business_at_us);
    let word = dispute
        .zip(transaction)
        .zip(stage)
        .map(|((dispute, transaction), stage)| ChargebackWord {
            dispute,
            transaction,
            stage,
            amount,
            connector_fee,
            reason,
            business_at,
        });
    reader.finish(word)
}

pub(in crate::grpc) fn request_resolution(
    request: &wire::RequestResolveStuckRequest,
) -> Result<(TransactionId, (Resolution, String)), Error> {
    let mut reader = Reader::default();
    let resolution = convert::read_resolution(request.resolution());
    if resolution.is_none() {
        reader.refuse(
            "resolution",
            "must be retry_forward, retry_compensation or abandon",
        );
    }
    if request.reason.is_empty() {
        reader.refuse("reason", "must say why");
    }
    let reason = reader.text("reason", &request.reason, TEXT);
    let id = reader.id("transaction_id", &request.transaction_id);
    let asked = id.zip(resolution);
    let (id, resolution) = reader.finish(asked)?;
    Ok((id, (resolution, reason)))
}

pub(in crate::grpc) fn approve_resolution(
    request: &wire::ApproveResolveStuckRequest,
) -> Result<(TransactionId, ResolutionId), Error> {
    let mut reader = Reader::default();
    let id = reader.id("transaction_id", &request.transaction_id);
    let asked = reader.id("resolution_request_id", &request.resolution_request_id);
    reader.finish(id.zip(asked))
}

pub(in crate::grpc) fn bank_word(
    request: wire::UpdateTransactionStatusRequest,
) -> Result<BankWord, Error> {
    let mut reader = Reader::default();
    let transaction = reader.id("transaction_id", &request.transaction_id);
    let status: Option<Status> = convert::read_status(request.status());
    if status.is_none() {
        reader.refuse("status", "must be set");
    }
    let reason = reader.text("reason", &request.reason, TEXT);
    let reference = reader.text("reference", &request.reference, TEXT);
    let word = transaction
        .zip(status)
        .map(|(transaction, status)| BankWord {
            transaction,
            expected_version: i64::try_from(request.expected_version).unwrap_or(i64::MAX),
            status,
            reason,
            reference,
        });
    reader.finish(word)
}
