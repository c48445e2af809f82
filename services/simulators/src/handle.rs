//! A running simulator.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::flow::{Faulty, Host};
use crate::machine::Machine;

/// How long background work gets to end.
const GRACE: Duration = Duration::from_secs(10);

/// A running simulator. Dropping it stops at once, as a crash would; the record keeps what was answered.
pub struct Handle {
    address: SocketAddr,
    tasks: JoinSet<()>,
    requests: TaskTracker,
    stop: CancellationToken,
    journal: Box<dyn Closes>,
}

/// The part of an engine that a handle needs, whatever it simulates.
trait Closes: Send + Sync {
    fn close(&self);
    fn abandon(&self);
}

impl<M: Machine> Closes for std::sync::Arc<crate::engine::Engine<M>> {
    fn close(&self) {
        crate::engine::Engine::close(self);
    }

    fn abandon(&self) {
        crate::engine::Engine::abandon(self);
    }
}

// === impl Handle ===

impl Handle {
    pub(crate) fn new<M: Faulty>(address: SocketAddr, host: Host<M>) -> Self {
        Self {
            address,
            tasks: JoinSet::new(),
            requests: host.tasks,
            stop: host.stop,
            journal: Box::new(host.engine),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until a part of the simulator ends by itself, which only a fault makes it do: a broken invariant, or a record
    /// that cannot be written any more. Whoever runs the simulator should end then, too.
    pub async fn failed(&mut self) {
        match self.tasks.join_next().await {
            Some(Err(error)) => tracing::error!(error = %error, "a part of the simulator broke"),
            Some(Ok(())) => tracing::error!("a part of the simulator ended"),
            None => {}
        }
    }

    /// Finishes what was begun, within a grace period, and closes the record.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        self.requests.close();
        let ended = tokio::time::timeout(GRACE, async {
            while self.tasks.join_next().await.is_some() {}
            self.requests.wait().await;
        });
        if ended.await.is_err() {
            tracing::warn!("a simulator's work was cut off at the end of the grace period");
        }
        self.journal.close();
    }

    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
        self.tasks.abort_all();
        self.journal.abandon();
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
