//! The vault: what is derived from the master key, and envelopes under it.
//!
//! Each subject has a key of its own, wrapped by the master key; personal data is encrypted under the subject's key, so deleting
//! that one row makes every copy of the data unreadable. AES-256-GCM (NIST SP 800-38D) with random nonces; the subject's id is
//! authenticated with each message, so a message cannot be moved to another subject. Addresses are found by a keyed hash.
//!
//! Limit: the master key cannot be exchanged, for the hashes of addresses depend on it.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use paymesh_kernel::id::TenantId;
use sha2::Sha256;
use uuid::Uuid;

use super::{encode, random};

/// Length of every key, in bytes.
pub(crate) const KEY_LENGTH: usize = 32;
/// Length of a nonce, in bytes.
const NONCE_LENGTH: usize = 12;
/// First byte of a message; another one is another way of sealing.
const FORMAT: u8 = 1;

const WRAP: &[u8] = b"paymesh.user.wrap.v1";
const SIGNING: &[u8] = b"paymesh.user.signing-keys.v1";
const EMAIL: &[u8] = b"paymesh.user.email.v1";
const ATTEMPTS: &[u8] = b"paymesh.user.attempts.v1";
const FINGERPRINT: &[u8] = b"paymesh.user.fingerprint.v1";
const REFRESH: &[u8] = b"paymesh.user.refresh.v1";

type Key = [u8; KEY_LENGTH];

/// A message cannot be opened: it is damaged, belongs to somebody else, or was sealed under another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed data cannot be opened with this key")]
pub(crate) struct Unreadable;

/// Keys derived from the master key.
#[derive(Clone)]
pub(crate) struct Vault {
    wrap: Key,
    signing: Key,
    email: Key,
    attempts: Key,
    fingerprint: Key,
    refresh: Key,
}

/// The key of one subject.
#[derive(Clone)]
pub(crate) struct SubjectKey {
    subject: Uuid,
    key: Key,
}

// === impl Vault ===

impl Vault {
    /// The vault of a master key.
    #[must_use]
    pub(crate) fn new(master: &Key) -> Self {
        let derive = |label: &[u8]| mac(master, &[label]);
        Self {
            wrap: derive(WRAP),
            signing: derive(SIGNING),
            email: derive(EMAIL),
            attempts: derive(ATTEMPTS),
            fingerprint: derive(FINGERPRINT),
            refresh: derive(REFRESH),
        }
    }

    /// A new key for a subject, and the same wrapped for storage.
    #[must_use]
    pub(crate) fn make_subject_key(&self, subject: Uuid) -> (SubjectKey, Vec<u8>) {
        let key = random();
        let wrapped = seal(&self.wrap, subject, &key);
        (SubjectKey { subject, key }, wrapped)
    }

    /// The key of a subject.
    ///
    /// # Errors
    /// When it was wrapped for another subject or under another master key.
    pub(crate) fn open_subject_key(
        &self,
        subject: Uuid,
        wrapped: &[u8],
    ) -> Result<SubjectKey, Unreadable> {
        let key = open(&self.wrap, subject, wrapped)?;
        let key = key.try_into().map_err(|_| Unreadable)?;
        Ok(SubjectKey { subject, key })
    }

    /// A signing key for storage.
    #[must_use]
    pub(crate) fn seal_signing_key(&self, id: Uuid, key: &Key) -> Vec<u8> {
        seal(&self.signing, id, key)
    }

    /// A stored signing key.
    ///
    /// # Errors
    /// When it was sealed under another master key.
    pub(crate) fn open_signing_key(&self, id: Uuid, sealed: &[u8]) -> Result<Key, Unreadable> {
        open(&self.signing, id, sealed)?
            .try_into()
            .map_err(|_| Unreadable)
    }

    /// What an address is found by: the same in any letter case, different in each tenant.
    #[must_use]
    pub(crate) fn email_hash(&self, tenant: TenantId, email: &str) -> String {
        encode(&address_hash(&self.email, tenant, email))
    }

    /// What attempts to sign in with an address are counted under.
    #[must_use]
    pub(crate) fn attempts_id(&self, tenant: TenantId, email: &str) -> Uuid {
        let hash = address_hash(&self.attempts, tenant, email);
        let mut first = [0_u8; 16];
        first.copy_from_slice(&hash[..16]);
        Uuid::from_bytes(first)
    }

    /// Fingerprint of a request that holds secrets: without the key nobody can try passwords on it.
    #[must_use]
    pub(crate) fn fingerprint(&self, request: &[u8]) -> Key {
        mac(&self.fingerprint, &[request])
    }

    /// The part of a refresh token that proves it.
    #[must_use]
    pub(crate) fn refresh_proof(&self, session: Uuid, generation: i64, salt: &[u8]) -> Key {
        let generation = generation.to_be_bytes();
        mac(&self.refresh, &[session.as_bytes(), &generation, salt])
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(***)")
    }
}

// === impl SubjectKey ===

impl SubjectKey {
    /// Encrypts what belongs to the subject.
    #[must_use]
    pub(crate) fn seal(&self, plain: &[u8]) -> Vec<u8> {
        seal(&self.key, self.subject, plain)
    }

    /// Decrypts it.
    ///
    /// # Errors
    /// When it belongs to somebody else or is damaged.
    pub(crate) fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
        open(&self.key, self.subject, sealed)
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(***)")
    }
}

fn address_hash(key: &Key, tenant: TenantId, email: &str) -> Key {
    mac(
        key,
        &[tenant.as_uuid().as_bytes(), email.to_lowercase().as_bytes()],
    )
}

/// HMAC-SHA-256 (RFC 2104) over length-prefixed parts.
fn mac(key: &Key, parts: &[&[u8]]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn seal(key: &Key, subject: Uuid, plain: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LENGTH] = random();
    let payload = Payload {
        msg: plain,
        aad: subject.as_bytes(),
    };
    let sealed = Aes256Gcm::new(&(*key).into())
        .encrypt(&Nonce::from(nonce), payload)
        .expect("messages are far below the limit of the cipher");
    let mut message = Vec::with_capacity(1 + NONCE_LENGTH + sealed.len());
    message.push(FORMAT);
    message.extend_from_slice(&nonce);
    message.extend_from_slice(&sealed);
    message
}

fn open(key: &Key, subject: Uuid, message: &[u8]) -> Result<Vec<u8>, Unreadable> {
    let rest = message.strip_prefix(&[FORMAT]).ok_or(Unreadable)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or(Unreadable)?;
    let payload = Payload {
        msg: sealed,
        aad: subject.as_bytes(),
    };
    Aes256Gcm::new(&(*key).into())
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|_| Unreadable)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn u3_personal_data_opens_with_its_own_key_alone() {
        let vault = Vault::new(&[7; KEY_LENGTH]);
        let (anna, bert) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (key, wrapped) = vault.make_subject_key(anna);
        let sealed = key.seal(b"anna@example.com");
        assert!(!sealed.windows(4).any(|part| part == b"anna"));
        let again = vault.open_subject_key(anna, &wrapped).unwrap();
        assert_eq!(again.open(&sealed).unwrap(), b"anna@example.com");
        assert!(vault.open_subject_key(bert, &wrapped).is_err());
        let (other, _) = vault.make_subject_key(anna);
        assert_eq!(other.open(&sealed), Err(Unreadable));
        assert!(
            Vault::new(&[8; KEY_LENGTH])
                .open_subject_key(anna, &wrapped)
                .is_err()
        );
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert_eq!(again.open(&damaged), Err(Unreadable), "byte {place}");
        }
    }

    #[test]
    fn an_address_is_found_in_any_letter_case_and_in_its_tenant_alone() {
        let vault = Vault::new(&[7; KEY_LENGTH]);
        let (one, two) = (
            TenantId::from(Uuid::from_u128(1)),
            TenantId::from(Uuid::from_u128(2)),
        );
        assert_eq!(
            vault.email_hash(one, "Anna@Example.com"),
            vault.email_hash(one, "anna@example.com")
        );
        assert_ne!(
            vault.email_hash(one, "anna@example.com"),
            vault.email_hash(two, "anna@example.com")
        );
        assert_ne!(
            vault.email_hash(one, "anna@example.com"),
            Vault::new(&[8; KEY_LENGTH]).email_hash(one, "anna@example.com")
        );
    }
}
