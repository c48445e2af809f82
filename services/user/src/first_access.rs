//! First access to a new installation, for the binary: all in one on its first start, `paymesh admin` for a real one.
//!
//! Call [`first_access`] before the component is launched. It keeps the secrets in a file that its owner alone may read, then
//! makes the tenant, the administrator and the API key; called again it finds both and changes nothing.

use std::{io, path::Path, sync::Arc};

use paymesh_chassis::{Host, InitError, Platform, Section, migrate};
use paymesh_kernel::{Tasks, Writer, error::chain};
use paymesh_mesh::Tokens;

use crate::{
    FirstAccess, Settings, User, build, domain::Repeat, error::Error,
    secrets::master::write_private,
};
use paymesh_chassis::Component as _;

/// How long the writer of the first access may take to end.
const STOP_GRACE: std::time::Duration = std::time::Duration::from_secs(10);

/// Why there is no first access.
#[derive(Debug, thiserror::Error)]
pub enum FirstAccessError {
    /// The file of secrets.
    #[error("the file of the first access, {path}, cannot be used")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the file of the first access, {path}, does not hold what was written")]
    Malformed {
        /// The file.
        path: String,
    },
    /// The component.
    #[error("the first access needs the component's database")]
    Init(#[from] InitError),
    /// The commit.
    #[error("the first access cannot be stored: {0}")]
    Refused(String),
}

/// What there is now.
#[derive(Clone, Debug)]
pub struct Found {
    /// Who gets in, and with what.
    pub access: FirstAccess,
    /// True when this call made it.
    pub is_new: bool,
}

/// Makes the first access with the secrets in `file`, which is written with those of `proposal` when it does not exist.
///
/// # Errors
/// When file or database cannot be used.
pub async fn first_access(
    section: &Section<Settings>,
    platform: &Platform,
    file: &Path,
    proposal: &FirstAccess,
) -> Result<Found, FirstAccessError> {
    let access = keep(file, proposal)?;
    let database = migrate::<User>(&section.database).await?;
    // Tasks of its own: the writer ends here, before the component starts its own.
    let tasks = Tasks::new();
    let writer = Writer::start(User::NAME, section.writer.into(), database.clone(), &tasks);
    let host = Host {
        name: User::NAME,
        database: database.clone(),
        writer,
        tokens: Tokens::new(
            User::NAME,
            platform.keys.clone(),
            Arc::clone(&platform.clock),
        ),
        platform: platform.clone(),
    };
    let app = build(section.settings.clone(), &host).await?;
    let made = app.first_access(&access).await;
    // Before the writer's last user goes: a writer that ends earlier than it is told to is reported as one that died.
    tasks.stopping().cancel();
    drop((app, host));
    tasks.stop(STOP_GRACE).await;
    database.close().await;
    let (_, repeat) = made
        .map_err(|error: Error| FirstAccessError::Refused(chain(&error)))?
        .into_parts();
    Ok(Found {
        access,
        is_new: repeat == Repeat::No,
    })
}

fn keep(file: &Path, proposal: &FirstAccess) -> Result<FirstAccess, FirstAccessError> {
    let path = || file.display().to_string();
    let failed = |source| FirstAccessError::File {
        path: path(),
        source,
    };
    let malformed = |_| FirstAccessError::Malformed { path: path() };
    let text = serde_json::to_string_pretty(proposal).map_err(malformed)?;
    write_private(file, &format!("{text}\n")).map_err(failed)?;
    let text = std::fs::read_to_string(file).map_err(failed)?;
    serde_json::from_str(&text).map_err(malformed)
}
