//! Refunds: several, each up to what is left, some of them failing.

use crate::machine::{Context, Decision};
use crate::problem::Problem;
use crate::provider::decide::{Decided, behaviour, wanted_minor};
use crate::provider::fact::{Fact, Order, PaymentKey, Timer};
use crate::provider::model::{Refund, Result as Went};
use crate::provider::state::{State, Subject};
use crate::provider::token::Behaviour;

const REFUND_FAILURE: &str = "refund_not_possible";
const MOST_REFUNDS: usize = 100;

pub(super) fn refund(
    state: &State,
    key: PaymentKey,
    order: &Order,
    context: &mut Context,
) -> Decided {
    let payment = state.payment(key)?;
    let left = payment.refundable_minor();
    let minor = wanted_minor(payment, order, left)?;
    if left == 0 {
        return Err(Problem::conflict(
            "not_refundable",
            "nothing of this payment is left to refund",
        ));
    }
    if minor > left {
        return Err(Problem::refused(
            "amount_too_large",
            format!("only {left} minor units are left to refund"),
        ));
    }
    if payment.refunds.len() >= MOST_REFUNDS {
        return Err(Problem::refused(
            "too_many_refunds",
            "a payment has at most 100 refunds",
        ));
    }
    let behaviour = behaviour(payment);
    let failed = behaviour == Some(Behaviour::RefundFails);
    let business_at = order.business_at.unwrap_or(context.business_at);
    let refund = Refund {
        id: context.id("ref"),
        amount: payment.amount(minor),
        reference: order.reference.clone(),
        status: if failed {
            Went::Failed
        } else {
            Went::Succeeded
        },
        failure_code: failed.then(|| REFUND_FAILURE.to_owned()),
        business_at,
        settlement_date: state.reports.day_for(business_at),
    };
    let (refund_id, payment_id) = (refund.id.clone(), payment.new.id.clone());
    let subject = Subject::Refund(key, refund_id.clone());
    let mut facts = vec![Fact::RefundMade {
        payment_id: payment_id.clone(),
        refund,
    }];
    if behaviour == Some(Behaviour::RefundFailsLater) {
        let wait = state.terms.delays.refund_fails_ms;
        let timer = Timer::RefundFails {
            payment_id,
            refund_id,
        };
        facts.push(Fact::TimerSet {
            due_at: context.at.plus_ms(wait),
            business_at: business_at.plus_ms(wait),
            timer,
        });
    }
    Ok(Decision { facts, subject })
}
