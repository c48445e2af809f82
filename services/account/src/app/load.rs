//! Loads what the commands of a batch may touch into a book, with one query for each kind of row.

use std::collections::{BTreeSet, HashMap, HashSet};

use paymesh_kernel::{Clock, Ids, id::TenantId};
use uuid::Uuid;

use super::command::{Command, Request};
use crate::{
    domain::{
        AccountId, AccountKey, Book, Kind, TransferId,
        chain::Head,
        transfer::{AccountRef, Asked, ClosedCredit, Given},
    },
    store::{StoreError, ledger::LedgerTx},
};

/// Which account a reference means. That never changes, so what is remembered is true; when there is too much of it, it is forgotten.
#[derive(Debug)]
pub(super) struct References {
    known: HashMap<Uuid, AccountId>,
    limit: usize,
}

/// What the commands of a batch name.
#[derive(Debug, Default)]
struct Wanted {
    transfers: BTreeSet<TransferId>,
    /// Those of them that may be ended.
    ended: HashSet<TransferId>,
    accounts: BTreeSet<AccountId>,
    references: HashSet<Uuid>,
    /// Whose closed periods are looked at.
    tenants: BTreeSet<TenantId>,
}

// === impl References ===

impl References {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            known: HashMap::new(),
            limit,
        }
    }

    pub(super) fn remember(&mut self, reference: Uuid, id: AccountId) {
        if self.known.len() >= self.limit {
            self.known.clear();
        }
        self.known.insert(reference, id);
    }
}

// === impl Wanted ===

impl Wanted {
    fn of(requests: &[Request]) -> Self {
        let mut wanted = Self::default();
        for request in requests {
            match &request.command {
                Command::Post { tenant, groups } => {
                    for asked in groups.iter().flatten() {
                        wanted.add_asked(*tenant, asked);
                    }
                }
                Command::Open(opening) => {
                    wanted.accounts.insert(opening.id);
                    wanted.add_key(&opening.key);
                }
                Command::Change { account, .. } => {
                    wanted.accounts.insert(*account);
                }
                Command::ClosePeriod(wish) => {
                    wanted.tenants.insert(wish.tenant);
                }
                Command::Expire(expiries) => {
                    for expiry in expiries {
                        wanted.transfers.insert(expiry.pending);
                        wanted.ended.insert(expiry.pending);
                    }
                }
            }
        }
        wanted
    }

    fn add_asked(&mut self, tenant: TenantId, asked: &Asked) {
        self.transfers.extend(asked.id);
        if let Given::Value(pending) = &asked.pending {
            self.transfers.insert(*pending);
            self.ended.insert(*pending);
        }
        for given in [&asked.debit, &asked.credit] {
            match given {
                Given::Value(AccountRef::Id(id)) => {
                    self.accounts.insert(*id);
                }
                Given::Value(AccountRef::Key(key)) => self.add_key(key),
                Given::Missing | Given::Malformed => {}
            }
        }
        if let (ClosedCredit::Suspense, Given::Value(currency)) =
            (asked.closed_credit, &asked.currency)
        {
            self.add_key(&Book::suspense_key(tenant, *currency));
        }
        // The moment of booking never lies in a closed period.
        if asked.effective_at.is_some() {
            self.tenants.insert(tenant);
        }
    }

    fn add_key(&mut self, key: &AccountKey) {
        self.references.insert(key.reference());
    }
}

/// Fills a book with what `requests` may touch.
pub(super) async fn load(
    tx: &LedgerTx,
    (head, clock, ids): (Head, &dyn Clock, &Ids),
    references: &mut References,
    requests: &[Request],
) -> Result<Book, StoreError> {
    let mut wanted = Wanted::of(requests);
    let mut book = Book::new(head, clock.now());
    load_transfers(tx, &mut book, &mut wanted).await?;
    load_references(tx, (&mut book, ids), references, &mut wanted).await?;
    let accounts: Vec<AccountId> = wanted.accounts.into_iter().collect();
    if !accounts.is_empty() {
        for account in tx.accounts(&accounts).await? {
            book.add_account(account);
        }
    }
    if !wanted.tenants.is_empty() {
        let tenants: Vec<TenantId> = wanted.tenants.into_iter().collect();
        for period in tx.periods(&tenants).await? {
            book.add_period(period);
        }
    }
    Ok(book)
}

/// Transfers that exist already, what became of those that are to end, and tombstones.
async fn load_transfers(
    tx: &LedgerTx,
    book: &mut Book,
    wanted: &mut Wanted,
) -> Result<(), StoreError> {
    if wanted.transfers.is_empty() {
        return Ok(());
    }
    let ids: Vec<TransferId> = wanted.transfers.iter().copied().collect();
    let mut pendings = Vec::new();
    for transfer in tx.transfers(&ids).await? {
        if transfer.kind == Kind::Pending && wanted.ended.contains(&transfer.id) {
            pendings.push(transfer.id);
            wanted.accounts.extend([transfer.debit, transfer.credit]);
        }
        wanted.transfers.remove(&transfer.id);
        book.add_transfer(transfer);
    }
    if !pendings.is_empty() {
        for pending in tx.pendings(&pendings).await? {
            book.add_pending(pending);
        }
    }
    let unknown: Vec<TransferId> = wanted.transfers.iter().copied().collect();
    if !unknown.is_empty() {
        for tombstone in tx.tombstones(&unknown).await? {
            book.add_tombstone(tombstone);
        }
    }
    Ok(())
}

/// The accounts that references mean; those that mean none yet get an id for the case that they are opened.
async fn load_references(
    tx: &LedgerTx,
    (book, ids): (&mut Book, &Ids),
    references: &mut References,
    wanted: &mut Wanted,
) -> Result<(), StoreError> {
    let known = |reference: &Uuid| !references.known.contains_key(reference);
    let unknown: Vec<Uuid> = wanted.references.iter().copied().filter(known).collect();
    if !unknown.is_empty() {
        for (reference, id) in tx.references(unknown).await? {
            references.remember(reference, id);
            wanted.accounts.insert(id);
        }
    }
    for reference in &wanted.references {
        match references.known.get(reference) {
            Some(id) => {
                wanted.accounts.insert(*id);
            }
            None => book.add_prospect(*reference, ids.next()),
        }
    }
    Ok(())
}
