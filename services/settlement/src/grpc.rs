//! The service: requests are checked, handed to a use case, and its result is shown. No rules of business.

mod commands;
mod fields;
mod queries;
mod words;

use paymesh_chassis::Surface;
use paymesh_mesh::{self as mesh, to_status};
use paymesh_proto::settlement::v1::{
    self as wire,
    settlement_service_server::{SettlementService, SettlementServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    app::{App, statements::CONTENT_LIMIT},
    error::Error,
};

/// What a request with the largest statement may have beside it, in bytes.
const REQUEST_EXTRA: usize = 64 * 1024;

/// The service over its use cases.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

type Answer<T> = Result<Response<T>, Status>;

/// How the component is reached.
pub(crate) fn surface(app: App) -> Surface {
    let server = SettlementServiceServer::new(Grpc { app })
        .max_decoding_message_size(CONTENT_LIMIT.saturating_add(REQUEST_EXTRA));
    Surface::Grpc(Routes::new(server))
}

fn show<T>(result: Result<T, Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

#[tonic::async_trait]
impl SettlementService for Grpc {
    async fn open_batch(
        &self,
        request: Request<wire::OpenBatchRequest>,
    ) -> Answer<wire::OpenBatchResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.open_batch(principal, request.get_ref()).await)
    }

    async fn close_batch(
        &self,
        request: Request<wire::CloseBatchRequest>,
    ) -> Answer<wire::CloseBatchResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.close_batch(principal, request.get_ref()).await)
    }

    async fn get_batch(
        &self,
        request: Request<wire::GetBatchRequest>,
    ) -> Answer<wire::GetBatchResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.get_batch(principal, request.get_ref()).await)
    }

    async fn list_batches(
        &self,
        request: Request<wire::ListBatchesRequest>,
    ) -> Answer<wire::ListBatchesResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.list_batches(principal, request.get_ref()).await)
    }

    async fn list_positions(
        &self,
        request: Request<wire::ListPositionsRequest>,
    ) -> Answer<wire::ListPositionsResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.list_positions(principal, request.get_ref()).await)
    }

    async fn create_payout(
        &self,
        request: Request<wire::CreatePayoutRequest>,
    ) -> Answer<wire::CreatePayoutResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.create_payout(principal, request.get_ref()).await)
    }

    async fn get_payout(
        &self,
        request: Request<wire::GetPayoutRequest>,
    ) -> Answer<wire::GetPayoutResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.get_payout(principal, request.get_ref()).await)
    }

    async fn list_payouts(
        &self,
        request: Request<wire::ListPayoutsRequest>,
    ) -> Answer<wire::ListPayoutsResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.list_payouts(principal, request.get_ref()).await)
    }

    async fn import_statement(
        &self,
        request: Request<wire::ImportStatementRequest>,
    ) -> Answer<wire::ImportStatementResponse> {
        let principal = mesh::caller(&request)?.1.clone();
        show(
            self.import_statement(&principal, request.into_inner())
                .await,
        )
    }

    async fn list_statements(
        &self,
        request: Request<wire::ListStatementsRequest>,
    ) -> Answer<wire::ListStatementsResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.list_statements(principal, request.get_ref()).await)
    }

    async fn list_statement_lines(
        &self,
        request: Request<wire::ListStatementLinesRequest>,
    ) -> Answer<wire::ListStatementLinesResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(
            self.list_statement_lines(principal, request.get_ref())
                .await,
        )
    }

    async fn reconcile(
        &self,
        request: Request<wire::ReconcileRequest>,
    ) -> Answer<wire::ReconcileResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.reconcile(principal, request.get_ref()).await)
    }

    async fn get_reconciliation(
        &self,
        request: Request<wire::GetReconciliationRequest>,
    ) -> Answer<wire::GetReconciliationResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.get_reconciliation(principal, request.get_ref()).await)
    }

    async fn list_reconciliations(
        &self,
        request: Request<wire::ListReconciliationsRequest>,
    ) -> Answer<wire::ListReconciliationsResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(
            self.list_reconciliations(principal, request.get_ref())
                .await,
        )
    }

    async fn get_break(
        &self,
        request: Request<wire::GetBreakRequest>,
    ) -> Answer<wire::GetBreakResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.get_break(principal, request.get_ref()).await)
    }

    async fn list_breaks(
        &self,
        request: Request<wire::ListBreaksRequest>,
    ) -> Answer<wire::ListBreaksResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.list_breaks(principal, request.get_ref()).await)
    }

    async fn assign_break(
        &self,
        request: Request<wire::AssignBreakRequest>,
    ) -> Answer<wire::AssignBreakResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.assign_break(principal, request.get_ref()).await)
    }

    async fn request_write_off(
        &self,
        request: Request<wire::RequestWriteOffRequest>,
    ) -> Answer<wire::RequestWriteOffResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.request_write_off(principal, request.get_ref()).await)
    }

    async fn approve_write_off(
        &self,
        request: Request<wire::ApproveWriteOffRequest>,
    ) -> Answer<wire::ApproveWriteOffResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.approve_write_off(principal, request.get_ref()).await)
    }
}
