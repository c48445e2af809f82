//! The demo, as people run it: a day of the handbook's payments, all in one and against a split platform.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows what was played"
)]

use std::process::Command;

use paymesh_e2e::{
    Platform,
    platform::{BANK_KEY, COMPONENTS, PROVIDER_KEY},
    process::{binary, setting},
};
use serde_json::Value;

#[test]
fn a_whole_day_all_in_one_is_completed_and_balanced() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Command::new(binary());
    demo.args(["demo", "--exit", "--json", "--data-dir"])
        .arg(folder.path().join("data"));
    for port in [
        "LISTEN__GATEWAY",
        "LISTEN__ADMIN",
        "SIMULATORS__PROVIDER",
        "SIMULATORS__BANK",
    ] {
        demo.env(format!("PAYMESH__PROCESS__{port}_PORT"), "0");
    }
    let told = play(&mut demo);
    assert!(told["payments"].as_u64().unwrap() >= 9_000, "{told}");
}

/// A town of 300; the whole day of 5,000 customers with `PAYMESH_DEMO_WHOLE=1`.
#[tokio::test]
async fn a_day_of_a_small_town_split_is_completed_and_balanced() {
    let Some(mut platform) = Platform::split().await.unwrap() else {
        return;
    };
    let mut demo = Command::new(binary());
    demo.args(["demo", "--json"])
        .args(["--url", &format!("http://{}", platform.gateway())])
        .arg("--log")
        .arg(platform.folder().join("answers.jsonl"))
        .env("PAYMESH_API_KEY", platform.api_key())
        .env("PAYMESH_PROVIDER_API_KEY", PROVIDER_KEY)
        .env("PAYMESH_BANK_API_KEY", BANK_KEY);
    let is_whole = setting("PAYMESH_DEMO_WHOLE").is_some_and(|value| value == "1");
    if !is_whole {
        demo.args(["--customers", "300", "--terminals", "600"]);
    }
    for (name, option) in [("provider", "--provider-url"), ("bank", "--bank-url")] {
        let address = platform.process(name).unwrap().ready().admin.clone();
        demo.args([option, &format!("http://{address}")]);
    }
    for name in COMPONENTS {
        let address = platform.process(name).unwrap().ready().admin.clone();
        demo.args(["--metrics-url", &format!("http://{address}")]);
    }
    let told = play(&mut demo);
    assert!(
        !is_whole || told["payments"].as_u64().unwrap() >= 9_000,
        "{told}"
    );
}

/// Plays, and checks that nothing was lost on the way.
fn play(demo: &mut Command) -> Value {
    let output = demo.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    println!("{shown}");
    assert!(
        output.status.success(),
        "{shown}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told: Value = serde_json::from_str(shown.lines().last().unwrap()).unwrap();
    let count = |name: &str| told[name].as_u64().unwrap();
    assert_eq!(
        (count("failed"), count("stuck"), count("events_pending")),
        (0, 0, 0),
        "{told}"
    );
    assert_eq!(told["ledger_balanced"], true, "{told}");
    assert!(count("completed") * 10 > count("payments") * 8, "{told}");
    told
}
