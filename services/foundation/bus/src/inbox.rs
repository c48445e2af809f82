//! The inbox: which events of which aggregate a consumer has applied, kept in its own database.
//!
//! - B4: an event's effect and the cursor that remembers it are one change set, so an event has its effect once, however often it
//!   is delivered.
//! - B5: the events of an aggregate are applied in the order of their sequence, whatever order they are delivered in. One that
//!   comes early waits in a row; so does one whose handler asked for a retry, and those behind it.
//! - B6: nothing that was delivered is forgotten: an event is applied, known already, waiting in a row, or dead in a row with its
//!   reason, before its delivery is settled.

pub(crate) mod entity;
pub(crate) mod migration;
pub mod operator;
pub(crate) mod store;

use paymesh_kernel::{ChangeSet, Timestamp};

use crate::{event::Aggregate, topology::Queue};

pub use store::InboxDepth;

/// What is to be done with a delivered event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is the next one.
    Apply,
    /// It was applied before.
    Drop,
    /// An earlier one is missing.
    Park,
}

/// Decides by sequence alone: `applied` is the last one applied, 0 when there is none.
pub(crate) const fn decide(applied: i64, sequence: i64) -> Step {
    if sequence <= applied {
        Step::Drop
    } else if sequence == applied + 1 {
        Step::Apply
    } else {
        Step::Park
    }
}

/// Has a consumer begin after `sequence` of an aggregate, for one that is added later and starts from a snapshot.
pub fn start_after(
    changes: &mut ChangeSet,
    queue: &Queue,
    aggregate: &Aggregate,
    sequence: i64,
    now: Timestamp,
) {
    changes.insert(&entity::cursor::Model {
        aggregate_id: aggregate.id,
        aggregate_type: aggregate.kind.to_string(),
        queue: queue.to_string(),
        sequence,
        updated_at: now,
        version: 1,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_is_applied_the_known_dropped_the_early_parked() {
        for (applied, sequence, step) in [
            (0, 1, Step::Apply),
            (0, 2, Step::Park),
            (3, 4, Step::Apply),
            (3, 3, Step::Drop),
            (3, 1, Step::Drop),
            (3, 5, Step::Park),
        ] {
            assert_eq!(decide(applied, sequence), step, "{applied} {sequence}");
        }
    }
}
