//! Facts as other components publish them.

use paymesh_kernel::id::encode;
use paymesh_proto::{
    account::v1::{AccountClass, AccountCreated, AccountPurpose, Balance, BalanceUpdated},
    transaction::v1::{
        TransactionCaptured, TransactionCompleted, TransactionFailed, TransactionKind,
        TransactionSnapshot, TransactionStatus,
    },
    types::v1::DeclineReason,
};
use uuid::Uuid;

use crate::{
    books::Account,
    world::{World, money},
};

/// A purchase of a merchant on a moment of business time.
pub(crate) struct Sale {
    pub(crate) merchant: &'static str,
    pub(crate) amount: (i64, &'static str),
    pub(crate) business_at_us: i64,
}

pub(crate) const SHOP: &str = "mrc_01h455vb4pex5vsknk084sn02q";
pub(crate) const CAFE: &str = "mrc_01h455vb4pex5vsknk084sn03q";

impl World {
    pub(crate) fn snapshot(&self, id: Uuid, sale: &Sale) -> TransactionSnapshot {
        TransactionSnapshot {
            transaction_id: encode("txn", id),
            kind: TransactionKind::Purchase.into(),
            status: TransactionStatus::Initiated.into(),
            amount: money(sale.amount.0, sale.amount.1),
            merchant_id: sale.merchant.to_owned(),
            purpose: "=order".to_owned(),
            country: "DE".to_owned(),
            risk_score: 12,
            business_at_us: sale.business_at_us,
            created_at_us: self.now_us(),
            updated_at_us: self.now_us(),
            ..TransactionSnapshot::default()
        }
    }

    /// A sale that is captured and completed, with a fee.
    pub(crate) async fn sell(&mut self, sale: Sale, fee_minor: i64) -> String {
        let id = self.uuid();
        let (minor, currency) = sale.amount;
        let snapshot = TransactionSnapshot {
            status: TransactionStatus::Completed.into(),
            authorized: money(minor, currency),
            captured: money(minor, currency),
            fee: money(fee_minor, currency),
            ..self.snapshot(id, &sale)
        };
        let captured = TransactionCaptured {
            transaction: Some(snapshot.clone()),
            amount: money(minor, currency),
            fee: money(fee_minor, currency),
            ..TransactionCaptured::default()
        };
        self.tell_at(id, &captured, sale.business_at_us).await;
        let completed = TransactionCompleted {
            transaction: Some(snapshot.clone()),
            ..TransactionCompleted::default()
        };
        self.tell_at(id, &completed, sale.business_at_us).await;
        snapshot.transaction_id
    }

    /// A sale that is declined.
    pub(crate) async fn decline(&mut self, sale: Sale, reason: DeclineReason) {
        let id = self.uuid();
        let snapshot = TransactionSnapshot {
            status: TransactionStatus::Declined.into(),
            decline_reason: reason.into(),
            ..self.snapshot(id, &sale)
        };
        let failed = TransactionFailed {
            transaction: Some(snapshot),
            ..TransactionFailed::default()
        };
        self.tell_at(id, &failed, sale.business_at_us).await;
    }

    /// An account of the ledger, and its fact.
    pub(crate) async fn open_account(
        &mut self,
        (class, purpose): (AccountClass, AccountPurpose),
        currency: &str,
    ) -> usize {
        let account = Account {
            id: self.uuid(),
            class,
            purpose,
            currency: currency.to_owned(),
            opened_at_us: self.now_us(),
            history: std::collections::BTreeMap::new(),
        };
        let fact = AccountCreated {
            account_id: encode("acct", account.id),
            purpose: purpose.into(),
            class: class.into(),
            currency: currency.to_owned(),
            opened_at_us: account.opened_at_us,
            ..AccountCreated::default()
        };
        let id = account.id;
        let place = self.others.books(|books| {
            books.accounts.push(account);
            books.accounts.len() - 1
        });
        self.tell(id, &fact).await;
        place
    }

    /// One batch with one transfer from an account to another, and the two facts of it.
    pub(crate) async fn transfer(&mut self, (debit, credit): (usize, usize), minor: i64) {
        for fact in self.book((debit, credit), minor) {
            self.tell_balance(fact).await;
        }
    }

    pub(crate) async fn tell_balance(&mut self, (id, fact): (Uuid, BalanceUpdated)) {
        self.tell(id, &fact).await;
    }

    /// The same without telling the facts yet.
    pub(crate) fn book(
        &self,
        (debit, credit): (usize, usize),
        minor: i64,
    ) -> Vec<(Uuid, BalanceUpdated)> {
        let now_us = self.now_us();
        self.others.books(|books| {
            books.batches.push(now_us);
            let height = u64::try_from(books.batches.len()).unwrap();
            let mut facts = Vec::new();
            for (place, debits, credits) in [(debit, minor, 0), (credit, 0, minor)] {
                let account = &mut books.accounts[place];
                let before = account.history.values().next_back().cloned();
                let before = before.unwrap_or_default();
                let after = Balance {
                    debits_posted_minor: before.debits_posted_minor + debits,
                    credits_posted_minor: before.credits_posted_minor + credits,
                    currency: account.currency.clone(),
                    ..before
                };
                account.history.insert(height, after.clone());
                let fact = BalanceUpdated {
                    account_id: encode("acct", account.id),
                    purpose: account.purpose.into(),
                    balance: Some(after),
                    batch_height: height,
                    booked_at_us: now_us,
                    ..BalanceUpdated::default()
                };
                facts.push((account.id, fact));
            }
            facts
        })
    }
}
