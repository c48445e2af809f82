//! Calls to merchant: state, settlement currency and plan, kept for a bounded time.

use std::sync::Arc;

use paymesh_kernel::{
    Clock,
    id::{MerchantId, TenantId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::{Currency, Money};
use paymesh_proto::merchant::v1 as wire;
use wire::merchant_service_client::MerchantServiceClient;

use super::{
    cache::{Cache, Limits},
    wire::{contradiction, money},
};
use crate::domain::{
    TerminalId,
    draw::Negative,
    party::{FeePlan, MerchantTerms},
};

/// Merchants.
#[derive(Clone, Debug)]
pub(crate) struct Merchants {
    channel: Channel,
    merchants: Cache<(TenantId, MerchantId), Arc<Merchant>>,
    terminals: Cache<(TenantId, TerminalId), Terminal>,
}

/// A merchant as a transaction needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merchant {
    /// Takes payments.
    pub(crate) is_active: bool,
    /// In which it is paid.
    pub(crate) currency: Currency,
    /// What it pays for a payment.
    pub(crate) fee: FeePlan,
    /// The rest of its plan.
    pub(crate) terms: MerchantTerms,
}

/// Where a merchant takes payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Whose.
    pub(crate) merchant: MerchantId,
    /// Takes payments.
    pub(crate) is_active: bool,
}

// === impl Merchants ===

impl Merchants {
    pub(super) fn new(channel: Channel, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            channel,
            merchants: Cache::new(limits, Arc::clone(&clock)),
            terminals: Cache::new(limits, clock),
        }
    }

    fn client(&self) -> MerchantServiceClient<Channel> {
        MerchantServiceClient::new(self.channel.clone())
    }

    /// A merchant of the tenant.
    ///
    /// # Errors
    /// When there is none, or merchant does not answer.
    pub(crate) async fn merchant(
        &self,
        tenant: TenantId,
        id: MerchantId,
    ) -> Result<Arc<Merchant>, CallError> {
        if let Some(known) = self.merchants.get(&(tenant, id)) {
            return Ok(known);
        }
        let request = wire::GetMerchantRequest {
            merchant_id: id.to_string(),
        };
        let answer = self.client().get_merchant(request).await?.into_inner();
        let merchant = answer
            .merchant
            .and_then(|merchant| read(id, &merchant))
            .ok_or_else(|| {
                contradiction("merchant answered a merchant without a plan or accounts")
            })?;
        let merchant = Arc::new(merchant);
        self.merchants.put((tenant, id), Arc::clone(&merchant));
        Ok(merchant)
    }

    /// A terminal of the tenant.
    ///
    /// # Errors
    /// When there is none, or merchant does not answer.
    pub(crate) async fn terminal(
        &self,
        tenant: TenantId,
        id: TerminalId,
    ) -> Result<Terminal, CallError> {
        if let Some(known) = self.terminals.get(&(tenant, id)) {
            return Ok(known);
        }
        let request = wire::GetTerminalRequest {
            terminal_id: id.to_string(),
        };
        let answer = self.client().get_terminal(request).await?.into_inner();
        let terminal = answer
            .terminal
            .and_then(|terminal| {
                Some(Terminal {
                    merchant: terminal.merchant_id.parse().ok()?,
                    is_active: terminal.state() == wire::TerminalState::Active,
                })
            })
            .ok_or_else(|| contradiction("merchant answered a terminal without its merchant"))?;
        self.terminals.put((tenant, id), terminal);
        Ok(terminal)
    }
}

fn read(id: MerchantId, merchant: &wire::Merchant) -> Option<Merchant> {
    let plan = merchant.plan.as_ref()?;
    let currency: Currency = merchant.settlement_currency.parse().ok()?;
    let in_settlement_currency = |of: Option<&paymesh_proto::types::v1::Money>| match of {
        None => Some(Money::zero(currency)),
        Some(of) => {
            money(Some(of)).filter(|money| money.currency() == currency && !money.is_negative())
        }
    };
    Some(Merchant {
        is_active: merchant.state() == wire::MerchantState::Active,
        currency,
        fee: FeePlan {
            basis_points: u32::try_from(plan.fee_bp)
                .ok()
                .filter(|points| *points <= 10_000)?,
            fixed: in_settlement_currency(plan.fee_fixed.as_ref())?,
        },
        terms: MerchantTerms {
            merchant: id,
            settlement_delay_days: u32::try_from(plan.settlement_delay_days).ok()?,
            negative: match plan.negative_balance() {
                wire::NegativeBalance::Allowed => Negative::Allowed,
                wire::NegativeBalance::Refused | wire::NegativeBalance::Unspecified => {
                    Negative::Refused
                }
            },
            chargeback_fee: in_settlement_currency(plan.chargeback_fee.as_ref())?,
            pending: merchant.pending_account_id.parse().ok()?,
            available: merchant.available_account_id.parse().ok()?,
            reserve: merchant.reserve_account_id.parse().ok()?,
            plan_version: plan.version,
        },
    })
}
