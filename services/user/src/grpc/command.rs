//! Requests as the use cases take them.

use paymesh_kernel::{Timestamp, id::UserId};
use paymesh_proto::user::v1 as wire;
use prost::Message as _;

use super::fields::Fields;
use crate::{
    app::{
        api_keys::CreateApiKey,
        register::Register,
        sessions::Login,
        tenants::CreateTenant,
        users::{ListUsers, UpdateUser},
    },
    domain::{Hidden, Personal},
    error::Error,
};

pub(super) fn create_tenant(request: &wire::CreateTenantRequest) -> Result<CreateTenant, Error> {
    let mut fields = Fields::default();
    let id = fields.parse("tenant_id", &request.tenant_id);
    let name = fields.name("name", &request.name);
    let mode = fields.mode("mode", request.mode());
    let country = fields.parse("country", &request.country);
    let default_currency = fields.parse("default_currency", &request.default_currency);
    let email = fields.email("admin_email", &request.admin_email);
    let person = fields.name("admin_name", &request.admin_name);
    let password = fields.password("admin_password", &request.admin_password);
    match (
        id,
        name,
        mode,
        country,
        default_currency,
        (email, person, password),
    ) {
        (
            Some(id),
            Some(name),
            Some(mode),
            Some(country),
            Some(default_currency),
            (Some(email), Some(person), Some(password)),
        ) => Ok(CreateTenant {
            id,
            name,
            mode,
            country,
            default_currency,
            administrator: Personal {
                email,
                name: person,
            },
            password,
            asked: request.encode_to_vec(),
        }),
        _ => Err(fields.error()),
    }
}

pub(super) fn register(mut request: wire::RegisterRequest) -> Result<Register, Error> {
    let mut fields = Fields::default();
    let tenant = fields.parse("tenant_id", &request.tenant_id);
    let email = fields.email("email", &request.email);
    let name = fields.name("name", &request.name);
    let password = fields.password("password", &request.password);
    let country = fields.parse("country", &request.country);
    let currency = fields.parse("currency", &request.currency);
    let consents = fields.consents("consents", &request.consents);
    match (tenant, email, name, password, (country, currency, consents)) {
        (
            Some(tenant),
            Some(email),
            Some(name),
            Some(password),
            (Some(country), Some(currency), Some(consents)),
        ) => Ok(Register {
            key: std::mem::take(&mut request.idempotency_key),
            tenant,
            personal: Personal { email, name },
            password,
            country,
            currency,
            consents,
            asked: request.encode_to_vec(),
        }),
        _ => Err(fields.error()),
    }
}

pub(super) fn login(request: &wire::LoginRequest) -> Result<Login, Error> {
    let mut fields = Fields::default();
    let tenant = fields.parse("tenant_id", &request.tenant_id);
    let email = fields.email("email", &request.email);
    let password = fields.attempt("password", &request.password);
    match (tenant, email, password) {
        (Some(tenant), Some(email), Some(password)) => Ok(Login {
            tenant,
            email: Hidden(email),
            password,
        }),
        _ => Err(fields.error()),
    }
}

pub(super) fn update_user(
    request: &wire::UpdateUserRequest,
) -> Result<(UserId, UpdateUser), Error> {
    let mut fields = Fields::default();
    let id = fields.parse("user_id", &request.user_id);
    let email = request.email.as_deref();
    let email = email
        .and_then(|text| fields.email("email", text))
        .map(Hidden);
    let name = request.name.as_deref();
    let name = name.and_then(|text| fields.name("name", text)).map(Hidden);
    let country = request.country.as_deref();
    let country = country.and_then(|text| fields.parse("country", text));
    let password = request.password.as_deref();
    let password = password.and_then(|text| fields.password("password", text));
    let present = request.current_password.as_deref();
    let present = present.and_then(|text| fields.attempt("current_password", text));
    let merchant = request.merchant_id.as_deref();
    let merchant = merchant.and_then(|text| fields.parse("merchant_id", text));
    let consents = fields.consents("consents", &request.consents);
    let version = version(&mut fields, request.expected_version);
    fields.done()?;
    let update = UpdateUser {
        email,
        name,
        country,
        password,
        current_password: present,
        merchant,
        consents: consents.unwrap_or_default(),
        expected_version: version,
    };
    id.map(|id| (id, update)).ok_or_else(|| fields.error())
}

pub(super) fn list_users(request: &wire::ListUsersRequest) -> Result<ListUsers, Error> {
    let mut fields = Fields::default();
    let email = match request.email.as_str() {
        "" => None,
        text => fields.email("email", text).map(Hidden),
    };
    let page = fields.page(request.page.as_ref());
    fields.done()?;
    let page = page.ok_or_else(|| fields.error())?;
    Ok(ListUsers {
        role: super::fields::role_of(request.role()),
        state: super::fields::state_of(request.state()),
        email,
        after: page.after.map(UserId::from),
        limit: page.limit,
    })
}

pub(super) fn create_api_key(
    request: &wire::CreateApiKeyRequest,
    now: Timestamp,
) -> Result<CreateApiKey, Error> {
    let mut fields = Fields::default();
    let name = fields.name("name", &request.name);
    let roles = fields.roles("roles", &request.roles);
    let merchant = fields.maybe("merchant_id", &request.merchant_id);
    let expires_at = match request.expires_at_us {
        0 => None,
        micros if micros > now.as_micros() => Some(Timestamp::from_micros(micros)),
        _ => fields.refuse("expires_at_us", "must lie in the future, or be 0 for never"),
    };
    fields.done()?;
    match (name, roles) {
        (Some(name), Some(roles)) => Ok(CreateApiKey {
            name,
            roles,
            merchant,
            expires_at,
        }),
        _ => Err(fields.error()),
    }
}

fn version(fields: &mut Fields, version: u64) -> Option<i64> {
    match i64::try_from(version) {
        Ok(0) => None,
        Ok(version) => Some(version),
        Err(_) => fields.refuse(
            "expected_version",
            "must be a version that was read, or 0 for any",
        ),
    }
}
