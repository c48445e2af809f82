//! Runs: started, read, listed.

use std::time::Duration;

use paymesh_kernel::{ChangeSet, Principal, Timestamp, call};
use tokio::time::Instant;

use super::App;
use crate::{
    domain::{
        Definition, DefinitionId, Outcome, Run, RunId, ScheduleId, Span, State, run::Content,
    },
    error::Error,
    store::{self, runs::Filter},
};

/// Other replicas' ends are looked for so often.
const LOOK: Duration = Duration::from_millis(250);
/// An answer is begun so long before the caller's deadline.
const MARGIN: Duration = Duration::from_millis(200);

/// A run that is to be made.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) id: RunId,
    pub(super) schedule: Option<ScheduleId>,
    pub(super) span: Span,
    pub(super) created_by: String,
    pub(super) created_at: Timestamp,
}

// === impl App ===

impl App {
    /// Starts a run; the id is its key (P4).
    ///
    /// # Errors
    /// When there is no such definition, the id came with another request, or too many runs wait.
    pub(crate) async fn start_run(
        &self,
        principal: &Principal,
        id: RunId,
        (definition, span): (DefinitionId, Span),
    ) -> Result<Outcome<Run>, Error> {
        if let Some(found) = store::runs::find(self.database(), id).await? {
            return repeated(principal, (definition, span), found);
        }
        let asked = self.definition(principal, definition).await?;
        if store::runs::open(self.database(), principal.tenant).await? >= self.settings().open_runs
        {
            return Err(Error::TooManyRuns);
        }
        let order = Order {
            id,
            schedule: None,
            span,
            created_by: principal.subject.clone(),
            created_at: self.now(),
        };
        let run = queued(&asked, order);
        let mut changes = ChangeSet::new();
        store::runs::insert(&mut changes, &run);
        match self.commit(changes).await {
            Ok(()) => Ok(Outcome::Applied(run)),
            Err(error) if error.is_duplicate(store::RUNS_KEY) => {
                let found = store::runs::find(self.database(), id).await?;
                repeated(
                    principal,
                    (definition, span),
                    found.ok_or(Error::RunExists)?,
                )
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A run of the caller's tenant; waits at most `wait` for its end.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn run(
        &self,
        principal: &Principal,
        id: RunId,
        wait: Duration,
    ) -> Result<Run, Error> {
        let mut until = Instant::now() + wait;
        if let Some(deadline) = call::deadline() {
            until = until.min(deadline.checked_sub(MARGIN).unwrap_or(deadline));
        }
        let mut changed = self.inner.changed.subscribe();
        loop {
            changed.mark_unchanged();
            let run = store::runs::find(self.database(), id)
                .await?
                .filter(|run| run.tenant == principal.tenant)
                .ok_or(Error::RunNotFound)?;
            let left = until.saturating_duration_since(Instant::now());
            if run.state.is_end() || left.is_zero() {
                return Ok(run);
            }
            // A timeout is as good as a change: both mean to look again.
            tokio::time::timeout(left.min(LOOK), changed.changed())
                .await
                .ok();
        }
    }

    /// Runs, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn runs(
        &self,
        principal: &Principal,
        (definition, state): (Option<DefinitionId>, Option<State>),
        page: (Option<store::runs::Place>, u64),
    ) -> Result<Vec<Run>, Error> {
        let filter = Filter {
            tenant: principal.tenant,
            definition,
            state,
        };
        Ok(store::runs::list(self.database(), filter, page).await?)
    }
}

/// A run of the definition as it is now: later changes do not touch it.
pub(super) fn queued(definition: &Definition, order: Order) -> Run {
    Run {
        id: order.id,
        tenant: definition.tenant,
        definition: definition.id,
        schedule: order.schedule,
        state: State::Queued,
        kind: definition.form.kind,
        format: definition.form.format,
        parameters: definition.form.parameters.clone(),
        span: order.span,
        content: Content::default(),
        reason: String::new(),
        created_by: order.created_by,
        created_at: order.created_at,
        finished_at: None,
        attempts: 0,
        file_attempt: 0,
        wake_at: Some(order.created_at),
        version: 1,
    }
}

/// What a second request with the same id gets.
fn repeated(
    principal: &Principal,
    (definition, span): (DefinitionId, Span),
    found: Run,
) -> Result<Outcome<Run>, Error> {
    if found.tenant != principal.tenant {
        return Err(Error::RunExists);
    }
    if found.definition != definition || found.span != span || found.schedule.is_some() {
        return Err(Error::KeyReused);
    }
    Ok(Outcome::AlreadyApplied(found))
}
