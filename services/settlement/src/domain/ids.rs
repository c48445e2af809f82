//! Ids of this component and of what it names elsewhere.

use paymesh_kernel::define_id;

define_id!(
    /// A settlement batch.
    BatchId,
    "sb"
);

define_id!(
    /// What a batch comes to for one merchant and day.
    PositionId,
    "pos"
);

define_id!(
    /// One movement from merchant.pending to merchant.available.
    ReleaseId,
    "rel"
);

define_id!(
    /// A payout.
    PayoutId,
    "po"
);

define_id!(
    /// An imported statement.
    StatementId,
    "stm"
);

define_id!(
    /// A line of a statement.
    LineId,
    "sln"
);

define_id!(
    /// A run of the reconciliation.
    ReconciliationId,
    "rec"
);

define_id!(
    /// Something that does not agree.
    BreakId,
    "brk"
);

define_id!(
    /// A transfer of the ledger.
    TransferId,
    "xfer"
);

define_id!(
    /// An account of the ledger.
    AccountId,
    "acct"
);

define_id!(
    /// A business transaction.
    TransactionId,
    "txn"
);

/// Transfers that one base stands for.
const TRANSFERS_OF_BASE: u128 = 8;

impl TransferId {
    /// The `n`th transfer of an object whose base is `self`: the lowest three bits count.
    ///
    /// # Panics
    /// When `n` is not below 8.
    pub(crate) fn nth(self, n: u128) -> Self {
        assert!(
            n < TRANSFERS_OF_BASE,
            "an object has at most eight transfers"
        );
        let base = self.as_uuid().as_u128() & !0x7;
        Self::from(uuid::Uuid::from_u128(base | n))
    }
}
