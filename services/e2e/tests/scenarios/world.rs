//! A platform that the scenarios of one mode share, and the people in it.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use paymesh_e2e::{Answer, Client, Platform, platform::Servers};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(25);

/// All in one, or split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    AllInOne,
    Split,
}

/// What a scenario works with.
pub(crate) struct World {
    /// Kept alive.
    _platform: Arc<Platform>,
    /// As the administrator, who also keeps the books.
    pub(crate) staff: Client,
    pub(crate) tenant: String,
}

/// A person with a wallet.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) email: String,
}

static NAMES: AtomicU64 = AtomicU64::new(1);
/// The platform ends with the last scenario that uses it.
static PLATFORMS: [Mutex<Weak<Platform>>; 2] =
    [Mutex::const_new(Weak::new()), Mutex::const_new(Weak::new())];

/// A word that nobody else uses.
pub(crate) fn unique(word: &str) -> String {
    format!(
        "{word}-{}-{}",
        std::process::id(),
        NAMES.fetch_add(1, Ordering::Relaxed)
    )
}

pub(crate) fn money(minor: i64, currency: &str) -> Value {
    json!({ "minor": minor, "currency": currency })
}

// === impl World ===

impl World {
    /// None when the mode's servers are not there and the test may be skipped.
    pub(crate) async fn of(mode: Mode) -> Option<Self> {
        let mut running = PLATFORMS[usize::from(mode == Mode::Split)].lock().await;
        let platform = match running.upgrade() {
            Some(platform) => platform,
            None => {
                let settings = settings();
                let platform = match mode {
                    Mode::AllInOne => Platform::all_in_one_with(settings).unwrap(),
                    Mode::Split => {
                        Platform::split_on(&Servers::of_tests().await?, settings).unwrap()
                    }
                };
                let platform = Arc::new(platform);
                *running = Arc::downgrade(&platform);
                platform
            }
        };
        drop(running);
        let staff = platform.client();
        let tenants = staff.get("/v1/tenants").await.unwrap();
        Some(Self {
            staff,
            tenant: tenants.text("/data/0/id").to_owned(),
            _platform: platform,
        })
    }

    /// Posts with a new key and expects success.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let answer = self.staff.post(path, &unique("key"), body).await.unwrap();
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let answer = self.staff.get(path).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer
    }

    pub(crate) async fn person(&self, currency: &str) -> Person {
        let email = format!("{}@paymesh.example", unique("person"));
        let body = json!({
            "tenant_id": self.tenant, "email": email, "name": "A Person", "password": "a long enough password",
            "country": "DE", "currency": currency,
        });
        let made = self.post("/v1/users", body).await;
        Person {
            id: made.text("/user/id").to_owned(),
            account: made.text("/account_id").to_owned(),
            email,
        }
    }

    /// A stored card of a person, as the magic token says.
    pub(crate) async fn card(&self, person: &Person, token: &str) -> String {
        let token = format!("{token}_{}", unique("c").replace('-', ""));
        let body = json!({ "customer_id": person.id, "provider_token": token });
        self.post("/v1/payment-methods", body)
            .await
            .text("/id")
            .to_owned()
    }

    pub(crate) async fn merchant(&self, currency: &str) -> String {
        let body = json!({
            "name": unique("Shop"), "country": "DE", "settlement_currency": currency, "payout_destination_token": "ben_shop",
        });
        let made = self.post("/v1/merchants", body).await;
        let id = made.text("/id").to_owned();
        self.eventually("the merchant is open", async || {
            self.get(&format!("/v1/merchants/{id}"))
                .await
                .text("/state")
                == "active"
        })
        .await;
        id
    }

    /// A purchase by card; the answer of its creation.
    pub(crate) async fn purchase(&self, card: &str, merchant: &str, amount: Value) -> Answer {
        self.post("/v1/transactions", purchase(card, merchant, amount))
            .await
    }

    /// Pays into a wallet by card.
    pub(crate) async fn top_up(&self, person: &Person, amount: Value) {
        let card = self.card(person, "tok_ok").await;
        let body = json!({
            "kind": "top_up", "amount": amount,
            "payer": { "payment_method_id": card }, "payee": { "account_id": person.account },
        });
        let answer = self.post("/v1/transactions", body).await;
        assert_eq!(answer.text("/status"), "completed", "{answer:?}");
    }

    /// What an account holds, in minor units.
    pub(crate) async fn balance(&self, account: &str) -> i64 {
        let answer = self.get(&format!("/v1/accounts/{account}")).await;
        answer.number("/balance/available_minor").unwrap()
    }

    /// What accounts of an owner hold, by purpose.
    pub(crate) async fn held(&self, owner: &str, kind: &str, purpose: &str, currency: &str) -> i64 {
        let query =
            format!("owner_kind={kind}&owner_id={owner}&purpose={purpose}&currency={currency}");
        let answer = self.get(&format!("/v1/accounts?{query}")).await;
        answer
            .number("/data/0/balance/booked_minor")
            .unwrap_or_default()
    }

    pub(crate) async fn status(&self, transaction: &str) -> String {
        self.get(&format!("/v1/transactions/{transaction}"))
            .await
            .text("/status")
            .to_owned()
    }

    pub(crate) async fn ends_as(&self, transaction: &str, status: &str) {
        self.eventually(&format!("{transaction} is {status}"), async || {
            self.status(transaction).await == status
        })
        .await;
    }

    /// Debits equal credits in every currency.
    pub(crate) async fn assert_balanced(&self) {
        let answer = self.get("/v1/ledger/trial-balance").await;
        let totals = answer.body["totals"].as_array().unwrap();
        assert!(
            !totals.is_empty() && totals.iter().all(|total| total["balanced"] == true),
            "{answer:?}"
        );
    }

    pub(crate) async fn eventually(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let limit = Instant::now() + PATIENCE;
        while !is_so().await {
            assert!(
                Instant::now() < limit,
                "not after {} s: {what}",
                PATIENCE.as_secs()
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
}

pub(crate) fn purchase(card: &str, merchant: &str, amount: Value) -> Value {
    json!({
        "kind": "purchase", "amount": amount,
        "payer": { "payment_method_id": card }, "payee": { "merchant_id": merchant },
    })
}

/// A provider that does not answer is asked again soon, so that scenarios are short.
fn settings() -> paymesh_e2e::platform::Settings {
    [
        (
            "PAYMENT__SETTINGS__CONNECTORS__SIMULATED__TIMEOUT_MS",
            "1000",
        ),
        ("PAYMENT__SETTINGS__RESOLVE__FIRST_MS", "100"),
    ]
    .into_iter()
    .map(|(name, value)| (format!("PAYMESH__{name}"), value.to_owned()))
    .collect()
}
