//! Ids of this component, and the names it is given.

use std::{fmt, str::FromStr, sync::Arc};

use paymesh_kernel::{define_id, id::decode};

pub use paymesh_kernel::id::TenantId;

/// Prefixes of operations that may consume a quote.
const OPERATIONS: [&str; 4] = ["txn", "cap", "re", "dp"];
/// Longest name of a source.
const NAME_LIMIT: usize = 32;

define_id!(
    /// A quote.
    QuoteId,
    "qt"
);

define_id!(
    /// A source of rates, as facts number them.
    SourceId,
    "src"
);

/// A transaction, capture, refund or chargeback (by its dispute) that consumes a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationId(String);

/// The text is the id of no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the id of a transaction (txn_), a capture (cap_), a refund (re_) or a dispute (dp_)"
)]
pub struct OperationIdError;

/// The name of a source, such as `ecb`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<str>);

/// The text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to 32 lower-case letters, digits, hyphens or underscores, beginning with a letter"
)]
pub struct SourceNameError;

// === impl OperationId ===

impl OperationId {
    /// The id as it is stored and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OperationId {
    type Err = OperationIdError;

    fn from_str(text: &str) -> Result<Self, OperationIdError> {
        OPERATIONS
            .into_iter()
            .find(|prefix| decode(prefix, text).is_ok())
            .map(|_| Self(text.to_owned()))
            .ok_or(OperationIdError)
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl SourceName ===

impl SourceName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceName {
    type Err = SourceNameError;

    fn from_str(text: &str) -> Result<Self, SourceNameError> {
        let is_allowed = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let begins = text.starts_with(|first: char| first.is_ascii_lowercase());
        if begins && text.len() <= NAME_LIMIT && text.bytes().all(is_allowed) {
            Ok(Self(text.into()))
        } else {
            Err(SourceNameError)
        }
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operations_that_move_money_consume_quotes() {
        let suffix = "01h455vb4pex5vsknk084sn02q";
        for prefix in ["txn", "cap", "re", "dp"] {
            assert!(
                format!("{prefix}_{suffix}").parse::<OperationId>().is_ok(),
                "{prefix}"
            );
        }
        for text in [
            "",
            "txn_",
            "txn_1",
            &format!("acct_{suffix}"),
            &format!("TXN_{suffix}"),
        ] {
            assert_eq!(text.parse::<OperationId>(), Err(OperationIdError), "{text}");
        }
    }

    #[test]
    fn names_are_words() {
        for text in ["ecb", "currencyapi", "bank-2", "a_b"] {
            assert!(text.parse::<SourceName>().is_ok(), "{text}");
        }
        for text in ["", "ECB", "2ecb", "a b", "ä", &"a".repeat(33)] {
            assert_eq!(text.parse::<SourceName>(), Err(SourceNameError), "{text}");
        }
    }
}
