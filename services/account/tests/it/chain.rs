//! The chain and the tree, verified from what anybody may ask for, after a restart.

use paymesh_proto::{account::v1 as pb, types::v1::Page};
use sha2::{Digest as _, Sha256};

use crate::{
    on_both_engines,
    world::{Purpose, World, single, system},
};

type Hash = [u8; 32];

fn sha(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// RFC 6962 §2.1, word by word.
fn tree_hash(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha(&[]),
        [one] => *one,
        many => {
            let mut half = 1;
            while half * 2 < many.len() {
                half *= 2;
            }
            sha(&[&[1], &tree_hash(&many[..half]), &tree_hash(&many[half..])])
        }
    }
}

/// RFC 6962 §2.1.1, from the root down: which hash a path gives for a leaf.
fn root_from(path: &[Vec<u8>], leaf: Hash, index: u64, size: u64) -> Hash {
    let Some((sibling, rest)) = path.split_last() else {
        assert_eq!(size, 1);
        return leaf;
    };
    let half = size.next_power_of_two() / 2;
    if index < half {
        sha(&[&[1], &root_from(rest, leaf, index, half), sibling])
    } else {
        sha(&[
            &[1],
            sibling,
            &root_from(rest, leaf, index - half, size - half),
        ])
    }
}

async fn batches(world: &World) -> Vec<pb::BatchHead> {
    let (mut token, mut all) = (String::new(), Vec::new());
    loop {
        let request = pb::ListBatchesRequest {
            after_height: 0,
            page: Some(Page { size: 3, token }),
        };
        let page = world
            .staff(|mut c| async move { c.list_batches(request).await })
            .await
            .unwrap();
        all.extend(page.batches);
        token = page.page_info.unwrap().next_token;
        if token.is_empty() {
            return all;
        }
    }
}

async fn proof(world: &World, transfer_id: &str, size: u64) -> pb::ProveTransferResponse {
    let request = pb::ProveTransferRequest {
        transfer_id: transfer_id.to_owned(),
        size,
    };
    world
        .staff(|mut c| async move { c.prove_transfer(request).await })
        .await
        .unwrap()
}

/// Books groups of these sizes, each in a batch of its own.
async fn book(world: &World, sizes: &[usize]) -> Vec<String> {
    let mut ids = Vec::new();
    for size in sizes {
        let pay = |_| {
            let labels = [("n".to_owned(), ids.len().to_string())];
            pb::Transfer {
                metadata: labels.into(),
                ..single(
                    world.xfer(),
                    system(Purpose::BankCash),
                    system(Purpose::Clearing),
                    1,
                )
            }
        };
        let group: Vec<pb::Transfer> = (0..*size).map(pay).collect();
        ids.extend(group.iter().map(|t| t.id.clone()));
        let groups = group.chunks(64).map(<[pb::Transfer]>::to_vec).collect();
        assert!(world.post(groups).await.unwrap().batch_height > 0);
    }
    ids
}

async fn a6_the_chain_verifies_after_a_restart(mut world: World) {
    let empty = world.head().await;
    assert_eq!(
        (empty.height, empty.size, empty.root),
        (0, 0, sha(&[]).to_vec())
    );
    let mut ids = book(&world, &[1, 2, 5]).await;
    world.restart().await;
    ids.extend(book(&world, &[1, 300, 7, 260]).await);
    let mut leaves = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        let proof = proof(&world, id, 0).await;
        assert_eq!(usize::try_from(proof.leaf_index).unwrap(), place);
        leaves.push(sha(&[&[0], &proof.leaf]));
    }
    let heads = batches(&world).await;
    assert_eq!(heads.len(), 7);
    let mut chain = [0_u8; 32].to_vec();
    for (place, head) in heads.iter().enumerate() {
        let size = usize::try_from(head.size).unwrap();
        assert_eq!(head.height, u64::try_from(place + 1).unwrap());
        assert_eq!(head.root, tree_hash(&leaves[..size]));
        chain = sha(&[
            &chain,
            &head.height.to_be_bytes(),
            &head.size.to_be_bytes(),
            &head.root,
        ])
        .to_vec();
        assert_eq!(head.chain_hash, chain);
    }
    assert_eq!(heads.last(), Some(&world.head().await));
}

async fn a6_every_transfer_is_proven_against_every_later_head(world: World) {
    let ids = book(&world, &[1, 3, 280, 40, 200]).await;
    for head in batches(&world).await {
        for index in [0, 1, 3, 100, 255, 256, 283, 300, 523] {
            if index >= usize::try_from(head.size).unwrap() {
                continue;
            }
            let proof = proof(&world, &ids[index], head.size).await;
            assert_eq!(proof.head.as_ref(), Some(&head));
            let leaf = sha(&[&[0], &proof.leaf]);
            let root = root_from(&proof.audit_path, leaf, proof.leaf_index, head.size);
            assert_eq!(root.to_vec(), head.root, "leaf {index} of {}", head.size);
        }
    }
    for (size, reason) in [(2, "REQUEST_INVALID"), (1, "REQUEST_INVALID")] {
        let request = pb::ProveTransferRequest {
            transfer_id: ids[100].clone(),
            size,
        };
        let error = world
            .staff(|mut c| async move { c.prove_transfer(request).await })
            .await
            .unwrap_err();
        assert_eq!(error.reason_text(), reason);
    }
}

async fn a6_a_later_tree_is_proven_to_append_to_an_earlier_one(world: World) {
    book(&world, &[4, 3, 250, 8]).await;
    let heads = batches(&world).await;
    for (first, second) in [(0, 1), (1, 2), (0, 3), (2, 3), (3, 3)] {
        let request = pb::ProveConsistencyRequest {
            first_size: heads[first].size,
            second_size: heads[second].size,
        };
        let proof = world
            .staff(|mut c| async move { c.prove_consistency(request).await })
            .await
            .unwrap();
        assert_eq!(
            (proof.first.as_ref(), proof.second.as_ref()),
            (Some(&heads[first]), Some(&heads[second]))
        );
        // 4 is a power of two: its root is the first element of the path that a verifier begins with.
        if (first, second) == (0, 1) {
            let root = sha(&[&[1], &heads[0].root, &proof.path[0]]);
            assert_eq!(root.to_vec(), heads[1].root);
        }
        assert_eq!(proof.path.is_empty(), first == second);
    }
    let request = pb::ProveConsistencyRequest {
        first_size: heads[2].size,
        second_size: heads[1].size,
    };
    let error = world
        .staff(|mut c| async move { c.prove_consistency(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "REQUEST_INVALID");
}

async fn a_height_that_is_not_there_is_not_found(world: World) {
    book(&world, &[1]).await;
    let request = pb::GetBatchHeadRequest { height: 2 };
    let error = world
        .staff(|mut c| async move { c.get_batch_head(request).await })
        .await
        .unwrap_err();
    assert_eq!(error.reason_text(), "BATCH_NOT_FOUND");
}

on_both_engines!(
    a6_the_chain_verifies_after_a_restart,
    a6_every_transfer_is_proven_against_every_later_head,
    a6_a_later_tree_is_proven_to_append_to_an_earlier_one,
    a_height_that_is_not_there_is_not_found,
);
