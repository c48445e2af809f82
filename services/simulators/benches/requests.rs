//! How many durable requests a second the simulated provider answers, its callers in the same process.
//!
//! Each caller authorizes, captures by hand and asks, over and over, with idempotency keys; two of three requests write.
#![allow(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::io::Write;
use std::time::{Duration, Instant};

use paymesh_simulators::Clock;
use paymesh_simulators::provider::{Config, Provider};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const CALLERS: usize = 64;
const LONG: Duration = Duration::from_secs(5);
const API_KEY: &str = "bench";

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let clock = Clock::new(move || i64::try_from(begun.elapsed().as_micros()).unwrap());
    let config = Config::new(folder.path().to_owned(), SecretString::from(API_KEY), clock);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle = Provider::start(config, listener).await.unwrap();

    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        callers.spawn(call(handle.url(), number));
    }
    let mut times: Vec<Duration> = callers.join_all().await.into_iter().flatten().collect();
    times.sort_unstable();
    let rate = times.len() / usize::try_from(LONG.as_secs()).unwrap();
    let at = |percent: usize| {
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    let (middle, late) = (at(50), at(99));
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{CALLERS} callers: {rate} requests/s, p50 {middle:?}, p99 {late:?}"
    )
    .unwrap();
    handle.shutdown().await;

    let begun = Instant::now();
    let config = Config::new(
        folder.path().to_owned(),
        SecretString::from(API_KEY),
        Clock::new(|| 0),
    );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let handle = Provider::start(config, listener).await.unwrap();
    let bytes = std::fs::metadata(folder.path().join("journal.jsonl"))
        .unwrap()
        .len();
    writeln!(out, "reopened {bytes} bytes in {:?}", begun.elapsed()).unwrap();
    handle.shutdown().await;
}

async fn call(url: String, number: usize) -> Vec<Duration> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let (begun, mut times) = (Instant::now(), Vec::new());
    for round in 0.. {
        let reference = format!("r-{number}-{round}");
        let order = json!({
            "amount": { "minor": 1_000, "currency": "EUR" },
            "token": format!("tok_ok_{number}"),
            "reference": reference,
            "capture_method": "manual",
        });
        let sent = Instant::now();
        let post = client
            .post(format!("{url}/v1/payments"))
            .header("idempotency-key", &reference);
        let paid: Value = post
            .bearer_auth(API_KEY)
            .json(&order)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        times.push(sent.elapsed());

        let path = format!("{url}/v1/payments/{}", paid["id"].as_str().unwrap());
        let sent = Instant::now();
        let post = client
            .post(format!("{path}/captures"))
            .header("idempotency-key", format!("c-{reference}"));
        let reply = post
            .bearer_auth(API_KEY)
            .json(&json!({}))
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 201);
        reply.bytes().await.unwrap();
        times.push(sent.elapsed());

        let sent = Instant::now();
        let reply = client.get(&path).bearer_auth(API_KEY).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        reply.bytes().await.unwrap();
        times.push(sent.elapsed());
        if begun.elapsed() >= LONG {
            break;
        }
    }
    times
}
