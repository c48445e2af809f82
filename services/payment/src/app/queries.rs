//! Reads.

use paymesh_kernel::{Principal, id::UserId};

use super::{App, access};
use crate::{
    domain::{AttemptId, Book, Dispute, MethodState, PaymentMethod},
    error::Error,
    store::{AttemptFilter, DisputeFilter, Keyset, MethodFilter},
};

// === impl App ===

impl App {
    pub(crate) async fn attempt(
        &self,
        principal: &Principal,
        id: AttemptId,
    ) -> Result<Book, Error> {
        self.visible(principal, id).await
    }

    pub(crate) async fn attempts(
        &self,
        principal: &Principal,
        mut filter: AttemptFilter,
        page: Keyset,
    ) -> Result<Vec<Book>, Error> {
        filter.seen_by = access::seen_by(principal);
        Ok(self
            .store()
            .attempts(principal.tenant, &filter, page)
            .await?)
    }

    pub(crate) async fn disputes(
        &self,
        principal: &Principal,
        mut filter: DisputeFilter,
        page: Keyset,
    ) -> Result<Vec<Dispute>, Error> {
        filter.seen_by = access::seen_by(principal);
        Ok(self
            .store()
            .disputes(principal.tenant, &filter, page)
            .await?)
    }

    /// Methods of somebody whom the principal may not see are none.
    pub(crate) async fn methods(
        &self,
        principal: &Principal,
        (customer, state): (UserId, Option<MethodState>),
        page: Keyset,
    ) -> Result<Vec<PaymentMethod>, Error> {
        if !access::acts_for(principal, customer) {
            return Ok(Vec::new());
        }
        let filter = MethodFilter {
            customer,
            state,
            now: self.now(),
        };
        Ok(self.store().methods(principal.tenant, filter, page).await?)
    }
}
