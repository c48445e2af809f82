//! Ids: UUIDv7 inside, TypeIDs outside.
//!
//! A TypeID is a prefix and 26 characters of Crockford's base 32 (`acct_01h455vb4pex5vsknk084sn02q`), as the TypeID
//! specification 0.3 says. UUIDv7 (RFC 9562 §5.7) sorts by time of creation, here to about a quarter of a microsecond.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use uuid::Uuid;

use crate::Clock;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Characters after the underscore.
const SUFFIX_LENGTH: usize = 26;

/// Makes ids. Clones share one source.
#[derive(Clone)]
pub struct Ids {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<StdRng>>,
}

impl Ids {
    /// A source seeded by the operating system.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            random: Arc::new(Mutex::new(StdRng::from_rng(&mut rand::rng()))),
        }
    }

    /// A source that repeats itself for the same seed and clock.
    #[must_use]
    pub fn seeded(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self {
            clock,
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        }
    }

    /// A new id of any id type.
    #[must_use]
    pub fn next<I: From<Uuid>>(&self) -> I {
        let now = self.clock.now().as_micros();
        let mut random: [u8; 10] = self
            .random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random();
        // The first twelve random bits carry the fraction of the millisecond (RFC 9562 §6.2, method 3).
        let fraction = u16::try_from(now.rem_euclid(1_000) * 4_096 / 1_000).unwrap_or(0);
        let [high, low] = fraction.to_be_bytes();
        random[0] = high;
        random[1] = low;
        let millis = u64::try_from(now.div_euclid(1_000)).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random)
            .into_uuid()
            .into()
    }

    /// A number from the same source, for jitter.
    #[must_use]
    pub fn entropy(&self) -> u64 {
        self.random
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .random()
    }
}

impl std::fmt::Debug for Ids {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ids").finish_non_exhaustive()
    }
}

/// The text is not an id of the wanted type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseIdError {
    /// Another prefix, or none.
    #[error("must begin with `{expected}_`")]
    Prefix {
        /// The prefix of the wanted type, without the underscore.
        expected: &'static str,
    },
    /// The part after the prefix is not 26 characters of Crockford's base 32, or exceeds 128 bits.
    #[error("must have 26 characters of base 32 after `{expected}_`")]
    Suffix {
        /// The prefix of the wanted type, without the underscore.
        expected: &'static str,
    },
}

/// Writes `uuid` as a TypeID.
#[must_use]
pub fn encode(prefix: &str, uuid: Uuid) -> String {
    let mut bits = uuid.as_u128();
    let mut suffix = [b'0'; SUFFIX_LENGTH];
    for place in suffix.iter_mut().rev() {
        let digit = usize::try_from(bits & 31).unwrap_or(0);
        *place = ALPHABET[digit];
        bits >>= 5;
    }
    let mut text = String::with_capacity(prefix.len() + 1 + SUFFIX_LENGTH);
    text.push_str(prefix);
    text.push('_');
    text.extend(suffix.iter().copied().map(char::from));
    text
}

/// Reads a TypeID with the given prefix.
///
/// # Errors
/// When prefix or suffix is not as the type wants it. Upper case is refused, as the specification asks.
pub fn decode(expected: &'static str, text: &str) -> Result<Uuid, ParseIdError> {
    let suffix = text
        .strip_prefix(expected)
        .and_then(|rest| rest.strip_prefix('_'))
        .ok_or(ParseIdError::Prefix { expected })?;
    let wrong = ParseIdError::Suffix { expected };
    if suffix.len() != SUFFIX_LENGTH
        || !suffix.starts_with(['0', '1', '2', '3', '4', '5', '6', '7'])
    {
        return Err(wrong);
    }
    let mut bits: u128 = 0;
    for byte in suffix.bytes() {
        let digit = ALPHABET
            .iter()
            .position(|&c| c == byte)
            .ok_or_else(|| wrong.clone())?;
        bits = (bits << 5) | u128::try_from(digit).unwrap_or(0);
    }
    Ok(Uuid::from_u128(bits))
}

/// Defines an id newtype: a UUID in the database, a TypeID everywhere else.
///
/// ```
/// paymesh_kernel::define_id!(
///     /// An account of the ledger.
///     AccountId, "acct"
/// );
/// # fn main() -> Result<(), paymesh_kernel::id::ParseIdError> {
/// let id: AccountId = "acct_01h455vb4pex5vsknk084sn02q".parse()?;
/// assert_eq!(id.to_string(), "acct_01h455vb4pex5vsknk084sn02q");
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! define_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::reexport::Uuid);

        impl $name {
            /// The prefix of the outside form, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// The inside form.
            #[must_use]
            pub const fn as_uuid(&self) -> $crate::id::reexport::Uuid {
                self.0
            }
        }

        impl From<$crate::id::reexport::Uuid> for $name {
            fn from(uuid: $crate::id::reexport::Uuid) -> Self {
                Self(uuid)
            }
        }

        $crate::impl_id_column!($name);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::id::encode($prefix, self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::id::decode($prefix, text).map(Self)
            }
        }

        impl $crate::id::reexport::serde::Serialize for $name {
            fn serialize<S: $crate::id::reexport::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> $crate::id::reexport::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::id::reexport::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as $crate::id::reexport::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::id::reexport::serde::de::Error::custom)
            }
        }
    };
}

/// How an id is stored: as a UUID column.
#[doc(hidden)]
#[macro_export]
macro_rules! impl_id_column {
    ($name:ident) => {
        const _: () = {
            use $crate::id::reexport::{
                Uuid,
                sea_orm::{self, sea_query},
            };

            impl From<$name> for sea_orm::Value {
                fn from(id: $name) -> Self {
                    id.0.into()
                }
            }

            impl sea_orm::TryGetable for $name {
                fn try_get_by<I: sea_orm::ColIdx>(
                    row: &sea_orm::QueryResult,
                    index: I,
                ) -> Result<Self, sea_orm::TryGetError> {
                    <Uuid as sea_orm::TryGetable>::try_get_by(row, index).map(Self)
                }
            }

            impl sea_query::ValueType for $name {
                fn try_from(value: sea_orm::Value) -> Result<Self, sea_query::ValueTypeErr> {
                    <Uuid as sea_query::ValueType>::try_from(value).map(Self)
                }

                fn type_name() -> String {
                    stringify!($name).to_owned()
                }

                fn array_type() -> sea_query::ArrayType {
                    sea_query::ArrayType::Uuid
                }

                fn column_type() -> sea_query::ColumnType {
                    sea_query::ColumnType::Uuid
                }
            }

            impl sea_query::Nullable for $name {
                fn null() -> sea_orm::Value {
                    <Uuid as sea_query::Nullable>::null()
                }
            }

            impl sea_orm::IntoActiveValue<$name> for $name {
                fn into_active_value(self) -> sea_orm::ActiveValue<$name> {
                    sea_orm::ActiveValue::Set(self)
                }
            }

            impl sea_orm::TryFromU64 for $name {
                fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                    Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
                }
            }
        };
    };
}

/// What [`define_id`](crate::define_id) needs by a path that every crate can reach.
pub mod reexport {
    pub use sea_orm;
    pub use serde;
    pub use uuid::Uuid;
}

define_id!(
    /// A tenant: one customer of the platform, with ledgers and users of its own.
    TenantId,
    "tnt"
);

define_id!(
    /// A user: a person who logs in.
    UserId,
    "user"
);

define_id!(
    /// A merchant.
    MerchantId,
    "mrc"
);

define_id!(
    /// An event, as stored in an outbox and carried in an envelope.
    EventId,
    "evt"
);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{SystemClock, Timestamp};

    #[test]
    fn the_example_of_the_specification_reads_as_its_uuid() {
        let uuid = decode("prefix", "prefix_01h455vb4pex5vsknk084sn02q").unwrap();
        assert_eq!(uuid.to_string(), "01890a5d-ac96-774b-bcce-b302099a8057");
        assert_eq!(encode("prefix", uuid), "prefix_01h455vb4pex5vsknk084sn02q");
    }

    #[test]
    fn what_is_not_a_type_id_is_refused_with_the_reason() {
        let prefix = ParseIdError::Prefix { expected: "evt" };
        let suffix = ParseIdError::Suffix { expected: "evt" };
        for (text, error) in [
            ("", prefix.clone()),
            ("user_01h455vb4pex5vsknk084sn02q", prefix),
            ("evt_01h455vb4pex5vsknk084sn02", suffix.clone()),
            ("evt_01H455VB4PEX5VSKNK084SN02Q", suffix.clone()),
            ("evt_81h455vb4pex5vsknk084sn02q", suffix.clone()),
            ("evt_01h455vb4pex5vsknk084sn0u!", suffix),
        ] {
            assert_eq!(text.parse::<EventId>(), Err(error), "{text}");
        }
    }

    #[derive(Debug)]
    struct Fixed(i64);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0)
        }
    }

    #[test]
    fn ids_of_later_microseconds_sort_later() {
        let first: EventId = Ids::seeded(Arc::new(Fixed(1_000_001)), 1).next();
        let later: EventId = Ids::seeded(Arc::new(Fixed(1_000_002)), 0).next();
        assert!(first < later);
        assert_eq!(first.as_uuid().get_version_num(), 7);
        let ids = Ids::new(Arc::new(SystemClock));
        assert_ne!(ids.next::<EventId>(), ids.next::<EventId>());
    }

    proptest! {
        #[test]
        fn every_uuid_survives_its_text(bits: u128) {
            let uuid = Uuid::from_u128(bits);
            prop_assert_eq!(decode("x", &encode("x", uuid)).unwrap(), uuid);
        }
    }
}
