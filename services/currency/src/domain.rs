//! Rates, the book that holds them, and quotes. Pure: time and ids are arguments.

mod book;
mod date;
mod fraction;
mod ids;
mod import;
mod price;
mod quote;
mod rate;

pub use book::{Book, Day, DayRates, Found, History, Limits, Mid, NoRate, Source};
pub use date::{DateError, RateDate};
pub use fraction::Fraction;
pub use ids::{
    OperationId, OperationIdError, QuoteId, SourceId, SourceName, SourceNameError, TenantId,
};
pub use import::{Bounds, ImportRefused, Imported, Merge, Publication, merge};
pub use price::{Ask, PriceError, Priced, Side, SpreadSide, price};
pub use quote::{ConsumeRefused, Consumption, Quote, State};
pub use rate::{Method, RateTextError, digits_of, read_rate};

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier one did.
    AlreadyApplied(T),
}

// === impl Outcome ===

impl<T> Outcome<T> {
    /// The result, whoever did it.
    pub fn into_inner(self) -> T {
        match self {
            Self::Applied(inner) | Self::AlreadyApplied(inner) => inner,
        }
    }
}
