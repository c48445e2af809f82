//! What tests of every crate use: a clock moved by hand, temporary databases on both engines, and the names of test servers.
//!
//! A development dependency only. Servers are named by the environment (`PAYMESH_TEST_POSTGRES_URL`,
//! `PAYMESH_TEST_RABBITMQ_URL`, `PAYMESH_TEST_REDIS_URL`), which `cargo xtask test` sets. Without them a test says that it is
//! skipped; with `CI=true` nothing is skipped and it fails instead.

pub mod clock;
pub mod database;
pub mod harness;
pub mod servers;

pub use clock::FakeClock;
pub use database::TestDatabase;
pub use harness::Harness;
