//! Where components are: in this process, or at addresses from the configuration.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::Router;
use serde::{Deserialize, Serialize};
use tonic::transport::Endpoint;

use crate::{Channel, Tokens, client::Target};

/// Where the components are that do not run in this process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MeshConfig {
    /// Component → `http://host:port`.
    pub endpoints: BTreeMap<String, String>,
    /// A call outside of any deadline gets this one.
    pub timeout_ms: u64,
    /// Time for a connection to be made.
    pub connect_timeout_ms: u64,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self {
            endpoints: BTreeMap::new(),
            timeout_ms: 10_000,
            connect_timeout_ms: 2_000,
        }
    }
}

/// The configuration names no place for a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MeshError {
    /// Neither in this process nor in `mesh.endpoints`.
    #[error(
        "mesh.endpoints names no address for {component}; add {component} = \"http://host:port\""
    )]
    NoEndpoint {
        /// The component.
        component: String,
    },
    /// Not a URI.
    #[error("mesh.endpoints.{component} must be http://host:port")]
    Malformed {
        /// The component.
        component: String,
    },
}

/// The components that can be called from this process.
#[derive(Clone, Debug)]
pub struct Mesh {
    config: Arc<MeshConfig>,
    local: Arc<BTreeMap<&'static str, Arc<OnceLock<Router>>>>,
}

// === impl Mesh ===

impl Mesh {
    /// A mesh in which the components of `local` run in this process.
    #[must_use]
    pub fn new(config: MeshConfig, local: &[&'static str]) -> Self {
        Self {
            config: Arc::new(config),
            local: Arc::new(local.iter().map(|name| (*name, Arc::default())).collect()),
        }
    }

    /// Puts the router of a component of this process in its place. Calls made earlier found it unavailable.
    pub fn attach(&self, component: &str, router: Router) {
        if let Some(slot) = self.local.get(component) {
            // A second router for the same component would be a defect of wiring; the first one stays.
            slot.set(router).ok();
        }
    }

    /// A channel to `callee`, with tokens of the calling component.
    ///
    /// # Errors
    /// When nobody knows where the callee is.
    pub fn channel(&self, callee: &'static str, tokens: Tokens) -> Result<Channel, MeshError> {
        let target = match self.local.get(callee) {
            Some(slot) => Target::InProcess(Arc::clone(slot)),
            None => Target::Remote(self.connect(callee)?),
        };
        Ok(Channel::new(
            callee,
            target,
            tokens,
            Duration::from_millis(self.config.timeout_ms),
        ))
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the mesh is the one place that connects to components"
    )]
    fn connect(&self, callee: &str) -> Result<tonic::transport::Channel, MeshError> {
        let address = self
            .config
            .endpoints
            .get(callee)
            .ok_or_else(|| MeshError::NoEndpoint {
                component: callee.to_owned(),
            })?;
        let endpoint =
            Endpoint::from_shared(address.clone()).map_err(|_| MeshError::Malformed {
                component: callee.to_owned(),
            })?;
        Ok(endpoint
            .connect_timeout(Duration::from_millis(self.config.connect_timeout_ms))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .keep_alive_while_idle(true)
            .connect_lazy())
    }
}
