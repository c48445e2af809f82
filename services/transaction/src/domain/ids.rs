//! Ids of this component and of what it asks others for.

use paymesh_kernel::define_id;

pub use paymesh_kernel::id::{MerchantId, TenantId, UserId};

define_id!(
    /// A business transaction.
    TransactionId,
    "txn"
);

define_id!(
    /// A capture.
    CaptureId,
    "cap"
);

define_id!(
    /// A refund.
    RefundId,
    "re"
);

define_id!(
    /// A dispute, which a chargeback is booked for.
    DisputeId,
    "dp"
);

define_id!(
    /// A request to resolve a stuck transaction.
    ResolutionId,
    "res"
);

define_id!(
    /// A transfer in the ledger.
    TransferId,
    "xfer"
);

define_id!(
    /// An account of the ledger.
    AccountId,
    "acct"
);

define_id!(
    /// A try at a provider.
    AttemptId,
    "att"
);

define_id!(
    /// A payment method.
    PaymentMethodId,
    "pm"
);

define_id!(
    /// A quote.
    QuoteId,
    "qt"
);

define_id!(
    /// A decision of risk.
    DecisionId,
    "rd"
);

define_id!(
    /// A merchant's terminal.
    TerminalId,
    "term"
);

define_id!(
    /// An operation of any kind; outside it is shown with the prefix of its kind.
    OperationId,
    "op"
);

/// Ids that one base stands for.
const IDS_OF_BASE: u128 = 32;

impl TransferId {
    /// The id of the `n`th transfer of a step whose base is `self`: the lowest five bits count. A step has fewer transfers than
    /// that, and two bases that differ in nothing else do not come up.
    ///
    /// # Panics
    /// When `n` is not below 32.
    #[must_use]
    pub fn nth(self, n: usize) -> Self {
        let n = u128::try_from(n).unwrap_or(IDS_OF_BASE);
        assert!(n < IDS_OF_BASE, "a step has at most 32 transfers");
        let base = self.as_uuid().as_u128() & !0x1f;
        Self::from(uuid::Uuid::from_u128(base | n))
    }
}

impl OperationId {
    /// The operation that gives a chargeback back: one for each dispute.
    #[must_use]
    pub fn reversal_of(dispute: DisputeId) -> Self {
        Self::from(uuid::Uuid::from_u128(dispute.as_uuid().as_u128() ^ 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_base_are_different_and_the_same_each_time() {
        let base = TransferId::from(uuid::Uuid::from_u128(
            0x0190_0000_0000_7000_8000_0000_0000_00ff,
        ));
        let ids: std::collections::BTreeSet<TransferId> = (0..32).map(|n| base.nth(n)).collect();
        assert_eq!(ids.len(), 32);
        assert_eq!(base.nth(3), base.nth(3));
    }
}
