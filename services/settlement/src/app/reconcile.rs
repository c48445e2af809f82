//! Reconciliation: ledger against providers' reports against the bank's statements (R1–R4).
//!
//! A run reads, compares and commits what it found in one go; interrupted, it leaves nothing but states of lines, which the next
//! run finds again. The same difference is one break, whoever finds it, and how often.

mod bank;
mod provider;

use std::collections::{BTreeMap, HashMap};

use paymesh_kernel::{ChangeSet, CommitError, Principal};
use paymesh_money::{Currency, Money};

use super::{App, DECISIONS, Outcome, contended};
use crate::{
    domain::{
        difference::{Book, Break, BreakKind, BreakState, Command, decide},
        ids::{LineId, ReconciliationId, TransactionId},
        reconciliation::{Reconciliation, Span},
        statement::{Line, MatchState, StatementKind},
    },
    error::Error,
    events,
    store::{self, RECONCILIATION_INDEX, SUBJECT_INDEX, Wanted},
};

/// Lines read at once.
const PAGE: u64 = 1_000;
/// Lines whose state is changed in one commit.
const CHUNK: usize = 1_000;
/// Open breaks of a tenant that one run looks at, to see whether they are resolved.
const OPEN_BREAKS: u64 = 10_000;

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// Names the run.
    pub(crate) id: ReconciliationId,
    /// When.
    pub(crate) span: Span,
    /// One ledger.
    pub(crate) currency: Currency,
}

/// A difference that was found.
#[derive(Clone, Debug)]
struct Found {
    kind: BreakKind,
    subject: String,
    reference: String,
    ledger: Option<Money>,
    stated: Option<Money>,
    difference_minor: i64,
    book: Book,
    line: Option<LineId>,
    transaction: Option<TransactionId>,
}

/// What a run has found so far.
#[derive(Debug, Default)]
struct Report {
    /// Lines that were looked at.
    lines: HashMap<LineId, Line>,
    /// What is to become of their states.
    states: BTreeMap<LineId, MatchState>,
    /// Differences.
    found: Vec<Found>,
    /// Subjects that agree: breaks on them are resolved.
    agreed: Vec<String>,
    ledger_minor: i64,
    provider_minor: i64,
    bank_minor: i64,
}

// === impl Report ===

impl Report {
    fn agree(&mut self, line: LineId) {
        self.states.insert(line, MatchState::Matched);
        self.agreed.push(line_subject(line));
    }

    fn differ(&mut self, found: Found) {
        if let Some(line) = found.line {
            self.states.insert(line, MatchState::Broken);
        }
        self.found.push(found);
    }

    fn matched(&self) -> i64 {
        let matched = self
            .states
            .values()
            .filter(|state| **state == MatchState::Matched);
        i64::try_from(matched.count()).unwrap_or(i64::MAX)
    }
}

// === impl App ===

impl App {
    /// Compares a span of one currency.
    ///
    /// # Errors
    /// When the id was used for another span, there is too much in it, or the ledger does not answer.
    pub(crate) async fn reconcile(
        &self,
        principal: &Principal,
        scope: Scope,
    ) -> Result<Outcome<Reconciliation>, Error> {
        for _ in 0..DECISIONS {
            let known = store::breaks::find_reconciliation(self.database(), scope.id).await?;
            if let Some(known) = known {
                let same = known.tenant == principal.tenant
                    && known.span == scope.span
                    && known.currency == scope.currency;
                return if same {
                    Ok(Outcome::AlreadyApplied(known))
                } else {
                    Err(Error::IdReused)
                };
            }
            match self.run(principal, scope).await {
                Ok(done) => return Ok(Outcome::Applied(done)),
                Err(Error::Commit(error))
                    if error == CommitError::Stale
                        || error.is_duplicate(SUBJECT_INDEX)
                        || error.is_duplicate(RECONCILIATION_INDEX) => {}
                Err(error) => return Err(error),
            }
        }
        contended()
    }

    async fn run(&self, principal: &Principal, scope: Scope) -> Result<Reconciliation, Error> {
        let (tenant, started_at) = (principal.tenant, self.now());
        let ledger_height = self.parts.ledger.height(tenant).await?;
        let mut report = Report::default();
        self.compare_providers(tenant, (scope, ledger_height), &mut report)
            .await?;
        self.compare_bank(tenant, scope, &mut report).await?;
        self.mark(&report).await?;

        let mut changes = ChangeSet::new();
        self.resolve(principal, &report, &mut changes).await?;
        let opened = self.open_new(principal, scope, &report).await?;
        for item in &opened {
            store::breaks::insert(&mut changes, item);
            events::break_opened(&mut changes, &self.parts.ids, item);
        }
        let done = Reconciliation {
            id: scope.id,
            tenant,
            span: scope.span,
            currency: scope.currency,
            ledger_height,
            matched_count: report.matched(),
            break_count: i64::try_from(opened.len()).unwrap_or(i64::MAX),
            ledger_minor: report.ledger_minor,
            provider_minor: report.provider_minor,
            bank_minor: report.bank_minor,
            started_at,
            finished_at: self.now(),
        };
        store::breaks::insert_reconciliation(&mut changes, &done);
        events::reconciled(&mut changes, &self.parts.ids, &done);
        self.commit(changes).await?;
        Ok(done)
    }

    /// Lines on one side, within the span.
    async fn lines_within(
        &self,
        principal_tenant: paymesh_kernel::id::TenantId,
        (scope, side): (Scope, StatementKind),
    ) -> Result<Vec<Line>, Error> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let wanted = Wanted {
                tenant: principal_tenant,
                after,
                limit: PAGE,
            };
            let page = store::statements::within(
                self.database(),
                (wanted, scope.currency),
                (scope.span, side),
            )
            .await?;
            let is_last = u64::try_from(page.len()).unwrap_or(u64::MAX) < PAGE;
            after = page.last().map(|line| line.id.as_uuid());
            all.extend(page);
            if all.len() > self.parts.settings.reconciliation_movements {
                return Err(Error::SpanTooLarge);
            }
            if is_last {
                return Ok(all);
            }
        }
    }

    /// States of lines are written before the run itself: the next run would find the same.
    async fn mark(&self, report: &Report) -> Result<(), Error> {
        let changed: Vec<Line> = report
            .states
            .iter()
            .filter_map(|(id, state)| Some((report.lines.get(id)?, *state)))
            .filter(|(line, state)| {
                line.match_state != *state && line.match_state != MatchState::WrittenOff
            })
            .map(|(line, state)| Line {
                match_state: state,
                version: line.version.saturating_add(1),
                ..line.clone()
            })
            .collect();
        for chunk in changed.chunks(CHUNK) {
            let mut changes = ChangeSet::new();
            for line in chunk {
                store::statements::update_line(&mut changes, line);
            }
            self.commit(changes).await?;
        }
        Ok(())
    }

    async fn resolve(
        &self,
        principal: &Principal,
        report: &Report,
        changes: &mut ChangeSet,
    ) -> Result<(), Error> {
        let open = store::breaks::unclosed(self.database(), principal.tenant, OPEN_BREAKS).await?;
        let mut by_subject: HashMap<&str, &Break> = open
            .iter()
            .map(|item| (item.subject.as_str(), item))
            .collect();
        let now = self.now();
        for subject in &report.agreed {
            let Some(item) = by_subject.remove(subject.as_str()) else {
                continue;
            };
            if let Ok((resolved, _)) = decide(item, Command::Resolve, now) {
                store::breaks::update(changes, &resolved);
                events::break_closed(changes, &self.parts.ids, &resolved, now);
            }
        }
        Ok(())
    }

    /// Breaks for what no run has found before.
    async fn open_new(
        &self,
        principal: &Principal,
        scope: Scope,
        report: &Report,
    ) -> Result<Vec<Break>, Error> {
        let subjects = report.found.iter().map(|found| found.subject.clone());
        let mut known =
            store::breaks::by_subject(self.database(), principal.tenant, subjects).await?;
        let mut opened = Vec::new();
        for found in &report.found {
            if known.contains_key(&found.subject) {
                continue;
            }
            let line = found.line.and_then(|id| report.lines.get(&id));
            let item = self.new_break(principal, scope, (found, line));
            known.insert(item.subject.clone(), item.clone());
            opened.push(item);
        }
        Ok(opened)
    }

    fn new_break(
        &self,
        principal: &Principal,
        scope: Scope,
        (found, line): (&Found, Option<&Line>),
    ) -> Break {
        let ids = &self.parts.ids;
        Break {
            id: ids.next(),
            tenant: principal.tenant,
            kind: found.kind,
            state: BreakState::Open,
            reconciliation: scope.id,
            subject: found.subject.clone(),
            reference: found.reference.clone(),
            ledger: found.ledger,
            stated: found.stated,
            difference: Money::new(found.difference_minor, scope.currency),
            book: found.book.clone(),
            line: found.line,
            statement: line.map(|line| line.statement),
            line_number: line.map_or(0, |line| line.read.number),
            transaction: found.transaction,
            assignee: String::new(),
            note: String::new(),
            requested_by: String::new(),
            approved_by: String::new(),
            transfer: ids.next(),
            next_wake_at: None,
            attempts: 0,
            opened_at: self.now(),
            closed_at: None,
            event_sequence: 1,
            version: 1,
        }
    }
}

fn line_subject(line: LineId) -> String {
    format!("line:{line}")
}
