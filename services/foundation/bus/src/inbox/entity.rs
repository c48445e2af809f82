//! Tables `inbox_cursors` and `inbox_waiting`.

/// The last event of an aggregate that a consumer applied.
pub(crate) mod cursor {
    use paymesh_kernel::Timestamp;
    use sea_orm::entity::prelude::*;

    /// A cursor.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inbox_cursors")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) aggregate_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) aggregate_type: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) queue: String,
        pub(crate) sequence: i64,
        pub(crate) updated_at: Timestamp,
        pub(crate) version: i64,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// An event that was delivered and not applied yet.
pub(crate) mod waiting {
    use paymesh_kernel::{Timestamp, id::EventId};
    use sea_orm::entity::prelude::*;

    /// Why it waits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
    pub(crate) enum State {
        /// An earlier event of its aggregate is missing or waits itself.
        #[sea_orm(string_value = "gap")]
        Gap,
        /// Its handler failed; it is tried again at `retry_at`.
        #[sea_orm(string_value = "retry")]
        Retry,
        /// Its handler refused it or failed too often; a person decides.
        #[sea_orm(string_value = "dead")]
        Dead,
        /// A person decided that it is passed over.
        #[sea_orm(string_value = "skip")]
        Skip,
    }

    /// A waiting event.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "inbox_waiting")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) aggregate_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) aggregate_type: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) queue: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) sequence: i64,
        pub(crate) event_id: EventId,
        pub(crate) state: State,
        pub(crate) attempts: i64,
        /// For `retry` and `skip`.
        pub(crate) retry_at: Option<Timestamp>,
        pub(crate) reason: String,
        pub(crate) since: Timestamp,
        /// The whole event, encoded.
        pub(crate) event: Vec<u8>,
    }

    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
