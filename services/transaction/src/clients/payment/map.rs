//! Attempts and their operations in our words.

use paymesh_kernel::Timestamp;
use paymesh_proto::payment::v1 as wire;

use super::{Method, MethodState};
use crate::{
    clients::wire::{decline, moment},
    domain::{
        answer::{
            Answer, AttemptState, AttemptView, Effect, Failure, OperationOutcome, OperationView,
        },
        transaction::Action,
    },
};

pub(super) fn method(of: &wire::PaymentMethod) -> Option<Method> {
    let state = match of.state() {
        wire::PaymentMethodState::Active => MethodState::Active,
        wire::PaymentMethodState::Expired => MethodState::Expired,
        wire::PaymentMethodState::Detached => MethodState::Detached,
        wire::PaymentMethodState::Unspecified => return None,
    };
    Some(Method {
        customer: of.customer_id.parse().ok()?,
        state,
        fingerprint: of.fingerprint.clone(),
        issuer_country: of.issuer_country.clone(),
    })
}

pub(super) fn attempt_answer(attempt: Option<&wire::PaymentAttempt>) -> Answer {
    match attempt {
        Some(attempt) => Answer::Attempt(view(attempt)),
        None => unknown("NO_ATTEMPT_ANSWERED", 0),
    }
}

pub(super) fn operation_answer(operation: Option<&wire::AttemptOperation>) -> Answer {
    use wire::AttemptOperationState as Of;
    let Some(operation) = operation else {
        return unknown("NO_OPERATION_ANSWERED", 0);
    };
    let outcome = match operation.state() {
        Of::Pending => OperationOutcome::Pending,
        Of::Succeeded => OperationOutcome::Succeeded,
        Of::Declined => OperationOutcome::Declined,
        Of::Failed => OperationOutcome::Failed,
        Of::Unknown | Of::Unspecified => OperationOutcome::Unknown,
    };
    Answer::Operation(OperationView {
        outcome,
        decline: decline(operation.decline_reason(), &operation.decline_code),
        reference: operation.connector_reference.clone(),
    })
}

pub(super) fn standing_of_attempt(answer: &wire::GetAttemptByReferenceResponse) -> Answer {
    use wire::ReferenceStanding as Of;
    match (answer.standing(), &answer.attempt) {
        (Of::Found, attempt) => attempt_answer(attempt.as_ref()),
        (Of::NotFound, None) => Answer::NeverSent,
        (Of::NotFound, Some(attempt)) if view(attempt).state == AttemptState::Declined => {
            attempt_answer(Some(attempt))
        }
        (Of::NotFound, Some(_)) => Answer::Absent,
        (Of::NotFoundYet | Of::Unreachable | Of::Unspecified, _) => {
            unknown("STILL_UNKNOWN", answer.ask_again_at_us)
        }
    }
}

pub(super) fn standing_of_operation(answer: &wire::GetAttemptByReferenceResponse) -> Answer {
    use wire::ReferenceStanding as Of;
    match (answer.standing(), &answer.operation) {
        (Of::Found, operation) => operation_answer(operation.as_ref()),
        (Of::NotFound, None) => Answer::NeverSent,
        (Of::NotFound, Some(_)) => Answer::Absent,
        (Of::NotFoundYet | Of::Unreachable | Of::Unspecified, _) => {
            unknown("STILL_UNKNOWN", answer.ask_again_at_us)
        }
    }
}

fn unknown(reason: &str, again_at_us: i64) -> Answer {
    Answer::Failed(Failure {
        effect: Effect::Unknown,
        reason: reason.to_owned(),
        again_at: moment(again_at_us),
    })
}

fn view(of: &wire::PaymentAttempt) -> AttemptView {
    use wire::AttemptState as Of;
    let state = match of.state() {
        Of::Created | Of::Unknown | Of::Unspecified => AttemptState::Open,
        Of::RequiresAction => AttemptState::RequiresAction,
        Of::Authorized => AttemptState::Authorized,
        Of::PartiallyCaptured | Of::Captured => AttemptState::Captured,
        Of::Canceled | Of::Expired => AttemptState::Canceled,
        Of::Declined => AttemptState::Declined,
        Of::Failed => AttemptState::Failed,
    };
    let minor = |money: &Option<paymesh_proto::types::v1::Money>| {
        money.as_ref().map_or(0, |money| money.minor)
    };
    AttemptView {
        state,
        connector: of.connector.clone(),
        authorized: minor(&of.authorized),
        captured: minor(&of.captured),
        action: of.action.as_ref().map(|action| Action {
            id: action.action_id.clone(),
            url: action.url.clone(),
            expires_at: Timestamp::from_micros(action.expires_at_us),
        }),
        expires_at: moment(of.authorization_expires_at_us),
        decline: decline(of.decline_reason(), &of.decline_code),
        reference: of.connector_reference.clone(),
    }
}
