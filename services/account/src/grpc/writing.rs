//! Methods that change the ledger. Inherent methods of the same names as the contract's: the service calls them.

use paymesh_kernel::Principal;
use paymesh_proto::account::v1 as pb;

use super::{Grpc, asked, fields};
use crate::{
    app::OpenAccount,
    domain::{AccountKey, Bounds, account::Change},
    error::Error,
    proto,
};

impl Grpc {
    pub(super) async fn open_account(
        &self,
        principal: &Principal,
        request: pb::OpenAccountRequest,
    ) -> Result<pb::OpenAccountResponse, Error> {
        let purpose = fields::purpose("purpose", request.purpose)?;
        let currency = fields::currency("currency", &request.currency)?;
        let owner = fields::owner("owner", request.owner.as_ref())?;
        let key = AccountKey::try_new(
            principal.tenant,
            owner,
            purpose,
            currency,
            &request.connector,
        )
        .map_err(|error| fields::key_error("", error))?;
        let wish = OpenAccount {
            key,
            id: fields::optional_id("account_id", &request.account_id)?,
            bounds: request.bounds.map(|bounds| Bounds {
                debits_within_credits: bounds.debits_within_credits,
                credits_within_debits: bounds.credits_within_debits,
            }),
        };
        let (account, outcome) = proto::outcome(self.app.open_account(principal, wish).await?);
        Ok(pb::OpenAccountResponse {
            account: Some(proto::account(&account)),
            outcome,
        })
    }

    pub(super) async fn suspend_account(
        &self,
        principal: &Principal,
        request: pb::SuspendAccountRequest,
    ) -> Result<pb::SuspendAccountResponse, Error> {
        let (account, outcome) = self
            .change(
                principal,
                &request.account_id,
                Change::Suspend,
                &request.reason,
            )
            .await?;
        Ok(pb::SuspendAccountResponse { account, outcome })
    }

    pub(super) async fn resume_account(
        &self,
        principal: &Principal,
        request: pb::ResumeAccountRequest,
    ) -> Result<pb::ResumeAccountResponse, Error> {
        let (account, outcome) = self
            .change(
                principal,
                &request.account_id,
                Change::Resume,
                &request.reason,
            )
            .await?;
        Ok(pb::ResumeAccountResponse { account, outcome })
    }

    pub(super) async fn close_account(
        &self,
        principal: &Principal,
        request: pb::CloseAccountRequest,
    ) -> Result<pb::CloseAccountResponse, Error> {
        let (account, outcome) = self
            .change(
                principal,
                &request.account_id,
                Change::Close,
                &request.reason,
            )
            .await?;
        Ok(pb::CloseAccountResponse { account, outcome })
    }

    async fn change(
        &self,
        principal: &Principal,
        account_id: &str,
        change: Change,
        reason: &str,
    ) -> Result<(Option<pb::Account>, i32), Error> {
        let id = fields::id("account_id", account_id)?;
        let reason = fields::reason(reason)?;
        let changed = self
            .app
            .change_account(principal, id, change, reason)
            .await?;
        let (account, outcome) = proto::outcome(changed);
        Ok((Some(proto::account(&account)), outcome))
    }

    pub(super) async fn post_transfers(
        &self,
        principal: &Principal,
        request: pb::PostTransfersRequest,
    ) -> Result<pb::PostTransfersResponse, Error> {
        let groups = asked::groups(principal.tenant, &request)?;
        let results = self.app.post_transfers(principal, groups).await?;
        let fresh = results.iter().flat_map(|group| &group.transfers);
        let fresh = fresh.filter(|result| !result.already_applied);
        let height = fresh
            .filter_map(|result| result.booked)
            .map(|booked| booked.batch_height);
        let batch_height = proto::unsigned(height.max().unwrap_or(0));
        let groups = results
            .into_iter()
            .zip(request.groups)
            .map(|(result, group)| {
                let ids = group.transfers.into_iter().map(|transfer| transfer.id);
                let transfers = ids
                    .zip(result.transfers)
                    .map(|(id, result)| proto::result(id, result));
                pb::TransferGroupResult {
                    applied: result.applied,
                    transfers: transfers.collect(),
                }
            });
        Ok(pb::PostTransfersResponse {
            groups: groups.collect(),
            batch_height,
        })
    }

    pub(super) async fn close_period(
        &self,
        principal: &Principal,
        request: pb::ClosePeriodRequest,
    ) -> Result<pb::ClosePeriodResponse, Error> {
        let currency = fields::optional_currency("currency", &request.currency)?;
        let until = fields::moment("until_at_us", request.until_at_us)?
            .ok_or(Error::field("until_at_us", "must be the end of the period"))?;
        let closed = self.app.close_period(principal, currency, until).await?;
        let (period, outcome) = proto::outcome(closed);
        Ok(pb::ClosePeriodResponse {
            period: Some(proto::period(&period)),
            outcome,
        })
    }
}
