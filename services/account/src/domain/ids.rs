//! Ids of the ledger's own objects.

paymesh_kernel::define_id!(
    /// An account.
    AccountId,
    "acct"
);

paymesh_kernel::define_id!(
    /// A transfer; made by the caller and saved before the call.
    TransferId,
    "xfer"
);

paymesh_kernel::define_id!(
    /// The business transaction that a transfer belongs to.
    TransactionId,
    "txn"
);

paymesh_kernel::define_id!(
    /// A closed period.
    PeriodId,
    "prd"
);
