//! The provider's state: a fold of its facts.
//!
//! Invariants, asserted as facts are folded in:
//! - P1: captured + released ≤ authorized.
//! - P2: refunded + charged back ≤ captured.
//! - P3: nothing of a payment goes below zero.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::chance::{Chance, from_letters};
use crate::flow::Latency;
use crate::keys::Fingerprint;
use crate::machine::{Answer, Context, Decision, Machine, Stamp};
use crate::problem::Problem;
use crate::provider::decide;
use crate::provider::event::{Outbox, event_of};
use crate::provider::fact::{Command, Fact, PaymentKey, Settlement, Timer};
use crate::provider::model::Payment;
use crate::provider::settings::{Delays, Faults, Fees};
use crate::provider::settle::Reports;
use crate::provider::view;
use crate::timestamp::{Day, Timestamp};

mod fold;

/// What the provider's rules depend on.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) fees: Fees,
    pub(crate) faults: Faults,
    pub(crate) delays: Delays,
    pub(crate) latency: Latency,
    pub(crate) chance: Chance,
    pub(crate) objects: usize,
    pub(crate) public_url: String,
}

/// A timer that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) timer: Timer,
    pub(crate) business_at: Timestamp,
}

/// What an answer is about.
#[derive(Debug)]
pub(crate) enum Subject {
    Payment(PaymentKey, u16),
    Capture(PaymentKey, String),
    Refund(PaymentKey, String),
    Dispute(PaymentKey, String, u16),
    Tombstone(String),
    Settlements(Day),
    Nothing,
}

/// Everything the provider knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) terms: Terms,
    pub(crate) payments: HashMap<PaymentKey, Payment>,
    pub(crate) by_reference: HashMap<String, Vec<PaymentKey>>,
    pub(crate) captures_by_reference: HashMap<String, Vec<(PaymentKey, String)>>,
    pub(crate) refunds_by_reference: HashMap<String, Vec<(PaymentKey, String)>>,
    pub(crate) refunds: HashMap<String, PaymentKey>,
    pub(crate) disputes: HashMap<String, PaymentKey>,
    pub(crate) challenges: HashMap<String, PaymentKey>,
    pub(crate) tombstones: HashSet<String>,
    pub(crate) shown: HashSet<Fingerprint>,
    pub(crate) timers: BTreeMap<(Timestamp, u64), Waiting>,
    pub(crate) reports: Reports,
    pub(crate) outbox: Outbox,
    /// Settlements the bank has not taken yet, with the line that closed them.
    pub(crate) deposits: BTreeMap<String, (u64, Settlement)>,
}

// === impl State ===

impl State {
    pub(crate) fn new(terms: Terms, most_events: usize) -> Self {
        Self {
            terms,
            payments: HashMap::new(),
            by_reference: HashMap::new(),
            captures_by_reference: HashMap::new(),
            refunds_by_reference: HashMap::new(),
            refunds: HashMap::new(),
            disputes: HashMap::new(),
            challenges: HashMap::new(),
            tombstones: HashSet::new(),
            shown: HashSet::new(),
            timers: BTreeMap::new(),
            reports: Reports::default(),
            outbox: Outbox::new(most_events),
            deposits: BTreeMap::new(),
        }
    }

    pub(crate) fn payment(&self, key: PaymentKey) -> std::result::Result<&Payment, Problem> {
        self.payments
            .get(&key)
            .ok_or_else(|| Problem::not_found("there is no such payment"))
    }
}

impl Machine for State {
    const FORMAT: &'static str = "paymesh-simulated-provider/1";
    type Fact = Fact;
    type Command = Command;
    type Subject = Subject;

    fn apply(&mut self, stamp: &Stamp, fact: &Fact) {
        self.fold(stamp, fact);
        if self.outbox.is_wanted() {
            let payment = payment_of(fact)
                .and_then(payment_key)
                .and_then(|key| self.payments.get(&key));
            if let Some(event) = event_of(stamp, fact, payment) {
                self.outbox.push(&Arc::new(event));
            }
        }
    }

    fn decide(
        &self,
        command: &Command,
        context: &mut Context,
    ) -> std::result::Result<Decision<Self>, Problem> {
        decide::decide(self, command, context)
    }

    fn render(&self, subject: &Subject) -> Answer {
        view::render(self, subject)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.timers
            .first_key_value()
            .map(|((due_at, _), _)| *due_at)
    }

    fn timer_command(&self) -> Option<Command> {
        self.timers
            .first_key_value()
            .map(|((due_at, key), _)| Command::Timer {
                due_at: *due_at,
                key: *key,
            })
    }
}

// === free functions ===

/// The number within a payment's id.
pub(crate) fn payment_key(id: &str) -> Option<PaymentKey> {
    from_letters(id.strip_prefix("pay_")?)
}

fn payment_of(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::PaymentCreated { payment, .. } => Some(&payment.id),
        Fact::ChallengeAnswered { payment_id, .. }
        | Fact::CaptureMade { payment_id, .. }
        | Fact::PaymentCanceled { payment_id, .. }
        | Fact::RefundMade { payment_id, .. }
        | Fact::RefundFailed { payment_id, .. }
        | Fact::DisputeOpened { payment_id, .. }
        | Fact::EvidenceSubmitted { payment_id, .. }
        | Fact::DisputeClosed { payment_id, .. } => Some(payment_id),
        Fact::ReferenceCanceled { .. }
        | Fact::DayClosed { .. }
        | Fact::DepositAccepted { .. }
        | Fact::TimerSet { .. }
        | Fact::TimerDone { .. }
        | Fact::FaultShown { .. }
        | Fact::WebhookTargets { .. }
        | Fact::WebhooksDone { .. } => None,
    }
}
