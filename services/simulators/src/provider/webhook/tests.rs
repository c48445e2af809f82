#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use secrecy::SecretString;

use super::*;
use crate::engine::Rules;
use crate::flow::Latency;
use crate::provider::fact::Command;
use crate::provider::settings::{Delays, Faults, Fees};
use crate::provider::state::Terms;
use crate::timestamp::{Clock, Day};

const URL: &str = "http://127.0.0.1:9/hooks";

fn engine(folder: &std::path::Path) -> Arc<Engine<State>> {
    let terms = Terms {
        fees: Fees::default(),
        faults: Faults::default(),
        delays: Delays::default(),
        latency: Latency::default(),
        chance: Chance::new(1),
        objects: 10,
        public_url: String::new(),
    };
    let rules = Rules {
        clock: Clock::new(|| 0),
        key_lifetime_ms: 1,
        journal_bytes: 1 << 20,
        seed: 1,
    };
    Engine::open(folder, State::new(terms, 100), rules).unwrap()
}

fn courier(engine: &Arc<Engine<State>>) -> Courier {
    Courier {
        engine: Arc::clone(engine),
        client: reqwest::Client::new(),
        target: WebhookTarget {
            url: URL.to_owned(),
            secret: SecretString::from("secret"),
        },
        policy: WebhookPolicy::default(),
        chance: Chance::new(1),
        stop: CancellationToken::new(),
    }
}

#[tokio::test]
async fn w1_an_event_is_not_taken_before_its_line_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let targets = vec![URL.to_owned()];
    let line = engine.note(&[Fact::WebhookTargets { targets }]).unwrap() + 1;
    let through = Day::parse("2026-01-01").unwrap();
    engine
        .run(&Command::CloseDay { through }, None, None)
        .await
        .unwrap();
    let (courier, mut hand) = (courier(&engine), Hand::default());
    courier.take(&mut hand, line - 1);
    assert!(hand.queue.is_empty());
    courier.take(&mut hand, line);
    assert_eq!(hand.queue.len(), 1);
    courier.take(&mut hand, line);
    assert_eq!(hand.queue.len(), 1, "and it is taken once");
}

#[tokio::test]
async fn waits_between_tries_double_up_to_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let courier = courier(&engine(folder.path()));
    let waits: Vec<Duration> = (0..40)
        .map(|attempt| courier.back_off(attempt, "evt"))
        .collect();
    assert!(waits.is_sorted());
    let first = Duration::from_millis(courier.policy.first_retry_ms);
    let bound = Duration::from_millis(courier.policy.longest_retry_ms);
    assert!(
        waits
            .first()
            .is_some_and(|wait| (first..=first * 5 / 4).contains(wait))
    );
    assert!(
        waits
            .last()
            .is_some_and(|wait| (bound..=bound * 5 / 4).contains(wait))
    );
}
