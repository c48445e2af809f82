//! The gateway's own tables: reserved ids, and the feed of events.

pub(crate) mod feed;
pub(crate) mod migration;
pub(crate) mod reservation;

/// The gateway's part of its schema.
pub(crate) type Migrations = Vec<Box<dyn sea_orm_migration::MigrationTrait>>;
