//! Use cases. Everything that changes the ledger goes through one queue and [`commit::Committer`]; everything else reads.

mod access;
pub mod accounts;
pub mod command;
mod commit;
mod expiry;
mod load;
mod metrics;
pub mod proofs;
pub mod reports;
pub mod statements;
pub mod transfers;

use std::sync::Arc;

use paymesh_bus::Bus;
use paymesh_kernel::{
    Clock, CommitError, Database, Ids, call,
    group_commit::{GroupCommit, SubmitError},
};

use crate::{config::Settings, error::Error};
use command::{Answer, Cause, Command, Request};

pub use accounts::OpenAccount;

/// What a command came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// It was done before.
    AlreadyApplied(T),
}

/// The ledger's use cases. Clones share everything.
#[derive(Clone, Debug)]
pub struct App {
    database: Database,
    clock: Arc<dyn Clock>,
    ids: Ids,
    ledger: GroupCommit<Request, Result<Answer, CommitError>>,
}

/// What the use cases stand on.
#[derive(Debug)]
pub struct Parts {
    /// The ledger's database.
    pub database: Database,
    /// The bus, whose relay is told of facts.
    pub bus: Bus,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Ids,
    /// Background tasks.
    pub tasks: paymesh_kernel::Tasks,
}

// === impl App ===

impl App {
    /// Starts the ledger's writer and the task that ends reservations.
    #[must_use]
    pub fn start(settings: &Settings, parts: Parts) -> Self {
        let committer = commit::Committer::new(settings, &parts);
        let ledger = GroupCommit::start("ledger", settings.group_commit(), &parts.tasks, committer);
        let app = Self {
            database: parts.database,
            clock: parts.clock,
            ids: parts.ids,
            ledger,
        };
        let expiry = expiry::Expiry::new(settings, app.clone(), parts.tasks.clone());
        parts.tasks.spawn("expiry", expiry.run());
        app
    }

    /// Calls that wait for the ledger's writer now.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.ledger.depth()
    }

    /// Hands a command to the writer.
    async fn submit(&self, command: Command) -> Result<Answer, Error> {
        let cause = Cause::of_call();
        let answer = self.ledger.submit(Request { command, cause }).await;
        let answer = answer.map_err(|error| match error {
            SubmitError::Overloaded => CommitError::Overloaded,
            SubmitError::DeadlineExceeded => CommitError::DeadlineExceeded,
            SubmitError::Stopped => CommitError::Unavailable,
            SubmitError::Lost => CommitError::Unknown,
        })?;
        Ok(answer?)
    }
}

impl Cause {
    /// The call that the current task works for.
    fn of_call() -> Self {
        let request_id = call::current().map_or_else(|| Arc::from(""), |scope| scope.request_id);
        Self {
            correlation_id: Arc::clone(&request_id),
            causation_id: request_id,
        }
    }
}

impl<T> Outcome<T> {
    /// The object, however it came about.
    pub fn into_inner(self) -> T {
        match self {
            Self::Applied(object) | Self::AlreadyApplied(object) => object,
        }
    }

    /// The same outcome of something else.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Self::Applied(object) => Outcome::Applied(with(object)),
            Self::AlreadyApplied(object) => Outcome::AlreadyApplied(with(object)),
        }
    }
}
