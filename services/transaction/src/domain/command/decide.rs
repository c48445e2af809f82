//! Commands that decide about a saga where it waits.

use paymesh_kernel::{Principal, Role};

use super::Rejection;
use crate::domain::{
    decline::{Decline, DeclineReason},
    ids::ResolutionId,
    policy::Moment,
    saga::{Goal, StepKind, StepState, Wait},
    status::{Kind, Status},
    transaction::{Resolution, ResolutionRequest},
    work::Work,
};

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
/// When it is not in review, or an adjustment is decided on by anybody but a second person of finance.
pub fn review(
    mut work: Work,
    verdict: ReviewVerdict,
    by: &Principal,
    moment: Moment,
) -> Result<Work, Rejection> {
    let status = work.transaction.status;
    if status != Status::InReview || work.operation.saga.wait != Wait::Review {
        return Err(Rejection::State {
            status,
            needed: "in review",
        });
    }
    if work.transaction.kind == Kind::Adjustment {
        if !by.has(Role::Finance) {
            return Err(Rejection::FinanceNeeded);
        }
        check_second_person(by, &work.transaction.details.created_by)?;
    }
    let by = by.subject.as_str();
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

/// Two people are needed: `by` is a person, and not the one who asked.
fn check_second_person(by: &Principal, asked_by: &str) -> Result<(), Rejection> {
    if !by.is_person() {
        return Err(Rejection::PersonNeeded);
    }
    if !by.may_approve(asked_by) {
        return Err(Rejection::SamePerson);
    }
    Ok(())
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
/// When it is not stuck, cannot go forward any more, or no person asks.
pub fn request_resolution(
    mut work: Work,
    request: ResolutionRequest,
    by: &Principal,
    moment: Moment,
) -> Result<Work, Rejection> {
    if !by.is_person() {
        return Err(Rejection::PersonNeeded);
    }
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
    by: &Principal,
    moment: Moment,
) -> Result<Work, Rejection> {
    let status = work.transaction.status;
    let request = work.transaction.details.resolution.as_mut();
    let request = request
        .filter(|request| request.id == id)
        .ok_or(Rejection::NoRequest)?;
    check_second_person(by, &request.requested_by)?;
    if status != Status::Stuck {
        return Err(Rejection::State {
            status,
            needed: "stuck",
        });
    }
    let by = by.subject.as_str();
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
