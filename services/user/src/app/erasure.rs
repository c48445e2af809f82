//! Erasing a person (GDPR, Article 17), as far and as soon as the law allows.
//!
//! U4: refused while there is money, a hold or a dispute. The data is restricted at once: nobody signs in, nobody is shown or
//! sent anything. When the retention ends the subject's key is deleted, and with it every copy of the data.

use std::time::Duration;

use paymesh_kernel::{Principal, id::UserId};

use super::{App, Person};
use crate::{
    clients::Any,
    config::days,
    domain::{Command, Outcome, Rejection, State, TenantMode, User},
    error::Error,
};

// === impl App ===

impl App {
    /// Restricts a person, and erases when nothing has to be retained.
    ///
    /// # Errors
    /// While there is money, a hold or a dispute.
    pub(crate) async fn erase_user(
        &self,
        principal: &Principal,
        id: UserId,
    ) -> Result<Outcome<Person>, Error> {
        let user = self.visible_user(principal, id).await?;
        match user.state {
            State::Restricted | State::Erased => {
                return Ok(Outcome::AlreadyApplied(self.person(user).await?));
            }
            State::Opening => return Err(Error::AccountPending),
            State::Active | State::Suspended | State::Refused => {}
        }
        self.check_erasable(&user).await?;
        let retention = self.retention(&user).await?;
        match self
            .change_user(id, Command::Restrict(retention), |_, _, _| {})
            .await?
        {
            Ok(user) => Ok(Outcome::Applied(self.person(user).await?)),
            Err((user, Rejection::Already)) => {
                Ok(Outcome::AlreadyApplied(self.person(user).await?))
            }
            Err((_, Rejection::State(_))) => Err(Error::UserNotActive),
        }
    }

    async fn check_erasable(&self, user: &User) -> Result<(), Error> {
        if self.parts.accounts.any_money(user.tenant, user.id).await? == Any::Some {
            return Err(Error::ErasureBalance);
        }
        if self
            .parts
            .payments
            .any_open_dispute(user.tenant, user.id)
            .await?
            == Any::Some
        {
            return Err(Error::ErasureDispute);
        }
        Ok(())
    }

    async fn retention(&self, user: &User) -> Result<Duration, Error> {
        let settings = &self.parts.settings;
        Ok(match self.tenant_by_id(user.tenant).await?.mode {
            TenantMode::Live => days(settings.retention_days),
            TenantMode::Sandbox => days(settings.sandbox_retention_days),
        })
    }

    /// The retention of a restricted user is over.
    pub(crate) async fn finish_erasure(&self, user: &User) -> Result<(), Error> {
        match self
            .change_user(user.id, Command::Erase, |_, _, _| {})
            .await?
        {
            Ok(_) => {
                tracing::info!(user = %user.id, "a person's data was erased");
                Ok(())
            }
            Err((_, Rejection::Already | Rejection::State(_))) => Ok(()),
        }
    }
}
