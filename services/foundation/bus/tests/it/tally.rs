//! A consumer whose effect shows every mistake: it adds up, so a second time counts, and it remembers the order.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use paymesh_bus::{Event, HandleError, Handler};
use paymesh_kernel::{ChangeSet, Database, id::EventId};
use sea_orm::{ConnectionTrait as _, entity::prelude::*};

/// What was applied of one aggregate.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tallies")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub total: i64,
    pub applied: String,
    pub version: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn create_table(database: &Database) {
    let sql = "CREATE TABLE IF NOT EXISTS tallies (id UUID PRIMARY KEY, total BIGINT NOT NULL, applied TEXT NOT NULL, \
               version BIGINT NOT NULL)";
    database.writer().execute_unprepared(sql).await.unwrap();
}

/// What the handler is told to do with chosen events, once each time it sees them.
#[derive(Clone, Debug)]
pub(crate) enum Prank {
    Retry,
    Reject,
    Panic,
}

/// Adds the first byte of each payload to the tally of the event's aggregate, or of the row that all share.
#[derive(Clone)]
pub(crate) struct Tally {
    pub(crate) database: Database,
    pub(crate) pranks: Arc<Mutex<HashMap<EventId, Vec<Prank>>>>,
    /// Set when all aggregates meet in one row.
    pub(crate) shared: Option<Uuid>,
}

impl Tally {
    pub(crate) fn new(database: Database) -> Self {
        Self {
            database,
            pranks: Arc::default(),
            shared: None,
        }
    }

    pub(crate) fn play(&self, event: &Event, pranks: &[Prank]) {
        let pranks = pranks.iter().rev().cloned().collect();
        self.pranks.lock().unwrap().insert(event.id, pranks);
    }
}

impl Handler for Tally {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        let prank = self
            .pranks
            .lock()
            .unwrap()
            .get_mut(&event.id)
            .and_then(Vec::pop);
        match prank {
            Some(Prank::Retry) => return Err(HandleError::retry("not now")),
            Some(Prank::Reject) => return Err(HandleError::reject("never")),
            Some(Prank::Panic) => panic!("on purpose"),
            None => {}
        }
        let id = self.shared.unwrap_or(event.aggregate_id);
        let stored = Entity::find_by_id(id).one(self.database.reader()).await;
        let stored = stored.map_err(HandleError::retry)?;
        let amount = i64::from(event.payload[0]);
        match stored {
            None => changes.insert(&Model {
                id,
                total: amount,
                applied: event.sequence.to_string(),
                version: 1,
            }),
            Some(old) => changes.update(&Model {
                id,
                total: old.total + amount,
                applied: format!("{} {}", old.applied, event.sequence),
                version: old.version + 1,
            }),
        }
        Ok(())
    }

    fn lane(&self, event: &Event) -> Uuid {
        self.shared.unwrap_or(event.aggregate_id)
    }
}
