//! Places at which a test can have the process die.

use std::fmt;

use crate::domain::saga::StepKind;

/// A place in the life of a saga.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Point {
    /// A change set with its facts is about to be committed.
    BeforeCommit,
    /// It is committed; nobody has been told.
    AfterCommit,
    /// Another component is about to be called.
    BeforeCall(StepKind),
    /// It has answered; nothing of it is stored.
    AfterCall(StepKind),
}

/// Decides where a process dies. In production there is none, and asking costs a comparison.
pub trait Checkpoint: Send + Sync + fmt::Debug + 'static {
    /// False when the process dies here: the driver stops and stores nothing more.
    fn passes(&self, point: Point) -> bool;
}
