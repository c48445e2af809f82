//! Ids of this component.

use paymesh_kernel::{
    define_id,
    id::{TenantId, reexport::Uuid},
};
use sha2::{Digest as _, Sha256};

define_id!(
    /// A decision, which is also the payment that it is about.
    DecisionId,
    "rd"
);

define_id!(
    /// A rule.
    RuleId,
    "rule"
);

define_id!(
    /// An entry of a list.
    EntryId,
    "rle"
);

define_id!(
    /// An alert.
    AlertId,
    "ra"
);

/// An id that the same parts always give, in a tenant.
#[must_use]
pub fn derived(tenant: TenantId, parts: &[&[u8]]) -> Uuid {
    let mut hasher = Sha256::new();
    hasher.update(tenant.as_uuid().as_bytes());
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    let mut first = [0_u8; 16];
    first.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(first)
}
