//! Calls to the ledger.

mod map;

use std::sync::Arc;

use paymesh_kernel::{
    Clock, Timestamp,
    id::{TenantId, UserId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::Currency;
use paymesh_proto::{
    account::v1::{self as wire, account_service_client::AccountServiceClient},
    types::v1::{Owner, OwnerKind, Page},
};

use super::{
    cache::{Cache, Limits},
    is_not_found,
    wire::contradiction,
};
use crate::domain::{
    AccountId, TransactionId, TransferId,
    answer::{Answer, Refusal},
    draw::Balances,
    party::{Holder, MerchantTerms},
    template::Held,
};

/// Accounts of one person that are looked at; nobody has so many currencies.
const ACCOUNTS_OF_USER: i32 = 100;

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    channel: Channel,
    known: Cache<(TenantId, AccountId), Arc<Account>>,
    balances_of: Cache<(TenantId, UserId), Arc<Vec<Account>>>,
}

/// An account, as far as it never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// Names it.
    pub(crate) id: AccountId,
    /// Whose.
    pub(crate) holder: Holder,
    /// What for.
    pub(crate) purpose: Purpose,
    /// Its ledger.
    pub(crate) currency: Currency,
}

/// What an account is for, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// `customer.balance`.
    CustomerBalance,
    /// `merchant.available`.
    MerchantAvailable,
    /// Anything else: for adjustments only.
    Other,
}

/// What a group is booked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booking {
    /// Of which transaction.
    pub(crate) transaction: TransactionId,
    /// Value date; None: when it is booked.
    pub(crate) effective_at: Option<Timestamp>,
}

// === impl Accounts ===

impl Accounts {
    pub(super) fn new(channel: Channel, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            channel,
            known: Cache::new(limits, Arc::clone(&clock)),
            balances_of: Cache::new(limits, clock),
        }
    }

    fn client(&self) -> AccountServiceClient<Channel> {
        AccountServiceClient::new(self.channel.clone())
    }

    /// Books a group, whole or not at all.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn post(&self, group: &[Held], booking: Booking) -> Result<Answer, CallError> {
        let transfers = group
            .iter()
            .map(|held| map::transfer(held, booking))
            .collect();
        let request = wire::PostTransfersRequest {
            groups: vec![wire::TransferGroup { transfers }],
        };
        let answer = self.client().post_transfers(request).await?.into_inner();
        let result = answer
            .groups
            .first()
            .ok_or_else(|| contradiction("the ledger answered no group"))?;
        Ok(match map::refusal(result) {
            None => Answer::Booked,
            Some(Refusal::Defect) => {
                tracing::error!(transaction = %booking.transaction, results = ?result.transfers, "the ledger refused a group that it should not");
                Answer::Refused(Refusal::Defect)
            }
            Some(refusal) => Answer::Refused(refusal),
        })
    }

    /// Asks whether a group is booked, when that could not be known.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn lookup(
        &self,
        ids: impl Iterator<Item = TransferId>,
    ) -> Result<Answer, CallError> {
        let request = wire::LookupTransfersRequest {
            transfer_ids: ids.map(|id| id.to_string()).collect(),
        };
        let answer = self.client().lookup_transfers(request).await?.into_inner();
        // A group is whole or not at all, so one of its ids tells of all.
        Ok(if answer.transfers.is_empty() {
            Answer::NeverSent
        } else {
            Answer::Booked
        })
    }

    /// An account of the tenant.
    ///
    /// # Errors
    /// When there is none, or the ledger does not answer.
    pub(crate) async fn account(
        &self,
        tenant: TenantId,
        id: AccountId,
    ) -> Result<Arc<Account>, CallError> {
        if let Some(known) = self.known.get(&(tenant, id)) {
            return Ok(known);
        }
        let request = wire::GetAccountRequest {
            account_id: id.to_string(),
        };
        let answer = self.client().get_account(request).await?.into_inner();
        let account = answer.account.as_ref().and_then(map::account);
        let account =
            Arc::new(account.ok_or_else(|| contradiction("the ledger answered no account"))?);
        self.known.put((tenant, id), Arc::clone(&account));
        Ok(account)
    }

    /// A person's balances, the oldest first.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn balances_of(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Arc<Vec<Account>>, CallError> {
        if let Some(known) = self.balances_of.get(&(tenant, user)) {
            return Ok(known);
        }
        let request = wire::ListAccountsRequest {
            owner: Some(Owner {
                kind: OwnerKind::User.into(),
                id: user.to_string(),
            }),
            purpose: wire::AccountPurpose::CustomerBalance.into(),
            currency: String::new(),
            state: wire::AccountState::Unspecified.into(),
            page: Some(Page {
                size: ACCOUNTS_OF_USER,
                token: String::new(),
            }),
        };
        let answer = self.client().list_accounts(request).await?.into_inner();
        let mut listed = answer.accounts;
        listed.sort_by(|a, b| (a.opened_at_us, &a.id).cmp(&(b.opened_at_us, &b.id)));
        let accounts: Arc<Vec<Account>> =
            Arc::new(listed.iter().filter_map(map::account).collect());
        // A person without accounts may get the first one any moment.
        if !accounts.is_empty() {
            self.balances_of.put((tenant, user), Arc::clone(&accounts));
        }
        Ok(accounts)
    }

    /// What a merchant has now, never from a cache.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn merchant_balances(
        &self,
        terms: &MerchantTerms,
    ) -> Result<Balances, CallError> {
        let (pending, available, reserve) = tokio::join!(
            self.available(terms.pending),
            self.available(terms.available),
            self.available(terms.reserve),
        );
        Ok(Balances {
            purchase_pending: pending?,
            available: available?,
            reserve: reserve?,
        })
    }

    async fn available(&self, account: AccountId) -> Result<i64, CallError> {
        let request = wire::GetAccountRequest {
            account_id: account.to_string(),
        };
        match self.client().get_account(request).await {
            Ok(answer) => {
                let account = answer.into_inner().account;
                let balance = account.and_then(|account| account.balance);
                Ok(balance.map_or(0, |balance| balance.available_minor))
            }
            Err(status) => {
                let error = CallError::from(status);
                if is_not_found(&error) {
                    Ok(0)
                } else {
                    Err(error)
                }
            }
        }
    }
}
