//! Features: what rules look at.
//!
//! The place of a feature in the table is its number in stored decisions, so the table only grows at its end. Amounts and counts are
//! whole numbers; floats are ratios alone. All windows are `(t - w, t]` by business time and include the payment itself; those of a
//! terminal's risk end seven days earlier, so that a label that is younger is never used. Sums and averages are of payments in the
//! currency of the payment.

mod text;

use std::sync::LazyLock;

use paymesh_kernel::Timestamp;

use super::{
    Payment, Span,
    number::{ratio, real},
};

pub use text::TextFeature;

/// Labels younger than this are not used, in days.
pub const LABEL_DELAY_DAYS: u64 = 7;

/// How many features there are.
pub const COUNT: usize = 56;
const AMOUNT: usize = 0;
const HOUR: usize = 1;
const WEEKEND: usize = 2;
const NIGHT: usize = 3;
const NEW_METHOD: usize = 4;
const COUNTRY_DIFFERS: usize = 5;
const TO_AVERAGE: usize = 6;
/// Entity by entity, span by span: count and sum.
const WINDOWS: usize = 7;
const AVERAGES: usize = 39;
/// Span by span: count and risk.
const TERMINAL: usize = 42;
const CUSTOMER_FAILED: usize = 48;
const METHOD_FAILED: usize = 52;

/// A numeric feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Feature(u8);

/// What a feature measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A number of things.
    Count,
    /// Minor units of the payment's currency.
    Minor,
    /// A share or a multiple.
    Ratio,
    /// Yes or no.
    Flag,
}

/// The value of a feature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of a count, an amount or a flag.
    Whole(i64),
    /// Of a ratio.
    Ratio(f64),
}

/// Whose payments a window counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Entity {
    /// Who pays.
    Customer,
    /// With what.
    Method,
    /// To whom.
    Merchant,
    /// From where.
    Country,
    /// At which terminal; counted for its risk alone.
    Terminal,
}

/// What is known of a feature.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name in rules and explanations.
    pub name: String,
    /// What it measures.
    pub measure: Measure,
}

/// The features of one payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    values: [Value; COUNT],
}

static DEFINITIONS: LazyLock<Vec<Definition>> = LazyLock::new(definitions);

// === impl Entity ===

impl Entity {
    /// Those that have windows of their own, in the order of the table.
    pub const WINDOWED: [Self; 4] = [Self::Customer, Self::Method, Self::Merchant, Self::Country];

    /// The beginning of a feature's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Method => "payment_method",
            Self::Merchant => "merchant",
            Self::Country => "country",
            Self::Terminal => "terminal",
        }
    }
}

// === impl Feature ===

impl Feature {
    /// Every one, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u8..).take(COUNT).map(Self)
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|feature| feature.name() == name)
    }

    /// The one with this number.
    #[must_use]
    pub fn numbered(number: u32) -> Option<Self> {
        let number = u8::try_from(number).ok()?;
        (usize::from(number) < COUNT).then_some(Self(number))
    }

    /// Its number in stored decisions.
    #[must_use]
    pub fn number(self) -> u32 {
        u32::from(self.0)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        &DEFINITIONS[usize::from(self.0)].name
    }

    /// What it measures.
    #[must_use]
    pub fn measure(self) -> Measure {
        DEFINITIONS[usize::from(self.0)].measure
    }

    /// True for how often somebody or something pays, or fails to.
    #[must_use]
    pub fn is_pace(self) -> bool {
        let place = usize::from(self.0);
        (WINDOWS..AVERAGES).contains(&place) || (CUSTOMER_FAILED..COUNT).contains(&place)
    }

    /// True for the share of fraud at a terminal.
    #[must_use]
    pub fn is_terminal_risk(self) -> bool {
        (TERMINAL..CUSTOMER_FAILED).contains(&usize::from(self.0))
    }
}

// === impl Features ===

impl Features {
    /// What the payment tells by itself; windows are still empty.
    #[must_use]
    pub fn of(payment: &Payment) -> Self {
        let mut features = Self {
            values: [Value::Whole(0); COUNT],
        };
        for feature in Feature::all() {
            if feature.measure() == Measure::Ratio {
                features.set(usize::from(feature.0), Value::Ratio(0.0));
            }
        }
        let hour = hour_of_day(payment.business_at);
        let differs = !payment.country.is_empty()
            && !payment.issuer_country.is_empty()
            && payment.country != payment.issuer_country;
        for (place, value) in [
            (AMOUNT, payment.amount.minor()),
            (HOUR, hour),
            (WEEKEND, i64::from(is_weekend(payment.business_at))),
            (NIGHT, i64::from(hour <= 6)),
            (NEW_METHOD, i64::from(payment.newness.is_new())),
            (COUNTRY_DIFFERS, i64::from(differs)),
        ] {
            features.set(place, Value::Whole(value));
        }
        features
    }

    /// A whole number; of a ratio, 0.
    #[must_use]
    pub fn whole(&self, feature: Feature) -> i64 {
        match self.get(feature) {
            Value::Whole(value) => value,
            Value::Ratio(_) => 0,
        }
    }

    /// A number as a float.
    #[must_use]
    pub fn real(&self, feature: Feature) -> f64 {
        match self.get(feature) {
            Value::Whole(value) => real(value),
            Value::Ratio(value) => value,
        }
    }

    /// A value.
    #[must_use]
    pub fn get(&self, feature: Feature) -> Value {
        self.values[usize::from(feature.0)]
    }

    /// Puts back a stored value.
    pub fn restore(&mut self, feature: Feature, value: Value) {
        self.set(usize::from(feature.0), value);
    }

    /// Count and sum of one window.
    pub(crate) fn set_window(&mut self, entity: Entity, span: Span, (count, sum): (i64, i64)) {
        let Some(entity_place) = Entity::WINDOWED.iter().position(|known| *known == entity) else {
            return;
        };
        let place = WINDOWS + entity_place * 8 + place_of(span) * 2;
        self.set(place, Value::Whole(count));
        self.set(place + 1, Value::Whole(sum));
    }

    /// Count and sum of the customer's payments in the currency of this one, which is among them.
    pub(crate) fn set_average(&mut self, span: Span, (count, sum): (i64, i64)) {
        let day = place_of(span).saturating_sub(1);
        self.set(
            AVERAGES + day,
            Value::Whole(sum.checked_div(count).unwrap_or(0)),
        );
        if span == Span::Month {
            let amount = match self.values[AMOUNT] {
                Value::Whole(amount) => amount,
                Value::Ratio(_) => 0,
            };
            let (before, before_sum) = (count - 1, sum.saturating_sub(amount));
            if before > 0 && before_sum > 0 {
                let average = ratio(before_sum, before);
                self.set(TO_AVERAGE, Value::Ratio(real(amount) / average));
            }
        }
    }

    /// Payments at the terminal in a delayed window, and frauds among them.
    pub(crate) fn set_terminal(&mut self, span: Span, (count, frauds): (i64, i64)) {
        let place = TERMINAL + place_of(span).saturating_sub(1) * 2;
        self.set(place, Value::Whole(count));
        self.set(place + 1, Value::Ratio(ratio(frauds, count).min(1.0)));
    }

    /// Failed payments.
    pub(crate) fn set_failed(&mut self, entity: Entity, span: Span, count: i64) {
        let base = match entity {
            Entity::Customer => CUSTOMER_FAILED,
            Entity::Method => METHOD_FAILED,
            Entity::Merchant | Entity::Country | Entity::Terminal => return,
        };
        self.set(base + place_of(span), Value::Whole(count));
    }

    fn set(&mut self, place: usize, value: Value) {
        self.values[place] = value;
    }
}

fn place_of(span: Span) -> usize {
    match span {
        Span::Hour => 0,
        Span::Day => 1,
        Span::Week => 2,
        Span::Month => 3,
    }
}

fn hour_of_day(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(3_600_000_000).rem_euclid(24)
}

/// The first of January 1970 was a Thursday.
fn is_weekend(at: Timestamp) -> bool {
    (at.day() + 3).rem_euclid(7) >= 5
}

fn definitions() -> Vec<Definition> {
    let mut all = Vec::with_capacity(COUNT);
    let mut add = |name: String, measure| all.push(Definition { name, measure });
    add("amount".to_owned(), Measure::Minor);
    add("hour".to_owned(), Measure::Count);
    add("is_weekend".to_owned(), Measure::Flag);
    add("is_night".to_owned(), Measure::Flag);
    add("payment_method_is_new".to_owned(), Measure::Flag);
    add("country_differs".to_owned(), Measure::Flag);
    add("amount_to_average_30d".to_owned(), Measure::Ratio);
    for entity in Entity::WINDOWED {
        for span in Span::ALL {
            let (entity, span) = (entity.as_str(), span.suffix());
            add(format!("{entity}_nb_tx_{span}"), Measure::Count);
            add(format!("{entity}_sum_{span}"), Measure::Minor);
        }
    }
    for span in Span::DAYS {
        add(format!("customer_avg_{}", span.suffix()), Measure::Minor);
    }
    for span in Span::DAYS {
        add(format!("terminal_nb_tx_{}", span.suffix()), Measure::Count);
        add(format!("terminal_risk_{}", span.suffix()), Measure::Ratio);
    }
    for entity in [Entity::Customer, Entity::Method] {
        for span in Span::ALL {
            let name = format!("{}_nb_failed_{}", entity.as_str(), span.suffix());
            add(name, Measure::Count);
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_stored_decisions_name_the_same_features_for_good() {
        assert_eq!(definitions().len(), COUNT);
        for (number, name) in [
            (0, "amount"),
            (6, "amount_to_average_30d"),
            (7, "customer_nb_tx_1h"),
            (14, "customer_sum_30d"),
            (15, "payment_method_nb_tx_1h"),
            (38, "country_sum_30d"),
            (39, "customer_avg_1d"),
            (47, "terminal_risk_30d"),
            (48, "customer_nb_failed_1h"),
            (55, "payment_method_nb_failed_30d"),
        ] {
            assert_eq!(Feature::numbered(number).unwrap().name(), name);
            assert_eq!(Feature::named(name).unwrap().number(), number);
        }
        assert_eq!(Feature::numbered(56), None);
    }

    #[test]
    fn names_are_different_from_each_other_and_from_texts() {
        let mut names: Vec<&str> = Feature::all().map(Feature::name).collect();
        names.extend(TextFeature::ALL.map(TextFeature::as_str));
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn night_ends_at_seven_and_the_weekend_begins_on_saturday() {
        for (text, hour, weekend) in [
            ("2018-04-01T06:59:59Z", 6, true),
            ("2018-04-02T07:00:00Z", 7, false),
            ("2018-04-06T23:00:00Z", 23, false),
            ("2018-04-07T00:00:00Z", 0, true),
        ] {
            let at = Timestamp::parse(text).unwrap();
            assert_eq!((hour_of_day(at), is_weekend(at)), (hour, weekend), "{text}");
        }
    }
}
