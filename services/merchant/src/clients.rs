//! Calls to other components: the ledger opens and closes accounts, user knows the mode of a tenant.

use std::time::Duration;

use paymesh_kernel::{
    ErrorKind, Fault as _, Principal,
    call::{self, Scope},
    id::{MerchantId, TenantId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::Currency;
use paymesh_proto::{
    account::v1::{
        AccountPurpose, CloseAccountRequest, OpenAccountRequest,
        account_service_client::AccountServiceClient,
    },
    types::v1::{Owner, OwnerKind},
    user::v1::{GetTenantRequest, TenantMode, user_service_client::UserServiceClient},
};
use tonic::Status;

use crate::domain::{AccountId, Accounts};

/// Our own name, in the principal that we act as.
const SELF: &str = "merchant";
/// A call made outside of any other ends after this time.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Why accounts of a refused merchant are closed.
const CLOSE_REASON: &str = "the merchant was not registered";

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    client: AccountServiceClient<Channel>,
}

/// Tenants.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    client: UserServiceClient<Channel>,
}

/// What a tenant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Real money.
    Live,
    /// Simulated providers.
    Sandbox,
}

// === impl Ledger ===

impl Ledger {
    /// Over a channel to the ledger.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: AccountServiceClient::new(channel),
        }
    }

    /// Opens the three accounts of a merchant under the given ids, or finds those that are open.
    ///
    /// # Errors
    /// As the ledger says of the first that it does not open.
    pub(crate) async fn open(
        &self,
        owner: (TenantId, MerchantId),
        currency: Currency,
        wanted: Accounts,
    ) -> Result<Accounts, CallError> {
        let open = |purpose, account| self.open_one(owner, (purpose, currency), account);
        Ok(Accounts {
            pending: open(AccountPurpose::MerchantPending, wanted.pending).await?,
            available: open(AccountPurpose::MerchantAvailable, wanted.available).await?,
            reserve: open(AccountPurpose::MerchantReserve, wanted.reserve).await?,
        })
    }

    async fn open_one(
        &self,
        (tenant, merchant): (TenantId, MerchantId),
        (purpose, currency): (AccountPurpose, Currency),
        account: AccountId,
    ) -> Result<AccountId, CallError> {
        let request = OpenAccountRequest {
            owner: Some(Owner {
                kind: OwnerKind::Merchant.into(),
                id: merchant.to_string(),
            }),
            purpose: purpose.into(),
            currency: currency.code().to_owned(),
            account_id: account.to_string(),
            ..OpenAccountRequest::default()
        };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.open_account(request)).await?;
        let opened = answer.into_inner().account.unwrap_or_default();
        opened.id.parse().map_err(|_| not_understood())
    }

    /// Closes what was opened of these accounts.
    ///
    /// # Errors
    /// As the ledger says of the first that it does not close.
    pub(crate) async fn close(
        &self,
        tenant: TenantId,
        accounts: Accounts,
    ) -> Result<(), CallError> {
        for account in [accounts.pending, accounts.available, accounts.reserve] {
            let request = CloseAccountRequest {
                account_id: account.to_string(),
                reason: CLOSE_REASON.to_owned(),
            };
            let mut client = self.client.clone();
            match as_self(tenant, client.close_account(request)).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

// === impl Tenants ===

impl Tenants {
    /// Over a channel to user.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: UserServiceClient::new(channel),
        }
    }

    /// What a tenant is for; it never changes.
    ///
    /// # Errors
    /// As user says.
    pub(crate) async fn mode(&self, tenant: TenantId) -> Result<Mode, CallError> {
        let request = GetTenantRequest {
            tenant_id: tenant.to_string(),
        };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.get_tenant(request)).await?;
        match answer.into_inner().tenant.unwrap_or_default().mode() {
            TenantMode::Live => Ok(Mode::Live),
            TenantMode::Sandbox => Ok(Mode::Sandbox),
            TenantMode::Unspecified => Err(not_understood()),
        }
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
