//! How the provider's objects look in answers.

use serde::Serialize;

use crate::amount::Amount;
use crate::machine::Answer;
use crate::provider::fact::Settlement;
use crate::provider::model::{
    Authenticated, Capture, CaptureMethod, DeclineCode, Dispute, Outcome, Payment, Refund, Status,
};
use crate::provider::state::{State, Subject};
use crate::provider::token::Card;
use crate::timestamp::{Day, Timestamp};

const OK: u16 = 200;
const CREATED: u16 = 201;

/// A payment as callers see it.
#[derive(Serialize)]
pub(crate) struct PaymentView<'a> {
    object: &'static str,
    id: &'a str,
    status: Status,
    amount: Amount,
    capturable_minor: i64,
    captured_minor: i64,
    refunded_minor: i64,
    charged_back_minor: i64,
    released_minor: i64,
    reference: &'a str,
    capture_method: CaptureMethod,
    payment_method: Option<Card>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_descriptor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<DeclineCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authenticated: Option<Authenticated>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<NextAction>,
    captures: Vec<OfPayment<'a, &'a Capture>>,
    refunds: Vec<OfPayment<'a, &'a Refund>>,
    disputes: Vec<OfPayment<'a, &'a Dispute>>,
    created_at: Timestamp,
    business_at: Timestamp,
}

#[derive(Serialize)]
struct NextAction {
    r#type: &'static str,
    url: String,
    expires_at: Timestamp,
}

/// A part of a payment, with the payment it belongs to.
#[derive(Serialize)]
pub(crate) struct OfPayment<'a, T> {
    object: &'static str,
    payment_id: &'a str,
    payment_reference: &'a str,
    #[serde(flatten)]
    part: T,
}

#[derive(Serialize)]
struct Tombstone<'a> {
    object: &'static str,
    reference: &'a str,
    status: &'static str,
}

/// Answers with several objects.
#[derive(Serialize)]
pub(crate) struct List<T> {
    pub(crate) data: Vec<T>,
    pub(crate) has_more: bool,
}

#[derive(Serialize)]
struct Closed<'a> {
    object: &'static str,
    date: Day,
    settlements: &'a [Settlement],
}

// === impl PaymentView ===

impl<'a> PaymentView<'a> {
    pub(crate) fn of(state: &State, payment: &'a Payment) -> Self {
        let new = &payment.new;
        let (decline_code, next_action) = match &payment.outcome {
            Outcome::Authorized => (None, None),
            Outcome::Declined { code } => (Some(*code), None),
            Outcome::RequiresAction {
                challenge_id,
                expires_at,
            } => {
                let url = format!("{}/v1/challenges/{challenge_id}", state.terms.public_url);
                (
                    None,
                    Some(NextAction {
                        r#type: "redirect",
                        url,
                        expires_at: *expires_at,
                    }),
                )
            }
        };
        Self {
            object: "payment",
            id: &new.id,
            status: payment.status(),
            amount: new.amount,
            capturable_minor: payment.capturable_minor(),
            captured_minor: payment.captured_minor,
            refunded_minor: payment.refunded_minor,
            charged_back_minor: payment.charged_back_minor,
            released_minor: payment.released_minor,
            reference: &new.reference,
            capture_method: new.capture_method,
            payment_method: Card::parse(&new.token).ok(),
            merchant_reference: new.merchant_reference.as_deref(),
            statement_descriptor: new.statement_descriptor.as_deref(),
            decline_code,
            authenticated: payment.authenticated,
            next_action: next_action.filter(|_| payment.status() == Status::RequiresAction),
            captures: payment
                .captures
                .iter()
                .map(|part| of_payment("capture", payment, part))
                .collect(),
            refunds: payment
                .refunds
                .iter()
                .map(|part| of_payment("refund", payment, part))
                .collect(),
            disputes: payment
                .disputes
                .iter()
                .map(|part| of_payment("dispute", payment, part))
                .collect(),
            created_at: payment.created_at,
            business_at: new.business_at,
        }
    }
}

// === free functions ===

pub(crate) fn of_payment<'a, T>(
    object: &'static str,
    payment: &'a Payment,
    part: T,
) -> OfPayment<'a, T> {
    OfPayment {
        object,
        payment_id: &payment.new.id,
        payment_reference: &payment.new.reference,
        part,
    }
}

/// The answer about a subject that the state holds.
pub(crate) fn render(state: &State, subject: &Subject) -> Answer {
    let payment = |key| {
        state
            .payments
            .get(key)
            .expect("an answer is about a payment that exists")
    };
    match subject {
        Subject::Payment(key, status) => answer(*status, &PaymentView::of(state, payment(key))),
        Subject::Capture(key, id) => {
            let part = payment(key)
                .captures
                .iter()
                .find(|capture| capture.id == *id);
            answer(CREATED, &of_payment("capture", payment(key), part))
        }
        Subject::Refund(key, id) => answer(
            CREATED,
            &of_payment("refund", payment(key), payment(key).refund(id)),
        ),
        Subject::Dispute(key, id, status) => answer(
            *status,
            &of_payment("dispute", payment(key), payment(key).dispute(id)),
        ),
        Subject::Tombstone(reference) => answer(
            OK,
            &Tombstone {
                object: "cancellation",
                reference,
                status: "canceled",
            },
        ),
        Subject::Settlements(date) => {
            let settlements = state.reports.settlements(*date);
            answer(
                OK,
                &Closed {
                    object: "settlements",
                    date: *date,
                    settlements,
                },
            )
        }
        Subject::Nothing => answer(OK, &serde_json::Map::new()),
    }
}

pub(crate) fn answer(status: u16, body: &impl Serialize) -> Answer {
    Answer {
        status,
        body: serde_json::to_string(body).expect("answers are plain data"),
    }
}
