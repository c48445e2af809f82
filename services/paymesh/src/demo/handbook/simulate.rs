//! Customers, terminals and genuine payments. The order of the draws is part of the dataset.

use super::numpy::RandomState;
use super::python::Random;
use super::{Customer, DAY_SECONDS, Dataset, Settings, Terminal, Transaction, fraud};

const CUSTOMERS_SEED: u32 = 0;
const TERMINALS_SEED: u32 = 1;

const SIDE: f64 = 100.0;
const MIN_MEAN_AMOUNT: f64 = 5.0;
const MAX_MEAN_AMOUNT: f64 = 100.0;
const MAX_TRANSACTIONS_PER_DAY: f64 = 4.0;
const NOON_SECONDS: f64 = 43_200.0;
const STD_SECONDS: f64 = 20_000.0;

/// The terminals in order of x, so that a customer looks at a strip instead of at all of them.
struct Strips<'a> {
    by_x: Vec<&'a Terminal>,
    radius: f64,
}

/// Simulates the payments and their frauds.
///
/// # Panics
/// When the settings are out of the bounds that [`Settings::validate`] checks.
#[must_use]
pub fn simulate(settings: &Settings) -> Dataset {
    assert_eq!(
        settings.validate(),
        Ok(()),
        "the caller validates the settings"
    );
    let customers = customers(settings.customers);
    let terminals = terminals(settings.terminals);
    let mut transactions = Vec::new();
    let strips = Strips::new(&terminals, settings.radius);
    for customer in &customers {
        let near = strips.near(customer);
        pay(customer, &near, settings.days, &mut transactions);
    }
    // The sort is stable and the payments come by customer: that orders those of one second.
    transactions.sort_by_key(|transaction: &Transaction| transaction.at_seconds);
    fraud::mark(settings, &mut transactions);
    Dataset {
        customers,
        terminals,
        transactions,
        start_unix_seconds: settings.start_unix_seconds,
    }
}

// === impl Strips ===

impl<'a> Strips<'a> {
    fn new(terminals: &'a [Terminal], radius: f64) -> Self {
        let mut by_x: Vec<&Terminal> = terminals.iter().collect();
        by_x.sort_by(|left, right| left.x.total_cmp(&right.x));
        Self { by_x, radius }
    }

    /// The ids of the terminals within the radius, ascending.
    fn near(&self, customer: &Customer) -> Vec<u32> {
        let from = self
            .by_x
            .partition_point(|terminal| customer.x - terminal.x >= self.radius);
        let mut near: Vec<u32> = self.by_x[from..]
            .iter()
            .take_while(|terminal| terminal.x - customer.x < self.radius)
            .filter(|terminal| distance(customer, terminal) < self.radius)
            .map(|terminal| terminal.id)
            .collect();
        near.sort_unstable();
        near
    }
}

fn customers(count: u32) -> Vec<Customer> {
    let mut random = RandomState::new(CUSTOMERS_SEED);
    (0..count)
        .map(|id| {
            let x = random.uniform(0.0, SIDE);
            let y = random.uniform(0.0, SIDE);
            let mean_amount = random.uniform(MIN_MEAN_AMOUNT, MAX_MEAN_AMOUNT);
            let mean_transactions_per_day = random.uniform(0.0, MAX_TRANSACTIONS_PER_DAY);
            Customer {
                id,
                x,
                y,
                mean_amount,
                std_amount: mean_amount / 2.0,
                mean_transactions_per_day,
            }
        })
        .collect()
}

fn terminals(count: u32) -> Vec<Terminal> {
    let mut random = RandomState::new(TERMINALS_SEED);
    (0..count)
        .map(|id| {
            let x = random.uniform(0.0, SIDE);
            let y = random.uniform(0.0, SIDE);
            Terminal { id, x, y }
        })
        .collect()
}

/// Not `hypot`, which rounds differently.
fn distance(customer: &Customer, terminal: &Terminal) -> f64 {
    let x = customer.x - terminal.x;
    let y = customer.y - terminal.y;
    (x * x + y * y).sqrt()
}

/// Appends all payments of one customer, day by day. A customer without a terminal near by makes
/// none.
fn pay(customer: &Customer, near: &[u32], days: u16, transactions: &mut Vec<Transaction>) {
    let mut numbers = RandomState::new(customer.id);
    let mut choices = Random::new(customer.id);
    for day in 0..days {
        for _ in 0..numbers.poisson(customer.mean_transactions_per_day) {
            let Some(second_of_day) = second_of_day(numbers.normal(NOON_SECONDS, STD_SECONDS))
            else {
                continue;
            };
            let amount_cents = amount_cents(customer, &mut numbers);
            let Some(terminal) = choices.choice(near) else {
                continue;
            };
            let at_seconds = u32::from(day) * DAY_SECONDS + second_of_day;
            transactions.push(Transaction {
                amount_cents,
                at_seconds,
                customer: customer.id,
                terminal,
                day,
                fraud: None,
            });
        }
    }
}

/// The whole second, when it lies inside the day; its first second is outside.
fn second_of_day(drawn: f64) -> Option<u32> {
    u32::try_from(truncate(drawn))
        .ok()
        .filter(|second| (1..DAY_SECONDS).contains(second))
}

fn amount_cents(customer: &Customer, numbers: &mut RandomState) -> i64 {
    let mut amount = numbers.normal(customer.mean_amount, customer.std_amount);
    if amount < 0.0 {
        amount = numbers.uniform(0.0, customer.mean_amount * 2.0);
    }
    to_cents(amount)
}

/// Rounds as NumPy does: scales and rounds half to even, without a look at the decimal digits.
fn to_cents(amount: f64) -> i64 {
    truncate((amount * 100.0).round_ties_even())
}

/// The whole part of a number; the numbers here are far within range.
#[allow(
    clippy::as_conversions,
    reason = "std converts a float to an integer by `as` alone; it saturates and cannot fail"
)]
fn truncate(value: f64) -> i64 {
    value as i64
}

#[cfg(test)]
mod tests {
    use super::{second_of_day, to_cents};

    // The expected cents were printed by NumPy 2.4.

    #[test]
    fn amounts_are_rounded_as_in_numpy() {
        for (amount, cents) in [
            (0.0, 0),
            (0.004, 0),
            (0.005, 0),
            (0.015, 2),
            (0.125, 12),
            (0.375, 38),
            (1.005, 100),
            (2.675, 268),
            (0.285, 28),
            (0.145, 14),
            (64.125, 6412),
            (219.995, 22000),
            (1.115, 112),
            (8.035, 804),
        ] {
            assert_eq!(to_cents(amount), cents, "{amount}");
        }
    }

    #[test]
    fn a_second_lies_inside_the_day_after_its_fraction_is_cut() {
        for (drawn, second) in [
            (-1.0, None),
            (0.9, None),
            (1.0, Some(1)),
            (43_200.7, Some(43_200)),
            (86_399.9, Some(86_399)),
            (86_400.0, None),
            (1e300, None),
        ] {
            assert_eq!(second_of_day(drawn), second, "{drawn}");
        }
    }
}
