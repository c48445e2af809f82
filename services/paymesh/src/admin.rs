//! What an administrator does once: the first access to a new installation, and a sandbox to try it with.

use anyhow::Result;
use clap::Subcommand;
use paymesh_kernel::Ids;
use paymesh_user::FirstAccess;

use crate::{
    cli::say,
    process::{self, STOP_GRACE, block_on},
    sandbox,
    wiring::Config,
};

/// What is asked for.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Action {
    /// Makes the operator's tenant, an administrator and an API key, and keeps the secrets in `live-access.json` of the data folder.
    /// Run again it changes nothing. It needs the database of users.
    Access,
    /// Makes a sandbox tenant with an administrator, an API key, a customer and a merchant, and prints a first payment. It needs the
    /// database of users, and the platform running.
    Sandbox {
        /// Where the gateway is, as printed in the first payment.
        #[arg(long, default_value = "127.0.0.1:3000", value_name = "HOST:PORT")]
        gateway: std::net::SocketAddr,
    },
}

/// Does it.
///
/// # Errors
/// When the configuration lacks something, or a database or a component refuses.
pub fn run(config: &Config, action: Action) -> Result<()> {
    let folder = &config.process.data_dir;
    let _lock = process::lock(folder)?;
    let mut config = config.clone();
    config.use_files_in(folder.clone().as_path());
    block_on(async {
        let platform = process::platform(&config, &[]).await?;
        let (propose, file): (fn(&Ids) -> FirstAccess, _) = match action {
            Action::Access => (FirstAccess::live, folder.join("live-access.json")),
            Action::Sandbox { .. } => (FirstAccess::sandbox, sandbox::access_file(&platform)),
        };
        let access = sandbox::access(&config, &platform, (propose, &file)).await?;
        match action {
            Action::Access => say(&format!(
                "tenant         {}\nadministrator  {}\nsecrets        {}",
                access.tenant_id,
                access.email,
                file.display()
            )),
            Action::Sandbox { gateway } => {
                let sandbox = sandbox::prepare(&platform, &access).await?;
                say(&sandbox.first_payment(gateway));
            }
        }
        platform.tasks.stop(STOP_GRACE).await;
        Ok(())
    })
}
