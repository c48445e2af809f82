//! Balances as of a moment, and statements.
//!
//! By booking, a moment is a height of the chain. By value date, posted sums count lines whose value date lies before the moment;
//! reservations have no value date and go by their booking on both bases.

use paymesh_kernel::{Principal, Timestamp};

use super::App;
use crate::{
    domain::{Account, AccountId, Balance, Side, entry::delta, transfer::AccountRef},
    error::Error,
    store::{
        self, Page,
        entry::{Dates, Heights, Line, Posted},
        transfer::EntryPlace,
    },
};

/// The far end of time.
pub const ALWAYS: Timestamp = Timestamp::from_micros(i64::MAX);

/// Which time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Booking.
    Booked,
    /// Value date.
    Effective,
}

/// Which moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// Now.
    Now,
    /// Before this moment.
    Before(Timestamp),
    /// After this batch.
    Height(i64),
}

/// Sums at a moment.
#[derive(Clone, Debug)]
pub struct BalanceAt {
    /// Of this account.
    pub account: Account,
    /// The sums.
    pub balance: Balance,
    /// The account's version then.
    pub version: i64,
    /// The last batch that counted.
    pub height: i64,
}

/// Which lines.
#[derive(Clone, Copy, Debug)]
pub struct StatementQuery {
    /// Which time counts.
    pub basis: Basis,
    /// The span.
    pub dates: Dates,
    /// Lines of batches above this.
    pub after_height: i64,
    /// Lines of batches up to this; None is all.
    pub until_height: Option<i64>,
}

/// Behind which line a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinePlace {
    /// In the order of booking.
    Booked(EntryPlace),
    /// In the order of value dates, with the posted sums up to there.
    Effective {
        /// The line's value date.
        at: Timestamp,
        /// The line's sequence.
        sequence: i64,
        /// Posted debits after it.
        debits: i64,
        /// Posted credits after it.
        credits: i64,
    },
}

/// A page of a statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Of this account.
    pub account: Account,
    /// Sums before the first line of the span.
    pub opening: (Balance, i64),
    /// Sums after the last line of the span.
    pub closing: (Balance, i64),
    /// Lines of this page.
    pub lines: Vec<Line>,
    /// Where the next page begins.
    pub next: Option<LinePlace>,
}

impl App {
    /// The sums of an account at a moment.
    ///
    /// # Errors
    /// When there is no account that the principal may see, or no such height.
    pub async fn balance_as_of(
        &self,
        principal: &Principal,
        account: &AccountRef,
        (basis, as_of): (Basis, AsOf),
    ) -> Result<BalanceAt, Error> {
        let account = self.account_by(principal, account).await?;
        let newest = store::proof::newest(&self.database).await?;
        let (until, at) = match as_of {
            AsOf::Height(height) if height > newest.height => return Err(Error::BatchNotFound),
            AsOf::Height(height) => (height, ALWAYS),
            AsOf::Before(at) => (newest.height, at),
            AsOf::Now => (newest.height, self.just_after(newest.committed_at)),
        };
        let ((balance, version), height) = match (basis, as_of) {
            (Basis::Effective, AsOf::Now | AsOf::Before(_)) => {
                (self.effective_before(account.id, until, at).await?, until)
            }
            (Basis::Booked, AsOf::Before(at)) => {
                let height = store::proof::before(&self.database, at).await?.height;
                (self.booked_at(account.id, height).await?, height)
            }
            (Basis::Booked, AsOf::Now) | (_, AsOf::Height(_)) => {
                (self.booked_at(account.id, until).await?, until)
            }
        };
        Ok(BalanceAt {
            account,
            balance,
            version,
            height,
        })
    }

    /// A page of an account's lines, with the sums before and after all lines of the span.
    ///
    /// # Errors
    /// When there is no account that the principal may see, or the token is of another list.
    pub async fn statement(
        &self,
        principal: &Principal,
        account: &AccountRef,
        query: StatementQuery,
        page: Page<LinePlace>,
    ) -> Result<Statement, Error> {
        let account = self.account_by(principal, account).await?;
        let newest = store::proof::newest(&self.database).await?.height;
        let until = query.until_height.unwrap_or(newest).min(newest);
        match query.basis {
            Basis::Booked => self.booked_statement(account, query, until, page).await,
            Basis::Effective => self.effective_statement(account, query, until, page).await,
        }
    }

    async fn booked_statement(
        &self,
        account: Account,
        query: StatementQuery,
        until: i64,
        page: Page<LinePlace>,
    ) -> Result<Statement, Error> {
        let (first, last) = self.heights(query.dates).await?;
        let after = first.max(query.after_height);
        let heights = Heights {
            after,
            until: last.min(until).max(after),
        };
        let place = match page.after {
            None => None,
            Some(LinePlace::Booked(place)) => Some(place),
            Some(LinePlace::Effective { .. }) => return Err(wrong_token()),
        };
        let wanted = Page {
            size: page.size,
            after: place,
        };
        let mut lines = store::entry::booked(&self.database, account.id, heights, wanted).await?;
        let more = cut(&mut lines, page.size);
        let next = lines.last().filter(|_| more);
        let next = next.map(|line| LinePlace::Booked((line.batch_height, line.sequence)));
        Ok(Statement {
            opening: self.booked_at(account.id, heights.after).await?,
            closing: self.booked_at(account.id, heights.until).await?,
            account,
            lines,
            next,
        })
    }

    async fn effective_statement(
        &self,
        account: Account,
        query: StatementQuery,
        until: i64,
        page: Page<LinePlace>,
    ) -> Result<Statement, Error> {
        let heights = Heights {
            after: query.after_height.min(until),
            until,
        };
        let before = Heights {
            after: 0,
            until: heights.after,
        };
        let closing = self
            .effective_before(account.id, until, query.dates.until)
            .await?;
        // What the span holds of earlier batches was known before: it belongs to the opening.
        let opening = self
            .effective_before(account.id, until, query.dates.from)
            .await?;
        let earlier =
            store::entry::posted_within(&self.database, account.id, before, query.dates).await?;
        let opening = (plus(opening.0, earlier), opening.1);
        let (place, mut running) = match page.after {
            None => (None, posted_of(opening.0)),
            Some(LinePlace::Effective {
                at,
                sequence,
                debits,
                credits,
            }) => (Some((at, sequence)), Posted { debits, credits }),
            Some(LinePlace::Booked(_)) => return Err(wrong_token()),
        };
        let wanted = Page {
            size: page.size,
            after: place,
        };
        let mut lines =
            store::entry::effective(&self.database, account.id, (heights, query.dates), wanted)
                .await?;
        let more = cut(&mut lines, page.size);
        for line in &mut lines {
            let posted = delta(line.kind, line.amount, 0).posted;
            match line.side {
                Side::Debit => running.debits = running.debits.saturating_add(posted),
                Side::Credit => running.credits = running.credits.saturating_add(posted),
            }
            line.balance.debits_posted = running.debits;
            line.balance.credits_posted = running.credits;
        }
        let next = lines
            .last()
            .filter(|_| more)
            .map(|line| LinePlace::Effective {
                at: line.effective_at,
                sequence: line.sequence,
                debits: running.debits,
                credits: running.credits,
            });
        Ok(Statement {
            opening,
            closing,
            account,
            lines,
            next,
        })
    }

    async fn booked_at(&self, account: AccountId, height: i64) -> Result<(Balance, i64), Error> {
        let found = store::entry::balance_at(&self.database, account, height).await?;
        Ok(found.unwrap_or_default())
    }

    /// Sums by value date before `at`, as known after the batch `until`.
    async fn effective_before(
        &self,
        account: AccountId,
        until: i64,
        at: Timestamp,
    ) -> Result<(Balance, i64), Error> {
        let booked = store::proof::before(&self.database, at)
            .await?
            .height
            .min(until);
        let (balance, version) = self.booked_at(account, booked).await?;
        let later = Heights {
            after: booked,
            until,
        };
        let earlier = Heights {
            after: 0,
            until: booked,
        };
        let past = Dates {
            from: Timestamp::from_micros(i64::MIN),
            until: at,
        };
        let future = Dates {
            from: at,
            until: ALWAYS,
        };
        let backdated = store::entry::posted_elsewhen(&self.database, account, later, past).await?;
        let postdated =
            store::entry::posted_elsewhen(&self.database, account, earlier, future).await?;
        let balance = minus(plus(balance, backdated), postdated);
        assert!(
            balance.is_sound(),
            "A2: no sum is below zero by value date either"
        );
        Ok((balance, version))
    }

    /// The first moment that is neither passed nor the ledger's last one.
    pub(super) fn just_after(&self, committed_at: Timestamp) -> Timestamp {
        let newest = self.clock.now().max(committed_at);
        Timestamp::from_micros(newest.as_micros().saturating_add(1))
    }
}

/// Cuts the surplus line off; true when there was one.
fn cut(lines: &mut Vec<Line>, size: u64) -> bool {
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let more = lines.len() > size;
    lines.truncate(size);
    more
}

const fn posted_of(balance: Balance) -> Posted {
    Posted {
        debits: balance.debits_posted,
        credits: balance.credits_posted,
    }
}

const fn plus(balance: Balance, posted: Posted) -> Balance {
    Balance {
        debits_posted: balance.debits_posted.saturating_add(posted.debits),
        credits_posted: balance.credits_posted.saturating_add(posted.credits),
        ..balance
    }
}

const fn minus(balance: Balance, posted: Posted) -> Balance {
    Balance {
        debits_posted: balance.debits_posted.saturating_sub(posted.debits),
        credits_posted: balance.credits_posted.saturating_sub(posted.credits),
        ..balance
    }
}

fn wrong_token() -> Error {
    Error::field(
        "page.token",
        "is not of this list; ask without one for the first page",
    )
}
