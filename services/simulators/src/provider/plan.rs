//! Which fault and which wait a request meets: from its token, then from the seed.

use std::time::Duration;

use crate::flow::{Fault, Faulty, Plan};
use crate::keys::Fingerprint;
use crate::provider::fact::{Command, Fact, Order, PaymentKey};
use crate::provider::state::State;
use crate::provider::token::{Behaviour, Card};

/// How often a request meets its fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Always,
    Once,
}

impl Faulty for State {
    fn plan(&self, command: &Command, scope: &str) -> Plan<Fact> {
        let by_token = match command {
            Command::Authorize(order) => Some((
                authorize_fault(order.card.behaviour),
                format!("authorize:{}", order.reference),
            )),
            Command::Capture { payment, order, .. } => Some((
                capture_fault(self.behaviour(*payment)),
                operation("capture", *payment, order, scope),
            )),
            Command::Refund { payment, order } => Some((
                refund_fault(self.behaviour(*payment)),
                operation("refund", *payment, order, scope),
            )),
            Command::AnswerChallenge { .. }
            | Command::Cancel { .. }
            | Command::CancelReference { .. }
            | Command::OpenDispute { .. }
            | Command::SubmitEvidence { .. }
            | Command::CloseDispute { .. }
            | Command::CloseDay { .. }
            | Command::Timer { .. } => None,
        };
        let mut wait = self.terms.latency.of(self.terms.chance, scope);
        let Some(((fault, times), scope)) = by_token else {
            return Plan {
                wait,
                fault: Fault::None,
                shown: None,
            };
        };
        if let Command::Authorize(order) = command
            && let Behaviour::DelayMs(ms) = order.card.behaviour
        {
            wait += Duration::from_millis(u64::from(ms));
        }
        let (fault, times) = if fault == Fault::None {
            (self.drawn_fault(&scope), Times::Once)
        } else {
            (fault, times)
        };
        let mark = Fingerprint::of(&[scope.as_bytes()]);
        match times {
            Times::Always => Plan {
                wait,
                fault,
                shown: None,
            },
            Times::Once if fault == Fault::None || self.shown.contains(&mark) => Plan {
                wait,
                fault: Fault::None,
                shown: None,
            },
            Times::Once => Plan {
                wait,
                fault,
                shown: Some(Fact::FaultShown { scope: mark }),
            },
        }
    }
}

// === impl State ===

impl State {
    fn behaviour(&self, key: PaymentKey) -> Option<Behaviour> {
        let card = Card::parse(&self.payments.get(&key)?.new.token).ok()?;
        Some(card.behaviour)
    }

    fn drawn_fault(&self, scope: &str) -> Fault {
        let faults = &self.terms.faults;
        let shares = [
            (faults.error_per_mille, Fault::Error),
            (faults.rate_limit_per_mille, Fault::TooMany),
            (
                faults.hang_without_effect_per_mille,
                Fault::HangWithoutEffect,
            ),
            (faults.hang_with_effect_per_mille, Fault::HangWithEffect),
            (faults.cut_with_effect_per_mille, Fault::CutWithEffect),
        ];
        let mut drawn = self.terms.chance.draw("fault", scope) % 1_000;
        for (share, fault) in shares {
            match drawn.checked_sub(u64::from(share)) {
                Some(rest) => drawn = rest,
                None => return fault,
            }
        }
        Fault::None
    }
}

// === free functions ===

fn operation(kind: &str, payment: PaymentKey, order: &Order, scope: &str) -> String {
    format!(
        "{kind}:{payment}:{}",
        order.reference.as_deref().unwrap_or(scope)
    )
}

fn authorize_fault(behaviour: Behaviour) -> (Fault, Times) {
    match behaviour {
        Behaviour::TimeoutNoEffect => (Fault::HangWithoutEffect, Times::Always),
        Behaviour::TimeoutWithEffect => (Fault::HangWithEffect, Times::Always),
        Behaviour::CutWithEffect => (Fault::CutWithEffect, Times::Always),
        Behaviour::ErrorThenOk => (Fault::Error, Times::Once),
        Behaviour::TooMany => (Fault::TooMany, Times::Always),
        Behaviour::TooManyThenOk => (Fault::TooMany, Times::Once),
        Behaviour::Ok
        | Behaviour::Declined(_)
        | Behaviour::DelayMs(_)
        | Behaviour::DuplicateWebhook
        | Behaviour::Challenge
        | Behaviour::Frictionless
        | Behaviour::Chargeback
        | Behaviour::CaptureFails
        | Behaviour::CaptureTimeoutNoEffect
        | Behaviour::CaptureTimeoutWithEffect
        | Behaviour::RefundFails
        | Behaviour::RefundFailsLater
        | Behaviour::RefundTimeoutNoEffect
        | Behaviour::RefundTimeoutWithEffect => (Fault::None, Times::Always),
    }
}

fn capture_fault(behaviour: Option<Behaviour>) -> (Fault, Times) {
    if behaviour == Some(Behaviour::CaptureTimeoutNoEffect) {
        (Fault::HangWithoutEffect, Times::Once)
    } else if behaviour == Some(Behaviour::CaptureTimeoutWithEffect) {
        (Fault::HangWithEffect, Times::Once)
    } else {
        (Fault::None, Times::Always)
    }
}

fn refund_fault(behaviour: Option<Behaviour>) -> (Fault, Times) {
    if behaviour == Some(Behaviour::RefundTimeoutNoEffect) {
        (Fault::HangWithoutEffect, Times::Once)
    } else if behaviour == Some(Behaviour::RefundTimeoutWithEffect) {
        (Fault::HangWithEffect, Times::Once)
    } else {
        (Fault::None, Times::Always)
    }
}
