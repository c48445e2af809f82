//! Simulators in temporary folders, a client for them, and a receiver of webhooks.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use paymesh_simulators::bank::{self, Bank};
use paymesh_simulators::provider::{self, Provider, WebhookTarget};
use paymesh_simulators::{Clock, Handle};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

pub(crate) const API_KEY: &str = "a key for tests";
pub(crate) const WEBHOOK_SECRET: &str = "a secret for tests";
/// 2026-03-02T10:00:00Z.
const START_MICROS: i64 = 1_772_445_600_000_000;
/// A caller that is left hanging gives up after this long.
const PATIENCE: Duration = Duration::from_millis(300);

/// A clock that stands until it is moved.
#[derive(Clone, Debug)]
pub(crate) struct HandClock(Arc<AtomicI64>);

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A caller of one simulator.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    client: reqwest::Client,
    url: String,
}

/// A webhook as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) signature: String,
    pub(crate) body: String,
}

/// What a receiver's handler works with.
#[derive(Clone)]
struct Desk {
    sender: mpsc::UnboundedSender<Delivery>,
    refusals: Arc<AtomicI64>,
}

/// Receives webhooks; refuses the first few.
pub(crate) struct Receiver {
    pub(crate) url: String,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    _server: JoinSet<()>,
}

// === impl HandClock ===

impl HandClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START_MICROS)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Clock::new(move || now.load(Ordering::SeqCst))
    }
}

// === impl Reply ===

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.headers
            .get("idempotent-replayed")
            .is_some_and(|value| value == "true")
    }

    /// The JSON body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// Checks a refusal.
    #[track_caller]
    pub(crate) fn expect_problem(&self, status: u16, code: &str) {
        let problem = self.expect(status);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["outcome"], "not_processed");
    }
}

// === impl Caller ===

impl Caller {
    pub(crate) fn new(handle: &Handle) -> Self {
        Self::at(handle.url())
    }

    pub(crate) fn at(url: String) -> Self {
        Self {
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            url,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body))
            .await
            .unwrap()
    }

    pub(crate) async fn post_with_key(&self, path: &str, key: &str, body: &Value) -> Reply {
        self.try_post_with_key(path, key, body).await.unwrap()
    }

    pub(crate) async fn try_post_with_key(
        &self,
        path: &str,
        key: &str,
        body: &Value,
    ) -> reqwest::Result<Reply> {
        self.send(
            self.request(Method::POST, path)
                .header("idempotency-key", key)
                .json(body),
        )
        .await
    }

    /// Expects no answer: neither within the caller's patience, nor at all.
    pub(crate) async fn post_in_vain(&self, path: &str, key: &str, body: &Value) -> reqwest::Error {
        let request = self
            .request(Method::POST, path)
            .header("idempotency-key", key)
            .json(body);
        self.send(request.timeout(PATIENCE)).await.unwrap_err()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(API_KEY)
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply {
            status,
            headers,
            text: response.text().await?,
        })
    }

    /// Pays with a token and expects it to work.
    pub(crate) async fn pay(&self, token: &str, reference: &str) -> Value {
        self.post("/v1/payments", &payment(token, reference))
            .await
            .expect(201)
    }

    pub(crate) async fn run_timers(&self) {
        self.post("/v1/simulate/timers", &json!({}))
            .await
            .expect(200);
    }

    /// Every fact of the record.
    pub(crate) async fn record(&self) -> Vec<Value> {
        let (mut facts, mut after) = (Vec::new(), 0);
        loop {
            let page = self
                .get(&format!("/v1/record?limit=7&after={after}"))
                .await
                .expect(200);
            facts.extend(page["data"].as_array().unwrap().iter().cloned());
            after = page["next_after"].as_u64().unwrap();
            if page["has_more"] == false {
                return facts;
            }
        }
    }

    /// The rows of a CSV answer, as objects.
    pub(crate) async fn csv(&self, path: &str) -> (Vec<Value>, HeaderMap) {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let mut reader = csv::Reader::from_reader(reply.text.as_bytes());
        let rows = reader.deserialize().map(|row| {
            let row: BTreeMap<String, String> = row.unwrap();
            let value = |text: String| text.parse::<i64>().map_or(Value::from(text), Value::from);
            Value::Object(
                row.into_iter()
                    .map(|(head, text)| (head, value(text)))
                    .collect(),
            )
        });
        (rows.collect(), reply.headers)
    }
}

// === impl Receiver ===

impl Receiver {
    /// Refuses the first `refusals` deliveries.
    pub(crate) async fn start(refusals: i64) -> Self {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let refusals = Arc::new(AtomicI64::new(refusals));
        let state = Desk { sender, refusals };
        let router = Router::new()
            .route("/hooks", post(receive))
            .with_state(state);
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            deliveries,
            _server: server,
        }
    }

    pub(crate) fn target(&self) -> WebhookTarget {
        WebhookTarget {
            url: self.url.clone(),
            secret: SecretString::from(WEBHOOK_SECRET),
        }
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        let next = tokio::time::timeout(Duration::from_secs(20), self.deliveries.recv());
        next.await.expect("a webhook arrives").unwrap()
    }

    pub(crate) async fn next_json(&mut self) -> Value {
        serde_json::from_str(&self.next().await.body).unwrap()
    }
}

// === free functions ===

async fn receive(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers["paymesh-simulator-signature"]
        .to_str()
        .unwrap()
        .to_owned();
    let body = String::from_utf8(body.to_vec()).unwrap();
    // The test may have ended and dropped its end.
    let sent = desk.sender.send(Delivery { signature, body });
    if sent.is_ok() && desk.refusals.fetch_sub(1, Ordering::SeqCst) <= 0 {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

pub(crate) fn provider_config(folder: &Path) -> provider::Config {
    provider::Config::new(
        folder.to_owned(),
        SecretString::from(API_KEY),
        HandClock::new().clock(),
    )
}

pub(crate) fn bank_config(folder: &Path) -> bank::Config {
    bank::Config::new(
        folder.to_owned(),
        SecretString::from(API_KEY),
        HandClock::new().clock(),
    )
}

pub(crate) async fn start_provider(config: provider::Config) -> (Handle, Caller) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle = Provider::start(config, listener).await.unwrap();
    let caller = Caller::new(&handle);
    (handle, caller)
}

pub(crate) async fn start_bank(config: bank::Config) -> (Handle, Caller) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle = Bank::start(config, listener).await.unwrap();
    let caller = Caller::new(&handle);
    (handle, caller)
}

/// A payment of 100.00 EUR, captured at once.
pub(crate) fn payment(token: &str, reference: &str) -> Value {
    json!({ "amount": eur(10_000), "token": token, "reference": reference })
}

/// The same, captured by hand.
pub(crate) fn manual(token: &str, reference: &str) -> Value {
    json!({ "amount": eur(10_000), "token": token, "reference": reference, "capture_method": "manual" })
}

pub(crate) fn eur(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "EUR" })
}

pub(crate) fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}
