//! What happens by itself: challenges expire, refunds fail late, disputes open and are decided.

use crate::machine::{Context, Decision};
use crate::provider::decide::{Decided, dispute};
use crate::provider::fact::{Fact, RefundFailure, Timer};
use crate::provider::model::{DeclineCode, Outcome, Result as Went, Status};
use crate::provider::state::{State, Subject, payment_key};
use crate::timestamp::Timestamp;

/// Ends the earliest timer, and does what it was set for if that still makes sense.
pub(super) fn timer(state: &State, place: (Timestamp, u64), context: &mut Context) -> Decided {
    let mut facts = vec![Fact::TimerDone {
        due_at: place.0,
        key: place.1,
    }];
    let Some(waiting) = state.timers.get(&place) else {
        return Ok(Decision {
            facts: Vec::new(),
            subject: Subject::Nothing,
        });
    };
    context.business_at = waiting.business_at;
    let find = |id: &str| payment_key(id).and_then(|key| Some((key, state.payments.get(&key)?)));
    match &waiting.timer {
        Timer::ChallengeExpires { payment_id } => {
            let open =
                find(payment_id).filter(|(_, payment)| payment.status() == Status::RequiresAction);
            facts.extend(open.map(|_| Fact::ChallengeAnswered {
                payment_id: payment_id.clone(),
                outcome: Outcome::Declined {
                    code: DeclineCode::AuthenticationExpired,
                },
            }));
        }
        Timer::RefundFails {
            payment_id,
            refund_id,
        } => {
            let refund = find(payment_id).and_then(|(_, payment)| payment.refund(refund_id));
            facts.extend(
                refund
                    .filter(|refund| refund.status == Went::Succeeded)
                    .map(|refund| Fact::RefundFailed {
                        payment_id: payment_id.clone(),
                        failure: RefundFailure {
                            refund_id: refund_id.clone(),
                            amount: refund.amount,
                            business_at: context.business_at,
                            settlement_date: state.reports.day_for(context.business_at),
                        },
                    }),
            );
        }
        Timer::DisputeOpens { payment_id } => {
            let opened = find(payment_id)
                .map(|(key, _)| dispute::open(state, (key, None), "fraudulent", context));
            facts.extend(
                opened
                    .and_then(Result::ok)
                    .map(|opened| opened.facts)
                    .unwrap_or_default(),
            );
        }
        Timer::DisputeDecided {
            dispute_id,
            verdict,
            ..
        } => {
            let closed = dispute::close(state, dispute_id, *verdict, context);
            facts.extend(closed.map(|closed| closed.facts).unwrap_or_default());
        }
    }
    Ok(Decision {
        facts,
        subject: Subject::Nothing,
    })
}
