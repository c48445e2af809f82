//! The contract's methods: fields are checked here, everything else is decided in the app and the domain.

mod asked;
mod fields;
mod page;
mod reading;
mod writing;

use paymesh_chassis::Surface;
use paymesh_mesh::to_status;
use paymesh_proto::account::v1::{
    account_service_server::{AccountService, AccountServiceServer},
    *,
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{app::App, error::Error};

/// Serves the ledger.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

/// How the component is reached.
pub(crate) fn surface(app: App) -> Surface {
    Surface::Grpc(Routes::new(AccountServiceServer::new(Grpc { app })))
}

fn answer<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

/// Who asks.
fn principal<T>(request: &Request<T>) -> Result<&paymesh_kernel::Principal, Status> {
    paymesh_mesh::caller(request).map(|(_, principal)| principal)
}

/// One method that hands the principal and the request on.
macro_rules! methods {
    ($($name:ident: $request:ident => $response:ident),+ $(,)?) => {
        #[tonic::async_trait]
        impl AccountService for Grpc {
            $(
                async fn $name(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                    let principal = principal(&request)?.clone();
                    answer(self.$name(&principal, request.into_inner()).await)
                }
            )+
        }
    };
}

methods! {
    open_account: OpenAccountRequest => OpenAccountResponse,
    get_account: GetAccountRequest => GetAccountResponse,
    list_accounts: ListAccountsRequest => ListAccountsResponse,
    suspend_account: SuspendAccountRequest => SuspendAccountResponse,
    resume_account: ResumeAccountRequest => ResumeAccountResponse,
    close_account: CloseAccountRequest => CloseAccountResponse,
    post_transfers: PostTransfersRequest => PostTransfersResponse,
    get_transfer: GetTransferRequest => GetTransferResponse,
    lookup_transfers: LookupTransfersRequest => LookupTransfersResponse,
    list_transfers: ListTransfersRequest => ListTransfersResponse,
    balance_as_of: BalanceAsOfRequest => BalanceAsOfResponse,
    statement: StatementRequest => StatementResponse,
    trial_balance: TrialBalanceRequest => TrialBalanceResponse,
    get_batch_head: GetBatchHeadRequest => GetBatchHeadResponse,
    list_batches: ListBatchesRequest => ListBatchesResponse,
    prove_transfer: ProveTransferRequest => ProveTransferResponse,
    prove_consistency: ProveConsistencyRequest => ProveConsistencyResponse,
    close_period: ClosePeriodRequest => ClosePeriodResponse,
    list_periods: ListPeriodsRequest => ListPeriodsResponse,
}
