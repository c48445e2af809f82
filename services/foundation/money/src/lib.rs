//! Money: currencies, amounts, exact arithmetic, rates, fees and allocation.
//!
//! Every component stands on this crate. It is pure: no async, no I/O, no clock, no global state. There is no floating
//! point in it, and no operation that wraps or panics on overflow: what cannot be represented is a typed error.
//! The rules M1–M12 are in the crate's README; their numbers stand in assertions and in the names of tests.
//!
//! ```
//! use paymesh_money::{Amount, BasisPoints, Currency, Money, Rounding, convert, fee};
//!
//! let paid = Amount::try_new(10_000, Currency::USD)?;
//! let mid = "0.92".parse::<paymesh_money::Rate>()?;
//! let rate = mid.less_spread(BasisPoints::try_new(50)?, Rounding::HalfEven)?;
//! let bought = convert(paid.money(), rate, Currency::EUR, Rounding::HalfEven)?;
//! assert_eq!(bought.to_string(), "EUR 91.54");
//!
//! let charged = fee(Amount::try_from(bought)?, BasisPoints::try_new(290)?, Money::new(30, Currency::EUR))?;
//! assert_eq!(charged.to_string(), "EUR 2.95");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::integer_division,
    clippy::indexing_slicing
)]

mod allocate;
mod amount;
mod convert;
mod currency;
mod decimal;
mod fee;
mod money;
mod rate;
mod rounding;

pub use allocate::{AllocationError, MAX_PARTS, allocate};
pub use amount::{Amount, AmountError};
pub use convert::convert;
pub use currency::{Currency, CurrencyError};
pub use fee::{BasisPoints, BasisPointsError, FeeError, fee};
pub use money::{Money, MoneyError, ParseMoneyError};
pub use rate::{Rate, RateError};
pub use rounding::Rounding;
