//! The servers that tests may use.

use std::{collections::BTreeMap, path::PathBuf};

/// The URL of the PostgreSQL server, or None when the test may be skipped.
#[must_use]
pub fn postgres_url() -> Option<String> {
    named("PAYMESH_TEST_POSTGRES_URL")
}

/// The URL of the RabbitMQ server (`amqp://…`), or None when the test may be skipped.
#[must_use]
pub fn rabbitmq_url() -> Option<String> {
    named("PAYMESH_TEST_RABBITMQ_URL")
}

/// The URL of the Redis server, or None when the test may be skipped.
#[must_use]
pub fn redis_url() -> Option<String> {
    named("PAYMESH_TEST_REDIS_URL")
}

/// Server → file with its process id, for tests that kill servers; None when these are somebody else's and the test may be skipped.
#[must_use]
pub fn pid_files() -> Option<BTreeMap<&'static str, PathBuf>> {
    let postgres = named("PAYMESH_TEST_POSTGRES_PID_FILE")?;
    let rabbitmq = named("PAYMESH_TEST_RABBITMQ_PID_FILE")?;
    Some(BTreeMap::from([
        ("postgres", postgres.into()),
        ("rabbitmq", rabbitmq.into()),
    ]))
}

#[allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests are told about servers by the environment, and say so when they are skipped"
)]
fn named(variable: &str) -> Option<String> {
    let value = std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty());
    if value.is_none() {
        assert!(
            std::env::var("CI").is_err(),
            "{variable} is not set, and with CI=true nothing is skipped; run `cargo xtask test`"
        );
        eprintln!("skipped: {variable} is not set; `cargo xtask test` sets it");
    }
    value
}
