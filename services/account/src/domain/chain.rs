//! The chain of batches: each head commits to the tree after it and to the head before (A6).

use paymesh_kernel::Timestamp;
use sha2::{Digest as _, Sha256};

use super::tree::{Frontier, HASH_BYTES, Hash};

/// The chain's hash before the first batch.
pub const GENESIS: Hash = [0; HASH_BYTES];

/// A committed batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchHead {
    /// From 1, without gaps; 0 is the empty tree.
    pub height: i64,
    /// Leaves of the tree.
    pub size: i64,
    /// The tree's root.
    pub root: Hash,
    /// The chain's hash before.
    pub previous: Hash,
    /// The chain's hash after.
    pub chain: Hash,
    /// When it was booked.
    pub committed_at: Timestamp,
}

/// Where the chain goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Height of the newest batch; 0 when there is none.
    pub height: i64,
    /// The tree.
    pub frontier: Frontier,
    /// The chain's hash.
    pub chain: Hash,
    /// Moment of the newest commit; the next one is later, whatever the clock says.
    pub committed_at: Timestamp,
    /// Raised by one with each commit.
    pub version: i64,
}

// === impl BatchHead ===

impl BatchHead {
    /// The head before the first batch.
    #[must_use]
    pub fn genesis() -> Self {
        Self {
            height: 0,
            size: 0,
            root: Frontier::default().root(),
            previous: GENESIS,
            chain: GENESIS,
            committed_at: Timestamp::EPOCH,
        }
    }
}

// === impl Head ===

impl Head {
    /// The moment of the next batch: now, or just after the last one when the clock stands still or went back.
    #[must_use]
    pub fn next_moment(&self, now: Timestamp) -> Timestamp {
        let after = Timestamp::from_micros(self.committed_at.as_micros().saturating_add(1));
        now.max(after)
    }
}

/// SHA-256 over the chain's hash before, the height and the size as 8 bytes each, big-endian, and the root.
#[must_use]
pub fn link(previous: &Hash, height: i64, size: i64, root: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(height.to_be_bytes());
    hasher.update(size.to_be_bytes());
    hasher.update(root);
    hasher.finalize().into()
}
