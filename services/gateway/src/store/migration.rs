//! The schema.

use paymesh_kernel::database::Backend;
use sea_orm_migration::prelude::*;

/// In order.
pub(crate) fn all() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(Tables), Box::new(Holders)]
}

/// Makes both tables.
#[derive(Debug)]
struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "gateway_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = |name: &'static str| ColumnDef::new(Alias::new(name)).not_null().to_owned();
        let reservations = Table::create()
            .table(Alias::new("reservations"))
            .col(column("id").uuid().primary_key())
            .col(column("fingerprint").uuid())
            .col(column("object_id").uuid())
            .col(column("created_at").big_integer())
            .to_owned();
        manager.create_table(reservations).await?;
        let index = Index::create()
            .name("reservations_created_at_idx")
            .table(Alias::new("reservations"))
            .col(Alias::new("created_at"))
            .to_owned();
        manager.create_index(index).await?;
        let backend = if manager.get_database_backend() == sea_orm::DatabaseBackend::Postgres {
            Backend::Postgres
        } else {
            Backend::Sqlite
        };
        for statement in super::feed::schema(backend) {
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await?;
        }
        Ok(())
    }
}

/// Counts who uses a reserved id. Rows from before may be in use.
#[derive(Debug)]
struct Holders;

impl MigrationName for Holders {
    fn name(&self) -> &'static str {
        "gateway_0002_holders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Holders {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["holders", "version"] {
            manager
                .get_connection()
                .execute_unprepared(&format!(
                    "ALTER TABLE reservations ADD COLUMN {column} BIGINT NOT NULL DEFAULT 1"
                ))
                .await?;
        }
        Ok(())
    }
}
