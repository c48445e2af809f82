//! The append-only tree over all transfers of the ledger database (RFC 6962 §2.1), with SHA-256.
//!
//! To go on, only the frontier is kept: the roots of the perfect subtrees that the tree is made of, at most 63. For proofs the root
//! of each perfect subtree of 256, 65,536, … leaves is stored as it comes up, one row for every 255 leaves or so; what lies between is
//! computed from at most 255 stored hashes or leaves.

pub mod proof;

use sha2::{Digest as _, Sha256};

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;
/// Every so many levels the roots of subtrees are stored.
pub const STORED_LEVELS: u32 = 8;
/// Goes before the bytes of a leaf.
const LEAF: u8 = 0;
/// Goes before two hashes of a node.
const NODE: u8 = 1;

/// SHA-256.
pub type Hash = [u8; HASH_BYTES];

/// A perfect subtree: `2^level` leaves from `position × 2^level` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// 0 is a leaf.
    pub level: u32,
    /// Among the subtrees of its level, from 0.
    pub position: i64,
}

/// A subtree's root that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which subtree.
    pub place: Place,
    /// Its root.
    pub hash: Hash,
}

/// The right edge of the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: i64,
    /// Roots of perfect subtrees, the largest first.
    peaks: Vec<Hash>,
}

/// Stored bytes that are no frontier of a tree of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("A6: the stored frontier does not belong to a tree of {size} leaves")]
pub struct FrontierBroken {
    size: i64,
}

// === impl Frontier ===

impl Frontier {
    /// The frontier of a tree of `size` leaves, from its stored bytes.
    ///
    /// # Errors
    /// When there are more or fewer hashes than such a tree has.
    pub fn restored(size: i64, bytes: &[u8]) -> Result<Self, FrontierBroken> {
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        let wanted = usize::try_from(size.count_ones()).unwrap_or(usize::MAX);
        if size < 0 || !rest.is_empty() || hashes.len() != wanted {
            return Err(FrontierBroken { size });
        }
        Ok(Self {
            size,
            peaks: hashes.to_vec(),
        })
    }

    /// The bytes to store.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.peaks.concat()
    }

    /// Leaves of the tree.
    #[must_use]
    pub const fn size(&self) -> i64 {
        self.size
    }

    /// Appends a leaf; the roots of subtrees that are complete now and are to be stored go into `stored`.
    pub fn append(&mut self, leaf: Hash, stored: &mut Vec<Node>) {
        let mut hash = leaf;
        let mut level = 0_u32;
        let mut subtrees = self.size;
        while subtrees & 1 == 1 {
            let left = self
                .peaks
                .pop()
                .expect("A6: a frontier has a peak for each bit of its size");
            hash = node_hash(&left, &hash);
            level = level.saturating_add(1);
            subtrees >>= 1;
            if level.is_multiple_of(STORED_LEVELS) {
                let place = Place {
                    level,
                    position: subtrees,
                };
                stored.push(Node { place, hash });
            }
        }
        self.peaks.push(hash);
        self.size = self.size.saturating_add(1);
    }

    /// The tree's root; of the empty tree the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks).unwrap_or_else(|| Sha256::digest([]).into())
    }
}

// === free functions ===

/// The hash of a leaf's bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([LEAF]);
    hasher.update(leaf);
    hasher.finalize().into()
}

/// The hash of a node from those of its children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update([NODE]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// The root over perfect subtrees of falling size; None when there are none.
#[must_use]
pub fn fold(roots: &[Hash]) -> Option<Hash> {
    roots
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
}

/// The root of one perfect subtree from those of the subtrees that it is made of: 1, 2, 4, … of one level.
#[must_use]
pub fn perfect_root(children: &[Hash]) -> Option<Hash> {
    let mut level = children.to_vec();
    while level.len() > 1 {
        let (pairs, rest) = level.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        level = pairs
            .iter()
            .map(|[left, right]| node_hash(left, right))
            .collect();
    }
    level.first().copied()
}

#[cfg(test)]
mod tests;
