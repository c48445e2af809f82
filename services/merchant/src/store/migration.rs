//! The schema, on SQLite and PostgreSQL alike.

use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait, prelude::*};

/// Makes the tables.
#[derive(Debug)]
pub(crate) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "merchant_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(merchants()).await?;
        manager.create_table(terminals()).await?;
        for (table, columns) in [
            ("merchants", &["tenant_id", "id"][..]),
            ("merchants", &["next_wake_at"]),
            ("terminals", &["merchant_id", "id"]),
        ] {
            let mut index = Index::create();
            index
                .name(format!("{table}_{}_idx", columns.join("_")))
                .table(Alias::new(table));
            for column in columns {
                index.col(Alias::new(*column));
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// Says when the bank account was last changed (Y7).
#[derive(Debug)]
pub(crate) struct DestinationChanges;

impl MigrationName for DestinationChanges {
    fn name(&self) -> &'static str {
        "merchant_0002_destination_changes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DestinationChanges {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new(Alias::new("destination_changed_at"))
            .big_integer()
            .null()
            .to_owned();
        let table = Table::alter()
            .table(Alias::new("merchants"))
            .add_column(column)
            .to_owned();
        manager.alter_table(table).await
    }
}

fn merchants() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("merchants"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("name").text())
        .col(required("state").text())
        .col(required("country").text())
        .col(required("currency").text())
        .col(required("fee_bp").integer())
        .col(required("fee_fixed_minor").big_integer())
        .col(required("delay_days").integer())
        .col(required("negative_balance").text())
        .col(required("chargeback_fee_minor").big_integer())
        .col(required("reserve_bp").integer())
        .col(required("plan_version").big_integer())
        .col(required("pending_account_id").uuid())
        .col(required("available_account_id").uuid())
        .col(required("reserve_account_id").uuid())
        .col(ColumnDef::new(Alias::new("destination")).text().null())
        .col(
            ColumnDef::new(Alias::new("next_wake_at"))
                .big_integer()
                .null(),
        )
        .col(required("attempts").integer())
        .col(required("event_sequence").big_integer())
        .col(required("version").big_integer())
        .col(required("created_at").big_integer())
        .col(required("updated_at").big_integer())
        .to_owned()
}

fn terminals() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("terminals"))
        .col(required("id").uuid().primary_key())
        .col(required("tenant_id").uuid())
        .col(required("merchant_id").uuid())
        .col(required("name").text())
        .col(required("country").text())
        .col(required("state").text())
        .col(required("version").big_integer())
        .col(required("created_at").big_integer())
        .to_owned()
}

fn required(name: &'static str) -> ColumnDef {
    ColumnDef::new(Alias::new(name)).not_null().to_owned()
}
