//! A merchant: states, what may be changed in each, and the facts that follow.
//!
//! ```text
//! opening ──▶ active ◀──▶ suspended
//!    │           └────┬───────┘
//!    ▼                ▼
//! refused           closed
//! ```
//!
//! - Y1: a merchant is active only when all three of its accounts are open.
//! - Y2: a plan's version rises by one with each change of its terms, and with nothing else.
//! - Y3: what is closed stays closed.

use std::time::Duration;

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use paymesh_money::Currency;

use super::{AccountId, Country, Plan, Terminal, Terms};

/// Where a merchant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Registered; the accounts are not known to be open yet.
    Opening,
    /// In use.
    Active,
    /// Takes no payments; refunds go on.
    Suspended,
    /// Over.
    Closed,
    /// The accounts could not be opened.
    Refused,
}

/// The accounts of a merchant: asked for while opening, open afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accounts {
    /// Captured, not yet due.
    pub(crate) pending: AccountId,
    /// May be paid out.
    pub(crate) available: AccountId,
    /// Kept back.
    pub(crate) reserve: AccountId,
}

/// A merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Merchant {
    /// The id.
    pub(crate) id: MerchantId,
    /// Whose.
    pub(crate) tenant: TenantId,
    /// Business name.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) state: State,
    /// Where it is at home.
    pub(crate) country: Country,
    /// What it is paid in.
    pub(crate) currency: Currency,
    /// What it pays.
    pub(crate) plan: Plan,
    /// Where its money is.
    pub(crate) accounts: Accounts,
    /// Token of the bank account.
    pub(crate) destination: Option<String>,
    /// When the bank account was last set or changed; None when it is the one of the registration.
    pub(crate) destination_changed_at: Option<Timestamp>,
    /// When somebody has to look after it.
    pub(crate) next_wake_at: Option<Timestamp>,
    /// Looks without success.
    pub(crate) attempts: i32,
    /// Facts told so far, those of its terminals included.
    pub(crate) event_sequence: i64,
    /// Rises with each change, those of its terminals included.
    pub(crate) version: i64,
    /// When it registered.
    pub(crate) created_at: Timestamp,
    /// Last change.
    pub(crate) updated_at: Timestamp,
}

/// What is asked of a merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// All accounts are open.
    AccountsOpened(Accounts),
    /// Some account will never be open.
    AccountsRefused,
    /// What was opened for a refused merchant is closed again.
    AccountsClosed,
    /// Look again later.
    Postpone(Duration),
    /// Other data. What is None stays.
    Update(Update),
    /// Other terms.
    ChangeTerms(Terms),
    /// A terminal was added.
    AddTerminal(Terminal),
    /// A terminal was enabled or disabled.
    ChangeTerminal(Terminal),
}

/// Data to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Update {
    /// New name.
    pub(crate) name: Option<String>,
    /// New token of the bank account; an empty one takes it away.
    pub(crate) destination: Option<String>,
    /// New state.
    pub(crate) state: Option<State>,
}

/// What is told to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The merchant can be used.
    Created,
    /// These fields changed.
    Updated(Vec<&'static str>),
    /// A terminal was added.
    TerminalAdded(Terminal),
    /// A terminal was enabled or disabled.
    TerminalUpdated(Terminal),
}

/// Why a command does not fit the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It is so already: an earlier command did it.
    Already,
    /// Not in this state.
    State(State),
}

/// The merchant after a command, and the fact that follows.
pub(crate) type Change = (Merchant, Option<Fact>);

// === impl State ===

impl State {
    const ALL: [Self; 5] = [
        Self::Opening,
        Self::Active,
        Self::Suspended,
        Self::Closed,
        Self::Refused,
    ];

    /// The word in tables.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
            Self::Refused => "refused",
        }
    }

    /// The state of a word.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// The merchant after `command` at `now`.
///
/// # Errors
/// When the command does not fit the state, or changes nothing.
pub(crate) fn decide(
    merchant: &Merchant,
    command: Command,
    now: Timestamp,
) -> Result<Change, Rejection> {
    let (mut next, fact) = match command {
        Command::AccountsOpened(accounts) => opened(merchant, accounts)?,
        Command::AccountsRefused => {
            expect(merchant, &[State::Opening])?;
            let refused = Merchant {
                state: State::Refused,
                next_wake_at: Some(now),
                attempts: 0,
                ..merchant.clone()
            };
            (refused, None)
        }
        Command::AccountsClosed => {
            expect(merchant, &[State::Refused])?;
            (awake(merchant), None)
        }
        Command::Postpone(wait) => {
            expect(merchant, &[State::Opening, State::Refused])?;
            let later = Merchant {
                next_wake_at: Some(now.plus(wait)),
                attempts: merchant.attempts.saturating_add(1),
                ..merchant.clone()
            };
            (later, None)
        }
        Command::Update(update) => updated(merchant, update, now)?,
        Command::ChangeTerms(terms) => new_terms(merchant, terms)?,
        Command::AddTerminal(terminal) => {
            expect(merchant, &[State::Active, State::Suspended])?;
            (merchant.clone(), Some(Fact::TerminalAdded(terminal)))
        }
        Command::ChangeTerminal(terminal) => {
            expect(merchant, &[State::Active, State::Suspended])?;
            (merchant.clone(), Some(Fact::TerminalUpdated(terminal)))
        }
    };
    next.version = merchant.version + 1;
    next.updated_at = now;
    if fact.is_some() {
        next.event_sequence = merchant.event_sequence + 1;
    }
    Ok((next, fact))
}

fn opened(merchant: &Merchant, accounts: Accounts) -> Result<Change, Rejection> {
    if matches!(
        merchant.state,
        State::Active | State::Suspended | State::Closed
    ) {
        return Err(Rejection::Already);
    }
    expect(merchant, &[State::Opening])?;
    let next = Merchant {
        state: State::Active,
        accounts,
        ..awake(merchant)
    };
    Ok((next, Some(Fact::Created)))
}

fn updated(merchant: &Merchant, update: Update, now: Timestamp) -> Result<Change, Rejection> {
    let mut next = merchant.clone();
    let mut fields = Vec::new();
    if let Some(name) = update.name.filter(|name| *name != merchant.name) {
        next.name = name;
        fields.push("name");
    }
    if let Some(token) = update.destination {
        let destination = Some(token).filter(|token| !token.is_empty());
        if destination != merchant.destination {
            next.destination = destination;
            next.destination_changed_at = Some(now);
            fields.push("payout_destination_token");
        }
    }
    if let Some(state) = update.state.filter(|state| *state != merchant.state) {
        next.state = state;
        fields.push("state");
    }
    if fields.is_empty() {
        return Err(Rejection::Already);
    }
    expect(merchant, &[State::Active, State::Suspended])?;
    Ok((next, Some(Fact::Updated(fields))))
}

fn new_terms(merchant: &Merchant, terms: Terms) -> Result<Change, Rejection> {
    if terms == merchant.plan.terms {
        return Err(Rejection::Already);
    }
    expect(merchant, &[State::Active, State::Suspended])?;
    let next = Merchant {
        plan: Plan {
            terms,
            version: merchant.plan.version + 1,
        },
        ..merchant.clone()
    };
    Ok((next, Some(Fact::Updated(vec!["plan"]))))
}

/// The merchant when nobody has to look after it.
fn awake(merchant: &Merchant) -> Merchant {
    Merchant {
        next_wake_at: None,
        attempts: 0,
        ..merchant.clone()
    }
}

fn expect(merchant: &Merchant, states: &[State]) -> Result<(), Rejection> {
    if states.contains(&merchant.state) {
        Ok(())
    } else {
        Err(Rejection::State(merchant.state))
    }
}

#[cfg(test)]
mod tests;
