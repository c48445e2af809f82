//! Domain words as the contract has them, and back.

use paymesh_kernel::Timestamp;
use paymesh_proto::{reporting::v1 as wire, types::v1::TimeRange};

use crate::{
    domain::{Cadence, Definition, Format, Kind, Run, Schedule, Span, State},
    wire::unsigned,
};

/// A definition.
pub(crate) fn definition(definition: &Definition) -> wire::Definition {
    let form = &definition.form;
    wire::Definition {
        id: definition.id.to_string(),
        name: form.name.clone(),
        kind: kind(form.kind).into(),
        format: format(form.format).into(),
        parameters: form.parameters.clone().into_iter().collect(),
        version: unsigned(definition.version),
        updated_by: definition.updated_by.clone(),
        updated_at_us: definition.updated_at.as_micros(),
    }
}

/// A schedule.
pub(crate) fn schedule(schedule: &Schedule) -> wire::Schedule {
    wire::Schedule {
        id: schedule.id.to_string(),
        definition_id: schedule.definition.to_string(),
        cadence: cadence(schedule.beat.cadence()).into(),
        minute_of_day: schedule.beat.minute(),
        enabled: schedule.is_enabled,
        version: unsigned(schedule.edition),
        next_at_us: micros(schedule.next_at),
        updated_at_us: schedule.updated_at.as_micros(),
    }
}

/// A run. Why it was put back is nobody's business until it has failed.
pub(crate) fn run(run: &Run) -> wire::ReportRun {
    let reason = match run.state {
        State::Failed => run.reason.clone(),
        State::Queued | State::Running | State::Completed => String::new(),
    };
    wire::ReportRun {
        id: run.id.to_string(),
        definition_id: run.definition.to_string(),
        schedule_id: run.schedule.map_or_else(String::new, |id| id.to_string()),
        state: state(run.state).into(),
        kind: kind(run.kind).into(),
        format: format(run.format).into(),
        range: Some(range(run.span)),
        row_count: unsigned(run.content.row_count),
        size_bytes: unsigned(run.content.size_bytes),
        content_sha256: run.content.sha256.clone(),
        reason,
        created_by: run.created_by.clone(),
        created_at_us: run.created_at.as_micros(),
        finished_at_us: micros(run.finished_at),
    }
}

fn range(span: Span) -> TimeRange {
    TimeRange {
        from_at_us: micros(span.from),
        until_at_us: micros(span.until),
    }
}

fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}

/// A kind.
pub(crate) const fn kind(kind: Kind) -> wire::ReportKind {
    match kind {
        Kind::Transactions => wire::ReportKind::Transactions,
        Kind::TrialBalance => wire::ReportKind::TrialBalance,
        Kind::AccountStatement => wire::ReportKind::AccountStatement,
        Kind::Settlement => wire::ReportKind::Settlement,
        Kind::Reconciliation => wire::ReportKind::Reconciliation,
        Kind::Fees => wire::ReportKind::Fees,
        Kind::RiskDecisions => wire::ReportKind::RiskDecisions,
    }
}

/// A kind of the contract; none for unspecified.
pub(crate) const fn read_kind(kind: wire::ReportKind) -> Option<Kind> {
    match kind {
        wire::ReportKind::Transactions => Some(Kind::Transactions),
        wire::ReportKind::TrialBalance => Some(Kind::TrialBalance),
        wire::ReportKind::AccountStatement => Some(Kind::AccountStatement),
        wire::ReportKind::Settlement => Some(Kind::Settlement),
        wire::ReportKind::Reconciliation => Some(Kind::Reconciliation),
        wire::ReportKind::Fees => Some(Kind::Fees),
        wire::ReportKind::RiskDecisions => Some(Kind::RiskDecisions),
        wire::ReportKind::Unspecified => None,
    }
}

const fn format(format: Format) -> wire::ReportFormat {
    match format {
        Format::Csv => wire::ReportFormat::Csv,
        Format::Json => wire::ReportFormat::Json,
    }
}

/// A format of the contract; none for unspecified.
pub(crate) const fn read_format(format: wire::ReportFormat) -> Option<Format> {
    match format {
        wire::ReportFormat::Csv => Some(Format::Csv),
        wire::ReportFormat::Json => Some(Format::Json),
        wire::ReportFormat::Unspecified => None,
    }
}

const fn cadence(cadence: Cadence) -> wire::Cadence {
    match cadence {
        Cadence::Hourly => wire::Cadence::Hourly,
        Cadence::Daily => wire::Cadence::Daily,
        Cadence::Weekly => wire::Cadence::Weekly,
        Cadence::Monthly => wire::Cadence::Monthly,
    }
}

/// A cadence of the contract; none for unspecified.
pub(crate) const fn read_cadence(cadence: wire::Cadence) -> Option<Cadence> {
    match cadence {
        wire::Cadence::Hourly => Some(Cadence::Hourly),
        wire::Cadence::Daily => Some(Cadence::Daily),
        wire::Cadence::Weekly => Some(Cadence::Weekly),
        wire::Cadence::Monthly => Some(Cadence::Monthly),
        wire::Cadence::Unspecified => None,
    }
}

const fn state(state: State) -> wire::RunState {
    match state {
        State::Queued => wire::RunState::Queued,
        State::Running => wire::RunState::Running,
        State::Completed => wire::RunState::Completed,
        State::Failed => wire::RunState::Failed,
    }
}

/// A state of the contract; none for unspecified.
pub(crate) const fn read_state(state: wire::RunState) -> Option<State> {
    match state {
        wire::RunState::Queued => Some(State::Queued),
        wire::RunState::Running => Some(State::Running),
        wire::RunState::Completed => Some(State::Completed),
        wire::RunState::Failed => Some(State::Failed),
        wire::RunState::Unspecified => None,
    }
}
