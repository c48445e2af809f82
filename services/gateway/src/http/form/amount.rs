//! Amounts, rates and owners: the values that every resource shows.

use paymesh_money::Currency;
use paymesh_proto::types::v1 as pb;
use serde_json::Value;

use super::{Form, Read, Reader, Shape, Word, reads, shape};

shape! {
    /// An amount in minor units: 19.99 USD is `{"minor": 1999, "currency": "USD"}`.
    Amount {
        /// Minor units of the currency: cents of USD, whole yen of JPY.
        minor: i64,
        /// ISO 4217 alphabetic code, upper case.
        currency: String,
    }
}

impl Read for Amount {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        let object = reader.object(value, &["minor", "currency"])?;
        let minor = reader.field::<i64>(object, "minor");
        let currency = reader.field::<CurrencyCode>(object, "currency");
        Some(Self {
            minor: minor?,
            currency: currency?.0,
        })
    }
}

/// The code of a currency of ISO 4217.
struct CurrencyCode(String);

impl Read for CurrencyCode {
    fn read(reader: &mut Reader, value: Option<&Value>) -> Option<Self> {
        let text = String::read(reader, value)?;
        if text.parse::<Currency>().is_ok() {
            Some(Self(text))
        } else {
            reader.refuse("must be a currency of ISO 4217 in upper case, such as USD")
        }
    }
}

impl Form<pb::Money> for Amount {
    fn form(from: pb::Money) -> Self {
        Self {
            minor: from.minor,
            currency: from.currency,
        }
    }
}

impl From<Amount> for pb::Money {
    fn from(amount: Amount) -> Self {
        Self {
            minor: amount.minor,
            currency: amount.currency,
        }
    }
}

/// An exact decimal number as text: `"0.9154"`.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Rate(String);

impl Form<pb::Decimal> for Rate {
    fn form(from: pb::Decimal) -> Self {
        Self(decimal_text(from.units, from.scale))
    }
}

impl Shape for Rate {
    fn schema(_: &mut super::Schemas) -> super::schema::Described {
        super::schema::Described(
            serde_json::json!({ "type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$" }),
        )
    }
}

/// `units / 10^scale` in digits.
pub(crate) fn decimal_text(units: i64, scale: u32) -> String {
    let scale = usize::try_from(scale.min(18)).unwrap_or(18);
    let sign = if units < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    }
}

shape! {
    /// Who owns an account.
    Owner {
        /// What the owner is.
        kind: Word<pb::OwnerKind>,
        /// `tnt_…`, `user_…`, `mrc_…`, or a connector's name.
        id: String,
    }
}

reads! { Owner { kind: Word<pb::OwnerKind>, id: String } }

impl Form<pb::Owner> for Owner {
    fn form(from: pb::Owner) -> Self {
        Self {
            kind: Word::form(from.kind),
            id: from.id,
        }
    }
}

impl From<Owner> for pb::Owner {
    fn from(owner: Owner) -> Self {
        Self {
            kind: owner.kind.number(),
            id: owner.id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_reads_as_people_write_it() {
        for (units, scale, text) in [
            (9_154, 4, "0.9154"),
            (-5, 2, "-0.05"),
            (1_234, 0, "1234"),
            (0, 3, "0.000"),
            (i64::MIN, 18, "-9.223372036854775808"),
        ] {
            assert_eq!(decimal_text(units, scale), text);
        }
    }
}
