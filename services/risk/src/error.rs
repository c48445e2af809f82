//! What can go wrong, and what the caller is told of it.

use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};

use crate::{domain::language::LanguageError, store::StoreError};

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Fields break rules.
    #[error("the request is not valid")]
    Invalid(Vec<FieldViolation>),
    /// The expression of a rule.
    #[error("the expression cannot be read")]
    Expression {
        /// The field that has it.
        field: String,
        /// Where and why.
        #[source]
        source: LanguageError,
    },
    /// No such decision, or not for this caller.
    #[error("there is no such decision")]
    DecisionNotFound,
    /// The id stands for another payment.
    #[error("this decision id was used for another payment; make a new id for a new payment")]
    DecisionReused,
    /// No such rule, or not for this caller.
    #[error("there is no such rule")]
    RuleNotFound,
    /// Another rule has the name.
    #[error("another rule has this name")]
    RuleNameTaken,
    /// The rule has another version.
    #[error("the rule was changed meanwhile; read it and decide again")]
    RuleVersionConflict,
    /// As many rules as there may be.
    #[error("there are {limit} rules already; delete one first")]
    RulesExhausted {
        /// The limit.
        limit: usize,
    },
    /// No such entry, or not for this caller.
    #[error("there is no such entry")]
    EntryNotFound,
    /// As many entries as there may be.
    #[error("the lists have {limit} entries already; delete one first")]
    EntriesExhausted {
        /// The limit.
        limit: usize,
    },
    /// The piece of an import came with other items before.
    #[error("this piece of the import was taken with other items; use a new import id")]
    ChunkReused,
    /// An item was taken by another import.
    #[error("an item with one of these references was imported before")]
    ReferenceExists,
    /// The configuration does not let history in.
    #[error("this installation takes no history")]
    ImportClosed,
    /// Another one runs.
    #[error("another backtest is running; try again when it has ended")]
    BacktestBusy,
    /// More tenants than memory is meant for.
    #[error("this process serves as many tenants as it may")]
    TenantsExhausted,
    /// The process ends.
    #[error("the process is stopping")]
    Stopping,
    /// The write.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Error ===

impl Error {
    /// One field breaks a rule.
    #[must_use]
    pub(crate) fn field(
        field: impl Into<std::borrow::Cow<'static, str>>,
        rule: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) | Self::Expression { .. } => ErrorKind::InvalidArgument,
            Self::DecisionNotFound | Self::RuleNotFound | Self::EntryNotFound => {
                ErrorKind::NotFound
            }
            Self::RuleNameTaken | Self::ReferenceExists => ErrorKind::AlreadyExists,
            Self::DecisionReused | Self::ChunkReused | Self::ImportClosed => {
                ErrorKind::FailedPrecondition
            }
            Self::RuleVersionConflict => ErrorKind::Aborted,
            Self::RulesExhausted { .. }
            | Self::EntriesExhausted { .. }
            | Self::BacktestBusy
            | Self::TenantsExhausted => ErrorKind::ResourceExhausted,
            Self::Stopping => ErrorKind::Unavailable,
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELDS",
            Self::Expression { .. } => "EXPRESSION_INVALID",
            Self::DecisionNotFound => "DECISION_NOT_FOUND",
            Self::DecisionReused => "DECISION_REUSED",
            Self::RuleNotFound => "RULE_NOT_FOUND",
            Self::RuleNameTaken => "RULE_NAME_TAKEN",
            Self::RuleVersionConflict => "RULE_VERSION_CONFLICT",
            Self::RulesExhausted { .. } => "RULES_EXHAUSTED",
            Self::EntryNotFound => "LIST_ENTRY_NOT_FOUND",
            Self::EntriesExhausted { .. } => "LIST_ENTRIES_EXHAUSTED",
            Self::ChunkReused => "IMPORT_CHUNK_REUSED",
            Self::ReferenceExists => "IMPORT_REFERENCE_EXISTS",
            Self::ImportClosed => "IMPORT_CLOSED",
            Self::BacktestBusy => "BACKTEST_BUSY",
            Self::TenantsExhausted => "TENANTS_EXHAUSTED",
            Self::Stopping => "STOPPING",
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Commit(error) => error.outcome(),
            Self::Invalid(_)
            | Self::Expression { .. }
            | Self::DecisionNotFound
            | Self::DecisionReused
            | Self::RuleNotFound
            | Self::RuleNameTaken
            | Self::RuleVersionConflict
            | Self::RulesExhausted { .. }
            | Self::EntryNotFound
            | Self::EntriesExhausted { .. }
            | Self::ChunkReused
            | Self::ReferenceExists
            | Self::ImportClosed
            | Self::BacktestBusy
            | Self::TenantsExhausted
            | Self::Stopping
            | Self::Store(_) => Outcome::NotProcessed,
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        if let Self::Invalid(violations) = self {
            return violations.clone();
        }
        if let Self::Expression { field, source } = self {
            return vec![FieldViolation::new(field.clone(), source.to_string())];
        }
        Vec::new()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Commit(error) => error.retry_after_ms(),
            Self::Store(error) => error.retry_after_ms(),
            Self::BacktestBusy | Self::Stopping => Some(1_000),
            Self::Invalid(_)
            | Self::Expression { .. }
            | Self::DecisionNotFound
            | Self::DecisionReused
            | Self::RuleNotFound
            | Self::RuleNameTaken
            | Self::RuleVersionConflict
            | Self::RulesExhausted { .. }
            | Self::EntryNotFound
            | Self::EntriesExhausted { .. }
            | Self::ChunkReused
            | Self::ReferenceExists
            | Self::ImportClosed
            | Self::TenantsExhausted => None,
        }
    }
}
