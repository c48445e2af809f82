//! Registration: a merchant and its three accounts at the ledger, consistent wherever it is interrupted.
//!
//! Y1: the merchant is committed as `opening` with the ids of the accounts it will ask for, and a time at which somebody looks
//! after it. Whoever comes first, the request, its repeat or the wake-up, asks the ledger for those same accounts and makes the
//! merchant active. When the ledger refuses one for good, those that were opened are closed again.

use std::time::Duration;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{
    ChangeSet, CommitError, ErrorKind, Fault as _, Outcome as Certainty, Principal,
    backoff::Backoff,
    id::{MerchantId, TenantId},
};
use paymesh_mesh::CallError;
use paymesh_money::{BasisPoints, Currency, Money};

use super::App;
use crate::{
    clients::Mode,
    config::Settings,
    domain::{
        Accounts, Command, Country, Merchant, NegativeBalance, Outcome, Plan, Rejection, State,
        Terms,
    },
    error::Error,
    store,
};

/// Where a key of Register counts.
const ROUTE: &str = "merchant.Register";
/// The id of a merchant is its key, whoever sends it.
const ANYBODY: &str = "register";
/// Waits between two questions to a ledger that does not answer.
const BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(300));

/// A merchant to register.
#[derive(Clone, Debug)]
pub(crate) struct Register {
    /// Its id, which is the key of the request.
    pub(crate) id: MerchantId,
    /// Business name.
    pub(crate) name: String,
    /// Where it is at home.
    pub(crate) country: Country,
    /// What it is paid in.
    pub(crate) currency: Currency,
    /// Token of the bank account.
    pub(crate) destination: Option<String>,
    /// The encoded request.
    pub(crate) asked: Vec<u8>,
}

// === impl App ===

impl App {
    /// Makes a merchant with the default plan and waits for its accounts.
    ///
    /// # Errors
    /// [`Error::AccountsPending`] when the ledger does not answer in time: the registration stands and is finished later.
    pub(crate) async fn register(
        &self,
        tenant: TenantId,
        command: Register,
    ) -> Result<Outcome<Merchant>, Error> {
        let anybody = Principal::component(tenant, ANYBODY);
        let key =
            IdempotencyKey::try_new(&anybody, ROUTE, &command.id.to_string(), &command.asked)?;
        if let Some(id) = key.find(&self.parts.database).await? {
            return self.registered_before(id.into()).await;
        }
        let mode = self.mode(tenant).await?;
        let merchant = self.registration(tenant, &command, mode)?;
        let mut changes = ChangeSet::new();
        store::merchants::insert(&mut changes, &merchant);
        key.record(&mut changes, merchant.id.as_uuid(), merchant.created_at);
        match self.parts.writer.commit(changes).await {
            Ok(()) => Ok(Outcome::Applied(self.finish_opening(merchant).await?)),
            // A repeat beside us may run into the id or the key first.
            Err(error @ CommitError::Duplicate { .. }) => {
                match key.find(&self.parts.database).await? {
                    Some(id) => self.registered_before(id.into()).await,
                    None if error.is_duplicate(store::MERCHANT_INDEX) => Err(Error::MerchantExists),
                    None => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    fn registration(
        &self,
        tenant: TenantId,
        command: &Register,
        mode: Mode,
    ) -> Result<Merchant, Error> {
        let now = self.now();
        let ids = &self.parts.ids;
        let grace = Duration::from_millis(self.parts.settings.opening_grace_ms);
        Ok(Merchant {
            id: command.id,
            tenant,
            name: command.name.clone(),
            state: State::Opening,
            country: command.country,
            currency: command.currency,
            plan: Plan {
                terms: default_terms(&self.parts.settings, command.currency, mode)?,
                version: 1,
            },
            accounts: Accounts {
                pending: ids.next(),
                available: ids.next(),
                reserve: ids.next(),
            },
            destination: command.destination.clone(),
            destination_changed_at: None,
            next_wake_at: Some(now.plus(grace)),
            attempts: 0,
            event_sequence: 0,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    async fn registered_before(&self, id: MerchantId) -> Result<Outcome<Merchant>, Error> {
        let merchant = store::merchants::find(&self.parts.database, id).await?;
        let merchant = merchant.ok_or(Error::MerchantNotFound)?;
        Ok(Outcome::AlreadyApplied(
            self.finish_opening(merchant).await?,
        ))
    }

    /// Brings a merchant that is opening to an end, one or the other. Others are as they are.
    async fn finish_opening(&self, merchant: Merchant) -> Result<Merchant, Error> {
        match merchant.state {
            State::Opening => {}
            State::Refused => return Err(Error::AccountsRefused),
            State::Active | State::Suspended | State::Closed => return Ok(merchant),
        }
        let owner = (merchant.tenant, merchant.id);
        let command = match self
            .parts
            .ledger
            .open(owner, merchant.currency, merchant.accounts)
            .await
        {
            Ok(accounts) => Command::AccountsOpened(accounts),
            Err(error) if is_refusal(&error) => {
                tracing::warn!(merchant = %merchant.id, reason = error.reason_text(), "the ledger refused the accounts");
                Command::AccountsRefused
            }
            Err(error) => {
                tracing::info!(merchant = %merchant.id, reason = error.reason_text(), "the accounts are not open yet");
                return Err(Error::AccountsPending);
            }
        };
        // Somebody else may have been faster; what they decided holds.
        let merchant = match self.change(merchant.id, |_, _| Ok(command.clone())).await? {
            Ok(merchant) | Err((merchant, Rejection::Already | Rejection::State(_))) => merchant,
        };
        match merchant.state {
            State::Refused => Err(Error::AccountsRefused),
            State::Opening => Err(Error::AccountsPending),
            State::Active | State::Suspended | State::Closed => Ok(merchant),
        }
    }

    /// Goes on with a registration that was interrupted, or takes a refused one back; puts it off when there is no answer.
    pub(crate) async fn look_after(&self, merchant: Merchant) -> Result<(), Error> {
        let (id, failures) = (merchant.id, merchant.attempts);
        let result = match merchant.state {
            State::Opening => self.finish_opening(merchant).await.map(|_| ()),
            State::Refused => self.close_accounts(&merchant).await,
            State::Active | State::Suspended | State::Closed => Ok(()),
        };
        match result {
            Ok(()) | Err(Error::AccountsRefused) => Ok(()),
            Err(error) => {
                let failures = u32::try_from(failures).unwrap_or(0).saturating_add(1);
                let wait = BACKOFF.wait(failures, self.parts.ids.entropy());
                // Somebody else may have finished it meanwhile; then there is nothing to put off.
                self.change(id, |_, _| Ok(Command::Postpone(wait)))
                    .await?
                    .ok();
                if matches!(error, Error::AccountsPending) {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn close_accounts(&self, merchant: &Merchant) -> Result<(), Error> {
        self.parts
            .ledger
            .close(merchant.tenant, merchant.accounts)
            .await?;
        self.change(merchant.id, |_, _| Ok(Command::AccountsClosed))
            .await?
            .ok();
        Ok(())
    }

    /// What the tenant is for; asked once and kept.
    async fn mode(&self, tenant: TenantId) -> Result<Mode, Error> {
        let now = self.now();
        if let Some(mode) = self.parts.modes.get(tenant, now) {
            return Ok(mode);
        }
        let mode = self.parts.tenants.mode(tenant).await?;
        self.parts.modes.put(tenant, mode, (1, now));
        Ok(mode)
    }
}

fn default_terms(settings: &Settings, currency: Currency, mode: Mode) -> Result<Terms, Error> {
    let share = |points| {
        BasisPoints::try_new(points)
            .map_err(|_| Error::field("plan", "the default plan is not valid"))
    };
    Ok(Terms {
        fee: share(settings.fee_bp)?,
        fee_fixed: Money::new(settings.fee_fixed_minor, currency),
        delay_days: match mode {
            Mode::Live => settings.settlement_delay_days,
            Mode::Sandbox => settings.sandbox_settlement_delay_days,
        },
        negative_balance: if settings.negative_balance_allowed {
            NegativeBalance::Allowed
        } else {
            NegativeBalance::Refused
        },
        chargeback_fee: Money::new(settings.chargeback_fee_minor, currency),
        reserve: share(settings.reserve_bp)?,
    })
}

/// True when the ledger certainly did not open the account and never will. A refusal of ourselves, such as for a token, is not one.
fn is_refusal(error: &CallError) -> bool {
    let is_about_the_request = matches!(
        error.kind(),
        ErrorKind::InvalidArgument | ErrorKind::FailedPrecondition | ErrorKind::AlreadyExists
    );
    is_about_the_request && error.outcome() == Certainty::NotProcessed
}
