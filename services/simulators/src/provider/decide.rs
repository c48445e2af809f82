//! What the provider does with a command: pure, from the state as it is to facts.

use axum::http::StatusCode;

use crate::amount::{Amount, share};
use crate::machine::{Context, Decision};
use crate::problem::Problem;
use crate::provider::fact::{Authorize, Command, Fact, Order, Passed, PaymentKey, Rest, Timer};
use crate::provider::model::{
    Authentication, Capture, CaptureMethod, DeclineCode, NewPayment, Outcome, Payment,
    Result as Went, Status,
};
use crate::provider::state::{State, Subject, payment_key};
use crate::provider::token::{Behaviour, Card};

mod dispute;
mod refund;
mod timer;

/// Why a refund of `tok_refund_fails_later` fails.
pub(crate) const LATE_REFUND_FAILURE: &str = "beneficiary_account_closed";
const CREATED: u16 = 201;
const OK: u16 = 200;
const MOST_CAPTURES: usize = 50;

type Decided = Result<Decision<State>, Problem>;

// === free functions ===

pub(crate) fn decide(state: &State, command: &Command, context: &mut Context) -> Decided {
    match command {
        Command::Authorize(authorize) => authorize_payment(state, authorize, context),
        Command::AnswerChallenge {
            challenge_id,
            passed,
        } => answer_challenge(state, challenge_id, *passed, context),
        Command::Capture {
            payment,
            order,
            rest,
        } => capture(state, (*payment, order), *rest, context),
        Command::Cancel { payment } => cancel(state, *payment, context),
        Command::CancelReference { reference } => cancel_reference(state, reference, context),
        Command::Refund { payment, order } => refund::refund(state, *payment, order, context),
        Command::OpenDispute {
            payment,
            amount_minor,
            reason,
        } => dispute::open(state, (*payment, *amount_minor), reason, context),
        Command::SubmitEvidence { dispute_id, text } => {
            dispute::submit_evidence(state, dispute_id, text, context)
        }
        Command::CloseDispute {
            dispute_id,
            verdict,
        } => dispute::close(state, dispute_id, *verdict, context),
        Command::CloseDay { through } => {
            let closed = state.reports.is_closed(*through);
            let mut closing = || Fact::DayClosed {
                through: *through,
                settlements: state.reports.settle(*through, context),
            };
            let facts = if closed { Vec::new() } else { vec![closing()] };
            Ok(Decision {
                facts,
                subject: Subject::Settlements(*through),
            })
        }
        Command::Timer { due_at, key } => timer::timer(state, (*due_at, *key), context),
    }
}

fn authorize_payment(state: &State, order: &Authorize, context: &mut Context) -> Decided {
    if state.tombstones.contains(&order.reference) {
        let detail = "this reference was canceled before its payment arrived";
        return Err(Problem::conflict("reference_canceled", detail));
    }
    if state.payments.len() >= state.terms.objects {
        return Err(Problem::full(
            "the provider holds as many payments as it is configured to",
        ));
    }
    let new = NewPayment {
        id: context.id("pay"),
        amount: order.amount,
        token: order.card.token.clone(),
        reference: order.reference.clone(),
        capture_method: order.capture_method,
        merchant_reference: order.merchant_reference.clone(),
        statement_descriptor: order.statement_descriptor.clone(),
        return_url: order.return_url.clone(),
        business_at: order.business_at.unwrap_or(context.business_at),
    };
    let subject = Subject::Payment(payment_key(&new.id).unwrap_or_default(), CREATED);
    let outcome = outcome(state, order, context);
    let mut facts = vec![Fact::PaymentCreated {
        payment: new.clone(),
        outcome: outcome.clone(),
    }];
    match &outcome {
        Outcome::Authorized => {
            let payment = Payment::new(new, outcome, context.at);
            facts.extend(capture_at_once(state, &payment, context));
        }
        Outcome::RequiresAction { expires_at, .. } => facts.push(Fact::TimerSet {
            due_at: *expires_at,
            business_at: new
                .business_at
                .plus_ms(state.terms.delays.challenge_expires_ms),
            timer: Timer::ChallengeExpires { payment_id: new.id },
        }),
        Outcome::Declined { .. } => {}
    }
    Ok(Decision { facts, subject })
}

fn outcome(state: &State, order: &Authorize, context: &mut Context) -> Outcome {
    let terms = &state.terms;
    if let Behaviour::Declined(code) = order.card.behaviour {
        return Outcome::Declined { code };
    }
    if terms
        .chance
        .hits("decline", &order.reference, terms.faults.decline_per_mille)
    {
        return Outcome::Declined {
            code: DeclineCode::DoNotHonor,
        };
    }
    if order.card.behaviour == Behaviour::Challenge
        || order.authentication == Authentication::Required
    {
        let expires_at = context.at.plus_ms(terms.delays.challenge_expires_ms);
        return Outcome::RequiresAction {
            challenge_id: context.id("chl"),
            expires_at,
        };
    }
    Outcome::Authorized
}

fn answer_challenge(
    state: &State,
    challenge_id: &str,
    passed: Passed,
    context: &mut Context,
) -> Decided {
    let key = state.challenges.get(challenge_id).copied();
    let key = key.ok_or_else(|| Problem::not_found("there is no such challenge"))?;
    let payment = state.payment(key)?;
    let subject = Subject::Payment(key, OK);
    let wanted = match passed {
        Passed::Yes => Outcome::Authorized,
        Passed::No => Outcome::Declined {
            code: DeclineCode::AuthenticationFailed,
        },
    };
    if payment.outcome == wanted {
        return Ok(Decision {
            facts: Vec::new(),
            subject,
        });
    }
    if payment.status() != Status::RequiresAction {
        return Err(Problem::conflict(
            "challenge_over",
            "this challenge was answered, expired, or its payment canceled",
        ));
    }
    let mut facts = vec![Fact::ChallengeAnswered {
        payment_id: payment.new.id.clone(),
        outcome: wanted.clone(),
    }];
    if passed == Passed::Yes {
        let authorized = Payment {
            outcome: wanted,
            ..payment.clone()
        };
        facts.extend(capture_at_once(state, &authorized, context));
    }
    Ok(Decision { facts, subject })
}

/// The capture that automatic payments get with their authorization.
fn capture_at_once(state: &State, payment: &Payment, context: &mut Context) -> Vec<Fact> {
    match payment.new.capture_method {
        CaptureMethod::Manual => Vec::new(),
        CaptureMethod::Automatic => {
            let reference = Some(payment.new.reference.clone());
            let order = Order {
                amount: None,
                reference,
                business_at: Some(payment.new.business_at),
            };
            make_capture(
                state,
                (payment, &order),
                (payment.new.amount.minor, 0),
                context,
            )
            .1
        }
    }
}

fn capture(
    state: &State,
    (key, order): (PaymentKey, &Order),
    rest: Rest,
    context: &mut Context,
) -> Decided {
    let payment = state.payment(key)?;
    let left = payment.capturable_minor();
    let minor = wanted_minor(payment, order, left)?;
    if left == 0 {
        return Err(Problem::conflict(
            "not_capturable",
            "nothing of this payment is left to capture",
        ));
    }
    if minor > left {
        return Err(Problem::refused(
            "amount_too_large",
            format!("only {left} minor units are left to capture"),
        ));
    }
    if payment.captures.len() >= MOST_CAPTURES {
        return Err(Problem::refused(
            "too_many_captures",
            "a payment has at most 50 captures",
        ));
    }
    let released = if rest == Rest::Release {
        left - minor
    } else {
        0
    };
    let (id, facts) = make_capture(state, (payment, order), (minor, released), context);
    Ok(Decision {
        facts,
        subject: Subject::Capture(key, id),
    })
}

fn make_capture(
    state: &State,
    (payment, order): (&Payment, &Order),
    (minor, released): (i64, i64),
    context: &mut Context,
) -> (String, Vec<Fact>) {
    let behaviour = behaviour(payment);
    let failed = behaviour == Some(Behaviour::CaptureFails);
    let business_at = order.business_at.unwrap_or(context.business_at);
    let capture = Capture {
        id: context.id("cap"),
        amount: payment.amount(minor),
        reference: order.reference.clone(),
        status: if failed {
            Went::Failed
        } else {
            Went::Succeeded
        },
        fee_minor: if failed {
            0
        } else {
            share(minor, state.terms.fees.capture_basis_points)
        },
        released_minor: if failed { 0 } else { released },
        business_at,
        settlement_date: state.reports.day_for(business_at),
    };
    let (id, payment_id) = (capture.id.clone(), payment.new.id.clone());
    let mut facts = vec![Fact::CaptureMade {
        payment_id: payment_id.clone(),
        capture,
    }];
    if behaviour == Some(Behaviour::Chargeback) && payment.captured_minor == 0 {
        let wait = state.terms.delays.dispute_opens_ms;
        let timer = Timer::DisputeOpens { payment_id };
        facts.push(Fact::TimerSet {
            due_at: context.at.plus_ms(wait),
            business_at: business_at.plus_ms(wait),
            timer,
        });
    }
    (id, facts)
}

fn cancel(state: &State, key: PaymentKey, context: &mut Context) -> Decided {
    let payment = state.payment(key)?;
    let released = match payment.status() {
        Status::RequiresAction => payment.new.amount.minor,
        Status::Authorized | Status::PartiallyCaptured => payment.capturable_minor(),
        Status::Canceled => 0,
        Status::Captured => {
            return Err(Problem::conflict(
                "already_captured",
                "a captured payment is refunded, not canceled",
            ));
        }
        Status::Declined => {
            return Err(Problem::conflict(
                "declined",
                "a declined payment has nothing to cancel",
            ));
        }
    };
    let canceled = || Fact::PaymentCanceled {
        payment_id: payment.new.id.clone(),
        released: payment.amount(released),
        business_at: context.business_at,
    };
    let facts = if released > 0 {
        vec![canceled()]
    } else {
        Vec::new()
    };
    Ok(Decision {
        facts,
        subject: Subject::Payment(key, OK),
    })
}

/// Cancels by reference; what has not arrived yet is refused when it does.
fn cancel_reference(state: &State, reference: &str, context: &mut Context) -> Decided {
    let keys = state
        .by_reference
        .get(reference)
        .map_or(&[][..], Vec::as_slice);
    match keys {
        [] => {
            let fresh = !state.tombstones.contains(reference);
            let tombstone = fresh.then(|| Fact::ReferenceCanceled {
                reference: reference.to_owned(),
            });
            let facts = tombstone.into_iter().collect();
            Ok(Decision {
                facts,
                subject: Subject::Tombstone(reference.to_owned()),
            })
        }
        [key] => cancel(state, *key, context),
        [_, _, ..] => Err(Problem::conflict(
            "ambiguous_reference",
            "several payments have this reference; cancel them by id",
        )),
    }
}

/// The amount of a capture or refund: what was asked for, or all that is left.
fn wanted_minor(payment: &Payment, order: &Order, left: i64) -> Result<i64, Problem> {
    match order.amount {
        None => Ok(left),
        Some(Amount { currency, .. }) if currency != payment.currency() => {
            let detail = format!("the payment is in {}", payment.currency());
            Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "currency_mismatch",
                detail,
            ))
        }
        Some(Amount { minor, .. }) => Ok(minor),
    }
}

fn behaviour(payment: &Payment) -> Option<Behaviour> {
    Card::parse(&payment.new.token)
        .ok()
        .map(|card| card.behaviour)
}
