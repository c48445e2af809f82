//! Transactions: starting one, reading them, and what they are made of.

mod forms;

use std::sync::Arc;

use paymesh_proto::transaction::v1 as pb;

use super::{
    answer::{Found, Made, Page, present},
    form::{Form, Moment, Word, number_of},
    input::{Body, Key, Listing, Path, Query, Wait, range, text_map},
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

pub(crate) use forms::{
    CreateTransaction, Exchange, Operation, Summary, SummaryQuery, Transaction, TransactionFilter,
    TransactionQuery, UserTransactionFilter,
};

pub(crate) const TAG: &str = "Transactions";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/transactions", create)
            .about("Start a transaction")
            .notes("Waits for the outcome. A decline is 201 with the status `declined`; what is not finished in time is 202.")
            .calls(&["TransactionService/CreateTransaction"])
            .money()
            .runs_on()
            .tag(TAG),
        Route::get("/v1/transactions", list)
            .about("List transactions, newest first")
            .calls(&["TransactionService/ListTransactions"])
            .tag(TAG),
        Route::get("/v1/transactions/summary", summary)
            .about("Add transactions up")
            .calls(&["TransactionService/GetTransactionSummary"])
            .tag(TAG),
        Route::get("/v1/transactions/{transaction_id}", get)
            .about("Read a transaction")
            .calls(&["TransactionService/GetTransaction"])
            .tag(TAG),
        Route::get("/v1/users/{user_id}/transactions", list_by_user)
            .about("List the transactions in which a user pays or is paid, newest first")
            .notes("`me` stands for the caller.")
            .calls(&["TransactionService/ListTransactionsByUser"])
            .tag(TAG),
    ]
}

/// True when the saga rests: it has ended, or somebody else is to act.
pub(crate) fn rests(status: Word<pb::TransactionStatus>) -> bool {
    match status.0 {
        pb::TransactionStatus::Unspecified
        | pb::TransactionStatus::Initiated
        | pb::TransactionStatus::Processing
        | pb::TransactionStatus::Unknown
        | pb::TransactionStatus::Stuck => false,
        pb::TransactionStatus::RequiresAction
        | pb::TransactionStatus::InReview
        | pb::TransactionStatus::Authorized
        | pb::TransactionStatus::Completed
        | pb::TransactionStatus::Declined
        | pb::TransactionStatus::Canceled
        | pb::TransactionStatus::Compensated
        | pb::TransactionStatus::Abandoned => true,
    }
}

async fn create(
    clients: Arc<Clients>,
    key: Key,
    wait: Wait,
    Body(body): Body<CreateTransaction>,
) -> Result<Made<Transaction>, Problem> {
    let request = pb::CreateTransactionRequest {
        idempotency_key: key.0,
        kind: body.kind.number(),
        amount: Some(body.amount.into()),
        payer: body.payer.map(Into::into),
        payee: body.payee.map(Into::into),
        capture_method: number_of(body.capture_method),
        target_currency: body.target_currency.unwrap_or_default(),
        purpose: body.purpose.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        quote_id: body.quote_id.unwrap_or_default(),
        return_url: body.return_url.unwrap_or_default(),
        country: body.country.unwrap_or_default(),
        metadata: text_map(body.metadata),
        business_at_us: body.business_at.map_or(0, Moment::as_micros),
        wait_ms: wait.or(body.wait_ms)?,
    };
    let answer = clients
        .transaction()
        .create_transaction(request)
        .await?
        .into_inner();
    let transaction = Transaction::form(present(answer.transaction, "transaction", "transaction")?);
    let location = location(&transaction.id);
    let is_finished = rests(transaction.status);
    Ok(Made::new(transaction, location, answer.outcome).finished(is_finished))
}

/// Where a transaction is read.
pub(crate) fn location(id: &str) -> String {
    format!("/v1/transactions/{id}")
}

async fn get(
    clients: Arc<Clients>,
    Path(transaction_id): Path<0>,
    wait: Wait,
    Query(query): Query<TransactionQuery>,
) -> Result<Found<Transaction>, Problem> {
    let wait_ms = wait.or(query.wait_ms)?.unwrap_or(0);
    let request = pb::GetTransactionRequest {
        transaction_id,
        wait_ms,
    };
    let answer = clients
        .transaction()
        .get_transaction(request)
        .await?
        .into_inner();
    Ok(Found(Transaction::form(present(
        answer.transaction,
        "transaction",
        "transaction",
    )?)))
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<TransactionFilter>,
) -> Result<Page<Transaction>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListTransactionsRequest {
        kind: number_of(filter.kind),
        status: number_of(filter.status),
        merchant_id: filter.merchant_id.unwrap_or_default(),
        terminal_id: filter.terminal_id.unwrap_or_default(),
        account_id: filter.account_id.unwrap_or_default(),
        purpose: filter.purpose.unwrap_or_default(),
        business: range(filter.from, filter.until),
        page: Some(page),
    };
    let answer = clients
        .transaction()
        .list_transactions(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.transactions), answer.page_info))
}

async fn list_by_user(
    clients: Arc<Clients>,
    caller: super::input::Caller,
    Path(id): Path<0>,
    listing: Listing<UserTransactionFilter>,
) -> Result<Page<Transaction>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListTransactionsByUserRequest {
        user_id: super::users::own_or(id, &caller),
        kind: number_of(filter.kind),
        status: number_of(filter.status),
        business: range(filter.from, filter.until),
        page: Some(page),
    };
    let answer = clients
        .transaction()
        .list_transactions_by_user(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.transactions), answer.page_info))
}

async fn summary(
    clients: Arc<Clients>,
    Query(query): Query<SummaryQuery>,
) -> Result<Found<Summary>, Problem> {
    let request = pb::GetTransactionSummaryRequest {
        user_id: query.user_id.unwrap_or_default(),
        merchant_id: query.merchant_id.unwrap_or_default(),
        business: range(query.from, query.until),
    };
    let answer = clients
        .transaction()
        .get_transaction_summary(request)
        .await?
        .into_inner();
    Ok(Found(Summary::form(answer)))
}
