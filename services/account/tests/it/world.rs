//! A running ledger, and short words for what tests do with it.

use std::time::Duration;

use paymesh_account::{Account, Settings};
use paymesh_kernel::{
    Clock as _, Principal, Role, Timestamp,
    id::{MerchantId, UserId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::{
    account::v1::{self as pb, account_service_client::AccountServiceClient},
    types::v1::{Money, Owner, OwnerKind},
};
use paymesh_testkit::Harness;
use tonic::{Response, Status};
use uuid::Uuid;

pub(crate) use pb::{
    AccountPurpose as Purpose, TransferCode as Code, TransferKind as Kind, TransferResultCode as R,
};

pub(crate) struct World {
    pub(crate) harness: Harness,
}

pub(crate) type Client = AccountServiceClient<Channel>;

/// Expiry is looked for often, because the clock is moved by hand.
pub(crate) fn settings() -> Settings {
    Settings {
        expiry_poll_ms: 10,
        ..Settings::default()
    }
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        Self::start(Harness::sqlite::<Account>(&[]).await).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::start(Harness::postgres::<Account>(&[]).await?).await)
    }

    async fn start(mut harness: Harness) -> Self {
        harness.launch::<Account>(settings()).await;
        Self { harness }
    }

    /// The process ends and another one begins.
    pub(crate) async fn restart(&mut self) {
        self.harness.restart().await;
        self.harness.launch::<Account>(settings()).await;
    }

    pub(crate) fn client(&self, caller: &'static str) -> Client {
        AccountServiceClient::new(self.harness.channel(caller, "account"))
    }

    /// A component of the platform.
    pub(crate) fn component(&self) -> Principal {
        Principal::component(self.harness.tenant, "transaction")
    }

    pub(crate) fn new_id<T: From<Uuid>>(&self) -> T {
        self.harness.platform.ids.next()
    }

    pub(crate) fn user(&self) -> Owner {
        owner(OwnerKind::User, &self.new_id::<UserId>().to_string())
    }

    pub(crate) fn merchant(&self) -> Owner {
        owner(
            OwnerKind::Merchant,
            &self.new_id::<MerchantId>().to_string(),
        )
    }

    pub(crate) fn xfer(&self) -> String {
        self.new_id::<paymesh_account::domain::TransferId>()
            .to_string()
    }

    /// Calls as `principal` through `caller`.
    pub(crate) async fn call_as<T, F>(
        &self,
        (caller, principal): (&'static str, &Principal),
        call: impl FnOnce(Client) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let call = call(self.client(caller));
        let answer = self.harness.act(principal, call).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    /// Calls as the transaction component for itself.
    pub(crate) async fn call<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let principal = self.component();
        self.call_as(("transaction", &principal), call).await
    }

    /// Calls as finance staff through the gateway.
    pub(crate) async fn staff<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let principal = self.harness.person(Role::Finance);
        self.call_as(("gateway", &principal), call).await
    }

    pub(crate) async fn open(&self, owner: Owner, purpose: Purpose, currency: &str) -> pb::Account {
        let request = pb::OpenAccountRequest {
            owner: Some(owner),
            purpose: purpose.into(),
            currency: currency.to_owned(),
            ..Default::default()
        };
        let opened = self
            .staff(|mut c| async move { c.open_account(request).await })
            .await;
        opened.unwrap().account.unwrap()
    }

    /// A customer's account with money in it.
    pub(crate) async fn funded(&self, minor: i64) -> pb::Account {
        let account = self
            .open(self.user(), Purpose::CustomerBalance, "USD")
            .await;
        if minor > 0 {
            let top_up = pb::Transfer {
                code: Code::TopUp.into(),
                ..single(
                    self.xfer(),
                    system(Purpose::BankCash),
                    by_id(&account.id),
                    minor,
                )
            };
            assert_eq!(self.one(top_up).await.code(), R::Applied);
        }
        account
    }

    pub(crate) async fn post(
        &self,
        groups: Vec<Vec<pb::Transfer>>,
    ) -> Result<pb::PostTransfersResponse, CallError> {
        let groups = groups
            .into_iter()
            .map(|transfers| pb::TransferGroup { transfers })
            .collect();
        let request = pb::PostTransfersRequest { groups };
        self.call(|mut c| async move { c.post_transfers(request).await })
            .await
    }

    pub(crate) async fn group(&self, group: Vec<pb::Transfer>) -> pb::TransferGroupResult {
        self.post(vec![group]).await.unwrap().groups.remove(0)
    }

    pub(crate) async fn one(&self, transfer: pb::Transfer) -> pb::TransferResult {
        self.group(vec![transfer]).await.transfers.remove(0)
    }

    pub(crate) async fn account(&self, id: &str) -> pb::Account {
        let account_id = id.to_owned();
        let found = self
            .call(|mut c| async move { c.get_account(pb::GetAccountRequest { account_id }).await })
            .await;
        found.unwrap().account.unwrap()
    }

    /// Debits pending and posted, credits pending and posted.
    pub(crate) async fn sums(&self, id: &str) -> [i64; 4] {
        sums(&self.account(id).await.balance.unwrap())
    }

    pub(crate) async fn transfer(&self, id: &str) -> pb::BookedTransfer {
        let transfer_id = id.to_owned();
        let found = self
            .call(
                |mut c| async move { c.get_transfer(pb::GetTransferRequest { transfer_id }).await },
            )
            .await;
        found.unwrap().transfer.unwrap()
    }

    pub(crate) async fn as_of(&self, request: pb::BalanceAsOfRequest) -> pb::BalanceAsOfResponse {
        self.staff(|mut c| async move { c.balance_as_of(request).await })
            .await
            .unwrap()
    }

    pub(crate) async fn head(&self) -> pb::BatchHead {
        let request = pb::GetBatchHeadRequest::default();
        let head = self
            .staff(|mut c| async move { c.get_batch_head(request).await })
            .await;
        head.unwrap().head.unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.harness.clock.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.harness.clock.advance(Duration::from_secs(seconds));
    }
}

pub(crate) fn owner(kind: OwnerKind, id: &str) -> Owner {
    Owner {
        kind: kind.into(),
        id: id.to_owned(),
    }
}

pub(crate) fn sums(balance: &pb::Balance) -> [i64; 4] {
    [
        balance.debits_pending_minor,
        balance.debits_posted_minor,
        balance.credits_pending_minor,
        balance.credits_posted_minor,
    ]
}

pub(crate) fn by_id(id: &str) -> Option<pb::AccountRef> {
    Some(pb::AccountRef {
        by: Some(pb::account_ref::By::Id(id.to_owned())),
    })
}

pub(crate) fn system_in(purpose: Purpose, currency: &str) -> Option<pb::AccountRef> {
    let system = pb::SystemAccount {
        purpose: purpose.into(),
        currency: currency.to_owned(),
        ..Default::default()
    };
    Some(pb::AccountRef {
        by: Some(pb::account_ref::By::System(system)),
    })
}

pub(crate) fn system(purpose: Purpose) -> Option<pb::AccountRef> {
    system_in(purpose, "USD")
}

pub(crate) fn usd(minor: i64) -> Option<Money> {
    Some(Money {
        minor,
        currency: "USD".to_owned(),
    })
}

pub(crate) fn single(
    id: String,
    debit: Option<pb::AccountRef>,
    credit: Option<pb::AccountRef>,
    minor: i64,
) -> pb::Transfer {
    pb::Transfer {
        id,
        kind: Kind::Single.into(),
        debit,
        credit,
        amount: usd(minor),
        code: Code::Adjustment.into(),
        ..Default::default()
    }
}

pub(crate) fn pending(transfer: pb::Transfer) -> pb::Transfer {
    pb::Transfer {
        kind: Kind::Pending.into(),
        ..transfer
    }
}

pub(crate) fn ending(id: String, kind: Kind, pending_id: &str) -> pb::Transfer {
    pb::Transfer {
        id,
        kind: kind.into(),
        pending_id: pending_id.to_owned(),
        ..Default::default()
    }
}

pub(crate) fn codes(group: &pb::TransferGroupResult) -> Vec<R> {
    group
        .transfers
        .iter()
        .map(pb::TransferResult::code)
        .collect()
}
