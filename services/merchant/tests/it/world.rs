//! A running component, and short words for what tests do with it.

use std::time::Duration;

use paymesh_bus::{Tail, Tailed};
use paymesh_kernel::{Principal, Role, id::MerchantId};
use paymesh_merchant::{Merchant, Settings};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::merchant::v1::{
    self as wire, RegisterRequest, RegisterResponse, merchant_service_client::MerchantServiceClient,
};
use paymesh_proto::user::v1::TenantMode;
use paymesh_testkit::Harness;
use tonic::{Response, Status};
use uuid::Uuid;

use crate::fakes::Others;

pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) others: Others,
}

/// The same world on each engine there is.
pub(crate) async fn worlds() -> Vec<World> {
    let places = ["account", "user", "gateway", "transaction"];
    let mut harnesses = vec![Harness::sqlite::<Merchant>(&places).await];
    harnesses.extend(Harness::postgres::<Merchant>(&places).await);
    let mut worlds = Vec::new();
    for harness in harnesses {
        let mut world = World {
            harness,
            others: Others::default(),
        };
        world.others.books(|books| books.mode = TenantMode::Sandbox);
        world.start().await;
        worlds.push(world);
    }
    worlds
}

impl World {
    async fn start(&mut self) {
        self.harness.fake("account", self.others.account());
        self.harness.fake("user", self.others.user());
        let settings = Settings {
            poll_ms: 10,
            ..Settings::default()
        };
        self.harness.launch::<Merchant>(settings).await;
    }

    /// The process ends and another one begins.
    pub(crate) async fn restart(&mut self) {
        self.harness.restart().await;
        self.start().await;
    }

    /// Calls as `principal`, through the component `caller`.
    pub(crate) async fn call_from<T, F>(
        &self,
        caller: &'static str,
        principal: &Principal,
        call: impl FnOnce(MerchantServiceClient<Channel>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let call = call(MerchantServiceClient::new(
            self.harness.channel(caller, "merchant"),
        ));
        let answer = self.harness.act(principal, call).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    /// Calls through the gateway as `principal`.
    pub(crate) async fn call<T, F>(
        &self,
        principal: &Principal,
        call: impl FnOnce(MerchantServiceClient<Channel>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call_from("gateway", principal, call).await
    }

    pub(crate) fn admin(&self) -> Principal {
        self.harness.person(Role::Admin)
    }

    /// Somebody who works for a merchant.
    pub(crate) fn owner(&self, merchant: &wire::Merchant) -> Principal {
        Principal {
            merchant: Some(merchant.id.parse().unwrap()),
            ..self.harness.person(Role::Merchant)
        }
    }

    pub(crate) fn new_id(&self) -> MerchantId {
        self.harness.platform.ids.next()
    }

    pub(crate) fn request(&self, id: MerchantId) -> RegisterRequest {
        RegisterRequest {
            merchant_id: id.to_string(),
            name: "Shop".to_owned(),
            country: "DE".to_owned(),
            settlement_currency: "EUR".to_owned(),
            payout_destination_token: "ba_1".to_owned(),
        }
    }

    pub(crate) async fn register(
        &self,
        request: RegisterRequest,
    ) -> Result<RegisterResponse, CallError> {
        self.call(&self.admin(), |mut client| async move {
            client.register(request).await
        })
        .await
    }

    /// A registered merchant.
    pub(crate) async fn merchant(&self) -> wire::Merchant {
        self.register(self.request(self.new_id()))
            .await
            .unwrap()
            .merchant
            .unwrap()
    }

    pub(crate) async fn get(
        &self,
        principal: &Principal,
        id: &str,
    ) -> Result<wire::Merchant, CallError> {
        let request = wire::GetMerchantRequest {
            merchant_id: id.to_owned(),
        };
        let answer = self
            .call(principal, |mut client| async move {
                client.get_merchant(request).await
            })
            .await?;
        Ok(answer.merchant.unwrap())
    }

    /// Follows the facts that are published from now on.
    pub(crate) async fn facts(&self) -> Facts {
        Facts(self.harness.platform.bus.tail("merchant").await.unwrap())
    }
}

/// The reason of a refused call.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    result.unwrap_err().reason_text().to_owned()
}

/// Facts as they are published.
pub(crate) struct Facts(Tail);

impl Facts {
    /// The next `count` facts about a merchant: kind, sequence and payload.
    pub(crate) async fn about(
        &mut self,
        merchant: &str,
        count: usize,
    ) -> Vec<(String, i64, Vec<u8>)> {
        let wanted: Uuid = merchant.parse::<MerchantId>().unwrap().as_uuid();
        let mut found = Vec::new();
        while found.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next());
            let Some(Tailed::Event(event)) = next.await.expect("a fact in ten seconds") else {
                panic!("no facts are left out");
            };
            if event.aggregate_id == wanted {
                found.push((
                    event.kind.to_string(),
                    event.sequence,
                    event.payload.clone(),
                ));
            }
        }
        found
    }
}
