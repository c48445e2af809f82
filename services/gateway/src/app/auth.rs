//! Who asks: access tokens of users and API keys (G2).
//!
//! A token is verified here, with user's public keys; an API key by user, whose answer is believed for a short while. What a
//! principal may do is not decided here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::{Algorithm, Validation};
use paymesh_kernel::{Clock, Principal, Role, Timestamp, id::MerchantId, id::TenantId};
use serde::Deserialize;

use crate::{
    app::{api_keys::ApiKeys, jwks::Jwks},
    clients::Clients,
    config::Config,
    error::Error,
};

/// What an API key begins with.
const API_KEY_PREFIX: &str = "sk_";
/// What the header of an access token says that it is (RFC 9068).
const TOKEN_TYPE: &str = "at+jwt";
/// Who issues access tokens.
const ISSUER: &str = "paymesh";
/// Longest token or key, in characters.
const TOKEN_LIMIT: usize = 4_096;
/// Clocks of two machines may differ by this much.
const SKEW_SECONDS: i64 = 30;
/// A verified token is believed this long without verifying it again.
const VERIFIED_SECONDS: i64 = 60;
/// Verified tokens remembered; a full memory is emptied, which costs some verifications.
const VERIFIED_LIMIT: usize = 10_000;

/// Someone who proved who they are.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) principal: Arc<Principal>,
    /// `ses_…`, of a token.
    pub(crate) session: Option<String>,
    /// When the proof ends.
    pub(crate) expires_at: Option<Timestamp>,
}

/// Authenticates.
#[derive(Debug)]
pub(crate) struct Auth {
    audience: String,
    clock: Arc<dyn Clock>,
    jwks: Jwks,
    api_keys: ApiKeys,
    verified: Mutex<HashMap<String, (Credential, i64)>>,
}

/// The claims of an access token.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    exp: i64,
    #[serde(default)]
    nbf: Option<i64>,
    iss: String,
    tenant: TenantId,
    roles: Vec<Role>,
    #[serde(default)]
    merchant: Option<MerchantId>,
    #[serde(default)]
    sid: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

// === impl Auth ===

impl Auth {
    pub(crate) fn new(config: &Config, clients: Arc<Clients>, clock: Arc<dyn Clock>) -> Self {
        Self {
            audience: config.audience.clone(),
            jwks: Jwks::new(
                Arc::clone(&clients),
                Arc::clone(&clock),
                config.jwks_refresh_ms,
            ),
            api_keys: ApiKeys::new(clients, Arc::clone(&clock), config.api_key_cache_ms),
            clock,
            verified: Mutex::default(),
        }
    }

    /// The keys that tokens are verified with.
    pub(crate) const fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// Who stands behind the value of an `Authorization` header.
    ///
    /// # Errors
    /// When it is no bearer token or API key, or not a valid one.
    pub(crate) async fn authenticate(&self, authorization: &str) -> Result<Credential, Error> {
        let (scheme, token) = authorization
            .trim()
            .split_once(' ')
            .ok_or(Error::CredentialsMissing)?;
        let token = token.trim();
        if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
            return Err(Error::CredentialsMissing);
        }
        if token.len() > TOKEN_LIMIT {
            return Err(Error::TokenInvalid);
        }
        if token.starts_with(API_KEY_PREFIX) {
            self.api_keys.authenticate(token).await
        } else {
            self.verify(token).await
        }
    }

    async fn verify(&self, token: &str) -> Result<Credential, Error> {
        let now = self.clock.now().as_millis().div_euclid(1_000);
        if let Some((credential, until)) = self.remembered(token) {
            check_expiry(credential.expires_at, now)?;
            if now < until {
                return Ok(credential);
            }
        }
        let claims = self.decode(token).await?;
        let is_for_us = match &claims.aud {
            Audience::One(audience) => *audience == self.audience,
            Audience::Many(audiences) => audiences.contains(&self.audience),
        };
        // Only people have tokens: a component never comes through here.
        let is_person = claims.sub.starts_with("user_") && !claims.roles.contains(&Role::Component);
        if claims.iss != ISSUER || !is_for_us || !is_person || claims.roles.is_empty() {
            return Err(Error::TokenInvalid);
        }
        if claims
            .nbf
            .is_some_and(|nbf| nbf > now.saturating_add(SKEW_SECONDS))
        {
            return Err(Error::TokenInvalid);
        }
        let expires_at = Some(Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)));
        check_expiry(expires_at, now)?;
        let credential = Credential {
            principal: Arc::new(Principal {
                tenant: claims.tenant,
                subject: claims.sub,
                roles: claims.roles,
                merchant: claims.merchant,
            }),
            session: claims.sid,
            expires_at,
        };
        self.remember(
            token,
            credential.clone(),
            now.saturating_add(VERIFIED_SECONDS),
        );
        Ok(credential)
    }

    async fn decode(&self, token: &str) -> Result<Claims, Error> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::TokenInvalid)?;
        let is_access_token = header.typ.as_deref().is_some_and(|typ| {
            typ.trim_start_matches("application/")
                .eq_ignore_ascii_case(TOKEN_TYPE)
        });
        let kid = header.kid.ok_or(Error::TokenInvalid)?;
        if !is_access_token || header.alg != Algorithm::EdDSA {
            return Err(Error::TokenInvalid);
        }
        let key = self.jwks.find(&kid).await?.ok_or(Error::TokenInvalid)?;
        // Time and audience are checked by the caller, against our clock.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map(|data| data.claims)
            .map_err(|_| Error::TokenInvalid)
    }

    fn remembered(&self, token: &str) -> Option<(Credential, i64)> {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.get(token).cloned()
    }

    fn remember(&self, token: &str, credential: Credential, until: i64) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= VERIFIED_LIMIT {
            verified.clear();
        }
        verified.insert(token.to_owned(), (credential, until));
    }
}

fn check_expiry(expires_at: Option<Timestamp>, now: i64) -> Result<(), Error> {
    let seconds = expires_at.map_or(i64::MAX, |at| at.as_millis().div_euclid(1_000));
    if seconds.saturating_add(SKEW_SECONDS) < now {
        return Err(Error::TokenExpired);
    }
    Ok(())
}
