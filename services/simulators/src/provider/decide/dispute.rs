//! Disputes: opened by a token or by a test, answered with evidence, won or lost.

use crate::machine::Context;
use crate::machine::Decision;
use crate::problem::Problem;
use crate::provider::decide::{CREATED, Decided, OK};
use crate::provider::fact::{DisputeClosing, Fact, PaymentKey, Timer, Verdict};
use crate::provider::model::{Dispute, DisputeStatus, Payment};
use crate::provider::state::{State, Subject};

/// Evidence with this text wins by itself.
const WINNING: &str = "winning_evidence";
/// Evidence with this text loses by itself.
const LOSING: &str = "losing_evidence";
const MOST_DISPUTES: usize = 10;

/// Takes money back from the merchant: `amount_minor`, or all that is neither refunded nor disputed.
pub(super) fn open(
    state: &State,
    (key, amount_minor): (PaymentKey, Option<i64>),
    reason: &str,
    context: &mut Context,
) -> Decided {
    let payment = state.payment(key)?;
    let left = payment.refundable_minor();
    let minor = amount_minor.unwrap_or(left);
    if left == 0 || minor > left {
        let detail = format!("only {left} minor units are left to dispute");
        return Err(Problem::conflict("not_disputable", detail));
    }
    if payment.disputes.len() >= MOST_DISPUTES {
        return Err(Problem::refused(
            "too_many_disputes",
            "a payment has at most 10 disputes",
        ));
    }
    let dispute = Dispute {
        id: context.id("dsp"),
        amount: payment.amount(minor),
        reason: reason.to_owned(),
        status: DisputeStatus::NeedsResponse,
        fee_minor: state.terms.fees.dispute_minor,
        evidence: None,
        business_at: context.business_at,
        settlement_date: state.reports.day_for(context.business_at),
    };
    let subject = Subject::Dispute(key, dispute.id.clone(), CREATED);
    Ok(Decision {
        facts: vec![Fact::DisputeOpened {
            payment_id: payment.new.id.clone(),
            dispute,
        }],
        subject,
    })
}

/// Keeps evidence; some texts decide the dispute a little later.
pub(super) fn submit_evidence(
    state: &State,
    dispute_id: &str,
    text: &str,
    context: &mut Context,
) -> Decided {
    let (key, payment, dispute) = find(state, dispute_id)?;
    match dispute.status {
        DisputeStatus::NeedsResponse => {}
        DisputeStatus::UnderReview | DisputeStatus::Won | DisputeStatus::Lost => {
            return Err(Problem::conflict(
                "evidence_not_wanted",
                "this dispute has its evidence, or is over",
            ));
        }
    }
    let (payment_id, dispute_id) = (payment.new.id.clone(), dispute_id.to_owned());
    let subject = Subject::Dispute(key, dispute_id.clone(), OK);
    let submitted = Fact::EvidenceSubmitted {
        payment_id: payment_id.clone(),
        dispute_id: dispute_id.clone(),
        evidence: text.to_owned(),
    };
    let verdict = [(WINNING, Verdict::Won), (LOSING, Verdict::Lost)]
        .into_iter()
        .find(|(sign, _)| text.contains(sign));
    let decided = verdict.map(|(_, verdict)| {
        let wait = state.terms.delays.dispute_decided_ms;
        let (due_at, business_at) = (context.at.plus_ms(wait), context.business_at.plus_ms(wait));
        Fact::TimerSet {
            due_at,
            business_at,
            timer: Timer::DisputeDecided {
                payment_id,
                dispute_id,
                verdict,
            },
        }
    });
    Ok(Decision {
        facts: std::iter::once(submitted).chain(decided).collect(),
        subject,
    })
}

/// Ends a dispute. Ending it again the same way changes nothing.
pub(super) fn close(
    state: &State,
    dispute_id: &str,
    verdict: Verdict,
    context: &mut Context,
) -> Decided {
    let (key, payment, dispute) = find(state, dispute_id)?;
    let subject = Subject::Dispute(key, dispute_id.to_owned(), OK);
    match (dispute.status, verdict) {
        (DisputeStatus::Won, Verdict::Won) | (DisputeStatus::Lost, Verdict::Lost) => Ok(Decision {
            facts: Vec::new(),
            subject,
        }),
        (DisputeStatus::Won, Verdict::Lost) | (DisputeStatus::Lost, Verdict::Won) => Err(
            Problem::conflict("dispute_over", "this dispute has ended the other way"),
        ),
        (DisputeStatus::NeedsResponse | DisputeStatus::UnderReview, _) => {
            let closing = DisputeClosing {
                dispute_id: dispute_id.to_owned(),
                amount: dispute.amount,
                verdict,
                business_at: context.business_at,
                settlement_date: state.reports.day_for(context.business_at),
            };
            let payment_id = payment.new.id.clone();
            let closed = Fact::DisputeClosed {
                payment_id,
                closing,
            };
            Ok(Decision {
                facts: vec![closed],
                subject,
            })
        }
    }
}

fn find<'a>(
    state: &'a State,
    dispute_id: &str,
) -> Result<(PaymentKey, &'a Payment, &'a Dispute), Problem> {
    let missing = || Problem::not_found("there is no such dispute");
    let key = *state.disputes.get(dispute_id).ok_or_else(missing)?;
    let payment = state.payment(key)?;
    Ok((
        key,
        payment,
        payment.dispute(dispute_id).ok_or_else(missing)?,
    ))
}
