//! What travels with a call through a process: its deadline, its request id and who asked for it.
//!
//! The server side of the transport opens a scope around each call; the client side and the group-commit writer read it.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::Principal;

tokio::task_local! {
    static SCOPE: Scope;
}

/// The call that the current task works for.
#[derive(Clone, Debug)]
pub struct Scope {
    /// After this moment nobody waits for the answer.
    pub deadline: Option<Instant>,
    /// The id given to the request at the edge; found in every log line.
    pub request_id: Arc<str>,
    /// Who asked for it.
    pub principal: Option<Arc<Principal>>,
    /// The token that proved it, passed on unchanged.
    pub token: Option<Token>,
}

/// A signed token. Its text never shows in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub Arc<str>);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

// === impl Scope ===

impl Scope {
    /// A call that nobody has a deadline or a name for yet.
    #[must_use]
    pub fn new(request_id: impl Into<Arc<str>>) -> Self {
        Self {
            deadline: None,
            request_id: request_id.into(),
            principal: None,
            token: None,
        }
    }

    /// The same call, to be answered within `limit` from now.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.deadline = Some(Instant::now() + limit);
        self
    }

    /// The same call, asked for by `principal`.
    #[must_use]
    pub fn on_behalf_of(mut self, principal: Principal) -> Self {
        self.principal = Some(Arc::new(principal));
        self.token = None;
        self
    }

    /// Runs `work` inside this scope.
    pub async fn run<F: Future>(self, work: F) -> F::Output {
        SCOPE.scope(self, work).await
    }
}

/// The current call, if the task works for one.
#[must_use]
pub fn current() -> Option<Scope> {
    SCOPE.try_with(Clone::clone).ok()
}

/// The deadline of the current call.
#[must_use]
pub fn deadline() -> Option<Instant> {
    SCOPE.try_with(|scope| scope.deadline).ok().flatten()
}

/// Who asked for the current call.
#[must_use]
pub fn principal() -> Option<Arc<Principal>> {
    SCOPE
        .try_with(|scope| scope.principal.clone())
        .ok()
        .flatten()
}
