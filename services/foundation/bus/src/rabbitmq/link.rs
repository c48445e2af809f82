//! A connection that is replaced when it is lost.
//!
//! lapin can recover connections by itself, but not a channel that the broker closed, and it says neither. So nothing is recovered
//! here: a supervisor opens a connection, declares the topology on it, hands it out as a [`Session`], and opens another one when
//! it is lost. Whoever held something on the old one gets an error and takes the new one.

use std::{fmt, io, pin::pin, sync::Arc, time::Duration};

use futures::StreamExt as _;
use lapin::{
    Channel, Connection, ConnectionProperties, Event,
    tcp::{AMQPUriTcpExt as _, OwnedTLSConfig},
};
use paymesh_kernel::{Ids, Tasks, backoff::Backoff, error::chain};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    address::Address,
    declare::Plan,
    failure::{Failure, OPERATION_LIMIT, within},
    version::{self, ServerVersion},
};
use crate::{broker::BrokerError, metrics::LinkMetrics, topology::Topology};

/// How long opening a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// How long one waits for the first attempt, which may have a whole topology to make.
const FIRST_LIMIT: Duration = Duration::from_secs(30);
/// How long one waits for a connection that was lost or could not be had.
const SESSION_LIMIT: Duration = Duration::from_secs(5);
/// How often the state of the connection is looked at, when it says nothing by itself.
const CHECK: Duration = Duration::from_millis(500);
/// Waits between attempts to connect.
const RECONNECT: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// A connection to the broker, whichever it is at the moment. Clones share it.
#[derive(Clone)]
pub(super) struct Link {
    state: watch::Sender<State>,
    stop: CancellationToken,
}

/// How a link is.
#[derive(Clone)]
enum State {
    Connecting,
    Up(Arc<Session>),
    Down(BrokerError),
}

/// What a supervisor works with.
pub(super) struct LinkParts {
    /// What the connection is for.
    pub(super) name: &'static str,
    pub(super) address: Address,
    /// This replica, shown by the broker.
    pub(super) instance: String,
    pub(super) plan: Arc<Plan>,
    pub(super) ids: Ids,
}

/// One connection, with the topology declared on it.
pub(super) struct Session {
    connection: Connection,
    pub(super) version: Option<ServerVersion>,
    /// What was declared.
    pub(super) topology: Arc<Topology>,
    ended: CancellationToken,
}

struct Supervisor {
    parts: LinkParts,
    link: Link,
    metrics: LinkMetrics,
}

// === impl Link ===

impl Link {
    /// Begins to connect.
    pub(super) fn start(parts: LinkParts, tasks: &Tasks) -> Self {
        let link = Self {
            state: watch::Sender::new(State::Connecting),
            stop: tasks.stopping().clone(),
        };
        let supervisor = Supervisor {
            metrics: LinkMetrics::new(parts.name),
            parts,
            link: link.clone(),
        };
        tasks.spawn("rabbitmq", supervisor.run());
        link
    }

    /// The connection. Waits a little for the next one when there is none.
    pub(super) async fn session(&self) -> Result<Arc<Session>, BrokerError> {
        let mut state = self.state.subscribe();
        let waiting = async {
            let tried = state.wait_for(|state| !matches!(state, State::Connecting));
            tokio::time::timeout(FIRST_LIMIT, tried).await.ok();
            let settled = state.wait_for(State::is_settled);
            tokio::time::timeout(SESSION_LIMIT, settled).await.ok();
        };
        tokio::select! {
            () = waiting => {}
            () = self.stop.cancelled() => return Err(Failure::Stopping.into()),
        }
        let current = self.state.borrow().clone();
        match current {
            State::Up(session) if session.is_live() => Ok(session),
            State::Down(error) => Err(error),
            State::Connecting | State::Up(_) => Err(Failure::TimedOut(SESSION_LIMIT).into()),
        }
    }

    /// True when there is a connection, and the broker takes messages on it.
    pub(super) fn is_up(&self) -> bool {
        match &*self.state.borrow() {
            State::Up(session) => session.is_live() && !session.is_blocked(),
            State::Connecting | State::Down(_) => false,
        }
    }
}

// === impl State ===

impl State {
    /// True when it makes no sense to wait for something better.
    fn is_settled(&self) -> bool {
        match self {
            Self::Connecting | Self::Down(BrokerError::Unavailable(_)) => false,
            Self::Up(session) => session.is_live(),
            Self::Down(
                BrokerError::Unknown { .. }
                | BrokerError::Topology(_)
                | BrokerError::Access(_)
                | BrokerError::Address,
            ) => true,
        }
    }
}

// === impl Session ===

impl Session {
    /// A new channel.
    pub(super) async fn channel(&self) -> Result<Channel, Failure> {
        within(OPERATION_LIMIT, self.connection.create_channel()).await
    }

    /// False when it is certainly lost.
    pub(super) fn is_live(&self) -> bool {
        !self.ended.is_cancelled() && self.connection.status().connected()
    }

    /// True while an alarm at the broker keeps publishers waiting.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// Gives the connection up, because it does not answer.
    pub(super) fn end(&self) {
        self.ended.cancel();
    }

    /// Cancelled when the connection is lost or given up.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

// === impl Supervisor ===

impl Supervisor {
    async fn run(self) {
        let mut failures = 0;
        loop {
            let opened = tokio::select! {
                () = self.link.stop.cancelled() => return,
                opened = self.open() => opened,
            };
            match opened {
                Ok(session) => {
                    failures = 0;
                    self.serve(session).await;
                }
                Err(error) => {
                    if failures == 0 {
                        tracing::warn!(
                            link = self.parts.name,
                            error = chain(&error),
                            "RabbitMQ cannot be used"
                        );
                    }
                    self.link.state.send_replace(State::Down(error));
                }
            }
            failures += 1;
            tokio::select! {
                () = self.link.stop.cancelled() => return,
                () = tokio::time::sleep(RECONNECT.wait(failures, self.parts.ids.entropy())) => {}
            }
        }
    }

    /// Hands a connection out until it is lost. When the process stops it stays where it is: what is under way ends on it.
    async fn serve(&self, session: Session) {
        let session = Arc::new(session);
        tracing::info!(link = self.parts.name, version = ?session.version, "connected to RabbitMQ");
        self.metrics.connections.inc();
        self.metrics.connected.set(1.0);
        self.link
            .state
            .send_replace(State::Up(Arc::clone(&session)));
        self.until_lost(&session).await;
        self.metrics.connected.set(0.0);
        if self.link.stop.is_cancelled() {
            return;
        }
        tracing::warn!(link = self.parts.name, "the connection to RabbitMQ is lost");
        session.end();
        let error = Failure::Lost.into();
        self.link.state.send_replace(State::Down(error));
    }

    async fn until_lost(&self, session: &Session) {
        let mut events = pin!(session.connection.events_listener());
        while session.is_live() {
            tokio::select! {
                () = self.link.stop.cancelled() => return,
                () = session.ended.cancelled() => return,
                () = tokio::time::sleep(CHECK) => {}
                Some(event) = events.next() => self.say(event),
            }
        }
    }

    /// The state of the connection says what is not said here.
    fn say(&self, event: Event) {
        let link = self.parts.name;
        if let Event::ConnectionBlocked(reason) = event {
            tracing::warn!(link, reason, "RabbitMQ takes no messages");
        } else if matches!(event, Event::ConnectionUnblocked) {
            tracing::info!(link, "RabbitMQ takes messages again");
        }
    }

    async fn open(&self) -> Result<Session, BrokerError> {
        let address = &self.parts.address;
        let version = tokio::time::timeout(CONNECT_LIMIT, version::probe(&address.uri)).await;
        let version = version.map_err(|_| Failure::TimedOut(CONNECT_LIMIT))?;
        let version = version.map_err(BrokerError::unavailable)?;
        let session = Session {
            connection: within(CONNECT_LIMIT, self.connect()).await?,
            version,
            topology: self.parts.plan.topology(),
            ended: CancellationToken::new(),
        };
        let topology = &session.topology;
        self.parts.plan.declare(&session, topology).await?;
        Ok(session)
    }

    async fn connect(&self) -> lapin::Result<Connection> {
        let Address { uri, login } = self.parts.address.clone();
        let name = format!("paymesh {} {}", self.parts.instance, self.parts.name);
        let properties = ConnectionProperties::default()
            .with_connection_name(name.into())
            .with_auth_provider(login);
        let runtime = lapin::runtime::default_runtime()?;
        let open = async move |uri: lapin::uri::AMQPUri, runtime| {
            let tls = OwnedTLSConfig::default();
            let stream = uri.connect_with_config_async(tls.as_ref(), &runtime);
            let stream = tokio::time::timeout(CONNECT_LIMIT, stream).await;
            Ok(stream.map_err(io::Error::from)??)
        };
        Connection::connector(uri, runtime, open, properties).await
    }
}
