//! The flows: which steps in which order, what undoes each, and where the pivot is.

use serde::{Deserialize, Serialize};

use super::StepKind;

/// Which list of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// From a balance, at once.
    Internal,
    /// From a balance, captured later.
    InternalManual,
    /// From a payment method, at once.
    External,
    /// From a payment method, captured later.
    ExternalManual,
    /// To a bank.
    Payout,
    /// By two people.
    Adjustment,
    /// A capture at a provider.
    Capture,
    /// A capture of a reservation in the ledger.
    CaptureHeld,
    /// A refund at a provider.
    Refund,
    /// A refund to a balance.
    RefundInternal,
    /// A chargeback.
    Chargeback,
    /// The opposite of what an operation booked.
    Reversal,
    /// Success that arrived after its transaction had ended without: given back at the provider.
    LateUndo,
}

/// What kind of thing a step is, which decides what is stored before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Asks another component; a repeat with the same id has the same answer. Nothing is stored before.
    Ask,
    /// May move or reserve money: stored as begun before the first call.
    Money,
    /// Waits for somebody.
    Wait,
}

/// One step of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepSpec {
    /// What it does.
    pub kind: StepKind,
    /// What undoes it.
    pub undo: Option<StepKind>,
    /// After it is done there is no way back.
    pub is_pivot: bool,
}

const fn step(kind: StepKind) -> StepSpec {
    StepSpec {
        kind,
        undo: None,
        is_pivot: false,
    }
}

const fn undone_by(kind: StepKind, undo: StepKind) -> StepSpec {
    StepSpec {
        kind,
        undo: Some(undo),
        is_pivot: false,
    }
}

const fn pivot(kind: StepKind) -> StepSpec {
    StepSpec {
        kind,
        undo: None,
        is_pivot: true,
    }
}

/// An automatic authorization takes the money as well: it is the pivot, and is undone only while it certainly has not.
const TAKE: StepSpec = StepSpec {
    kind: StepKind::Authorize,
    undo: Some(StepKind::Cancel),
    is_pivot: true,
};
const RISK: StepSpec = step(StepKind::Risk);
const QUOTE: StepSpec = step(StepKind::Quote);
const CONSUME: StepSpec = step(StepKind::ConsumeQuote);
const REVIEW: StepSpec = step(StepKind::Review);
const HOLD: StepSpec = undone_by(StepKind::Hold, StepKind::Void);
const POST: StepSpec = pivot(StepKind::Post);
const RESERVE: StepSpec = undone_by(StepKind::Authorize, StepKind::Cancel);
const SEND: StepSpec = pivot(StepKind::Payout);
const CAPTURE: StepSpec = pivot(StepKind::Capture);
const GIVE_BACK: StepSpec = pivot(StepKind::Refund);
const REVERSE: StepSpec = pivot(StepKind::Reverse);
const RELEASE: StepSpec = step(StepKind::Cancel);
const LATE_REFUND: StepSpec = step(StepKind::Refund);

// === impl Flow ===

impl Flow {
    /// Every flow.
    pub const ALL: [Self; 13] = [
        Self::Internal,
        Self::InternalManual,
        Self::External,
        Self::ExternalManual,
        Self::Payout,
        Self::Adjustment,
        Self::Capture,
        Self::CaptureHeld,
        Self::Refund,
        Self::RefundInternal,
        Self::Chargeback,
        Self::Reversal,
        Self::LateUndo,
    ];

    /// All steps that the flow may have, in order. Which of them a saga has is decided by its figures and by risk.
    #[must_use]
    pub const fn specs(self) -> &'static [StepSpec] {
        match self {
            Self::Internal => &[RISK, HOLD, REVIEW, QUOTE, CONSUME, POST],
            Self::InternalManual => &[RISK, QUOTE, CONSUME, HOLD, REVIEW],
            Self::External => &[RISK, REVIEW, QUOTE, CONSUME, TAKE, POST],
            Self::ExternalManual => &[RISK, REVIEW, QUOTE, CONSUME, RESERVE],
            Self::Payout => &[RISK, REVIEW, HOLD, SEND, POST],
            Self::Adjustment => &[REVIEW, POST],
            Self::Capture => &[CAPTURE, POST],
            Self::CaptureHeld => &[POST],
            Self::Refund => &[QUOTE, CONSUME, HOLD, GIVE_BACK, POST],
            Self::RefundInternal | Self::Chargeback => &[QUOTE, CONSUME, POST],
            Self::Reversal => &[REVERSE],
            Self::LateUndo => &[RELEASE, LATE_REFUND],
        }
    }

    /// The spec of a step.
    #[must_use]
    pub fn spec(self, kind: StepKind) -> Option<&'static StepSpec> {
        self.specs().iter().find(|spec| spec.kind == kind)
    }
}
