//! What the routes share: clients, authentication, limits, reserved ids, the feed of events.

pub(crate) mod api_keys;
pub(crate) mod auth;
pub(crate) mod feed;
pub(crate) mod jwks;
pub(crate) mod limits;
pub(crate) mod limits_redis;
pub(crate) mod reservations;
pub(crate) mod uploads;

use std::sync::Arc;

use paymesh_chassis::{Host, InitError};
use paymesh_kernel::Clock;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    app::{auth::Auth, feed::Feed, limits::Limits, reservations::Reservations, uploads::Uploads},
    clients::Clients,
    config::Config,
    error::Error,
};

/// The gateway's state. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    clock: Arc<dyn Clock>,
    host: Host,
    clients: Arc<Clients>,
    auth: Auth,
    limits: Limits,
    reservations: Reservations,
    feed: Feed,
    permits: Semaphore,
    uploads: Uploads,
}

// === impl App ===

impl App {
    /// Builds the state and starts the tasks of the feed.
    pub(crate) fn init(config: Config, host: Host) -> Result<Self, InitError> {
        let clients = Arc::new(Clients::new(&host)?);
        let clock = Arc::clone(&host.platform.clock);
        let inner = Inner {
            auth: Auth::new(&config, Arc::clone(&clients), Arc::clone(&clock)),
            limits: Limits::new(&config.rate_limits, Arc::clone(&clock))?,
            reservations: Reservations::new(&host),
            feed: Feed::start(&config.events, &host),
            permits: Semaphore::new(config.concurrent_requests),
            uploads: Uploads::new(&config.bodies),
            clients,
            clock,
            host,
            config,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.inner.clock.as_ref()
    }

    pub(crate) fn host(&self) -> &Host {
        &self.inner.host
    }

    pub(crate) fn clients(&self) -> &Arc<Clients> {
        &self.inner.clients
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.inner.auth
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(crate) fn reservations(&self) -> &Reservations {
        &self.inner.reservations
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.inner.feed
    }

    /// A place among the requests that are handled at once.
    ///
    /// # Errors
    /// When there is none left.
    pub(crate) fn place(&self) -> Result<SemaphorePermit<'_>, Error> {
        self.inner
            .permits
            .try_acquire()
            .map_err(|_| Error::Overloaded)
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.inner.uploads
    }
}
