//! The OpenAPI document as a promise: each of its operations can be done, and none fails, whatever it is sent.
//!
//! One test walks through all operations with a recipe for each. The other lets a fuzzing client loose that knows the document
//! alone; it runs where `cargo xtask test` has prepared the client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod recipes;
mod tool;
mod walk;

use paymesh_e2e::Platform;

use crate::walk::Walk;

#[tokio::test]
async fn every_operation_of_the_document_can_be_done() {
    let platform = Platform::all_in_one().unwrap();
    let mut walk = Walk::new(&platform).await;
    recipes::all(&mut walk, &platform).await;
    walk.assert_complete();
}

#[test]
fn no_operation_fails_whatever_it_is_sent() {
    tool::run();
}
