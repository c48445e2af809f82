//! The saga as data: a flow is a list of steps; each names the step that undoes it and whether it is the pivot. What was done,
//! with which ids and which result, is a list of [`Step`]s stored with the operation.
//!
//! Before the pivot a failure goes backward through what was begun, last first. After it the saga only goes forward (T8).

mod flow;

use paymesh_kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::{TransferId, decline::Decline};

pub use flow::{Flow, Nature, StepSpec};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Asks risk.
    Risk,
    /// Fixes the amounts of an exchange.
    Quote,
    /// Binds the quote to this operation.
    ConsumeQuote,
    /// Waits for a person's decision.
    Review,
    /// Reserves money in the ledger.
    Hold,
    /// Reserves, or takes, money at the provider.
    Authorize,
    /// The payer's verification, inside of Authorize; recorded for history.
    Action,
    /// Takes authorized money at the provider.
    Capture,
    /// Gives captured money back at the provider.
    Refund,
    /// Waits until settlement has sent the money.
    Payout,
    /// Books the linked group.
    Post,
    /// Releases the reservation at the provider.
    Cancel,
    /// Releases the reservation in the ledger.
    Void,
    /// Books the opposite.
    Reverse,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the goal.
    Forward,
    /// Undoing.
    Backward,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// To be done.
    Planned,
    /// Begun: its ids are stored, its call may have been sent.
    Pending,
    /// Done.
    Done,
    /// Refused with a reason.
    Declined,
    /// Certainly nothing happened.
    Failed,
    /// It cannot be known yet.
    Unknown,
    /// Not needed.
    Skipped,
}

/// One step as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it does.
    pub kind: StepKind,
    /// Which way.
    pub direction: Direction,
    /// Where it stands.
    pub state: StepState,
    /// Calls so far.
    pub tries: u32,
    /// Where the ids of its transfers count from; stored before the first call, so that it also says that the step may have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<TransferId>,
    /// Id of the attempt, quote or decision.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Of a refusal or error.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// First call.
    pub started_at: Option<Timestamp>,
    /// Result.
    pub finished_at: Option<Timestamp>,
}

/// Where a saga that goes backward ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Refused with a reason.
    Declined(Decline),
    /// Called off.
    Canceled(String),
    /// Failed and undone.
    Compensated(String),
}

/// What a saga that does not run waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Nothing: it runs, or is to run at once.
    Nothing,
    /// The next try.
    Retry,
    /// The provider's answer.
    Provider,
    /// The payer.
    Action,
    /// A person's decision.
    Review,
    /// A capture.
    Capture,
    /// Settlement.
    Payout,
    /// Two people.
    Resolution,
}

/// A saga.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saga {
    /// Which list of steps.
    pub flow: Flow,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it ends when it goes backward.
    pub goal: Option<Goal>,
    /// What it waits for.
    pub wait: Wait,
    /// Planned and done, in order.
    pub steps: Vec<Step>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Do the step at this place.
    Do(usize),
    /// Nothing is left on the way forward.
    Finish,
    /// Nothing is left to undo.
    Undone,
}

// === impl StepKind ===

impl StepKind {
    /// The word in keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Quote => "quote",
            Self::ConsumeQuote => "consume_quote",
            Self::Review => "review",
            Self::Hold => "hold",
            Self::Authorize => "authorize",
            Self::Action => "action",
            Self::Capture => "capture",
            Self::Refund => "refund",
            Self::Payout => "payout",
            Self::Post => "post",
            Self::Cancel => "cancel",
            Self::Void => "void",
            Self::Reverse => "reverse",
        }
    }

    /// What kind of thing it is.
    #[must_use]
    pub const fn nature(self) -> Nature {
        match self {
            Self::Risk | Self::Quote | Self::ConsumeQuote => Nature::Ask,
            Self::Review | Self::Payout | Self::Action => Nature::Wait,
            Self::Hold
            | Self::Authorize
            | Self::Capture
            | Self::Refund
            | Self::Post
            | Self::Cancel
            | Self::Void
            | Self::Reverse => Nature::Money,
        }
    }
}

impl Direction {
    /// The word in keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Backward => "backward",
        }
    }
}

// === impl Step ===

impl Step {
    /// A step to be done.
    #[must_use]
    pub const fn planned(kind: StepKind, direction: Direction) -> Self {
        Self {
            kind,
            direction,
            state: StepState::Planned,
            tries: 0,
            base: None,
            reference: String::new(),
            reason: String::new(),
            started_at: None,
            finished_at: None,
        }
    }

    /// True when its call may have had an effect.
    #[must_use]
    pub const fn may_have_effect(&self) -> bool {
        match self.state {
            StepState::Pending | StepState::Done | StepState::Unknown => true,
            StepState::Planned | StepState::Declined | StepState::Failed | StepState::Skipped => {
                false
            }
        }
    }

    /// True when nothing is left to do for it.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        match self.state {
            StepState::Done | StepState::Declined | StepState::Failed | StepState::Skipped => true,
            StepState::Planned | StepState::Pending | StepState::Unknown => false,
        }
    }
}

// === impl Saga ===

impl Saga {
    /// A saga with the named steps of its flow.
    #[must_use]
    pub fn new(flow: Flow, has: impl Fn(StepKind) -> bool) -> Self {
        let steps = flow.specs().iter().filter(|spec| has(spec.kind));
        Self {
            flow,
            direction: Direction::Forward,
            goal: None,
            wait: Wait::Nothing,
            steps: steps
                .map(|spec| Step::planned(spec.kind, Direction::Forward))
                .collect(),
        }
    }

    /// What comes next. Going backward, the step that undoes is added when it is first needed.
    #[must_use]
    pub fn upcoming(&mut self) -> Next {
        match self.direction {
            Direction::Forward => {
                let open = |step: &Step| step.direction == Direction::Forward && !step.is_settled();
                self.steps
                    .iter()
                    .position(open)
                    .map_or(Next::Finish, Next::Do)
            }
            Direction::Backward => self.next_undo(),
        }
    }

    fn next_undo(&mut self) -> Next {
        let is_undo = |step: &Step| step.direction == Direction::Backward;
        if let Some(open) = self
            .steps
            .iter()
            .position(|step| is_undo(step) && !step.is_settled())
        {
            return Next::Do(open);
        }
        let flow = self.flow;
        let undo_of = |step: &Step| flow.spec(step.kind).and_then(|spec| spec.undo);
        let was_undone = |undo: StepKind| {
            self.steps
                .iter()
                .any(|step| is_undo(step) && step.kind == undo)
        };
        let last = self.steps.iter().rev().find_map(|step| {
            let undo = undo_of(step)?;
            (step.direction == Direction::Forward && step.may_have_effect() && !was_undone(undo))
                .then_some(undo)
        });
        match last {
            None => Next::Undone,
            Some(undo) => {
                self.steps.push(Step::planned(undo, Direction::Backward));
                Next::Do(self.steps.len().saturating_sub(1))
            }
        }
    }

    /// Adds a step that its flow has, at its place.
    pub fn plan(&mut self, kind: StepKind) {
        let order = |kind: StepKind| self.flow.specs().iter().position(|spec| spec.kind == kind);
        let place = order(kind);
        let at = self
            .steps
            .iter()
            .position(|step| step.direction == Direction::Forward && order(step.kind) > place)
            .unwrap_or(self.steps.len());
        if self.find(kind).is_none() {
            self.steps
                .insert(at, Step::planned(kind, Direction::Forward));
        }
    }

    /// Gives the step at `place` the base of its ids, and all money steps that follow it in the same direction theirs. True when
    /// that is new, so that it must be stored before the call.
    pub fn begin(&mut self, place: usize, mut new_id: impl FnMut() -> TransferId) -> bool {
        let Some(first) = self.steps.get(place) else {
            return false;
        };
        let direction = first.direction;
        if first.kind.nature() != Nature::Money || first.base.is_some() {
            return false;
        }
        let following = self.steps.iter_mut().skip(place);
        for step in following
            .filter(|step| step.direction == direction && step.kind.nature() == Nature::Money)
        {
            step.base.get_or_insert_with(&mut new_id);
        }
        if let Some(first) = self.steps.get_mut(place) {
            first.state = StepState::Pending;
        }
        true
    }

    /// After a crash nobody knows whether the call of a step that had begun was sent: it is asked for first (T10).
    pub fn resume(&mut self) {
        let open = |step: &&mut Step| {
            step.state == StepState::Pending && step.kind.nature() == Nature::Money
        };
        for step in self.steps.iter_mut().filter(open) {
            step.state = StepState::Unknown;
        }
    }

    /// A forward step.
    #[must_use]
    pub fn find(&self, kind: StepKind) -> Option<&Step> {
        self.steps
            .iter()
            .find(|step| step.kind == kind && step.direction == Direction::Forward)
    }

    /// A forward step, to be changed.
    pub fn find_mut(&mut self, kind: StepKind) -> Option<&mut Step> {
        self.steps
            .iter_mut()
            .find(|step| step.kind == kind && step.direction == Direction::Forward)
    }

    /// True when a pivot is done (T8).
    #[must_use]
    pub fn is_past_pivot(&self) -> bool {
        self.steps.iter().any(|step| {
            let is_pivot = self.flow.spec(step.kind).is_some_and(|spec| spec.is_pivot);
            is_pivot && step.direction == Direction::Forward && step.state == StepState::Done
        })
    }

    /// Turns back, towards `goal` (T8).
    ///
    /// # Panics
    /// When the pivot is done: a defect, because money would be lost.
    pub fn turn_back(&mut self, goal: Goal) {
        assert!(
            !self.is_past_pivot(),
            "T8: after the pivot a saga only goes forward"
        );
        self.direction = Direction::Backward;
        self.goal = Some(goal);
        self.wait = Wait::Nothing;
    }
}

#[cfg(test)]
mod tests;
