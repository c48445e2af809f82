//! Lists, newest first, in pages by creation time and id.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId, reexport::Uuid},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};

use super::{
    Store, StoreError, TOMBSTONE,
    entity::{attempt, dispute, operation, payment_method},
    rows,
};
use crate::domain::{
    AttemptId, AttemptState, Book, Dispute, DisputeState, MethodState, Operation, PaymentMethod,
    PaymentMethodId, TransactionId,
};

/// After which row a page begins, and how many rows it has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyset {
    /// The last row of the page before.
    pub(crate) after: Option<(Timestamp, Uuid)>,
    /// Rows wanted.
    pub(crate) size: u64,
}

/// Which attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct AttemptFilter {
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) payment_method: Option<PaymentMethodId>,
    pub(crate) state: Option<AttemptState>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// Only what these may see; none is all of the tenant.
    pub(crate) seen_by: Option<(Option<UserId>, Option<MerchantId>)>,
}

/// Which disputes.
#[derive(Clone, Debug, Default)]
pub(crate) struct DisputeFilter {
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) customer: Option<UserId>,
    pub(crate) state: Option<DisputeState>,
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// Only what these may see; none is all of the tenant.
    pub(crate) seen_by: Option<(Option<UserId>, Option<MerchantId>)>,
}

/// Which payment methods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodFilter {
    pub(crate) customer: UserId,
    pub(crate) state: Option<MethodState>,
    pub(crate) now: Timestamp,
}

// === impl Store ===

impl Store {
    pub(crate) async fn attempts(
        &self,
        tenant: TenantId,
        filter: &AttemptFilter,
        page: Keyset,
    ) -> Result<Vec<Book>, StoreError> {
        use attempt::Column;
        let mut condition = Condition::all()
            .add(Column::TenantId.eq(tenant))
            .add(Column::State.ne(TOMBSTONE))
            .add_option(filter.transaction.map(|id| Column::TransactionId.eq(id)))
            .add_option(
                filter
                    .payment_method
                    .map(|id| Column::PaymentMethodId.eq(id)),
            )
            .add_option(filter.state.map(|state| Column::State.eq(state.as_str())))
            .add_option(filter.from.map(|from| Column::CreatedAt.gte(from)))
            .add_option(filter.until.map(|until| Column::CreatedAt.lt(until)))
            .add_option(after(page, Column::CreatedAt, Column::Id));
        if let Some(who) = filter.seen_by {
            condition = condition.add(seen_by(who, Column::CustomerId, Column::MerchantId));
        }
        let rows = attempt::Entity::find()
            .filter(condition)
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(page.size)
            .all(self.database.reader())
            .await?;
        self.with_operations(rows).await
    }

    async fn with_operations(&self, rows: Vec<attempt::Model>) -> Result<Vec<Book>, StoreError> {
        let ids: Vec<AttemptId> = rows.iter().map(|row| row.id).collect();
        let operations = operation::Entity::find()
            .filter(operation::Column::AttemptId.is_in(ids))
            .order_by_asc(operation::Column::Position)
            .all(self.database.reader())
            .await?;
        let operations: Result<Vec<Operation>, StoreError> =
            operations.into_iter().map(rows::read_operation).collect();
        let operations = operations?;
        let book = |row: attempt::Model| {
            let of_this = operations.iter().filter(|one| one.attempt == row.id);
            Ok(Book {
                operations: of_this.cloned().collect(),
                attempt: rows::read_attempt(row)?,
                disputes: Vec::new(),
                told: Vec::new(),
            })
        };
        rows.into_iter().map(book).collect()
    }

    pub(crate) async fn disputes(
        &self,
        tenant: TenantId,
        filter: &DisputeFilter,
        page: Keyset,
    ) -> Result<Vec<Dispute>, StoreError> {
        use dispute::Column;
        let mut condition = Condition::all()
            .add(Column::TenantId.eq(tenant))
            .add_option(filter.transaction.map(|id| Column::TransactionId.eq(id)))
            .add_option(filter.customer.map(|id| Column::CustomerId.eq(id)))
            .add_option(filter.state.map(|state| Column::State.eq(state.as_str())))
            .add_option(filter.from.map(|from| Column::OpenedAt.gte(from)))
            .add_option(filter.until.map(|until| Column::OpenedAt.lt(until)))
            .add_option(after(page, Column::OpenedAt, Column::Id));
        if let Some(who) = filter.seen_by {
            condition = condition.add(seen_by(who, Column::CustomerId, Column::MerchantId));
        }
        let rows = dispute::Entity::find()
            .filter(condition)
            .order_by_desc(Column::OpenedAt)
            .order_by_desc(Column::Id)
            .limit(page.size)
            .all(self.database.reader())
            .await?;
        rows.into_iter().map(rows::read_dispute).collect()
    }

    pub(crate) async fn methods(
        &self,
        tenant: TenantId,
        filter: MethodFilter,
        page: Keyset,
    ) -> Result<Vec<PaymentMethod>, StoreError> {
        use payment_method::Column;
        let is_over = Column::ExpiresAt.lte(filter.now);
        let is_good = Condition::any()
            .add(Column::ExpiresAt.is_null())
            .add(Column::ExpiresAt.gt(filter.now));
        let state = filter.state.map(|state| match state {
            MethodState::Active => Condition::all()
                .add(Column::DetachedAt.is_null())
                .add(is_good),
            MethodState::Expired => Condition::all()
                .add(Column::DetachedAt.is_null())
                .add(is_over),
            MethodState::Detached => Condition::all().add(Column::DetachedAt.is_not_null()),
        });
        let rows = payment_method::Entity::find()
            .filter(
                Condition::all()
                    .add(Column::TenantId.eq(tenant))
                    .add(Column::CustomerId.eq(filter.customer))
                    .add_option(state)
                    .add_option(after(page, Column::CreatedAt, Column::Id)),
            )
            .order_by_desc(Column::CreatedAt)
            .order_by_desc(Column::Id)
            .limit(page.size)
            .all(self.database.reader())
            .await?;
        rows.into_iter().map(rows::read_method).collect()
    }
}

// === free functions ===

fn after<C: ColumnTrait>(page: Keyset, at: C, id: C) -> Option<Condition> {
    page.after.map(|(last_at, last_id)| {
        let same_moment = Condition::all().add(at.eq(last_at)).add(id.lt(last_id));
        Condition::any().add(at.lt(last_at)).add(same_moment)
    })
}

/// A customer sees its own, a merchant what was paid to it; nobody sees nothing.
fn seen_by<C: ColumnTrait>(
    (customer, merchant): (Option<UserId>, Option<MerchantId>),
    customer_id: C,
    merchant_id: C,
) -> Condition {
    Condition::any()
        .add(customer_id.eq(customer.map_or_else(Uuid::nil, |id| id.as_uuid())))
        .add(merchant_id.eq(merchant.map_or_else(Uuid::nil, |id| id.as_uuid())))
}
