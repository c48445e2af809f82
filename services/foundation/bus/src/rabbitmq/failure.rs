//! What can go wrong at the broker, and waits with an end.

use std::{future::Future, time::Duration};

use lapin::{
    ErrorKind,
    protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError},
};

use crate::broker::BrokerError;

/// How long the broker may take for one small thing.
pub(super) const OPERATION_LIMIT: Duration = Duration::from_secs(10);

/// Why something did not work.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The broker or the connection said so.
    #[error("RabbitMQ did not do it")]
    Library(#[from] lapin::Error),
    /// No answer in time.
    #[error("RabbitMQ did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The connection was given up meanwhile.
    #[error("the connection to RabbitMQ was lost")]
    Lost,
    /// An alarm at the broker keeps publishers waiting.
    #[error("RabbitMQ takes no messages because of an alarm")]
    Blocked,
    /// The queue has been deleted.
    #[error("RabbitMQ ended the consumption of the queue")]
    Canceled,
    /// A dead letter could not be moved.
    #[error("a dead letter was not taken: {0}")]
    NotMoved(String),
    /// No process of ours is to do anything more.
    #[error("the process stops")]
    Stopping,
}

/// Waits for an answer, but not without end.
pub(super) async fn within<T>(
    limit: Duration,
    operation: impl Future<Output = lapin::Result<T>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(limit, operation).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(Failure::TimedOut(limit)),
    }
}

// === impl Failure ===

impl Failure {
    /// The error of the protocol, when it was one that closed a channel alone.
    pub(super) fn soft(&self) -> Option<(AMQPSoftError, String)> {
        let Self::Library(error) = self else {
            return None;
        };
        let ErrorKind::ProtocolError(error) = error.kind() else {
            return None;
        };
        match error.kind() {
            AMQPErrorKind::Soft(kind) => Some((kind.clone(), error.get_message().to_string())),
            AMQPErrorKind::Hard(_) => None,
        }
    }

    /// True when the exchange or the queue is not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.soft(), Some((AMQPSoftError::NOTFOUND, _)))
    }

    fn is_access_refused(&self) -> bool {
        let Self::Library(error) = self else {
            return false;
        };
        let ErrorKind::ProtocolError(error) = error.kind() else {
            return false;
        };
        matches!(
            error.kind(),
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
                | AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED | AMQPHardError::INVALIDPATH)
        )
    }
}

impl From<Failure> for BrokerError {
    fn from(failure: Failure) -> Self {
        if failure.is_access_refused() {
            Self::Access(std::sync::Arc::new(failure))
        } else {
            Self::unavailable(failure)
        }
    }
}
