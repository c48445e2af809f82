//! Settlement: batches, positions, statements, reconciliations.

mod forms;

use std::sync::Arc;

use paymesh_proto::settlement::v1 as pb;

use super::{
    answer::{Done, Found, Made, Page, present},
    form::{Form, number_of},
    input::{Body, Listing, NoFilter, Path, Query, Table, range},
    once::Once,
    problem::Problem,
    route::{BodySize, Route},
};
use crate::clients::Clients;

pub(crate) use forms::{
    ImportedStatement, OpenBatch, Position, PositionFilter, Reconcile, Reconciliation,
    SettlementBatch, SettlementBatchFilter, Span, StatementFilter, StatementImportQuery,
    StatementLine, StatementLineFilter,
};

pub(crate) const TAG: &str = "Settlement";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/settlement/batches", open_batch)
            .about("Open a batch")
            .notes("Answers the open one, when there is one for the currency.")
            .calls(&["SettlementService/OpenBatch"])
            .tag(TAG),
        Route::get("/v1/settlement/batches", list_batches)
            .about("List batches, newest first")
            .calls(&["SettlementService/ListBatches"])
            .tag(TAG),
        Route::get("/v1/settlement/batches/{batch_id}", get_batch)
            .about("Read a batch")
            .calls(&["SettlementService/GetBatch"])
            .tag(TAG),
        Route::post("/v1/settlement/batches/{batch_id}/close", close_batch)
            .about("Cut a batch and compute positions")
            .calls(&["SettlementService/CloseBatch"])
            .money()
            .tag(TAG),
        Route::get("/v1/settlement/positions", list_positions)
            .about("List positions")
            .calls(&["SettlementService/ListPositions"])
            .tag(TAG),
        Route::post("/v1/settlement/statements", import_statement)
            .about("Import a provider's report or a bank statement")
            .notes("The CSV file is the body. The same file is not taken twice.")
            .calls(&["SettlementService/ImportStatement"])
            .body_size(BodySize::Import)
            .tag(TAG),
        Route::get("/v1/settlement/statements", list_statements)
            .about("List statements, newest first")
            .calls(&["SettlementService/ListStatements"])
            .tag(TAG),
        Route::get("/v1/settlement/statements/{statement_id}/lines", list_lines)
            .about("List the lines of a statement")
            .calls(&["SettlementService/ListStatementLines"])
            .tag(TAG),
        Route::post("/v1/settlement/reconciliations", reconcile)
            .about("Compare ledger, provider and bank")
            .calls(&["SettlementService/Reconcile"])
            .tag(TAG),
        Route::get("/v1/settlement/reconciliations", list_reconciliations)
            .about("List reconciliations, newest first")
            .calls(&["SettlementService/ListReconciliations"])
            .tag(TAG),
        Route::get(
            "/v1/settlement/reconciliations/{reconciliation_id}",
            get_reconciliation,
        )
        .about("Read a reconciliation")
        .calls(&["SettlementService/GetReconciliation"])
        .tag(TAG),
    ]
}

async fn open_batch(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<OpenBatch>,
) -> Result<Made<SettlementBatch>, Problem> {
    let answer = once
        .with_id("sb", async |batch_id| {
            let currency = body.currency;
            let request = pb::OpenBatchRequest { batch_id, currency };
            Ok(clients.settlement().open_batch(request).await?.into_inner())
        })
        .await?;
    let batch = SettlementBatch::form(present(answer.batch, "settlement", "batch")?);
    let location = format!("/v1/settlement/batches/{}", batch.id);
    Ok(Made::new(batch, location, answer.outcome))
}

async fn list_batches(
    clients: Arc<Clients>,
    listing: Listing<SettlementBatchFilter>,
) -> Result<Page<SettlementBatch>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListBatchesRequest {
        currency: filter.currency.unwrap_or_default(),
        state: number_of(filter.state),
        opened: range(filter.opened_from, filter.opened_until),
        page: Some(page),
    };
    let answer = clients
        .settlement()
        .list_batches(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.batches), answer.page_info))
}

async fn get_batch(
    clients: Arc<Clients>,
    Path(batch_id): Path<0>,
) -> Result<Found<SettlementBatch>, Problem> {
    let answer = clients
        .settlement()
        .get_batch(pb::GetBatchRequest { batch_id })
        .await?
        .into_inner();
    Ok(Found(SettlementBatch::form(present(
        answer.batch,
        "settlement",
        "batch",
    )?)))
}

async fn close_batch(
    clients: Arc<Clients>,
    once: Once,
    Path(batch_id): Path<0>,
) -> Result<Done<SettlementBatch>, Problem> {
    let request = pb::CloseBatchRequest { batch_id };
    let answer = once
        .run_once(async || {
            Ok(clients
                .settlement()
                .close_batch(request)
                .await?
                .into_inner())
        })
        .await?;
    let batch = SettlementBatch::form(present(answer.batch, "settlement", "batch")?);
    Ok(Done::new(batch, answer.outcome))
}

async fn list_positions(
    clients: Arc<Clients>,
    listing: Listing<PositionFilter>,
) -> Result<Page<Position>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListPositionsRequest {
        batch_id: filter.batch_id.unwrap_or_default(),
        merchant_id: filter.merchant_id.unwrap_or_default(),
        page: Some(page),
    };
    let answer = clients
        .settlement()
        .list_positions(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.positions), answer.page_info))
}

async fn import_statement(
    clients: Arc<Clients>,
    once: Once,
    Query(query): Query<StatementImportQuery>,
    Table(body): Table,
) -> Result<Made<ImportedStatement>, Problem> {
    let request = pb::ImportStatementRequest {
        kind: query.kind.number(),
        source: query.source,
        content: body.to_vec(),
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .settlement()
                .import_statement(request)
                .await?
                .into_inner())
        })
        .await?;
    let statement = ImportedStatement::form(present(answer.statement, "settlement", "statement")?);
    let location = format!("/v1/settlement/statements/{}/lines", statement.id);
    Ok(Made::new(statement, location, answer.outcome))
}

async fn list_statements(
    clients: Arc<Clients>,
    listing: Listing<StatementFilter>,
) -> Result<Page<ImportedStatement>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListStatementsRequest {
        kind: number_of(filter.kind),
        page: Some(page),
    };
    let answer = clients
        .settlement()
        .list_statements(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.statements), answer.page_info))
}

async fn list_lines(
    clients: Arc<Clients>,
    Path(statement_id): Path<0>,
    listing: Listing<StatementLineFilter>,
) -> Result<Page<StatementLine>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListStatementLinesRequest {
        statement_id,
        match_state: number_of(filter.match_state),
        page: Some(page),
    };
    let answer = clients
        .settlement()
        .list_statement_lines(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.lines), answer.page_info))
}

async fn reconcile(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<Reconcile>,
) -> Result<Made<Reconciliation>, Problem> {
    let answer = once
        .with_id("rec", async |reconciliation_id| {
            let request = pb::ReconcileRequest {
                reconciliation_id,
                range: range(Some(body.from), Some(body.until)),
                currency: body.currency,
            };
            Ok(clients.settlement().reconcile(request).await?.into_inner())
        })
        .await?;
    let reconciliation = Reconciliation::form(present(
        answer.reconciliation,
        "settlement",
        "reconciliation",
    )?);
    let location = format!("/v1/settlement/reconciliations/{}", reconciliation.id);
    Ok(Made::new(reconciliation, location, answer.outcome))
}

async fn list_reconciliations(
    clients: Arc<Clients>,
    listing: Listing<NoFilter>,
) -> Result<Page<Reconciliation>, Problem> {
    let request = pb::ListReconciliationsRequest {
        page: Some(listing.page),
    };
    let answer = clients
        .settlement()
        .list_reconciliations(request)
        .await?
        .into_inner();
    Ok(Page::new(
        Form::form(answer.reconciliations),
        answer.page_info,
    ))
}

async fn get_reconciliation(
    clients: Arc<Clients>,
    Path(reconciliation_id): Path<0>,
) -> Result<Found<Reconciliation>, Problem> {
    let request = pb::GetReconciliationRequest { reconciliation_id };
    let answer = clients
        .settlement()
        .get_reconciliation(request)
        .await?
        .into_inner();
    Ok(Found(Reconciliation::form(present(
        answer.reconciliation,
        "settlement",
        "reconciliation",
    )?)))
}
