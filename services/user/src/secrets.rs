//! Everything that is made of keys: encryption of personal data, passwords, tokens.
//!
//! Nothing in here is shown by `Debug` or an error, and nothing of it is logged (U3).

pub(crate) mod access;
pub(crate) mod master;
pub(crate) mod password;
pub(crate) mod vault;

use aes_gcm::aead::Generate as _;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

pub(crate) use access::{AccessToken, SigningKey};
pub(crate) use password::{Passwords, PasswordsBusy};
pub(crate) use vault::{Unreadable, Vault};

/// Random bytes of the operating system.
#[must_use]
pub(crate) fn random<const N: usize>() -> [u8; N] {
    <[u8; N]>::generate()
}

/// Bytes as text for tokens, URLs and tables (RFC 4648 §5, without padding).
#[must_use]
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of such a text.
#[must_use]
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// SHA-256 of a random secret, as text. Not for passwords.
#[must_use]
pub(crate) fn hash(secret: &str) -> String {
    encode(&Sha256::digest(secret.as_bytes()))
}
