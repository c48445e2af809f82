//! Breaks: assigned, written off by two people, booked (W1–W3).

use paymesh_kernel::{ChangeSet, CommitError, Fault as _, Principal, error::chain};
use paymesh_money::Money;

use super::{App, DECISIONS, Outcome, contended};
use crate::{
    clients::ledger::{Account, Code, Leg, Move, Verdict},
    domain::{
        difference::{Book, Break, BreakState, Command, Rejection, decide},
        ids::{BreakId, ReconciliationId},
        reconciliation::Reconciliation,
        statement::{Line, MatchState},
    },
    error::Error,
    events,
    store::{self, Wanted},
};

/// Write-offs looked after in one round.
const ROUND: u64 = 100;

// === impl App ===

impl App {
    /// One break.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn difference(
        &self,
        principal: &Principal,
        id: BreakId,
    ) -> Result<Break, Error> {
        let found = store::breaks::find(self.database(), id).await?;
        found
            .filter(|item| item.tenant == principal.tenant)
            .ok_or(Error::BreakNotFound)
    }

    /// Breaks, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn differences(
        &self,
        wanted: Wanted,
        filter: &store::breaks::Filter,
    ) -> Result<Vec<Break>, Error> {
        Ok(store::breaks::list(self.database(), wanted, filter).await?)
    }

    /// Does what a person wants with a break.
    ///
    /// # Errors
    /// When its state does not allow it.
    pub(crate) async fn deal_with(
        &self,
        principal: &Principal,
        id: BreakId,
        command: Command,
    ) -> Result<Outcome<Break>, Error> {
        let before = self.difference(principal, id).await?;
        match self.change_break(id, command).await? {
            Ok(item) => Ok(Outcome::Applied(item)),
            Err(Rejection::Before) => Ok(Outcome::AlreadyApplied(before)),
            Err(Rejection::State) => Err(Error::BreakState),
            Err(Rejection::PersonNeeded) => Err(Error::PersonNeeded),
            Err(Rejection::SecondPerson) => Err(Error::SecondPersonNeeded),
            Err(Rejection::NotRequested) => Err(Error::WriteOffNotRequested),
        }
    }

    /// The second person approves, and the difference is booked if the ledger answers; else it is booked later.
    ///
    /// # Errors
    /// When nobody asked for it, the same person did, or no person approves.
    pub(crate) async fn approve_write_off(
        &self,
        principal: &Principal,
        id: BreakId,
    ) -> Result<Outcome<Break>, Error> {
        let command = Command::Approve {
            by: principal.clone(),
            until: self.lease(),
        };
        let outcome = self.deal_with(principal, id, command).await?;
        let Outcome::Applied(item) = outcome else {
            return Ok(outcome);
        };
        match self.book_write_off(&item).await {
            Ok(item) => Ok(Outcome::Applied(item)),
            Err(error) => {
                tracing::warn!(item = %id, reason = error.reason(), error = chain(&error), "a write-off is booked later");
                self.difference(principal, id).await.map(Outcome::Applied)
            }
        }
    }

    /// Books write-offs that were approved and could not be booked.
    pub(super) async fn book_due_write_offs(&self) -> Result<(), Error> {
        for item in store::breaks::due(self.database(), self.now(), ROUND).await? {
            if let Err(error) = self.book_write_off(&item).await {
                tracing::warn!(item = %item.id, reason = error.reason(), error = chain(&error), "a write-off cannot be booked now");
            }
        }
        Ok(())
    }

    async fn book_write_off(&self, item: &Break) -> Result<Break, Error> {
        if let Some(leg) = write_off_leg(item) {
            let verdict = self.parts.ledger.post_one(item.tenant, vec![leg]).await;
            let refusal = match verdict {
                Ok(Verdict::Booked) => None,
                Ok(verdict) => Some(Error::Refused(format!("{verdict:?}"))),
                Err(error) => Some(error.into()),
            };
            if let Some(error) = refusal {
                let again_at = self.again_at(item.attempts);
                self.change_break(item.id, Command::Delayed { again_at })
                    .await?
                    .ok();
                return Err(error);
            }
        }
        match self.change_break(item.id, Command::Booked).await? {
            Ok(item) => Ok(item),
            // Somebody else was faster.
            Err(_) => {
                let found = store::breaks::find(self.database(), item.id).await?;
                found.ok_or(Error::BreakNotFound)
            }
        }
    }

    async fn change_break(
        &self,
        id: BreakId,
        command: Command,
    ) -> Result<Result<Break, Rejection>, Error> {
        for _ in 0..DECISIONS {
            let found = store::breaks::find(self.database(), id).await?;
            let before = found.ok_or(Error::BreakNotFound)?;
            let now = self.now();
            let (item, is_closed) = match decide(&before, command.clone(), now) {
                Ok(decided) => decided,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let mut changes = ChangeSet::new();
            store::breaks::update(&mut changes, &item);
            if is_closed {
                events::break_closed(&mut changes, &self.parts.ids, &item, now);
                self.close_line(&mut changes, &item).await?;
            }
            match self.commit(changes).await {
                Ok(()) => return Ok(Ok(item)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        contended()
    }

    async fn close_line(&self, changes: &mut ChangeSet, item: &Break) -> Result<(), Error> {
        let Some(id) = item.line.filter(|_| item.state == BreakState::WrittenOff) else {
            return Ok(());
        };
        if let Some(line) = store::statements::line(self.database(), id).await? {
            let closed = Line {
                match_state: MatchState::WrittenOff,
                version: line.version.saturating_add(1),
                ..line
            };
            store::statements::update_line(changes, &closed);
        }
        Ok(())
    }

    /// One reconciliation.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn reconciliation(
        &self,
        principal: &Principal,
        id: ReconciliationId,
    ) -> Result<Reconciliation, Error> {
        let found = store::breaks::find_reconciliation(self.database(), id).await?;
        found
            .filter(|of| of.tenant == principal.tenant)
            .ok_or(Error::ReconciliationNotFound)
    }

    /// Reconciliations, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn reconciliations(
        &self,
        wanted: Wanted,
    ) -> Result<Vec<Reconciliation>, Error> {
        Ok(store::breaks::list_reconciliations(self.database(), wanted).await?)
    }
}

/// What writes a difference off: what is missing for us is a loss, what is too much for us a gain, and either leaves the account
/// that showed it. None when there is nothing to book.
fn write_off_leg(item: &Break) -> Option<Leg> {
    let minor = item.difference.minor();
    let amount = minor.checked_abs().filter(|amount| *amount > 0)?;
    let book = match &item.book {
        Book::Receivable(connector) => Account::Receivable(connector.clone()),
        Book::Suspense => Account::Suspense,
        Book::InTransit => Account::InTransit,
    };
    let (debit, credit) = if minor < 0 {
        (Account::Difference, book)
    } else {
        (book, Account::Difference)
    };
    Some(Leg {
        id: item.transfer,
        by: Move::Single,
        debit,
        credit,
        amount: Money::new(amount, item.difference.currency()),
        code: Code::WriteOff,
        effective_at: None,
    })
}
