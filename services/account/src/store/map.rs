//! Between rows and the domain.

use std::sync::Arc;

use paymesh_money::Currency;

use super::{
    StoreError,
    entity::{
        account, batch, entry, ledger_head, pending_transfer, period, tombstone, transfer,
        tree_node,
    },
};
use crate::domain::{
    Account, AccountKey, AccountState, Balance, Bounds, Code, Entry, Kind, Owner, OwnerKind,
    PendingState, Period, Purpose, Transfer,
    chain::{BatchHead, Head},
    transfer::{ClosedCredit, Metadata, Pending, Tombstone},
    tree::{Frontier, Hash, Node},
};

fn corrupt(what: &'static str) -> StoreError {
    StoreError::Corrupt { what }
}

pub(super) fn currency(code: &str) -> Result<Currency, StoreError> {
    code.parse().map_err(|_| corrupt("currency"))
}

pub(super) fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes.try_into().map_err(|_| corrupt("hash"))
}

// === accounts ===

pub(super) fn account(row: account::Model) -> Result<Account, StoreError> {
    let owner = Owner {
        kind: OwnerKind::from_word(&row.owner_kind).ok_or(corrupt("owner"))?,
        id: row.owner_id,
    };
    let purpose = Purpose::from_word(&row.purpose).ok_or(corrupt("purpose"))?;
    let ledger = currency(&row.currency)?;
    let key = AccountKey::restored(
        row.tenant_id,
        owner,
        (purpose, ledger),
        row.connector,
        row.reference,
    );
    Ok(Account {
        id: row.id,
        key: Arc::new(key),
        bounds: Bounds {
            debits_within_credits: row.debits_within_credits,
            credits_within_debits: row.credits_within_debits,
        },
        state: AccountState::from_word(&row.state).ok_or(corrupt("account state"))?,
        state_reason: row.state_reason.into(),
        balance: Balance {
            debits_pending: row.debits_pending_minor,
            debits_posted: row.debits_posted_minor,
            credits_pending: row.credits_pending_minor,
            credits_posted: row.credits_posted_minor,
        },
        version: row.version,
        entry_sequence: row.entry_sequence,
        event_sequence: row.event_sequence,
        opened_at: row.opened_at,
        updated_at: row.updated_at,
    })
}

pub(super) fn account_row(account: &Account) -> account::Model {
    let key = &account.key;
    account::Model {
        id: account.id,
        tenant_id: key.tenant(),
        owner_kind: key.owner().kind.as_str().to_owned(),
        owner_id: key.owner().id.clone(),
        purpose: key.purpose().as_str().to_owned(),
        currency: key.currency().code().to_owned(),
        connector: key.connector().to_owned(),
        reference: key.reference(),
        debits_within_credits: account.bounds.debits_within_credits,
        credits_within_debits: account.bounds.credits_within_debits,
        state: account.state.as_str().to_owned(),
        state_reason: account.state_reason.as_ref().to_owned(),
        debits_pending_minor: account.balance.debits_pending,
        debits_posted_minor: account.balance.debits_posted,
        credits_pending_minor: account.balance.credits_pending,
        credits_posted_minor: account.balance.credits_posted,
        version: account.version,
        entry_sequence: account.entry_sequence,
        event_sequence: account.event_sequence,
        opened_at: account.opened_at,
        updated_at: account.updated_at,
    }
}

// === transfers ===

pub(super) fn transfer(row: transfer::Model) -> Result<Transfer, StoreError> {
    Ok(Transfer {
        id: row.id,
        tenant: row.tenant_id,
        kind: Kind::from_word(&row.kind).ok_or(corrupt("kind"))?,
        debit: row.debit_account_id,
        credit: row.credit_account_id,
        redirected_from: row.redirected_from_id,
        amount: row.amount_minor,
        released: row.released_minor,
        currency: currency(&row.currency)?,
        pending: row.pending_id,
        code: Code::from_word(&row.code).ok_or(corrupt("code"))?,
        transaction: row.transaction_id,
        group: row.group_id,
        metadata: match row.metadata {
            None => Metadata::new(),
            Some(json) => serde_json::from_str(&json).map_err(|_| corrupt("label"))?,
        },
        closed_credit: ClosedCredit::from_word(&row.closed_credit).ok_or(corrupt("policy"))?,
        expires_at: row.expires_at,
        effective_at: row.effective_at,
        booked_at: row.booked_at,
        leaf_index: row.leaf_index,
        batch_height: row.batch_height,
    })
}

pub(super) fn transfer_row(transfer: &Transfer) -> transfer::Model {
    let metadata = (!transfer.metadata.is_empty()).then(|| {
        serde_json::to_string(&transfer.metadata).expect("a map of texts is a JSON object")
    });
    transfer::Model {
        id: transfer.id,
        tenant_id: transfer.tenant,
        kind: transfer.kind.as_str().to_owned(),
        debit_account_id: transfer.debit,
        credit_account_id: transfer.credit,
        redirected_from_id: transfer.redirected_from,
        amount_minor: transfer.amount,
        released_minor: transfer.released,
        currency: transfer.currency.code().to_owned(),
        pending_id: transfer.pending,
        code: transfer.code.as_str().to_owned(),
        transaction_id: transfer.transaction,
        group_id: transfer.group,
        metadata,
        closed_credit: transfer.closed_credit.as_str().to_owned(),
        expires_at: transfer.expires_at,
        effective_at: transfer.effective_at,
        booked_at: transfer.booked_at,
        leaf_index: transfer.leaf_index,
        batch_height: transfer.batch_height,
    }
}

pub(super) fn entry_row(entry: &Entry) -> entry::Model {
    let transfer = &entry.transfer;
    entry::Model {
        account_id: entry.account,
        batch_height: transfer.batch_height,
        sequence: entry.sequence,
        tenant_id: transfer.tenant,
        transfer_id: transfer.id,
        kind: transfer.kind.as_str().to_owned(),
        side: entry.side.as_str().to_owned(),
        amount_minor: transfer.amount,
        released_minor: transfer.released,
        currency: transfer.currency.code().to_owned(),
        code: transfer.code.as_str().to_owned(),
        transaction_id: transfer.transaction,
        counter_account_id: entry.counter_account(),
        debits_pending_minor: entry.balance.debits_pending,
        debits_posted_minor: entry.balance.debits_posted,
        credits_pending_minor: entry.balance.credits_pending,
        credits_posted_minor: entry.balance.credits_posted,
        account_version: entry.account_version,
        booked_at: transfer.booked_at,
        effective_at: transfer.effective_at,
    }
}

pub(super) fn pending(row: &pending_transfer::Model) -> Result<Pending, StoreError> {
    Ok(Pending {
        id: row.id,
        state: PendingState::from_word(&row.state).ok_or(corrupt("pending state"))?,
        expires_at: row.expires_at,
        resolved_by: row.resolved_by_id,
        version: row.version,
    })
}

pub(super) fn pending_row(pending: &Pending) -> pending_transfer::Model {
    pending_transfer::Model {
        id: pending.id,
        state: pending.state.as_str().to_owned(),
        expires_at: pending.expires_at,
        resolved_by_id: pending.resolved_by,
        version: pending.version,
    }
}

pub(super) const fn tombstone(row: &tombstone::Model) -> Tombstone {
    Tombstone {
        id: row.id,
        tenant: row.tenant_id,
        void: row.void_id,
        created_at: row.created_at,
    }
}

pub(super) const fn tombstone_row(tombstone: &Tombstone) -> tombstone::Model {
    tombstone::Model {
        id: tombstone.id,
        tenant_id: tombstone.tenant,
        void_id: tombstone.void,
        created_at: tombstone.created_at,
    }
}

// === periods ===

pub(super) fn period(row: period::Model) -> Result<Period, StoreError> {
    Ok(Period {
        id: row.id,
        tenant: row.tenant_id,
        sequence: row.sequence,
        currency: row.currency.as_deref().map(currency).transpose()?,
        until: row.until_at,
        batch_height: row.batch_height,
        closed_at: row.closed_at,
        closed_by: row.closed_by,
    })
}

pub(super) fn period_row(period: &Period) -> period::Model {
    period::Model {
        id: period.id,
        tenant_id: period.tenant,
        sequence: period.sequence,
        currency: period.currency.map(|currency| currency.code().to_owned()),
        until_at: period.until,
        batch_height: period.batch_height,
        closed_at: period.closed_at,
        closed_by: period.closed_by.clone(),
    }
}

// === chain ===

pub(super) fn head(row: &ledger_head::Model) -> Result<Head, StoreError> {
    Ok(Head {
        height: row.height,
        frontier: Frontier::restored(row.size, &row.frontier).map_err(|_| corrupt("frontier"))?,
        chain: hash(&row.chain_hash)?,
        committed_at: row.committed_at,
        version: row.version,
    })
}

pub(super) fn head_row(head: &Head, commit_id: uuid::Uuid) -> ledger_head::Model {
    ledger_head::Model {
        id: 1,
        height: head.height,
        size: head.frontier.size(),
        frontier: head.frontier.to_bytes(),
        chain_hash: head.chain.to_vec(),
        committed_at: head.committed_at,
        commit_id,
        version: head.version,
    }
}

pub(super) fn batch(row: &batch::Model) -> Result<BatchHead, StoreError> {
    Ok(BatchHead {
        height: row.height,
        size: row.size,
        root: hash(&row.root)?,
        previous: hash(&row.previous_hash)?,
        chain: hash(&row.chain_hash)?,
        committed_at: row.committed_at,
    })
}

pub(super) fn batch_row(head: &BatchHead) -> batch::Model {
    batch::Model {
        height: head.height,
        size: head.size,
        root: head.root.to_vec(),
        previous_hash: head.previous.to_vec(),
        chain_hash: head.chain.to_vec(),
        committed_at: head.committed_at,
    }
}

pub(super) fn node_row(node: &Node) -> tree_node::Model {
    tree_node::Model {
        level: i64::from(node.place.level),
        position: node.place.position,
        hash: node.hash.to_vec(),
    }
}
