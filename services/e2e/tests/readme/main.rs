//! What the README promises a newcomer: the first command prints a payment, and the payment works as it is printed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

use paymesh_e2e::Platform;
use serde_json::Value;

#[test]
fn the_first_payment_works_as_it_is_printed_and_again_it_is_the_same_one() {
    let mut platform = Platform::all_in_one().unwrap();
    let printed = platform.process("paymesh").unwrap().log();
    let begin = printed.find("  curl ").expect("a first payment is printed");
    let command: Vec<&str> = printed[begin..]
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .collect();
    let pay = || -> Value {
        let shown = Command::new("sh")
            .args(["-c", &command.join("\n")])
            .output()
            .unwrap();
        serde_json::from_slice(&shown.stdout).unwrap()
    };
    let (first, again) = (pay(), pay());
    assert_eq!(first["status"], "completed", "{first}");
    assert_eq!(first["id"], again["id"], "{again}");
}
