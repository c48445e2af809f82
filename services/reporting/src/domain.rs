//! What reports are, when they run by themselves, and where a run stands. Pure: ids and times come from outside.

pub(crate) mod cadence;
pub(crate) mod cell;
pub(crate) mod definition;
pub(crate) mod ids;
pub(crate) mod kind;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod trial;
mod words;

pub(crate) use cadence::Cadence;
pub(crate) use cell::{Cell, Columns, Line};
pub(crate) use definition::Definition;
pub(crate) use ids::{DefinitionId, RunId, ScheduleId};
pub(crate) use kind::{Format, Kind, Parameters};
pub(crate) use run::{Run, Span, State};
pub(crate) use schedule::Schedule;

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier one did.
    AlreadyApplied(T),
}
