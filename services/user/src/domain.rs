//! What the component is about, without I/O: tenants, users, sessions, keys, and what may become of them.
//!
//! Times, ids and random bytes are arguments, so that each rule is a function that a table can test.

pub(crate) mod api_key;
pub(crate) mod attempts;
pub(crate) mod country;
pub(crate) mod personal;
pub(crate) mod session;
pub(crate) mod signing_key;
pub(crate) mod tenant;
pub(crate) mod user;

use paymesh_kernel::define_id;

pub(crate) use api_key::ApiKey;
pub(crate) use attempts::{AttemptLimit, Attempts};
pub(crate) use country::Country;
pub(crate) use personal::{Consent, ConsentPurpose, Personal};
pub(crate) use session::Session;
pub(crate) use signing_key::Rotation;
pub(crate) use tenant::{Tenant, TenantMode};
pub(crate) use user::{Command, Fact, Rejection, State, User, decide};

define_id!(
    /// A session: everything that began with one login.
    SessionId,
    "ses"
);

define_id!(
    /// An API key.
    ApiKeyId,
    "key"
);

define_id!(
    /// An account of the ledger.
    AccountId,
    "acct"
);

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier one did.
    AlreadyApplied(T),
}

// === impl Outcome ===

impl<T> Outcome<T> {
    /// The object, and whether an earlier call made it so.
    pub(crate) fn into_parts(self) -> (T, Repeat) {
        match self {
            Self::Applied(object) => (object, Repeat::No),
            Self::AlreadyApplied(object) => (object, Repeat::Yes),
        }
    }
}

/// Whether a command was a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// This call did it.
    No,
    /// An earlier one did.
    Yes,
}

/// A text that says who somebody is or lets somebody in. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hidden(***)")
    }
}
