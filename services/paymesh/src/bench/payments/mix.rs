//! Which payment comes next: drawn from a fixed seed, so that two runs send the same.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use super::prepare::Prepared;

/// Two runs send the same.
const SEED: u64 = 7;
/// Captured purchases that wait to be refunded, at most.
const REFUNDABLE: usize = 10_000;
/// The business day of the payments: rates of that day come with the project.
const DAY: &str = "2026-10-30";
const DAY_SECONDS: u32 = 86_400;
/// Of a hundred payments.
const PURCHASES: u32 = 70;
const TRANSFERS: u32 = 20;
const EXCHANGED: u32 = 20;

/// What a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Purchase,
    Transfer,
    Refund,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) minor: i64,
    pub(super) currency: &'static str,
}

/// Draws payments.
#[derive(Debug)]
pub(super) struct Mix {
    prepared: Prepared,
    random: StdRng,
    refundable: Refundable,
}

/// Captured purchases that nobody refunded yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Refundable {
    waiting: Arc<Mutex<Vec<Captured>>>,
}

/// A captured purchase.
#[derive(Clone, Debug)]
struct Captured {
    transaction: String,
    minor: i64,
    currency: &'static str,
}

// === impl Refundable ===

impl Refundable {
    pub(super) fn add(&self, transaction: &str, minor: i64, currency: &'static str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < REFUNDABLE {
            waiting.push(Captured {
                transaction: transaction.to_owned(),
                minor,
                currency,
            });
        }
    }

    fn take(&self) -> Option<Captured> {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }
}

// === impl Mix ===

impl Mix {
    pub(super) fn new(prepared: Prepared) -> Self {
        Self {
            prepared,
            random: StdRng::seed_from_u64(SEED),
            refundable: Refundable::default(),
        }
    }

    pub(super) fn refundable(&self) -> Refundable {
        self.refundable.clone()
    }

    pub(super) fn next(&mut self) -> Payment {
        let dice = self.random.random_range(0..100);
        let is_exchanged = self.random.random_range(0..100) < EXCHANGED;
        if dice >= PURCHASES + TRANSFERS
            && let Some(captured) = self.refundable.take()
        {
            return refund(&captured);
        }
        if (PURCHASES..PURCHASES + TRANSFERS).contains(&dice) {
            return self.transfer(is_exchanged);
        }
        self.purchase(is_exchanged)
    }

    fn purchase(&mut self, is_exchanged: bool) -> Payment {
        let minor = self.random.random_range(500..5_000);
        let currency = if is_exchanged { "USD" } else { "EUR" };
        let card = one_of(&mut self.random, &self.prepared.cards);
        let merchant = one_of(&mut self.random, &self.prepared.merchants);
        let body = json!({
            "kind": "purchase", "amount": { "minor": minor, "currency": currency }, "business_at": self.moment(),
            "payer": { "payment_method_id": card }, "payee": { "merchant_id": merchant },
        });
        Payment {
            kind: Kind::Purchase,
            path: "/v1/transactions".to_owned(),
            body,
            minor,
            currency,
        }
    }

    fn transfer(&mut self, is_exchanged: bool) -> Payment {
        let minor = self.random.random_range(100..1_000);
        let from = one_of(&mut self.random, &self.prepared.senders);
        let receivers = if is_exchanged {
            &self.prepared.foreign_receivers
        } else {
            &self.prepared.receivers
        };
        let to = one_of(&mut self.random, receivers);
        let target = if is_exchanged { "USD" } else { "EUR" };
        let body = json!({
            "kind": "transfer", "amount": { "minor": minor, "currency": "EUR" }, "target_currency": target,
            "business_at": self.moment(), "payer": { "account_id": from }, "payee": { "account_id": to },
        });
        Payment {
            kind: Kind::Transfer,
            path: "/v1/transactions".to_owned(),
            body,
            minor,
            currency: "EUR",
        }
    }

    fn moment(&mut self) -> String {
        let second = self.random.random_range(0..DAY_SECONDS);
        format!(
            "{DAY}T{:02}:{:02}:{:02}Z",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )
    }
}

/// A quarter of what was captured, which the purchase's own share of pending always covers.
fn refund(captured: &Captured) -> Payment {
    let minor = (captured.minor / 4).max(1);
    Payment {
        kind: Kind::Refund,
        path: format!("/v1/transactions/{}/refunds", captured.transaction),
        body: json!({
            "amount": { "minor": minor, "currency": captured.currency }, "reason": "bench",
            "business_at": format!("{DAY}T23:59:59Z"),
        }),
        minor,
        currency: captured.currency,
    }
}

fn one_of(random: &mut StdRng, choices: &[String]) -> String {
    choices[random.random_range(0..choices.len())].clone()
}
