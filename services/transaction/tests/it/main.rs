//! The component behind its real interface: gRPC in process, a fresh database, a clock that is moved by hand, and small strict
//! components around it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::integer_division,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod banks;
mod captures;
mod crash;
mod disputes;
mod events;
mod fakes;
mod keys;
mod leases;
mod outages;
mod payments;
mod people;
mod platform;
mod postgres;
mod refunds;
mod storm;
