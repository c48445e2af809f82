//! Pays closed settlements into the bank. The settlement's id is the deposit's id, so a repeat is harmless; it is repeated
//! until the bank has taken it.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::amount::Amount;
use crate::engine::Engine;
use crate::provider::fact::{Fact, Settlement};
use crate::provider::settings::BankAccess;
use crate::provider::state::State;
use crate::server::until;
use crate::timestamp::Timestamp;

const TIMEOUT: Duration = Duration::from_secs(10);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Deposit<'a> {
    id: &'a str,
    amount: Amount,
    source: &'static str,
    reference: &'a str,
    business_at: Timestamp,
}

/// Pays in until the stop.
pub(crate) async fn run(
    engine: Arc<Engine<State>>,
    client: reqwest::Client,
    bank: BankAccess,
    stop: CancellationToken,
) {
    let mut progress = engine.progress();
    let mut wait = FIRST_RETRY;
    while !stop.is_cancelled() {
        let Ok(durable) = progress.current() else {
            return;
        };
        let next = engine.peek(|state| {
            let ready = state.deposits.values().find(|(line, _)| *line <= durable);
            ready.map(|(_, settlement)| settlement.clone())
        });
        let Some(settlement) = next else {
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return },
                () = stop.cancelled() => return,
            }
            continue;
        };
        if pay_in(&client, &bank, &settlement).await {
            wait = FIRST_RETRY;
            if engine
                .note(&[Fact::DepositAccepted {
                    settlement_id: settlement.id,
                }])
                .is_ok()
            {
                continue;
            }
        }
        until(&stop, tokio::time::sleep(wait)).await;
        wait = (wait * 2).min(LONGEST_RETRY);
    }
}

async fn pay_in(client: &reqwest::Client, bank: &BankAccess, settlement: &Settlement) -> bool {
    let deposit = Deposit {
        id: &settlement.id,
        amount: settlement.net,
        source: "provider",
        reference: &settlement.id,
        business_at: settlement.business_at,
    };
    let url = format!("{}/v1/deposits", bank.url.trim_end_matches('/'));
    let request = client
        .post(url)
        .timeout(TIMEOUT)
        .bearer_auth(bank.api_key.expose_secret())
        .json(&deposit);
    match request.send().await {
        Ok(response) if response.status().is_success() => true,
        Ok(response) => {
            tracing::warn!(settlement = %settlement.id, status = %response.status(), "the bank did not take a deposit");
            false
        }
        Err(error) => {
            tracing::warn!(settlement = %settlement.id, error = %error, "the bank cannot be reached");
            false
        }
    }
}
