//! A person: states, what may be changed in each, and the facts that follow.
//!
//! ```text
//! opening ──▶ active ──▶ restricted ──▶ erased
//!    └──▶ refused   └──────────────────────▲  (nothing to retain)
//! ```
//!
//! - U1: a user is active only when the account that was promised is open.
//! - U4: what is restricted or erased is not shown, not changed, and never comes back.

use std::time::Duration;

use paymesh_kernel::{
    Role, Timestamp,
    id::{MerchantId, TenantId, UserId},
};
use paymesh_money::Currency;

use super::{
    AccountId, Country,
    personal::{Consent, Sealed, merged},
};

/// Where a user stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Registered; the account is not known to be open yet.
    Opening,
    /// In use.
    Active,
    /// May not sign in.
    Suspended,
    /// Erasure was asked for.
    Restricted,
    /// Nothing personal is left.
    Erased,
    /// The account could not be opened; nothing personal is left.
    Refused,
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    /// The id.
    pub id: UserId,
    /// Whose.
    pub tenant: TenantId,
    /// Where the user stands.
    pub state: State,
    /// Personal data; none when it is gone.
    pub sealed: Option<Sealed>,
    /// Where the person lives.
    pub country: Country,
    /// Home currency.
    pub currency: Currency,
    /// What the user may do.
    pub roles: Vec<Role>,
    /// The newest of each purpose.
    pub consents: Vec<Consent>,
    /// The merchant that the user works for.
    pub merchant: Option<MerchantId>,
    /// The first account: asked for while opening, open afterwards. Staff has none.
    pub account: Option<AccountId>,
    /// When the personal data goes.
    pub erases_at: Option<Timestamp>,
    /// When somebody has to look after this user.
    pub next_wake_at: Option<Timestamp>,
    /// Looks without success.
    pub attempts: i32,
    /// Facts told so far.
    pub event_sequence: i64,
    /// Rises with each change.
    pub version: i64,
    /// When the user registered.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
}

/// What is asked of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// The account is open.
    AccountOpened(AccountId),
    /// The account will never be open.
    AccountRefused,
    /// Look again later.
    Postpone(Duration),
    /// Other data. What is None stays.
    Update(Update),
    /// Other roles.
    AssignRoles(Vec<Role>),
    /// Erase: restrict now, delete after the retention.
    Restrict(Duration),
    /// The retention is over.
    Erase,
}

/// Data to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Update {
    /// New personal data, with the names of its fields that differ.
    pub sealed: Option<(Sealed, Vec<&'static str>)>,
    /// New country.
    pub country: Option<Country>,
    /// New merchant.
    pub merchant: Option<MerchantId>,
    /// Consents to record.
    pub consents: Vec<Consent>,
    /// A new password is set beside.
    pub password: Option<NewPassword>,
}

/// Marks that a password changes; the hash is stored elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewPassword;

/// What is told to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The user can be used.
    Created,
    /// These fields changed.
    Updated(Vec<&'static str>),
    /// Personal data is restricted or gone.
    Deleted,
}

/// Why a command does not fit the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// It is so already: an earlier command did it.
    Already,
    /// Not in this state.
    State(State),
}

/// The user after a command, and the fact that follows.
pub(crate) type Change = (User, Option<Fact>);

// === impl State ===

impl State {
    const ALL: [Self; 6] = [
        Self::Opening,
        Self::Active,
        Self::Suspended,
        Self::Restricted,
        Self::Erased,
        Self::Refused,
    ];

    /// The word in tables.
    #[must_use]
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Restricted => "restricted",
            Self::Erased => "erased",
            Self::Refused => "refused",
        }
    }

    /// The state of a word.
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// True while personal data may be shown and used.
    #[must_use]
    pub(crate) const fn shows_personal(self) -> bool {
        match self {
            Self::Opening | Self::Active | Self::Suspended => true,
            Self::Restricted | Self::Erased | Self::Refused => false,
        }
    }
}

/// The user after `command` at `now`.
///
/// # Errors
/// When the command does not fit the state, or changes nothing.
pub(crate) fn decide(user: &User, command: Command, now: Timestamp) -> Result<Change, Rejection> {
    let (mut next, fact) = match command {
        Command::AccountOpened(account) => opened(user, account)?,
        Command::AccountRefused => {
            expect(user, &[State::Opening])?;
            (without_personal(user, State::Refused), None)
        }
        Command::Postpone(wait) => {
            expect(user, &[State::Opening, State::Restricted])?;
            let later = User {
                next_wake_at: Some(now.plus(wait)),
                attempts: user.attempts.saturating_add(1),
                ..user.clone()
            };
            (later, None)
        }
        Command::Update(update) => updated(user, update)?,
        Command::AssignRoles(roles) => {
            expect(user, &[State::Active, State::Suspended])?;
            if roles == user.roles {
                return Err(Rejection::Already);
            }
            let next = User {
                roles,
                ..user.clone()
            };
            (next, Some(Fact::Updated(vec!["roles"])))
        }
        Command::Restrict(retention) => restricted(user, retention, now)?,
        Command::Erase => {
            expect(user, &[State::Restricted])?;
            (without_personal(user, State::Erased), Some(Fact::Deleted))
        }
    };
    next.version = user.version + 1;
    next.updated_at = now;
    if fact.is_some() {
        next.event_sequence = user.event_sequence + 1;
    }
    Ok((next, fact))
}

fn opened(user: &User, account: AccountId) -> Result<Change, Rejection> {
    if user.state == State::Active {
        return Err(Rejection::Already);
    }
    expect(user, &[State::Opening])?;
    let next = User {
        state: State::Active,
        account: Some(account),
        next_wake_at: None,
        attempts: 0,
        ..user.clone()
    };
    Ok((next, Some(Fact::Created)))
}

fn updated(user: &User, update: Update) -> Result<Change, Rejection> {
    expect(user, &[State::Active, State::Suspended])?;
    let mut next = user.clone();
    let mut fields = Vec::new();
    if let Some((sealed, names)) = update.sealed {
        next.sealed = Some(sealed);
        fields.extend(names);
    }
    if let Some(country) = update.country.filter(|country| *country != user.country) {
        next.country = country;
        fields.push("country");
    }
    if update.merchant.is_some() && update.merchant != user.merchant {
        next.merchant = update.merchant;
        fields.push("merchant_id");
    }
    let news: Vec<Consent> = update
        .consents
        .into_iter()
        .filter(|consent| !is_recorded(user, consent))
        .collect();
    if !news.is_empty() {
        next.consents = merged(&user.consents, news);
        fields.push("consents");
    }
    if update.password.is_some() {
        fields.push("password");
    }
    if fields.is_empty() {
        return Err(Rejection::Already);
    }
    Ok((next, Some(Fact::Updated(fields))))
}

fn restricted(user: &User, retention: Duration, now: Timestamp) -> Result<Change, Rejection> {
    if matches!(user.state, State::Restricted | State::Erased) {
        return Err(Rejection::Already);
    }
    expect(user, &[State::Active, State::Suspended])?;
    let erases_at = now.plus(retention);
    if retention.is_zero() {
        let mut gone = without_personal(user, State::Erased);
        gone.erases_at = Some(erases_at);
        return Ok((gone, Some(Fact::Deleted)));
    }
    let next = User {
        state: State::Restricted,
        erases_at: Some(erases_at),
        next_wake_at: Some(erases_at),
        attempts: 0,
        ..user.clone()
    };
    Ok((next, Some(Fact::Deleted)))
}

/// The user with nothing personal left (U4).
fn without_personal(user: &User, state: State) -> User {
    User {
        state,
        sealed: None,
        consents: Vec::new(),
        next_wake_at: None,
        attempts: 0,
        ..user.clone()
    }
}

fn expect(user: &User, states: &[State]) -> Result<(), Rejection> {
    if states.contains(&user.state) {
        Ok(())
    } else {
        Err(Rejection::State(user.state))
    }
}

fn is_recorded(user: &User, consent: &Consent) -> bool {
    user.consents.iter().any(|known| {
        known.purpose == consent.purpose
            && known.granted == consent.granted
            && known.version == consent.version
    })
}

#[cfg(test)]
mod tests;
