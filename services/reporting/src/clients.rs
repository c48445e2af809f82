//! Calls to other components: the ledger for what only it knows, settlement for positions that no fact carried.

use std::time::Duration;

use paymesh_kernel::{Principal, Timestamp, call::Scope, id::TenantId};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::{
    account::v1::{
        AccountRef, BalanceBasis, GetBatchHeadRequest, StatementRequest, StatementResponse,
        TrialBalanceLine, TrialBalanceRequest, account_ref::By,
        account_service_client::AccountServiceClient,
    },
    settlement::v1::{
        ListPositionsRequest, Position as WirePosition,
        settlement_service_client::SettlementServiceClient,
    },
    types::v1::{Page, TimeRange},
};
use tonic::Status;

use crate::{
    domain::{
        Span,
        trial::{Place, Sums, Trial},
    },
    wire::{signed, unsigned, word},
};

/// Our own name, in the principal that we act as.
const SELF: &str = "reporting";
/// A call ends after this time.
const CALL_LIMIT: Duration = Duration::from_secs(10);
/// Items of a page of another component.
const PAGE: i32 = 500;

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    client: AccountServiceClient<Channel>,
}

/// Settlement.
#[derive(Clone, Debug)]
pub(crate) struct Settlement {
    client: SettlementServiceClient<Channel>,
}

/// Which entries of which account.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) tenant: TenantId,
    pub(crate) account: String,
    pub(crate) basis: Basis,
    pub(crate) span: Span,
    /// The last batch that counts.
    pub(crate) height: i64,
}

/// Which time a statement goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Booking.
    Booked,
    /// Value date.
    Effective,
}

// === impl Ledger ===

impl Ledger {
    /// Over a channel to the ledger.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: AccountServiceClient::new(channel),
        }
    }

    /// The ledger's own sums of everything booked before `at`, and the last batch that counted.
    ///
    /// # Errors
    /// As the ledger says.
    pub(crate) async fn trial(
        &self,
        tenant: TenantId,
        currency: &str,
        at: Timestamp,
    ) -> Result<(Trial, i64), CallError> {
        let request = TrialBalanceRequest {
            currency: currency.to_owned(),
            basis: BalanceBasis::Booked.into(),
            at_us: at.as_micros(),
        };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.trial_balance(request)).await?;
        let answer = answer.into_inner();
        let trial = answer.lines.iter().map(place_of).collect();
        Ok((trial, signed(answer.batch_height)))
    }

    /// The newest batch.
    ///
    /// # Errors
    /// As the ledger says.
    pub(crate) async fn height(&self, tenant: TenantId) -> Result<i64, CallError> {
        let mut client = self.client.clone();
        let request = GetBatchHeadRequest { height: 0 };
        let answer = as_self(tenant, client.get_batch_head(request)).await?;
        Ok(signed(answer.into_inner().head.unwrap_or_default().height))
    }

    /// A page of an account's entries, behind `token`.
    ///
    /// # Errors
    /// As the ledger says.
    pub(crate) async fn statement(
        &self,
        asked: &Asked,
        token: String,
    ) -> Result<StatementResponse, CallError> {
        let basis = match asked.basis {
            Basis::Booked => BalanceBasis::Booked,
            Basis::Effective => BalanceBasis::Effective,
        };
        let request = StatementRequest {
            account: Some(AccountRef {
                by: Some(By::Id(asked.account.clone())),
            }),
            basis: basis.into(),
            range: Some(TimeRange {
                from_at_us: asked.span.from.map_or(0, Timestamp::as_micros),
                until_at_us: asked.span.until.map_or(0, Timestamp::as_micros),
            }),
            after_height: 0,
            until_height: unsigned(asked.height),
            page: Some(Page { size: PAGE, token }),
        };
        let mut client = self.client.clone();
        let answer = as_self(asked.tenant, client.statement(request)).await?;
        Ok(answer.into_inner())
    }
}

// === impl Settlement ===

impl Settlement {
    /// Over a channel to settlement.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: SettlementServiceClient::new(channel),
        }
    }

    /// A page of a batch's positions behind `token`, and the token of the next one.
    ///
    /// # Errors
    /// As settlement says.
    pub(crate) async fn positions(
        &self,
        tenant: TenantId,
        batch: &str,
        token: String,
    ) -> Result<(Vec<WirePosition>, String), CallError> {
        let request = ListPositionsRequest {
            batch_id: batch.to_owned(),
            merchant_id: String::new(),
            page: Some(Page { size: PAGE, token }),
        };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.list_positions(request)).await?;
        let answer = answer.into_inner();
        let next = answer.page_info.unwrap_or_default().next_token;
        Ok((answer.positions, next))
    }
}

fn place_of(line: &TrialBalanceLine) -> (Place, Sums) {
    let place = Place {
        currency: line.currency.clone(),
        class: word(line.class().as_str_name(), "ACCOUNT_CLASS_"),
        purpose: word(line.purpose().as_str_name(), "ACCOUNT_PURPOSE_"),
    };
    let sums = Sums {
        debits_posted: line.debits_posted_minor,
        credits_posted: line.credits_posted_minor,
        debits_pending: line.debits_pending_minor,
        credits_pending: line.credits_pending_minor,
        accounts: signed(line.account_count),
    };
    (place, sums)
}

/// The call as this component itself.
async fn as_self<T>(
    tenant: TenantId,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, CallError> {
    let scope = Scope::new("").within(CALL_LIMIT);
    let principal = Principal::component(tenant, SELF);
    Ok(scope.on_behalf_of(principal).run(call).await?)
}
