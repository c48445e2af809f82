//! API keys: user says who stands behind one, and is believed for a short while. Only hashes of keys are remembered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use paymesh_kernel::{Clock, ErrorKind, Fault as _, Principal, Role, Timestamp};
use paymesh_mesh::CallError;
use paymesh_proto::user::v1 as pb;
use sha2::{Digest as _, Sha256};

use crate::{app::auth::Credential, clients::Clients, error::Error};

/// Keys remembered; a full memory is emptied.
const LIMIT: usize = 10_000;
/// How long a key that is not valid is refused without asking again.
const REFUSED: Duration = Duration::from_secs(2);

/// Authenticates API keys.
#[derive(Debug)]
pub(crate) struct ApiKeys {
    clients: Arc<Clients>,
    clock: Arc<dyn Clock>,
    believed: Duration,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    /// None: not valid.
    credential: Option<Credential>,
    until: Timestamp,
}

// === impl ApiKeys ===

impl ApiKeys {
    pub(crate) fn new(clients: Arc<Clients>, clock: Arc<dyn Clock>, believed_ms: u64) -> Self {
        Self {
            clients,
            clock,
            believed: Duration::from_millis(believed_ms),
            known: Mutex::default(),
        }
    }

    /// Who stands behind the key.
    ///
    /// # Errors
    /// When the key is not valid, or user cannot be asked.
    pub(crate) async fn authenticate(&self, secret: &str) -> Result<Credential, Error> {
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        let now = self.clock.now();
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&hash)
            .cloned();
        if let Some(known) = known.filter(|known| now < known.until) {
            let credential = known.credential.ok_or(Error::ApiKeyInvalid)?;
            let has_expired = credential.expires_at.is_some_and(|at| at <= now);
            return if has_expired {
                Err(Error::ApiKeyInvalid)
            } else {
                Ok(credential)
            };
        }
        let request = pb::AuthenticateApiKeyRequest {
            secret: secret.to_owned(),
        };
        match self.clients.user().authenticate_api_key(request).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                let cacheable =
                    Duration::from_millis(u64::try_from(answer.cacheable_ms).unwrap_or(0));
                let credential = credential(answer)?;
                let until = now.plus(cacheable.min(self.believed));
                self.remember(hash, Some(credential.clone()), until);
                Ok(credential)
            }
            Err(status) => {
                let error = CallError::from(status);
                let is_refusal = [
                    ErrorKind::Unauthenticated,
                    ErrorKind::NotFound,
                    ErrorKind::InvalidArgument,
                ]
                .contains(&error.kind());
                let is_ours = ["SERVICE_TOKEN_INVALID", "PRINCIPAL_TOKEN_INVALID"]
                    .contains(&error.reason_text());
                if is_refusal && !is_ours {
                    self.remember(hash, None, now.plus(REFUSED));
                    return Err(Error::ApiKeyInvalid);
                }
                Err(error.into())
            }
        }
    }

    fn remember(&self, hash: [u8; 32], credential: Option<Credential>, until: Timestamp) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= LIMIT {
            known.clear();
        }
        known.insert(hash, Known { credential, until });
    }
}

fn credential(answer: pb::AuthenticateApiKeyResponse) -> Result<Credential, Error> {
    let incomplete = |field| Error::AnswerIncomplete {
        component: "user",
        field,
    };
    let principal = answer.principal.ok_or(incomplete("principal"))?;
    let merchant = principal.merchant_id;
    Ok(Credential {
        principal: Arc::new(Principal {
            tenant: principal
                .tenant_id
                .parse()
                .map_err(|_| incomplete("principal.tenant_id"))?,
            subject: principal.subject,
            roles: principal.roles.into_iter().filter_map(role).collect(),
            merchant: match merchant.as_str() {
                "" => None,
                id => Some(
                    id.parse()
                        .map_err(|_| incomplete("principal.merchant_id"))?,
                ),
            },
        }),
        session: None,
        expires_at: (answer.expires_at_us != 0)
            .then(|| Timestamp::from_micros(answer.expires_at_us)),
    })
}

fn role(number: i32) -> Option<Role> {
    match pb::Role::try_from(number).ok()? {
        pb::Role::Unspecified => None,
        pb::Role::Customer => Some(Role::Customer),
        pb::Role::Merchant => Some(Role::Merchant),
        pb::Role::Support => Some(Role::Support),
        pb::Role::Finance => Some(Role::Finance),
        pb::Role::Admin => Some(Role::Admin),
        pb::Role::Auditor => Some(Role::Auditor),
    }
}
