//! The checks of one transfer, in the documented order: the first that fails is the answer.

use std::sync::Arc;

use paymesh_kernel::{Timestamp, id::TenantId};
use paymesh_money::Currency;

use super::{
    Book,
    result::{ResultCode, TransferResult},
};
use crate::domain::{
    Account, AccountId, AccountKey, AccountState, Balance, Bounds, Code, Delta, Kind, PendingState,
    Side, Transfer, TransferId, entry,
    transfer::{AccountRef, Asked, ClosedCredit, Given},
};

/// What is to be done with a transfer that nothing speaks against.
#[derive(Debug)]
pub(super) enum Plan {
    /// It is booked already, or left its tombstone already.
    Nothing(TransferResult),
    /// Leave a tombstone for this id.
    Bury(TransferId),
    /// Book it.
    Book(Box<Posting>),
}

/// A transfer with all its fields found.
#[derive(Debug)]
pub(super) struct Posting {
    pub(super) id: TransferId,
    pub(super) kind: Kind,
    pub(super) debit: Party,
    pub(super) credit: Party,
    pub(super) redirected_from: Option<AccountId>,
    pub(super) amount: i64,
    pub(super) released: i64,
    pub(super) currency: Currency,
    pub(super) pending: Option<TransferId>,
    pub(super) code: Code,
    pub(super) effective_at: Timestamp,
}

/// One side of a posting.
#[derive(Debug)]
pub(super) struct Party {
    pub(super) id: AccountId,
    /// What to open first, when the account does not exist yet.
    pub(super) opening: Option<AccountKey>,
    /// The sums after it.
    pub(super) balance: Balance,
    /// By how much a bound is crossed then.
    pub(super) crossed: i64,
}

/// What a transfer asks for, once the fields alone are known to be good.
struct Terms {
    kind: Kind,
    code: Code,
    amount: i64,
    released: i64,
    currency: Currency,
    /// The pending transfer that is ended.
    pending: Option<Arc<Transfer>>,
}

/// The two accounts of a transfer.
struct Parties {
    debit: Found,
    credit: Found,
    redirected_from: Option<AccountId>,
}

/// An account that is there or is to be opened.
struct Found {
    id: AccountId,
    opening: Option<AccountKey>,
}

type Checked<T> = Result<T, ResultCode>;

impl Book {
    /// Checks a transfer against the working set.
    pub(super) fn check(&self, tenant: TenantId, asked: &Asked) -> Result<Plan, TransferResult> {
        let Some(id) = asked.id else {
            return Err(TransferResult::rejected(ResultCode::IdInvalid));
        };
        if let Some(plan) = self.check_id(tenant, id, asked)? {
            return Ok(plan);
        }
        self.check_rest(tenant, id, asked)
            .map_err(TransferResult::rejected)
    }

    /// Is the id known?
    fn check_id(
        &self,
        tenant: TenantId,
        id: TransferId,
        asked: &Asked,
    ) -> Result<Option<Plan>, TransferResult> {
        if let Some(known) = self.transfers.get(&id) {
            if known.tenant != tenant {
                return Err(TransferResult::conflict(vec!["id"]));
            }
            let fields = self.differing(asked, known);
            if !fields.is_empty() {
                return Err(TransferResult::conflict(fields));
            }
            return Ok(Some(Plan::Nothing(TransferResult::already(known))));
        }
        if let Some(grave) = self.voids.get(&(tenant, id)) {
            let fields = Self::differing_from_void(asked, grave.id);
            if !fields.is_empty() {
                return Err(TransferResult::conflict(fields));
            }
            return Ok(Some(Plan::Nothing(TransferResult {
                already_applied: true,
                ..TransferResult::rejected(ResultCode::Tombstoned)
            })));
        }
        if self.tombstones.contains_key(&(tenant, id)) {
            return Err(TransferResult::rejected(ResultCode::IdTombstoned));
        }
        Ok(None)
    }

    fn check_rest(&self, tenant: TenantId, id: TransferId, asked: &Asked) -> Checked<Plan> {
        let kind = *asked.kind.value().ok_or(ResultCode::KindInvalid)?;
        let pending_id = asked.pending.value().copied();
        let pending = pending_id.and_then(|pending| self.transfer(tenant, pending));
        let terms = self.check_fields(id, kind, asked, pending)?;
        self.check_same(tenant, asked)?;
        if let Some(pending) = pending_id
            && !self.check_pending(tenant, asked, &terms)?
        {
            return Ok(Plan::Bury(pending));
        }
        self.check_posting(tenant, id, asked, terms)
    }

    /// The fields by themselves: amount, currency, code, expiry, pending id.
    fn check_fields(
        &self,
        id: TransferId,
        kind: Kind,
        asked: &Asked,
        pending: Option<&Arc<Transfer>>,
    ) -> Checked<Terms> {
        let ended = pending.filter(|_| kind.ends_pending());
        let reserved = ended.filter(|pending| pending.kind == Kind::Pending);
        let amount = match asked.amount {
            Some(minor) if minor > 0 => minor,
            None if kind.ends_pending() => reserved.map_or(0, |pending| pending.amount),
            Some(_) | None => return Err(ResultCode::AmountInvalid),
        };
        let currency = match (&asked.currency, asked.amount) {
            (Given::Value(currency), _) => Some(*currency),
            (Given::Missing, None) if kind.ends_pending() => {
                reserved.map(|pending| pending.currency)
            }
            (Given::Missing | Given::Malformed, _) => return Err(ResultCode::CurrencyInvalid),
        };
        if reserved.is_some_and(|pending| Some(pending.currency) != currency) {
            return Err(ResultCode::CurrencyInvalid);
        }
        let code = match &asked.code {
            Given::Value(code) => Some(*code),
            Given::Missing if kind.ends_pending() => reserved.map(|pending| pending.code),
            Given::Missing | Given::Malformed => return Err(ResultCode::CodeInvalid),
        };
        let is_timely = asked.expires_at.is_none_or(|at| at > self.at);
        if !is_timely || (asked.expires_at.is_some() && kind != Kind::Pending) {
            return Err(ResultCode::ExpiryInvalid);
        }
        let fits = match &asked.pending {
            Given::Missing => !kind.ends_pending(),
            Given::Malformed => false,
            Given::Value(pending) => kind.ends_pending() && *pending != id,
        };
        if !fits {
            return Err(ResultCode::PendingIdInvalid);
        }
        Ok(Terms {
            kind,
            // What is unknown here belongs to a pending transfer that is not there, and is not looked at.
            code: code.unwrap_or(Code::Transfer),
            amount,
            released: reserved.map_or(0, |pending| pending.amount),
            currency: currency.unwrap_or(Currency::USD),
            pending: ended.cloned(),
        })
    }

    fn check_same(&self, tenant: TenantId, asked: &Asked) -> Checked<()> {
        let (Some(debit), Some(credit)) = (asked.debit.value(), asked.credit.value()) else {
            return Ok(());
        };
        let (debit_id, credit_id) = (self.resolve(tenant, debit), self.resolve(tenant, credit));
        if debit == credit || (debit_id.is_some() && debit_id == credit_id) {
            return Err(ResultCode::AccountsSame);
        }
        Ok(())
    }

    /// The pending transfer that is to end. False when it is unknown and a void of it leaves a tombstone.
    fn check_pending(&self, tenant: TenantId, asked: &Asked, terms: &Terms) -> Checked<bool> {
        let Some(pending) = terms.pending.as_deref() else {
            return match terms.kind {
                Kind::Void => Ok(false),
                Kind::Single | Kind::Pending | Kind::Post => Err(ResultCode::PendingNotFound),
            };
        };
        if pending.kind != Kind::Pending {
            return Err(ResultCode::PendingKindInvalid);
        }
        let fits = |given: &Given<AccountRef>, accounts: [AccountId; 2]| match given {
            Given::Missing => true,
            Given::Malformed => false,
            Given::Value(account) => self
                .resolve(tenant, account)
                .is_some_and(|id| accounts.contains(&id)),
        };
        if !fits(&asked.debit, [pending.debit, pending.debit])
            || !fits(&asked.credit, [pending.credit, pending.asked_credit()])
        {
            return Err(ResultCode::PendingAccountsDiffer);
        }
        let fate = self.pending(pending.id);
        match fate.state {
            PendingState::Posted => return Err(ResultCode::PendingAlreadyPosted),
            PendingState::Voided => return Err(ResultCode::PendingAlreadyVoided),
            PendingState::Expired => return Err(ResultCode::PendingExpired),
            PendingState::Pending if fate.is_over(self.at) => {
                return Err(ResultCode::PendingExpired);
            }
            PendingState::Pending => {}
        }
        let is_whole = terms.amount == pending.amount;
        if terms.amount > pending.amount || (terms.kind == Kind::Void && !is_whole) {
            return Err(ResultCode::PendingAmountExceeded);
        }
        Ok(true)
    }

    /// The accounts, the period and the sums.
    fn check_posting(
        &self,
        tenant: TenantId,
        id: TransferId,
        asked: &Asked,
        terms: Terms,
    ) -> Checked<Plan> {
        let parties = match terms.pending.as_deref() {
            Some(pending) => Parties {
                debit: Found {
                    id: pending.debit,
                    opening: None,
                },
                credit: Found {
                    id: pending.credit,
                    opening: None,
                },
                redirected_from: pending.redirected_from,
            },
            None => self.check_accounts(tenant, asked, &terms)?,
        };
        let effective_at = asked.effective_at.unwrap_or(self.at);
        if self.periods.is_closed(tenant, terms.currency, effective_at) {
            return Err(ResultCode::PeriodClosed);
        }
        let delta = entry::delta(terms.kind, terms.amount, terms.released);
        let debit = self.check_sums(parties.debit, Side::Debit, delta)?;
        let credit = self.check_sums(parties.credit, Side::Credit, delta)?;
        // What was reserved within the bounds may always be posted or released.
        let is_bound = !terms.kind.ends_pending() && !terms.code.is_forced();
        if is_bound && debit.crossed > 0 {
            return Err(ResultCode::DebitBoundExceeded);
        }
        if is_bound && credit.crossed > 0 {
            return Err(ResultCode::CreditBoundExceeded);
        }
        Ok(Plan::Book(Box::new(Posting {
            id,
            kind: terms.kind,
            debit,
            credit,
            redirected_from: parties.redirected_from,
            amount: terms.amount,
            released: terms.released,
            currency: terms.currency,
            pending: terms.pending.map(|pending| pending.id),
            code: terms.code,
            effective_at,
        })))
    }

    /// The accounts of a transfer that ends nothing.
    fn check_accounts(&self, tenant: TenantId, asked: &Asked, terms: &Terms) -> Checked<Parties> {
        let debit = self
            .find(tenant, &asked.debit)
            .ok_or(ResultCode::DebitAccountNotFound)?;
        let mut credit = self
            .find(tenant, &asked.credit)
            .ok_or(ResultCode::CreditAccountNotFound)?;
        if self.currency_of(&debit) != Some(terms.currency)
            || self.currency_of(&credit) != Some(terms.currency)
        {
            return Err(ResultCode::AccountCurrencyDiffers);
        }
        if self.state_of(&debit) == AccountState::Closed {
            return Err(ResultCode::DebitAccountClosed);
        }
        let mut redirected_from = None;
        if self.state_of(&credit) == AccountState::Closed {
            if asked.closed_credit == ClosedCredit::Refuse {
                return Err(ResultCode::CreditAccountClosed);
            }
            redirected_from = Some(credit.id);
            let suspense = AccountRef::Key(Self::suspense_key(tenant, terms.currency));
            credit = self
                .find(tenant, &Given::Value(suspense))
                .filter(|suspense| suspense.id != debit.id)
                .ok_or(ResultCode::CreditAccountClosed)?;
        }
        if self.state_of(&debit) == AccountState::Suspended && !terms.code.passes_suspension() {
            return Err(ResultCode::DebitAccountSuspended);
        }
        Ok(Parties {
            debit,
            credit,
            redirected_from,
        })
    }

    fn check_sums(&self, side: Found, which: Side, delta: Delta) -> Checked<Party> {
        let (balance, bounds) = match (&side.opening, self.found(&side)) {
            (None, Some(account)) => (account.balance, account.bounds),
            (Some(key), _) => (Balance::default(), key.purpose().bounds()),
            (None, None) => (Balance::default(), Bounds::default()),
        };
        let balance = balance
            .with(which, delta)
            .ok_or(ResultCode::BalanceOverflow)?;
        Ok(Party {
            id: side.id,
            opening: side.opening,
            balance,
            crossed: balance.crossed(bounds, which),
        })
    }

    fn find(&self, tenant: TenantId, given: &Given<AccountRef>) -> Option<Found> {
        let account = given.value()?;
        let id = self.resolve(tenant, account)?;
        let opening = match account {
            AccountRef::Key(key) if !self.accounts.contains_key(&id) => Some(key.clone()),
            AccountRef::Key(_) | AccountRef::Id(_) => None,
        };
        Some(Found { id, opening })
    }

    fn found(&self, side: &Found) -> Option<&Account> {
        self.accounts.get(&side.id).map(|slot| &slot.account)
    }

    fn currency_of(&self, side: &Found) -> Option<Currency> {
        match &side.opening {
            Some(key) => Some(key.currency()),
            None => self.found(side).map(|account| account.key.currency()),
        }
    }

    fn state_of(&self, side: &Found) -> AccountState {
        self.found(side)
            .map_or(AccountState::Active, |account| account.state)
    }
}
