//! A running component with its first access, and short words for what tests do with it.

use std::time::Duration;

use paymesh_bus::{Tail, Tailed};
use paymesh_chassis::Section;
use paymesh_kernel::{
    Principal, Role,
    id::{TenantId, UserId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::user::v1::{
    self as wire, LoginRequest, RegisterRequest, RegisterResponse, TokenPair,
    user_service_client::UserServiceClient,
};
use paymesh_testkit::Harness;
use paymesh_user::{FirstAccess, Settings, User, first_access};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::fakes::Others;

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const EMAIL: &str = "anna@example.com";

pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) others: Others,
    pub(crate) access: FirstAccess,
    pub(crate) settings: Settings,
}

/// Cheap hashes, and nobody waits for a poll.
pub(crate) fn settings() -> Settings {
    Settings {
        password_memory_kib: 8,
        password_passes: 1,
        poll_ms: 10,
        ..Settings::default()
    }
}

/// The same world on each engine there is.
pub(crate) async fn worlds() -> Vec<World> {
    worlds_with(settings(), |access| access).await
}

pub(crate) async fn worlds_with(
    settings: Settings,
    adapt: fn(FirstAccess) -> FirstAccess,
) -> Vec<World> {
    let places = ["account", "payment", "gateway", "merchant", "notification"];
    let mut harnesses = vec![Harness::sqlite::<User>(&places).await];
    harnesses.extend(Harness::postgres::<User>(&places).await);
    let mut worlds = Vec::new();
    for mut harness in harnesses {
        let mut access = FirstAccess::sandbox(&harness.platform.ids);
        access.tenant_id = harness.tenant;
        let access = adapt(access);
        let section = Section {
            database: harness.database_of("user").await,
            settings: settings.clone(),
            ..Section::default()
        };
        let file = harness.platform.data_dir.join("first-access.json");
        let found = first_access(&section, &harness.platform, &file, &access)
            .await
            .unwrap();
        assert!(found.is_new);
        let mut world = World {
            harness,
            others: Others::default(),
            access,
            settings: settings.clone(),
        };
        world.start().await;
        worlds.push(world);
    }
    worlds
}

impl World {
    async fn start(&mut self) {
        self.harness.fake("account", self.others.account());
        self.harness.fake("payment", self.others.payment());
        self.harness.launch::<User>(self.settings.clone()).await;
    }

    /// The process ends and another one begins.
    pub(crate) async fn restart(&mut self) {
        self.harness.restart().await;
        self.start().await;
    }

    pub(crate) fn tenant(&self) -> TenantId {
        self.harness.tenant
    }

    pub(crate) fn gateway(&self) -> UserServiceClient<Channel> {
        UserServiceClient::new(self.harness.channel("gateway", "user"))
    }

    /// Calls through the gateway as `principal`.
    pub(crate) async fn call<T, F>(
        &self,
        principal: &Principal,
        call: impl FnOnce(UserServiceClient<Channel>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let call = call(self.gateway());
        let answer = self.harness.act(principal, call).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    pub(crate) fn request(&self, key: &str, email: &str) -> RegisterRequest {
        RegisterRequest {
            idempotency_key: key.to_owned(),
            tenant_id: self.tenant().to_string(),
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            name: "Anna Example".to_owned(),
            country: "DE".to_owned(),
            currency: "EUR".to_owned(),
            consents: vec![wire::Consent {
                purpose: wire::ConsentPurpose::Terms.into(),
                granted: true,
                version: "2026-01".to_owned(),
                recorded_at_us: 0,
            }],
        }
    }

    pub(crate) async fn register(
        &self,
        request: RegisterRequest,
    ) -> Result<RegisterResponse, CallError> {
        let answer = self.gateway().register(request).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    /// A customer named Anna.
    pub(crate) async fn anna(&self) -> (wire::User, Principal) {
        self.customer(EMAIL).await
    }

    pub(crate) async fn customer(&self, email: &str) -> (wire::User, Principal) {
        let user = self
            .register(self.request(email, email))
            .await
            .unwrap()
            .user
            .unwrap();
        let principal = Principal {
            tenant: self.tenant(),
            subject: user.id.clone(),
            roles: vec![Role::Customer],
            merchant: None,
        };
        (user, principal)
    }

    pub(crate) fn admin(&self) -> Principal {
        self.harness.person(Role::Admin)
    }

    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<TokenPair, CallError> {
        let request = LoginRequest {
            tenant_id: self.tenant().to_string(),
            email: email.to_owned(),
            password: password.to_owned(),
        };
        let answer = self.gateway().login(request).await?;
        Ok(answer.into_inner().tokens.unwrap())
    }

    pub(crate) async fn refresh(&self, token: &str) -> Result<TokenPair, CallError> {
        let request = wire::RefreshRequest {
            refresh_token: token.to_owned(),
        };
        let answer = self.gateway().refresh(request).await?;
        Ok(answer.into_inner().tokens.unwrap())
    }

    pub(crate) async fn user(
        &self,
        principal: &Principal,
        id: &str,
    ) -> Result<wire::User, CallError> {
        let request = wire::GetUserRequest {
            user_id: id.to_owned(),
        };
        let answer = self
            .call(principal, |mut client| async move {
                client.get_user(request).await
            })
            .await?;
        Ok(answer.user.unwrap())
    }

    /// Follows the facts that are published from now on.
    pub(crate) async fn facts(&self) -> Facts {
        Facts(self.harness.platform.bus.tail("user").await.unwrap())
    }
}

/// The reason of a refused call.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    result.unwrap_err().reason_text().to_owned()
}

/// Facts as they are published.
pub(crate) struct Facts(Tail);

impl Facts {
    /// The next `count` facts about an aggregate: kind, sequence and payload.
    pub(crate) async fn about(
        &mut self,
        aggregate: Uuid,
        count: usize,
    ) -> Vec<(String, i64, Vec<u8>)> {
        let mut found = Vec::new();
        while found.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next());
            let Some(Tailed::Event(event)) = next.await.expect("a fact in ten seconds") else {
                panic!("no facts are left out");
            };
            if event.aggregate_id == aggregate {
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

/// The id of a user as events name it.
pub(crate) fn uuid_of(user: &str) -> Uuid {
    user.parse::<UserId>().unwrap().as_uuid()
}
