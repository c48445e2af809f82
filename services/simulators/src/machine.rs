//! What a simulator's own rules look like to the engine.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::chance::{letters, scatter};
use crate::problem::Problem;
use crate::timestamp::Timestamp;

/// A simulator's own rules over the shared engine.
pub(crate) trait Machine: Send + 'static {
    /// Names the journal's format; another one is refused on start.
    const FORMAT: &'static str;
    type Fact: Serialize + DeserializeOwned + Send + 'static;
    type Command: Send + Sync + 'static;
    type Subject: Send + 'static;

    /// Folds one fact in. It cannot fail: `decide` has checked everything.
    fn apply(&mut self, stamp: &Stamp, fact: &Self::Fact);
    /// What a command does to the state as it is.
    fn decide(
        &self,
        command: &Self::Command,
        context: &mut Context,
    ) -> Result<Decision<Self>, Problem>;
    /// The answer about a subject.
    fn render(&self, subject: &Self::Subject) -> Answer;
    /// The earliest timer.
    fn next_timer(&self) -> Option<Timestamp>;
    /// The command of the earliest timer, which must end that timer.
    fn timer_command(&self) -> Option<Self::Command>;
}

/// Where and when a fact happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) seq: u64,
    pub(crate) index: u64,
    pub(crate) at: Timestamp,
    pub(crate) nonce: u64,
}

/// What `decide` may use beside the state.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) at: Timestamp,
    pub(crate) business_at: Timestamp,
    pub(crate) seq: u64,
    pub(crate) nonce: u64,
    /// Ids given so far.
    pub(crate) ids: u64,
}

/// The facts of a command, and what its answer is about.
#[derive(Debug)]
pub(crate) struct Decision<M: Machine + ?Sized> {
    pub(crate) facts: Vec<M::Fact>,
    pub(crate) subject: M::Subject,
}

/// A successful answer: a status and a JSON body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

// === impl Context ===

impl Context {
    /// A new id; ids of one journal never repeat, because every (line, number) is scattered to another value.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.ids += 1;
        make_id(prefix, self.nonce, self.seq, self.ids)
    }
}

// === free functions ===

/// The id of the `number`-th thing of line `seq`.
pub(crate) fn make_id(prefix: &str, nonce: u64, seq: u64, number: u64) -> String {
    let place = seq.wrapping_mul(1 << 12).wrapping_add(number);
    format!("{prefix}_{}", letters(scatter(nonce.wrapping_add(place))))
}
