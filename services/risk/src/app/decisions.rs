//! Reading decisions and alerts.

use paymesh_kernel::Principal;

use super::App;
use crate::{
    domain::{Alert, AlertKind, Assessment, DecisionId},
    error::Error,
    store::{self, Cut, Range, payments::Filter},
};

// === impl App ===

impl App {
    /// A decision with its features and rules.
    ///
    /// # Errors
    /// When there is none in the tenant.
    pub(crate) async fn explain(
        &self,
        principal: &Principal,
        id: DecisionId,
    ) -> Result<Assessment, Error> {
        let found = store::payments::find(self.database(), id).await?;
        found
            .filter(|assessment| assessment.tenant == principal.tenant)
            .ok_or(Error::DecisionNotFound)
    }

    /// Decisions, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn decisions(
        &self,
        principal: &Principal,
        filter: &Filter,
        cut: Cut,
    ) -> Result<Vec<Assessment>, Error> {
        Ok(store::payments::list(self.database(), principal.tenant, filter, cut).await?)
    }

    /// Alerts, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn alerts(
        &self,
        principal: &Principal,
        filter: (Option<AlertKind>, Range),
        cut: Cut,
    ) -> Result<Vec<Alert>, Error> {
        Ok(store::alerts::list(self.database(), principal.tenant, filter, cut).await?)
    }
}
