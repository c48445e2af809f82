#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test fails by panicking"
)]

use std::collections::HashMap;

use proptest::prelude::*;

use super::{
    proof::{Range, consistency, inclusion},
    *,
};

/// The definition of RFC 6962 §2.1, word by word.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let mut k = 1;
            while k * 2 < many.len() {
                k *= 2;
            }
            node_hash(&mth(&many[..k]), &mth(&many[k..]))
        }
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn hash_of(range: Range, all: &[Hash]) -> Hash {
    let roots: Vec<Hash> = range
        .places()
        .iter()
        .map(|place| {
            let width = 1_usize << place.level;
            let start = usize::try_from(place.position).unwrap() * width;
            perfect_root(&all[start..start + width]).unwrap()
        })
        .collect();
    fold(&roots).unwrap()
}

/// RFC 9162 §2.1.3.2: what a verifier does with an inclusion proof.
fn verify_inclusion(index: i64, size: i64, leaf: Hash, path: &[Hash], root: Hash) -> bool {
    let (mut fnode, mut snode, mut hash) = (index, size - 1, leaf);
    for step in path {
        if snode == 0 {
            return false;
        }
        if fnode & 1 == 1 || fnode == snode {
            hash = node_hash(step, &hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    snode == 0 && hash == root
}

/// RFC 9162 §2.1.4.2: what a verifier does with a consistency proof.
fn verify_consistency(first: (i64, Hash), second: (i64, Hash), path: &[Hash]) -> bool {
    let (first_size, first_root) = first;
    let (second_size, second_root) = second;
    if first_size == second_size {
        return path.is_empty() && first_root == second_root;
    }
    let mut path = path.to_vec();
    if first_size.count_ones() == 1 {
        path.insert(0, first_root);
    }
    let (mut fnode, mut snode) = (first_size - 1, second_size - 1);
    while fnode & 1 == 1 {
        fnode >>= 1;
        snode >>= 1;
    }
    let Some((start, rest)) = path.split_first() else {
        return false;
    };
    let (mut first_hash, mut second_hash) = (*start, *start);
    for step in rest {
        if snode == 0 {
            return false;
        }
        if fnode & 1 == 1 || fnode == snode {
            first_hash = node_hash(step, &first_hash);
            second_hash = node_hash(step, &second_hash);
            while fnode & 1 == 0 && fnode != 0 {
                fnode >>= 1;
                snode >>= 1;
            }
        } else {
            second_hash = node_hash(&second_hash, step);
        }
        fnode >>= 1;
        snode >>= 1;
    }
    snode == 0 && first_hash == first_root && second_hash == second_root
}

#[test]
fn a6_the_frontier_gives_the_root_of_the_definition_at_every_size() {
    let all = leaves(600);
    let mut frontier = Frontier::default();
    let mut stored = Vec::new();
    for size in 0..=all.len() {
        assert_eq!(frontier.root(), mth(&all[..size]), "size {size}");
        let bytes = frontier.to_bytes();
        let again = Frontier::restored(i64::try_from(size).unwrap(), &bytes).unwrap();
        assert_eq!(again, frontier);
        if let Some(leaf) = all.get(size) {
            frontier.append(*leaf, &mut stored);
        }
    }
    let places: HashMap<Place, Hash> = stored.iter().map(|n| (n.place, n.hash)).collect();
    assert_eq!(places.len(), 2);
    for position in 0..2_usize {
        let place = Place {
            level: 8,
            position: i64::try_from(position).unwrap(),
        };
        assert_eq!(
            places[&place],
            mth(&all[position * 256..(position + 1) * 256])
        );
    }
}

#[test]
fn a_frontier_of_another_size_is_refused() {
    assert!(Frontier::restored(3, &[0; 32]).is_err());
    assert!(Frontier::restored(1, &[0; 33]).is_err());
    assert!(Frontier::restored(-1, &[0; 32]).is_err());
}

#[test]
fn the_root_of_the_empty_tree_is_that_of_the_standard() {
    let root: String = Frontier::default()
        .root()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(
        root,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn a_leaf_outside_of_the_tree_has_no_proof() {
    assert_eq!(inclusion(5, 5), None);
    assert_eq!(inclusion(-1, 5), None);
    assert_eq!(consistency(6, 5), None);
}

proptest! {
    #[test]
    fn a6_every_inclusion_proof_verifies_and_no_other_leaf_does(size in 1_usize..400, pick: prop::sample::Index) {
        let all = leaves(size);
        let index = pick.index(size);
        let path: Vec<Hash> = inclusion(index as i64, size as i64)
            .unwrap()
            .iter()
            .map(|range| hash_of(*range, &all))
            .collect();
        let root = mth(&all);
        prop_assert!(verify_inclusion(index as i64, size as i64, all[index], &path, root));
        prop_assert!(!verify_inclusion(index as i64, size as i64, leaf_hash(b"forged"), &path, root));
    }

    #[test]
    fn a6_every_consistency_proof_verifies(second in 1_usize..400, pick: prop::sample::Index) {
        let all = leaves(second);
        let first = 1 + pick.index(second);
        let path: Vec<Hash> = consistency(first as i64, second as i64)
            .unwrap()
            .iter()
            .map(|range| hash_of(*range, &all))
            .collect();
        let (old, new) = (mth(&all[..first]), mth(&all));
        prop_assert!(verify_consistency((first as i64, old), (second as i64, new), &path));
        if first < second {
            prop_assert!(!verify_consistency((first as i64, leaf_hash(b"forged")), (second as i64, new), &path));
        }
    }
}
