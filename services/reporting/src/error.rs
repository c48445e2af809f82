//! What can go wrong, and what the caller is told of it.

use std::borrow::Cow;

use paymesh_kernel::{CommitError, ErrorKind, Fault, FieldViolation, Outcome};

use crate::store::StoreError;

/// An error of the component.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Fields break rules.
    #[error("the request is not valid")]
    Invalid(Vec<FieldViolation>),
    /// No such definition, or of another tenant.
    #[error("there is no such report definition")]
    DefinitionNotFound,
    /// The id or the name is taken.
    #[error("a report definition with this id exists; choose a new id")]
    DefinitionExists,
    /// The name is taken.
    #[error("a report definition with this name exists; choose another name")]
    NameExists,
    /// No such schedule, or of another tenant.
    #[error("there is no such schedule")]
    ScheduleNotFound,
    /// The id is taken.
    #[error("a schedule with this id exists; choose a new id")]
    ScheduleExists,
    /// No such run, or of another tenant.
    #[error("there is no such run")]
    RunNotFound,
    /// The id is taken.
    #[error("a run with this id exists; choose a new id")]
    RunExists,
    /// The id came with another request.
    #[error("this id was used with another request; use a new id for a new one")]
    KeyReused,
    /// Too many runs wait.
    #[error("too many runs of this tenant wait; try again when some have ended")]
    TooManyRuns,
    /// A definition has as many schedules as it may.
    #[error("the definition has as many schedules as it may have; delete one")]
    TooManySchedules,
    /// There is no file yet, or never will be.
    #[error("the run is not completed, so there is no file")]
    RunNotCompleted,
    /// The file was kept its time.
    #[error("the file is kept no longer; run the report again")]
    FileExpired,
    /// The object has another version.
    #[error("it was changed meanwhile; read it and decide again")]
    VersionConflict,
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
    pub(crate) fn field(field: &'static str, rule: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, rule)])
    }
}

impl Fault for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Invalid(_) => ErrorKind::InvalidArgument,
            Self::DefinitionNotFound | Self::ScheduleNotFound | Self::RunNotFound => {
                ErrorKind::NotFound
            }
            Self::DefinitionExists | Self::NameExists | Self::ScheduleExists | Self::RunExists => {
                ErrorKind::AlreadyExists
            }
            Self::KeyReused | Self::RunNotCompleted | Self::FileExpired => {
                ErrorKind::FailedPrecondition
            }
            Self::TooManyRuns | Self::TooManySchedules => ErrorKind::ResourceExhausted,
            Self::VersionConflict => ErrorKind::Aborted,
            Self::Commit(error) => error.kind(),
            Self::Store(error) => error.kind(),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "REQUEST_INVALID",
            Self::DefinitionNotFound => "REPORT_DEFINITION_NOT_FOUND",
            Self::DefinitionExists => "REPORT_DEFINITION_EXISTS",
            Self::NameExists => "REPORT_NAME_EXISTS",
            Self::ScheduleNotFound => "REPORT_SCHEDULE_NOT_FOUND",
            Self::ScheduleExists => "REPORT_SCHEDULE_EXISTS",
            Self::RunNotFound => "REPORT_RUN_NOT_FOUND",
            Self::RunExists => "REPORT_RUN_EXISTS",
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::TooManyRuns => "REPORT_RUNS_LIMIT",
            Self::TooManySchedules => "REPORT_SCHEDULES_LIMIT",
            Self::RunNotCompleted => "REPORT_RUN_NOT_COMPLETED",
            Self::FileExpired => "REPORT_FILE_EXPIRED",
            Self::VersionConflict => "VERSION_CONFLICT",
            Self::Commit(error) => error.reason(),
            Self::Store(error) => error.reason(),
        }
    }

    fn outcome(&self) -> Outcome {
        match self {
            Self::Commit(error) => error.outcome(),
            Self::Invalid(_)
            | Self::DefinitionNotFound
            | Self::DefinitionExists
            | Self::NameExists
            | Self::ScheduleNotFound
            | Self::ScheduleExists
            | Self::RunNotFound
            | Self::RunExists
            | Self::KeyReused
            | Self::TooManyRuns
            | Self::TooManySchedules
            | Self::RunNotCompleted
            | Self::FileExpired
            | Self::VersionConflict
            | Self::Store(_) => Outcome::NotProcessed,
        }
    }

    fn violations(&self) -> Vec<FieldViolation> {
        if let Self::Invalid(violations) = self {
            return violations.clone();
        }
        Vec::new()
    }

    fn retry_after_ms(&self) -> Option<u64> {
        if let Self::Commit(error) = self {
            return error.retry_after_ms();
        }
        if let Self::Store(error) = self {
            return error.retry_after_ms();
        }
        matches!(self, Self::TooManyRuns).then_some(5_000)
    }
}
