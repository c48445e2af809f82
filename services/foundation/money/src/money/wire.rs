//! Reading the one JSON form of money, `{"minor":1234,"currency":"USD"}`, and nothing that merely looks like it (M10).
//!
//! Written by hand because derived code also takes a list, and its messages do not say what to send instead.
//! Text sent as `minor` is not repeated in messages, because it may be anything. Reading needs a format that describes
//! itself, as JSON and TOML do; serde_json's `arbitrary_precision` hides numbers from this and must stay off.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::Money;
use crate::currency::Currency;

const FIELDS: &[&str] = &["minor", "currency"];

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Field {
    Minor,
    Currency,
}

struct MoneyVisitor;

/// The value of `minor`.
struct Minor(i64);

struct MinorVisitor;

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    deserializer.deserialize_struct("Money", FIELDS, MoneyVisitor)
}

// === impl MoneyVisitor ===

impl<'de> Visitor<'de> for MoneyVisitor {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"an object such as {"minor":1234,"currency":"USD"}"#)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Money, A::Error> {
        let mut minor: Option<Minor> = None;
        let mut currency: Option<Currency> = None;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Minor if minor.is_some() => return Err(de::Error::duplicate_field("minor")),
                Field::Minor => minor = Some(map.next_value()?),
                Field::Currency if currency.is_some() => {
                    return Err(de::Error::duplicate_field("currency"));
                }
                Field::Currency => currency = Some(map.next_value()?),
            }
        }
        let Minor(minor) = minor.ok_or_else(|| de::Error::missing_field("minor"))?;
        let currency = currency.ok_or_else(|| de::Error::missing_field("currency"))?;
        Ok(Money::new(minor, currency))
    }
}

// === impl Minor ===

impl<'de> Deserialize<'de> for Minor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asking for an integer would let the format refuse text by itself, repeating it.
        deserializer.deserialize_any(MinorVisitor)
    }
}

// === impl MinorVisitor ===

impl Visitor<'_> for MinorVisitor {
    type Value = Minor;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of minor units")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Minor, E> {
        Ok(Minor(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Minor, E> {
        i64::try_from(value)
            .map(Minor)
            .map_err(|_| E::custom("minor is outside the range of 64-bit minor units"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Minor, E> {
        Err(E::custom(
            "minor must be a whole number of minor units in 64 bits, without decimals or exponent",
        ))
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Minor, E> {
        Err(E::custom("minor must be a number of minor units, not text"))
    }
}
