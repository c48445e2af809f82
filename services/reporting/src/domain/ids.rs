//! Ids of the component.

use paymesh_kernel::{Timestamp, define_id, id::reexport::Uuid};
use sha2::{Digest as _, Sha256};

define_id!(
    /// A definition.
    DefinitionId,
    "def"
);
define_id!(
    /// A schedule.
    ScheduleId,
    "sch"
);
define_id!(
    /// A run.
    RunId,
    "run"
);

/// The run that a schedule makes for a due time: the same on every replica (P3).
pub(crate) fn scheduled(schedule: ScheduleId, due_at: Timestamp) -> RunId {
    let digest = Sha256::new()
        .chain_update(schedule.as_uuid().as_bytes())
        .chain_update(due_at.as_micros().to_be_bytes())
        .finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(first).into()
}
