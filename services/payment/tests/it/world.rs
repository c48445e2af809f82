//! The component, the simulated provider, the gate between them, and the way back for webhooks.

mod books;
mod calls;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use paymesh_chassis::Secret;
use paymesh_kernel::{
    Ids, Principal, Role,
    id::{TenantId, UserId},
};
use paymesh_mesh::{Channel, Keys};
use paymesh_payment::{Config, config::ConnectorConfig};
use paymesh_proto::{
    payment::v1::{self as proto, payment_service_client::PaymentServiceClient},
    types::v1::Money,
};
use paymesh_simulators::{
    Clock, Handle,
    provider::{Config as ProviderConfig, Provider, WebhookTarget},
};
use paymesh_testkit::{FakeClock, TestDatabase};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::mpsc};

use crate::{
    gate::Gate,
    life::{Estate, Life},
};

pub(crate) const API_KEY: &str = "provider-key";
pub(crate) const WEBHOOK_SECRET: &str = "webhook-secret";
/// Long enough for a busy machine, short enough for many time-outs.
const CALL_TIMEOUT_MS: u64 = 1_500;
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Client = PaymentServiceClient<Channel>;

/// A webhook on its way.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) headers: Vec<proto::WebhookHeader>,
    pub(crate) body: Vec<u8>,
}

/// Everything a test needs.
pub(crate) struct World {
    pub(crate) clock: FakeClock,
    pub(crate) ids: Ids,
    pub(crate) tenant: TenantId,
    pub(crate) gate: Gate,
    pub(crate) life: Life,
    /// Webhooks as they come from the provider; a test hands them on when and as often as it likes.
    pub(crate) webhooks: Mutex<mpsc::UnboundedReceiver<Delivery>>,
    provider: Handle,
    database: TestDatabase,
    estate: Estate,
    lives: u32,
    folder: tempfile::TempDir,
    http: reqwest::Client,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        Self::new(TestDatabase::sqlite().await).await
    }

    pub(crate) async fn postgres() -> Option<Self> {
        Some(Self::new(TestDatabase::postgres().await?).await)
    }

    async fn new(database: TestDatabase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = FakeClock::new();
        let ids = Ids::new(Arc::new(clock.clone()));
        let (hook_url, webhooks) = receiver().await;
        let provider = provider(folder.path(), &clock, hook_url).await;
        let gate = Gate::start(provider.url()).await;
        let estate = Estate {
            clock: clock.clone(),
            ids: ids.clone(),
            keys: Keys::ephemeral().unwrap(),
            database: database.config.clone(),
            config: config(&gate.url),
        };
        Self {
            life: Life::begin(estate.clone(), folder.path(), 0).await,
            tenant: ids.next(),
            clock,
            ids,
            gate,
            webhooks: Mutex::new(webhooks),
            provider,
            database,
            estate,
            lives: 0,
            folder,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    /// Kills the component and starts it anew on the same database.
    pub(crate) async fn rise_again(&mut self) {
        self.life.kill();
        self.lives += 1;
        self.life = Life::begin(self.estate.clone(), self.folder.path(), self.lives).await;
    }

    pub(crate) fn transaction(&self) -> Principal {
        Principal::component(self.tenant, "transaction")
    }

    pub(crate) fn person(&self, role: Role) -> Principal {
        Principal {
            tenant: self.tenant,
            subject: self.ids.next::<UserId>().to_string(),
            roles: vec![role],
            merchant: None,
        }
    }
}

/// A turn for everybody else: the resolver looks every few milliseconds, and there is nothing else to wait on.
pub(crate) async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

pub(crate) fn eur(minor: i64) -> Money {
    Money {
        minor,
        currency: "EUR".to_owned(),
    }
}

/// Reads a fact's payload.
pub(crate) fn read<F: prost::Message + Default>(payload: &[u8]) -> F {
    F::decode(payload).unwrap()
}

fn config(url: &str) -> Config {
    let connector = ConnectorConfig {
        url: url.to_owned(),
        api_key: Secret::new(API_KEY),
        webhook_secret: Secret::new(WEBHOOK_SECRET),
        timeout_ms: CALL_TIMEOUT_MS,
        retry_first_ms: 5,
        retry_max_ms: 50,
        ..ConnectorConfig::default()
    };
    let mut config = Config::default();
    config.connectors.insert("simulated".to_owned(), connector);
    config.resolve.poll_ms = 10;
    config.resolve.first_ms = 100;
    config.webhooks.grace_ms = 0;
    config
}

async fn provider(folder: &std::path::Path, clock: &FakeClock, hook_url: String) -> Handle {
    let time = clock.clone();
    let clock = Clock::new(move || paymesh_kernel::Clock::now(&time).as_micros());
    let mut config =
        ProviderConfig::new(folder.join("provider"), SecretString::from(API_KEY), clock);
    config.webhook_targets = vec![WebhookTarget {
        url: hook_url,
        secret: SecretString::from(WEBHOOK_SECRET),
    }];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Provider::start(config, listener).await.unwrap()
}

/// Where the provider posts its webhooks: as the gateway would, without judging them.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Delivery>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let router = Router::new().route("/hook", post(take)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, receiver)
}

async fn take(
    State(sender): State<mpsc::UnboundedSender<Delivery>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let header =
        |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| proto::WebhookHeader {
            name: name.as_str().to_owned(),
            value: value.to_str().unwrap_or_default().to_owned(),
        };
    let delivery = Delivery {
        headers: headers.iter().map(header).collect(),
        body: body.to_vec(),
    };
    sender.send(delivery).ok();
    StatusCode::OK
}
