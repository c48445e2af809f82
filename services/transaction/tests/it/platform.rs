//! One platform for one test: the component under test on a fresh database, and the fakes around it.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use paymesh_chassis::{Host, Surface, health::Serving, migrate};
use paymesh_kernel::{Principal, Role, Writer, group_commit::GroupCommitConfig, id::MerchantId};
use paymesh_mesh::{Channel, ServerConfig, Tokens, server};
use paymesh_proto::{
    account::v1::AccountPurpose,
    merchant::v1 as merchant,
    transaction::v1::{self as wire, transaction_service_client::TransactionServiceClient},
    types::v1::{Money, OwnerKind},
};
use paymesh_testkit::{Harness, harness::Engine};
use paymesh_transaction::{Checkpoint, Config, Point, Transaction};
use tonic::{Request, Status};

use crate::fakes::{Behaviour, PLACES, World};

/// Dies at the n-th point, and stays dead.
#[derive(Debug)]
pub(crate) struct DiesAt {
    left: AtomicUsize,
}

impl DiesAt {
    pub(crate) fn new(n: usize) -> Arc<Self> {
        Arc::new(Self {
            left: AtomicUsize::new(n),
        })
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) == 0
    }
}

impl Checkpoint for DiesAt {
    fn passes(&self, _: Point) -> bool {
        let step = |left: usize| Some(left.saturating_sub(1));
        let before = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, step)
            .unwrap();
        before > 1
    }
}

/// The platform.
pub(crate) struct Platform {
    pub(crate) harness: Harness,
    pub(crate) world: World,
    pub(crate) config: Config,
    pub(crate) alice: Principal,
    pub(crate) bob: Principal,
    pub(crate) shop: Principal,
    pub(crate) finance: Principal,
    pub(crate) shop_id: MerchantId,
}

pub(crate) const ALICE_USD: &str = "acct_01h455vb4pex5vsknk084sn0a1";
pub(crate) const BOB_USD: &str = "acct_01h455vb4pex5vsknk084sn0b1";
pub(crate) const BOB_EUR: &str = "acct_01h455vb4pex5vsknk084sn0b2";
pub(crate) const PENDING: &str = "acct_01h455vb4pex5vsknk084sn0c1";
pub(crate) const AVAILABLE: &str = "acct_01h455vb4pex5vsknk084sn0c2";
pub(crate) const RESERVE: &str = "acct_01h455vb4pex5vsknk084sn0c3";
pub(crate) const CARD: &str = "pm_01h455vb4pex5vsknk084sn0d1";

impl Platform {
    /// On SQLite, with a merchant that is paid in euros.
    pub(crate) async fn new() -> Self {
        Self::on(Engine::Sqlite).await.unwrap()
    }

    pub(crate) async fn on(engine: Engine) -> Option<Self> {
        let harness = match engine {
            Engine::Sqlite => Harness::sqlite::<Transaction>(&PLACES).await,
            Engine::Postgres => Harness::postgres::<Transaction>(&PLACES).await?,
        };
        let shop_id: MerchantId = harness.platform.ids.next();
        let mut shop = harness.person(Role::Merchant);
        shop.merchant = Some(shop_id);
        let platform = Self {
            alice: harness.person(Role::Customer),
            bob: harness.person(Role::Customer),
            finance: harness.person(Role::Finance),
            shop,
            shop_id,
            world: World::default(),
            config: Config {
                poll_ms: 20,
                wait_ms: 3_000,
                backoff_first_ms: 10,
                backoff_max_ms: 50,
                ..Config::default()
            },
            harness,
        };
        platform.furnish();
        platform.world.attach(&platform.harness);
        Some(platform)
    }

    fn furnish(&self) {
        let mut ledger = self.world.ledger.lock();
        let balance = AccountPurpose::CustomerBalance;
        ledger.open(
            ALICE_USD,
            (OwnerKind::User, &self.alice.subject),
            balance,
            (50_000, "USD"),
        );
        ledger.open(
            BOB_USD,
            (OwnerKind::User, &self.bob.subject),
            balance,
            (0, "USD"),
        );
        ledger.open(
            BOB_EUR,
            (OwnerKind::User, &self.bob.subject),
            balance,
            (0, "EUR"),
        );
        let shop = self.shop_id.to_string();
        for (id, purpose) in [
            (PENDING, AccountPurpose::MerchantPending),
            (AVAILABLE, AccountPurpose::MerchantAvailable),
            (RESERVE, AccountPurpose::MerchantReserve),
        ] {
            ledger.open(id, (OwnerKind::Merchant, &shop), purpose, (0, "EUR"));
        }
        let method = (self.alice.subject.clone(), Behaviour::Approves);
        self.world
            .provider
            .lock()
            .methods
            .insert(CARD.to_owned(), method);
        self.world
            .merchants
            .lock()
            .0
            .insert(shop.clone(), self.merchant(&shop));
    }

    fn merchant(&self, id: &str) -> merchant::Merchant {
        let eur = |minor| {
            Some(Money {
                minor,
                currency: "EUR".to_owned(),
            })
        };
        merchant::Merchant {
            id: id.to_owned(),
            state: merchant::MerchantState::Active.into(),
            settlement_currency: "EUR".to_owned(),
            plan: Some(merchant::Plan {
                fee_bp: 290,
                fee_fixed: eur(30),
                settlement_delay_days: 2,
                negative_balance: merchant::NegativeBalance::Refused.into(),
                chargeback_fee: eur(1_400),
                ..merchant::Plan::default()
            }),
            pending_account_id: PENDING.to_owned(),
            available_account_id: AVAILABLE.to_owned(),
            reserve_account_id: RESERVE.to_owned(),
            ..merchant::Merchant::default()
        }
    }

    /// Changes the merchant's plan for transactions that begin later.
    pub(crate) fn plan(&self, change: impl FnOnce(&mut merchant::Plan)) {
        let id = self.shop_id.to_string();
        let mut merchants = self.world.merchants.lock();
        change(merchants.0.get_mut(&id).unwrap().plan.as_mut().unwrap());
    }

    pub(crate) fn card_does(&self, behaviour: Behaviour) {
        self.world.provider.lock().methods.get_mut(CARD).unwrap().1 = behaviour;
    }

    /// Starts the component.
    pub(crate) async fn start(&mut self) {
        self.start_until(None).await;
    }

    /// Starts the component, which dies where the checkpoint says.
    pub(crate) async fn start_until(&mut self, checkpoint: Option<Arc<DiesAt>>) {
        let config = self.harness.database_of("transaction").await;
        let platform = self.harness.platform.clone();
        let database = migrate::<Transaction>(&config).await.unwrap();
        let writer = Writer::start(
            "transaction",
            GroupCommitConfig::default(),
            database.clone(),
            &platform.tasks,
        );
        let host = Host {
            name: "transaction",
            tokens: Tokens::new(
                "transaction",
                platform.keys.clone(),
                Arc::clone(&platform.clock),
            ),
            database: database.clone(),
            writer: writer.clone(),
            platform: platform.clone(),
        };
        let checkpoint = checkpoint.map(|checkpoint| -> Arc<dyn Checkpoint> { checkpoint });
        let service = paymesh_transaction::start(self.config.clone(), &host, checkpoint).unwrap();
        let Surface::Grpc(routes) = service.surface else {
            unreachable!("it serves gRPC")
        };
        let router = server::router(routes, host.tokens.clone(), &ServerConfig::default());
        platform.mesh.attach("transaction", router);
        platform
            .bus
            .start_relay("transaction", &database, &writer)
            .unwrap();
        for subscription in service.subscriptions {
            platform
                .bus
                .subscribe(subscription, &database, &writer)
                .unwrap();
        }
        platform.health.set_serving(Serving::Yes);
    }

    /// Ends the process and starts another on the same database.
    pub(crate) async fn restart(&mut self) {
        self.harness.restart().await;
        self.world.attach(&self.harness);
        self.harness
            .clock
            .advance(Duration::from_millis(self.config.lease_ms + 1));
        self.start().await;
    }

    pub(crate) fn client(&self, caller: &'static str) -> TransactionServiceClient<Channel> {
        TransactionServiceClient::new(self.harness.channel(caller, "transaction"))
    }

    pub(crate) async fn act<F: Future>(&self, who: &Principal, work: F) -> F::Output {
        self.harness.act(who, work).await
    }

    pub(crate) async fn create(
        &self,
        who: &Principal,
        request: wire::CreateTransactionRequest,
    ) -> Result<wire::CreateTransactionResponse, Status> {
        let mut client = self.client("gateway");
        self.act(who, client.create_transaction(Request::new(request)))
            .await
            .map(tonic::Response::into_inner)
    }

    pub(crate) async fn get(&self, id: &str) -> wire::Transaction {
        let mut client = self.client("gateway");
        let request = wire::GetTransactionRequest {
            transaction_id: id.to_owned(),
            wait_ms: 0,
        };
        let answer = self
            .act(&self.finance, client.get_transaction(request))
            .await
            .unwrap();
        answer.into_inner().transaction.unwrap()
    }

    /// Waits until the transaction has this status, while the clock stands.
    pub(crate) async fn is_seen(&self, id: &str, status: wire::TransactionStatus) {
        self.harness
            .eventually(&format!("{status:?} of {id}"), || async {
                self.get(id).await.status() == status
            })
            .await;
    }

    /// Waits until the transaction has this status, and moves the clock.
    pub(crate) async fn until(
        &self,
        id: &str,
        status: wire::TransactionStatus,
    ) -> wire::Transaction {
        self.harness
            .eventually(&format!("{status:?} of {id}"), || async {
                self.harness.clock.advance(Duration::from_millis(100));
                self.get(id).await.status() == status
            })
            .await;
        self.get(id).await
    }
}

pub(crate) fn money(minor: i64, currency: &str) -> Option<Money> {
    Some(Money {
        minor,
        currency: currency.to_owned(),
    })
}

fn party(party: wire::party::Party) -> Option<wire::Party> {
    Some(wire::Party { party: Some(party) })
}

pub(crate) fn account(id: &str) -> Option<wire::Party> {
    party(wire::party::Party::AccountId(id.to_owned()))
}

pub(crate) fn card() -> Option<wire::Party> {
    party(wire::party::Party::PaymentMethod(
        wire::PaymentMethodParty {
            payment_method_id: CARD.to_owned(),
            customer_id: String::new(),
        },
    ))
}

pub(crate) fn bank() -> Option<wire::Party> {
    party(wire::party::Party::Bank(wire::BankParty {
        destination_token: "bank-token".to_owned(),
    }))
}

/// A request with a key.
pub(crate) fn request(key: &str, kind: wire::TransactionKind) -> wire::CreateTransactionRequest {
    wire::CreateTransactionRequest {
        idempotency_key: key.to_owned(),
        kind: kind.into(),
        amount: money(10_000, "USD"),
        ..wire::CreateTransactionRequest::default()
    }
}

impl Platform {
    /// Alice pays the shop 100 dollars by card.
    pub(crate) fn purchase(&self, key: &str) -> wire::CreateTransactionRequest {
        wire::CreateTransactionRequest {
            payer: card(),
            payee: party(wire::party::Party::Merchant(wire::MerchantParty {
                merchant_id: self.shop_id.to_string(),
                terminal_id: String::new(),
            })),
            ..request(key, wire::TransactionKind::Purchase)
        }
    }

    /// The same, captured later.
    pub(crate) fn purchase_for_later(&self, key: &str) -> wire::CreateTransactionRequest {
        wire::CreateTransactionRequest {
            capture_method: wire::CaptureMethod::Manual.into(),
            ..self.purchase(key)
        }
    }
}

/// Alice sends Bob 100 dollars.
pub(crate) fn transfer(key: &str, to: &str) -> wire::CreateTransactionRequest {
    wire::CreateTransactionRequest {
        payer: account(ALICE_USD),
        payee: account(to),
        ..request(key, wire::TransactionKind::Transfer)
    }
}
