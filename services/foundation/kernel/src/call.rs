//! What travels with a call through a process: its deadline and its request id.
//!
//! The server side of the transport opens a scope around each call; the client side and the group-commit writer read it.

use std::{future::Future, sync::Arc};

use tokio::time::Instant;

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
}

impl Scope {
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
