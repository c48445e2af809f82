//! Calls to other components: the ledger opens accounts and says what is on them, payment says which disputes are open.

use std::time::Duration;

use paymesh_kernel::{
    Principal,
    call::{self, Scope},
    id::{TenantId, UserId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::Currency;
use paymesh_proto::{
    account::v1::{
        AccountPurpose, ListAccountsRequest, OpenAccountRequest,
        account_service_client::AccountServiceClient,
    },
    payment::v1::{
        DisputeState, ListDisputesRequest, payment_service_client::PaymentServiceClient,
    },
    types::v1::{Owner, OwnerKind, Page},
};
use tonic::Status;

use crate::domain::AccountId;

/// Our own name, in the principal that we act as.
const SELF: &str = "user";
/// A call made outside of any other ends after this time.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Accounts asked for in one page; a person has one for each currency.
const PAGE_SIZE: i32 = 100;
/// Pages looked at before giving up.
const MAX_PAGES: usize = 10;

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    client: AccountServiceClient<Channel>,
}

/// Payments at providers.
#[derive(Clone, Debug)]
pub(crate) struct Payments {
    client: PaymentServiceClient<Channel>,
}

/// Whether there is anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Any {
    /// There is.
    Some,
    /// There is none.
    None,
}

// === impl Accounts ===

impl Accounts {
    /// Over a channel to the ledger.
    #[must_use]
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: AccountServiceClient::new(channel),
        }
    }

    /// Opens a person's balance under the id `account`, or finds the one that is open.
    ///
    /// # Errors
    /// As the ledger says.
    pub(crate) async fn open_balance(
        &self,
        (tenant, user): (TenantId, UserId),
        currency: Currency,
        account: AccountId,
    ) -> Result<AccountId, CallError> {
        let request = OpenAccountRequest {
            owner: Some(owner(user)),
            purpose: AccountPurpose::CustomerBalance.into(),
            currency: currency.code().to_owned(),
            account_id: account.to_string(),
            ..OpenAccountRequest::default()
        };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.open_account(request)).await?;
        let opened = answer.into_inner().account.unwrap_or_default();
        opened.id.parse().map_err(|_| not_understood())
    }

    /// Whether any account of a person holds or reserves money.
    ///
    /// # Errors
    /// As the ledger says.
    pub(crate) async fn any_money(&self, tenant: TenantId, user: UserId) -> Result<Any, CallError> {
        let mut token = String::new();
        for _ in 0..MAX_PAGES {
            let request = ListAccountsRequest {
                owner: Some(owner(user)),
                page: Some(Page {
                    size: PAGE_SIZE,
                    token,
                }),
                ..ListAccountsRequest::default()
            };
            let mut client = self.client.clone();
            let answer = as_self(tenant, client.list_accounts(request))
                .await?
                .into_inner();
            for account in answer.accounts {
                let balance = account.balance.ok_or_else(not_understood)?;
                let is_clear = balance.debits_pending_minor == 0
                    && balance.credits_pending_minor == 0
                    && balance.debits_posted_minor == balance.credits_posted_minor;
                if !is_clear {
                    return Ok(Any::Some);
                }
            }
            token = answer.page_info.unwrap_or_default().next_token;
            if token.is_empty() {
                return Ok(Any::None);
            }
        }
        Err(not_understood())
    }
}

// === impl Payments ===

impl Payments {
    /// Over a channel to payment.
    #[must_use]
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: PaymentServiceClient::new(channel),
        }
    }

    /// Whether a person has a dispute that is not decided.
    ///
    /// # Errors
    /// As payment says.
    pub(crate) async fn any_open_dispute(
        &self,
        tenant: TenantId,
        user: UserId,
    ) -> Result<Any, CallError> {
        for state in [DisputeState::Opened, DisputeState::EvidenceSubmitted] {
            let request = ListDisputesRequest {
                customer_id: user.to_string(),
                state: state.into(),
                page: Some(Page {
                    size: 1,
                    token: String::new(),
                }),
                ..ListDisputesRequest::default()
            };
            let mut client = self.client.clone();
            let answer = as_self(tenant, client.list_disputes(request)).await?;
            if !answer.into_inner().disputes.is_empty() {
                return Ok(Any::Some);
            }
        }
        Ok(Any::None)
    }
}

fn owner(user: UserId) -> Owner {
    Owner {
        kind: OwnerKind::User.into(),
        id: user.to_string(),
    }
}

/// The call as this component itself, with what is left of the present deadline.
async fn as_self<T>(
    tenant: TenantId,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, CallError> {
    let scope = call::current().unwrap_or_else(|| Scope::new("").within(CALL_LIMIT));
    let principal = Principal::component(tenant, SELF);
    Ok(scope.on_behalf_of(principal).run(call).await?)
}

fn not_understood() -> CallError {
    Status::internal("the answer is not as the contract says").into()
}
