//! Registration: a user and an account at the ledger, consistent wherever it is interrupted.
//!
//! U1: the user is committed as `opening` with the id of the account it will ask for, and a time at which somebody looks after it.
//! Whoever comes first, the request, its repeat or the wake-up, asks the ledger for that same account and makes the user active.
//! An account that the ledger refuses for good leaves no person behind.

use std::time::Duration;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{
    ChangeSet, CommitError, ErrorKind, Fault as _, Outcome as Certainty, Principal,
    backoff::Backoff,
    id::{TenantId, UserId},
};
use paymesh_mesh::CallError;
use paymesh_money::Currency;

use super::{App, Person};
use crate::{
    domain::{
        Command, Consent, Country, Hidden, Outcome, Personal, Rejection, State, User,
        personal::merged,
    },
    error::Error,
    store,
};

/// Where a key of Register counts. Whoever registers is nobody yet.
const ROUTE: &str = "user.Register";
const NOBODY: &str = "public";
/// Waits between two questions to a ledger that does not answer.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));

/// Somebody who wants to be a user.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    /// The caller's key.
    pub key: String,
    /// Of which tenant.
    pub tenant: TenantId,
    /// Who.
    pub personal: Personal,
    /// The password.
    pub password: Hidden,
    /// Where the person lives.
    pub country: Country,
    /// Of the first account.
    pub currency: Currency,
    /// Consents given.
    pub consents: Vec<Consent>,
    /// The encoded request without its key.
    pub asked: Vec<u8>,
}

// === impl App ===

impl App {
    /// Makes a user and waits for the account.
    ///
    /// # Errors
    /// [`Error::AccountPending`] when the ledger does not answer in time: the registration stands and is finished later.
    pub(crate) async fn register(&self, command: Register) -> Result<Outcome<Person>, Error> {
        let tenant = self.tenant_by_id(command.tenant).await?;
        let nobody = Principal::component(tenant.id, NOBODY);
        let fingerprint = self.parts.vault.fingerprint(&command.asked);
        let key = IdempotencyKey::try_new(&nobody, ROUTE, &command.key, &fingerprint)?;
        if let Some(user) = key.find(&self.parts.database).await? {
            return self.registered_before(user.into()).await;
        }
        let place = self.parts.passwords.place()?;
        let hash = place.hash(command.password.0.clone()).await?;
        drop(place);
        let (user, changes) = self.registration(&command, hash, &key);
        match self.parts.writer.commit(changes).await {
            Ok(()) => {
                let user = self.finish_opening(user).await?;
                Ok(Outcome::Applied(self.person(user).await?))
            }
            // A repeat beside us may run into the address or the key first.
            Err(error @ CommitError::Duplicate { .. }) => {
                match key.find(&self.parts.database).await? {
                    Some(user) => self.registered_before(user.into()).await,
                    None if error.is_duplicate(store::EMAIL_INDEX) => Err(Error::EmailTaken),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn registration(
        &self,
        command: &Register,
        password_hash: String,
        key: &IdempotencyKey,
    ) -> (User, ChangeSet) {
        let now = self.now();
        let home = (command.country, command.currency);
        let mut draft = self.draft(command.tenant, &command.personal, home, now);
        let consents = command.consents.iter().map(|consent| Consent {
            recorded_at: now,
            ..consent.clone()
        });
        let grace = Duration::from_millis(self.parts.settings.opening_grace_ms);
        draft.user.consents = merged(&[], consents.collect());
        draft.user.account = Some(self.parts.ids.next());
        draft.user.next_wake_at = Some(now.plus(grace));
        let user = draft.user.clone();
        let mut changes = ChangeSet::new();
        self.add_user(&mut changes, draft, password_hash);
        key.record(&mut changes, user.id.as_uuid(), now);
        (user, changes)
    }

    async fn registered_before(&self, id: UserId) -> Result<Outcome<Person>, Error> {
        let user = store::users::find(&self.parts.database, id).await?;
        let user = self
            .finish_opening(user.ok_or(Error::UserNotFound)?)
            .await?;
        Ok(Outcome::AlreadyApplied(self.person(user).await?))
    }

    /// Brings a user who is opening to an end, one or the other. Others are as they are.
    pub(crate) async fn finish_opening(&self, user: User) -> Result<User, Error> {
        match user.state {
            State::Opening => {}
            State::Refused => return Err(Error::AccountRefused),
            State::Active | State::Suspended | State::Restricted | State::Erased => {
                return Ok(user);
            }
        }
        let account = user.account.ok_or(Error::AccountRefused)?;
        let owner = (user.tenant, user.id);
        match self
            .parts
            .accounts
            .open_balance(owner, user.currency, account)
            .await
        {
            Ok(account) => {
                let command = Command::AccountOpened(account);
                self.settled(self.change_user(user.id, command, |_, _, _| {}).await?)
            }
            Err(error) if is_refusal(&error) => {
                tracing::warn!(user = %user.id, reason = error.reason_text(), "the ledger refused the first account");
                self.settled(
                    self.change_user(user.id, Command::AccountRefused, |_, _, _| {})
                        .await?,
                )
            }
            Err(error) => {
                tracing::info!(user = %user.id, reason = error.reason_text(), "the first account is not open yet");
                Err(Error::AccountPending)
            }
        }
    }

    /// Asks again for a user whose registration was interrupted; puts it off when there is no answer.
    pub(crate) async fn resume_opening(&self, user: User) -> Result<(), Error> {
        let (id, failures) = (user.id, user.attempts);
        match self.finish_opening(user).await {
            Ok(_) | Err(Error::AccountRefused) => Ok(()),
            Err(error) => {
                let failures = u32::try_from(failures).unwrap_or(0).saturating_add(1);
                let wait = BACKOFF.wait(failures, self.parts.ids.entropy());
                // Somebody else may have finished it meanwhile; then there is nothing to put off.
                self.change_user(id, Command::Postpone(wait), |_, _, _| {})
                    .await?
                    .ok();
                if matches!(error, Error::AccountPending) {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    fn settled(&self, decided: Result<User, (User, Rejection)>) -> Result<User, Error> {
        let user = match decided {
            Ok(user) => user,
            // Somebody else was faster; what they decided holds.
            Err((user, Rejection::Already | Rejection::State(_))) => user,
        };
        match user.state {
            State::Refused => Err(Error::AccountRefused),
            State::Opening => Err(Error::AccountPending),
            State::Active | State::Suspended | State::Restricted | State::Erased => Ok(user),
        }
    }
}

/// True when the ledger certainly did not open the account and never will. A refusal of ourselves, such as for a token, is not one.
fn is_refusal(error: &CallError) -> bool {
    let is_about_the_request = matches!(
        error.kind(),
        ErrorKind::InvalidArgument | ErrorKind::FailedPrecondition | ErrorKind::AlreadyExists
    );
    is_about_the_request && error.outcome() == Certainty::NotProcessed
}
