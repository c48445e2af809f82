//! Merchants, plans and terminals, without I/O: what may become of them.

pub(crate) mod country;
pub(crate) mod merchant;
pub(crate) mod plan;
pub(crate) mod terminal;

use paymesh_kernel::define_id;

pub(crate) use country::Country;
pub(crate) use merchant::{Accounts, Command, Fact, Merchant, Rejection, State, decide};
pub(crate) use plan::{NegativeBalance, Plan, Terms};
pub(crate) use terminal::{Terminal, TerminalState};

define_id!(
    /// A terminal: where a merchant takes payments.
    TerminalId,
    "term"
);

define_id!(
    /// An account of the ledger.
    AccountId,
    "acct"
);

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// This call did it.
    Applied(T),
    /// An earlier one did.
    AlreadyApplied(T),
}

// === impl Outcome ===

impl<T> Outcome<T> {
    /// The object, and whether an earlier call made it so.
    pub(crate) fn into_parts(self) -> (T, Repeat) {
        match self {
            Self::Applied(object) => (object, Repeat::No),
            Self::AlreadyApplied(object) => (object, Repeat::Yes),
        }
    }
}

/// Whether a command was a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// This call did it.
    No,
    /// An earlier one did.
    Yes,
}
