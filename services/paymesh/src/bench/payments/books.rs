//! The ledger before and after, against what the answers said.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::{
    load::{Sent, is_end},
    mix::Kind,
};
use crate::rest::{Rest, text_at};

/// Sums of the ledger.
#[derive(Clone, Debug)]
pub(super) struct Books {
    is_balanced: bool,
    /// What the provider owes us, by currency: debits and credits, in minor units.
    receivable: BTreeMap<String, (i64, i64)>,
}

/// Whether the ledger says what the answers said.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) is_balanced: bool,
    pub(super) detail: String,
}

// === impl Books ===

impl Books {
    /// Reads the trial balance.
    ///
    /// # Errors
    /// When the platform refuses.
    pub(super) async fn read(rest: &Rest) -> Result<Self> {
        let answer = rest
            .get("/v1/ledger/trial-balance")
            .await?
            .good("the trial balance")?;
        let items = |name: &str| answer[name].as_array().cloned().unwrap_or_default();
        let minor = |line: &Value, name: &str| line[name].as_i64().unwrap_or_default();
        let receivable = items("lines")
            .into_iter()
            .filter(|line| text_at(line, "/purpose") == "connector_receivable");
        Ok(Self {
            is_balanced: items("totals")
                .iter()
                .all(|total| total["balanced"] == true),
            receivable: receivable
                .map(|line| {
                    let sums = (
                        minor(&line, "debits_posted_minor"),
                        minor(&line, "credits_posted_minor"),
                    );
                    (text_at(&line, "/currency").to_owned(), sums)
                })
                .collect(),
        })
    }

    /// What was captured and refunded since has to be what the answers said, in each currency.
    pub(super) fn compare(&self, after: &Self, sent: &[Sent]) -> Verdict {
        let mut expected: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for one in sent.iter().filter(|one| one.status == "completed") {
            let sums = expected.entry(one.currency).or_default();
            match one.kind {
                Kind::Purchase => sums.0 += one.minor,
                Kind::Refund => sums.1 += one.minor,
                Kind::Transfer => {}
            }
        }
        let open = sent
            .iter()
            .filter(|one| !one.is_failure && !is_end(&one.status))
            .count();
        let mut wrong = Vec::new();
        for (currency, (captured, refunded)) in expected {
            let of = |books: &Self| books.receivable.get(currency).copied().unwrap_or_default();
            let (before, after) = (of(self), of(after));
            let seen = (after.0 - before.0, after.1 - before.1);
            if seen != (captured, refunded) {
                wrong.push(format!("{currency}: answers say {captured} captured and {refunded} refunded, the ledger {seen:?}"));
            }
        }
        if open > 0 {
            wrong.push(format!("{open} have not ended"));
        }
        if !after.is_balanced {
            wrong.push("debits are not credits".to_owned());
        }
        Verdict {
            is_balanced: wrong.is_empty(),
            detail: wrong.join("; "),
        }
    }
}
