//! The ledger: what it has booked, and what we have it book.

mod map;

use paymesh_kernel::{
    ErrorKind, Fault as _, Timestamp,
    id::{MerchantId, TenantId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::{Currency, Money};
use paymesh_proto::{
    account::v1::{self as wire, account_service_client::AccountServiceClient},
    types::v1::{Page, TimeRange},
};

use super::{as_self, not_understood};
use crate::domain::{
    batch::{Entry, Share},
    ids::{AccountId, TransactionId, TransferId},
    reconciliation::Span,
};

/// Items that are asked for at once.
const PAGE: i32 = 500;
/// Pages of one question at most.
const PAGES: usize = 2_000;

/// An account by its id or by what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// By id.
    Id(AccountId),
    /// Money at the bank.
    BankCash,
    /// Payouts that are under way.
    InTransit,
    /// What nobody knows of.
    Suspense,
    /// Breaks written off.
    Difference,
    /// What a connector owes.
    Receivable(String),
    /// What a connector charges.
    ConnectorFees(String),
}

/// How a leg moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// At once.
    Single,
    /// Reserved.
    Pending,
    /// Books what was reserved.
    Post(TransferId),
    /// Releases what was reserved.
    Void(TransferId),
}

/// What a leg is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// merchant.pending to merchant.available.
    Release,
    /// To a merchant's bank.
    Payout,
    /// To a person's bank.
    Withdrawal,
    /// On the bank's statement.
    Confirmation,
    /// Sent back by the bank.
    Return,
    /// Charged by a connector.
    ConnectorFee,
    /// Paid by a connector to the bank.
    ConnectorSettlement,
    /// A break.
    WriteOff,
    /// What was booked against suspense finds its place.
    Correction,
}

/// One transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leg {
    /// Its key.
    pub(crate) id: TransferId,
    /// How.
    pub(crate) by: Move,
    /// From.
    pub(crate) debit: Account,
    /// To.
    pub(crate) credit: Account,
    /// Above zero.
    pub(crate) amount: Money,
    /// What for.
    pub(crate) code: Code,
    /// Value date; None: when it is booked.
    pub(crate) effective_at: Option<Timestamp>,
}

/// What became of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Booked, now or before.
    Booked,
    /// The debit account does not cover it.
    NotCovered,
    /// The value date lies in a closed period.
    PeriodClosed,
    /// Refused, with the ledger's code.
    Refused(String),
}

/// A merchant's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MerchantAccount {
    /// The account.
    pub(crate) id: AccountId,
    /// Whose.
    pub(crate) merchant: MerchantId,
    /// Which of the three.
    pub(crate) share: Share,
    /// Rises with each batch that touches it.
    pub(crate) version: i64,
}

/// What a connector owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receivable {
    /// The account.
    pub(crate) id: AccountId,
    /// The connector.
    pub(crate) connector: String,
    /// Its ledger.
    pub(crate) currency: Currency,
}

/// Entries of an account up to a height.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entries {
    /// In their order.
    pub(crate) entries: Vec<Entry>,
    /// The account's version at that height.
    pub(crate) version: i64,
}

/// One transfer of a transaction that touched a receivable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    /// The receivable.
    pub(crate) account: AccountId,
    /// The entry on it.
    pub(crate) entry: Entry,
    /// Its currency.
    pub(crate) currency: Currency,
}

/// The ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    client: AccountServiceClient<Channel>,
}

// === impl Ledger ===

impl Ledger {
    /// Over a channel to the ledger.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: AccountServiceClient::new(channel),
        }
    }

    /// The present height of the chain.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn height(&self, tenant: TenantId) -> Result<i64, CallError> {
        let request = wire::GetBatchHeadRequest { height: 0 };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.get_batch_head(request)).await?;
        Ok(answer.head.map_or(0, |head| map::signed(head.height)))
    }

    /// Books groups, each whole or not at all; what was booked before is booked.
    ///
    /// # Errors
    /// When the ledger does not answer: the same groups are to be sent again.
    pub(crate) async fn post(
        &self,
        tenant: TenantId,
        groups: &[Vec<Leg>],
    ) -> Result<Vec<Verdict>, CallError> {
        let groups: Vec<_> = groups
            .iter()
            .map(|legs| wire::TransferGroup {
                transfers: legs.iter().map(map::transfer).collect(),
            })
            .collect();
        let asked = groups.len();
        let request = wire::PostTransfersRequest { groups };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.post_transfers(request)).await?;
        if answer.groups.len() != asked {
            return Err(not_understood());
        }
        Ok(answer.groups.iter().map(map::verdict).collect())
    }

    /// One group.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn post_one(
        &self,
        tenant: TenantId,
        legs: Vec<Leg>,
    ) -> Result<Verdict, CallError> {
        let verdicts = self.post(tenant, std::slice::from_ref(&legs)).await?;
        let verdict = verdicts.into_iter().next().ok_or_else(not_understood)?;
        if verdict != Verdict::PeriodClosed {
            return Ok(verdict);
        }
        // What belongs into a closed period is booked today.
        let today: Vec<Leg> = legs
            .into_iter()
            .map(|leg| Leg {
                effective_at: None,
                ..leg
            })
            .collect();
        let verdicts = self.post(tenant, &[today]).await?;
        verdicts.into_iter().next().ok_or_else(not_understood)
    }

    /// What is free on an account now.
    ///
    /// # Errors
    /// When there is no such account, or the ledger does not answer.
    pub(crate) async fn available(
        &self,
        tenant: TenantId,
        account: AccountId,
    ) -> Result<Money, CallError> {
        let request = wire::GetAccountRequest {
            account_id: account.to_string(),
        };
        let mut client = self.client.clone();
        let answer = as_self(tenant, client.get_account(request)).await?;
        let balance = answer.account.and_then(|account| account.balance);
        let balance = balance.ok_or_else(not_understood)?;
        let currency = balance.currency.parse().map_err(|_| not_understood())?;
        Ok(Money::new(balance.available_minor, currency))
    }

    /// All accounts of merchants in a currency: pending, available, reserve.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn merchant_accounts(
        &self,
        tenant: TenantId,
        currency: Currency,
    ) -> Result<Vec<MerchantAccount>, CallError> {
        let mut all = Vec::new();
        for (purpose, share) in [
            (wire::AccountPurpose::MerchantPending, Share::Pending),
            (wire::AccountPurpose::MerchantAvailable, Share::Available),
            (wire::AccountPurpose::MerchantReserve, Share::Reserve),
        ] {
            let found = self.accounts(tenant, (purpose, Some(currency))).await?;
            let read = |account: &wire::Account| {
                let owner = account.owner.as_ref()?;
                let version = account
                    .balance
                    .as_ref()
                    .map_or(0, |balance| balance.version);
                Some(MerchantAccount {
                    id: account.id.parse().ok()?,
                    merchant: owner.id.parse().ok()?,
                    share,
                    version: map::signed(version),
                })
            };
            all.extend(found.iter().filter_map(read));
        }
        Ok(all)
    }

    /// What each connector owes, in each currency.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn receivables(&self, tenant: TenantId) -> Result<Vec<Receivable>, CallError> {
        let purpose = wire::AccountPurpose::ConnectorReceivable;
        let found = self.accounts(tenant, (purpose, None)).await?;
        let read = |account: wire::Account| {
            Some(Receivable {
                id: account.id.parse().ok()?,
                connector: account.connector,
                currency: account.currency.parse().ok()?,
            })
        };
        Ok(found.into_iter().filter_map(read).collect())
    }

    async fn accounts(
        &self,
        tenant: TenantId,
        (purpose, currency): (wire::AccountPurpose, Option<Currency>),
    ) -> Result<Vec<wire::Account>, CallError> {
        let mut all = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let request = wire::ListAccountsRequest {
                owner: None,
                purpose: purpose.into(),
                currency: currency.map_or_else(String::new, |of| of.code().to_owned()),
                state: wire::AccountState::Unspecified.into(),
                page: Some(Page { size: PAGE, token }),
            };
            let mut client = self.client.clone();
            let answer = as_self(tenant, client.list_accounts(request)).await?;
            all.extend(answer.accounts);
            token = answer.page_info.unwrap_or_default().next_token;
            if token.is_empty() {
                return Ok(all);
            }
        }
        Err(not_understood())
    }

    /// Booked entries of an account between two heights.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn entries_between(
        &self,
        tenant: TenantId,
        account: AccountId,
        (after, until): (i64, i64),
    ) -> Result<Entries, CallError> {
        let request = wire::StatementRequest {
            basis: wire::BalanceBasis::Booked.into(),
            after_height: map::unsigned(after),
            until_height: map::unsigned(until),
            ..wire::StatementRequest::default()
        };
        self.entries(tenant, account, request, usize::MAX).await
    }

    /// Booked entries of an account by value date, up to a height; None when there are more than `most`.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn entries_within(
        &self,
        tenant: TenantId,
        account: AccountId,
        (span, height, most): (Span, i64, usize),
    ) -> Result<Option<Vec<Entry>>, CallError> {
        let request = wire::StatementRequest {
            basis: wire::BalanceBasis::Effective.into(),
            range: Some(TimeRange {
                from_at_us: span.from.as_micros(),
                until_at_us: span.until.as_micros(),
            }),
            until_height: map::unsigned(height),
            ..wire::StatementRequest::default()
        };
        let found = self.entries(tenant, account, request, most).await?.entries;
        Ok((found.len() <= most).then_some(found))
    }

    async fn entries(
        &self,
        tenant: TenantId,
        account: AccountId,
        request: wire::StatementRequest,
        most: usize,
    ) -> Result<Entries, CallError> {
        let mut all = Vec::new();
        let mut token = String::new();
        for _ in 0..PAGES {
            let request = wire::StatementRequest {
                account: Some(map::account_ref(&Account::Id(account), None)),
                page: Some(Page { size: PAGE, token }),
                ..request.clone()
            };
            let mut client = self.client.clone();
            let answer = as_self(tenant, client.statement(request)).await?;
            all.extend(answer.entries.iter().filter_map(map::entry));
            token = answer.page_info.unwrap_or_default().next_token;
            if token.is_empty() || all.len() > most {
                let version = answer.closing.map_or(0, |balance| balance.version);
                return Ok(Entries {
                    entries: all,
                    version: map::signed(version),
                });
            }
        }
        Err(not_understood())
    }

    /// What a transaction did to receivables, in whatever currency.
    ///
    /// # Errors
    /// When the ledger does not answer.
    pub(crate) async fn touched(
        &self,
        tenant: TenantId,
        (transaction, accounts): (TransactionId, &[AccountId]),
    ) -> Result<Vec<Touched>, CallError> {
        let request = wire::ListTransfersRequest {
            transaction_id: transaction.to_string(),
            page: Some(Page {
                size: PAGE,
                token: String::new(),
            }),
            ..wire::ListTransfersRequest::default()
        };
        let mut client = self.client.clone();
        let answer = match as_self(tenant, client.list_transfers(request)).await {
            Ok(answer) => answer,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let found = answer.transfers.iter();
        Ok(found
            .filter_map(|transfer| map::touched(transfer, accounts))
            .collect())
    }
}
