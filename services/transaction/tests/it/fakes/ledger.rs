//! A ledger: groups whole or not at all, ids that are keys, bounds, reservations, tombstones.

use std::collections::{BTreeMap, BTreeSet};

use paymesh_proto::{
    account::v1::{self as wire, account_service_server::AccountService},
    types::v1::{Money, Owner, OwnerKind},
};
use tonic::{Request, Response, Status};
use wire::{AccountPurpose as Purpose, TransferKind as Kind, TransferResultCode as Code};

use super::{Fate, Line, Shared, service};

/// An account's sums.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    owner: Option<Owner>,
    purpose: i32,
    currency: String,
    debits: i64,
    credits: i64,
    reserved: i64,
    is_bounded: bool,
    pub(crate) is_suspended: bool,
    is_closed: bool,
}

#[derive(Clone, Debug)]
struct Booked {
    body: wire::Transfer,
    debit: String,
    credit: String,
    minor: i64,
    is_open: bool,
}

/// The ledger's records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) books: BTreeMap<String, Book>,
    transfers: BTreeMap<String, Booked>,
    tombstones: BTreeSet<String>,
    pub(crate) line: Line,
    /// Groups that were booked, for counting.
    pub(crate) groups_booked: usize,
    /// Refuses this many groups with this code.
    pub(crate) refuse_next: Option<(u32, Code)>,
}

impl Ledger {
    /// Opens an account with money in it, out of thin air: the counter entry is the bank's.
    pub(crate) fn open(
        &mut self,
        id: &str,
        owner: (OwnerKind, &str),
        purpose: Purpose,
        (minor, currency): (i64, &str),
    ) {
        let bank = self.system(Purpose::BankCash, currency, "");
        self.books.get_mut(&bank).unwrap().debits += minor;
        self.books.insert(
            id.to_owned(),
            Book {
                owner: Some(Owner {
                    kind: owner.0.into(),
                    id: owner.1.to_owned(),
                }),
                purpose: purpose.into(),
                currency: currency.to_owned(),
                credits: minor,
                is_bounded: matches!(
                    purpose,
                    Purpose::CustomerBalance | Purpose::MerchantAvailable
                ),
                ..Book::default()
            },
        );
    }

    fn system(&mut self, purpose: Purpose, currency: &str, connector: &str) -> String {
        let id = format!("{}:{currency}:{connector}", purpose.as_str_name());
        self.books.entry(id.clone()).or_insert_with(|| Book {
            purpose: purpose.into(),
            currency: currency.to_owned(),
            ..Book::default()
        });
        id
    }

    /// Credits less debits.
    pub(crate) fn balance(&self, id: &str) -> i64 {
        self.books
            .get(id)
            .map_or(0, |book| book.credits - book.debits)
    }

    /// Of a system account.
    pub(crate) fn system_balance(&self, purpose: Purpose, currency: &str, connector: &str) -> i64 {
        self.balance(&format!("{}:{currency}:{connector}", purpose.as_str_name()))
    }

    /// What is reserved anywhere.
    pub(crate) fn reserved(&self) -> i64 {
        self.books.values().map(|book| book.reserved).sum()
    }

    /// Debits equal credits in each ledger, and clearing is at zero.
    pub(crate) fn assert_balanced(&self) {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for book in self.books.values() {
            *sums.entry(book.currency.as_str()).or_default() += book.debits - book.credits;
            if book.purpose == i32::from(Purpose::Clearing) {
                assert_eq!(
                    book.debits, book.credits,
                    "clearing {}: {book:?}",
                    book.currency
                );
            }
            assert!(book.reserved >= 0, "{book:?}");
        }
        assert!(
            sums.values().all(|sum| *sum == 0),
            "debits equal credits: {sums:?}"
        );
    }

    fn resolve(&mut self, of: Option<&wire::AccountRef>) -> Option<String> {
        use wire::account_ref::By;
        match of?.by.as_ref()? {
            By::Id(id) => self.books.contains_key(id).then(|| id.clone()),
            By::System(system) => {
                Some(self.system(system.purpose(), &system.currency, &system.connector))
            }
        }
    }

    fn group(&mut self, group: &wire::TransferGroup) -> wire::TransferGroupResult {
        let before = self.clone();
        if let Some((left, code)) = self.refuse_next.take() {
            if left > 1 {
                self.refuse_next = Some((left - 1, code));
            }
            return refused(group, 0, code);
        }
        let mut results = Vec::new();
        let mut is_new = false;
        for (place, transfer) in group.transfers.iter().enumerate() {
            match self.one(transfer) {
                Ok(already_applied) => {
                    is_new |= !already_applied;
                    results.push(wire::TransferResult {
                        id: transfer.id.clone(),
                        code: Code::Applied.into(),
                        already_applied,
                        ..wire::TransferResult::default()
                    });
                }
                Err(Code::Tombstoned) => {
                    self.tombstones.insert(transfer.pending_id.clone());
                    results.push(wire::TransferResult {
                        id: transfer.id.clone(),
                        code: Code::Tombstoned.into(),
                        ..wire::TransferResult::default()
                    });
                }
                Err(code) => {
                    let line = self.line;
                    *self = before;
                    self.line = line;
                    return refused(group, place, code);
                }
            }
        }
        self.groups_booked += usize::from(is_new);
        wire::TransferGroupResult {
            applied: true,
            transfers: results,
        }
    }

    fn one(&mut self, transfer: &wire::Transfer) -> Result<bool, Code> {
        if let Some(known) = self.transfers.get(&transfer.id) {
            return if known.body == *transfer {
                Ok(true)
            } else {
                Err(Code::IdConflict)
            };
        }
        if self.tombstones.contains(&transfer.id) {
            return Err(Code::IdTombstoned);
        }
        let kind = transfer.kind();
        let booked = match kind {
            Kind::Post | Kind::Void => self.end(transfer, kind)?,
            _ => self.begin(transfer, kind)?,
        };
        self.transfers.insert(transfer.id.clone(), booked);
        Ok(false)
    }

    fn end(&mut self, transfer: &wire::Transfer, kind: Kind) -> Result<Booked, Code> {
        let Some(pending) = self.transfers.get_mut(&transfer.pending_id) else {
            return Err(if kind == Kind::Void {
                Code::Tombstoned
            } else {
                Code::PendingNotFound
            });
        };
        if !pending.is_open {
            return Err(Code::PendingAlreadyVoided);
        }
        let minor = transfer
            .amount
            .as_ref()
            .map_or(pending.minor, |amount| amount.minor);
        if minor > pending.minor {
            return Err(Code::PendingAmountExceeded);
        }
        pending.is_open = false;
        let (debit, credit, whole) = (pending.debit.clone(), pending.credit.clone(), pending.minor);
        self.books.get_mut(&debit).unwrap().reserved -= whole;
        if kind == Kind::Post {
            self.books.get_mut(&debit).unwrap().debits += minor;
            self.books.get_mut(&credit).unwrap().credits += minor;
        }
        Ok(Booked {
            body: transfer.clone(),
            debit,
            credit,
            minor,
            is_open: false,
        })
    }

    fn begin(&mut self, transfer: &wire::Transfer, kind: Kind) -> Result<Booked, Code> {
        let Money { minor, currency } = transfer.amount.clone().ok_or(Code::AmountInvalid)?;
        let debit = self
            .resolve(transfer.debit.as_ref())
            .ok_or(Code::DebitAccountNotFound)?;
        let credit = self
            .resolve(transfer.credit.as_ref())
            .ok_or(Code::CreditAccountNotFound)?;
        let is_forced = i32::from(transfer.code()) >= 50;
        let from = &self.books[&debit];
        let to = &self.books[&credit];
        if minor <= 0 {
            return Err(Code::AmountInvalid);
        }
        if from.currency != currency || to.currency != currency {
            return Err(Code::AccountCurrencyDiffers);
        }
        if to.is_closed && transfer.closed_credit() != wire::ClosedCreditPolicy::Suspense {
            return Err(Code::CreditAccountClosed);
        }
        if from.is_suspended && !is_forced {
            return Err(Code::DebitAccountSuspended);
        }
        if from.is_bounded && !is_forced && from.debits + from.reserved + minor > from.credits {
            return Err(Code::DebitBoundExceeded);
        }
        let from = self.books.get_mut(&debit).unwrap();
        if kind == Kind::Pending {
            from.reserved += minor;
        } else {
            from.debits += minor;
            self.books.get_mut(&credit).unwrap().credits += minor;
        }
        Ok(Booked {
            body: transfer.clone(),
            debit,
            credit,
            minor,
            is_open: kind == Kind::Pending,
        })
    }

    fn show(&self, id: &str) -> Option<wire::Account> {
        let book = self.books.get(id)?;
        Some(wire::Account {
            id: id.to_owned(),
            owner: book.owner.clone(),
            purpose: book.purpose,
            currency: book.currency.clone(),
            state: wire::AccountState::Active.into(),
            balance: Some(wire::Balance {
                available_minor: book.credits - book.debits - book.reserved,
                booked_minor: book.credits - book.debits,
                currency: book.currency.clone(),
                ..wire::Balance::default()
            }),
            ..wire::Account::default()
        })
    }
}

fn refused(group: &wire::TransferGroup, at: usize, code: Code) -> wire::TransferGroupResult {
    let result = |(place, transfer): (usize, &wire::Transfer)| wire::TransferResult {
        id: transfer.id.clone(),
        code: if place == at {
            code
        } else {
            Code::GroupRejected
        }
        .into(),
        ..wire::TransferResult::default()
    };
    wire::TransferGroupResult {
        applied: false,
        transfers: group.transfers.iter().enumerate().map(result).collect(),
    }
}

service!(AccountService, Shared<Ledger> {
    async fn get_account(
        &self,
        request: Request<wire::GetAccountRequest>,
    ) -> Result<Response<wire::GetAccountResponse>, Status> {
        let account = self.lock().show(&request.into_inner().account_id);
        match account {
            Some(account) => Ok(Response::new(wire::GetAccountResponse { account: Some(account) })),
            None => Err(super::small::not_found("ACCOUNT_NOT_FOUND")),
        }
    }

    async fn list_accounts(
        &self,
        request: Request<wire::ListAccountsRequest>,
    ) -> Result<Response<wire::ListAccountsResponse>, Status> {
        let request = request.into_inner();
        let ledger = self.lock();
        let fits = |book: &Book| book.owner == request.owner && book.purpose == request.purpose;
        let ids = ledger.books.iter().filter(|(_, book)| fits(book)).map(|(id, _)| id);
        let accounts = ids.filter_map(|id| ledger.show(id)).collect();
        Ok(Response::new(wire::ListAccountsResponse { accounts, page_info: None }))
    }

    async fn post_transfers(
        &self,
        request: Request<wire::PostTransfersRequest>,
    ) -> Result<Response<wire::PostTransfersResponse>, Status> {
        let mut ledger = self.lock();
        let fate = ledger.line.next();
        if fate == Fate::NeverArrives {
            return Err(super::small::unreachable());
        }
        let groups = request.into_inner().groups.iter().map(|group| ledger.group(group)).collect();
        if fate == Fate::AnswerLost {
            return Err(Status::unavailable("the answer is lost"));
        }
        Ok(Response::new(wire::PostTransfersResponse { groups, batch_height: 1 }))
    }

    async fn lookup_transfers(
        &self,
        request: Request<wire::LookupTransfersRequest>,
    ) -> Result<Response<wire::LookupTransfersResponse>, Status> {
        let ledger = self.lock();
        let (found, missing_ids): (Vec<String>, Vec<String>) =
            request.into_inner().transfer_ids.into_iter().partition(|id| ledger.transfers.contains_key(id));
        let transfers = found.into_iter().map(|id| wire::BookedTransfer { id, ..wire::BookedTransfer::default() }).collect();
        Ok(Response::new(wire::LookupTransfersResponse { transfers, missing_ids }))
    }
} unused {
        open_account(wire::OpenAccountRequest) -> wire::OpenAccountResponse;
        suspend_account(wire::SuspendAccountRequest) -> wire::SuspendAccountResponse;
        resume_account(wire::ResumeAccountRequest) -> wire::ResumeAccountResponse;
        close_account(wire::CloseAccountRequest) -> wire::CloseAccountResponse;
        get_transfer(wire::GetTransferRequest) -> wire::GetTransferResponse;
        list_transfers(wire::ListTransfersRequest) -> wire::ListTransfersResponse;
        balance_as_of(wire::BalanceAsOfRequest) -> wire::BalanceAsOfResponse;
        statement(wire::StatementRequest) -> wire::StatementResponse;
        trial_balance(wire::TrialBalanceRequest) -> wire::TrialBalanceResponse;
        get_batch_head(wire::GetBatchHeadRequest) -> wire::GetBatchHeadResponse;
        list_batches(wire::ListBatchesRequest) -> wire::ListBatchesResponse;
        prove_transfer(wire::ProveTransferRequest) -> wire::ProveTransferResponse;
        prove_consistency(wire::ProveConsistencyRequest) -> wire::ProveConsistencyResponse;
        close_period(wire::ClosePeriodRequest) -> wire::ClosePeriodResponse;
        list_periods(wire::ListPeriodsRequest) -> wire::ListPeriodsResponse;
});
