//! The schema. Rows that are changed often leave room in their page and no index covers what changes, so that PostgreSQL updates them
//! in place; what is only appended to is filled.

use paymesh_kernel::Timestamp;
use sea_orm::{ConnectionTrait as _, DatabaseBackend, EntityTrait as _, IntoActiveModel as _};
use sea_orm_migration::prelude::*;
use uuid::Uuid;

use super::entity::ledger_head;
use crate::domain::chain::GENESIS;

/// Makes the tables of the ledger.
#[derive(Debug)]
pub(crate) struct Ledger;

impl MigrationName for Ledger {
    fn name(&self) -> &'static str {
        "account_0001_ledger"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Ledger {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let (bytes, roomy) = if manager.get_database_backend() == DatabaseBackend::Postgres {
            ("BYTEA", " WITH (fillfactor = 50)")
        } else {
            ("BLOB", "")
        };
        for table in [
            accounts(roomy),
            pending_transfers(roomy),
            head(bytes, roomy),
        ] {
            manager.get_connection().execute_unprepared(&table).await?;
        }
        for table in [TRANSFERS, ENTRIES, TOMBSTONES, PERIODS] {
            manager.get_connection().execute_unprepared(table).await?;
        }
        for table in [batches(bytes), tree_nodes(bytes)] {
            manager.get_connection().execute_unprepared(&table).await?;
        }
        for index in INDEXES {
            manager.get_connection().execute_unprepared(index).await?;
        }
        let genesis = ledger_head::Model {
            id: 1,
            height: 0,
            size: 0,
            frontier: Vec::new(),
            chain_hash: GENESIS.to_vec(),
            committed_at: Timestamp::EPOCH,
            commit_id: Uuid::nil(),
            version: 1,
        };
        ledger_head::Entity::insert(genesis.into_active_model())
            .exec_without_returning(manager.get_connection())
            .await?;
        Ok(())
    }
}

fn accounts(options: &str) -> String {
    format!(
        "CREATE TABLE accounts (id UUID NOT NULL PRIMARY KEY, tenant_id UUID NOT NULL, owner_kind TEXT NOT NULL, \
         owner_id TEXT NOT NULL, purpose TEXT NOT NULL, currency TEXT NOT NULL, connector TEXT NOT NULL, \
         reference UUID NOT NULL, debits_within_credits BOOLEAN NOT NULL, credits_within_debits BOOLEAN NOT NULL, \
         state TEXT NOT NULL, state_reason TEXT NOT NULL, \
         debits_pending_minor BIGINT NOT NULL, debits_posted_minor BIGINT NOT NULL, \
         credits_pending_minor BIGINT NOT NULL, credits_posted_minor BIGINT NOT NULL, \
         version BIGINT NOT NULL, entry_sequence BIGINT NOT NULL, event_sequence BIGINT NOT NULL, \
         opened_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, \
         CONSTRAINT accounts_reference_key UNIQUE (reference), \
         CONSTRAINT accounts_sums_check CHECK (debits_pending_minor >= 0 AND debits_posted_minor >= 0 \
         AND credits_pending_minor >= 0 AND credits_posted_minor >= 0)){options}"
    )
}

fn pending_transfers(options: &str) -> String {
    format!(
        "CREATE TABLE pending_transfers (id UUID NOT NULL PRIMARY KEY, state TEXT NOT NULL, expires_at BIGINT, \
         resolved_by_id UUID, version BIGINT NOT NULL){options}"
    )
}

fn head(bytes: &str, options: &str) -> String {
    format!(
        "CREATE TABLE ledger_head (id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1), height BIGINT NOT NULL, \
         size BIGINT NOT NULL, frontier {bytes} NOT NULL, chain_hash {bytes} NOT NULL, committed_at BIGINT NOT NULL, \
         commit_id UUID NOT NULL, version BIGINT NOT NULL){options}"
    )
}

fn batches(bytes: &str) -> String {
    format!(
        "CREATE TABLE batches (height BIGINT NOT NULL PRIMARY KEY CHECK (height > 0), size BIGINT NOT NULL, \
         root {bytes} NOT NULL, previous_hash {bytes} NOT NULL, chain_hash {bytes} NOT NULL, committed_at BIGINT NOT NULL, \
         CONSTRAINT batches_size_key UNIQUE (size), CONSTRAINT batches_committed_at_key UNIQUE (committed_at))"
    )
}

fn tree_nodes(bytes: &str) -> String {
    format!(
        "CREATE TABLE tree_nodes (level BIGINT NOT NULL, position BIGINT NOT NULL, hash {bytes} NOT NULL, \
         PRIMARY KEY (level, position))"
    )
}

const TRANSFERS: &str = "CREATE TABLE transfers (id UUID NOT NULL PRIMARY KEY, tenant_id UUID NOT NULL, kind TEXT NOT NULL, \
     debit_account_id UUID NOT NULL, credit_account_id UUID NOT NULL, redirected_from_id UUID, \
     amount_minor BIGINT NOT NULL CHECK (amount_minor > 0), released_minor BIGINT NOT NULL CHECK (released_minor >= 0), \
     currency TEXT NOT NULL, pending_id UUID, code TEXT NOT NULL, transaction_id UUID, group_id UUID NOT NULL, metadata TEXT, \
     closed_credit TEXT NOT NULL, expires_at BIGINT, effective_at BIGINT NOT NULL, booked_at BIGINT NOT NULL, \
     leaf_index BIGINT NOT NULL, batch_height BIGINT NOT NULL, \
     CONSTRAINT transfers_leaf_index_key UNIQUE (leaf_index), \
     CONSTRAINT transfers_accounts_check CHECK (debit_account_id <> credit_account_id))";

const ENTRIES: &str = "CREATE TABLE entries (account_id UUID NOT NULL, batch_height BIGINT NOT NULL, sequence BIGINT NOT NULL, \
     tenant_id UUID NOT NULL, transfer_id UUID NOT NULL, kind TEXT NOT NULL, side TEXT NOT NULL, amount_minor BIGINT NOT NULL, \
     released_minor BIGINT NOT NULL, currency TEXT NOT NULL, code TEXT NOT NULL, transaction_id UUID, \
     counter_account_id UUID NOT NULL, debits_pending_minor BIGINT NOT NULL, debits_posted_minor BIGINT NOT NULL, \
     credits_pending_minor BIGINT NOT NULL, credits_posted_minor BIGINT NOT NULL, account_version BIGINT NOT NULL, \
     booked_at BIGINT NOT NULL, effective_at BIGINT NOT NULL, PRIMARY KEY (account_id, batch_height, sequence))";

const TOMBSTONES: &str = "CREATE TABLE tombstones (id UUID NOT NULL, tenant_id UUID NOT NULL, void_id UUID NOT NULL, \
     created_at BIGINT NOT NULL, PRIMARY KEY (id, tenant_id))";

const PERIODS: &str = "CREATE TABLE periods (id UUID NOT NULL PRIMARY KEY, tenant_id UUID NOT NULL, sequence BIGINT NOT NULL, \
     currency TEXT, until_at BIGINT NOT NULL, batch_height BIGINT NOT NULL, closed_at BIGINT NOT NULL, closed_by TEXT NOT NULL, \
     CONSTRAINT periods_tenant_id_sequence_key UNIQUE (tenant_id, sequence))";

const INDEXES: [&str; 6] = [
    "CREATE INDEX accounts_tenant_id_idx ON accounts (tenant_id, id)",
    "CREATE INDEX accounts_owner_id_idx ON accounts (tenant_id, owner_id, id)",
    "CREATE INDEX transfers_transaction_id_idx ON transfers (transaction_id, leaf_index) WHERE transaction_id IS NOT NULL",
    // Most entries are effective when they are booked; the others are looked for by their value date.
    "CREATE INDEX entries_effective_at_idx ON entries (account_id, effective_at) WHERE effective_at <> booked_at",
    "CREATE INDEX pending_transfers_expires_at_idx ON pending_transfers (expires_at) \
     WHERE state = 'pending' AND expires_at IS NOT NULL",
    "CREATE INDEX tombstones_void_id_idx ON tombstones (void_id)",
];
