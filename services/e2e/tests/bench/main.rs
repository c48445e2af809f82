//! The bench of payments against a whole platform: a short run in every test run, the full one by `cargo xtask bench`.
//!
//! Nothing is asserted of speed. What is asserted: no payment fails, all end, and the ledger agrees with the answers to the cent.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows what it has measured"
)]

use std::process::Command;

use paymesh_e2e::{
    Platform,
    platform::{Servers, Settings},
    process::{binary, setting},
};
use serde_json::Value;

/// Payments a second and seconds of the short run.
const SHORT: (&str, &str) = ("50", "8");

#[tokio::test]
async fn payments_all_in_one_lose_no_cent() {
    measure(
        &Platform::all_in_one_with(open_gates()).unwrap(),
        "all in one",
    );
}

#[tokio::test]
async fn payments_split_lose_no_cent() {
    if let Some(servers) = Servers::of_tests().await {
        measure(
            &Platform::split_on(&servers, open_gates()).unwrap(),
            "split",
        );
    }
}

fn measure(platform: &Platform, mode: &str) {
    let (rate, seconds) = (asked("RATE", SHORT.0), asked("SECONDS", SHORT.1));
    let mut bench = Command::new(binary());
    bench
        .args([
            "bench",
            "payments",
            "--json",
            "--mode",
            mode,
            "--rate",
            &rate,
            "--seconds",
            &seconds,
        ])
        .args([
            "--url",
            &format!("http://{}", platform.gateway()),
            "--api-key-file",
        ])
        .arg(platform.access_file());
    let file = asked("WRITE", "");
    if !file.is_empty() {
        bench.args(["--write", &file]);
    }
    let output = bench.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    println!("{shown}");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&report["balanced"], &report["failed"]),
        (&Value::Bool(true), &0.into()),
        "{report}"
    );
}

fn asked(name: &str, otherwise: &str) -> String {
    setting(&format!("PAYMESH_BENCH_{name}")).unwrap_or_else(|| otherwise.to_owned())
}

/// One client and one provider are not what the limits are for.
fn open_gates() -> Settings {
    ["READ", "WRITE", "MONEY", "WEBHOOK"]
        .into_iter()
        .flat_map(|class| {
            [
                (class, "REQUESTS", "1000000"),
                (class, "WINDOW_MS", "60000"),
            ]
        })
        .map(|(class, name, value)| {
            (
                format!("PAYMESH__GATEWAY__SETTINGS__RATE_LIMITS__{class}__{name}"),
                value.to_owned(),
            )
        })
        .collect()
}
