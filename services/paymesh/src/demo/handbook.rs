//! Half a year of card payments with known frauds: the transaction simulator of the Fraud Detection
//! Handbook (Le Borgne, Siblini, Lebichot, Bontempi, 2022, chapter 3), written anew from its
//! description.
//!
//! Customers and terminals are points on a square of 100 × 100. A customer pays at the terminals
//! near by, around noon, amounts scattered around a mean of their own; three fraud scenarios then
//! mark, and partly raise, some of those payments. With the default [`Settings`] the result equals
//! the dataset the authors published, payment by payment and cent by cent, so figures measured on
//! it can be put beside theirs.
//!
//! Invariants:
//! - the same settings give the same dataset: every random stream is seeded by the id or the day it
//!   serves;
//! - transactions are sorted by time, those of one second by customer;
//! - a payment lies strictly inside its day: neither at its first second nor at the first of the
//!   next;
//! - an amount is never negative. It can be zero, where the draw was below half a cent (42 payments
//!   of the default dataset).
//!
//! Limits: [`Settings::validate`] names the largest sizes. One payment takes 24 bytes, so the
//! default dataset takes 42 MB, and the largest about 350 MB (570 MB while it is made). Logarithm
//! and exponential are the platform's; one that errs differently in the last bit could move an
//! amount by a cent.

mod fraud;
mod numpy;
mod python;
mod rng;
mod simulate;
#[cfg(test)]
mod tests;

use std::error;
use std::fmt;

pub use simulate::simulate;

/// The length of a day.
pub const DAY_SECONDS: u32 = 86_400;
/// The most customers a dataset can have.
pub const MAX_CUSTOMERS: u32 = 20_000;
/// The most terminals a dataset can have.
pub const MAX_TERMINALS: u32 = 40_000;
/// The most days a dataset can span.
pub const MAX_DAYS: u16 = 366;

/// What to simulate. The default is the handbook's published dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How many customers pay.
    pub customers: u32,
    /// How many terminals they pay at.
    pub terminals: u32,
    /// A customer uses the terminals nearer than this; the square's side is 100.
    pub radius: f64,
    /// How many days to simulate.
    pub days: u16,
    /// The midnight (UTC) the first day starts at, in Unix seconds. It shifts the dataset in time
    /// and changes nothing else.
    pub start_unix_seconds: i64,
}

/// A size the simulator refuses.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingsError {
    /// More than [`MAX_CUSTOMERS`].
    Customers(u32),
    /// More than [`MAX_TERMINALS`].
    Terminals(u32),
    /// Negative, infinite or not a number.
    Radius(f64),
    /// More than [`MAX_DAYS`].
    Days(u16),
}

/// A card holder and their habits.
#[derive(Debug, Clone, PartialEq)]
pub struct Customer {
    /// The position in [`Dataset::customers`].
    pub id: u32,
    /// Where the customer lives, 0 to 100.
    pub x: f64,
    /// Where the customer lives, 0 to 100.
    pub y: f64,
    /// The mean of the amounts in major units, 5 to 100.
    pub mean_amount: f64,
    /// The standard deviation of the amounts in major units: half the mean.
    pub std_amount: f64,
    /// Payments the customer sets out to make on a day, 0 to 4. About three in a hundred fall
    /// outside the day and are not made.
    pub mean_transactions_per_day: f64,
}

/// A terminal of a merchant.
#[derive(Debug, Clone, PartialEq)]
pub struct Terminal {
    /// The position in [`Dataset::terminals`].
    pub id: u32,
    /// Where the terminal stands, 0 to 100.
    pub x: f64,
    /// Where the terminal stands, 0 to 100.
    pub y: f64,
}

/// How a payment came to be fraudulent. A payment hit by several scenarios keeps the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// The amount is above 220: a pattern simple enough that any detector has to find it.
    LargeAmount,
    /// The terminal is compromised: all of its payments for 28 days.
    CompromisedTerminal,
    /// The card's credentials are stolen: a third of its payments for 14 days, five times as large.
    StolenCredentials,
}

/// One payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transaction {
    /// The amount in cents.
    pub amount_cents: i64,
    /// Seconds from the start of the dataset.
    pub at_seconds: u32,
    /// The id of the [`Customer`] who pays.
    pub customer: u32,
    /// The id of the [`Terminal`] that takes the payment.
    pub terminal: u32,
    /// The day, counted from zero at the start of the dataset.
    pub day: u16,
    /// What makes the payment fraudulent; `None` when it is genuine.
    pub fraud: Option<Scenario>,
}

/// The simulated customers, terminals and payments.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// All customers; the id is the index.
    pub customers: Vec<Customer>,
    /// All terminals; the id is the index.
    pub terminals: Vec<Terminal>,
    /// All payments, sorted by time and, within a second, by customer.
    pub transactions: Vec<Transaction>,
    /// The midnight (UTC) the first day starts at, in Unix seconds.
    pub start_unix_seconds: i64,
}

// === impl Settings ===

impl Settings {
    /// Checks that the dataset fits into memory and its numbers into their types.
    ///
    /// # Errors
    /// The first field that is out of bounds.
    pub fn validate(&self) -> Result<(), SettingsError> {
        if self.customers > MAX_CUSTOMERS {
            return Err(SettingsError::Customers(self.customers));
        }
        if self.terminals > MAX_TERMINALS {
            return Err(SettingsError::Terminals(self.terminals));
        }
        if !self.radius.is_finite() || self.radius < 0.0 {
            return Err(SettingsError::Radius(self.radius));
        }
        if self.days > MAX_DAYS {
            return Err(SettingsError::Days(self.days));
        }
        Ok(())
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            customers: 5_000,
            terminals: 10_000,
            radius: 5.0,
            days: 183,
            // Sunday, 1 April 2018.
            start_unix_seconds: 1_522_540_800,
        }
    }
}

// === impl SettingsError ===

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customers(given) => {
                write!(formatter, "{given} customers are more than {MAX_CUSTOMERS}")
            }
            Self::Terminals(given) => {
                write!(formatter, "{given} terminals are more than {MAX_TERMINALS}")
            }
            Self::Radius(given) => write!(formatter, "a radius of {given} is not a distance"),
            Self::Days(given) => write!(formatter, "{given} days are more than {MAX_DAYS}"),
        }
    }
}

impl error::Error for SettingsError {}

// === impl Scenario ===

impl Scenario {
    /// The handbook's number of the scenario: 1, 2 or 3. Its files use 0 for a genuine payment.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::LargeAmount => 1,
            Self::CompromisedTerminal => 2,
            Self::StolenCredentials => 3,
        }
    }
}

// === impl Dataset ===

impl Dataset {
    /// The payments of one day, counted from zero, in order of time; none for a day outside the
    /// dataset.
    #[must_use]
    pub fn day(&self, day: u16) -> &[Transaction] {
        let from = self
            .transactions
            .partition_point(|transaction| transaction.day < day);
        let rest = self.transactions.get(from..).unwrap_or_default();
        let length = rest.partition_point(|transaction| transaction.day == day);
        rest.get(..length).unwrap_or_default()
    }

    /// When a payment of this dataset was made, in Unix seconds.
    #[must_use]
    pub fn unix_seconds(&self, transaction: &Transaction) -> i64 {
        self.start_unix_seconds
            .saturating_add(i64::from(transaction.at_seconds))
    }
}
