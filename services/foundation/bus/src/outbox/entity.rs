//! Table `outbox`, with the columns that Debezium's outbox event router expects (`id`, `aggregatetype`, `aggregateid`, `type`,
//! `payload`) and the rest of the envelope.
//!
//! The database numbers the rows in a further column, `position`. Of two events of one aggregate the later one is inserted after
//! the earlier one was committed, so positions order the events of an aggregate; between aggregates they say nothing, because a
//! lower position may be committed later.

use paymesh_kernel::{
    Timestamp,
    id::{EventId, TenantId},
};
use sea_orm::entity::prelude::*;

/// A fact that waits to be published.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// The event's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// What the aggregate is.
    #[sea_orm(column_name = "aggregatetype")]
    pub aggregate_type: String,
    /// Which one it is.
    #[sea_orm(column_name = "aggregateid")]
    pub aggregate_id: Uuid,
    /// The routing key.
    #[sea_orm(column_name = "type")]
    pub kind: String,
    /// The place among the events of the aggregate.
    pub sequence: i64,
    /// Whose fact it is.
    pub tenant_id: Option<TenantId>,
    /// What led to it.
    pub causation_id: String,
    /// What all began with.
    pub correlation_id: String,
    /// Clock time, in microseconds since the epoch.
    pub occurred_at: Timestamp,
    /// Business time, in microseconds since the epoch.
    pub business_at: Timestamp,
    /// Trace context of the publisher.
    pub traceparent: Option<String>,
    /// Which leaseholder publishes it.
    pub shard: i16,
    /// The encoded message.
    pub payload: Vec<u8>,
}

/// None: rows stand alone.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The same table by its position, to take sent rows away.
pub(crate) mod sent {
    use sea_orm::entity::prelude::*;

    /// A row that was published.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) position: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `outbox_blocked`: aggregates whose next event the broker refused.
pub(crate) mod blocked {
    use paymesh_kernel::{Timestamp, id::EventId};
    use sea_orm::entity::prelude::*;

    /// An aggregate that is held up.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "outbox_blocked")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) aggregate_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) aggregate_type: String,
        pub(crate) event_id: EventId,
        pub(crate) failures: i64,
        pub(crate) reason: String,
        pub(crate) blocked_at: Timestamp,
        pub(crate) retry_at: Timestamp,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
