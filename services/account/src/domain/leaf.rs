//! The canonical bytes of a transfer: what the tree of proofs hashes (A6).
//!
//! Version 1, all numbers big-endian: the byte 1; tenant, transfer, debited, credited account as 16 bytes each; kind and code as text;
//! amount and released amount as 8 bytes each; currency as text; the closed account asked for, the pending transfer, the business
//! transaction as an optional id each; the group's id as 16 bytes; expiry as an optional moment; value date and booking as 8 bytes each
//! (microseconds since the epoch); the policy for closed accounts as text; the number of labels as 4 bytes and each label's key and value as text, sorted by
//! key. A text is its length in 4 bytes and its UTF-8 bytes. An optional value is the byte 0, or the byte 1 and the value.

use paymesh_kernel::Timestamp;
use uuid::Uuid;

use super::transfer::Transfer;

/// The version of the encoding.
const VERSION: u8 = 1;
/// Room for a transfer without labels.
const USUAL_BYTES: usize = 240;

/// The canonical bytes of a transfer. Nothing that may change later is in them.
#[must_use]
pub fn encode(transfer: &Transfer) -> Vec<u8> {
    let mut leaf = Vec::with_capacity(USUAL_BYTES);
    leaf.push(VERSION);
    for id in [
        transfer.tenant.as_uuid(),
        transfer.id.as_uuid(),
        transfer.debit.as_uuid(),
        transfer.credit.as_uuid(),
    ] {
        leaf.extend_from_slice(id.as_bytes());
    }
    text(&mut leaf, transfer.kind.as_str());
    text(&mut leaf, transfer.code.as_str());
    leaf.extend_from_slice(&transfer.amount.to_be_bytes());
    leaf.extend_from_slice(&transfer.released.to_be_bytes());
    text(&mut leaf, transfer.currency.code());
    optional(&mut leaf, transfer.redirected_from.map(|id| id.as_uuid()));
    optional(&mut leaf, transfer.pending.map(|id| id.as_uuid()));
    optional(&mut leaf, transfer.transaction.map(|id| id.as_uuid()));
    leaf.extend_from_slice(transfer.group.as_uuid().as_bytes());
    match transfer.expires_at {
        None => leaf.push(0),
        Some(at) => {
            leaf.push(1);
            moment(&mut leaf, at);
        }
    }
    moment(&mut leaf, transfer.effective_at);
    moment(&mut leaf, transfer.booked_at);
    text(&mut leaf, transfer.closed_credit.as_str());
    length(&mut leaf, transfer.metadata.len());
    for (key, value) in &transfer.metadata {
        text(&mut leaf, key);
        text(&mut leaf, value);
    }
    leaf
}

fn length(leaf: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("texts and labels are limited far below 4 GiB");
    leaf.extend_from_slice(&length.to_be_bytes());
}

fn text(leaf: &mut Vec<u8>, text: &str) {
    length(leaf, text.len());
    leaf.extend_from_slice(text.as_bytes());
}

fn optional(leaf: &mut Vec<u8>, id: Option<Uuid>) {
    match id {
        None => leaf.push(0),
        Some(id) => {
            leaf.push(1);
            leaf.extend_from_slice(id.as_bytes());
        }
    }
}

fn moment(leaf: &mut Vec<u8>, at: Timestamp) {
    leaf.extend_from_slice(&at.as_micros().to_be_bytes());
}
