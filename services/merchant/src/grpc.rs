//! The service: requests are checked, handed to a use case, and its result is shown. No rules of business.

mod fields;
mod handlers;

use paymesh_chassis::Surface;
use paymesh_kernel::Principal;
use paymesh_mesh::{self as mesh, Caller, to_status, token::EDGE};
use paymesh_proto::merchant::v1::{
    self as wire,
    merchant_service_server::{MerchantService, MerchantServiceServer},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    app::{App, View, Way},
    error::Error,
};

/// The service over its use cases.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

type Answer<T> = Result<Response<T>, Status>;

/// How the component is reached.
pub(crate) fn surface(app: App) -> Surface {
    Surface::Grpc(Routes::new(MerchantServiceServer::new(Grpc { app })))
}

fn show<T>(result: Result<T, Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

fn view(caller: &Caller, principal: &Principal) -> View {
    let way = if &*caller.component == EDGE {
        Way::Edge
    } else {
        Way::Inside
    };
    View::new(principal, way)
}

#[tonic::async_trait]
impl MerchantService for Grpc {
    async fn register(
        &self,
        request: Request<wire::RegisterRequest>,
    ) -> Answer<wire::RegisterResponse> {
        let (_, principal) = mesh::caller(&request)?;
        show(self.register(principal.tenant, request.get_ref()).await)
    }

    async fn get_merchant(
        &self,
        request: Request<wire::GetMerchantRequest>,
    ) -> Answer<wire::GetMerchantResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.get_merchant(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn list_merchants(
        &self,
        request: Request<wire::ListMerchantsRequest>,
    ) -> Answer<wire::ListMerchantsResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.list_merchants(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn update_merchant(
        &self,
        request: Request<wire::UpdateMerchantRequest>,
    ) -> Answer<wire::UpdateMerchantResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.update_merchant(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn update_plan(
        &self,
        request: Request<wire::UpdatePlanRequest>,
    ) -> Answer<wire::UpdatePlanResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.update_plan(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn add_terminal(
        &self,
        request: Request<wire::AddTerminalRequest>,
    ) -> Answer<wire::AddTerminalResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.add_terminal(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn get_terminal(
        &self,
        request: Request<wire::GetTerminalRequest>,
    ) -> Answer<wire::GetTerminalResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.get_terminal(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn list_terminals(
        &self,
        request: Request<wire::ListTerminalsRequest>,
    ) -> Answer<wire::ListTerminalsResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.list_terminals(&view(caller, principal), request.get_ref())
                .await,
        )
    }

    async fn update_terminal(
        &self,
        request: Request<wire::UpdateTerminalRequest>,
    ) -> Answer<wire::UpdateTerminalResponse> {
        let (caller, principal) = mesh::caller(&request)?;
        show(
            self.update_terminal(&view(caller, principal), request.get_ref())
                .await,
        )
    }
}
