//! Methods that change nothing. Inherent methods of the same names as the contract's: the service calls them.

use paymesh_kernel::Principal;
use paymesh_proto::account::v1 as pb;

use super::{Grpc, fields, page};
use crate::{
    app::{
        statements::{AsOf, Basis, StatementQuery},
        transfers::TransferFilter,
    },
    domain::TransferId,
    error::Error,
    proto,
    store::{Page, account::AccountFilter, report::PurposeTotal},
};

/// Most ids of a lookup.
const LOOKUP_LIMIT: usize = 1_024;

impl Grpc {
    pub(super) async fn get_account(
        &self,
        principal: &Principal,
        request: pb::GetAccountRequest,
    ) -> Result<pb::GetAccountResponse, Error> {
        let id = fields::id("account_id", &request.account_id)?;
        let account = self.app.account(principal, id).await?;
        Ok(pb::GetAccountResponse {
            account: Some(proto::account(&account)),
        })
    }

    pub(super) async fn list_accounts(
        &self,
        principal: &Principal,
        request: pb::ListAccountsRequest,
    ) -> Result<pb::ListAccountsResponse, Error> {
        let filter = AccountFilter {
            owner: fields::owner("owner", request.owner.as_ref())?,
            purpose: match request.purpose {
                0 => None,
                number => Some(fields::purpose("purpose", number)?),
            },
            currency: fields::optional_currency("currency", &request.currency)?,
            state: match request.state {
                0 => None,
                number => {
                    let state = proto::state_in(number);
                    Some(
                        state
                            .ok_or(Error::field("state", "must be active, suspended or closed"))?,
                    )
                }
            },
        };
        let wanted = page::wanted(request.page)?;
        let size = wanted.size;
        let mut accounts = self.app.accounts(principal, filter, wanted).await?;
        let page_info = page::cut(&mut accounts, size, |account| account.id);
        Ok(pb::ListAccountsResponse {
            accounts: accounts.iter().map(proto::account).collect(),
            page_info: Some(page_info),
        })
    }

    pub(super) async fn get_transfer(
        &self,
        principal: &Principal,
        request: pb::GetTransferRequest,
    ) -> Result<pb::GetTransferResponse, Error> {
        let id = fields::id("transfer_id", &request.transfer_id)?;
        let transfer = self.app.transfer(principal, id).await?;
        Ok(pb::GetTransferResponse {
            transfer: Some(proto::transfer(transfer)),
        })
    }

    pub(super) async fn lookup_transfers(
        &self,
        principal: &Principal,
        request: pb::LookupTransfersRequest,
    ) -> Result<pb::LookupTransfersResponse, Error> {
        if !(1..=LOOKUP_LIMIT).contains(&request.transfer_ids.len()) {
            return Err(Error::field("transfer_ids", "must be 1 to 1024 ids"));
        }
        let ids: Result<Vec<TransferId>, Error> = request
            .transfer_ids
            .iter()
            .map(|text| fields::id("transfer_ids", text))
            .collect();
        let ids = ids?;
        let mut found = self.app.lookup_transfers(principal, &ids).await?;
        let (mut transfers, mut missing_ids) = (Vec::new(), Vec::new());
        for id in ids {
            match found.remove(&id) {
                Some(shown) => transfers.push(proto::transfer(shown)),
                None => missing_ids.push(id.to_string()),
            }
        }
        Ok(pb::LookupTransfersResponse {
            transfers,
            missing_ids,
        })
    }

    pub(super) async fn list_transfers(
        &self,
        principal: &Principal,
        request: pb::ListTransfersRequest,
    ) -> Result<pb::ListTransfersResponse, Error> {
        let filter = TransferFilter {
            account: fields::optional_id("account_id", &request.account_id)?,
            transaction: fields::optional_id("transaction_id", &request.transaction_id)?,
            booked: fields::dates("booked", request.booked)?,
        };
        let wanted = page::wanted(request.page)?;
        let (transfers, next) = self.app.transfers(principal, filter, wanted).await?;
        Ok(pb::ListTransfersResponse {
            transfers: transfers.into_iter().map(proto::transfer).collect(),
            page_info: Some(page::info(next)),
        })
    }

    pub(super) async fn balance_as_of(
        &self,
        principal: &Principal,
        request: pb::BalanceAsOfRequest,
    ) -> Result<pb::BalanceAsOfResponse, Error> {
        let account = fields::account_ref(principal.tenant, request.account.as_ref())?;
        let as_of = match (
            fields::number("at_height", request.at_height)?,
            fields::moment("at_us", request.at_us)?,
        ) {
            (Some(height), _) => AsOf::Height(height),
            (None, Some(at)) => AsOf::Before(at),
            (None, None) => AsOf::Now,
        };
        // A height is a place in the order of booking.
        let basis = match as_of {
            AsOf::Height(_) => Basis::Booked,
            AsOf::Now | AsOf::Before(_) => fields::basis(request.basis)?,
        };
        let found = self
            .app
            .balance_as_of(principal, &account, (basis, as_of))
            .await?;
        let key = &found.account.key;
        let kind = (key.purpose(), key.currency());
        Ok(pb::BalanceAsOfResponse {
            account_id: found.account.id.to_string(),
            balance: Some(proto::balance(found.balance, kind, found.version)),
            batch_height: proto::unsigned(found.height),
        })
    }

    pub(super) async fn statement(
        &self,
        principal: &Principal,
        request: pb::StatementRequest,
    ) -> Result<pb::StatementResponse, Error> {
        let account = fields::account_ref(principal.tenant, request.account.as_ref())?;
        let query = StatementQuery {
            basis: fields::basis(request.basis)?,
            dates: fields::dates("range", request.range)?,
            after_height: fields::number("after_height", request.after_height)?.unwrap_or(0),
            until_height: fields::number("until_height", request.until_height)?,
        };
        let wanted = page::wanted(request.page)?;
        let statement = self
            .app
            .statement(principal, &account, query, wanted)
            .await?;
        let key = &statement.account.key;
        let (purpose, currency) = (key.purpose(), key.currency());
        let balance = |(sums, version)| Some(proto::balance(sums, (purpose, currency), version));
        let entries = statement
            .lines
            .into_iter()
            .map(|line| proto::entry(line, purpose));
        Ok(pb::StatementResponse {
            account_id: statement.account.id.to_string(),
            opening: balance(statement.opening),
            closing: balance(statement.closing),
            entries: entries.collect(),
            page_info: Some(page::info(statement.next)),
        })
    }

    pub(super) async fn trial_balance(
        &self,
        principal: &Principal,
        request: pb::TrialBalanceRequest,
    ) -> Result<pb::TrialBalanceResponse, Error> {
        let currency = fields::optional_currency("currency", &request.currency)?;
        let moment = (
            fields::basis(request.basis)?,
            fields::moment("at_us", request.at_us)?,
        );
        let found = self.app.trial_balance(principal, currency, moment).await?;
        let totals = found.totals.iter().map(|total| pb::TrialBalanceTotal {
            currency: total.currency.code().to_owned(),
            debits_posted_minor: total.balance.debits_posted,
            credits_posted_minor: total.balance.credits_posted,
            debits_pending_minor: total.balance.debits_pending,
            credits_pending_minor: total.balance.credits_pending,
            balanced: total.is_balanced(),
        });
        Ok(pb::TrialBalanceResponse {
            totals: totals.collect(),
            lines: found.lines.iter().map(trial_line).collect(),
            batch_height: proto::unsigned(found.height),
        })
    }

    pub(super) async fn get_batch_head(
        &self,
        _: &Principal,
        request: pb::GetBatchHeadRequest,
    ) -> Result<pb::GetBatchHeadResponse, Error> {
        let height = fields::number("height", request.height)?;
        let head = self.app.batch_head(height).await?;
        Ok(pb::GetBatchHeadResponse {
            head: Some(proto::head(&head)),
        })
    }

    pub(super) async fn list_batches(
        &self,
        _: &Principal,
        request: pb::ListBatchesRequest,
    ) -> Result<pb::ListBatchesResponse, Error> {
        let first = fields::number("after_height", request.after_height)?.unwrap_or(0);
        let wanted: Page<i64> = page::wanted(request.page)?;
        let after = Some(wanted.after.unwrap_or(0).max(first));
        let size = wanted.size;
        let mut heads = self.app.batches(Page { size, after }).await?;
        let page_info = page::cut(&mut heads, size, |head| head.height);
        Ok(pb::ListBatchesResponse {
            batches: heads.iter().map(proto::head).collect(),
            page_info: Some(page_info),
        })
    }

    pub(super) async fn prove_transfer(
        &self,
        principal: &Principal,
        request: pb::ProveTransferRequest,
    ) -> Result<pb::ProveTransferResponse, Error> {
        let id = fields::id("transfer_id", &request.transfer_id)?;
        let size = fields::number("size", request.size)?;
        let proof = self.app.prove_transfer(principal, id, size).await?;
        Ok(pb::ProveTransferResponse {
            leaf_index: proto::unsigned(proof.leaf_index),
            leaf: proof.leaf,
            audit_path: proof.path.iter().map(|hash| hash.to_vec()).collect(),
            head: Some(proto::head(&proof.head)),
        })
    }

    pub(super) async fn prove_consistency(
        &self,
        _: &Principal,
        request: pb::ProveConsistencyRequest,
    ) -> Result<pb::ProveConsistencyResponse, Error> {
        let first = fields::number("first_size", request.first_size)?.unwrap_or(0);
        let second = fields::number("second_size", request.second_size)?;
        let proof = self.app.prove_consistency(first, second).await?;
        Ok(pb::ProveConsistencyResponse {
            path: proof.path.iter().map(|hash| hash.to_vec()).collect(),
            first: Some(proto::head(&proof.first)),
            second: Some(proto::head(&proof.second)),
        })
    }

    pub(super) async fn list_periods(
        &self,
        principal: &Principal,
        request: pb::ListPeriodsRequest,
    ) -> Result<pb::ListPeriodsResponse, Error> {
        let wanted = page::wanted(request.page)?;
        let size = wanted.size;
        let mut periods = self.app.periods(principal, wanted).await?;
        let page_info = page::cut(&mut periods, size, |period| period.sequence);
        Ok(pb::ListPeriodsResponse {
            periods: periods.iter().map(proto::period).collect(),
            page_info: Some(page_info),
        })
    }
}

fn trial_line(line: &PurposeTotal) -> pb::TrialBalanceLine {
    pb::TrialBalanceLine {
        class: proto::class_out(line.purpose.class()).into(),
        purpose: proto::purpose_out(line.purpose).into(),
        currency: line.currency.code().to_owned(),
        debits_posted_minor: line.balance.debits_posted,
        credits_posted_minor: line.balance.credits_posted,
        debits_pending_minor: line.balance.debits_pending,
        credits_pending_minor: line.balance.credits_pending,
        account_count: proto::unsigned(line.accounts),
    }
}
