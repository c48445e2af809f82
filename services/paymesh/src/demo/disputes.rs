//! Disputes of the day: whoever finds a payment on the bill that was somebody else's wants the money back.
//!
//! The simulated provider opens a dispute for each payment with a stolen card that came through. Of two merchants, one sends evidence
//! that proves nothing, and one has not answered when the day ends.

use std::{
    collections::{BTreeMap, HashSet},
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    log::{Line, Log},
    player::{Day, Player},
    story::{Amount, Sums},
};
use crate::rest::{Rest, text_at};

/// How long disputes may take to be opened and decided.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks.
const PACE: Duration = Duration::from_millis(250);
/// Pages of a list that are read at most.
const MOST_PAGES: usize = 1_000;

/// How many, by what became of them.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Disputes {
    /// Of payments of the day.
    pub(super) opened: u64,
    /// By the merchant.
    pub(super) won: u64,
    pub(super) lost: u64,
    /// Nobody has decided yet.
    pub(super) open: u64,
    /// Payments that should have been disputed and were not, within the time for it.
    pub(super) missing: u64,
    /// What the provider charged for them.
    #[serde(skip)]
    pub(super) fees: Sums,
    /// Transactions whose dispute is lost.
    #[serde(skip)]
    lost_of: HashSet<String>,
}

/// One dispute.
#[derive(Clone, Debug)]
struct Dispute {
    id: String,
    state: String,
    fee: Option<Amount>,
}

/// What a merchant sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    ProvesNothing,
    NotYet,
}

// === impl Evidence ===

impl Evidence {
    const fn of(place: usize) -> Self {
        if place.is_multiple_of(2) {
            Self::ProvesNothing
        } else {
            Self::NotYet
        }
    }

    /// Words that the simulated provider decides by.
    const fn text(self) -> Option<&'static str> {
        match self {
            Self::ProvesNothing => Some("no receipt was kept: losing_evidence"),
            Self::NotYet => None,
        }
    }
}

// === free functions ===

/// Waits for the disputes of the day, answers some, and waits for what comes of it.
///
/// # Errors
/// When the platform refuses or does not answer.
pub(super) async fn play(rest: &Rest, run: &str, day: &Day, log: &mut Log) -> Result<Disputes> {
    let disputed: HashSet<&str> = expected(day).collect();
    let opened = wait(rest, &disputed, |disputes| disputes.len() >= disputed.len()).await?;
    let mut decided = 0;
    for (place, dispute) in opened.values().enumerate() {
        let Some(text) = Evidence::of(place).text() else {
            continue;
        };
        let path = format!("/v1/disputes/{}/evidence", dispute.id);
        let body = json!({ "evidence": [{ "kind": "receipt", "text": text }] });
        let key = format!("{run}-evidence-{place}");
        let answer = rest.post(&path, &key, &body).await?;
        log.write(&[Line::of(&key, &path, &answer)])?;
        answer.good("evidence is not taken")?;
        decided += 1;
    }
    let is_decided = |dispute: &Dispute| matches!(dispute.state.as_str(), "won" | "lost");
    let ended = wait(rest, &disputed, |disputes| {
        disputes.values().filter(|one| is_decided(one)).count() >= decided
    })
    .await?;
    let mut fees = Sums::default();
    for fee in ended.values().filter_map(|dispute| dispute.fee.as_ref()) {
        fees.add(fee);
    }
    let in_state = |state: &str| -> HashSet<String> {
        let those = ended.iter().filter(|(_, one)| one.state == state);
        those.map(|(transaction, _)| transaction.clone()).collect()
    };
    let (won, lost_of) = (in_state("won"), in_state("lost"));
    let (all, won, lost) = (count(ended.len()), count(won.len()), count(lost_of.len()));
    Ok(Disputes {
        opened: all,
        won,
        lost,
        open: all.saturating_sub(won + lost),
        missing: count(disputed.len()).saturating_sub(all),
        fees,
        lost_of,
    })
}

/// Reads the disputed transactions until each has its chargeback, and what is lost counts as given back, or the time is over.
///
/// # Errors
/// When the log cannot be written or the platform does not answer.
pub(super) async fn booked(
    disputes: &Disputes,
    player: &Player,
    day: &mut Day,
    log: &mut Log,
) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    let mut left: Vec<String> = expected(day).map(ToOwned::to_owned).collect();
    loop {
        player.ask(&left, day, log).await?;
        left.retain(|id| {
            let told = day.told.get(id);
            let is_due = disputes.lost_of.contains(id);
            !told.is_some_and(|told| {
                let is_booked = told.done("chargeback").count() > 0 && told.is_at_rest();
                is_booked && (!is_due || told.refunded.minor > 0)
            })
        });
        if left.is_empty() || Instant::now() > until {
            return Ok(());
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Transactions of which a dispute is to be expected.
pub(super) fn expected(day: &Day) -> impl Iterator<Item = &str> {
    day.purchases
        .iter()
        .filter(|played| played.purchase.fraud.is_some())
        .filter_map(|played| day.of(played))
        .filter(|told| told.status == "completed")
        .map(|told| told.id.as_str())
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Looks until it is enough or the time is over; gives what was seen last, by transaction.
async fn wait(
    rest: &Rest,
    disputed: &HashSet<&str>,
    is_enough: impl Fn(&BTreeMap<String, Dispute>) -> bool,
) -> Result<BTreeMap<String, Dispute>> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut disputes = BTreeMap::new();
        for body in all(rest, "/v1/disputes?limit=100").await? {
            let transaction = text_at(&body, "/transaction_id");
            if disputed.contains(transaction) {
                let dispute = Dispute {
                    id: text_at(&body, "/id").to_owned(),
                    state: text_at(&body, "/state").to_owned(),
                    fee: Amount::read(body.get("connector_fee")),
                };
                disputes.insert(transaction.to_owned(), dispute);
            }
        }
        if is_enough(&disputes) || Instant::now() > until {
            return Ok(disputes);
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Every item of a list. `path` has a query.
///
/// # Errors
/// When the platform refuses or does not answer.
pub(super) async fn all(rest: &Rest, path: &str) -> Result<Vec<Value>> {
    let mut items = Vec::new();
    let mut page = String::new();
    for _ in 0..MOST_PAGES {
        let body = rest.get(&format!("{path}{page}")).await?.good(path)?;
        let data = body.get("data").and_then(Value::as_array);
        items.extend(data.into_iter().flatten().cloned());
        match body.get("next_page").and_then(Value::as_str) {
            Some(next) => page = format!("&page={next}"),
            None => break,
        }
    }
    Ok(items)
}
