//! Settlement reports against the record, closing days, and the deposit at the bank.

use std::collections::BTreeMap;

use paymesh_simulators::provider::BankAccess;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::support::{
    API_KEY, Caller, bank_config, eur, id, manual, payment, provider_config, start_bank,
    start_provider,
};

const DAY: &str = "2026-03-02";

fn number(row: &Value, field: &str) -> i64 {
    row[field].as_i64().unwrap()
}

/// What the record says moved, by currency: gross and fees.
fn sums_of_record(record: &[Value]) -> BTreeMap<String, (i64, i64)> {
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut add = |amount: &Value, sign: i64, fee: i64| {
        let sum = sums
            .entry(amount["currency"].as_str().unwrap().to_owned())
            .or_default();
        sum.0 += sign * amount["minor"].as_i64().unwrap();
        sum.1 += fee;
    };
    for fact in record {
        match fact["type"].as_str().unwrap() {
            "capture_made" if fact["capture"]["status"] == "succeeded" => {
                add(
                    &fact["capture"]["amount"],
                    1,
                    number(&fact["capture"], "fee_minor"),
                );
            }
            "refund_made" if fact["refund"]["status"] == "succeeded" => {
                add(&fact["refund"]["amount"], -1, 0)
            }
            "refund_failed" => add(&fact["failure"]["amount"], 1, 0),
            "dispute_opened" => add(
                &fact["dispute"]["amount"],
                -1,
                number(&fact["dispute"], "fee_minor"),
            ),
            "dispute_closed" if fact["closing"]["verdict"] == "won" => {
                add(&fact["closing"]["amount"], 1, 0)
            }
            _ => {}
        }
    }
    sums
}

/// A day with everything in it.
async fn busy_day(caller: &Caller) {
    for round in 0..3 {
        caller.pay("tok_ok", &format!("ok-{round}")).await;
        caller
            .pay("tok_declined", &format!("declined-{round}"))
            .await;
        caller
            .pay("tok_capture_fails", &format!("fails-{round}"))
            .await;
        caller
            .pay("tok_chargeback", &format!("chargeback-{round}"))
            .await;
        let mut dollars = payment("tok_ok", &format!("usd-{round}"));
        dollars["amount"] = json!({ "minor": 3_333, "currency": "USD" });
        caller.post("/v1/payments", &dollars).await.expect(201);
        let open = caller
            .post(
                "/v1/payments",
                &manual("tok_refund_fails_later", &format!("m-{round}")),
            )
            .await
            .expect(201);
        let path = format!("/v1/payments/{}", id(&open));
        for minor in [1_234, 4_321] {
            let part = json!({ "amount": eur(minor), "reference": format!("c-{round}-{minor}") });
            caller
                .post(&format!("{path}/captures"), &part)
                .await
                .expect(201);
        }
        caller
            .post(
                &format!("{path}/refunds"),
                &json!({ "amount": eur(777), "reference": "f" }),
            )
            .await
            .expect(201);
        caller
            .post(&format!("{path}/cancel"), &json!({}))
            .await
            .expect(200);
    }
    caller.run_timers().await;
    let disputed = caller
        .get("/v1/payments?reference=chargeback-0")
        .await
        .expect(200);
    let close = format!(
        "/v1/disputes/{}/close",
        id(&disputed["data"][0]["disputes"][0])
    );
    caller
        .post(&close, &json!({ "outcome": "won" }))
        .await
        .expect(200);
}

#[tokio::test]
async fn s2_the_report_of_a_day_sums_to_the_record() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    busy_day(&caller).await;
    let (rows, headers) = caller
        .csv(&format!("/v1/reports/settlement?date={DAY}"))
        .await;
    assert_eq!(headers["paymesh-report-state"], "open");
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in &rows {
        assert_eq!(
            number(row, "net_minor"),
            number(row, "gross_minor") - number(row, "fee_minor")
        );
        assert_eq!(row["settlement_date"], DAY);
        let sum = sums
            .entry(row["currency"].as_str().unwrap().to_owned())
            .or_default();
        sum.0 += number(row, "gross_minor");
        sum.1 += number(row, "fee_minor");
    }
    assert_eq!(sums, sums_of_record(&caller.record().await));
    for kind in [
        "capture",
        "refund",
        "refund_failure",
        "chargeback",
        "chargeback_reversal",
    ] {
        assert!(rows.iter().any(|row| row["type"] == kind), "{kind}");
    }
    assert!(
        rows.iter()
            .any(|row| row["operation_reference"] == "c-0-1234" && row["reference"] == "m-0")
    );

    let (mut paged, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let (rows, headers) = caller
            .csv(&format!(
                "/v1/reports/settlement?date={DAY}&limit=4&after={after}"
            ))
            .await;
        paged.extend(rows);
        match headers.get("paymesh-next-after") {
            Some(next) => after = next.to_str().unwrap().to_owned(),
            None => break,
        }
    }
    assert_eq!(paged, rows);
}

#[tokio::test]
async fn s3_a_closed_report_never_changes_and_what_is_late_goes_into_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (handle, caller) = start_provider(provider_config(folder.path())).await;
    busy_day(&caller).await;
    let closed = caller
        .post("/v1/settlements", &json!({ "date": DAY }))
        .await
        .expect(200);
    let path = format!("/v1/reports/settlement?date={DAY}");
    let (rows, headers) = caller.csv(&path).await;
    assert_eq!(headers["paymesh-report-state"], "closed");
    for settlement in closed["settlements"].as_array().unwrap() {
        let own = rows
            .iter()
            .filter(|row| row["settlement_id"] == settlement["id"]);
        let net: i64 = own.map(|row| number(row, "net_minor")).sum();
        assert_eq!(settlement["net"]["minor"], net);
    }
    assert!(rows.iter().all(|row| row["settlement_id"] != ""));

    caller.pay("tok_ok", "late").await;
    assert_eq!(caller.csv(&path).await.0, rows);
    let (late, _) = caller.csv("/v1/reports/settlement?date=2026-03-03").await;
    assert_eq!((late.len(), &late[0]["reference"]), (1, &json!("late")));
    assert_eq!(late[0]["business_at"], "2026-03-02T10:00:00Z");
    assert_eq!(
        caller
            .post("/v1/settlements", &json!({ "date": DAY }))
            .await
            .expect(200),
        closed
    );
    drop(handle);
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    assert_eq!(caller.csv(&path).await.0, rows);
    assert_eq!(
        caller
            .get(&format!("/v1/settlements?date={DAY}"))
            .await
            .expect(200),
        closed
    );
}

#[tokio::test]
async fn a_business_time_in_field_or_header_decides_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let (_handle, caller) = start_provider(provider_config(folder.path())).await;
    let mut order = payment("tok_ok", "field");
    order["business_at"] = json!("2026-05-01T23:30:00-01:00");
    caller.post("/v1/payments", &order).await.expect(201);
    let header = caller
        .request(Method::POST, "/v1/payments")
        .json(&payment("tok_ok", "header"));
    caller
        .send(header.header("paymesh-business-at", "2026-05-02T12:00:00Z"))
        .await
        .unwrap()
        .expect(201);
    let (rows, _) = caller.csv("/v1/reports/settlement?date=2026-05-02").await;
    let references: Vec<&Value> = rows.iter().map(|row| &row["reference"]).collect();
    assert_eq!(references, [&json!("field"), &json!("header")]);
}

#[tokio::test]
async fn a_closed_day_is_paid_into_the_bank_once() {
    let (folder, bank_folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (bank_handle, bank) = start_bank(bank_config(bank_folder.path())).await;
    let config = || {
        let mut config = provider_config(folder.path());
        config.bank = Some(BankAccess {
            url: bank_handle.url(),
            api_key: SecretString::from(API_KEY),
        });
        config
    };
    let (handle, caller) = start_provider(config()).await;
    caller.pay("tok_ok", "r-1").await;
    let closed = caller
        .post("/v1/settlements", &json!({ "date": DAY }))
        .await
        .expect(200);
    let settlement_id = id(&closed["settlements"][0]);
    // The deposit is made behind the answer; the record shows when the bank has taken it.
    while !caller
        .record()
        .await
        .iter()
        .any(|fact| fact["type"] == "deposit_accepted")
    {
        tokio::task::yield_now().await;
    }
    drop(handle);
    let (_handle, caller) = start_provider(config()).await;
    assert_eq!(
        caller.get("/v1/status").await.expect(200)["deposits_pending"],
        0
    );
    let (rows, _) = bank.csv(&format!("/v1/statements?date={DAY}")).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (number(&rows[0], "amount_minor"), &rows[0]["end_to_end_id"]),
        (9_880, &json!(settlement_id))
    );
}
