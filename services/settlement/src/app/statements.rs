//! Statements: taken once, then booked line by line (I1–I4).
//!
//! Ids of transfers are committed with the lines, before anything is booked. A chunk of lines that is interrupted is the same chunk
//! again.

mod bank;

use std::collections::{BTreeMap, HashSet};

use paymesh_kernel::{
    ChangeSet, CommitError, Fault as _, Principal, Timestamp, error::chain, id::TenantId,
};
use paymesh_money::{Currency, Money};

use super::{App, DECISIONS, Outcome, contended};
use crate::{
    clients::ledger::{Account, Code, Leg, Move, Verdict},
    domain::{
        ids::StatementId,
        statement::{
            Line, LineKind, MatchState, ReadLine, Statement, StatementKind, Telling, fingerprint,
            read,
        },
    },
    error::Error,
    events,
    store::{self, CONTENT_INDEX, TELLING_INDEX, Wanted},
};

/// Largest statement, in bytes.
pub(crate) const CONTENT_LIMIT: usize = paymesh_mesh::CONTENT_LIMIT;
/// Lines booked in one commit.
const CHUNK: u64 = 256;
/// Chunks of one statement in a row; then other work has its turn.
const CHUNKS: u32 = 16;
/// Statements looked after in one round.
const ROUND: u64 = 16;

/// How far the lines of a statement are booked.
enum Progress {
    /// All are.
    Done,
    /// There are more.
    More,
    /// Some wait for something else.
    Waiting,
}

/// What somebody sends.
#[derive(Clone, Debug)]
pub(crate) struct NewStatement {
    /// Provider or bank.
    pub(crate) kind: StatementKind,
    /// Connector's name, or the bank's.
    pub(crate) source: String,
    /// CSV.
    pub(crate) content: Vec<u8>,
}

// === impl App ===

impl App {
    /// Takes a statement, and books it if the ledger answers; else it is booked later.
    ///
    /// # Errors
    /// When a line is wrong: nothing of the statement is taken then.
    pub(crate) async fn import(
        &self,
        tenant: TenantId,
        new: NewStatement,
    ) -> Result<Outcome<Statement>, Error> {
        let content_sha256 = fingerprint(&new.content);
        if let Some(known) =
            store::statements::by_content(self.database(), tenant, &content_sha256).await?
        {
            return self.wake(known).await.map(Outcome::AlreadyApplied);
        }
        let most = self.parts.settings.statement_lines;
        let read = read((new.kind, &new.source), &new.content, most).map_err(Error::Statement)?;
        let statement = self.new_statement(tenant, (&new, content_sha256), &read);
        for _ in 0..DECISIONS {
            match self.take(&statement, read.clone()).await {
                Ok(()) => {
                    // A long one is left to the task: its caller would wait for too long.
                    if is_short(&statement) {
                        self.book_or_say(statement.clone()).await;
                    }
                    return Ok(Outcome::Applied(statement));
                }
                Err(Error::Commit(error)) if error.is_duplicate(CONTENT_INDEX) => {
                    let content = &statement.content_sha256;
                    let known = store::statements::by_content(self.database(), tenant, content);
                    let known = known.await?.ok_or(Error::StatementNotFound)?;
                    return Ok(Outcome::AlreadyApplied(known));
                }
                // Another statement told of the same movements meanwhile: they are its to book.
                Err(Error::Commit(error)) if error.is_duplicate(TELLING_INDEX) => {}
                Err(error) => return Err(error),
            }
        }
        contended()
    }

    /// A statement that is parked is tried again when somebody sends it again (I5).
    async fn wake(&self, known: Statement) -> Result<Statement, Error> {
        if known.next_wake_at.is_some() || known.attempts == 0 {
            return Ok(known);
        }
        let woken = Statement {
            attempts: 0,
            next_wake_at: Some(self.now()),
            version: known.version.saturating_add(1),
            ..known
        };
        let mut changes = ChangeSet::new();
        store::statements::update(&mut changes, &woken);
        match self.commit(changes).await {
            // Somebody else has woken it.
            Ok(()) | Err(CommitError::Stale) => Ok(woken),
            Err(error) => Err(error.into()),
        }
    }

    /// Commits a statement with its lines. A movement that was told before is not booked again (I1).
    async fn take(&self, statement: &Statement, read: Vec<ReadLine>) -> Result<(), Error> {
        let identities = read.iter().map(|line| line.identity);
        let told = store::statements::told(self.database(), statement.tenant, identities).await?;
        let mut here = HashSet::new();
        let tell = |read: ReadLine| {
            let telling = if told.contains(&read.identity) {
                Telling::Again
            } else if here.insert(read.identity) {
                Telling::First
            } else {
                Telling::Twice
            };
            self.new_line(statement, (read, telling))
        };
        let mut lines: Vec<Line> = read.into_iter().map(tell).collect();
        // Imports of the same movements meet in one order, so that none waits for another that waits for it.
        lines.sort_by_key(|line| line.read.identity);
        let mut changes = ChangeSet::new();
        store::statements::insert(&mut changes, statement);
        for line in &lines {
            store::statements::insert_line(&mut changes, line);
        }
        events::imported(&mut changes, &self.parts.ids, statement);
        Ok(self.commit(changes).await?)
    }

    fn new_statement(
        &self,
        tenant: TenantId,
        (new, content_sha256): (&NewStatement, String),
        read: &[ReadLine],
    ) -> Statement {
        let times = read.iter().map(|line| line.booked_at);
        let last = times.clone().max().unwrap_or(Timestamp::EPOCH);
        let statement = Statement {
            id: self.parts.ids.next(),
            tenant,
            kind: new.kind,
            source: new.source.clone(),
            content_sha256,
            line_count: i64::try_from(read.len()).unwrap_or(i64::MAX),
            from_at: times.min().unwrap_or(Timestamp::EPOCH),
            until_at: Timestamp::from_micros(last.as_micros().saturating_add(1)),
            next_wake_at: None,
            attempts: 0,
            imported_at: self.now(),
            version: 1,
        };
        Statement {
            next_wake_at: Some(if is_short(&statement) {
                self.lease()
            } else {
                self.now()
            }),
            ..statement
        }
    }

    fn new_line(&self, statement: &Statement, (read, telling): (ReadLine, Telling)) -> Line {
        Line {
            id: self.parts.ids.next(),
            tenant: statement.tenant,
            statement: statement.id,
            side: statement.kind,
            source: statement.source.clone(),
            telling,
            match_state: if telling == Telling::Again {
                MatchState::Matched
            } else {
                MatchState::Unmatched
            },
            transfers: self.parts.ids.next(),
            // What was told before is booked already.
            is_booked: telling != Telling::First,
            is_suspended: false,
            read,
            version: 1,
        }
    }

    /// Goes on with statements that are not booked yet.
    pub(super) async fn book_due_statements(&self) -> Result<(), Error> {
        for statement in store::statements::due(self.database(), self.now(), ROUND).await? {
            let leased = Statement {
                next_wake_at: Some(self.lease()),
                version: statement.version.saturating_add(1),
                ..statement
            };
            let mut changes = ChangeSet::new();
            store::statements::update(&mut changes, &leased);
            match self.commit(changes).await {
                Ok(()) => self.book_or_say(leased).await,
                // Another replica has it.
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn book_or_say(&self, statement: Statement) {
        let id = statement.id;
        if let Err(error) = self.book_statement(statement).await {
            tracing::warn!(statement = %id, reason = error.reason(), error = chain(&error), "a statement is booked later");
        }
    }

    async fn book_statement(&self, statement: Statement) -> Result<(), Error> {
        let result = self.book_lines(&statement).await;
        let failures = statement.attempts.saturating_add(1);
        let (attempts, next_wake_at) = match &result {
            Ok(Progress::Done) => (0, None),
            Ok(Progress::More) => (0, Some(self.now())),
            Ok(Progress::Waiting) | Err(Error::Refused(_)) if self.is_last_try(&statement) => {
                tracing::error!(statement = %statement.id, attempts = failures, "a statement is parked: the ledger does not take its lines; mend what is refused and import it again");
                (failures, None)
            }
            Ok(Progress::Waiting) | Err(_) => (failures, Some(self.again_at(failures))),
        };
        let later = Statement {
            attempts,
            next_wake_at,
            version: statement.version.saturating_add(1),
            ..statement
        };
        let mut changes = ChangeSet::new();
        store::statements::update(&mut changes, &later);
        self.commit(changes).await?;
        result.map(|_| ())
    }

    async fn book_lines(&self, statement: &Statement) -> Result<Progress, Error> {
        let (database, id) = (self.database(), statement.id);
        for _ in 0..CHUNKS {
            let lines = store::statements::unbooked(database, id, CHUNK).await?;
            if lines.is_empty() {
                return Ok(Progress::Done);
            }
            let waiting = match statement.kind {
                StatementKind::Provider => self.book_report(statement, lines).await?,
                StatementKind::Bank => self.book_bank(statement, lines).await?,
            };
            if waiting > 0 {
                return Ok(Progress::Waiting);
            }
        }
        Ok(Progress::More)
    }

    /// A provider's report: what it charged, one transfer for each currency of the chunk; and deposits that came before the report
    /// leave suspense.
    async fn book_report(&self, statement: &Statement, lines: Vec<Line>) -> Result<usize, Error> {
        let mut charged: BTreeMap<&'static str, (Line, i64)> = BTreeMap::new();
        for line in &lines {
            let (_, sum) = charged
                .entry(line.read.amount.currency().code())
                .or_insert_with(|| (line.clone(), 0));
            *sum = sum.saturating_add(line.read.charged_minor());
        }
        let groups: Vec<Vec<Leg>> = charged
            .values()
            .filter(|(_, sum)| *sum != 0)
            .map(|(first, sum)| vec![fee_leg(statement, first, *sum)])
            .collect();
        self.post_all(statement.tenant, groups).await?;
        let settlements: HashSet<String> = lines
            .iter()
            .map(|line| line.read.settlement.clone())
            .filter(|settlement| !settlement.is_empty())
            .collect();
        self.leave_suspense(statement, settlements).await?;
        let mut changes = ChangeSet::new();
        for line in lines {
            let booked = Line {
                is_booked: true,
                version: line.version.saturating_add(1),
                ..line
            };
            store::statements::update_line(&mut changes, &booked);
        }
        self.commit(changes).await?;
        Ok(0)
    }

    async fn leave_suspense(
        &self,
        statement: &Statement,
        settlements: HashSet<String>,
    ) -> Result<(), Error> {
        let place = (statement.tenant, StatementKind::Bank);
        let deposits =
            store::statements::with_references(self.database(), place, settlements.into_iter())
                .await?;
        let suspended: Vec<Line> = deposits
            .into_iter()
            .filter(|line| line.is_suspended && line.read.kind == LineKind::Transfer)
            .collect();
        let legs = suspended.iter().map(|line| {
            let receivable = Account::Receivable(statement.source.clone());
            let id = line.transfers.nth(3);
            vec![signed_leg(
                line,
                id,
                (Account::Suspense, receivable, Code::Correction),
            )]
        });
        self.post_all(statement.tenant, legs.collect()).await?;
        let mut changes = ChangeSet::new();
        for line in suspended {
            let known = Line {
                is_suspended: false,
                version: line.version.saturating_add(1),
                ..line
            };
            store::statements::update_line(&mut changes, &known);
        }
        Ok(self.commit(changes).await?)
    }

    /// True when a statement has been tried so often that it is not tried again by itself (I5).
    fn is_last_try(&self, statement: &Statement) -> bool {
        statement.attempts.saturating_add(1) >= self.parts.settings.statement_attempts
    }

    /// Books groups; those of a closed period one by one with today's date.
    async fn post_all(&self, tenant: TenantId, groups: Vec<Vec<Leg>>) -> Result<(), Error> {
        if groups.is_empty() {
            return Ok(());
        }
        let verdicts = self.parts.ledger.post(tenant, &groups).await?;
        for (legs, verdict) in groups.into_iter().zip(verdicts) {
            let verdict = match verdict {
                Verdict::PeriodClosed => self.parts.ledger.post_one(tenant, legs).await?,
                Verdict::Booked | Verdict::NotCovered | Verdict::Refused(_) => verdict,
            };
            if verdict != Verdict::Booked {
                return Err(Error::Refused(format!("{verdict:?}")));
            }
        }
        Ok(())
    }

    /// Statements, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn statements(
        &self,
        wanted: Wanted,
        kind: Option<StatementKind>,
    ) -> Result<Vec<Statement>, Error> {
        Ok(store::statements::list(self.database(), wanted, kind).await?)
    }

    /// Lines of a statement.
    ///
    /// # Errors
    /// When there is no such statement.
    pub(crate) async fn lines(
        &self,
        principal: &Principal,
        (id, state): (StatementId, Option<MatchState>),
        page: (i64, u64),
    ) -> Result<Vec<Line>, Error> {
        let found = store::statements::find(self.database(), id).await?;
        found
            .filter(|statement| statement.tenant == principal.tenant)
            .ok_or(Error::StatementNotFound)?;
        Ok(store::statements::lines(self.database(), id, state, page).await?)
    }
}

fn is_short(statement: &Statement) -> bool {
    u64::try_from(statement.line_count).is_ok_and(|count| count <= CHUNK)
}

/// A leg for the amount of a line: from the first account to the second when it came in, the other way when it went out.
fn signed_leg(
    line: &Line,
    id: crate::domain::ids::TransferId,
    (debit, credit, code): (Account, Account, Code),
) -> Leg {
    let amount = line.read.amount;
    oriented((debit, credit), amount.minor(), |(debit, credit), minor| {
        Leg {
            id,
            by: Move::Single,
            debit,
            credit,
            amount: Money::new(minor, amount.currency()),
            code,
            effective_at: Some(line.read.booked_at),
        }
    })
}

/// What a connector charged with the lines that begin with `first`.
fn fee_leg(statement: &Statement, first: &Line, sum: i64) -> Leg {
    let fees = Account::ConnectorFees(statement.source.clone());
    let receivable = Account::Receivable(statement.source.clone());
    let currency: Currency = first.read.amount.currency();
    oriented((fees, receivable), sum, |(debit, credit), minor| Leg {
        id: first.transfers.nth(0),
        by: Move::Single,
        debit,
        credit,
        amount: Money::new(minor, currency),
        code: Code::ConnectorFee,
        effective_at: Some(first.read.booked_at),
    })
}

fn oriented<T>(
    (debit, credit): (Account, Account),
    minor: i64,
    make: impl FnOnce((Account, Account), i64) -> T,
) -> T {
    if minor < 0 {
        make((credit, debit), minor.saturating_neg())
    } else {
        make((debit, credit), minor)
    }
}
