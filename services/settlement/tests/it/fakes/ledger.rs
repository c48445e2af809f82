//! A ledger: groups whole or not at all, ids that are keys, bounds, reservations, heights, entries.

use std::collections::{BTreeMap, BTreeSet};

use paymesh_proto::{
    account::v1::{self as wire, account_service_server::AccountService},
    types::v1::{Money, Owner, OwnerKind},
};
use tonic::{Request, Response, Status};
use wire::{
    AccountPurpose as Purpose, TransferCode, TransferKind as Kind, TransferResultCode as Code,
};

use super::{Shared, service};

/// An account's sums.
#[derive(Clone, Debug, Default)]
struct Book {
    id: String,
    owner: Option<Owner>,
    purpose: i32,
    connector: String,
    currency: String,
    debits: i64,
    credits: i64,
    reserved: i64,
    version: u64,
}

#[derive(Clone, Debug)]
struct Booked {
    body: wire::Transfer,
    debit: String,
    credit: String,
    minor: i64,
    is_open: bool,
    code: i32,
    transaction_id: String,
    effective_at_us: i64,
    height: u64,
}

/// The ledger's records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    books: BTreeMap<String, Book>,
    transfers: Vec<Booked>,
    height: u64,
    serial: u128,
    /// Value dates before it are refused.
    pub(crate) closed_until_us: i64,
    /// Accounts that take no more credits.
    pub(crate) closed: BTreeSet<String>,
    /// Transfers that were refused because of that.
    pub(crate) refused_as_closed: u32,
    /// Calls that book and whose answer is lost.
    pub(crate) answers_to_lose: u32,
    /// Calls that never arrive.
    pub(crate) calls_to_refuse: u32,
    /// Lists of accounts that are not answered.
    pub(crate) lists_to_refuse: u32,
    /// Calls that book or reserve something new.
    pub(crate) booked_calls: u32,
}

impl Ledger {
    /// Opens an account.
    pub(crate) fn open(
        &mut self,
        (kind, owner): (OwnerKind, &str),
        purpose: Purpose,
        currency: &str,
    ) -> String {
        let owner = Owner {
            kind: kind.into(),
            id: owner.to_owned(),
        };
        self.insert(Some(owner), purpose, currency, "")
    }

    fn insert(
        &mut self,
        owner: Option<Owner>,
        purpose: Purpose,
        currency: &str,
        connector: &str,
    ) -> String {
        self.serial += 1;
        let uuid = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + self.serial);
        let id = paymesh_kernel::id::encode("acct", uuid);
        let book = Book {
            id: id.clone(),
            owner,
            purpose: purpose.into(),
            connector: connector.to_owned(),
            currency: currency.to_owned(),
            ..Book::default()
        };
        self.books.insert(id.clone(), book);
        id
    }

    fn system(&mut self, purpose: Purpose, currency: &str, connector: &str) -> String {
        let fits = |book: &&Book| {
            book.purpose == i32::from(purpose)
                && book.currency == currency
                && book.connector == connector
        };
        let known = self.books.values().find(fits).map(|book| book.id.clone());
        known.unwrap_or_else(|| self.insert(None, purpose, currency, connector))
    }

    /// Books between two accounts, as transaction would: `code`, minor units, transaction, value date.
    pub(crate) fn book(
        &mut self,
        (debit, credit): (&str, &str),
        (code, minor): (TransferCode, i64),
        (transaction, effective_at_us): (&str, i64),
    ) {
        self.height += 1;
        let currency = self.books[debit].currency.clone();
        self.serial += 1;
        let transfer = wire::Transfer {
            id: format!("test_{}", self.serial),
            kind: Kind::Single.into(),
            debit: Some(by_id(debit)),
            credit: Some(by_id(credit)),
            amount: Some(Money { minor, currency }),
            code: code.into(),
            transaction_id: transaction.to_owned(),
            effective_at_us,
            ..wire::Transfer::default()
        };
        self.one(&transfer).unwrap();
    }

    /// A captured card purchase with its fee: receivable to pending, pending to fees.
    pub(crate) fn capture(
        &mut self,
        (pending, currency): (&str, &str),
        (gross, fee): (i64, i64),
        (transaction, at_us): (&str, i64),
    ) {
        let receivable = self.system(Purpose::ConnectorReceivable, currency, "simulated");
        let of = (transaction, at_us);
        self.book((&receivable, pending), (TransferCode::Purchase, gross), of);
        if fee > 0 {
            let fees = self.system(Purpose::FeeRevenue, currency, "");
            self.book((pending, &fees), (TransferCode::Fee, fee), of);
        }
    }

    /// A system account's id.
    pub(crate) fn system_id(
        &mut self,
        purpose: Purpose,
        currency: &str,
        connector: &str,
    ) -> String {
        self.system(purpose, currency, connector)
    }

    /// Credits less debits.
    pub(crate) fn balance(&self, id: &str) -> i64 {
        let book = &self.books[id];
        book.credits - book.debits
    }

    /// Of a system account; zero when it was never used.
    pub(crate) fn of(&self, purpose: Purpose, currency: &str) -> i64 {
        let own = self
            .books
            .values()
            .filter(|book| book.purpose == i32::from(purpose) && book.currency == currency);
        own.map(|book| book.credits - book.debits).sum()
    }

    /// What is reserved anywhere.
    pub(crate) fn reserved(&self) -> i64 {
        self.books.values().map(|book| book.reserved).sum()
    }

    pub(crate) fn height(&self) -> u64 {
        self.height
    }

    /// Debits equal credits, and what is bounded is within its bound.
    pub(crate) fn assert_sound(&self) {
        let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
        for book in self.books.values() {
            *sums.entry(book.currency.as_str()).or_default() += book.debits - book.credits;
            assert!(book.reserved >= 0, "{book:?}");
            if is_bounded(book) {
                assert!(book.debits + book.reserved <= book.credits, "{book:?}");
            }
            if book.purpose == i32::from(Purpose::MerchantPending) {
                assert!(book.debits <= book.credits, "S3: {book:?}");
            }
        }
        assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
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
        // One transfer alone changes nothing when it is refused.
        let before = (group.transfers.len() > 1).then(|| self.clone());
        let mut transfers = Vec::new();
        for transfer in &group.transfers {
            let (code, already_applied) = match self.one(transfer) {
                Ok(already) => (Code::Applied, already),
                Err(Code::Tombstoned) => (Code::Tombstoned, false),
                Err(code) => {
                    if let Some(before) = before {
                        *self = before;
                    }
                    let refused = wire::TransferResult {
                        id: transfer.id.clone(),
                        code: code.into(),
                        ..wire::TransferResult::default()
                    };
                    return wire::TransferGroupResult {
                        applied: false,
                        transfers: vec![refused],
                    };
                }
            };
            transfers.push(wire::TransferResult {
                id: transfer.id.clone(),
                code: code.into(),
                already_applied,
                ..wire::TransferResult::default()
            });
        }
        wire::TransferGroupResult {
            applied: true,
            transfers,
        }
    }

    /// True when it was booked before.
    fn one(&mut self, transfer: &wire::Transfer) -> Result<bool, Code> {
        if let Some(known) = self.transfers.iter().find(|of| of.body.id == transfer.id) {
            return if known.body == *transfer {
                Ok(true)
            } else {
                Err(Code::IdConflict)
            };
        }
        if transfer.effective_at_us != 0 && transfer.effective_at_us < self.closed_until_us {
            return Err(Code::PeriodClosed);
        }
        let booked = match transfer.kind() {
            Kind::Post | Kind::Void => self.end(transfer)?,
            Kind::Single | Kind::Pending | Kind::Unspecified => self.begin(transfer)?,
        };
        self.transfers.push(booked);
        Ok(false)
    }

    fn end(&mut self, transfer: &wire::Transfer) -> Result<Booked, Code> {
        let kind = transfer.kind();
        let height = self.height;
        let pending = self
            .transfers
            .iter_mut()
            .find(|of| of.body.id == transfer.pending_id);
        let Some(pending) = pending else {
            return Err(if kind == Kind::Void {
                Code::Tombstoned
            } else {
                Code::PendingNotFound
            });
        };
        if !pending.is_open {
            return Err(Code::PendingAlreadyPosted);
        }
        pending.is_open = false;
        let booked = Booked {
            body: transfer.clone(),
            is_open: false,
            height,
            ..pending.clone()
        };
        self.books.get_mut(&booked.debit).unwrap().reserved -= booked.minor;
        if kind == Kind::Post {
            self.books.get_mut(&booked.debit).unwrap().debits += booked.minor;
            self.books.get_mut(&booked.credit).unwrap().credits += booked.minor;
        }
        self.touch(&booked);
        Ok(booked)
    }

    fn begin(&mut self, transfer: &wire::Transfer) -> Result<Booked, Code> {
        let Money { minor, currency } = transfer.amount.clone().ok_or(Code::AmountInvalid)?;
        let debit = self
            .resolve(transfer.debit.as_ref())
            .ok_or(Code::DebitAccountNotFound)?;
        let credit = self
            .resolve(transfer.credit.as_ref())
            .ok_or(Code::CreditAccountNotFound)?;
        if minor <= 0 {
            return Err(Code::AmountInvalid);
        }
        if self.books[&debit].currency != currency || self.books[&credit].currency != currency {
            return Err(Code::AccountCurrencyDiffers);
        }
        if self.closed.contains(&credit) {
            self.refused_as_closed += 1;
            return Err(Code::CreditAccountClosed);
        }
        let from = &self.books[&debit];
        if is_bounded(from) && from.debits + from.reserved + minor > from.credits {
            return Err(Code::DebitBoundExceeded);
        }
        let is_open = transfer.kind() == Kind::Pending;
        let from = self.books.get_mut(&debit).unwrap();
        if is_open {
            from.reserved += minor;
        } else {
            from.debits += minor;
            self.books.get_mut(&credit).unwrap().credits += minor;
        }
        let booked = Booked {
            body: transfer.clone(),
            debit,
            credit,
            minor,
            is_open,
            code: transfer.code,
            transaction_id: transfer.transaction_id.clone(),
            effective_at_us: transfer.effective_at_us,
            height: self.height,
        };
        self.touch(&booked);
        Ok(booked)
    }

    fn touch(&mut self, booked: &Booked) {
        for id in [&booked.debit, &booked.credit] {
            self.books.get_mut(id).unwrap().version = self.height;
        }
    }

    fn show(&self, book: &Book) -> wire::Account {
        wire::Account {
            id: book.id.clone(),
            owner: book.owner.clone(),
            purpose: book.purpose,
            currency: book.currency.clone(),
            connector: book.connector.clone(),
            balance: Some(wire::Balance {
                available_minor: book.credits - book.debits - book.reserved,
                booked_minor: book.credits - book.debits,
                currency: book.currency.clone(),
                version: book.version,
                ..wire::Balance::default()
            }),
            ..wire::Account::default()
        }
    }

    fn entry(&self, account: &str, of: &Booked) -> Option<wire::Entry> {
        let side = if of.debit == account {
            wire::EntrySide::Debit
        } else if of.credit == account {
            wire::EntrySide::Credit
        } else {
            return None;
        };
        Some(wire::Entry {
            account_id: account.to_owned(),
            transfer_id: of.body.id.clone(),
            kind: of.body.kind,
            side: side.into(),
            amount: Some(Money {
                minor: of.minor,
                currency: self.books[account].currency.clone(),
            }),
            code: of.code,
            transaction_id: of.transaction_id.clone(),
            effective_at_us: of.effective_at_us,
            batch_height: of.height,
            ..wire::Entry::default()
        })
    }
}

fn is_bounded(book: &Book) -> bool {
    book.purpose == i32::from(Purpose::MerchantAvailable)
        || book.purpose == i32::from(Purpose::CustomerBalance)
}

fn by_id(id: &str) -> wire::AccountRef {
    wire::AccountRef {
        by: Some(wire::account_ref::By::Id(id.to_owned())),
    }
}

service!(AccountService, Shared<Ledger> {
    async fn get_account(
        &self,
        request: Request<wire::GetAccountRequest>,
    ) -> Result<Response<wire::GetAccountResponse>, Status> {
        let ledger = self.lock();
        let found = ledger.books.get(&request.into_inner().account_id);
        let account = found.map(|book| ledger.show(book));
        if account.is_none() {
            return Err(super::not_found("ACCOUNT_NOT_FOUND"));
        }
        Ok(Response::new(wire::GetAccountResponse { account }))
    }

    async fn list_accounts(
        &self,
        request: Request<wire::ListAccountsRequest>,
    ) -> Result<Response<wire::ListAccountsResponse>, Status> {
        let request = request.into_inner();
        let mut ledger = self.lock();
        if ledger.lists_to_refuse > 0 {
            ledger.lists_to_refuse -= 1;
            return Err(super::unreachable());
        }
        let fits = |book: &&Book| {
            book.purpose == request.purpose
                && (request.currency.is_empty() || book.currency == request.currency)
                && (request.owner.is_none() || book.owner == request.owner)
        };
        let accounts = ledger.books.values().filter(fits).map(|book| ledger.show(book)).collect();
        Ok(Response::new(wire::ListAccountsResponse { accounts, page_info: None }))
    }

    async fn post_transfers(
        &self,
        request: Request<wire::PostTransfersRequest>,
    ) -> Result<Response<wire::PostTransfersResponse>, Status> {
        let mut ledger = self.lock();
        if ledger.calls_to_refuse > 0 {
            ledger.calls_to_refuse -= 1;
            return Err(super::unreachable());
        }
        ledger.height += 1;
        let before = ledger.transfers.len();
        let groups = request.into_inner().groups.iter().map(|group| ledger.group(group)).collect();
        ledger.booked_calls += u32::from(ledger.transfers.len() > before);
        if ledger.answers_to_lose > 0 {
            ledger.answers_to_lose -= 1;
            return Err(Status::unavailable("the answer is lost"));
        }
        Ok(Response::new(wire::PostTransfersResponse { groups, batch_height: ledger.height }))
    }

    async fn list_transfers(
        &self,
        request: Request<wire::ListTransfersRequest>,
    ) -> Result<Response<wire::ListTransfersResponse>, Status> {
        let wanted = request.into_inner().transaction_id;
        let ledger = self.lock();
        let own = ledger.transfers.iter().filter(|of| of.transaction_id == wanted);
        let show = |of: &Booked| wire::BookedTransfer {
            id: of.body.id.clone(),
            kind: of.body.kind,
            debit_account_id: of.debit.clone(),
            credit_account_id: of.credit.clone(),
            amount: Some(Money { minor: of.minor, currency: ledger.books[&of.debit].currency.clone() }),
            code: of.code,
            transaction_id: of.transaction_id.clone(),
            effective_at_us: of.effective_at_us,
            batch_height: of.height,
            ..wire::BookedTransfer::default()
        };
        Ok(Response::new(wire::ListTransfersResponse { transfers: own.map(show).collect(), page_info: None }))
    }

    async fn statement(
        &self,
        request: Request<wire::StatementRequest>,
    ) -> Result<Response<wire::StatementResponse>, Status> {
        let request = request.into_inner();
        let Some(wire::account_ref::By::Id(id)) = request.account.and_then(|of| of.by) else {
            return Err(super::not_found("ACCOUNT_NOT_FOUND"));
        };
        let ledger = self.lock();
        let range = request.range.unwrap_or_default();
        let fits = |entry: &wire::Entry| {
            let by_height = entry.batch_height > request.after_height
                && (request.until_height == 0 || entry.batch_height <= request.until_height);
            let by_time = range.until_at_us == 0
                || (range.from_at_us..range.until_at_us).contains(&entry.effective_at_us);
            by_height && by_time
        };
        let entries: Vec<_> = ledger.transfers.iter().filter_map(|of| ledger.entry(&id, of)).filter(fits).collect();
        let version = entries.iter().map(|entry| entry.batch_height).max().unwrap_or(request.after_height);
        let closing = Some(wire::Balance { version, ..wire::Balance::default() });
        Ok(Response::new(wire::StatementResponse { account_id: id, closing, entries, ..wire::StatementResponse::default() }))
    }

    async fn get_batch_head(
        &self,
        _: Request<wire::GetBatchHeadRequest>,
    ) -> Result<Response<wire::GetBatchHeadResponse>, Status> {
        let head = wire::BatchHead { height: self.lock().height, ..wire::BatchHead::default() };
        Ok(Response::new(wire::GetBatchHeadResponse { head: Some(head) }))
    }
} unused {
        open_account(wire::OpenAccountRequest) -> wire::OpenAccountResponse;
        suspend_account(wire::SuspendAccountRequest) -> wire::SuspendAccountResponse;
        resume_account(wire::ResumeAccountRequest) -> wire::ResumeAccountResponse;
        close_account(wire::CloseAccountRequest) -> wire::CloseAccountResponse;
        get_transfer(wire::GetTransferRequest) -> wire::GetTransferResponse;
        lookup_transfers(wire::LookupTransfersRequest) -> wire::LookupTransfersResponse;
        balance_as_of(wire::BalanceAsOfRequest) -> wire::BalanceAsOfResponse;
        trial_balance(wire::TrialBalanceRequest) -> wire::TrialBalanceResponse;
        list_batches(wire::ListBatchesRequest) -> wire::ListBatchesResponse;
        prove_transfer(wire::ProveTransferRequest) -> wire::ProveTransferResponse;
        prove_consistency(wire::ProveConsistencyRequest) -> wire::ProveConsistencyResponse;
        close_period(wire::ClosePeriodRequest) -> wire::ClosePeriodResponse;
        list_periods(wire::ListPeriodsRequest) -> wire::ListPeriodsResponse;
});
