//! What has to be there before the day begins: merchants, terminals, cards, a few balances, and risk's history.

use std::{future::Future, time::Instant};

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use paymesh_kernel::{Ids, Timestamp, id::UserId};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    handbook::{DAY_SECONDS, Dataset, Transaction},
    plan::Plan,
    progress::Progress,
    world::{World, country_of, index},
};
use crate::rest::{Rest, text_at};

/// Payments of one piece of history; risk takes no more at once.
const CHUNK: usize = 10_000;
/// Pieces of history under way at once.
const CHUNKS_AT_ONCE: usize = 2;
/// Registrations under way at once; each costs the platform one password hash.
const REGISTRATIONS_AT_ONCE: usize = 4;

/// What to prepare with.
#[derive(Debug)]
pub(super) struct Preparation<'a> {
    pub(super) rest: &'a Rest,
    pub(super) dataset: &'a Dataset,
    pub(super) world: &'a World,
    pub(super) plan: &'a Plan,
    /// Unique for each run; the beginning of every key.
    pub(super) run: &'a str,
    pub(super) tenant: &'a str,
    pub(super) ids: &'a Ids,
    /// Requests under way at once.
    pub(super) concurrency: usize,
    /// Days of history.
    pub(super) history: u16,
    /// The day that is played.
    pub(super) day: u16,
}

/// Ids of what was prepared, at the places of the dataset.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared {
    /// `mrc_…`
    pub(super) merchants: Vec<String>,
    /// `term_…`
    pub(super) terminals: Vec<String>,
    pub(super) customers: Vec<Customer>,
    /// Payments that risk knows from before.
    pub(super) history: usize,
    /// What the merchants' plan charges for a chargeback, in minor units.
    pub(super) chargeback_fee_minor: i64,
}

/// A customer's ids.
#[derive(Clone, Debug, Default)]
pub(super) struct Customer {
    /// `user_…`
    pub(super) id: String,
    /// `pm_…`; empty when nothing is paid by it.
    pub(super) card: String,
    /// The same card in other hands: what is paid by it is disputed.
    pub(super) stolen: String,
}

/// A past payment as risk takes it.
#[derive(Serialize)]
struct Past<'a> {
    reference: String,
    customer_id: &'a str,
    merchant_id: &'a str,
    terminal_id: &'a str,
    country: &'a str,
    amount: PastAmount,
    business_at: Timestamp,
    fraud: bool,
}

#[derive(Serialize)]
struct PastAmount {
    minor: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct Piece<'a> {
    import_id: &'a str,
    chunk: usize,
    items: Vec<Past<'a>>,
}

// === impl Preparation ===

impl Preparation<'_> {
    /// Prepares everything.
    ///
    /// # Errors
    /// When the platform refuses a part.
    pub(super) async fn run(&self, progress: &Progress) -> Result<Prepared> {
        let mut prepared = Prepared::default();
        let started = Instant::now();
        prepared.merchants = self.merchants().await?;
        prepared.chargeback_fee_minor = self.chargeback_fee(&prepared.merchants).await?;
        prepared.terminals = self.terminals(&prepared.merchants, progress).await?;
        progress.done(
            &format!(
                "{} merchants in {} countries, {} terminals",
                prepared.merchants.len(),
                super::world::COUNTRIES.len(),
                prepared.terminals.len()
            ),
            started,
        );
        let started = Instant::now();
        prepared.customers = self.customers(progress).await?;
        progress.done(
            &format!(
                "{} customers, {} of them with a balance",
                prepared.customers.len(),
                self.world.wallets
            ),
            started,
        );
        let started = Instant::now();
        prepared.history = self.history(&prepared, progress).await?;
        progress.done(
            &format!(
                "{} payments of the {} days before, for risk",
                prepared.history, self.history
            ),
            started,
        );
        Ok(prepared)
    }

    async fn merchants(&self) -> Result<Vec<String>> {
        let register = |(number, merchant): (usize, &super::world::Merchant)| {
            let body = json!({
                "name": merchant.name,
                "country": country_of(merchant.country).code,
                "settlement_currency": merchant.settlement_currency,
                "payout_destination_token": format!("ben_{}_{number}", self.run),
            });
            let key = format!("{}-merchant-{number}", self.run);
            async move { self.make("/v1/merchants", &key, &body).await }
        };
        let numbered = self.world.merchants.iter().enumerate();
        let made = ordered(numbered.map(register), self.concurrency);
        made.try_collect().await
    }

    /// Of the default plan, which all of them have.
    async fn chargeback_fee(&self, merchants: &[String]) -> Result<i64> {
        let Some(merchant) = merchants.first() else {
            return Ok(0);
        };
        let path = format!("/v1/merchants/{merchant}");
        let merchant = self.rest.get(&path).await?.good("a merchant")?;
        let fee = merchant.pointer("/plan/chargeback_fee/minor");
        Ok(fee.and_then(serde_json::Value::as_i64).unwrap_or(0))
    }

    async fn terminals(&self, merchants: &[String], progress: &Progress) -> Result<Vec<String>> {
        let count = self.world.merchant_of.len();
        let add = |(number, merchant): (usize, &usize)| {
            let merchant = merchants.get(*merchant).map_or("", String::as_str);
            let path = format!("/v1/merchants/{merchant}/terminals");
            let body = json!({ "name": format!("Terminal {number}") });
            let key = format!("{}-terminal-{number}", self.run);
            async move { self.make(&path, &key, &body).await }
        };
        let numbered = self.world.merchant_of.iter().enumerate();
        let made = ordered(numbered.map(add), self.concurrency);
        progress.counted("terminals", count, made).await
    }

    async fn customers(&self, progress: &Progress) -> Result<Vec<Customer>> {
        let count = self.dataset.customers.len();
        let mut stolen = vec![false; count];
        for (customer, purchase) in self.plan.purchases() {
            let place = index(customer).and_then(|customer| stolen.get_mut(customer));
            if let Some(place) = place {
                *place |= purchase.fraud.is_some();
            }
        }
        let wallets = ordered(
            (0..self.world.wallets).map(|number| self.register(number)),
            REGISTRATIONS_AT_ONCE,
        );
        let wallets: Vec<String> = wallets.try_collect().await?;
        let mut wallets = wallets.into_iter();
        let cards = stolen
            .into_iter()
            .zip(&self.dataset.customers)
            .map(|(stolen, customer)| {
                // Who has no balance here has no login either: an id and a card are enough to pay.
                let user = wallets
                    .next()
                    .unwrap_or_else(|| self.ids.next::<UserId>().to_string());
                self.cards(customer.id, user, stolen)
            });
        let made = ordered(cards, self.concurrency);
        progress.counted("customers", count, made).await
    }

    async fn register(&self, number: usize) -> Result<String> {
        let customer = u32::try_from(number)?;
        let home = self.world.home(customer);
        let body = json!({
            "tenant_id": self.tenant,
            "email": format!("customer-{number}@{}.example", self.run),
            "password": format!("a demo's password {}", self.ids.next::<Uuid>()),
            "name": format!("Customer {number}"),
            "country": home.code,
            "currency": home.currency,
        });
        let key = format!("{}-user-{number}", self.run);
        let answer = self.rest.post("/v1/users", &key, &body).await?;
        let made = answer.good("a customer cannot register")?;
        Ok(text_at(&made, "/user/id").to_owned())
    }

    async fn cards(&self, number: u32, user: String, stolen: bool) -> Result<Customer> {
        let country = self.world.home(number).code;
        let behaviour = self.world.card(number).token();
        let store = async |token: &str, name: &str| {
            let variant = format!("{token}_c{number}");
            let body = json!({
                "provider_token": format!("{variant}.country-{country}.fp-{}{number}", self.run.replace('-', "")),
                "customer_id": user,
            });
            let key = format!("{}-{name}-{number}", self.run);
            self.make("/v1/payment-methods", &key, &body).await
        };
        let card = store(behaviour, "card").await?;
        let stolen = if stolen {
            store("tok_chargeback", "stolen").await?
        } else {
            String::new()
        };
        Ok(Customer {
            id: user,
            card,
            stolen,
        })
    }

    async fn history(&self, prepared: &Prepared, progress: &Progress) -> Result<usize> {
        let first = self.day.saturating_sub(self.history);
        let from = self
            .dataset
            .transactions
            .partition_point(|paid| paid.day < first);
        let until = self
            .dataset
            .transactions
            .partition_point(|paid| paid.day < self.day);
        let past: Vec<&Transaction> = self
            .dataset
            .transactions
            .get(from..until)
            .unwrap_or_default()
            .iter()
            .filter(|paid| paid.amount_cents > 0)
            .collect();
        let pieces = past
            .chunks(CHUNK)
            .enumerate()
            .map(|(chunk, payments)| async move {
                let piece = Piece {
                    import_id: self.run,
                    chunk,
                    items: payments
                        .iter()
                        .enumerate()
                        .map(|(number, paid)| self.past(prepared, paid, chunk * CHUNK + number))
                        .collect(),
                };
                let key = format!("{}-history-{chunk}", self.run);
                let answer = self.rest.post("/v1/risk/history", &key, &piece).await?;
                answer.good("risk does not take the history").map(|_| ())
            });
        let count = past.len().div_ceil(CHUNK);
        let taken = ordered(pieces, CHUNKS_AT_ONCE);
        progress.counted("pieces of history", count, taken).await?;
        Ok(past.len())
    }

    fn past<'b>(&'b self, prepared: &'b Prepared, paid: &Transaction, number: usize) -> Past<'b> {
        let at = |list: &'b [String], place: Option<usize>| {
            place
                .and_then(|place| list.get(place))
                .map_or("", String::as_str)
        };
        let customer = index(paid.customer).and_then(|place| prepared.customers.get(place));
        Past {
            reference: format!("{}-{number}", self.run),
            customer_id: customer.map_or("", |customer| &customer.id),
            merchant_id: at(
                &prepared.merchants,
                Some(self.world.merchant_at(paid.terminal)),
            ),
            terminal_id: at(&prepared.terminals, index(paid.terminal)),
            country: self.world.abroad(paid.terminal).code,
            amount: PastAmount {
                minor: paid.amount_cents,
                currency: self.world.home(paid.customer).currency,
            },
            business_at: moment(self.dataset.unix_seconds(paid)),
            fraud: paid.fraud.is_some(),
        }
    }

    /// POSTs something new and answers its id.
    async fn make(&self, path: &str, key: &str, body: &serde_json::Value) -> Result<String> {
        let answer = self.rest.post(path, key, body).await?;
        let made = answer
            .good(path)
            .context("the platform refuses a part of the preparation")?;
        Ok(text_at(&made, "/id").to_owned())
    }
}

// === free functions ===

/// Unix seconds as a moment.
pub(super) fn moment(unix_seconds: i64) -> Timestamp {
    Timestamp::from_micros(unix_seconds.saturating_mul(1_000_000))
}

/// The first second of the day after.
pub(super) fn next_day(day_start: i64) -> i64 {
    day_start.saturating_add(i64::from(DAY_SECONDS))
}

/// Runs futures, so many at once, and gives what comes of them in their order.
pub(super) fn ordered<T, F>(
    work: impl Iterator<Item = F>,
    at_once: usize,
) -> impl futures::Stream<Item = Result<T>>
where
    F: Future<Output = Result<T>>,
{
    stream::iter(work).buffered(at_once.max(1))
}
