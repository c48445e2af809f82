//! The three fraud scenarios, applied one after the other. Terminals and cards are compromised anew
//! on every day but the last.

use super::numpy::RandomState;
use super::python::Random;
use super::{Scenario, Settings, Transaction};

const LARGE_AMOUNT_CENTS: i64 = 22_000;
const TERMINALS_A_DAY: usize = 2;
const TERMINAL_DAYS: u16 = 28;
const CUSTOMERS_A_DAY: usize = 3;
const CUSTOMER_DAYS: u16 = 14;
/// One in so many payments made with a stolen card is fraudulent.
const STOLEN_SHARE: usize = 3;
const STOLEN_FACTOR: i64 = 5;

/// Marks the frauds among payments that are sorted by time.
pub(super) fn mark(settings: &Settings, transactions: &mut [Transaction]) {
    let last_day = transactions.last().map_or(0, |transaction| transaction.day);
    mark_large_amounts(transactions);
    mark_compromised_terminals(settings.terminals, last_day, transactions);
    mark_stolen_credentials(settings.customers, last_day, transactions);
}

fn mark_large_amounts(transactions: &mut [Transaction]) {
    for transaction in transactions {
        if transaction.amount_cents > LARGE_AMOUNT_CENTS {
            transaction.fraud = Some(Scenario::LargeAmount);
        }
    }
}

fn mark_compromised_terminals(terminals: u32, last_day: u16, transactions: &mut [Transaction]) {
    let mut compromised_on = vec![Vec::new(); index(terminals)];
    for day in 0..last_day {
        for terminal in RandomState::new(u32::from(day)).sample(terminals, TERMINALS_A_DAY) {
            compromised_on[index(terminal)].push(day);
        }
    }
    for transaction in transactions {
        if compromised_on[index(transaction.terminal)]
            .iter()
            .any(|from| lasts(*from, TERMINAL_DAYS, transaction.day))
        {
            transaction.fraud = Some(Scenario::CompromisedTerminal);
        }
    }
}

/// Windows of one card can overlap, and a payment can be raised in each: at most 14 times, which 64
/// bits hold.
fn mark_stolen_credentials(customers: u32, last_day: u16, transactions: &mut [Transaction]) {
    let mut positions = vec![Vec::new(); index(customers)];
    for (position, transaction) in transactions.iter().enumerate() {
        positions[index(transaction.customer)].push(position);
    }
    for day in 0..last_day {
        let seed = u32::from(day);
        let mut exposed: Vec<usize> = Vec::new();
        for customer in RandomState::new(seed).sample(customers, CUSTOMERS_A_DAY) {
            let own = positions[index(customer)].iter().copied();
            exposed.extend(
                own.filter(|position| lasts(day, CUSTOMER_DAYS, transactions[*position].day)),
            );
        }
        exposed.sort_unstable();
        for position in Random::new(seed).sample(&exposed, exposed.len() / STOLEN_SHARE) {
            let transaction = &mut transactions[position];
            transaction.amount_cents *= STOLEN_FACTOR;
            transaction.fraud = Some(Scenario::StolenCredentials);
        }
    }
}

fn lasts(from: u16, days: u16, day: u16) -> bool {
    (from..from + days).contains(&day)
}

fn index(id: u32) -> usize {
    usize::try_from(id).expect("an id is an index in memory")
}
