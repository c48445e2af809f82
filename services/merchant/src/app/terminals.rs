//! Terminals. Their facts are numbered with those of their merchant, so both change in one commit.

use paymesh_chassis::idempotency::KeyError;
use paymesh_kernel::{CommitError, id::MerchantId};

use super::{App, View};
use crate::{
    domain::{Command, Country, Outcome, Rejection, Terminal, TerminalId, TerminalState},
    error::Error,
    store,
};

/// How often a decision is made again after somebody else changed the same row.
const DECISIONS: u32 = 5;

/// A terminal to add.
#[derive(Clone, Debug)]
pub(crate) struct AddTerminal {
    /// Its id, which is the key of the request.
    pub(crate) id: TerminalId,
    /// Whose.
    pub(crate) merchant: MerchantId,
    /// What the merchant calls it.
    pub(crate) name: String,
    /// Where it stands; None is where the merchant is at home.
    pub(crate) country: Option<Country>,
}

// === impl App ===

impl App {
    /// Adds a terminal.
    ///
    /// # Errors
    /// When the id is used for another terminal.
    pub(crate) async fn add_terminal(
        &self,
        view: &View,
        command: AddTerminal,
    ) -> Result<Outcome<Terminal>, Error> {
        let merchant = self.merchant(view, command.merchant).await?;
        let terminal = Terminal {
            id: command.id,
            tenant: merchant.tenant,
            merchant: merchant.id,
            name: command.name,
            country: command.country.unwrap_or(merchant.country),
            state: TerminalState::Active,
            version: 1,
            created_at: self.now(),
        };
        if let Some(known) = store::terminals::find(&self.parts.database, terminal.id).await? {
            return repeated(known, &terminal);
        }
        let added = self
            .change(merchant.id, |_, changes| {
                store::terminals::insert(changes, &terminal);
                Ok(Command::AddTerminal(terminal.clone()))
            })
            .await;
        match added {
            Ok(Ok(_)) => Ok(Outcome::Applied(terminal)),
            Ok(Err((_, Rejection::Already | Rejection::State(_)))) => Err(Error::MerchantNotActive),
            Err(Error::Commit(error)) if error.is_duplicate(store::TERMINAL_INDEX) => {
                let known = store::terminals::find(&self.parts.database, terminal.id).await?;
                repeated(known.ok_or(Error::TerminalNotFound)?, &terminal)
            }
            Err(error) => Err(error),
        }
    }

    /// A terminal; from memory when it was read lately.
    ///
    /// # Errors
    /// When there is none that the caller may see.
    pub(crate) async fn terminal(&self, view: &View, id: TerminalId) -> Result<Terminal, Error> {
        let now = self.now();
        let terminal = match self.parts.terminals.get(id, now) {
            Some(terminal) => terminal,
            None => {
                let found = store::terminals::find(&self.parts.database, id).await?;
                let terminal = found.ok_or(Error::TerminalNotFound)?;
                self.remember(&terminal);
                terminal
            }
        };
        Some(terminal)
            .filter(|terminal| view.shows(terminal.tenant, terminal.merchant))
            .ok_or(Error::TerminalNotFound)
    }

    /// Terminals of a merchant.
    ///
    /// # Errors
    /// When the caller may not see the merchant.
    pub(crate) async fn terminals(
        &self,
        view: &View,
        merchant: MerchantId,
        (state, after, limit): (Option<TerminalState>, Option<TerminalId>, u64),
    ) -> Result<Vec<Terminal>, Error> {
        self.merchant(view, merchant).await?;
        let page = (after, limit);
        Ok(store::terminals::list(&self.parts.database, merchant, state, page).await?)
    }

    /// Lets a terminal take payments, or not.
    ///
    /// # Errors
    /// When the merchant is closed.
    pub(crate) async fn update_terminal(
        &self,
        view: &View,
        id: TerminalId,
        state: TerminalState,
    ) -> Result<Outcome<Terminal>, Error> {
        self.terminal(view, id).await?;
        for _ in 0..DECISIONS {
            let found = store::terminals::find(&self.parts.database, id).await?;
            let terminal = found.ok_or(Error::TerminalNotFound)?;
            if terminal.state == state {
                return Ok(Outcome::AlreadyApplied(terminal));
            }
            let changed = Terminal {
                state,
                version: terminal.version + 1,
                ..terminal
            };
            let result = self
                .change(changed.merchant, |_, changes| {
                    store::terminals::update(changes, &changed);
                    Ok(Command::ChangeTerminal(changed.clone()))
                })
                .await;
            match result {
                Ok(Ok(_)) => {
                    self.remember(&changed);
                    return Ok(Outcome::Applied(changed));
                }
                Ok(Err((_, Rejection::Already | Rejection::State(_)))) => {
                    return Err(Error::MerchantNotActive);
                }
                Err(Error::Commit(CommitError::Stale)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(CommitError::Stale.into())
    }

    fn remember(&self, terminal: &Terminal) {
        let seen = (terminal.version, self.now());
        self.parts
            .terminals
            .put(terminal.id, terminal.clone(), seen);
    }
}

/// What was added under the same id before: the same terminal, whatever its state is now, or another one.
fn repeated(known: Terminal, asked: &Terminal) -> Result<Outcome<Terminal>, Error> {
    let is_same = known.tenant == asked.tenant
        && known.merchant == asked.merchant
        && known.name == asked.name
        && known.country == asked.country;
    if is_same {
        Ok(Outcome::AlreadyApplied(known))
    } else {
        Err(KeyError::Reused.into())
    }
}
