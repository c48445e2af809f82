//! How components call each other: gRPC client and server stacks in the process, without sidecars.
//!
//! The same layers stand around every call, whether the callee is in this process or across the network: deadline, request id,
//! tokens, authorization, a limit on concurrent calls, metrics. Components see generated tonic clients over a [`Channel`] and
//! generated tonic services; they never see an address.
//!
//! - N1: a call carries the rest of its deadline, and ends with it.
//! - N2: a method is called only by the components that its proto names, and by principals that hold its permission.
//! - N3: an error says whether the outcome is `not_processed` or `unknown`.
//! - N4: only a call that never reached its callee, or a method whose proto says that it may be repeated, is sent again.
//! - N5: a server takes a limited number of calls at once and refuses one more at once.

pub mod access;
pub mod client;
pub mod fault;
pub mod keys;
pub mod metrics;
pub mod network;
pub mod serve;
pub mod server;
pub mod token;

pub use client::{CONTENT_LIMIT, Channel};
pub use fault::{CallError, to_status};
pub use keys::{KeyError, Keys};
pub use network::{Mesh, MeshConfig};
pub use serve::{ServeConfig, serve};
pub use server::{Caller, ServerConfig, caller};
pub use token::{TokenError, Tokens};
