//! The rules of the contract, checked on what the build made of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod facts;
mod methods;
mod secrets;

use prost_reflect::DescriptorPool;

/// The contract as a peer would read it from the descriptor set.
fn pool() -> DescriptorPool {
    DescriptorPool::decode(paymesh_proto::FILE_DESCRIPTOR_SET).unwrap()
}

#[test]
fn descriptors_decode_and_hold_every_component() {
    let pool = pool();
    for component in [
        "account",
        "currency",
        "merchant",
        "payment",
        "reporting",
        "risk",
        "settlement",
        "transaction",
        "user",
    ] {
        let file = format!("paymesh/{component}/v1/{component}.proto");
        let events = format!("paymesh/{component}/v1/events.proto");
        assert!(pool.get_file_by_name(&file).is_some(), "{file}");
        assert!(pool.get_file_by_name(&events).is_some(), "{events}");
    }
    assert!(
        pool.get_message_by_name("paymesh.bus.v1.Envelope")
            .is_some()
    );
}
