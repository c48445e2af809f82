//! Calls to other components: proto in, domain types out.
//!
//! A saga acts for the tenant, so its calls go out as this component, each with a deadline of its own.

pub(crate) mod account;
pub(crate) mod cache;
pub(crate) mod currency;
pub(crate) mod merchant;
pub(crate) mod payment;
pub(crate) mod risk;
pub(crate) mod tenant;
pub(crate) mod wire;

use std::{future::Future, sync::Arc, time::Duration};

use paymesh_chassis::{Host, InitError};
use paymesh_kernel::{Clock, ErrorKind, Fault as _, Outcome, Principal, call::Scope, id::TenantId};
use paymesh_mesh::CallError;

use crate::{
    config::Config,
    domain::answer::{Answer, Effect, Failure},
};

/// Reasons of the mesh whose kinds callees use as well.
const OF_THE_MESH: [&str; 2] = ["METHOD_UNKNOWN", "REQUEST_TOO_LARGE"];

/// Who is asked, and on whose behalf.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Whose objects.
    pub(crate) tenant: TenantId,
    /// Found in every log line.
    pub(crate) request_id: Arc<str>,
}

/// The components that are called.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    pub(crate) account: account::Accounts,
    pub(crate) payment: payment::Payments,
    pub(crate) risk: risk::Risk,
    pub(crate) currency: currency::Currencies,
    pub(crate) merchant: merchant::Merchants,
    pub(crate) tenant: tenant::Tenants,
    timeout: Duration,
}

// === impl Clients ===

impl Clients {
    /// Clients over the mesh; nobody is called yet.
    ///
    /// # Errors
    /// When nobody knows where a callee is.
    pub(crate) fn try_new(config: &Config, host: &Host) -> Result<Self, InitError> {
        let clock: Arc<dyn Clock> = Arc::clone(&host.platform.clock);
        let limits = cache::Limits {
            entries: config.cache_entries,
            age: Duration::from_millis(config.cache_age_ms),
        };
        Ok(Self {
            account: account::Accounts::new(host.channel("account")?, limits, Arc::clone(&clock)),
            payment: payment::Payments::new(host.channel("payment")?, limits, Arc::clone(&clock)),
            risk: risk::Risk::new(host.channel("risk")?),
            currency: currency::Currencies::new(host.channel("currency")?),
            merchant: merchant::Merchants::new(
                host.channel("merchant")?,
                limits,
                Arc::clone(&clock),
            ),
            tenant: tenant::Tenants::new(host.channel("user")?, limits, clock),
            timeout: config.call_timeout(),
        })
    }

    /// Runs calls as this component, for a tenant.
    pub(crate) async fn act<F: Future>(&self, origin: &Origin, calls: F) -> F::Output {
        Scope::new(Arc::clone(&origin.request_id))
            .within(self.timeout)
            .on_behalf_of(Principal::component(origin.tenant, "transaction"))
            .run(calls)
            .await
    }
}

/// A call that failed, as a saga sees it.
pub(crate) fn failure(error: &CallError) -> Answer {
    let effect = match error.outcome() {
        Outcome::NotProcessed => Effect::None,
        Outcome::Unknown => Effect::Unknown,
    };
    Answer::Failed(Failure {
        effect,
        reason: error.reason_text().to_owned(),
        again_at: None,
    })
}

/// True when the callee itself has decided: the same call would be refused again. What the mesh refuses before the callee sees it,
/// and what a callee does not let this component do, says nothing of the payment: the installation is at fault, and until somebody
/// has mended it the callee counts as away.
pub(crate) fn is_refusal(error: &CallError) -> bool {
    let may_decide = match error.kind() {
        ErrorKind::InvalidArgument
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::FailedPrecondition => true,
        ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied
        | ErrorKind::Aborted
        | ErrorKind::ResourceExhausted
        | ErrorKind::Unavailable
        | ErrorKind::DeadlineExceeded
        | ErrorKind::Internal => false,
    };
    may_decide && !is_of_the_mesh(error) && error.outcome() == Outcome::NotProcessed
}

/// True when there is no such object.
pub(crate) fn is_not_found(error: &CallError) -> bool {
    error.kind() == ErrorKind::NotFound && !is_of_the_mesh(error)
}

/// True when the callee has not seen the call, whatever the kind of the error.
fn is_of_the_mesh(error: &CallError) -> bool {
    OF_THE_MESH.contains(&error.reason_text())
}

#[cfg(test)]
mod tests;
