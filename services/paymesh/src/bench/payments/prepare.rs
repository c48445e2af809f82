//! Merchants, cards and wallets that payments are made with.

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::rest::{Rest, run_name, text_at};

/// Merchants that are paid.
const MERCHANTS: u32 = 20;
/// Requests under way at once.
const AT_ONCE: usize = 8;
/// What each sender has at first, in minor units: enough for the longest run.
const FUNDS: i64 = 100_000_000;

/// Ids of everything.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// Settled in EUR.
    pub(super) merchants: Vec<String>,
    pub(super) cards: Vec<String>,
    /// Wallets in EUR that have money.
    pub(super) senders: Vec<String>,
    /// Wallets in EUR.
    pub(super) receivers: Vec<String>,
    /// Wallets in USD.
    pub(super) foreign_receivers: Vec<String>,
}

// === impl Prepared ===

impl Prepared {
    /// Makes everything anew, under keys of this run.
    ///
    /// # Errors
    /// When the platform refuses a part.
    pub(super) async fn make(rest: &Rest, cards: u32, wallets: u32) -> Result<Self> {
        let tenants = rest.get("/v1/tenants").await?.good("the tenants")?;
        let maker = Maker {
            rest,
            tenant: text_at(&tenants, "/data/0/id").to_owned(),
            run: run_name(),
        };
        let merchants = all(MERCHANTS, |index| maker.merchant(index)).await?;
        let half = wallets / 2;
        let currency_of = |index: u32| {
            if index < half || index.is_multiple_of(2) {
                "EUR"
            } else {
                "USD"
            }
        };
        let people = all(wallets, |index| maker.person(index, currency_of(index))).await?;
        let (senders, receivers) = people.split_at(usize::try_from(half)?);
        let (in_eur, in_usd): (Vec<_>, Vec<_>) = (half..wallets)
            .zip(receivers)
            .partition(|(index, _)| index % 2 == 0);
        let card_of = &senders.first().context("there is a sender")?.0;
        let cards = all(cards, |index| maker.card(card_of, index)).await?;
        let funding = cards.first().context("there is a card")?;
        let accounts: Vec<String> = senders.iter().map(|(_, account)| account.clone()).collect();
        stream::iter(accounts.iter().enumerate().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |(index, account)| {
                maker.fund(index, account, funding)
            })
            .await?;
        let accounts_of = |people: Vec<(u32, &(String, String))>| {
            people
                .into_iter()
                .map(|(_, (_, account))| account.clone())
                .collect()
        };
        Ok(Self {
            merchants,
            cards,
            senders: accounts,
            receivers: accounts_of(in_eur),
            foreign_receivers: accounts_of(in_usd),
        })
    }
}

/// Makes one thing after the other.
struct Maker<'a> {
    rest: &'a Rest,
    tenant: String,
    run: String,
}

// === impl Maker ===

impl Maker<'_> {
    async fn post(&self, path: &str, key: &str, body: Value) -> Result<Value> {
        self.rest
            .post(path, &format!("{}-{key}", self.run), &body)
            .await?
            .good(path)
    }

    async fn merchant(&self, index: u32) -> Result<String> {
        let body = json!({ "name": format!("Shop {index}"), "country": "DE", "settlement_currency": "EUR" });
        let made = self
            .post("/v1/merchants", &format!("merchant-{index}"), body)
            .await?;
        Ok(text_at(&made, "/id").to_owned())
    }

    /// The person and the wallet.
    async fn person(&self, index: u32, currency: &str) -> Result<(String, String)> {
        let body = json!({
            "tenant_id": self.tenant, "email": format!("bench-{}-{index}@paymesh.example", self.run), "name": "Bench",
            "password": format!("a bench's password {}-{index}", self.run), "country": "DE", "currency": currency,
        });
        let made = self
            .post("/v1/users", &format!("user-{index}"), body)
            .await?;
        Ok((
            text_at(&made, "/user/id").to_owned(),
            text_at(&made, "/account_id").to_owned(),
        ))
    }

    async fn card(&self, customer: &str, index: u32) -> Result<String> {
        let body = json!({ "customer_id": customer, "provider_token": format!("tok_ok_{}x{index}", self.run) });
        let made = self
            .post("/v1/payment-methods", &format!("card-{index}"), body)
            .await?;
        Ok(text_at(&made, "/id").to_owned())
    }

    async fn fund(&self, index: usize, account: &str, card: &str) -> Result<()> {
        let body = json!({
            "kind": "top_up", "amount": { "minor": FUNDS, "currency": "EUR" },
            "payer": { "payment_method_id": card }, "payee": { "account_id": account },
        });
        let made = self
            .post("/v1/transactions", &format!("fund-{index}"), body)
            .await?;
        anyhow::ensure!(
            text_at(&made, "/status") == "completed",
            "a wallet was not funded: {made}"
        );
        Ok(())
    }
}

async fn all<T, F: Future<Output = Result<T>>>(
    count: u32,
    make: impl FnMut(u32) -> F,
) -> Result<Vec<T>> {
    stream::iter(0..count)
        .map(make)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}
