//! The Ed25519 key that signs service and principal tokens.
//!
//! It comes from a PEM file (PKCS #8). All in one makes it in the data folder on the first start, readable by its owner alone.

use std::{fmt, fs, io, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc};

use ed25519_dalek::{
    SigningKey,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, spki::der::pem::LineEnding},
};
use jsonwebtoken::{DecodingKey, EncodingKey};

/// Owner reads and writes, nobody else.
const PRIVATE_MODE: u32 = 0o600;

/// A signing key and its public half. `Debug` shows the key id alone.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

struct Inner {
    id: String,
    public: [u8; 32],
    signing: EncodingKey,
    verifying: DecodingKey,
}

/// The key cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the signing key file {path} cannot be used")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the signing key must be an Ed25519 key in PKCS #8 PEM")]
    Malformed,
}

// === impl Keys ===

impl Keys {
    /// Reads the key from a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read or holds no Ed25519 key.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let pem = fs::read_to_string(path).map_err(|source| file_error(path, source))?;
        Self::from_pem(&pem)
    }

    /// Reads the key, or makes one when there is no file yet.
    ///
    /// # Errors
    /// As [`Keys::load`], and when the file cannot be written.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyError> {
        if path.exists() {
            return Self::load(path);
        }
        let pem = generate_pem()?;
        // Whole or not at all: a start after a crash must not find half a key.
        let part = path.with_extension("part");
        write(&part, &pem)
            .and_then(|()| fs::rename(&part, path))
            .map_err(|source| file_error(path, source))?;
        Self::from_pem(&pem)
    }

    /// Reads the key from PEM text.
    ///
    /// # Errors
    /// When it is no Ed25519 key in PKCS #8.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = SigningKey::from_pkcs8_pem(pem).map_err(|_| KeyError::Malformed)?;
        let public = key.verifying_key().to_bytes();
        let signing = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let verifying = DecodingKey::from_ed_der(&public);
        let id = public
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            inner: Arc::new(Inner {
                id,
                public,
                signing,
                verifying,
            }),
        })
    }

    /// A key that nobody else has, for tests and for processes that verify nothing from outside.
    ///
    /// # Errors
    /// When the key cannot be encoded.
    pub fn ephemeral() -> Result<Self, KeyError> {
        Self::from_pem(&generate_pem()?)
    }

    /// The key id (`kid`): the first eight bytes of the public key in hexadecimal.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The public half, 32 bytes (RFC 8032).
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.inner.public
    }

    /// For signing with jsonwebtoken.
    #[must_use]
    pub fn signing(&self) -> &EncodingKey {
        &self.inner.signing
    }

    /// For verifying with jsonwebtoken.
    #[must_use]
    pub fn verifying(&self) -> &DecodingKey {
        &self.inner.verifying
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("id", &self.inner.id)
            .finish_non_exhaustive()
    }
}

fn generate_pem() -> Result<String, KeyError> {
    let seed: [u8; 32] = rand::random();
    let key = SigningKey::from_bytes(&seed);
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|_| KeyError::Malformed)?;
    Ok(pem.to_string())
}

fn write(path: &Path, pem: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(PRIVATE_MODE)
        .open(path)?;
    io::Write::write_all(&mut file, pem.as_bytes())?;
    file.sync_all()
}

fn file_error(path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.pem");
        let made = Keys::load_or_create(&path).unwrap();
        assert_eq!(Keys::load_or_create(&path).unwrap().id(), made.id());
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!format!("{made:?}").contains("PRIVATE"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(matches!(Keys::from_pem("hello"), Err(KeyError::Malformed)));
    }
}
