//! What is done with a transaction after it began: captures, refunds, chargebacks, actions, reviews, resolutions.

mod forms;

use std::sync::Arc;

use paymesh_proto::{transaction::v1 as pb, types::v1 as types};

use super::{
    answer::{Done, Found, Made, present},
    form::{Form, Moment},
    input::{Body, Key, Path, Wait},
    once::Once,
    problem::Problem,
    route::Route,
    transactions::{Operation, TAG, Transaction, location, rests},
};
use crate::clients::Clients;

pub(crate) use forms::{
    Cancel, Capture, CompleteAction, History, OperationResult, RecordChargeback, Refund,
    RequestResolution, Review,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/transactions/{transaction_id}/history", history)
            .about("Read what happened to a transaction")
            .calls(&["TransactionService/GetTransactionHistory"])
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/captures", capture)
            .about("Capture an authorized purchase, in full or in part")
            .calls(&["TransactionService/Capture"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/refunds", refund)
            .about("Give money back to the payer")
            .notes("At most what was captured and not yet refunded. A refund may be declined, which is not an error.")
            .calls(&["TransactionService/Refund"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/cancel", cancel)
            .about("Call a transaction off before it is captured")
            .calls(&["TransactionService/CancelTransaction"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/action", complete_action)
            .about("Say that the payer did what was required")
            .calls(&["TransactionService/CompleteAction"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/review/approve", approve_review)
            .about("Let a transaction in review go on")
            .calls(&["TransactionService/ApproveReview"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/review/reject", reject_review)
            .about("Decline a transaction in review")
            .calls(&["TransactionService/RejectReview"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/chargebacks", record_chargeback)
            .about("Book a chargeback, or what became of it")
            .calls(&["TransactionService/RecordChargeback"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/resolutions", request_resolution)
            .about("Ask for a stuck transaction to be resolved: the first person")
            .calls(&["TransactionService/RequestResolveStuck"])
            .money()
            .tag(TAG),
        Route::post("/v1/transactions/{transaction_id}/resolutions/{resolution_id}/approve", approve_resolution)
            .about("Approve how a stuck transaction is resolved: the second person")
            .calls(&["TransactionService/ApproveResolveStuck"])
            .money()
            .runs_on()
            .tag(TAG),
    ]
}

async fn history(
    clients: Arc<Clients>,
    Path(transaction_id): Path<0>,
) -> Result<Found<History>, Problem> {
    let request = pb::GetTransactionHistoryRequest { transaction_id };
    let answer = clients
        .transaction()
        .get_transaction_history(request)
        .await?
        .into_inner();
    Ok(Found(History::form(answer)))
}

fn result(
    operation: Option<pb::Operation>,
    transaction: Option<pb::Transaction>,
    outcome: i32,
) -> Result<Made<OperationResult>, Problem> {
    let operation = Operation::form(present(operation, "transaction", "operation")?);
    let transaction = Transaction::form(present(transaction, "transaction", "transaction")?);
    let location = location(&transaction.id);
    let is_finished = match operation.state.0 {
        pb::OperationState::Unspecified
        | pb::OperationState::Pending
        | pb::OperationState::Unknown => false,
        pb::OperationState::Completed
        | pb::OperationState::Declined
        | pb::OperationState::Failed => true,
    };
    let result = OperationResult {
        operation,
        transaction,
    };
    Ok(Made::new(result, location, outcome).finished(is_finished))
}

fn done(transaction: Option<pb::Transaction>, outcome: i32) -> Result<Done<Transaction>, Problem> {
    let transaction = Transaction::form(present(transaction, "transaction", "transaction")?);
    let is_finished = rests(transaction.status);
    Ok(Done::new(transaction, outcome).finished(is_finished))
}

async fn capture(
    clients: Arc<Clients>,
    key: Key,
    Path(transaction_id): Path<0>,
    wait: Wait,
    Body(body): Body<Capture>,
) -> Result<Made<OperationResult>, Problem> {
    let request = pb::CaptureRequest {
        idempotency_key: key.0,
        transaction_id,
        amount: body.amount.map(Into::into),
        r#final: body.r#final.unwrap_or(false),
        business_at_us: body.business_at.map_or(0, Moment::as_micros),
        wait_ms: wait.or(body.wait_ms)?,
    };
    let answer = clients.transaction().capture(request).await?.into_inner();
    result(answer.operation, answer.transaction, answer.outcome)
}

async fn refund(
    clients: Arc<Clients>,
    key: Key,
    Path(transaction_id): Path<0>,
    wait: Wait,
    Body(body): Body<Refund>,
) -> Result<Made<OperationResult>, Problem> {
    let request = pb::RefundRequest {
        idempotency_key: key.0,
        transaction_id,
        amount: body.amount.map(Into::into),
        reason: body.reason.unwrap_or_default(),
        business_at_us: body.business_at.map_or(0, Moment::as_micros),
        wait_ms: wait.or(body.wait_ms)?,
    };
    let answer = clients.transaction().refund(request).await?.into_inner();
    result(answer.operation, answer.transaction, answer.outcome)
}

async fn cancel(
    clients: Arc<Clients>,
    key: Key,
    Path(transaction_id): Path<0>,
    wait: Wait,
    Body(body): Body<Cancel>,
) -> Result<Done<Transaction>, Problem> {
    let request = pb::CancelTransactionRequest {
        idempotency_key: key.0,
        transaction_id,
        reason: body.reason.unwrap_or_default(),
        wait_ms: wait.or(body.wait_ms)?,
    };
    let answer = clients
        .transaction()
        .cancel_transaction(request)
        .await?
        .into_inner();
    done(answer.transaction, answer.outcome)
}

async fn complete_action(
    clients: Arc<Clients>,
    key: Key,
    Path(transaction_id): Path<0>,
    wait: Wait,
    Body(body): Body<CompleteAction>,
) -> Result<Done<Transaction>, Problem> {
    let request = pb::CompleteActionRequest {
        idempotency_key: key.0,
        transaction_id,
        action_id: body.action_id,
        response: body.response.unwrap_or_default(),
        wait_ms: wait.or(body.wait_ms)?,
    };
    let answer = clients
        .transaction()
        .complete_action(request)
        .await?
        .into_inner();
    done(answer.transaction, answer.outcome)
}

async fn approve_review(
    clients: Arc<Clients>,
    once: Once,
    Path(transaction_id): Path<0>,
    wait: Wait,
    Body(body): Body<Review>,
) -> Result<Done<Transaction>, Problem> {
    let request = pb::ApproveReviewRequest {
        transaction_id,
        note: body.note.unwrap_or_default(),
        wait_ms: wait.or(body.wait_ms)?,
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .transaction()
                .approve_review(request)
                .await?
                .into_inner())
        })
        .await?;
    done(answer.transaction, answer.outcome)
}

async fn reject_review(
    clients: Arc<Clients>,
    once: Once,
    Path(transaction_id): Path<0>,
    Body(body): Body<Review>,
) -> Result<Done<Transaction>, Problem> {
    let request = pb::RejectReviewRequest {
        transaction_id,
        note: body.note.unwrap_or_default(),
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .transaction()
                .reject_review(request)
                .await?
                .into_inner())
        })
        .await?;
    done(answer.transaction, answer.outcome)
}

async fn record_chargeback(
    clients: Arc<Clients>,
    once: Once,
    Path(transaction_id): Path<0>,
    Body(body): Body<RecordChargeback>,
) -> Result<Made<OperationResult>, Problem> {
    let request = pb::RecordChargebackRequest {
        dispute_id: body.dispute_id,
        transaction_id,
        stage: body.stage.number(),
        amount: Some(types::Money::from(body.amount)),
        connector_fee: body.connector_fee.map(Into::into),
        reason: body.reason.unwrap_or_default(),
        business_at_us: body.business_at.map_or(0, Moment::as_micros),
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .transaction()
                .record_chargeback(request)
                .await?
                .into_inner())
        })
        .await?;
    result(answer.operation, answer.transaction, answer.outcome)
}

async fn request_resolution(
    clients: Arc<Clients>,
    once: Once,
    Path(transaction_id): Path<0>,
    Body(body): Body<RequestResolution>,
) -> Result<Made<Transaction>, Problem> {
    let request = pb::RequestResolveStuckRequest {
        transaction_id,
        resolution: body.resolution.number(),
        reason: body.reason,
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .transaction()
                .request_resolve_stuck(request)
                .await?
                .into_inner())
        })
        .await?;
    let transaction = Transaction::form(present(answer.transaction, "transaction", "transaction")?);
    let location = location(&transaction.id);
    Ok(Made::new(transaction, location, answer.outcome))
}

async fn approve_resolution(
    clients: Arc<Clients>,
    once: Once,
    Path(transaction_id): Path<0>,
    Path(resolution_request_id): Path<1>,
) -> Result<Done<Transaction>, Problem> {
    let request = pb::ApproveResolveStuckRequest {
        transaction_id,
        resolution_request_id,
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .transaction()
                .approve_resolve_stuck(request)
                .await?
                .into_inner())
        })
        .await?;
    done(answer.transaction, answer.outcome)
}
