//! Webhook events: built from facts, so that a restart builds the same ones again, and kept until they are delivered.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::amount::Amount;
use crate::machine::{Stamp, make_id};
use crate::provider::fact::{Fact, RefundFailure, Verdict};
use crate::provider::model::{Capture, Outcome, Payment, Refund, Result};
use crate::provider::token::{Behaviour, Card};
use crate::timestamp::Timestamp;

/// Numbers of a line's event ids start here; ids of objects stay below.
const EVENT_NUMBERS: u64 = 2_048;
/// Facts of one line that can be told apart in an event's sequence.
const FACTS_A_LINE: u64 = 1_024;

/// An event on its way to the targets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Grows in the order in which things happened.
    pub(crate) sequence: u64,
    pub(crate) id: String,
    pub(crate) body: String,
    /// Whether the token asks for this event twice.
    pub(crate) twice: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    r#type: &'a str,
    sequence: u64,
    created_at: Timestamp,
    data: Data<'a>,
}

#[derive(Default, Serialize)]
struct Data<'a> {
    object: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

/// Undelivered events of each target.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    targets: BTreeMap<String, BTreeMap<u64, Arc<Event>>>,
    most: usize,
    pub(crate) delivered: u64,
    pub(crate) abandoned: u64,
    pub(crate) dropped: u64,
}

// === impl Outbox ===

impl Outbox {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            ..Self::default()
        }
    }

    /// Whether anybody wants events.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Only these targets from now on; what waits for others is forgotten, and new ones begin with the next event.
    pub(crate) fn set_targets(&mut self, names: &[String]) {
        self.targets.retain(|name, _| names.contains(name));
        for name in names {
            self.targets.entry(name.clone()).or_default();
        }
    }

    pub(crate) fn target_names(&self) -> Vec<String> {
        self.targets.keys().cloned().collect()
    }

    /// Queues an event for every target; a target whose queue is full does not get it.
    pub(crate) fn push(&mut self, event: &Arc<Event>) {
        for queue in self.targets.values_mut() {
            if queue.len() < self.most {
                queue.insert(event.sequence, Arc::clone(event));
            } else {
                self.dropped += 1;
            }
        }
    }

    /// Undelivered events of a target after a sequence, oldest first.
    pub(crate) fn after(&self, target: &str, sequence: u64, most: usize) -> Vec<Arc<Event>> {
        let Some(queue) = self.targets.get(target) else {
            return Vec::new();
        };
        queue
            .range(sequence + 1..)
            .take(most)
            .map(|(_, event)| Arc::clone(event))
            .collect()
    }

    pub(crate) fn done(&mut self, target: &str, delivered: &[u64], abandoned: &[u64]) {
        self.delivered += u64::try_from(delivered.len()).unwrap_or(0);
        self.abandoned += u64::try_from(abandoned.len()).unwrap_or(0);
        if let Some(queue) = self.targets.get_mut(target) {
            for sequence in delivered.iter().chain(abandoned) {
                queue.remove(sequence);
            }
        }
    }

    pub(crate) fn pending(&self) -> usize {
        self.targets.values().map(BTreeMap::len).sum()
    }
}

// === free functions ===

/// The journal line an event belongs to.
pub(crate) fn line_of(sequence: u64) -> u64 {
    sequence / FACTS_A_LINE
}

/// The event of a fact, given the payment as it is after it; `None` for facts that nobody is told of.
pub(crate) fn event_of(stamp: &Stamp, fact: &Fact, payment: Option<&Payment>) -> Option<Event> {
    let (kind, data) = describe(fact)?;
    let sequence = stamp.seq * FACTS_A_LINE + stamp.index;
    let id = make_id("evt", stamp.nonce, stamp.seq, EVENT_NUMBERS + stamp.index);
    let data = Data {
        payment_reference: payment.map(|payment| payment.new.reference.as_str()),
        ..data
    };
    let body = Body {
        id: &id,
        r#type: kind,
        sequence,
        created_at: stamp.at,
        data,
    };
    let body = serde_json::to_string(&body).expect("an event is plain data");
    let card = payment.and_then(|payment| Card::parse(&payment.new.token).ok());
    let twice = card.is_some_and(|card| card.behaviour == Behaviour::DuplicateWebhook);
    Some(Event {
        sequence,
        id,
        body,
        twice,
    })
}

fn describe(fact: &Fact) -> Option<(&'static str, Data<'_>)> {
    Some(match fact {
        Fact::PaymentCreated { payment, outcome } => {
            let data = about("payment", &payment.id, payment.amount, payment.business_at);
            (outcome_event(outcome), data)
        }
        Fact::ChallengeAnswered {
            payment_id,
            outcome,
        } => {
            let data = Data {
                object: "payment",
                payment_id: Some(payment_id),
                ..Data::default()
            };
            (outcome_event(outcome), data)
        }
        Fact::CaptureMade {
            payment_id,
            capture,
        } => describe_capture(payment_id, capture),
        Fact::PaymentCanceled {
            payment_id,
            released,
            business_at,
        } => {
            let data = about("payment", payment_id, *released, *business_at);
            ("payment.canceled", data)
        }
        Fact::RefundMade { payment_id, refund } => describe_refund(payment_id, refund),
        Fact::RefundFailed {
            payment_id,
            failure,
        } => describe_failure(payment_id, failure),
        Fact::DisputeOpened { .. }
        | Fact::EvidenceSubmitted { .. }
        | Fact::DisputeClosed { .. } => {
            return describe_dispute(fact);
        }
        Fact::DayClosed { through, .. } => {
            let date = Some(through.to_string());
            (
                "settlement.closed",
                Data {
                    object: "settlement",
                    date,
                    ..Data::default()
                },
            )
        }
        Fact::ReferenceCanceled { .. }
        | Fact::DepositAccepted { .. }
        | Fact::TimerSet { .. }
        | Fact::TimerDone { .. }
        | Fact::FaultShown { .. }
        | Fact::WebhookTargets { .. }
        | Fact::WebhooksDone { .. } => return None,
    })
}

fn describe_capture<'a>(payment_id: &'a str, capture: &'a Capture) -> (&'static str, Data<'a>) {
    let kind = match capture.status {
        Result::Succeeded => "payment.captured",
        Result::Failed => "payment.capture_failed",
    };
    let data = about("capture", payment_id, capture.amount, capture.business_at);
    let object_reference = capture.reference.as_deref();
    (
        kind,
        Data {
            object_id: Some(&capture.id),
            object_reference,
            ..data
        },
    )
}

fn describe_refund<'a>(payment_id: &'a str, refund: &'a Refund) -> (&'static str, Data<'a>) {
    let kind = match refund.status {
        Result::Succeeded => "refund.succeeded",
        Result::Failed => "refund.failed",
    };
    let data = about("refund", payment_id, refund.amount, refund.business_at);
    let object_reference = refund.reference.as_deref();
    (
        kind,
        Data {
            object_id: Some(&refund.id),
            object_reference,
            ..data
        },
    )
}

fn describe_failure<'a>(
    payment_id: &'a str,
    failure: &'a RefundFailure,
) -> (&'static str, Data<'a>) {
    let data = about("refund", payment_id, failure.amount, failure.business_at);
    (
        "refund.failed",
        Data {
            object_id: Some(&failure.refund_id),
            ..data
        },
    )
}

fn describe_dispute(fact: &Fact) -> Option<(&'static str, Data<'_>)> {
    if let Fact::DisputeOpened {
        payment_id,
        dispute,
    } = fact
    {
        let data = about("dispute", payment_id, dispute.amount, dispute.business_at);
        Some((
            "dispute.opened",
            Data {
                object_id: Some(&dispute.id),
                ..data
            },
        ))
    } else if let Fact::EvidenceSubmitted {
        payment_id,
        dispute_id,
        ..
    } = fact
    {
        let data = Data {
            object: "dispute",
            payment_id: Some(payment_id),
            ..Data::default()
        };
        Some((
            "dispute.evidence_submitted",
            Data {
                object_id: Some(dispute_id),
                ..data
            },
        ))
    } else if let Fact::DisputeClosed {
        payment_id,
        closing,
    } = fact
    {
        let data = about("dispute", payment_id, closing.amount, closing.business_at);
        let kind = match closing.verdict {
            Verdict::Won => "dispute.won",
            Verdict::Lost => "dispute.lost",
        };
        Some((
            kind,
            Data {
                object_id: Some(&closing.dispute_id),
                ..data
            },
        ))
    } else {
        None
    }
}

fn about<'a>(object: &'a str, payment_id: &'a str, amount: Amount, at: Timestamp) -> Data<'a> {
    Data {
        object,
        payment_id: Some(payment_id),
        amount: Some(amount),
        business_at: Some(at),
        ..Data::default()
    }
}

fn outcome_event(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Authorized => "payment.authorized",
        Outcome::Declined { .. } => "payment.declined",
        Outcome::RequiresAction { .. } => "payment.requires_action",
    }
}
