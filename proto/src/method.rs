//! What each RPC declares of itself: who may call it, with which permission, and whether it may be sent again.

/// Whether a call that may have run already may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Idempotency {
    /// It may not.
    Unknown,
    /// It changes nothing.
    NoSideEffects,
    /// A repeat with the same key or id has the effect of one call.
    Idempotent,
}

impl Idempotency {
    /// True when a call whose outcome is unknown may be repeated.
    #[must_use]
    pub const fn may_repeat(self) -> bool {
        match self {
            Self::Unknown => false,
            Self::NoSideEffects | Self::Idempotent => true,
        }
    }
}

/// An RPC of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Path of the HTTP/2 request: `/paymesh.account.v1.AccountService/PostTransfers`.
    pub path: &'static str,
    /// The component that serves it.
    pub component: &'static str,
    /// What a principal needs who comes through the gateway.
    pub permission: &'static str,
    /// Components that may call it.
    pub callers: &'static [&'static str],
    /// Whether it may be sent again.
    pub idempotency: Idempotency,
}

impl Method {
    /// Permission of methods that need no principal.
    pub const PUBLIC: &'static str = "public";
    /// Permission that nobody holds: only components may call.
    pub const INTERNAL: &'static str = "internal";

    /// Whether the component `caller` may call it.
    #[must_use]
    pub fn allows(&self, caller: &str) -> bool {
        self.callers.contains(&caller)
    }
}

/// Finds the method of a request path.
#[must_use]
pub fn method(path: &str) -> Option<&'static Method> {
    let index = METHODS.binary_search_by(|m| m.path.cmp(path)).ok()?;
    METHODS.get(index)
}

include!(concat!(env!("OUT_DIR"), "/methods.rs"));
