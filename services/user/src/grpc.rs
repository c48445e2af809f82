//! The service: requests are checked, handed to a use case, and its result is shown. No rules of business.

mod answer;
mod command;
mod fields;
mod handlers;

use paymesh_chassis::Surface;
use paymesh_mesh::{caller, to_status};
use paymesh_proto::user::v1::{
    self as wire,
    user_service_server::{UserService, UserServiceServer},
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
    Surface::Grpc(Routes::new(UserServiceServer::new(Grpc { app })))
}

fn show<T>(result: Result<T, Error>) -> Answer<T> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

#[tonic::async_trait]
impl UserService for Grpc {
    async fn create_tenant(
        &self,
        request: Request<wire::CreateTenantRequest>,
    ) -> Answer<wire::CreateTenantResponse> {
        let (_, principal) = caller(&request)?;
        show(self.create_tenant(principal, request.get_ref()).await)
    }

    async fn get_tenant(
        &self,
        request: Request<wire::GetTenantRequest>,
    ) -> Answer<wire::GetTenantResponse> {
        let (_, principal) = caller(&request)?;
        show(self.get_tenant(principal, request.get_ref()).await)
    }

    async fn list_tenants(
        &self,
        request: Request<wire::ListTenantsRequest>,
    ) -> Answer<wire::ListTenantsResponse> {
        let (_, principal) = caller(&request)?;
        show(self.list_tenants(principal, request.get_ref()).await)
    }

    async fn register(
        &self,
        request: Request<wire::RegisterRequest>,
    ) -> Answer<wire::RegisterResponse> {
        show(self.register(request.into_inner()).await)
    }

    async fn login(&self, request: Request<wire::LoginRequest>) -> Answer<wire::LoginResponse> {
        show(self.login(request.get_ref()).await)
    }

    async fn refresh(
        &self,
        request: Request<wire::RefreshRequest>,
    ) -> Answer<wire::RefreshResponse> {
        show(self.refresh(request.get_ref()).await)
    }

    async fn logout(&self, request: Request<wire::LogoutRequest>) -> Answer<wire::LogoutResponse> {
        let (_, principal) = caller(&request)?;
        show(self.logout(principal, request.get_ref()).await)
    }

    async fn get_user(
        &self,
        request: Request<wire::GetUserRequest>,
    ) -> Answer<wire::GetUserResponse> {
        let (_, principal) = caller(&request)?;
        show(self.get_user(principal, request.get_ref()).await)
    }

    async fn update_user(
        &self,
        request: Request<wire::UpdateUserRequest>,
    ) -> Answer<wire::UpdateUserResponse> {
        let (_, principal) = caller(&request)?;
        show(self.update_user(principal, request.get_ref()).await)
    }

    async fn list_users(
        &self,
        request: Request<wire::ListUsersRequest>,
    ) -> Answer<wire::ListUsersResponse> {
        let (_, principal) = caller(&request)?;
        show(self.list_users(principal, request.get_ref()).await)
    }

    async fn erase_user(
        &self,
        request: Request<wire::EraseUserRequest>,
    ) -> Answer<wire::EraseUserResponse> {
        let (_, principal) = caller(&request)?;
        show(self.erase_user(principal, request.get_ref()).await)
    }

    async fn assign_roles(
        &self,
        request: Request<wire::AssignRolesRequest>,
    ) -> Answer<wire::AssignRolesResponse> {
        let (_, principal) = caller(&request)?;
        show(self.assign_roles(principal, request.get_ref()).await)
    }

    async fn create_api_key(
        &self,
        request: Request<wire::CreateApiKeyRequest>,
    ) -> Answer<wire::CreateApiKeyResponse> {
        let (_, principal) = caller(&request)?;
        show(self.create_api_key(principal, request.get_ref()).await)
    }

    async fn list_api_keys(
        &self,
        request: Request<wire::ListApiKeysRequest>,
    ) -> Answer<wire::ListApiKeysResponse> {
        let (_, principal) = caller(&request)?;
        show(self.list_api_keys(principal, request.get_ref()).await)
    }

    async fn revoke_api_key(
        &self,
        request: Request<wire::RevokeApiKeyRequest>,
    ) -> Answer<wire::RevokeApiKeyResponse> {
        let (_, principal) = caller(&request)?;
        show(self.revoke_api_key(principal, request.get_ref()).await)
    }

    async fn authenticate_api_key(
        &self,
        request: Request<wire::AuthenticateApiKeyRequest>,
    ) -> Answer<wire::AuthenticateApiKeyResponse> {
        show(self.authenticate_api_key(request.get_ref()).await)
    }

    async fn get_jwks(&self, _: Request<wire::GetJwksRequest>) -> Answer<wire::GetJwksResponse> {
        show(self.get_jwks().await)
    }

    async fn get_contact(
        &self,
        request: Request<wire::GetContactRequest>,
    ) -> Answer<wire::GetContactResponse> {
        let (_, principal) = caller(&request)?;
        show(self.get_contact(principal, request.get_ref()).await)
    }
}
