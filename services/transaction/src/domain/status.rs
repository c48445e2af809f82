//! Kinds and states of a transaction, and the edges between states.

use serde::{Deserialize, Serialize};

/// What a transaction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Between two customers' accounts.
    Transfer,
    /// A payer pays a merchant.
    Purchase,
    /// From a payment method into a customer's balance.
    TopUp,
    /// From a customer's balance to a bank.
    Withdrawal,
    /// From a merchant's balance to a bank.
    Payout,
    /// Money back to the payer: a line of its own in summaries, an operation of the purchase otherwise.
    Refund,
    /// Money back by the scheme: likewise.
    Chargeback,
    /// A correction by two people.
    Adjustment,
}

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Recorded; the saga runs.
    Initiated,
    /// The payer must verify.
    RequiresAction,
    /// A person must decide.
    InReview,
    /// Reserved; waits for a capture.
    Authorized,
    /// Past the pivot, or waiting for a bank.
    Processing,
    /// An answer is missing and is being asked for.
    Unknown,
    /// End: done.
    Completed,
    /// End: refused with a reason.
    Declined,
    /// End: called off.
    Canceled,
    /// End: failed and undone.
    Compensated,
    /// Undo exhausted: two people must resolve it.
    Stuck,
    /// End: given up by two people.
    Abandoned,
}

use Status::{
    Abandoned, Authorized, Canceled, Compensated, Completed, Declined, InReview, Initiated,
    Processing, RequiresAction, Stuck, Unknown,
};

/// The legal edges (T1). A state that is not on the left is an end.
pub const EDGES: &[(Status, &[Status])] = &[
    (
        Initiated,
        &[
            RequiresAction,
            InReview,
            Authorized,
            Processing,
            Unknown,
            Completed,
            Declined,
            Canceled,
            Compensated,
            Stuck,
        ],
    ),
    (
        RequiresAction,
        &[
            InReview,
            Authorized,
            Processing,
            Unknown,
            Completed,
            Declined,
            Canceled,
            Compensated,
            Stuck,
        ],
    ),
    (
        InReview,
        &[
            RequiresAction,
            Authorized,
            Processing,
            Unknown,
            Completed,
            Declined,
            Canceled,
            Compensated,
            Stuck,
        ],
    ),
    (
        Authorized,
        &[Processing, Unknown, Completed, Canceled, Compensated, Stuck],
    ),
    (
        Processing,
        &[
            RequiresAction,
            Authorized,
            Unknown,
            Completed,
            Declined,
            Canceled,
            Compensated,
            Stuck,
        ],
    ),
    (
        Unknown,
        &[
            RequiresAction,
            Authorized,
            Processing,
            Completed,
            Declined,
            Canceled,
            Compensated,
            Stuck,
        ],
    ),
    (
        Stuck,
        &[
            Processing,
            Completed,
            Declined,
            Canceled,
            Compensated,
            Abandoned,
        ],
    ),
];

// === impl Kind ===

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Transfer,
        Self::Purchase,
        Self::TopUp,
        Self::Withdrawal,
        Self::Payout,
        Self::Refund,
        Self::Chargeback,
        Self::Adjustment,
    ];

    /// The word in databases and towards risk.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transfer => "transfer",
            Self::Purchase => "purchase",
            Self::TopUp => "top_up",
            Self::Withdrawal => "withdrawal",
            Self::Payout => "payout",
            Self::Refund => "refund",
            Self::Chargeback => "chargeback",
            Self::Adjustment => "adjustment",
        }
    }
}

// === impl Status ===

impl Status {
    /// Every state.
    pub const ALL: [Self; 12] = [
        Initiated,
        RequiresAction,
        InReview,
        Authorized,
        Processing,
        Unknown,
        Completed,
        Declined,
        Canceled,
        Compensated,
        Stuck,
        Abandoned,
    ];

    /// The word in databases and reasons.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Initiated => "initiated",
            RequiresAction => "requires_action",
            InReview => "in_review",
            Authorized => "authorized",
            Processing => "processing",
            Unknown => "unknown",
            Completed => "completed",
            Declined => "declined",
            Canceled => "canceled",
            Compensated => "compensated",
            Stuck => "stuck",
            Abandoned => "abandoned",
        }
    }

    /// True when nothing follows.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Completed | Declined | Canceled | Compensated | Abandoned
        )
    }

    /// True when the edge to `next` is legal (T1).
    #[must_use]
    pub fn can_become(self, next: Self) -> bool {
        EDGES
            .iter()
            .find(|(from, _)| *from == self)
            .is_some_and(|(_, to)| to.contains(&next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t1_ends_have_no_way_out_and_all_others_have_one() {
        for status in Status::ALL {
            let leads_on = Status::ALL.into_iter().any(|next| status.can_become(next));
            assert_eq!(leads_on, !status.is_end(), "T1: {status:?}");
            assert!(!status.can_become(status), "T1: {status:?}");
        }
    }

    #[test]
    fn t1_only_what_is_stuck_can_be_abandoned_and_nothing_returns_to_the_beginning() {
        for status in Status::ALL {
            assert_eq!(
                status.can_become(Abandoned),
                status == Stuck,
                "T1: {status:?}"
            );
            assert!(!status.can_become(Initiated), "T1: {status:?}");
        }
    }

    #[test]
    fn every_state_but_the_ends_can_get_stuck_or_is() {
        for status in Status::ALL {
            assert_eq!(
                status.can_become(Stuck),
                !status.is_end() && status != Stuck,
                "{status:?}"
            );
        }
    }
}
