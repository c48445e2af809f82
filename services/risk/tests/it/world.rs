//! A running component, and short words for what tests do with it.

use std::{future::Future, time::Duration};

use paymesh_bus::Event;
use paymesh_kernel::{ChangeSet, Clock as _, Database, Principal, Role, Writer, define_id};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::{
    Fact,
    risk::v1::{self as pb, risk_service_client::RiskServiceClient},
    types::v1::{Money, Outcome},
};
use paymesh_risk::{Risk, Settings};
use paymesh_testkit::{Harness, TestDatabase};
use tonic::{Response, Status};

define_id!(
    /// A decision.
    DecisionId,
    "rd"
);
define_id!(
    /// A rule.
    RuleId,
    "rule"
);
define_id!(
    /// An entry.
    EntryId,
    "rle"
);
define_id!(
    /// A transaction.
    TransactionId,
    "txn"
);

pub(crate) type Client = RiskServiceClient<Channel>;

pub(crate) const HOUR_US: i64 = 3_600_000_000;
pub(crate) const DAY_US: i64 = 24 * HOUR_US;

pub(crate) struct World {
    pub(crate) harness: Harness,
    publisher: Option<(TestDatabase, Writer)>,
}

/// Other replicas are looked for often, because a test waits for it.
pub(crate) fn settings() -> Settings {
    Settings {
        follow_ms: 20,
        ..Settings::default()
    }
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        Self::start(Harness::sqlite::<Risk>(&[]).await).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::start(Harness::postgres::<Risk>(&[]).await?).await)
    }

    async fn start(mut harness: Harness) -> Self {
        harness.launch::<Risk>(settings()).await;
        Self {
            harness,
            publisher: None,
        }
    }

    /// The process ends and another one begins.
    pub(crate) async fn restart(&mut self) {
        self.publisher = None;
        self.harness.restart().await;
        self.harness.launch::<Risk>(settings()).await;
    }

    /// The moment of the test's clock, in microseconds.
    pub(crate) fn now_us(&self) -> i64 {
        self.harness.clock.now().as_micros()
    }

    pub(crate) fn decision_id(&self) -> String {
        self.harness.platform.ids.next::<DecisionId>().to_string()
    }

    pub(crate) fn rule_id(&self) -> String {
        self.harness.platform.ids.next::<RuleId>().to_string()
    }

    pub(crate) fn entry_id(&self) -> String {
        self.harness.platform.ids.next::<EntryId>().to_string()
    }

    pub(crate) fn client(&self, caller: &'static str) -> Client {
        RiskServiceClient::new(self.harness.channel(caller, "risk"))
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
        let answer = self.harness.act(principal, call(self.client(caller))).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    /// Calls as an administrator through the gateway.
    pub(crate) async fn staff<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let principal = self.harness.person(Role::Admin);
        self.call_as(("gateway", &principal), call).await
    }

    /// A purchase of 10.00 USD that nothing speaks against.
    pub(crate) fn purchase(&self, customer: &str) -> pb::AssessRequest {
        pb::AssessRequest {
            decision_id: self.decision_id(),
            transaction_id: self
                .harness
                .platform
                .ids
                .next::<TransactionId>()
                .to_string(),
            transaction_kind: "purchase".to_owned(),
            amount: Some(usd(1_000)),
            customer_id: customer.to_owned(),
            payment_method_id: "pm_1".to_owned(),
            payment_method_fingerprint: format!("fp_{customer}"),
            issuer_country: "DE".to_owned(),
            merchant_id: "mrc_1".to_owned(),
            terminal_id: "trm_1".to_owned(),
            country: "DE".to_owned(),
            business_at_us: self.now_us(),
            ..pb::AssessRequest::default()
        }
    }

    pub(crate) async fn try_assess(
        &self,
        request: &pb::AssessRequest,
    ) -> Result<pb::AssessResponse, CallError> {
        let principal = Principal::component(self.harness.tenant, "transaction");
        let request = request.clone();
        self.call_as(("transaction", &principal), |mut client| async move {
            client.assess(request).await
        })
        .await
    }

    pub(crate) async fn assess(&self, request: &pb::AssessRequest) -> pb::RiskDecision {
        let answer = self.try_assess(request).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::Applied);
        answer.decision.unwrap()
    }

    pub(crate) async fn explain(&self, decision_id: &str) -> pb::ExplainResponse {
        let request = pb::ExplainRequest {
            decision_id: decision_id.to_owned(),
        };
        self.staff(|mut client| async move { client.explain(request).await })
            .await
            .unwrap()
    }

    /// A feature of a decision that was made.
    pub(crate) async fn feature(&self, decision_id: &str, name: &str) -> f64 {
        let explained = self.explain(decision_id).await;
        let feature = explained
            .features
            .into_iter()
            .find(|feature| feature.name == name);
        feature.unwrap().value
    }

    /// A feature of a payment that is assessed for it.
    pub(crate) async fn probe(&self, request: &pb::AssessRequest, name: &str) -> f64 {
        let request = pb::AssessRequest {
            decision_id: self.decision_id(),
            ..request.clone()
        };
        let decision = self.assess(&request).await;
        self.feature(&decision.id, name).await
    }

    pub(crate) async fn try_put_rule(
        &self,
        request: pb::PutRuleRequest,
    ) -> Result<pb::PutRuleResponse, CallError> {
        self.staff(|mut client| async move { client.put_rule(request).await })
            .await
    }

    pub(crate) async fn put_rule(
        &self,
        name: &str,
        expression: &str,
        decision: pb::Decision,
    ) -> pb::Rule {
        let request = pb::PutRuleRequest {
            rule_id: self.rule_id(),
            name: name.to_owned(),
            expression: expression.to_owned(),
            decision: decision.into(),
            points: 10,
            priority: 500,
            state: pb::RuleState::Enabled.into(),
            expected_version: 0,
        };
        self.try_put_rule(request).await.unwrap().rule.unwrap()
    }

    pub(crate) async fn backtest(&self, request: pb::BacktestRequest) -> pb::BacktestResponse {
        self.staff(|mut client| async move { client.backtest(request).await })
            .await
            .unwrap()
    }

    /// Publishes a fact as another component of the tenant would, at a moment of business time.
    pub(crate) async fn tell<F: Fact>(
        &mut self,
        aggregate: uuid::Uuid,
        payload: &F,
        business_at_us: i64,
    ) {
        let event = Event {
            id: self.harness.platform.ids.next(),
            tenant: Some(self.harness.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: aggregate,
            sequence: 1,
            causation_id: String::new(),
            correlation_id: "test".to_owned(),
            occurred_at: self.harness.clock.now(),
            business_at: paymesh_kernel::Timestamp::from_micros(business_at_us),
            traceparent: None,
            payload: payload.encode_to_vec(),
        };
        let mut changes = ChangeSet::new();
        paymesh_bus::publish(&mut changes, event);
        self.publisher(F::COMPONENT)
            .await
            .commit(changes)
            .await
            .unwrap();
    }

    async fn publisher(&mut self, component: &'static str) -> Writer {
        if let Some((_, writer)) = &self.publisher {
            return writer.clone();
        }
        let test = TestDatabase::sqlite().await;
        let database: Database = test.database.clone();
        for migration in paymesh_bus::migrations() {
            let manager = sea_orm_migration::SchemaManager::new(database.writer());
            migration.up(&manager).await.unwrap();
        }
        let platform = &self.harness.platform;
        let writer = Writer::start(
            component,
            Default::default(),
            database.clone(),
            &platform.tasks,
        );
        platform
            .bus
            .start_relay(component, &database, &writer)
            .unwrap();
        self.publisher = Some((test, writer.clone()));
        writer
    }

    /// Waits until `done` says so.
    pub(crate) async fn eventually<F: Future<Output = bool>>(
        &self,
        what: &str,
        done: impl FnMut() -> F,
    ) {
        self.harness.eventually(what, done).await;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.harness.clock.advance(by);
    }
}

pub(crate) fn usd(minor: i64) -> Money {
    Money {
        minor,
        currency: "USD".to_owned(),
    }
}
