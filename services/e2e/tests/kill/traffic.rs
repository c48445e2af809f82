//! Payments that are insisted on: each with one key, sent again until there is an answer.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use paymesh_e2e::{Answer, Client, Platform};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Payments under way at once.
const WORKERS: u64 = 16;
/// How long one payment may go unanswered.
const PATIENCE: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(100);
/// What the sender has at first, in minor units.
const FUNDS: i64 = 10_000_000;

/// What a client knows of one payment.
#[derive(Clone, Debug)]
pub(crate) struct Paid {
    pub(crate) key: String,
    pub(crate) transaction: String,
    pub(crate) is_purchase: bool,
    pub(crate) minor: i64,
}

/// What payments need.
#[derive(Clone, Debug)]
struct Ground {
    client: Client,
    card: String,
    merchant: String,
    sender: String,
    receiver: String,
}

/// Payments under way.
pub(crate) struct Traffic {
    is_over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    log: Arc<Mutex<Vec<Paid>>>,
    workers: JoinSet<()>,
}

// === impl Traffic ===

impl Traffic {
    /// Makes people and a merchant, and begins.
    pub(crate) async fn start(platform: &Platform) -> Self {
        let ground = prepare(platform.client()).await;
        let mut traffic = Self {
            is_over: Arc::default(),
            answered: Arc::default(),
            log: Arc::default(),
            workers: JoinSet::new(),
        };
        for worker in 0..WORKERS {
            let (ground, is_over) = (ground.clone(), Arc::clone(&traffic.is_over));
            let (answered, log) = (Arc::clone(&traffic.answered), Arc::clone(&traffic.log));
            traffic.workers.spawn(async move {
                for number in 0_u64.. {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let paid = pay(&ground, worker, number).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                    log.lock().unwrap().push(paid);
                }
            });
        }
        traffic
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends after the payments that are under way, and gives the client's log.
    pub(crate) async fn stop(mut self) -> Vec<Paid> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap();
        }
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

/// Three purchases, then a transfer.
async fn pay(ground: &Ground, worker: u64, number: u64) -> Paid {
    let is_purchase = number % 4 != 3;
    let minor = 100 + i64::try_from((worker * 7 + number * 13) % 900).unwrap();
    let amount = json!({ "minor": minor, "currency": "EUR" });
    let body = if is_purchase {
        json!({
            "kind": "purchase", "amount": amount,
            "payer": { "payment_method_id": ground.card }, "payee": { "merchant_id": ground.merchant },
        })
    } else {
        json!({
            "kind": "transfer", "amount": amount,
            "payer": { "account_id": ground.sender }, "payee": { "account_id": ground.receiver },
        })
    };
    let key = format!("kill-{worker}-{number}");
    let answer = insist(&ground.client, "/v1/transactions", &key, &body).await;
    Paid {
        transaction: answer.text("/id").to_owned(),
        key,
        is_purchase,
        minor,
    }
}

/// Sends the same again until it is answered for good.
async fn insist(client: &Client, path: &str, key: &str, body: &Value) -> Answer {
    let limit = Instant::now() + PATIENCE;
    loop {
        let last = match client.post(path, key, body.clone()).await {
            Ok(answer) if (200..300).contains(&answer.status) => return answer,
            // Under way, too many, or not there: the contract says to come again with the same key.
            Ok(answer) if [409, 429, 500, 502, 503, 504].contains(&answer.status) => {
                format!("{answer:?}")
            }
            Ok(answer) => panic!("{path} {key}: {answer:?}"),
            Err(error) => format!("{error:#}"),
        };
        assert!(
            Instant::now() < limit,
            "{path} {key} is not answered: {last}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

async fn prepare(client: Client) -> Ground {
    let tenants = client.get("/v1/tenants").await.unwrap();
    let tenant = tenants.text("/data/0/id");
    let person = async |key: &str| {
        let body = json!({
            "tenant_id": tenant, "email": format!("{key}@paymesh.example"), "name": "A Person",
            "password": "a long enough password", "country": "DE", "currency": "EUR",
        });
        insist(&client, "/v1/users", key, &body).await
    };
    let (sender, receiver) = (person("sender").await, person("receiver").await);
    let card = json!({ "customer_id": sender.text("/user/id"), "provider_token": "tok_ok_kill" });
    let card = insist(&client, "/v1/payment-methods", "card", &card).await;
    let merchant = json!({ "name": "Shop", "country": "DE", "settlement_currency": "EUR" });
    let merchant = insist(&client, "/v1/merchants", "merchant", &merchant).await;
    let ground = Ground {
        card: card.text("/id").to_owned(),
        merchant: merchant.text("/id").to_owned(),
        sender: sender.text("/account_id").to_owned(),
        receiver: receiver.text("/account_id").to_owned(),
        client,
    };
    let top_up = json!({
        "kind": "top_up", "amount": { "minor": FUNDS, "currency": "EUR" },
        "payer": { "payment_method_id": ground.card }, "payee": { "account_id": ground.sender },
    });
    let funded = insist(&ground.client, "/v1/transactions", "funds", &top_up).await;
    assert_eq!(funded.text("/status"), "completed", "{funded:?}");
    ground
}
