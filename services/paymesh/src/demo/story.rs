//! What the platform told of each transaction, and the money that this comes to, class by class.
//!
//! The same reading is used for the answers that came while playing and for what the databases say afterwards, so the two can be
//! compared transaction by transaction, and the ledger with both.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::rest::text_at;

/// An amount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) minor: i64,
    pub(super) currency: String,
}

/// A capture, refund or chargeback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) amount: Amount,
    pub(super) fee: Option<Amount>,
    /// What left one side and reached the other, when their currencies differ.
    pub(super) exchange: Option<(Amount, Amount)>,
}

/// A transaction as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) decline: String,
    pub(super) detail: String,
    pub(super) amount: Amount,
    pub(super) captured: Amount,
    pub(super) refunded: Amount,
    pub(super) fee: Amount,
    pub(super) exchange: Option<(Amount, Amount)>,
    pub(super) attempt: String,
    pub(super) operations: Vec<Operation>,
}

/// Sums by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums(BTreeMap<String, i64>);

/// What the transactions come to in the ledger, on the normal side of each class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Money {
    /// What the provider owes us.
    pub(super) receivable: Sums,
    /// What customers have.
    pub(super) customers: Sums,
    /// What merchants have, pending, available and in reserve.
    pub(super) merchants: Sums,
    /// What we earned by fees.
    pub(super) fees: Sums,
    /// What a merchant pays for a chargeback, in minor units of its settlement currency.
    chargeback_fee_minor: i64,
}

// === impl Amount ===

impl Amount {
    /// Reads an amount.
    pub(super) fn read(value: Option<&Value>) -> Option<Self> {
        let value = value?;
        Some(Self {
            minor: value.get("minor")?.as_i64()?,
            currency: value.get("currency")?.as_str()?.to_owned(),
        })
    }
}

// === impl Told ===

impl Told {
    /// Reads a transaction; None when the body is none.
    pub(super) fn read(body: &Value) -> Option<Self> {
        let amount = Amount::read(body.get("amount"))?;
        let of = |name: &str| Amount::read(body.get(name)).unwrap_or_default();
        let operations = body.get("operations").and_then(Value::as_array);
        Some(Self {
            id: body.get("id")?.as_str()?.to_owned(),
            kind: body.get("kind")?.as_str()?.to_owned(),
            status: body.get("status")?.as_str()?.to_owned(),
            decline: text_at(body, "/decline_reason").to_owned(),
            detail: text_at(body, "/decline_detail").to_owned(),
            captured: of("captured"),
            refunded: of("refunded"),
            fee: of("fee"),
            exchange: exchange(body),
            attempt: text_at(body, "/attempt_id").to_owned(),
            operations: operations
                .into_iter()
                .flatten()
                .filter_map(Operation::read)
                .collect(),
            amount,
        })
    }

    /// True when the transaction has ended.
    pub(super) fn has_ended(&self) -> bool {
        matches!(
            self.status.as_str(),
            "completed" | "declined" | "canceled" | "compensated" | "abandoned"
        )
    }

    /// True when it has ended and no capture, refund or chargeback of it is under way.
    pub(super) fn is_at_rest(&self) -> bool {
        let is_open =
            |operation: &Operation| matches!(operation.state.as_str(), "pending" | "unknown");
        self.has_ended() && !self.operations.iter().any(is_open)
    }

    /// Captures, refunds and chargebacks that took place.
    pub(super) fn done(&self, kind: &'static str) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(move |operation| operation.kind == kind && operation.state == "completed")
    }
}

// === impl Operation ===

impl Operation {
    fn read(body: &Value) -> Option<Self> {
        Some(Self {
            id: body.get("id")?.as_str()?.to_owned(),
            kind: body.get("kind")?.as_str()?.to_owned(),
            state: body.get("state")?.as_str()?.to_owned(),
            amount: Amount::read(body.get("amount"))?,
            fee: Amount::read(body.get("fee")),
            exchange: exchange(body),
        })
    }

    /// What this is on the other side; the amount itself without an exchange.
    fn other_side(&self, side: Side) -> &Amount {
        match (&self.exchange, side) {
            (Some((source, _)), Side::Source) => source,
            (Some((_, target)), Side::Target) => target,
            (None, Side::Source | Side::Target) => &self.amount,
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Source,
    Target,
}

// === impl Sums ===

impl Sums {
    /// Adds an amount.
    pub(super) fn add(&mut self, amount: &Amount) {
        self.put(&amount.currency, amount.minor);
    }

    /// Takes an amount away.
    pub(super) fn take(&mut self, amount: &Amount) {
        self.put(&amount.currency, -amount.minor);
    }

    /// Adds minor units of a currency.
    pub(super) fn put(&mut self, currency: &str, minor: i64) {
        if minor != 0 {
            let sum = self.0.entry(currency.to_owned()).or_default();
            *sum = sum.saturating_add(minor);
            if *sum == 0 {
                self.0.remove(currency);
            }
        }
    }

    /// Currencies with their sums, none of which is zero.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0
            .iter()
            .map(|(currency, minor)| (currency.as_str(), *minor))
    }

    /// This, less `other`.
    pub(super) fn less(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for (currency, minor) in other.iter() {
            rest.put(currency, -minor);
        }
        rest
    }
}

// === impl Money ===

impl Money {
    /// Nothing yet, with what a merchant pays for a chargeback.
    pub(super) fn with(chargeback_fee_minor: i64) -> Self {
        Self {
            chargeback_fee_minor,
            ..Self::default()
        }
    }

    /// Adds what a transaction moved.
    pub(super) fn add(&mut self, told: &Told) {
        if told.status != "completed" {
            return;
        }
        let target = told.exchange.as_ref().map(|(_, target)| target);
        match told.kind.as_str() {
            "purchase" => self.add_purchase(told),
            "top_up" => {
                self.receivable.add(&told.amount);
                self.customers.add(target.unwrap_or(&told.amount));
                self.customers.take(&told.fee);
                self.fees.add(&told.fee);
            }
            "transfer" => {
                self.customers.take(&told.amount);
                self.customers.take(&told.fee);
                self.customers.add(target.unwrap_or(&told.amount));
                self.fees.add(&told.fee);
            }
            _ => {}
        }
    }

    fn add_purchase(&mut self, told: &Told) {
        for capture in told.done("capture") {
            self.receivable.add(&capture.amount);
            self.merchants.add(capture.other_side(Side::Target));
            if let Some(fee) = &capture.fee {
                self.merchants.take(fee);
                self.fees.add(fee);
            }
        }
        for refund in told.done("refund") {
            self.receivable.take(&refund.amount);
            self.merchants.take(refund.other_side(Side::Source));
        }
        for back in told.done("chargeback") {
            self.receivable.take(&back.amount);
            self.merchants.take(back.other_side(Side::Source));
            self.charge(&back.other_side(Side::Source).currency, 1);
        }
        for again in told.done("chargeback_reversal") {
            self.receivable.add(&again.amount);
            self.merchants.add(again.other_side(Side::Source));
            self.charge(&again.other_side(Side::Source).currency, -1);
        }
    }

    /// Chargeback fees; what is negative is given back.
    fn charge(&mut self, currency: &str, times: i64) {
        let minor = self.chargeback_fee_minor.saturating_mul(times);
        self.merchants.put(currency, -minor);
        self.fees.put(currency, minor);
    }
}

// === free functions ===

fn exchange(body: &Value) -> Option<(Amount, Amount)> {
    let exchange = body.get("exchange")?;
    Some((
        Amount::read(exchange.get("source"))?,
        Amount::read(exchange.get("target"))?,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_purchase_abroad_that_is_half_given_back_comes_to_what_the_ledger_books() {
        let euro = |minor: i64| json!({ "minor": minor, "currency": "EUR" });
        let yen = |minor: i64| json!({ "minor": minor, "currency": "JPY" });
        let body = json!({
            "id": "txn_1", "kind": "purchase", "status": "completed", "amount": euro(5_000),
            "operations": [
                { "id": "cap_1", "kind": "capture", "state": "completed", "amount": euro(5_000), "fee": yen(216),
                  "exchange": { "source": euro(5_000), "target": yen(6_409) } },
                { "id": "re_1", "kind": "refund", "state": "completed", "amount": euro(2_500),
                  "exchange": { "source": yen(3_238), "target": euro(2_500) } },
                { "id": "re_2", "kind": "refund", "state": "declined", "amount": euro(2_500) },
            ],
        });
        let told = Told::read(&body);
        let mut money = Money::default();
        money.add(&told.expect("the body is a transaction"));
        let sums = |sums: &Sums| -> Vec<(String, i64)> {
            sums.iter()
                .map(|(currency, minor)| (currency.to_owned(), minor))
                .collect()
        };
        assert_eq!(sums(&money.receivable), [("EUR".to_owned(), 2_500)]);
        assert_eq!(
            sums(&money.merchants),
            [("JPY".to_owned(), 6_409 - 216 - 3_238)]
        );
        assert_eq!(sums(&money.fees), [("JPY".to_owned(), 216)]);
        assert!(money.customers.iter().next().is_none());
    }
}
