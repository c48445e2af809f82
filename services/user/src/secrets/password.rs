//! Passwords: argon2id (RFC 9106) on threads of their own, few at a time.
//!
//! U2: a password is stored as its argon2id hash alone, and an address that nobody has costs the same time as a wrong password.
//! Limits: `threads` hashes run at once, `waiting` more wait; the next is refused at once.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::random;

/// Bytes of salt.
const SALT_LENGTH: usize = 16;

/// Too many passwords are hashed right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are checked at once; try again shortly")]
pub(crate) struct PasswordsBusy;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Hashes that run at once.
    pub threads: usize,
    /// Hashes that may wait.
    pub waiting: usize,
}

/// The cost cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("argon2 does not take these parameters")]
pub(crate) struct CostError;

/// Makes and checks hashes. Clones share the threads.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// The hash of nothing anybody knows, for addresses that nobody has.
    decoy: Arc<str>,
}

/// A place in the queue.
#[derive(Debug)]
pub(crate) struct Place {
    passwords: Passwords,
    _admitted: OwnedSemaphorePermit,
}

// === impl Passwords ===

impl Passwords {
    /// Hashes at the given cost.
    ///
    /// # Errors
    /// When argon2 does not take the parameters.
    pub(crate) fn try_new(cost: Cost) -> Result<Self, CostError> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|_| CostError)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash_with(&argon, &super::encode(&random::<24>()));
        Ok(Self {
            argon,
            admitted: Arc::new(Semaphore::new(cost.threads.saturating_add(cost.waiting))),
            running: Arc::new(Semaphore::new(cost.threads)),
            decoy: decoy.into(),
        })
    }

    /// A place in the queue, to be taken before anything that counts.
    ///
    /// # Errors
    /// When the queue is full.
    pub(crate) fn place(&self) -> Result<Place, PasswordsBusy> {
        let admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| PasswordsBusy)?;
        Ok(Place {
            passwords: self.clone(),
            _admitted: admitted,
        })
    }
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

// === impl Place ===

impl Place {
    /// The hash of a new password.
    ///
    /// # Errors
    /// When the process is stopping.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordsBusy> {
        self.run(move |argon| hash_with(&argon, &password)).await
    }

    /// True when `password` is the one of `hash`. Without a hash it takes as long, and is false.
    ///
    /// # Errors
    /// When the process is stopping.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, PasswordsBusy> {
        let decoy = Arc::clone(&self.passwords.decoy);
        self.run(move |argon| {
            let known = hash.is_some();
            let text = hash.unwrap_or_else(|| decoy.to_string());
            let matches = PasswordHash::new(&text)
                .is_ok_and(|hash| argon.verify_password(password.as_bytes(), &hash).is_ok());
            matches && known
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, PasswordsBusy> {
        let permit = Arc::clone(&self.passwords.running)
            .acquire_owned()
            .await
            .map_err(|_| PasswordsBusy)?;
        let argon = self.passwords.argon.clone();
        // The permit goes along: a caller who gave up does not free a thread that still works.
        let task = tokio::task::spawn_blocking(move || {
            let result = work(argon);
            drop(permit);
            result
        });
        task.await.map_err(|_| PasswordsBusy)
    }
}

fn hash_with(argon: &Argon2<'_>, password: &str) -> String {
    let salt: [u8; SALT_LENGTH] = random();
    argon
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("checked parameters and a salt of the right length")
        .to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn passwords(threads: usize, waiting: usize) -> Passwords {
        Passwords::try_new(Cost {
            memory_kib: 8,
            passes: 1,
            threads,
            waiting,
        })
        .unwrap()
    }

    #[tokio::test]
    async fn u2_a_hash_tells_its_password_from_others() {
        let place = passwords(1, 0).place().unwrap();
        let hash = place
            .hash("correct horse battery".to_owned())
            .await
            .unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        let check = |password: &str, hash: Option<&str>| {
            place.verify(password.to_owned(), hash.map(str::to_owned))
        };
        assert!(check("correct horse battery", Some(&hash)).await.unwrap());
        assert!(!check("correct horse batterz", Some(&hash)).await.unwrap());
        assert!(!check("correct horse battery", None).await.unwrap());
        assert!(
            !check("correct horse battery", Some("damaged"))
                .await
                .unwrap()
        );
    }

    #[test]
    fn a_full_queue_refuses_at_once() {
        let passwords = passwords(1, 1);
        let places = [passwords.place(), passwords.place()];
        assert!(places.iter().all(Result::is_ok));
        assert_eq!(passwords.place().unwrap_err(), PasswordsBusy);
        drop(places);
        assert!(passwords.place().is_ok());
    }
}
