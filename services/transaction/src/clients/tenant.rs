//! Calls to user: what a tenant is.

use std::sync::Arc;

use paymesh_kernel::{Clock, id::TenantId};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::user::v1::{
    GetTenantRequest, TenantMode, user_service_client::UserServiceClient,
};

use super::cache::{Cache, Limits};

/// Tenants.
#[derive(Clone, Debug)]
pub(crate) struct Tenants {
    channel: Channel,
    modes: Cache<TenantId, Mode>,
}

/// What a tenant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Real money.
    Live,
    /// Simulated providers; may send business times.
    Sandbox,
}

// === impl Tenants ===

impl Tenants {
    pub(super) fn new(channel: Channel, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            channel,
            modes: Cache::new(limits, clock),
        }
    }

    /// What the tenant is for.
    ///
    /// # Errors
    /// When user does not answer.
    pub(crate) async fn mode(&self, tenant: TenantId) -> Result<Mode, CallError> {
        if let Some(mode) = self.modes.get(&tenant) {
            return Ok(mode);
        }
        let request = GetTenantRequest {
            tenant_id: tenant.to_string(),
        };
        let mut client = UserServiceClient::new(self.channel.clone());
        let answer = client.get_tenant(request).await?.into_inner();
        let is_sandbox = answer
            .tenant
            .is_some_and(|tenant| tenant.mode() == TenantMode::Sandbox);
        let mode = if is_sandbox {
            Mode::Sandbox
        } else {
            Mode::Live
        };
        self.modes.put(tenant, mode);
        Ok(mode)
    }
}
