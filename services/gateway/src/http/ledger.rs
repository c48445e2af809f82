//! The ledger as finance and auditors see it: transfers, trial balance, batches, proofs, periods.

mod forms;

use std::sync::Arc;

use paymesh_proto::account::v1 as pb;

use super::{
    accounts::basis_of,
    answer::{Found, Made, Page, present},
    form::{Form, Moment},
    input::{Body, Listing, NoFilter, Path, Query, range},
    once::Once,
    problem::Problem,
    route::Route,
};
use crate::{clients::Clients, config::Class};

pub(crate) use forms::{
    Batch, BatchFilter, ClosePeriod, ConsistencyProof, ConsistencyQuery, LookupTransfers, Period,
    Transfer, TransferFilter, TransferLookup, TransferProof, TransferProofQuery, TrialBalance,
    TrialBalanceQuery,
};

const TAG: &str = "Ledger";
/// Stands for the newest batch.
const LATEST: &str = "latest";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/ledger/transfers", list_transfers)
            .about("List booked transfers")
            .calls(&["AccountService/ListTransfers"])
            .tag(TAG),
        Route::get("/v1/ledger/transfers/{transfer_id}", get_transfer)
            .about("Read a booked transfer")
            .calls(&["AccountService/GetTransfer"])
            .tag(TAG),
        Route::post("/v1/ledger/transfers/lookup", lookup)
            .about("Ask which transfers are booked")
            .calls(&["AccountService/LookupTransfers"])
            .class(Class::Read)
            .tag(TAG),
        Route::get("/v1/ledger/trial-balance", trial_balance)
            .about("Read the trial balance")
            .calls(&["AccountService/TrialBalance"])
            .tag(TAG),
        Route::get("/v1/ledger/batches", list_batches)
            .about("List the ledger's batches by height")
            .calls(&["AccountService/ListBatches"])
            .tag(TAG),
        Route::get("/v1/ledger/batches/{height}", get_batch)
            .about("Read the head of the ledger's chain")
            .notes("`latest` stands for the newest batch.")
            .calls(&["AccountService/GetBatchHead"])
            .tag(TAG),
        Route::get("/v1/ledger/proofs/transfers/{transfer_id}", prove_transfer)
            .about("Prove that a transfer is booked")
            .calls(&["AccountService/ProveTransfer"])
            .tag(TAG),
        Route::get("/v1/ledger/proofs/consistency", prove_consistency)
            .about("Prove that the ledger was only appended to")
            .calls(&["AccountService/ProveConsistency"])
            .tag(TAG),
        Route::get("/v1/ledger/periods", list_periods)
            .about("List closed periods")
            .calls(&["AccountService/ListPeriods"])
            .tag(TAG),
        Route::post("/v1/ledger/periods", close_period)
            .about("Close a period")
            .calls(&["AccountService/ClosePeriod"])
            .tag(TAG),
    ]
}

async fn list_transfers(
    clients: Arc<Clients>,
    listing: Listing<TransferFilter>,
) -> Result<Page<Transfer>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListTransfersRequest {
        account_id: filter.account_id.unwrap_or_default(),
        transaction_id: filter.transaction_id.unwrap_or_default(),
        booked: range(filter.booked_from, filter.booked_until),
        page: Some(page),
    };
    let answer = clients
        .account()
        .list_transfers(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.transfers), answer.page_info))
}

async fn get_transfer(
    clients: Arc<Clients>,
    Path(transfer_id): Path<0>,
) -> Result<Found<Transfer>, Problem> {
    let request = pb::GetTransferRequest { transfer_id };
    let answer = clients.account().get_transfer(request).await?.into_inner();
    Ok(Found(Transfer::form(present(
        answer.transfer,
        "account",
        "transfer",
    )?)))
}

async fn lookup(
    clients: Arc<Clients>,
    Body(body): Body<LookupTransfers>,
) -> Result<Found<TransferLookup>, Problem> {
    let request = pb::LookupTransfersRequest {
        transfer_ids: body.transfer_ids,
    };
    let answer = clients
        .account()
        .lookup_transfers(request)
        .await?
        .into_inner();
    Ok(Found(TransferLookup::form(answer)))
}

async fn trial_balance(
    clients: Arc<Clients>,
    Query(query): Query<TrialBalanceQuery>,
) -> Result<Found<TrialBalance>, Problem> {
    let request = pb::TrialBalanceRequest {
        currency: query.currency.unwrap_or_default(),
        basis: basis_of(query.basis),
        at_us: query.as_of.map_or(0, Moment::as_micros),
    };
    let answer = clients.account().trial_balance(request).await?.into_inner();
    Ok(Found(TrialBalance::form(answer)))
}

async fn list_batches(
    clients: Arc<Clients>,
    listing: Listing<BatchFilter>,
) -> Result<Page<Batch>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListBatchesRequest {
        after_height: filter.after_height.unwrap_or(0),
        page: Some(page),
    };
    let answer = clients.account().list_batches(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.batches), answer.page_info))
}

async fn get_batch(clients: Arc<Clients>, Path(height): Path<0>) -> Result<Found<Batch>, Problem> {
    let height = match height.parse() {
        Ok(height) => height,
        Err(_) if height == LATEST => 0,
        Err(_) => {
            return Err(Problem::field(
                "height",
                "must be a number from 1, or `latest`",
            ));
        }
    };
    let answer = clients
        .account()
        .get_batch_head(pb::GetBatchHeadRequest { height })
        .await?
        .into_inner();
    Ok(Found(Batch::form(present(answer.head, "account", "head")?)))
}

async fn prove_transfer(
    clients: Arc<Clients>,
    Path(transfer_id): Path<0>,
    Query(query): Query<TransferProofQuery>,
) -> Result<Found<TransferProof>, Problem> {
    let size = query.size.unwrap_or(0);
    let request = pb::ProveTransferRequest { transfer_id, size };
    let answer = clients
        .account()
        .prove_transfer(request)
        .await?
        .into_inner();
    Ok(Found(TransferProof::form(answer)))
}

async fn prove_consistency(
    clients: Arc<Clients>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Found<ConsistencyProof>, Problem> {
    let request = pb::ProveConsistencyRequest {
        first_size: query.first_size,
        second_size: query.second_size.unwrap_or(0),
    };
    let answer = clients
        .account()
        .prove_consistency(request)
        .await?
        .into_inner();
    Ok(Found(ConsistencyProof::form(answer)))
}

async fn list_periods(
    clients: Arc<Clients>,
    listing: Listing<NoFilter>,
) -> Result<Page<Period>, Problem> {
    let request = pb::ListPeriodsRequest {
        page: Some(listing.page),
    };
    let answer = clients.account().list_periods(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.periods), answer.page_info))
}

async fn close_period(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<ClosePeriod>,
) -> Result<Made<Period>, Problem> {
    let request = pb::ClosePeriodRequest {
        currency: body.currency.unwrap_or_default(),
        until_at_us: body.until.as_micros(),
    };
    let answer = once
        .run_once(async || Ok(clients.account().close_period(request).await?.into_inner()))
        .await?;
    let period = Period::form(present(answer.period, "account", "period")?);
    Ok(Made::new(
        period,
        "/v1/ledger/periods".to_owned(),
        answer.outcome,
    ))
}
