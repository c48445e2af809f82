//! The service: requests are checked, handed to a use case, and its result is shown. No rules of business.

mod answer;
mod command;
mod fields;
mod handlers;

use paymesh_chassis::Surface;
use paymesh_mesh::{caller, to_status};
use paymesh_proto::risk::v1::{
    self as wire,
    risk_service_server::{RiskService, RiskServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{app::App, error::Error};

/// The service over its use cases.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

type Answer<T> = Result<Response<T>, Status>;

/// How the component is reached.
pub(crate) fn surface(app: App) -> Surface {
    Surface::Grpc(Routes::new(RiskServiceServer::new(Grpc { app })))
}

fn show<T>(result: Result<T, Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

/// Delegates an RPC to the handler of the same name.
macro_rules! handlers {
    ($($name:ident($request:ident) -> $response:ident;)*) => {
        #[tonic::async_trait]
        impl RiskService for Grpc {
            $(
                async fn $name(&self, request: Request<wire::$request>) -> Answer<wire::$response> {
                    let (_, principal) = caller(&request)?;
                    show(self.$name(principal, request.get_ref()).await)
                }
            )*
        }
    };
}

handlers! {
    assess(AssessRequest) -> AssessResponse;
    explain(ExplainRequest) -> ExplainResponse;
    list_decisions(ListDecisionsRequest) -> ListDecisionsResponse;
    put_rule(PutRuleRequest) -> PutRuleResponse;
    get_rule(GetRuleRequest) -> GetRuleResponse;
    list_rules(ListRulesRequest) -> ListRulesResponse;
    delete_rule(DeleteRuleRequest) -> DeleteRuleResponse;
    put_list_entry(PutListEntryRequest) -> PutListEntryResponse;
    list_list_entries(ListListEntriesRequest) -> ListListEntriesResponse;
    delete_list_entry(DeleteListEntryRequest) -> DeleteListEntryResponse;
    backtest(BacktestRequest) -> BacktestResponse;
    import_history(ImportHistoryRequest) -> ImportHistoryResponse;
    list_alerts(ListAlertsRequest) -> ListAlertsResponse;
}
