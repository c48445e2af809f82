//! Each RPC: its request to a use case, the result to its response.

use paymesh_kernel::{
    Principal,
    id::{TenantId, UserId},
};
use paymesh_proto::{types::v1::PageInfo, user::v1 as wire};

use super::{
    Grpc, answer, command,
    fields::{Fields, PageAsked, next_token},
};
use crate::{
    domain::{ApiKeyId, SessionId},
    error::Error,
    secrets::SigningKey,
};

/// Longest refresh token or API key that is looked at, in bytes.
const SECRET_LIMIT: usize = 256;
/// Longest reason, in characters.
const REASON_LIMIT: usize = 500;

// === impl Grpc ===

impl Grpc {
    pub(super) async fn create_tenant(
        &self,
        principal: &Principal,
        request: &wire::CreateTenantRequest,
    ) -> Result<wire::CreateTenantResponse, Error> {
        let command = command::create_tenant(request)?;
        let ((tenant, administrator), repeat) = self
            .app
            .create_tenant(principal, command)
            .await?
            .into_parts();
        Ok(wire::CreateTenantResponse {
            tenant: Some(answer::tenant(&tenant)),
            administrator: Some(answer::user(administrator)),
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn get_tenant(
        &self,
        principal: &Principal,
        request: &wire::GetTenantRequest,
    ) -> Result<wire::GetTenantResponse, Error> {
        let tenant = self
            .app
            .tenant(principal, id("tenant_id", &request.tenant_id)?)
            .await?;
        Ok(wire::GetTenantResponse {
            tenant: Some(answer::tenant(&tenant)),
        })
    }

    pub(super) async fn list_tenants(
        &self,
        principal: &Principal,
        request: &wire::ListTenantsRequest,
    ) -> Result<wire::ListTenantsResponse, Error> {
        let PageAsked { after, limit } = page(request.page.as_ref())?;
        let tenants = self
            .app
            .tenants(principal, after.map(TenantId::from), limit)
            .await?;
        let last = tenants.last().map(|tenant| tenant.id.as_uuid());
        Ok(wire::ListTenantsResponse {
            page_info: Some(PageInfo {
                next_token: next_token(last, tenants.len(), limit),
            }),
            tenants: tenants.iter().map(answer::tenant).collect(),
        })
    }

    pub(super) async fn register(
        &self,
        request: wire::RegisterRequest,
    ) -> Result<wire::RegisterResponse, Error> {
        let command = command::register(request)?;
        let (person, repeat) = self.app.register(command).await?.into_parts();
        Ok(wire::RegisterResponse {
            account_id: person
                .user
                .account
                .map_or_else(String::new, |id| id.to_string()),
            user: Some(answer::user(person)),
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn login(
        &self,
        request: &wire::LoginRequest,
    ) -> Result<wire::LoginResponse, Error> {
        let (tokens, person) = self.app.login(command::login(request)?).await?;
        Ok(wire::LoginResponse {
            tokens: Some(answer::tokens(tokens)),
            user: Some(answer::user(person)),
        })
    }

    pub(super) async fn refresh(
        &self,
        request: &wire::RefreshRequest,
    ) -> Result<wire::RefreshResponse, Error> {
        if request.refresh_token.len() > SECRET_LIMIT {
            return Err(Error::RefreshInvalid);
        }
        let tokens = self.app.refresh(&request.refresh_token).await?;
        Ok(wire::RefreshResponse {
            tokens: Some(answer::tokens(tokens)),
        })
    }

    pub(super) async fn logout(
        &self,
        principal: &Principal,
        request: &wire::LogoutRequest,
    ) -> Result<wire::LogoutResponse, Error> {
        let session: SessionId = id("session_id", &request.session_id)?;
        let ((), repeat) = self.app.logout(principal, session).await?.into_parts();
        Ok(wire::LogoutResponse {
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn get_user(
        &self,
        principal: &Principal,
        request: &wire::GetUserRequest,
    ) -> Result<wire::GetUserResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.maybe("user_id", &request.user_id);
        fields.done()?;
        let person = self.app.user(principal, id).await?;
        Ok(wire::GetUserResponse {
            user: Some(answer::user(person)),
        })
    }

    pub(super) async fn update_user(
        &self,
        principal: &Principal,
        request: &wire::UpdateUserRequest,
    ) -> Result<wire::UpdateUserResponse, Error> {
        let (id, update) = command::update_user(request)?;
        let (person, repeat) = self
            .app
            .update_user(principal, id, update)
            .await?
            .into_parts();
        Ok(wire::UpdateUserResponse {
            user: Some(answer::user(person)),
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn list_users(
        &self,
        principal: &Principal,
        request: &wire::ListUsersRequest,
    ) -> Result<wire::ListUsersResponse, Error> {
        let list = command::list_users(request)?;
        let limit = list.limit;
        let people = self.app.users(principal, list).await?;
        let last = people.last().map(|person| person.user.id.as_uuid());
        Ok(wire::ListUsersResponse {
            page_info: Some(PageInfo {
                next_token: next_token(last, people.len(), limit),
            }),
            users: people.into_iter().map(answer::user).collect(),
        })
    }

    pub(super) async fn erase_user(
        &self,
        principal: &Principal,
        request: &wire::EraseUserRequest,
    ) -> Result<wire::EraseUserResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse::<UserId>("user_id", &request.user_id);
        if request.reason.chars().count() > REASON_LIMIT {
            fields.refuse::<()>("reason", "must be at most 500 characters");
        }
        fields.done()?;
        let id = id.ok_or_else(|| fields.error())?;
        let (person, repeat) = self.app.erase_user(principal, id).await?.into_parts();
        Ok(wire::EraseUserResponse {
            erases_at_us: answer::moment(person.user.erases_at),
            user: Some(answer::user(person)),
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn assign_roles(
        &self,
        principal: &Principal,
        request: &wire::AssignRolesRequest,
    ) -> Result<wire::AssignRolesResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("user_id", &request.user_id);
        let roles = fields.roles("roles", &request.roles);
        let (Some(id), Some(roles)) = (id, roles) else {
            return Err(fields.error());
        };
        let (person, repeat) = self
            .app
            .assign_roles(principal, id, roles)
            .await?
            .into_parts();
        Ok(wire::AssignRolesResponse {
            user: Some(answer::user(person)),
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn create_api_key(
        &self,
        principal: &Principal,
        request: &wire::CreateApiKeyRequest,
    ) -> Result<wire::CreateApiKeyResponse, Error> {
        let command = command::create_api_key(request, self.app.now())?;
        let (key, secret) = self.app.create_api_key(principal, command).await?;
        Ok(wire::CreateApiKeyResponse {
            api_key: Some(answer::api_key(&key)),
            secret: secret.0,
        })
    }

    pub(super) async fn list_api_keys(
        &self,
        principal: &Principal,
        request: &wire::ListApiKeysRequest,
    ) -> Result<wire::ListApiKeysResponse, Error> {
        let PageAsked { after, limit } = page(request.page.as_ref())?;
        let keys = self
            .app
            .api_keys(principal, after.map(ApiKeyId::from), limit)
            .await?;
        let last = keys.last().map(|key| key.id.as_uuid());
        Ok(wire::ListApiKeysResponse {
            page_info: Some(PageInfo {
                next_token: next_token(last, keys.len(), limit),
            }),
            api_keys: keys.iter().map(answer::api_key).collect(),
        })
    }

    pub(super) async fn revoke_api_key(
        &self,
        principal: &Principal,
        request: &wire::RevokeApiKeyRequest,
    ) -> Result<wire::RevokeApiKeyResponse, Error> {
        let id = id("api_key_id", &request.api_key_id)?;
        let (key, repeat) = self.app.revoke_api_key(principal, id).await?.into_parts();
        Ok(wire::RevokeApiKeyResponse {
            api_key: Some(answer::api_key(&key)),
            outcome: answer::outcome(repeat),
        })
    }

    pub(super) async fn authenticate_api_key(
        &self,
        request: &wire::AuthenticateApiKeyRequest,
    ) -> Result<wire::AuthenticateApiKeyResponse, Error> {
        if request.secret.len() > SECRET_LIMIT {
            return Err(Error::ApiKeyInvalid);
        }
        let key = self.app.authenticate_api_key(&request.secret).await?;
        Ok(wire::AuthenticateApiKeyResponse {
            principal: Some(answer::principal(&key)),
            api_key_id: key.id.to_string(),
            expires_at_us: answer::moment(key.expires_at),
            cacheable_ms: millis(self.app.parts.settings.api_key_cacheable_s),
        })
    }

    pub(super) async fn get_jwks(&self) -> Result<wire::GetJwksResponse, Error> {
        let keys = self.app.jwks().await?;
        let jwk = |key: &SigningKey| wire::Jwk {
            kid: key.kid().to_owned(),
            kty: "OKP".to_owned(),
            crv: "Ed25519".to_owned(),
            alg: "EdDSA".to_owned(),
            x: key.x(),
        };
        Ok(wire::GetJwksResponse {
            keys: keys.iter().map(jwk).collect(),
            cacheable_ms: millis(self.app.parts.settings.jwks_cacheable_s),
        })
    }

    pub(super) async fn get_contact(
        &self,
        principal: &Principal,
        request: &wire::GetContactRequest,
    ) -> Result<wire::GetContactResponse, Error> {
        let person = self
            .app
            .contact(principal.tenant, id("user_id", &request.user_id)?)
            .await?;
        let personal = person.personal.ok_or(Error::UserNotFound)?;
        Ok(wire::GetContactResponse {
            email: personal.email,
            name: personal.name,
            country: person.user.country.to_string(),
            consents: answer::consents(&person.user.consents),
        })
    }
}

/// An id in the field of that name.
fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Error> {
    let mut fields = Fields::default();
    fields.parse(field, text).ok_or_else(|| fields.error())
}

fn page(page: Option<&paymesh_proto::types::v1::Page>) -> Result<PageAsked, Error> {
    let mut fields = Fields::default();
    fields.page(page).ok_or_else(|| fields.error())
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
}
