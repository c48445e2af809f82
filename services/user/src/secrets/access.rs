//! Access tokens: Ed25519 JWTs (RFC 7519, RFC 8037, RFC 9068) that live fifteen minutes.

use std::{fmt, time::Duration};

use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use paymesh_kernel::{Role, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{encode, random, vault::KEY_LENGTH};

/// How long an access token lives.
pub(crate) const LIFE: Duration = Duration::from_secs(15 * 60);
/// `iss`: who issued it.
pub(crate) const ISSUER: &str = "paymesh";
/// `aud`: whom it is for.
pub(crate) const AUDIENCE: &str = "paymesh";
/// `typ` of the header: an access token and nothing else (RFC 9068 §2.1).
pub(crate) const TYPE: &str = "at+jwt";

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// [`AUDIENCE`].
    pub aud: String,
    /// The user: `user_…`.
    pub sub: String,
    /// The tenant: `tnt_…`.
    pub tenant: String,
    /// `live` or `sandbox`.
    pub mode: String,
    /// At least one.
    pub roles: Vec<Role>,
    /// The merchant: `mrc_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<String>,
    /// The session: `ses_…`.
    pub sid: String,
    /// Unique per token.
    pub jti: String,
    /// Seconds since the epoch.
    pub iat: i64,
    /// Seconds since the epoch.
    pub nbf: i64,
    /// Seconds since the epoch.
    pub exp: i64,
}

/// A signed access token.
#[derive(Clone)]
pub(crate) struct AccessToken {
    /// The text. Do not log it.
    pub text: String,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// A key that signs access tokens.
#[derive(Clone)]
pub(crate) struct SigningKey {
    kid: String,
    public: [u8; KEY_LENGTH],
    encoding: EncodingKey,
}

/// The token cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the access token cannot be signed")]
pub(crate) struct SigningError;

// === impl SigningKey ===

impl SigningKey {
    /// The seed of a new key.
    #[must_use]
    pub(crate) fn make_seed() -> [u8; KEY_LENGTH] {
        random()
    }

    /// The key of a seed; `id` names it.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub(crate) fn try_new(id: Uuid, seed: &[u8; KEY_LENGTH]) -> Result<Self, SigningError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let der = key.to_pkcs8_der().map_err(|_| SigningError)?;
        Ok(Self {
            kid: encode(id.as_bytes()),
            public: key.verifying_key().to_bytes(),
            encoding: EncodingKey::from_ed_der(der.as_bytes()),
        })
    }

    /// `kid`.
    #[must_use]
    pub(crate) fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key, base64url: `x` of its JWK.
    #[must_use]
    pub(crate) fn x(&self) -> String {
        encode(&self.public)
    }

    /// Signs.
    ///
    /// # Errors
    /// When the library refuses the key.
    pub(crate) fn sign(&self, claims: &Claims) -> Result<AccessToken, SigningError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.kid.clone());
        let text =
            jsonwebtoken::encode(&header, claims, &self.encoding).map_err(|_| SigningError)?;
        Ok(AccessToken {
            text,
            expires_at: Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)),
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(***)")
    }
}
