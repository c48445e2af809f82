//! Domain objects as the contract shows them.

use paymesh_kernel::Timestamp;
use paymesh_proto::{types::v1::Outcome, user::v1 as wire};

use crate::{
    app::{Person, sessions::TokenPair},
    domain::{ApiKey, Consent, Repeat, Tenant},
    proto,
};

pub(super) fn tenant(tenant: &Tenant) -> wire::Tenant {
    wire::Tenant {
        id: tenant.id.to_string(),
        name: tenant.name.clone(),
        mode: proto::mode(tenant.mode).into(),
        country: tenant.country.to_string(),
        default_currency: tenant.default_currency.code().to_owned(),
        created_at_us: tenant.created_at.as_micros(),
    }
}

pub(super) fn user(person: Person) -> wire::User {
    let Person { user, personal } = person;
    let (email, name) = personal.map_or_else(Default::default, |shown| (shown.email, shown.name));
    wire::User {
        id: user.id.to_string(),
        state: proto::state(user.state).into(),
        email,
        name,
        country: user.country.to_string(),
        currency: user.currency.code().to_owned(),
        roles: proto::roles(&user.roles),
        consents: consents(&user.consents),
        merchant_id: user.merchant.map_or_else(String::new, |id| id.to_string()),
        version: proto::unsigned(user.version),
        created_at_us: user.created_at.as_micros(),
        updated_at_us: user.updated_at.as_micros(),
    }
}

pub(super) fn consents(consents: &[Consent]) -> Vec<wire::Consent> {
    consents
        .iter()
        .map(|consent| wire::Consent {
            purpose: proto::purpose(consent.purpose).into(),
            granted: consent.granted,
            version: consent.version.clone(),
            recorded_at_us: consent.recorded_at.as_micros(),
        })
        .collect()
}

pub(super) fn tokens(pair: TokenPair) -> wire::TokenPair {
    wire::TokenPair {
        access_token: pair.access.text,
        refresh_token: pair.refresh,
        access_expires_at_us: pair.access.expires_at.as_micros(),
        refresh_expires_at_us: pair.refresh_expires_at.as_micros(),
        session_id: pair.session.to_string(),
    }
}

pub(super) fn api_key(key: &ApiKey) -> wire::ApiKey {
    wire::ApiKey {
        id: key.id.to_string(),
        name: key.name.clone(),
        hint: key.hint.clone(),
        roles: proto::roles(&key.roles),
        created_by: key.created_by.clone(),
        created_at_us: key.created_at.as_micros(),
        last_used_at_us: moment(key.last_used_at),
        expires_at_us: moment(key.expires_at),
        revoked_at_us: moment(key.revoked_at),
        merchant_id: key.merchant.map_or_else(String::new, |id| id.to_string()),
    }
}

pub(super) fn principal(key: &ApiKey) -> wire::Principal {
    wire::Principal {
        tenant_id: key.tenant.to_string(),
        tenant_mode: proto::mode(key.mode).into(),
        subject: key.id.to_string(),
        roles: proto::roles(&key.roles),
        merchant_id: key.merchant.map_or_else(String::new, |id| id.to_string()),
    }
}

/// Microseconds; 0 is never.
pub(super) fn moment(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}

pub(super) fn outcome(repeat: Repeat) -> i32 {
    match repeat {
        Repeat::No => Outcome::Applied.into(),
        Repeat::Yes => Outcome::AlreadyApplied.into(),
    }
}
