//! What people and other components ask of a transaction: each command is checked against where it stands and gives a new
//! operation, or a change of the one that waits.

use paymesh_money::Money;

use super::{
    CaptureId, DisputeId, OperationId, RefundId, TransactionId,
    decline::{Decline, DeclineReason},
    fact::ChargebackStage,
    operation::{Operation, OperationDetails, OperationKind, OperationState},
    policy::Moment,
    saga::{Flow, Goal, Saga, StepKind, StepState, Wait},
    status::{Kind, Status},
    transaction::{Resolution, ResolutionRequest, Transaction},
    work::{Pending, Work},
};
use crate::domain::ids::ResolutionId;

/// Most operations of one transaction.
pub const MAX_OPERATIONS: usize = 100;

/// Why a command is refused. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Its state does not allow it.
    #[error("the transaction is {}; this is possible only while it is {needed}", status.as_str())]
    State {
        /// Where it stands.
        status: Status,
        /// Where it would have to stand.
        needed: &'static str,
    },
    /// Another operation is at work.
    #[error("another operation of the transaction is at work; try again shortly")]
    Busy,
    /// More than is left.
    #[error("at most {left} can be {what}")]
    TooMuch {
        /// What is left.
        left: Money,
        /// What was asked for.
        what: &'static str,
    },
    /// In another currency.
    #[error("the amount must be in the transaction's currency, {}", currency.code())]
    Currency {
        /// The transaction's.
        currency: paymesh_money::Currency,
    },
    /// The kind has no such operation.
    #[error("a {} cannot be {what}", kind.as_str())]
    Kind {
        /// Of the transaction.
        kind: Kind,
        /// What was asked for.
        what: &'static str,
    },
    /// It needs another person.
    #[error("whoever asked for it cannot approve it; another person must")]
    SamePerson,
    /// There is no such request.
    #[error("there is no open request with this id")]
    NoRequest,
    /// What was undone cannot go forward any more.
    #[error("a part of it is undone already, so it cannot go forward any more")]
    UndoBegun,
    /// The status is not one that this caller may set.
    #[error("the status cannot become {}", status.as_str())]
    Edge {
        /// Asked for.
        status: Status,
    },
    /// Another version is stored.
    #[error("the transaction has version {version} now; read it and decide again")]
    Version {
        /// The stored one.
        version: i64,
    },
    /// There is nothing to give back.
    #[error("no chargeback of this dispute is booked")]
    NoChargeback,
    /// Too many.
    #[error("a transaction has at most {limit} operations")]
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// A capture or refund as it is asked for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Made before.
    pub id: OperationId,
    /// None: all that is left.
    pub amount: Option<Money>,
    /// The caller's words.
    pub reason: String,
    /// Business time.
    pub business_at: paymesh_kernel::Timestamp,
}

/// Whether a capture is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finality {
    /// The rest of the authorization is released.
    Last,
    /// More may follow.
    MoreMayFollow,
}

/// Begins a capture. Captures are done one after the other, because each is charged on the running total.
///
/// # Errors
/// When the transaction is not authorized, another capture is at work, or the amount is more than what is left.
pub fn capture(
    transaction: Transaction,
    ask: Ask,
    finality: Finality,
    moment: Moment,
) -> Result<Work, Rejection> {
    if transaction.kind != Kind::Purchase {
        return Err(Rejection::Kind {
            kind: transaction.kind,
            what: "captured",
        });
    }
    if transaction.sums.capturing > 0 {
        return Err(Rejection::Busy);
    }
    if transaction.status != Status::Authorized {
        return Err(Rejection::State {
            status: transaction.status,
            needed: "authorized",
        });
    }
    let left = transaction.sums.capturable();
    let amount = amount_of(&transaction, ask.amount, left, "captured")?;
    let flow = if transaction.is_external() {
        Flow::Capture
    } else {
        Flow::CaptureHeld
    };
    let mut details = OperationDetails::new(ask.business_at);
    details.is_final = finality == Finality::Last || amount.minor() == left;
    details.reason = ask.reason;
    let saga = Saga::new(flow, |_| true);
    let operation = operation(
        &transaction,
        Head {
            id: ask.id,
            kind: OperationKind::Capture,
            amount,
        },
        saga,
        details,
        moment,
    );
    let mut work = Work::loaded(transaction, operation);
    work.touch(moment.now);
    work.transaction.sums.capturing = amount.minor();
    Ok(work)
}

/// Begins a refund.
///
/// # Errors
/// When nothing is captured, or the amount is more than what is left.
pub fn refund(transaction: Transaction, ask: Ask, moment: Moment) -> Result<Work, Rejection> {
    if !matches!(transaction.kind, Kind::Purchase | Kind::TopUp) {
        return Err(Rejection::Kind {
            kind: transaction.kind,
            what: "refunded",
        });
    }
    if transaction.sums.captured == 0 {
        return Err(Rejection::State {
            status: transaction.status,
            needed: "captured",
        });
    }
    let left = transaction.sums.refundable();
    let amount = amount_of(&transaction, ask.amount, left, "refunded")?;
    let flow = if transaction.is_external() {
        Flow::Refund
    } else {
        Flow::RefundInternal
    };
    let crosses = transaction.crosses();
    let saga = Saga::new(flow, |kind| {
        crosses || !matches!(kind, StepKind::Quote | StepKind::ConsumeQuote)
    });
    let mut details = OperationDetails::new(ask.business_at);
    details.reason = ask.reason;
    let operation = operation(
        &transaction,
        Head {
            id: ask.id,
            kind: OperationKind::Refund,
            amount,
        },
        saga,
        details,
        moment,
    );
    let mut work = Work::loaded(transaction, operation);
    work.touch(moment.now);
    work.transaction.sums.refunding = work
        .transaction
        .sums
        .refunding
        .saturating_add(amount.minor());
    Ok(work)
}

/// What the scheme took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Names it.
    pub dispute: DisputeId,
    /// In the transaction's currency.
    pub amount: Money,
    /// Of the connector.
    pub connector_fee: Option<Money>,
    /// Scheme's code.
    pub reason: String,
    /// Business time.
    pub business_at: paymesh_kernel::Timestamp,
}

/// Begins a chargeback.
///
/// # Errors
/// When the payer did not pay through a provider, or the amount is more than what is left.
pub fn chargeback(
    transaction: Transaction,
    taken: Taken,
    moment: Moment,
) -> Result<Work, Rejection> {
    if transaction.details.attempt.is_none() {
        return Err(Rejection::Kind {
            kind: transaction.kind,
            what: "charged back",
        });
    }
    let left = transaction.sums.refundable();
    let amount = amount_of(&transaction, Some(taken.amount), left, "charged back")?;
    let crosses = transaction.crosses();
    let saga = Saga::new(Flow::Chargeback, |kind| crosses || kind == StepKind::Post);
    let mut details = OperationDetails::new(taken.business_at);
    details.reason = taken.reason;
    details.dispute = Some(taken.dispute);
    details.connector_fee = taken.connector_fee;
    let id = OperationId::from(taken.dispute.as_uuid());
    let operation = operation(
        &transaction,
        Head {
            id,
            kind: OperationKind::Chargeback,
            amount,
        },
        saga,
        details,
        moment,
    );
    // The transaction is touched when it is booked; until then two chargebacks are told apart by their disputes.
    Ok(Work::loaded(transaction, operation))
}

/// Gives a chargeback back at its original figures: the dispute is won.
///
/// # Errors
/// When it is not booked.
pub fn chargeback_won(
    transaction: Transaction,
    booked: &Operation,
    moment: Moment,
) -> Result<Work, Rejection> {
    let dispute = booked.details.dispute.ok_or(Rejection::NoChargeback)?;
    if booked.kind != OperationKind::Chargeback
        || booked.state != OperationState::Completed
        || booked.details.is_lost
    {
        return Err(Rejection::NoChargeback);
    }
    let mut details = booked.details.clone();
    details.holds.clear();
    let saga = Saga::new(Flow::Reversal, |_| true);
    let id = OperationId::reversal_of(dispute);
    let head = Head {
        id,
        kind: OperationKind::ChargebackReversal,
        amount: booked.amount,
    };
    let operation = operation(&transaction, head, saga, details, moment);
    Ok(Work::loaded(transaction, operation))
}

/// Marks a chargeback as lost for good: no money moves any more.
///
/// # Errors
/// When it is not booked.
pub fn chargeback_lost(
    transaction: Transaction,
    booked: Operation,
    moment: Moment,
) -> Result<Work, Rejection> {
    if booked.kind != OperationKind::Chargeback || booked.state != OperationState::Completed {
        return Err(Rejection::NoChargeback);
    }
    let mut work = Work::loaded(transaction, booked);
    if !work.operation.details.is_lost {
        work.operation.details.is_lost = true;
        work.touch(moment.now);
        let minor = work.operation.amount.minor();
        work.transaction.sums.lost = work.transaction.sums.lost.saturating_add(minor);
        work.tell_chargeback(ChargebackStage::Lost, moment.now);
    }
    Ok(work)
}

/// Success came after the transaction had ended without: it is given back at the provider (T12).
#[must_use]
pub fn late_undo(transaction: Transaction, id: OperationId, moment: Moment) -> Work {
    let saga = Saga::new(Flow::LateUndo, |kind| kind == StepKind::Cancel);
    let details = OperationDetails::new(moment.now);
    let head = Head {
        id,
        kind: OperationKind::LateUndo,
        amount: transaction.amount,
    };
    let operation = operation(&transaction, head, saga, details, moment);
    Work::loaded(transaction, operation)
}

/// Calls a transaction off.
///
/// # Errors
/// When it is at work, past the pivot, or has ended.
pub fn cancel(mut work: Work, reason: &str) -> Result<Work, Rejection> {
    let status = work.transaction.status;
    if status.is_end() || status == Status::Stuck {
        return Err(Rejection::State {
            status,
            needed: "not ended",
        });
    }
    if work.transaction.sums.capturing > 0 {
        return Err(Rejection::Busy);
    }
    match work.operation.saga.wait {
        Wait::Action | Wait::Review | Wait::Capture => {}
        Wait::Nothing | Wait::Retry | Wait::Provider => return Err(Rejection::Busy),
        Wait::Payout | Wait::Resolution => {
            return Err(Rejection::State {
                status,
                needed: "not with the bank",
            });
        }
    }
    let reason = if reason.is_empty() {
        "CANCELED"
    } else {
        reason
    };
    work.turn_back(Goal::Canceled(reason.to_owned()));
    Ok(work)
}

/// A person lets a transaction in review go on, or not.
///
/// # Errors
/// When it is not in review, or whoever created an adjustment decides on it.
pub fn review(
    mut work: Work,
    verdict: ReviewVerdict,
    by: &str,
    moment: Moment,
) -> Result<Work, Rejection> {
    let status = work.transaction.status;
    if status != Status::InReview || work.operation.saga.wait != Wait::Review {
        return Err(Rejection::State {
            status,
            needed: "in review",
        });
    }
    if work.transaction.kind == Kind::Adjustment && work.transaction.details.created_by == by {
        return Err(Rejection::SamePerson);
    }
    match verdict {
        ReviewVerdict::Approve => work.settle_review(StepState::Done, by, moment),
        ReviewVerdict::Reject(note) => {
            work.settle_review(StepState::Declined, by, moment);
            work.turn_back(Goal::Declined(Decline::new(
                DeclineReason::ReviewRejected,
                note,
            )));
        }
    }
    work.touch(moment.now);
    Ok(work)
}

/// What a person decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReviewVerdict {
    /// It goes on.
    Approve,
    /// It is declined, with a note for staff.
    Reject(String),
}

/// The first person asks for a stuck transaction to be resolved.
///
/// # Errors
/// When it is not stuck, or cannot go forward any more.
pub fn request_resolution(
    mut work: Work,
    request: ResolutionRequest,
    moment: Moment,
) -> Result<Work, Rejection> {
    let status = work.transaction.status;
    if status != Status::Stuck {
        return Err(Rejection::State {
            status,
            needed: "stuck",
        });
    }
    if request.resolution == Resolution::RetryForward && !work.may_retry_forward() {
        return Err(Rejection::UndoBegun);
    }
    work.touch(moment.now);
    work.transaction.details.resolution = Some(request);
    Ok(work)
}

/// The second person approves, and it is done.
///
/// # Errors
/// When there is no such request, or the same person asks.
pub fn approve_resolution(
    mut work: Work,
    id: ResolutionId,
    by: &str,
    moment: Moment,
) -> Result<Work, Rejection> {
    let status = work.transaction.status;
    let request = work.transaction.details.resolution.as_mut();
    let request = request
        .filter(|request| request.id == id)
        .ok_or(Rejection::NoRequest)?;
    if request.requested_by == by {
        return Err(Rejection::SamePerson);
    }
    if status != Status::Stuck {
        return Err(Rejection::State {
            status,
            needed: "stuck",
        });
    }
    request.approved = Some((by.to_owned(), moment.now));
    let resolution = request.resolution;
    work.resolve(resolution, by, moment);
    Ok(work)
}

/// Settlement says how far the bank is with a payout or withdrawal.
///
/// # Errors
/// When the version is another one, or the edge is not one that settlement may take.
pub fn bank_status(
    mut work: Work,
    expected: i64,
    to: Status,
    reason: &str,
    moment: Moment,
) -> Result<Work, Rejection> {
    if work.transaction.version != expected {
        return Err(Rejection::Version {
            version: work.transaction.version,
        });
    }
    if work.operation.saga.wait != Wait::Payout || !work.transaction.status.can_become(to) {
        return Err(Rejection::Edge { status: to });
    }
    let by = "settlement";
    match to {
        Status::Processing | Status::Unknown => work.set_status(to, reason, by, moment.now),
        Status::Completed => {
            let sent = work.operation.saga.find_mut(StepKind::Payout);
            if let Some(step) = sent {
                step.state = StepState::Done;
                step.finished_at = Some(moment.now);
            }
            work.rest(Wait::Nothing, Some(moment.now));
        }
        Status::Declined | Status::Canceled | Status::Compensated => {
            if let Some(step) = work.operation.saga.find_mut(StepKind::Payout) {
                step.state = StepState::Failed;
                step.finished_at = Some(moment.now);
            }
            let goal = if to == Status::Declined {
                Goal::Declined(Decline::new(DeclineReason::ProviderDeclined, reason))
            } else if to == Status::Canceled {
                Goal::Canceled(reason.to_owned())
            } else {
                Goal::Compensated(reason.to_owned())
            };
            work.turn_back(goal);
        }
        Status::Initiated
        | Status::RequiresAction
        | Status::InReview
        | Status::Authorized
        | Status::Stuck
        | Status::Abandoned => return Err(Rejection::Edge { status: to }),
    }
    work.touch(moment.now);
    Ok(work)
}

fn amount_of(
    transaction: &Transaction,
    asked: Option<Money>,
    left: i64,
    what: &'static str,
) -> Result<Money, Rejection> {
    let currency = transaction.currency();
    let amount = asked.unwrap_or_else(|| transaction.money(left));
    if amount.currency() != currency {
        return Err(Rejection::Currency { currency });
    }
    if amount.minor() > left || amount.minor() <= 0 {
        return Err(Rejection::TooMuch {
            left: transaction.money(left),
            what,
        });
    }
    Ok(amount)
}

/// What an operation is, under which id, and of how much.
#[derive(Clone, Copy)]
struct Head {
    id: OperationId,
    kind: OperationKind,
    amount: Money,
}

fn operation(
    transaction: &Transaction,
    head: Head,
    saga: Saga,
    details: OperationDetails,
    moment: Moment,
) -> Operation {
    let Head { id, kind, amount } = head;
    Operation {
        id,
        tenant: transaction.tenant,
        transaction: transaction.id,
        kind,
        state: OperationState::Pending,
        amount,
        version: 0,
        lease: None,
        next_wake_at: Some(moment.now),
        failures: 0,
        saga,
        details,
        created_at: moment.now,
        finished_at: None,
    }
}

/// The main operation of a transaction has its id.
#[must_use]
pub fn main_id(transaction: TransactionId) -> OperationId {
    transaction.as_uuid().into()
}

/// The operation of a capture.
#[must_use]
pub fn capture_operation(capture: CaptureId) -> OperationId {
    capture.as_uuid().into()
}

/// The operation of a refund.
#[must_use]
pub fn refund_operation(refund: RefundId) -> OperationId {
    refund.as_uuid().into()
}

impl Work {
    /// True when the transaction's row is to be written.
    #[must_use]
    pub fn writes_transaction(&self) -> bool {
        self.pending != Pending::Stored
    }
}
