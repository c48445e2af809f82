//! The outbox: facts are rows, committed with the change that they tell of.
//!
//! - B1: an event is published if, and only if, the change set that it is part of was committed.
//! - B2: the events of an aggregate are published in the order of their sequence, and one that the broker refuses holds up
//!   its own aggregate alone.
//! - B3: a row leaves the outbox only after the broker has confirmed it; what was confirmed and not yet removed when the process
//!   died is published again, under the same id.

pub(crate) mod entity;
pub(crate) mod lease;
pub(crate) mod migration;
pub mod operator;
pub(crate) mod read;
pub mod relay;

use paymesh_kernel::ChangeSet;

use crate::event::Event;

pub use entity::Model as OutboxRow;
pub use relay::{Relay, RelayConfig};

/// The table, for [`Writer::watch`](paymesh_kernel::Writer::watch).
pub const TABLE: &str = "outbox";
/// Parts of the outbox that are leased one by one, so that several replicas relay together.
pub(crate) const SHARDS: i16 = 16;

/// Adds `event` to a change set, to be published once that is committed (B1).
///
/// # Panics
/// When the sequence is below 1: aggregates number their events from 1 without gaps.
pub fn publish(changes: &mut ChangeSet, event: Event) {
    changes.insert(&row(event));
}

/// The outbox row of an event, for a component that writes its batches by itself. Such a component wakes its [`Relay`] after
/// the commit.
///
/// # Panics
/// When the sequence is below 1.
#[must_use]
pub fn row(event: Event) -> OutboxRow {
    assert!(
        event.sequence > 0,
        "aggregates number their events from 1 without gaps"
    );
    OutboxRow {
        id: event.id,
        aggregate_type: event.aggregate_type.into_owned(),
        aggregate_id: event.aggregate_id,
        kind: event.kind.into_owned(),
        sequence: event.sequence,
        tenant_id: event.tenant,
        causation_id: event.causation_id,
        correlation_id: event.correlation_id,
        occurred_at: event.occurred_at,
        business_at: event.business_at,
        traceparent: event.traceparent,
        shard: shard(event.aggregate_id),
        payload: event.payload,
    }
}

/// The shard of an aggregate. The last bytes of our ids are random.
fn shard(aggregate: uuid::Uuid) -> i16 {
    let folded = aggregate
        .as_bytes()
        .iter()
        .fold(0, |fold, byte| fold ^ byte);
    i16::from(folded).rem_euclid(SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shard_gets_its_part() {
        let mut counts = [0_u32; 16];
        for n in 0..16_000_u128 {
            // Odd multiples of a large constant spread over all bits.
            let id =
                uuid::Uuid::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            counts[usize::try_from(shard(id)).unwrap_or(usize::MAX)] += 1;
        }
        assert!(counts.iter().all(|&count| count > 700), "{counts:?}");
    }
}
