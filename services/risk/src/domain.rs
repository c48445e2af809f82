//! The rules of the component, pure: what is counted, how a rule is read and holds, and what comes of all rules together.
//!
//! Times and ids are arguments. The windows are shared memory behind locks, and nothing else here has any effect.

pub mod alert;
pub mod assessment;
pub mod backtest;
pub mod feature;
pub mod ids;
pub mod language;
pub mod list;
pub mod number;
pub mod payment;
pub mod rule;
pub mod series;
pub mod verdict;
pub mod windows;

pub use alert::{Alert, AlertKind};
pub use assessment::{Assessment, Past};
pub use feature::{Feature, Features};
pub use ids::{AlertId, DecisionId, EntryId, RuleId};
pub use list::{ListEntry, ListKind, ListSubject, Lists};
pub use payment::{Label, LabelKind, Payment, Span};
pub use rule::{Rule, RuleSet, RuleState};
pub use verdict::{Decision, Reason, Source, Thresholds, Verdict};
pub use windows::Windows;

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier one did.
    AlreadyApplied(T),
}
