//! API keys: how a program proves who it is.

use std::sync::Arc;

use paymesh_proto::user::v1 as pb;

use super::{
    answer::{Done, Made, Page, present},
    existing,
    form::{Form, Moment, Word, form, request},
    input::{Body, Caller, Listing, NoFilter, Path},
    once::Once,
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

const TAG: &str = "API keys";

form! {
    /// An API key. Its secret is shown once, when it is made.
    ApiKey from pb::ApiKey {
        /// `key_…`
        id: String,
        name: String,
        /// Last four characters of the secret.
        hint: String,
        roles: Vec<Word<pb::Role>>,
        /// `mrc_…` that it acts for.
        merchant_id: Option<String>,
        created_by: Option<String>,
        created_at: Moment = created_at_us,
        /// To the hour; left out when it was never used.
        last_used_at: Option<Moment> = last_used_at_us,
        /// Left out when it does not expire.
        expires_at: Option<Moment> = expires_at_us,
        revoked_at: Option<Moment> = revoked_at_us,
    }
}

form! {
    /// An API key that was made just now.
    NewApiKey from pb::CreateApiKeyResponse {
        api_key: Option<ApiKey>,
        /// `sk_…`, shown this once.
        secret: String,
    }
}

request! {
    /// A new API key.
    CreateApiKey {
        name: String,
        /// No more than the caller's own.
        roles: Vec<Word<pb::Role>>,
        /// `mrc_…` that a key with the merchant's role acts for; the caller's own, if it is left out.
        merchant_id: Option<String>,
        /// Never, if it is left out.
        expires_at: Option<Moment>,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/api-keys", create)
            .about("Make an API key")
            .notes("The secret is in this answer and nowhere else: a repeat is refused (409) rather than answered without it.")
            .calls(&["UserService/CreateApiKey"])
            .tag(TAG),
        Route::get("/v1/api-keys", list)
            .about("List API keys")
            .calls(&["UserService/ListApiKeys"])
            .tag(TAG),
        Route::delete("/v1/api-keys/{api_key_id}", revoke)
            .about("Revoke an API key")
            .notes("It works no longer than 30 seconds from now.")
            .calls(&["UserService/RevokeApiKey"])
            .tag(TAG),
    ]
}

async fn create(
    clients: Arc<Clients>,
    caller: Caller,
    once: Once,
    Body(body): Body<CreateApiKey>,
) -> Result<Made<NewApiKey>, Problem> {
    if let Some(merchant_id) = &body.merchant_id {
        existing::shop(&clients, &caller.principal, merchant_id).await?;
    }
    let request = pb::CreateApiKeyRequest {
        name: body.name,
        roles: body.roles.into_iter().map(Word::number).collect(),
        merchant_id: body.merchant_id.unwrap_or_default(),
        expires_at_us: body.expires_at.map_or(0, Moment::as_micros),
    };
    let answer = once
        .with_secret(async || Ok(clients.user().create_api_key(request).await?.into_inner()))
        .await?;
    let id = answer.api_key.as_ref().map_or("", |key| key.id.as_str());
    let location = format!("/v1/api-keys/{id}");
    Ok(Made::new(NewApiKey::form(answer), location, 0))
}

async fn list(clients: Arc<Clients>, listing: Listing<NoFilter>) -> Result<Page<ApiKey>, Problem> {
    let request = pb::ListApiKeysRequest {
        page: Some(listing.page),
    };
    let answer = clients.user().list_api_keys(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.api_keys), answer.page_info))
}

async fn revoke(clients: Arc<Clients>, Path(api_key_id): Path<0>) -> Result<Done<ApiKey>, Problem> {
    let request = pb::RevokeApiKeyRequest { api_key_id };
    let answer = clients.user().revoke_api_key(request).await?.into_inner();
    Ok(Done::new(
        ApiKey::form(present(answer.api_key, "user", "api_key")?),
        answer.outcome,
    ))
}
