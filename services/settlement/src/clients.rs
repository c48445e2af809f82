//! Calls to other components, made as this component itself: the ledger, merchants, transactions.

pub(crate) mod ledger;
pub(crate) mod merchants;
pub(crate) mod transactions;

use std::time::Duration;

use paymesh_kernel::{
    Principal, Timestamp,
    call::{self, Scope},
    id::TenantId,
};
use paymesh_mesh::CallError;
use paymesh_money::Money;
use paymesh_proto::types::v1 as types;
use tonic::{Response, Status};

pub(crate) use ledger::Ledger;
pub(crate) use merchants::Merchants;
pub(crate) use transactions::Transactions;

/// Our own name, in the principal that we act as.
const SELF: &str = "settlement";
/// A call made outside of any other ends after this time.
const CALL_LIMIT: Duration = Duration::from_secs(10);

/// The call as this component itself, with what is left of the present deadline.
async fn as_self<T>(
    tenant: TenantId,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, CallError> {
    let scope = call::current().unwrap_or_else(|| Scope::new("").within(CALL_LIMIT));
    let principal = Principal::component(tenant, SELF);
    let answer = scope.on_behalf_of(principal).run(call).await?;
    Ok(answer.into_inner())
}

fn not_understood() -> CallError {
    Status::internal("the answer is not as the contract says").into()
}

pub(crate) fn to_money(money: Money) -> types::Money {
    types::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}

pub(crate) fn money(of: Option<&types::Money>) -> Option<Money> {
    let of = of?;
    Some(Money::new(of.minor, of.currency.parse().ok()?))
}

/// Microseconds; 0 is none.
pub(crate) fn moment(micros: i64) -> Option<Timestamp> {
    (micros != 0).then(|| Timestamp::from_micros(micros))
}
