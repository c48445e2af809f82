//! Ends reservations whose time is over. They are rows: after a crash the next look finds them.

use std::time::Duration;

use paymesh_kernel::{Fault as _, Tasks, call::Scope, error::chain};

use super::{
    App,
    command::{Answer, Command},
};
use crate::{config::Settings, domain::book, error::Error, store};

/// What the facts of this task say that they come from.
const TASK: &str = "expiry";

/// The task.
#[derive(Debug)]
pub(super) struct Expiry {
    app: App,
    poll: Duration,
    batch: u64,
    tasks: Tasks,
}

impl Expiry {
    pub(super) fn new(settings: &Settings, app: App, tasks: Tasks) -> Self {
        Self {
            app,
            poll: Duration::from_millis(settings.expiry_poll_ms),
            batch: settings.expiry_batch,
            tasks,
        }
    }

    /// Looks for what is over until the process stops.
    pub(super) async fn run(self) {
        while !self.tasks.stopping().is_cancelled() {
            let ended = Scope::new(TASK).run(self.app.expire(self.batch)).await;
            match ended {
                // A full batch: there may be more.
                Ok(ended) if ended >= self.batch => continue,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(
                        reason = error.reason(),
                        error = chain(&error),
                        "reservations could not be ended; they are tried again"
                    );
                }
            }
            tokio::select! {
                () = self.tasks.stopping().cancelled() => {}
                () = tokio::time::sleep(self.poll) => {}
            }
        }
    }
}

impl App {
    /// Ends at most `limit` reservations whose time is over; says how many were found.
    async fn expire(&self, limit: u64) -> Result<u64, Error> {
        let due = store::transfer::due(&self.database, self.clock.now(), limit).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let expiries: Vec<book::Expiry> = due
            .into_iter()
            .map(|pending| book::Expiry {
                pending,
                void: self.ids.next(),
            })
            .collect();
        let found = u64::try_from(expiries.len()).unwrap_or(u64::MAX);
        let Answer::Expired(_) = self.submit(Command::Expire(expiries)).await? else {
            return Err(Error::WrongAnswer);
        };
        Ok(found)
    }
}
