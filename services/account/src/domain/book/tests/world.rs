//! A ledger in memory: loads all of itself into a book and keeps what the batch says.

use std::{collections::BTreeMap, time::Duration};

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use paymesh_money::Currency;
use uuid::Uuid;

use crate::domain::{
    Account, AccountId, AccountKey, Batch, Book, Code, Kind, Owner, OwnerKind, Period, Purpose,
    Transfer, TransferId,
    book::{GroupResult, Opened, Opening, ResultCode, TransferResult},
    chain::{GENESIS, Head},
    transfer::{AccountRef, Asked, ClosedCredit, Given, Metadata, Pending, Tombstone},
    tree::Frontier,
};

pub(super) const START: Timestamp = Timestamp::from_micros(1_768_478_400_000_000);

/// Everything that a database would hold.
pub(super) struct World {
    pub(super) head: Head,
    pub(super) now: Timestamp,
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) transfers: BTreeMap<TransferId, Transfer>,
    pub(super) pendings: BTreeMap<TransferId, Pending>,
    pub(super) tombstones: Vec<Tombstone>,
    pub(super) periods: Vec<Period>,
    next_id: u128,
}

pub(super) fn tenant() -> TenantId {
    TenantId::from(Uuid::from_u128(1))
}

pub(super) fn xfer(n: u128) -> TransferId {
    TransferId::from(Uuid::from_u128(n))
}

pub(super) fn system(purpose: Purpose, currency: Currency) -> AccountKey {
    AccountKey::try_new(tenant(), None, purpose, currency, "").unwrap()
}

pub(super) fn customer(n: u128, currency: Currency) -> AccountKey {
    let owner = Owner {
        kind: OwnerKind::User,
        id: UserId::from(Uuid::from_u128(n)).to_string(),
    };
    AccountKey::try_new(
        tenant(),
        Some(owner),
        Purpose::CustomerBalance,
        currency,
        "",
    )
    .unwrap()
}

pub(super) fn merchant(n: u128, purpose: Purpose) -> AccountKey {
    let owner = Owner {
        kind: OwnerKind::Merchant,
        id: MerchantId::from(Uuid::from_u128(n)).to_string(),
    };
    AccountKey::try_new(tenant(), Some(owner), purpose, Currency::USD, "").unwrap()
}

pub(super) fn by_key(key: &AccountKey) -> Given<AccountRef> {
    Given::Value(AccountRef::Key(key.clone()))
}

pub(super) fn by_id(id: AccountId) -> Given<AccountRef> {
    Given::Value(AccountRef::Id(id))
}

/// A plain transfer of a small amount from bank cash to clearing, to be changed as a test needs.
pub(super) fn asked(id: u128, kind: Kind) -> Asked {
    let ends = kind.ends_pending();
    let given = |purpose| by_key(&system(purpose, Currency::USD));
    Asked {
        id: Some(xfer(id)),
        kind: Given::Value(kind),
        debit: if ends {
            Given::Missing
        } else {
            given(Purpose::BankCash)
        },
        credit: if ends {
            Given::Missing
        } else {
            given(Purpose::Clearing)
        },
        amount: (!ends).then_some(100),
        currency: if ends {
            Given::Missing
        } else {
            Given::Value(Currency::USD)
        },
        pending: Given::Missing,
        code: if ends {
            Given::Missing
        } else {
            Given::Value(Code::Adjustment)
        },
        expires_at: None,
        effective_at: None,
        transaction: None,
        metadata: Metadata::new(),
        closed_credit: ClosedCredit::Refuse,
    }
}

pub(super) fn ending(id: u128, kind: Kind, pending: u128) -> Asked {
    Asked {
        pending: Given::Value(xfer(pending)),
        ..asked(id, kind)
    }
}

pub(super) fn between(id: u128, debit: AccountId, credit: AccountId, amount: i64) -> Asked {
    Asked {
        debit: by_id(debit),
        credit: by_id(credit),
        amount: Some(amount),
        ..asked(id, Kind::Single)
    }
}

pub(super) fn codes(result: &GroupResult) -> Vec<ResultCode> {
    result.transfers.iter().map(|t| t.code).collect()
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            head: Head {
                height: 0,
                frontier: Frontier::default(),
                chain: GENESIS,
                committed_at: Timestamp::EPOCH,
                version: 1,
            },
            now: START,
            accounts: BTreeMap::new(),
            transfers: BTreeMap::new(),
            pendings: BTreeMap::new(),
            tombstones: Vec::new(),
            periods: Vec::new(),
            next_id: 1_000_000,
        }
    }

    pub(super) fn advance(&mut self, by: Duration) {
        self.now = self.now.plus(by);
    }

    pub(super) fn new_id<I: From<Uuid>>(&mut self) -> I {
        self.next_id += 1;
        Uuid::from_u128(self.next_id).into()
    }

    /// A book with everything in it, and an id for each account that one of `keys` may open.
    pub(super) fn book(&mut self, keys: &[AccountKey]) -> Book {
        let mut book = Book::new(self.head.clone(), self.now);
        self.accounts
            .values()
            .cloned()
            .for_each(|a| book.add_account(a));
        self.transfers
            .values()
            .cloned()
            .for_each(|t| book.add_transfer(t));
        self.pendings
            .values()
            .copied()
            .for_each(|p| book.add_pending(p));
        self.tombstones
            .iter()
            .copied()
            .for_each(|t| book.add_tombstone(t));
        self.periods
            .iter()
            .cloned()
            .for_each(|p| book.add_period(p));
        for key in keys {
            if self.accounts.values().all(|account| *account.key != *key) {
                book.add_prospect(key.reference(), self.new_id());
            }
        }
        book
    }

    /// Keeps what a batch says, as a database would.
    pub(super) fn keep(&mut self, batch: Batch) -> Batch {
        for account in &batch.opened {
            assert!(self.accounts.insert(account.id, account.clone()).is_none());
        }
        for account in &batch.changed {
            let old = self.accounts.insert(account.id, account.clone()).unwrap();
            assert_eq!(old.version + 1, account.version);
        }
        for transfer in &batch.transfers {
            let old = self.transfers.insert(transfer.id, (**transfer).clone());
            assert!(old.is_none(), "A4: a transfer is booked once");
        }
        for pending in &batch.reserved {
            assert!(self.pendings.insert(pending.id, *pending).is_none());
        }
        for pending in &batch.resolved {
            let old = self.pendings.insert(pending.id, *pending).unwrap();
            assert_eq!(old.version + 1, pending.version);
        }
        self.tombstones.extend(&batch.tombstones);
        self.periods.extend(batch.periods.iter().cloned());
        self.head = batch.head.clone();
        batch
    }

    /// Posts groups as one call in a batch of its own.
    pub(super) fn post(&mut self, groups: &[Vec<Asked>]) -> (Vec<GroupResult>, Batch) {
        let keys = keys_of(groups);
        let mut book = self.book(&keys);
        let results = book.post_groups(tenant(), groups, 0);
        (results, self.keep(book.seal()))
    }

    /// Posts one transfer.
    pub(super) fn one(&mut self, asked: Asked) -> TransferResult {
        let (mut results, _) = self.post(&[vec![asked]]);
        results.remove(0).transfers.remove(0)
    }

    pub(super) fn open(&mut self, key: AccountKey) -> AccountId {
        let opening = Opening {
            id: self.new_id(),
            key,
            bounds: None,
        };
        let mut book = self.book(&[]);
        let Opened::New(account) = book.open(&opening, 0) else {
            panic!("a new account")
        };
        self.keep(book.seal());
        account.id
    }

    /// Opens a customer's account with money in it.
    pub(super) fn funded(&mut self, n: u128, amount: i64) -> AccountId {
        let id = self.open(customer(n, Currency::USD));
        let transfer: TransferId = self.new_id();
        let top_up = Asked {
            id: Some(transfer),
            credit: by_id(id),
            amount: Some(amount),
            code: Given::Value(Code::TopUp),
            ..asked(0, Kind::Single)
        };
        assert_eq!(self.one(top_up).code, ResultCode::Applied);
        id
    }

    pub(super) fn sums(&self, id: AccountId) -> [i64; 4] {
        let b = self.accounts[&id].balance;
        [
            b.debits_pending,
            b.debits_posted,
            b.credits_pending,
            b.credits_posted,
        ]
    }

    pub(super) fn id_of(&self, key: &AccountKey) -> AccountId {
        let found = self.accounts.values().find(|account| *account.key == *key);
        found.unwrap().id
    }

    /// A1, A2 and A3 over the whole ledger.
    pub(super) fn assert_sound(&self) {
        let mut sums: BTreeMap<&str, [i128; 2]> = BTreeMap::new();
        for account in self.accounts.values() {
            let b = account.balance;
            assert!(b.is_sound(), "A2");
            let ledger = sums.entry(account.key.currency().code()).or_default();
            ledger[0] += i128::from(b.debits_posted) - i128::from(b.credits_posted);
            ledger[1] += i128::from(b.debits_pending) - i128::from(b.credits_pending);
        }
        for (currency, sum) in sums {
            assert_eq!(sum, [0, 0], "A1 in {currency}");
        }
        assert_eq!(
            self.head.frontier.size(),
            i64::try_from(self.transfers.len()).unwrap()
        );
    }
}

fn keys_of(groups: &[Vec<Asked>]) -> Vec<AccountKey> {
    let mut keys: Vec<AccountKey> = groups
        .iter()
        .flatten()
        .flat_map(|asked| [&asked.debit, &asked.credit])
        .filter_map(|given| match given {
            Given::Value(AccountRef::Key(key)) => Some(key.clone()),
            Given::Value(AccountRef::Id(_)) | Given::Missing | Given::Malformed => None,
        })
        .collect();
    keys.push(system(Purpose::Suspense, Currency::USD));
    keys.dedup();
    keys
}
