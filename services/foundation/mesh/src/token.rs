//! Two kinds of tokens between components, both Ed25519 JWTs (RFC 7519, RFC 8037) that live five minutes.
//!
//! - A *service* token says which component calls, and is good for one callee (`aud`).
//! - A *principal* token says who asked. The gateway issues it after it has verified the user or API key; it is passed on
//!   unchanged. A component that acts by itself issues one for itself, which can hold no role but `component`.
//!
//! Signing and verifying cost tens of microseconds, so both ends keep what they have made or checked, in bounded caches.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jsonwebtoken::{Algorithm, Header, Validation};
use paymesh_kernel::{Clock, Principal, Role, call::Token};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Keys;

/// The component that may issue principal tokens for others.
pub const EDGE: &str = "gateway";
/// How long a token lives.
const LIFE_SECONDS: i64 = 300;
/// A token is made anew when it lives no longer than this.
const RENEW_SECONDS: i64 = 60;
/// Clocks of two machines may differ by this much.
const SKEW_SECONDS: i64 = 30;
/// Entries in each cache; a full one is emptied, which costs some signatures.
const CACHE_LIMIT: usize = 10_000;

const ISSUER: &str = "paymesh";
const SERVICE: &str = "service";
const PRINCIPAL: &str = "principal";

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No token where one is needed.
    #[error("a token is missing")]
    Missing,
    /// Not signed by a key that is known, not of this kind, or not for this callee.
    #[error("a token is not valid here")]
    Invalid,
    /// Its time is over.
    #[error("a token has expired")]
    Expired,
    /// The key cannot sign.
    #[error("a token cannot be signed")]
    Signing,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ServiceClaims {
    iss: String,
    sub: String,
    aud: String,
    typ: String,
    iat: i64,
    exp: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PrincipalClaims {
    iss: String,
    typ: String,
    iat: i64,
    exp: i64,
    #[serde(flatten)]
    principal: Principal,
}

/// Issues and verifies tokens for one component. Clones share the caches.
#[derive(Clone)]
pub struct Tokens {
    component: &'static str,
    keys: Keys,
    clock: Arc<dyn Clock>,
    issued: Arc<Cache<String, (Token, i64)>>,
    services: Arc<Cache<String, (Arc<str>, i64)>>,
    principals: Arc<Cache<String, (Arc<Principal>, i64)>>,
}

type Cache<K, V> = Mutex<HashMap<K, V>>;

// === impl Tokens ===

impl Tokens {
    /// Tokens of `component`, signed and verified with `keys`.
    #[must_use]
    pub fn new(component: &'static str, keys: Keys, clock: Arc<dyn Clock>) -> Self {
        Self {
            component,
            keys,
            clock,
            issued: Arc::default(),
            services: Arc::default(),
            principals: Arc::default(),
        }
    }

    /// The component that these tokens speak for.
    #[must_use]
    pub const fn component(&self) -> &'static str {
        self.component
    }

    /// A service token for `callee`.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn service(&self, callee: &str) -> Result<Token, TokenError> {
        self.issue(format!("s:{callee}"), |iat, exp| ServiceClaims {
            iss: ISSUER.to_owned(),
            sub: self.component.to_owned(),
            aud: callee.to_owned(),
            typ: SERVICE.to_owned(),
            iat,
            exp,
        })
    }

    /// A principal token issued by this component.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn principal(&self, principal: &Principal) -> Result<Token, TokenError> {
        let key = format!(
            "p:{}:{}:{:?}:{:?}",
            principal.tenant, principal.subject, principal.roles, principal.merchant
        );
        self.issue(key, |iat, exp| PrincipalClaims {
            iss: self.component.to_owned(),
            typ: PRINCIPAL.to_owned(),
            iat,
            exp,
            principal: principal.clone(),
        })
    }

    /// The component that a service token names as caller, when it is meant for this one.
    ///
    /// # Errors
    /// When the token is not valid here.
    pub fn verify_service(&self, token: &str) -> Result<Arc<str>, TokenError> {
        if let Some((caller, exp)) = get(&self.services, token) {
            self.check_time(exp)?;
            return Ok(caller);
        }
        let claims: ServiceClaims = self.decode(token)?;
        if claims.iss != ISSUER || claims.typ != SERVICE || claims.aud != self.component {
            return Err(TokenError::Invalid);
        }
        self.check_time(claims.exp)?;
        let caller: Arc<str> = claims.sub.into();
        put(
            &self.services,
            token.to_owned(),
            (Arc::clone(&caller), claims.exp),
        );
        Ok(caller)
    }

    /// The principal that a token names.
    ///
    /// # Errors
    /// When the token is not valid, or its issuer may not speak for such a principal.
    pub fn verify_principal(&self, token: &str) -> Result<Arc<Principal>, TokenError> {
        if let Some((principal, exp)) = get(&self.principals, token) {
            self.check_time(exp)?;
            return Ok(principal);
        }
        let claims: PrincipalClaims = self.decode(token)?;
        let speaks_for_itself =
            claims.principal.subject == claims.iss && claims.principal.roles == [Role::Component];
        let is_person = claims.iss == EDGE && !claims.principal.has(Role::Component);
        if claims.typ != PRINCIPAL || !(speaks_for_itself || is_person) {
            return Err(TokenError::Invalid);
        }
        self.check_time(claims.exp)?;
        let principal = Arc::new(claims.principal);
        put(
            &self.principals,
            token.to_owned(),
            (Arc::clone(&principal), claims.exp),
        );
        Ok(principal)
    }

    fn issue<C: Serialize>(
        &self,
        key: String,
        claims: impl FnOnce(i64, i64) -> C,
    ) -> Result<Token, TokenError> {
        let now = self.now();
        if let Some((token, exp)) = get(&self.issued, key.as_str())
            && exp > now.saturating_add(RENEW_SECONDS)
        {
            return Ok(token);
        }
        let exp = now.saturating_add(LIFE_SECONDS);
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.keys.id().to_owned());
        let text = jsonwebtoken::encode(&header, &claims(now, exp), self.keys.signing())
            .map_err(|_| TokenError::Signing)?;
        let token = Token(text.into());
        put(&self.issued, key, (token.clone(), exp));
        Ok(token)
    }

    fn decode<C: DeserializeOwned + Clone>(&self, token: &str) -> Result<C, TokenError> {
        // Time, audience and issuer are checked by the callers above, against our clock.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<C>(token, self.keys.verifying(), &validation)
            .map(|data| data.claims)
            .map_err(|_| TokenError::Invalid)
    }

    fn check_time(&self, exp: i64) -> Result<(), TokenError> {
        if exp.saturating_add(SKEW_SECONDS) < self.now() {
            return Err(TokenError::Expired);
        }
        Ok(())
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millis().div_euclid(1_000)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("component", &self.component)
            .finish_non_exhaustive()
    }
}

fn get<V: Clone>(cache: &Cache<String, V>, key: &str) -> Option<V> {
    cache
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(key)
        .cloned()
}

fn put<V>(cache: &Cache<String, V>, key: String, value: V) {
    let mut cache = cache.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHE_LIMIT {
        cache.clear();
    }
    cache.insert(key, value);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::time::Duration;

    use paymesh_kernel::{Ids, SystemClock};
    use paymesh_testkit::FakeClock;

    use super::*;

    fn person() -> Principal {
        Principal {
            tenant: Ids::new(Arc::new(SystemClock)).next(),
            subject: "user_01h455vb4pex5vsknk084sn02q".to_owned(),
            roles: vec![Role::Customer],
            merchant: None,
        }
    }

    #[test]
    fn a_service_token_is_good_for_its_callee_alone() {
        let keys = Keys::ephemeral().unwrap();
        let clock = Arc::new(FakeClock::new());
        let gateway = Tokens::new("gateway", keys.clone(), clock.clone());
        let token = gateway.service("account").unwrap();
        let account = Tokens::new("account", keys.clone(), clock.clone());
        assert_eq!(&*account.verify_service(&token.0).unwrap(), "gateway");
        let payment = Tokens::new("payment", keys, clock.clone());
        assert_eq!(payment.verify_service(&token.0), Err(TokenError::Invalid));
        let stranger = Tokens::new("account", Keys::ephemeral().unwrap(), clock);
        assert_eq!(stranger.verify_service(&token.0), Err(TokenError::Invalid));
    }

    #[test]
    fn an_expired_token_is_refused_even_when_it_was_seen_before() {
        let clock = FakeClock::new();
        let tokens = Tokens::new(
            "gateway",
            Keys::ephemeral().unwrap(),
            Arc::new(clock.clone()),
        );
        let token = tokens.principal(&person()).unwrap();
        assert!(tokens.verify_principal(&token.0).is_ok());
        clock.advance(Duration::from_secs(331));
        assert_eq!(tokens.verify_principal(&token.0), Err(TokenError::Expired));
        assert_ne!(tokens.principal(&person()).unwrap(), token);
    }

    #[test]
    fn a_component_speaks_for_itself_and_only_the_edge_for_people() {
        let keys = Keys::ephemeral().unwrap();
        let clock = Arc::new(FakeClock::new());
        let risk = Tokens::new("risk", keys.clone(), clock.clone());
        let account = Tokens::new("account", keys, clock);
        let itself = Principal::component(person().tenant, "risk");
        assert!(
            account
                .verify_principal(&risk.principal(&itself).unwrap().0)
                .is_ok()
        );
        for forged in [
            person(),
            Principal::component(person().tenant, "transaction"),
        ] {
            let token = risk.principal(&forged).unwrap();
            assert_eq!(account.verify_principal(&token.0), Err(TokenError::Invalid));
        }
    }

    #[test]
    fn a_service_token_is_no_principal_token() {
        let keys = Keys::ephemeral().unwrap();
        let tokens = Tokens::new("gateway", keys, Arc::new(FakeClock::new()));
        let token = tokens.service("gateway").unwrap();
        assert_eq!(tokens.verify_principal(&token.0), Err(TokenError::Invalid));
        assert!(!format!("{token:?}").contains('.'));
    }
}
