//! Tenants: customers of the platform.

use std::sync::Arc;

use paymesh_proto::user::v1 as pb;

use super::{
    answer::{Found, Made, Page, present},
    form::{Form, Moment, Word, form, request, words},
    input::{Body, Listing, NoFilter, Path},
    once::Once,
    problem::Problem,
    route::Route,
    users::User,
};
use crate::clients::Clients;

const TAG: &str = "Tenants";

words! { pb::TenantMode = TenantMode "TENANT_MODE_"; }

form! {
    /// A customer of the platform: everything belongs to one.
    Tenant from pb::Tenant {
        /// `tnt_…`
        id: String,
        name: String,
        /// A sandbox has simulated providers, and settles at once.
        mode: Word<pb::TenantMode>,
        /// ISO 3166-1 alpha-2.
        country: Option<String>,
        default_currency: Option<String>,
        created_at: Moment = created_at_us,
    }
}

form! {
    /// A tenant that was made just now, and its first administrator.
    NewTenant from pb::CreateTenantResponse {
        tenant: Option<Tenant>,
        administrator: Option<User>,
    }
}

request! {
    /// A new tenant.
    CreateTenant {
        name: String,
        mode: Word<pb::TenantMode>,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// ISO 4217.
        default_currency: String,
        /// Of the first administrator.
        admin_email: String,
        /// Of the first administrator, 12 to 128 characters.
        admin_password: String,
        /// Of the first administrator.
        admin_name: String,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/tenants", create)
            .about("Make a tenant")
            .calls(&["UserService/CreateTenant"])
            .tag(TAG),
        Route::get("/v1/tenants", list)
            .about("List tenants")
            .calls(&["UserService/ListTenants"])
            .tag(TAG),
        Route::get("/v1/tenants/{tenant_id}", get)
            .about("Read a tenant")
            .calls(&["UserService/GetTenant"])
            .tag(TAG),
    ]
}

async fn create(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<CreateTenant>,
) -> Result<Made<NewTenant>, Problem> {
    let answer = once
        .with_id("tnt", async |tenant_id| {
            let request = pb::CreateTenantRequest {
                tenant_id,
                name: body.name,
                mode: body.mode.number(),
                country: body.country,
                default_currency: body.default_currency,
                admin_email: body.admin_email,
                admin_password: body.admin_password,
                admin_name: body.admin_name,
            };
            Ok(clients.user().create_tenant(request).await?.into_inner())
        })
        .await?;
    let outcome = answer.outcome;
    let id = answer
        .tenant
        .as_ref()
        .map_or("", |tenant| tenant.id.as_str());
    let location = format!("/v1/tenants/{id}");
    Ok(Made::new(NewTenant::form(answer), location, outcome))
}

async fn list(clients: Arc<Clients>, listing: Listing<NoFilter>) -> Result<Page<Tenant>, Problem> {
    let request = pb::ListTenantsRequest {
        page: Some(listing.page),
    };
    let answer = clients.user().list_tenants(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.tenants), answer.page_info))
}

async fn get(clients: Arc<Clients>, Path(tenant_id): Path<0>) -> Result<Found<Tenant>, Problem> {
    let answer = clients
        .user()
        .get_tenant(pb::GetTenantRequest { tenant_id })
        .await?
        .into_inner();
    Ok(Found(Tenant::form(present(
        answer.tenant,
        "user",
        "tenant",
    )?)))
}
