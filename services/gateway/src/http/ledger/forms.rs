//! Forms of the ledger as finance and auditors see it.

use std::collections::BTreeMap;

use paymesh_proto::account::v1 as pb;

use super::super::form::{Amount, Base64, Hex, Moment, Word, form, request, words};

words! { pb::PendingState = PendingState "PENDING_STATE_"; }

form! {
    /// A transfer as it is booked.
    Transfer from pb::BookedTransfer {
        /// `xfer_…`
        id: String,
        kind: Word<pb::TransferKind>,
        debit_account_id: String,
        credit_account_id: String,
        amount: Option<Amount>,
        code: Word<pb::TransferCode>,
        /// The pending transfer that this one posts or voids.
        pending_id: Option<String>,
        /// Where a pending transfer stands.
        pending_state: Option<Word<pb::PendingState>>,
        transaction_id: Option<String>,
        group_id: Option<String>,
        metadata: BTreeMap<String, String>,
        expires_at: Option<Moment> = expires_at_us,
        effective_at: Option<Moment> = effective_at_us,
        booked_at: Moment = booked_at_us,
        /// Place in the proof tree, from 0.
        leaf_index: u64,
        batch_height: u64,
    }
}

form! {
    /// Which of the transfers are booked.
    TransferLookup from pb::LookupTransfersResponse {
        transfers: Vec<Transfer>,
        missing_ids: Vec<String>,
    }
}

form! {
    /// The accounts of one class and purpose.
    TrialBalanceLine from pb::TrialBalanceLine {
        class: Word<pb::AccountClass>,
        purpose: Word<pb::AccountPurpose>,
        currency: String,
        debits_posted_minor: i64,
        credits_posted_minor: i64,
        debits_pending_minor: i64,
        credits_pending_minor: i64,
        account_count: u64,
    }
}

form! {
    /// The whole ledger of a currency.
    TrialBalanceTotal from pb::TrialBalanceTotal {
        currency: String,
        debits_posted_minor: i64,
        credits_posted_minor: i64,
        debits_pending_minor: i64,
        credits_pending_minor: i64,
        /// Debits equal credits.
        balanced: bool,
    }
}

form! {
    /// Sums of all accounts.
    TrialBalance from pb::TrialBalanceResponse {
        lines: Vec<TrialBalanceLine>,
        totals: Vec<TrialBalanceTotal>,
        batch_height: u64,
    }
}

form! {
    /// A batch of the ledger, and the head of the proof tree after it.
    Batch from pb::BatchHead {
        /// From 1, without gaps.
        height: u64,
        /// Transfers booked so far.
        size: u64,
        /// Root of the tree (RFC 6962).
        root: Hex,
        /// SHA-256 over the chain hash before, height, size and root.
        chain_hash: Hex,
        committed_at: Option<Moment> = committed_at_us,
    }
}

form! {
    /// Proof that a transfer is in the tree.
    TransferProof from pb::ProveTransferResponse {
        leaf_index: u64,
        /// What was hashed.
        leaf: Base64,
        /// From the leaf up.
        audit_path: Vec<Hex>,
        head: Option<Batch>,
    }
}

form! {
    /// Proof that a later tree only appended to an earlier one.
    ConsistencyProof from pb::ProveConsistencyResponse {
        path: Vec<Hex>,
        first: Option<Batch>,
        second: Option<Batch>,
    }
}

form! {
    /// A closed period: nothing may become effective before its end.
    Period from pb::Period {
        /// Left out when it is every ledger of the tenant.
        currency: Option<String>,
        until: Moment = until_at_us,
        batch_height: u64,
        closed_at: Option<Moment> = closed_at_us,
        closed_by: Option<String>,
    }
}

request! {
    /// Which transfers.
    TransferFilter {
        account_id: Option<String>,
        transaction_id: Option<String>,
        booked_from: Option<Moment>,
        /// Exclusive.
        booked_until: Option<Moment>,
    }
}

request! {
    /// Transfers to look up.
    LookupTransfers {
        /// 1 to 1,024 of `xfer_…`.
        transfer_ids: Vec<String>,
    }
}

request! {
    /// Which ledger, and when.
    TrialBalanceQuery {
        currency: Option<String>,
        /// Exclusive; now, if it is left out.
        as_of: Option<Moment>,
        /// `booked`, if it is left out.
        basis: Option<Word<pb::BalanceBasis>>,
    }
}

request! {
    /// Which batches.
    BatchFilter {
        /// Only heights above this.
        after_height: Option<u64>,
    }
}

request! {
    /// Which tree.
    TransferProofQuery {
        /// Size of the tree to prove against; the newest, if it is left out.
        size: Option<u64>,
    }
}

request! {
    /// Which two trees.
    ConsistencyQuery {
        first_size: u64,
        /// The newest, if it is left out.
        second_size: Option<u64>,
    }
}

request! {
    /// A period to close.
    ClosePeriod {
        until: Moment,
        /// Every ledger of the tenant, if it is left out.
        currency: Option<String>,
    }
}
