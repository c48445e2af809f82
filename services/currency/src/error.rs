//! What can go wrong, and what the caller is told of it.

use std::borrow::Cow;

use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};

use crate::{
    domain::{ConsumeRefused, ImportRefused, NoRate, PriceError},
    formats::FormatError,
    store::StoreError,
};

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields break rules.
    #[error("the request is not valid")]
    Invalid(Vec<FieldViolation>),
    /// No rate for the pair and date.
    #[error(transparent)]
    NoRate(#[from] NoRate),
    /// The exchange has no price.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// No such quote, or not for this caller.
    #[error("there is no such quote")]
    QuoteNotFound,
    /// The id of a quote came with another request before.
    #[error("a quote with this id was locked for another request; use a new id")]
    QuoteIdReused,
    /// The quote cannot be consumed.
    #[error(transparent)]
    Consume(#[from] ConsumeRefused),
    /// Only components bind quotes to operations.
    #[error("only a component may consume a quote")]
    ConsumeForbidden,
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Format(#[from] FormatError),
    /// The file can be read and is not taken in.
    #[error("the rates are not taken in: {0}")]
    Import(#[from] ImportRefused),
    /// The number of sources is bounded.
    #[error("there are {limit} sources; no more can be made")]
    TooManySources {
        /// The limit.
        limit: usize,
    },
    /// The write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task of ours died.
    #[error("the file was not read to its end")]
    Interrupted,
}

// === impl Error ===

impl Error {
    /// One field breaks a rule.
    #[must_use]
    pub fn field(field: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::Format(_) | Self::Price(PriceError::TooLarge(_)) => {
                ErrorKind::InvalidArgument
            }
            Self::NoRate(NoRate::UnknownSource { .. } | NoRate::NotQuoted { .. })
            | Self::QuoteNotFound => ErrorKind::NotFound,
            Self::NoRate(NoRate::Stale { .. } | NoRate::OutOfRange { .. })
            | Self::Price(PriceError::TooSmall(_) | PriceError::NoRate)
            | Self::QuoteIdReused
            | Self::Consume(_)
            | Self::Import(_) => ErrorKind::FailedPrecondition,
            Self::ConsumeForbidden => ErrorKind::PermissionDenied,
            Self::TooManySources { .. } => ErrorKind::ResourceExhausted,
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Interrupted => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "REQUEST_INVALID",
            Self::NoRate(NoRate::UnknownSource { .. }) => "SOURCE_NOT_FOUND",
            Self::NoRate(NoRate::NotQuoted { .. }) => "RATE_NOT_FOUND",
            Self::NoRate(NoRate::Stale { .. }) => "RATE_STALE",
            Self::NoRate(NoRate::OutOfRange { .. }) | Self::Price(PriceError::NoRate) => {
                "RATE_OUT_OF_RANGE"
            }
            Self::Price(PriceError::TooSmall(_)) => "AMOUNT_TOO_SMALL",
            Self::Price(PriceError::TooLarge(_)) => "AMOUNT_TOO_LARGE",
            Self::QuoteNotFound => "QUOTE_NOT_FOUND",
            Self::QuoteIdReused => "IDEMPOTENCY_KEY_REUSED",
            Self::Consume(ConsumeRefused::Expired { .. }) => "QUOTE_EXPIRED",
            Self::Consume(ConsumeRefused::Taken) => "QUOTE_CONSUMED",
            Self::ConsumeForbidden => "QUOTE_CONSUME_FORBIDDEN",
            Self::Format(_) => "RATES_UNREADABLE",
            Self::Import(ImportRefused::Empty) => "RATES_EMPTY",
            Self::Import(ImportRefused::OtherBase { .. }) => "RATES_OTHER_BASE",
            Self::Import(ImportRefused::Future { .. }) => "RATES_IN_FUTURE",
            Self::Import(ImportRefused::Implausible { .. }) => "RATES_IMPLAUSIBLE",
            Self::Import(ImportRefused::TooMany { .. }) => "RATES_TOO_MANY",
            Self::TooManySources { .. } => "SOURCES_TOO_MANY",
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
            Self::Interrupted => "IMPORT_INTERRUPTED",
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Commit(error) => error.outcome(),
            Self::Store(error) => error.outcome(),
            Self::Invalid(_)
            | Self::NoRate(_)
            | Self::Price(_)
            | Self::QuoteNotFound
            | Self::QuoteIdReused
            | Self::Consume(_)
            | Self::ConsumeForbidden
            | Self::Format(_)
            | Self::Import(_)
            | Self::TooManySources { .. }
            | Self::Interrupted => Outcome::NotProcessed,
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::Format(error) => vec![FieldViolation::new("content", error.to_string())],
            Self::Price(PriceError::TooLarge(_)) => {
                vec![FieldViolation::new("amount.minor", self.to_string())]
            }
            Self::QuoteIdReused => vec![FieldViolation::new("quote_id", self.to_string())],
            Self::NoRate(_)
            | Self::Price(PriceError::TooSmall(_) | PriceError::NoRate)
            | Self::QuoteNotFound
            | Self::Consume(_)
            | Self::ConsumeForbidden
            | Self::Import(_)
            | Self::TooManySources { .. }
            | Self::Commit(_)
            | Self::Store(_)
            | Self::Interrupted => Vec::new(),
        }
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Commit(error) => error.retry_after_ms(),
            Self::Store(error) => error.retry_after_ms(),
            Self::Invalid(_)
            | Self::NoRate(_)
            | Self::Price(_)
            | Self::QuoteNotFound
            | Self::QuoteIdReused
            | Self::Consume(_)
            | Self::ConsumeForbidden
            | Self::Format(_)
            | Self::Import(_)
            | Self::TooManySources { .. }
            | Self::Interrupted => None,
        }
    }

    fn metadata(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoRate(NoRate::Stale {
                date,
                source_name,
                age_days,
                limit_days,
                ..
            }) => vec![
                ("source", source_name.to_string()),
                ("newest_date", date.to_string()),
                ("age_days", age_days.to_string()),
                ("limit_days", limit_days.to_string()),
            ],
            Self::Consume(ConsumeRefused::Expired { at }) => vec![("expired_at", at.to_string())],
            Self::Invalid(_)
            | Self::NoRate(_)
            | Self::Price(_)
            | Self::QuoteNotFound
            | Self::QuoteIdReused
            | Self::Consume(ConsumeRefused::Taken)
            | Self::ConsumeForbidden
            | Self::Format(_)
            | Self::Import(_)
            | Self::TooManySources { .. }
            | Self::Commit(_)
            | Self::Store(_)
            | Self::Interrupted => Vec::new(),
        }
    }
}
