//! Who the two sides of a new transaction are. What others answer is kept for a bounded time; nothing of it decides about money.

use std::sync::Arc;

use paymesh_kernel::id::{MerchantId, TenantId, UserId};
use paymesh_mesh::CallError;
use paymesh_money::Currency;

use super::{App, access};
use crate::{
    clients::{
        account::{Account, Purpose},
        is_not_found,
        merchant::Merchant,
        payment::MethodState,
    },
    domain::{
        AccountId, PaymentMethodId, TerminalId,
        decline::{Decline, DeclineReason},
        party::Party,
    },
    error::Error,
    store,
};

/// One side as it is asked for.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Account(AccountId),
    Method {
        method: PaymentMethodId,
        customer: Option<UserId>,
    },
    Merchant {
        merchant: MerchantId,
        terminal: Option<TerminalId>,
    },
    Bank {
        token: String,
    },
    User(UserId),
}

/// One side as it is.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) party: Party,
    /// Of its account or plan; None when it takes any.
    pub(super) currency: Option<Currency>,
    pub(super) merchant: Option<Arc<Merchant>>,
    /// Why it cannot take part now: a decline, not an error.
    pub(super) decline: Option<Decline>,
    /// A payment method's first use.
    pub(super) is_first_use: bool,
}

/// Which side of a transaction is meant.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    Payer,
    Payee,
}

impl Which {
    const fn field(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Payee => "payee",
        }
    }
}

impl Side {
    const fn new(party: Party, currency: Option<Currency>) -> Self {
        Self {
            party,
            currency,
            merchant: None,
            decline: None,
            is_first_use: false,
        }
    }
}

// === impl App ===

impl App {
    /// Looks a side up. `wanted` is the currency it should have when there is a choice.
    pub(super) async fn side(
        &self,
        tenant: TenantId,
        asked: &Asked,
        wanted: Currency,
        which: Which,
    ) -> Result<Side, Error> {
        let missing = |error: CallError| {
            if is_not_found(&error) {
                Error::PartyNotFound {
                    field: which.field(),
                }
            } else {
                error.into()
            }
        };
        let clients = &self.inner.clients;
        match asked {
            Asked::Account(id) => {
                let account = clients
                    .account
                    .account(tenant, *id)
                    .await
                    .map_err(missing)?;
                Ok(side_of(&account))
            }
            Asked::User(user) => {
                let accounts = clients
                    .account
                    .balances_of(tenant, *user)
                    .await
                    .map_err(missing)?;
                let fitting = accounts.iter().find(|account| account.currency == wanted);
                // A payee without an account in this currency is paid into the first one.
                let fallback = match which {
                    Which::Payer => None,
                    Which::Payee => accounts.first(),
                };
                let account = fitting.or(fallback).ok_or(Error::PartyNotFound {
                    field: which.field(),
                })?;
                Ok(side_of(account))
            }
            Asked::Method { method, customer } => {
                self.method_side(tenant, (*method, *customer), which, missing)
                    .await
            }
            Asked::Merchant { merchant, terminal } => {
                self.merchant_side(tenant, (*merchant, *terminal), missing)
                    .await
            }
            Asked::Bank { token } => Ok(Side::new(
                Party::Bank {
                    token: token.clone(),
                },
                None,
            )),
        }
    }

    async fn method_side(
        &self,
        tenant: TenantId,
        (method, customer): (PaymentMethodId, Option<UserId>),
        which: Which,
        missing: impl Fn(CallError) -> Error,
    ) -> Result<Side, Error> {
        let payments = &self.inner.clients.payment;
        let known = payments.method(tenant, method).await.map_err(missing)?;
        if customer.is_some_and(|customer| customer != known.customer) {
            return Err(Error::PartyNotFound {
                field: which.field(),
            });
        }
        let party = Party::Method {
            method,
            customer: known.customer,
        };
        let decline = match known.state {
            MethodState::Active => None,
            MethodState::Expired => Some(DeclineReason::PaymentMethodExpired.into()),
            MethodState::Detached => Some(DeclineReason::PaymentMethodInvalid.into()),
        };
        Ok(Side {
            decline,
            is_first_use: self.is_first_use(method).await?,
            ..Side::new(party, None)
        })
    }

    async fn merchant_side(
        &self,
        tenant: TenantId,
        (id, terminal): (MerchantId, Option<TerminalId>),
        missing: impl Fn(CallError) -> Error,
    ) -> Result<Side, Error> {
        let merchants = &self.inner.clients.merchant;
        let merchant = merchants.merchant(tenant, id).await.map_err(&missing)?;
        let mut is_active = merchant.is_active;
        if let Some(terminal) = terminal {
            let known = merchants
                .terminal(tenant, terminal)
                .await
                .map_err(&missing)?;
            if known.merchant != id {
                return Err(Error::PartyNotFound {
                    field: "payee.merchant.terminal_id",
                });
            }
            is_active &= known.is_active;
        }
        let party = Party::Merchant {
            merchant: id,
            terminal,
        };
        Ok(Side {
            currency: Some(merchant.currency),
            decline: (!is_active).then(|| DeclineReason::MerchantInactive.into()),
            merchant: Some(merchant),
            ..Side::new(party, None)
        })
    }

    /// Whether a payment method has never been used. A used one stays used, so that is remembered.
    async fn is_first_use(&self, method: PaymentMethodId) -> Result<bool, Error> {
        if self.inner.used_methods.get(&method).is_some() {
            return Ok(false);
        }
        let was_used = store::was_used(&self.inner.database, method).await?;
        // This use makes it a used one.
        self.inner.used_methods.put(method, ());
        Ok(!was_used)
    }
}

fn side_of(account: &Account) -> Side {
    let party = Party::Account {
        account: account.id,
        holder: account.holder.clone(),
    };
    Side::new(party, Some(account.currency))
}

/// True when an account may be a side of anything but an adjustment.
pub(super) async fn is_balance(
    app: &App,
    tenant: TenantId,
    party: &Party,
    purpose: Purpose,
) -> Result<bool, Error> {
    let Party::Account { account, holder } = party else {
        return Ok(false);
    };
    let known = app.inner.clients.account.account(tenant, *account).await?;
    let fits = match purpose {
        Purpose::CustomerBalance => access::is_persons(holder),
        Purpose::MerchantAvailable | Purpose::Other => true,
    };
    Ok(fits && known.purpose == purpose)
}
