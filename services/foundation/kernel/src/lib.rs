//! What every other crate stands on: error kinds, time, ids, the database handle and the group-commit writer.
//!
//! The kernel knows no component, no transport and no broker. Rules that hold here and everywhere above:
//!
//! - K1: a change set is committed whole or not at all.
//! - K2: an answer that says `not_processed` is given only when certainly nothing was committed.
//! - K3: every queue, batch and wait has a limit.
//! - K4: time and ids come from [`Clock`] and [`Ids`], so that tests decide both.

pub mod backoff;
pub mod call;
pub mod card_number;
pub mod changes;
pub mod clock;
pub mod database;
pub mod error;
pub mod group_commit;
pub mod id;
pub mod metrics;
pub mod principal;
pub mod tasks;
pub mod timestamp;
pub mod writer;

pub use changes::ChangeSet;
pub use clock::{Clock, SystemClock};
pub use database::{Database, DatabaseConfig};
pub use error::{ErrorKind, Fault, FieldViolation, Outcome};
pub use id::Ids;
pub use principal::{Principal, Role};
pub use tasks::Tasks;
pub use timestamp::Timestamp;
pub use writer::{CommitError, Writer};
