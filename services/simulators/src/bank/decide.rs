//! What the bank does with a command: pure, from the state as it is to facts.

use crate::amount::Amount;
use crate::bank::beneficiary::{Behaviour, behaviour};
use crate::bank::fact::{
    Command, Deposit, DepositOrder, Entry, EntryKind, Fact, Payout, PayoutOrder, PayoutStatus,
    Timer,
};
use crate::bank::state::{State, Subject};
use crate::machine::{Context, Decision};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// Account identifier incorrect.
const REJECTED: &str = "AC01";
/// Account closed.
const RETURNED: &str = "AC04";
const OK: u16 = 200;
const CREATED: u16 = 201;

type Decided = Result<Decision<State>, Problem>;

// === free functions ===

pub(crate) fn decide(state: &State, command: &Command, context: &mut Context) -> Decided {
    match command {
        Command::PayOut(order) => pay_out(state, order, context),
        Command::Deposit(order) => deposit(state, order, context),
        Command::Return { end_to_end_id } => return_payout(state, end_to_end_id, context),
        Command::Timer { due_at, key } => timer(state, (*due_at, *key), context),
    }
}

/// The end-to-end id is the key: the same payout again changes nothing, another one under the same id is refused.
fn pay_out(state: &State, order: &PayoutOrder, context: &mut Context) -> Decided {
    let subject = |status| Subject::Payout(order.end_to_end_id.clone(), status);
    if let Some(known) = state.payouts.get(&order.end_to_end_id) {
        let differs = [
            ("amount", known.amount != order.amount),
            ("beneficiary", known.beneficiary != order.beneficiary),
            ("reference", known.reference != order.reference),
        ];
        refuse_difference("end_to_end_id", &differs)?;
        return Ok(Decision {
            facts: Vec::new(),
            subject: subject(OK),
        });
    }
    state.check_room()?;
    let behaviour = behaviour(&order.beneficiary);
    let comes_back = behaviour == Behaviour::Returned
        || state.terms.chance.hits(
            "return",
            &order.end_to_end_id,
            state.terms.faults.return_per_mille,
        );
    let business_at = order.business_at.unwrap_or(context.business_at);
    let status = first_status(behaviour);
    let payout = new_payout(order, status, business_at, context);
    let end_to_end_id = order.end_to_end_id.clone();
    let mut facts = vec![Fact::PayoutAccepted {
        payout: payout.clone(),
    }];
    match status {
        PayoutStatus::Rejected | PayoutStatus::Returned => {}
        PayoutStatus::Processing => {
            let timer = Timer::PayoutBooks { end_to_end_id };
            facts.push(timer_set(
                state.terms.delays.booked_ms,
                business_at,
                timer,
                context,
            ));
        }
        PayoutStatus::Booked => {
            facts.push(booked(&payout, EntryKind::Payout, business_at, context));
            if comes_back {
                let timer = Timer::PayoutReturns { end_to_end_id };
                facts.push(timer_set(
                    state.terms.delays.returned_ms,
                    business_at,
                    timer,
                    context,
                ));
            }
        }
    }
    Ok(Decision {
        facts,
        subject: subject(CREATED),
    })
}

fn first_status(behaviour: Behaviour) -> PayoutStatus {
    match behaviour {
        Behaviour::Rejected => PayoutStatus::Rejected,
        Behaviour::Delayed => PayoutStatus::Processing,
        Behaviour::Ok
        | Behaviour::Returned
        | Behaviour::TimeoutWithEffect
        | Behaviour::TimeoutNoEffect
        | Behaviour::CutWithEffect
        | Behaviour::ErrorThenOk => PayoutStatus::Booked,
    }
}

fn new_payout(
    order: &PayoutOrder,
    status: PayoutStatus,
    business_at: Timestamp,
    context: &mut Context,
) -> Payout {
    Payout {
        id: context.id("pyt"),
        end_to_end_id: order.end_to_end_id.clone(),
        amount: order.amount,
        beneficiary: order.beneficiary.clone(),
        reference: order.reference.clone(),
        status,
        reason: (status == PayoutStatus::Rejected).then(|| REJECTED.to_owned()),
        business_at,
    }
}

fn deposit(state: &State, order: &DepositOrder, context: &mut Context) -> Decided {
    let subject = |status| Subject::Deposit(order.id.clone(), status);
    if let Some(known) = state.deposits.get(&order.id) {
        let differs = [
            ("amount", known.amount != order.amount),
            ("source", known.source != order.source),
            ("reference", known.reference != order.reference),
        ];
        refuse_difference("id", &differs)?;
        return Ok(Decision {
            facts: Vec::new(),
            subject: subject(OK),
        });
    }
    state.check_room()?;
    let business_at = order.business_at.unwrap_or(context.business_at);
    let deposit = Deposit {
        id: order.id.clone(),
        amount: order.amount,
        source: order.source.clone(),
        reference: order.reference.clone(),
        business_at,
    };
    let entry = Entry {
        id: context.id("ent"),
        kind: EntryKind::Deposit,
        subject: order.id.clone(),
        amount: order.amount,
        booking_date: business_at.day(),
        business_at,
    };
    let facts = vec![
        Fact::DepositAccepted { deposit },
        Fact::EntryBooked { entry },
    ];
    Ok(Decision {
        facts,
        subject: subject(CREATED),
    })
}

/// Sends a booked payout back; again, it changes nothing.
fn return_payout(state: &State, end_to_end_id: &str, context: &mut Context) -> Decided {
    let payout = state.payout(end_to_end_id)?;
    let subject = Subject::Payout(end_to_end_id.to_owned(), OK);
    match payout.status {
        PayoutStatus::Returned => Ok(Decision {
            facts: Vec::new(),
            subject,
        }),
        PayoutStatus::Processing | PayoutStatus::Rejected => Err(Problem::conflict(
            "not_booked",
            "only a booked payout can come back",
        )),
        PayoutStatus::Booked => {
            let reason = RETURNED.to_owned();
            let returned = Fact::PayoutReturned {
                end_to_end_id: end_to_end_id.to_owned(),
                reason,
            };
            let entry = booked(
                payout,
                EntryKind::PayoutReturn,
                context.business_at,
                context,
            );
            Ok(Decision {
                facts: vec![returned, entry],
                subject,
            })
        }
    }
}

/// Ends the earliest timer, and does what it was set for if that still makes sense.
fn timer(state: &State, place: (Timestamp, u64), context: &mut Context) -> Decided {
    let Some(waiting) = state.timers.get(&place) else {
        return Ok(Decision {
            facts: Vec::new(),
            subject: Subject::Nothing,
        });
    };
    context.business_at = waiting.business_at;
    let mut facts = vec![Fact::TimerDone {
        due_at: place.0,
        key: place.1,
    }];
    match &waiting.timer {
        Timer::PayoutBooks { end_to_end_id } => {
            let payout = state.payouts.get(end_to_end_id);
            if let Some(payout) = payout.filter(|payout| payout.status == PayoutStatus::Processing)
            {
                facts.push(Fact::PayoutBooked {
                    end_to_end_id: end_to_end_id.clone(),
                });
                facts.push(booked(
                    payout,
                    EntryKind::Payout,
                    context.business_at,
                    context,
                ));
            }
        }
        Timer::PayoutReturns { end_to_end_id } => {
            let returned = return_payout(state, end_to_end_id, context);
            facts.extend(returned.map(|returned| returned.facts).unwrap_or_default());
        }
    }
    Ok(Decision {
        facts,
        subject: Subject::Nothing,
    })
}

fn booked(payout: &Payout, kind: EntryKind, business_at: Timestamp, context: &mut Context) -> Fact {
    let minor = match kind {
        EntryKind::Payout => -payout.amount.minor,
        EntryKind::PayoutReturn | EntryKind::Deposit => payout.amount.minor,
    };
    let entry = Entry {
        id: context.id("ent"),
        kind,
        subject: payout.end_to_end_id.clone(),
        amount: Amount {
            minor,
            ..payout.amount
        },
        booking_date: business_at.day(),
        business_at,
    };
    Fact::EntryBooked { entry }
}

fn timer_set(wait_ms: u64, business_at: Timestamp, timer: Timer, context: &Context) -> Fact {
    Fact::TimerSet {
        due_at: context.at.plus_ms(wait_ms),
        business_at: business_at.plus_ms(wait_ms),
        timer,
    }
}

fn refuse_difference(key: &str, differs: &[(&str, bool)]) -> Result<(), Problem> {
    let fields: Vec<&str> = differs
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(field, _)| *field)
        .collect();
    if fields.is_empty() {
        return Ok(());
    }
    let detail = format!("this {key} is known with another {}", fields.join(", "));
    Err(Problem::conflict("id_reused", detail))
}
