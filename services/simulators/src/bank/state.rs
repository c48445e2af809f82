//! The bank's state: a fold of its facts.
//!
//! Invariants:
//! - B1: an end-to-end id names one payout for ever, and a deposit's id one deposit.
//! - B2: the balance of a currency is the sum of its entries; a statement line holds the balance after it.
//! - B3: statement lines are only ever added, in the order in which they were booked.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::amount::Currency;
use crate::bank::beneficiary::{Behaviour, behaviour};
use crate::bank::decide;
use crate::bank::fact::{Command, Deposit, Entry, Fact, Payout, PayoutStatus, Timer};
use crate::bank::{Delays, Faults};
use crate::chance::Chance;
use crate::flow::{Fault, Faulty, Latency, Plan};
use crate::keys::Fingerprint;
use crate::machine::{Answer, Context, Decision, Machine, Stamp};
use crate::problem::Problem;
use crate::timestamp::{Day, Timestamp};

/// Facts of one line that can be told apart in a timer's key.
const TIMERS_A_LINE: u64 = 1_024;

/// What the bank's rules depend on.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) faults: Faults,
    pub(crate) delays: Delays,
    pub(crate) latency: Latency,
    pub(crate) chance: Chance,
    pub(crate) objects: usize,
}

/// A timer that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) timer: Timer,
    pub(crate) business_at: Timestamp,
}

/// A booked entry and the balance after it.
#[derive(Clone, Debug)]
pub(crate) struct StatementLine {
    pub(crate) entry: Entry,
    pub(crate) balance_minor: i64,
}

/// What an answer is about.
#[derive(Debug)]
pub(crate) enum Subject {
    Payout(String, u16),
    Deposit(String, u16),
    Nothing,
}

/// Everything the bank knows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) terms: Terms,
    pub(crate) payouts: HashMap<String, Payout>,
    pub(crate) deposits: HashMap<String, Deposit>,
    pub(crate) statements: BTreeMap<Day, Vec<StatementLine>>,
    pub(crate) balances: BTreeMap<Currency, i64>,
    pub(crate) timers: BTreeMap<(Timestamp, u64), Waiting>,
    shown: HashSet<Fingerprint>,
}

// === impl State ===

impl State {
    pub(crate) fn new(terms: Terms) -> Self {
        Self {
            terms,
            payouts: HashMap::new(),
            deposits: HashMap::new(),
            statements: BTreeMap::new(),
            balances: BTreeMap::new(),
            timers: BTreeMap::new(),
            shown: HashSet::new(),
        }
    }

    pub(crate) fn payout(&self, end_to_end_id: &str) -> Result<&Payout, Problem> {
        self.payouts
            .get(end_to_end_id)
            .ok_or_else(|| Problem::not_found("there is no payout with this end-to-end id"))
    }

    pub(crate) fn check_room(&self) -> Result<(), Problem> {
        if self.payouts.len() + self.deposits.len() >= self.terms.objects {
            return Err(Problem::full(
                "the bank holds as many payouts and deposits as it is configured to",
            ));
        }
        Ok(())
    }

    fn change(&mut self, end_to_end_id: &str, change: impl FnOnce(&mut Payout)) {
        change(
            self.payouts
                .get_mut(end_to_end_id)
                .expect("facts are about payouts that exist"),
        );
    }

    fn book(&mut self, entry: &Entry) {
        let balance = self.balances.entry(entry.amount.currency).or_default();
        *balance = balance
            .checked_add(entry.amount.minor)
            .expect("sums of bounded amounts stay far below i64::MAX");
        let line = StatementLine {
            entry: entry.clone(),
            balance_minor: *balance,
        };
        self.statements
            .entry(entry.booking_date)
            .or_default()
            .push(line);
    }

    fn fault(&self, order: &crate::bank::fact::PayoutOrder) -> (Fault, bool) {
        match behaviour(&order.beneficiary) {
            Behaviour::TimeoutWithEffect => (Fault::HangWithEffect, false),
            Behaviour::CutWithEffect => (Fault::CutWithEffect, false),
            Behaviour::TimeoutNoEffect => (Fault::HangWithoutEffect, false),
            Behaviour::ErrorThenOk => (Fault::Error, true),
            Behaviour::Ok | Behaviour::Returned | Behaviour::Delayed | Behaviour::Rejected => {
                let faults = &self.terms.faults;
                let drawn = self.terms.chance.draw("fault", &order.end_to_end_id) % 1_000;
                let errors = u64::from(faults.error_per_mille);
                if drawn < errors {
                    (Fault::Error, true)
                } else if drawn < errors + u64::from(faults.hang_with_effect_per_mille) {
                    (Fault::HangWithEffect, true)
                } else {
                    (Fault::None, false)
                }
            }
        }
    }
}

impl Faulty for State {
    fn plan(&self, command: &Command, scope: &str) -> Plan<Fact> {
        let wait = self.terms.latency.of(self.terms.chance, scope);
        let none = Plan {
            wait,
            fault: Fault::None,
            shown: None,
        };
        let Command::PayOut(order) = command else {
            return none;
        };
        let (fault, once) = self.fault(order);
        let mark = Fingerprint::of(&[order.end_to_end_id.as_bytes()]);
        if !once {
            return Plan { fault, ..none };
        }
        if self.shown.contains(&mark) {
            return none;
        }
        Plan {
            fault,
            shown: Some(Fact::FaultShown { scope: mark }),
            ..none
        }
    }
}

impl Machine for State {
    const FORMAT: &'static str = "paymesh-simulated-bank/1";
    type Fact = Fact;
    type Command = Command;
    type Subject = Subject;

    fn apply(&mut self, stamp: &Stamp, fact: &Fact) {
        match fact {
            Fact::PayoutAccepted { payout } => {
                let before = self
                    .payouts
                    .insert(payout.end_to_end_id.clone(), payout.clone());
                assert!(before.is_none(), "B1: an end-to-end id names one payout");
            }
            Fact::PayoutBooked { end_to_end_id } => {
                self.change(end_to_end_id, |payout| payout.status = PayoutStatus::Booked);
            }
            Fact::PayoutReturned {
                end_to_end_id,
                reason,
            } => self.change(end_to_end_id, |payout| {
                payout.status = PayoutStatus::Returned;
                payout.reason = Some(reason.clone());
            }),
            Fact::DepositAccepted { deposit } => {
                let before = self.deposits.insert(deposit.id.clone(), deposit.clone());
                assert!(before.is_none(), "B1: a deposit's id names one deposit");
            }
            Fact::EntryBooked { entry } => self.book(entry),
            Fact::TimerSet {
                due_at,
                business_at,
                timer,
            } => {
                let waiting = Waiting {
                    timer: timer.clone(),
                    business_at: *business_at,
                };
                self.timers
                    .insert((*due_at, stamp.seq * TIMERS_A_LINE + stamp.index), waiting);
            }
            Fact::TimerDone { due_at, key } => {
                self.timers.remove(&(*due_at, *key));
            }
            Fact::FaultShown { scope } => {
                self.shown.insert(*scope);
            }
        }
    }

    fn decide(&self, command: &Command, context: &mut Context) -> Result<Decision<Self>, Problem> {
        decide::decide(self, command, context)
    }

    fn render(&self, subject: &Subject) -> Answer {
        match subject {
            Subject::Payout(id, status) => answer(*status, &self.payouts.get(id)),
            Subject::Deposit(id, status) => answer(*status, &self.deposits.get(id)),
            Subject::Nothing => answer(200, &serde_json::Map::new()),
        }
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

fn answer(status: u16, body: &impl Serialize) -> Answer {
    Answer {
        status,
        body: serde_json::to_string(body).expect("answers are plain data"),
    }
}
