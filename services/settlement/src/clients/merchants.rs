//! Merchants: their accounts, plan and bank account.

use paymesh_kernel::{
    ErrorKind, Fault as _, Timestamp,
    id::{MerchantId, TenantId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::Currency;
use paymesh_proto::merchant::v1::{
    self as wire, GetMerchantRequest, merchant_service_client::MerchantServiceClient,
};

use super::{as_self, not_understood};
use crate::domain::ids::AccountId;

/// A merchant, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merchant {
    /// What it settles in.
    pub(crate) currency: Currency,
    /// Captured, not yet due.
    pub(crate) pending: AccountId,
    /// May be paid out.
    pub(crate) available: AccountId,
    /// Token of its bank account; empty when none.
    pub(crate) destination: String,
    /// When that was last set or changed after the registration; None when never.
    pub(crate) destination_changed_at: Option<Timestamp>,
    /// Days from pending to available.
    pub(crate) delay_days: u64,
}

/// Merchants.
#[derive(Clone, Debug)]
pub(crate) struct Merchants {
    client: MerchantServiceClient<Channel>,
}

// === impl Merchants ===

impl Merchants {
    /// Over a channel to merchant.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: MerchantServiceClient::new(channel),
        }
    }

    /// A merchant; None when there is none.
    ///
    /// # Errors
    /// When merchant does not answer.
    pub(crate) async fn find(
        &self,
        tenant: TenantId,
        id: MerchantId,
    ) -> Result<Option<Merchant>, CallError> {
        let request = GetMerchantRequest {
            merchant_id: id.to_string(),
        };
        let mut client = self.client.clone();
        let answer = match as_self(tenant, client.get_merchant(request)).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let found = answer.merchant.ok_or_else(not_understood)?;
        read(found).ok_or_else(not_understood).map(Some)
    }
}

fn read(of: wire::Merchant) -> Option<Merchant> {
    let delay = of
        .plan
        .as_ref()
        .map_or(0, |plan| plan.settlement_delay_days);
    Some(Merchant {
        currency: of.settlement_currency.parse().ok()?,
        pending: of.pending_account_id.parse().ok()?,
        available: of.available_account_id.parse().ok()?,
        destination: of.payout_destination_token,
        destination_changed_at: Some(of.payout_destination_changed_at_us)
            .filter(|micros| *micros != 0)
            .map(Timestamp::from_micros),
        delay_days: u64::try_from(delay).unwrap_or(0),
    })
}
