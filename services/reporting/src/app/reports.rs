//! What each kind of report has in its file. Lines are read page by page and never all at once.

mod fees;
mod reconciliation;
mod risk;
mod settlement;
mod statement;
mod transactions;
mod trial_balance;

use paymesh_kernel::{CommitError, ErrorKind, Fault as _, Timestamp, error::chain};
use paymesh_mesh::CallError;

use super::{App, file::File};
use crate::{
    domain::{Kind, Run, cadence::day_text, kind::parameter, trial::Overflow},
    store::{Range, StoreError},
};

/// Why a report is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// Another process has the run now.
    Lost,
    /// It may work later; with a reason for the operator.
    Passing(String),
    /// It will never work, or would be wrong; with the reason that the run shows.
    Final(String),
}

// === impl Halt ===

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        let reason = error.reason().to_owned();
        if error.kind() == ErrorKind::Unavailable {
            return Self::Passing(reason);
        }
        tracing::error!(error = chain(&error), "a report cannot be read");
        Self::Final(reason)
    }
}

impl From<CommitError> for Halt {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => Self::Lost,
            CommitError::Duplicate { .. }
            | CommitError::Check { .. }
            | CommitError::Overloaded
            | CommitError::DeadlineExceeded
            | CommitError::Unavailable
            | CommitError::Unknown
            | CommitError::Internal => Self::Passing(error.reason().to_owned()),
        }
    }
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        let reason = error.reason_text().to_owned();
        if error.is_passing() {
            Self::Passing(reason)
        } else {
            Self::Final(reason)
        }
    }
}

impl From<Overflow> for Halt {
    fn from(_: Overflow) -> Self {
        Self::Final("SUM_TOO_LARGE".to_owned())
    }
}

// === impl App ===

impl App {
    /// Writes the lines of a run.
    pub(super) async fn report(&self, file: &mut File<'_>) -> Result<(), Halt> {
        match file.run().kind {
            Kind::Transactions => self.transactions(file).await,
            Kind::TrialBalance => self.trial_balance(file).await,
            Kind::AccountStatement => self.account_statement(file).await,
            Kind::Settlement => self.settlement_lines(file).await,
            Kind::Reconciliation => self.reconciliations(file).await,
            Kind::Fees => self.fees(file).await,
            Kind::RiskDecisions => self.risk_decisions(file).await,
        }
    }

    /// Refuses what can only be told of the present: within a day that is long past the sums of accounts are not kept (P10).
    fn must_be_kept(&self, moment: Timestamp) -> Result<(), Halt> {
        let is_midnight = moment == Timestamp::from_day(moment.day());
        let since = self.every_batch_since(self.now());
        if is_midnight || moment >= since || moment <= Timestamp::EPOCH {
            return Ok(());
        }
        let days = self.settings().balance_days;
        Err(Halt::Final(format!(
            "MOMENT_NOT_KEPT: balances of days older than {days} days are kept for the end of each day; choose midnight UTC"
        )))
    }

    fn page_rows(&self) -> u64 {
        self.settings().page_rows
    }

    fn is_full(&self, lines: usize) -> bool {
        u64::try_from(lines).is_ok_and(|lines| lines >= self.page_rows())
    }
}

/// The span of a run, in its tenant.
fn range_of(run: &Run) -> Range {
    Range {
        tenant: run.tenant,
        from: run.span.begin(),
        until: run.span.end(),
    }
}

/// The part of a range that is on the day of `moment`, and that day as text.
fn day_of(range: Range, moment: Timestamp) -> (Range, String) {
    let day = moment.day();
    let next = Timestamp::from_day(day.saturating_add(1));
    let part = Range {
        from: moment.max(range.from),
        until: next.min(range.until),
        ..range
    };
    (part, day_text(day))
}

/// What is left of a range after `part`.
const fn after(range: Range, part: Range) -> Range {
    Range {
        from: part.until,
        ..range
    }
}

/// A parameter of the run, empty when it was left out.
fn asked(run: &Run, name: &str) -> String {
    parameter(&run.parameters, name).to_owned()
}
