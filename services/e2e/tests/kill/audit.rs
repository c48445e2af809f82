//! Three records, one story.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use paymesh_e2e::{Client, Platform};
use paymesh_kernel::{Database, DatabaseConfig};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;

use crate::traffic::Paid;

/// How long the platform may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(250);

/// Fails unless the client's log, the provider's record and the databases agree.
pub(crate) async fn tells_one_story(platform: &Platform, log: &[Paid]) {
    println!("{} payments were answered", log.len());
    assert!(log.len() > 50, "the kills left no room for payments");
    let client = platform.client();
    all_end(&client, log).await;
    databases(platform, log).await;
    let captured = provider(platform, log);
    ledger(&client, captured).await;
}

/// Every answered transaction completes, and every key has made one transaction.
async fn all_end(client: &Client, log: &[Paid]) {
    let limit = Instant::now() + PATIENCE;
    for paid in log {
        loop {
            let answer = client
                .get(&format!("/v1/transactions/{}", paid.transaction))
                .await
                .unwrap();
            let status = answer.text("/status").to_owned();
            if status == "completed" {
                break;
            }
            assert!(
                !["declined", "canceled", "failed"].contains(&status.as_str())
                    && Instant::now() < limit,
                "{}: {status}: {answer:?}",
                paid.key
            );
            tokio::time::sleep(PAUSE).await;
        }
    }
    let ids: BTreeSet<&str> = log.iter().map(|paid| paid.transaction.as_str()).collect();
    assert_eq!(
        ids.len(),
        log.len(),
        "a key made two transactions, or two keys one"
    );
}

/// The databases hold the client's transactions and the top-up, each ended, and nothing else.
async fn databases(platform: &Platform, log: &[Paid]) {
    let sql = "SELECT kind, status, COUNT(*) AS n, SUM(amount_minor) AS minor FROM transactions GROUP BY kind, status";
    let mut found = BTreeMap::new();
    for row in query(platform, "transaction", sql).await {
        let kind: String = row.try_get("", "kind").unwrap();
        let status: String = row.try_get("", "status").unwrap();
        let count: i64 = row.try_get("", "n").unwrap();
        found.insert((kind, status), count);
    }
    let count = |is_purchase| {
        i64::try_from(
            log.iter()
                .filter(|paid| paid.is_purchase == is_purchase)
                .count(),
        )
        .unwrap()
    };
    let expected = [
        ("purchase", count(true)),
        ("top_up", 1),
        ("transfer", count(false)),
    ];
    let expected: BTreeMap<_, _> = expected
        .into_iter()
        .map(|(kind, count)| ((kind.to_owned(), "completed".to_owned()), count))
        .collect();
    assert_eq!(found, expected);
}

/// The provider captured each purchase once, to the cent; what it captured in all.
fn provider(platform: &Platform, log: &[Paid]) -> i64 {
    let record = platform.provider_record().unwrap();
    let mut captured: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for fact in record.iter().filter(|fact| fact["type"] == "capture_made") {
        let capture = &fact["capture"];
        assert_eq!(capture["status"], "succeeded", "{fact}");
        let reference = capture["reference"].as_str().unwrap();
        let transaction = reference.split(':').next().unwrap().to_owned();
        captured
            .entry(transaction)
            .or_default()
            .push(capture["amount"]["minor"].as_i64().unwrap());
    }
    for paid in log.iter().filter(|paid| paid.is_purchase) {
        assert_eq!(
            captured.get(&paid.transaction),
            Some(&vec![paid.minor]),
            "{}",
            paid.key
        );
    }
    let total: i64 = captured.values().flatten().sum();
    println!(
        "the provider captured {} payments, {total} cents",
        captured.len()
    );
    total
}

/// What the provider captured is what it owes us; debits are credits.
async fn ledger(client: &Client, captured: i64) {
    let answer = client.get("/v1/ledger/trial-balance").await.unwrap();
    let totals = answer.body["totals"].as_array().unwrap();
    assert!(
        totals.iter().all(|total| total["balanced"] == true),
        "{answer:?}"
    );
    let lines = answer.body["lines"].as_array().unwrap();
    let owed = |line: &&Value| line["purpose"] == "connector_receivable";
    let debits: i64 = lines
        .iter()
        .filter(owed)
        .map(|line| line["debits_posted_minor"].as_i64().unwrap())
        .sum();
    assert_eq!(debits, captured);
    let pending = |line: &Value| {
        line["debits_pending_minor"].as_i64().unwrap()
            + line["credits_pending_minor"].as_i64().unwrap()
    };
    assert!(
        lines.iter().all(|line| pending(line) == 0),
        "a reservation is left: {answer:?}"
    );
}

/// Rows of a component's database.
pub(crate) async fn query(
    platform: &Platform,
    component: &str,
    sql: &str,
) -> Vec<sea_orm::QueryResult> {
    let config = DatabaseConfig {
        url: platform.database(component).to_owned(),
        ..DatabaseConfig::default()
    };
    let database = Database::open(&config).await.unwrap();
    let reader = database.reader();
    let rows = reader
        .query_all_raw(Statement::from_string(reader.get_database_backend(), sql))
        .await
        .unwrap();
    database.close().await;
    rows
}
