//! A table to write to: one with a unique index, NULLs and a version.

use paymesh_kernel::{Database, Ids};
use sea_orm::{ConnectionTrait as _, entity::prelude::*};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "books")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub isbn: String,
    pub note: Option<String>,
    pub cover: Option<Vec<u8>>,
    pub sold: i64,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn new(ids: &Ids, isbn: &str) -> Self {
        Self {
            id: ids.next(),
            isbn: isbn.to_owned(),
            note: None,
            cover: None,
            sold: 0,
            version: 1,
        }
    }
}

pub(crate) async fn create_table(database: &Database) {
    let sql = "CREATE TABLE books (id UUID PRIMARY KEY, isbn TEXT NOT NULL, note TEXT, cover BYTEA, \
               sold BIGINT NOT NULL CHECK (sold >= 0), version BIGINT NOT NULL, \
               CONSTRAINT books_isbn_key UNIQUE (isbn))";
    database.writer().execute_unprepared(sql).await.unwrap();
}
