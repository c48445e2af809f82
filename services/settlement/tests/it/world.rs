//! A running component with a real simulated bank and provider, and short words for what tests do with it.

use std::{sync::Arc, time::Duration};

use paymesh_bus::{Event, Tail, Tailed, publish};
use paymesh_chassis::Secret;
use paymesh_kernel::{
    ChangeSet, Clock as _, Database, Principal, Role, Timestamp, Writer,
    id::{MerchantId, UserId, encode},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::{
    Fact,
    account::v1::AccountPurpose as Purpose,
    merchant::v1::{Merchant, MerchantState, Plan},
    settlement::v1::{self as wire, settlement_service_client::SettlementServiceClient},
    types::v1::{Money, Owner, OwnerKind, Page, TimeRange},
};
use paymesh_settlement::{BankSettings, Settings, Settlement};
use paymesh_simulators::{
    Clock, Handle,
    bank::{self, Bank},
    provider::{self, BankAccess, Provider},
};
use paymesh_testkit::{FakeClock, Harness, TestDatabase};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tonic::{Response, Status};
use uuid::Uuid;

use crate::fakes::{Others, PLACES};

const API_KEY: &str = "a key for tests";
/// A caller that is left hanging gives up after this time.
const PATIENCE_MS: u64 = 300;
/// How long a payout may still arrive at the bank, by the test's clock.
pub(crate) const ARRIVAL: Duration = Duration::from_secs(30);
/// The day on which the clock of tests begins.
pub(crate) const DAY: &str = "2026-01-15";

pub(crate) struct World {
    pub(crate) harness: Harness,
    pub(crate) others: Others,
    pub(crate) settings: Settings,
    pub(crate) bank: Handle,
    pub(crate) provider: Handle,
    http: reqwest::Client,
    publisher: Option<(TestDatabase, Writer)>,
    _folder: TempDir,
}

/// A merchant with its accounts.
#[derive(Clone, Debug)]
pub(crate) struct Shop {
    pub(crate) id: String,
    pub(crate) pending: String,
    pub(crate) available: String,
}

/// The same world on each engine there is.
pub(crate) async fn worlds() -> Vec<World> {
    let mut harnesses = vec![Harness::sqlite::<Settlement>(&PLACES).await];
    harnesses.extend(Harness::postgres::<Settlement>(&PLACES).await);
    let mut worlds = Vec::new();
    for harness in harnesses {
        worlds.push(World::new(harness).await);
    }
    worlds
}

/// One world, for what does not depend on the engine.
pub(crate) async fn world() -> World {
    World::new(Harness::sqlite::<Settlement>(&PLACES).await).await
}

impl World {
    async fn new(harness: Harness) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (bank, provider) = simulators(&folder, &harness.clock).await;
        let settings = Settings {
            bank: BankSettings {
                url: bank.url(),
                api_key: Secret::new(API_KEY),
                timeout_ms: PATIENCE_MS,
                arrival_ms: u64::try_from(ARRIVAL.as_millis()).unwrap(),
                ..BankSettings::default()
            },
            close_every_ms: 0,
            poll_ms: 10,
            ..Settings::default()
        };
        let mut world = Self {
            harness,
            others: Others::default(),
            settings,
            bank,
            provider,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            publisher: None,
            _folder: folder,
        };
        world.start().await;
        world
    }

    async fn start(&mut self) {
        self.others.attach(&self.harness);
        let settings = self.settings.clone();
        self.harness.launch::<Settlement>(settings).await;
    }

    /// The process ends and another one begins, perhaps with other settings.
    pub(crate) async fn restart(&mut self) {
        self.publisher = None;
        self.harness.restart().await;
        self.start().await;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.harness.clock.advance(by);
    }

    pub(crate) fn now_us(&self) -> i64 {
        self.harness.clock.now().as_micros()
    }

    /// Calls through the gateway as `principal`.
    pub(crate) async fn call<T, F>(
        &self,
        principal: &Principal,
        call: impl FnOnce(SettlementServiceClient<Channel>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let channel = self.harness.channel("gateway", "settlement");
        let call = call(SettlementServiceClient::new(channel));
        let answer = self.harness.act(principal, call).await;
        answer.map(Response::into_inner).map_err(CallError::from)
    }

    /// Calls as somebody of finance.
    pub(crate) async fn staff<T, F>(
        &self,
        call: impl FnOnce(SettlementServiceClient<Channel>) -> F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.call(&self.harness.person(Role::Finance), call).await
    }

    pub(crate) fn new_id(&self, prefix: &str) -> String {
        encode(prefix, self.harness.platform.ids.next())
    }

    /// A merchant who settles in a currency after so many days.
    pub(crate) fn shop(&self, currency: &str, days: i32) -> Shop {
        let id = self.harness.platform.ids.next::<MerchantId>().to_string();
        let mut ledger = self.others.ledger.lock();
        let mut open = |purpose| ledger.open((OwnerKind::Merchant, &id), purpose, currency);
        let shop = Shop {
            pending: open(Purpose::MerchantPending),
            available: open(Purpose::MerchantAvailable),
            id: id.clone(),
        };
        let merchant = Merchant {
            id: id.clone(),
            state: MerchantState::Active.into(),
            settlement_currency: currency.to_owned(),
            plan: Some(Plan {
                settlement_delay_days: days,
                ..Plan::default()
            }),
            pending_account_id: shop.pending.clone(),
            available_account_id: shop.available.clone(),
            payout_destination_token: "ben_acme".to_owned(),
            ..Merchant::default()
        };
        self.others.merchants.lock().known.insert(id, merchant);
        shop
    }

    /// The merchant's bank account is another one from now on.
    pub(crate) fn banks_at(&self, shop: &Shop, token: &str) {
        let mut merchants = self.others.merchants.lock();
        let merchant = merchants.known.get_mut(&shop.id).unwrap();
        token.clone_into(&mut merchant.payout_destination_token);
    }

    /// The merchant changes its bank account now.
    pub(crate) fn moves_to(&self, shop: &Shop, token: &str) {
        self.banks_at(shop, token);
        let now = self.now_us();
        let mut merchants = self.others.merchants.lock();
        let merchant = merchants.known.get_mut(&shop.id).unwrap();
        merchant.payout_destination_changed_at_us = now;
    }

    /// Somebody who works for a merchant.
    pub(crate) fn owner(&self, shop: &Shop) -> Principal {
        Principal {
            merchant: Some(shop.id.parse().unwrap()),
            ..self.harness.person(Role::Merchant)
        }
    }

    /// Puts money on an account, out of thin air.
    pub(crate) fn fund(&self, account: &str, minor: i64, currency: &str) {
        use paymesh_proto::account::v1::TransferCode;
        let mut ledger = self.others.ledger.lock();
        let suspense = ledger.system_id(Purpose::FxPosition, currency, "");
        let now = self.now_us();
        ledger.book(
            (&suspense, account),
            (TransferCode::Adjustment, minor),
            ("", now),
        );
    }

    /// Publishes a fact of transaction, in its order.
    pub(crate) async fn tell<F: Fact>(&mut self, transaction: &str, sequence: i64, fact: F) {
        let now = self.harness.clock.now();
        self.tell_at(transaction, (sequence, now), fact).await;
    }

    pub(crate) async fn tell_at<F: Fact>(
        &mut self,
        transaction: &str,
        (sequence, business_at): (i64, Timestamp),
        fact: F,
    ) {
        let event = Event {
            id: self.harness.platform.ids.next(),
            tenant: Some(self.harness.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: paymesh_kernel::id::decode("txn", transaction).unwrap(),
            sequence,
            causation_id: String::new(),
            correlation_id: String::new(),
            occurred_at: self.harness.clock.now(),
            business_at,
            traceparent: None,
            payload: fact.encode_to_vec(),
        };
        let mut changes = ChangeSet::new();
        publish(&mut changes, event);
        let writer = self.publisher(F::COMPONENT).await;
        writer.commit(changes).await.unwrap();
    }

    async fn publisher(&mut self, component: &'static str) -> Writer {
        if let Some((_, writer)) = &self.publisher {
            return writer.clone();
        }
        let test = TestDatabase::sqlite().await;
        let config = &test.config;
        let database: Database = paymesh_chassis::migrate::<Settlement>(config)
            .await
            .unwrap();
        let platform = &self.harness.platform;
        let (limits, own) = (Default::default(), database.clone());
        let writer = Writer::start(component, limits, own, &platform.tasks);
        let bus = &platform.bus;
        bus.start_relay(component, &database, &writer).unwrap();
        self.publisher = Some((test, writer.clone()));
        writer
    }

    /// Follows our own facts from now on.
    pub(crate) async fn facts(&self) -> Facts {
        Facts(self.harness.platform.bus.tail("settlement").await.unwrap())
    }

    pub(crate) async fn eventually<F: Future<Output = bool>>(
        &self,
        what: &str,
        done: impl FnMut() -> F,
    ) {
        self.harness.eventually(what, done).await;
    }
}

/// The bank and the provider.
impl World {
    async fn http(
        &self,
        method: reqwest::Method,
        url: String,
        body: Option<Value>,
    ) -> (u16, String) {
        let mut request = self.http.request(method, url).bearer_auth(API_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn at_bank(&self, path: &str, body: Option<Value>) -> Value {
        at(self, &self.bank, path, body).await
    }

    pub(crate) async fn at_provider(&self, path: &str, body: Option<Value>) -> Value {
        at(self, &self.provider, path, body).await
    }

    /// The bank's statement of the day.
    pub(crate) async fn bank_statement(&self) -> String {
        let url = format!("{}/v1/statements?date={DAY}", self.bank.url());
        self.http(reqwest::Method::GET, url, None).await.1
    }

    /// The provider's report of the day.
    pub(crate) async fn report(&self) -> String {
        let url = format!("{}/v1/reports/settlement?date={DAY}", self.provider.url());
        self.http(reqwest::Method::GET, url, None).await.1
    }
}

async fn at(world: &World, handle: &Handle, path: &str, body: Option<Value>) -> Value {
    let method = match body {
        Some(_) => reqwest::Method::POST,
        None => reqwest::Method::GET,
    };
    let url = format!("{}{path}", handle.url());
    let (status, text) = world.http(method, url, body).await;
    if status == 404 {
        return Value::Null;
    }
    assert!((200..300).contains(&status), "{status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// What tests ask of the component again and again.
impl World {
    pub(crate) async fn import(
        &self,
        kind: wire::StatementKind,
        content: &str,
    ) -> Result<wire::ImportStatementResponse, CallError> {
        let source = match kind {
            wire::StatementKind::Provider => "simulated",
            wire::StatementKind::Bank | wire::StatementKind::Unspecified => "bank",
        };
        let request = wire::ImportStatementRequest {
            kind: kind.into(),
            source: source.to_owned(),
            content: content.as_bytes().to_vec(),
        };
        self.staff(|mut client| async move { client.import_statement(request).await })
            .await
    }

    pub(crate) async fn import_bank(&self) -> wire::ImportStatementResponse {
        let content = self.bank_statement().await;
        self.import(wire::StatementKind::Bank, &content)
            .await
            .unwrap()
    }

    pub(crate) async fn import_report(&self) -> wire::ImportStatementResponse {
        let content = self.report().await;
        self.import(wire::StatementKind::Provider, &content)
            .await
            .unwrap()
    }

    pub(crate) async fn lines(&self, statement: &str) -> Vec<wire::StatementLine> {
        let request = wire::ListStatementLinesRequest {
            statement_id: statement.to_owned(),
            page: page(100),
            ..Default::default()
        };
        let answer = self
            .staff(|mut client| async move { client.list_statement_lines(request).await })
            .await;
        answer.unwrap().lines
    }

    /// Reconciles the day before and the day after now.
    pub(crate) async fn reconcile(&self, currency: &str) -> wire::Reconciliation {
        let request = wire::ReconcileRequest {
            reconciliation_id: self.new_id("rec"),
            range: Some(self.around()),
            currency: currency.to_owned(),
        };
        let answer = self
            .staff(|mut client| async move { client.reconcile(request).await })
            .await;
        answer.unwrap().reconciliation.unwrap()
    }

    pub(crate) fn around(&self) -> TimeRange {
        let day = 86_400_000_000;
        TimeRange {
            from_at_us: self.now_us() - day,
            until_at_us: self.now_us() + day,
        }
    }

    pub(crate) async fn breaks(&self) -> Vec<wire::Break> {
        let request = wire::ListBreaksRequest {
            page: page(100),
            ..Default::default()
        };
        let answer = self
            .staff(|mut client| async move { client.list_breaks(request).await })
            .await;
        answer.unwrap().breaks
    }

    pub(crate) async fn positions(&self, merchant: &str) -> Vec<wire::Position> {
        let request = wire::ListPositionsRequest {
            merchant_id: merchant.to_owned(),
            page: page(100),
            ..Default::default()
        };
        let answer = self
            .staff(|mut client| async move { client.list_positions(request).await })
            .await;
        answer.unwrap().positions
    }

    pub(crate) async fn payout(&self, id: &str) -> wire::Payout {
        let request = wire::GetPayoutRequest {
            payout_id: id.to_owned(),
        };
        let answer = self
            .staff(|mut client| async move { client.get_payout(request).await })
            .await;
        answer.unwrap().payout.unwrap()
    }

    pub(crate) async fn until_payout_is(&self, id: &str, state: wire::PayoutState) {
        self.eventually(state.as_str_name(), || async {
            self.payout(id).await.state() == state
        })
        .await;
    }
}

async fn simulators(folder: &TempDir, clock: &FakeClock) -> (Handle, Handle) {
    let now: Arc<FakeClock> = Arc::new(clock.clone());
    let clock = Clock::new(move || now.now().as_micros());
    let key = || SecretString::from(API_KEY.to_owned());
    let listen = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = bank::Config::new(folder.path().join("bank"), key(), clock.clone());
    let bank = Bank::start(config, listen().await).await.unwrap();
    let config = provider::Config {
        bank: Some(BankAccess {
            url: bank.url(),
            api_key: key(),
        }),
        ..provider::Config::new(folder.path().join("provider"), key(), clock)
    };
    let provider = Provider::start(config, listen().await).await.unwrap();
    (bank, provider)
}

pub(crate) fn page(size: i32) -> Option<Page> {
    Some(Page {
        size,
        token: String::new(),
    })
}

pub(crate) fn money(minor: i64, currency: &str) -> Option<Money> {
    Some(Money {
        minor,
        currency: currency.to_owned(),
    })
}

pub(crate) fn merchant(shop: &Shop) -> Option<Owner> {
    Some(Owner {
        kind: OwnerKind::Merchant.into(),
        id: shop.id.clone(),
    })
}

pub(crate) fn user(id: UserId) -> Option<Owner> {
    Some(Owner {
        kind: OwnerKind::User.into(),
        id: id.to_string(),
    })
}

/// A body of the simulators.
pub(crate) fn amount(minor: i64, currency: &str) -> Value {
    json!({ "minor": minor, "currency": currency })
}

/// The reason of a refused call.
pub(crate) fn reason<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    result.unwrap_err().reason_text().to_owned()
}

/// Facts as they are published.
pub(crate) struct Facts(Tail);

impl Facts {
    /// The next `count` facts of an aggregate: their kinds, in order, with contiguous sequences.
    pub(crate) async fn of(&mut self, aggregate: Uuid, count: usize) -> Vec<String> {
        let mut found = Vec::new();
        while found.len() < count {
            let next = tokio::time::timeout(Duration::from_secs(10), self.0.next());
            let Some(Tailed::Event(event)) = next.await.expect("a fact in ten seconds") else {
                panic!("no facts are left out");
            };
            if event.aggregate_id == aggregate {
                found.push(event.kind.to_string());
                assert_eq!(event.sequence, i64::try_from(found.len()).unwrap());
            }
        }
        found
    }
}
