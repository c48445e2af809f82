//! The payer has verified: what the provider's page returned goes to payment and is not kept here.

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{CommitError, Principal};

use super::{Keyed, key_of};
use crate::{
    app::{App, DECISIONS, Outcome, Whole},
    clients::Origin,
    domain::{
        answer::{Answer, Effect, Failure},
        command::{self, Rejection},
        saga::{Direction, Step, StepKind, StepState, Wait},
        status::Status,
        transaction::Transaction,
        work::Work,
    },
    error::Error,
};

/// What the payer did, as the provider's page returned it.
#[derive(Clone)]
pub(crate) struct Verification {
    pub(crate) action_id: String,
    pub(crate) response: String,
}

// === impl App ===

impl App {
    /// Hands the payer's verification over and drives the payment on.
    pub(crate) async fn complete_action(
        &self,
        principal: &Principal,
        keyed: Keyed,
        verification: Verification,
    ) -> Result<Outcome<Whole>, Error> {
        let key = key_of(principal, "CompleteAction", &keyed)?;
        let wait = self.patience(keyed.wait_ms);
        let origin = self.origin(principal);
        for _ in 0..DECISIONS {
            let transaction = self.visible(principal, keyed.transaction).await?;
            let mut work = match self.awaiting(transaction, &verification.action_id).await? {
                Ok(work) => work,
                Err(rejection) => {
                    return self.repeat_main(&key, wait, Some(rejection.into())).await;
                }
            };
            // A key that is known while the action is still open belongs to a request whose process died before payment had the
            // response, which is kept nowhere: it is handed over again, under the same key of the step.
            let is_known = key.find(&self.inner.database).await?.is_some();
            let permit = self.permit()?;
            self.note_action(&mut work);
            self.lease(&mut work);
            let record = (!is_known).then_some(&key);
            match self.commit_passing(&mut work, &origin, record).await {
                Ok(()) => {}
                Err(error) if IdempotencyKey::lost(&error) => {
                    return self.repeat_main(&key, wait, None).await;
                }
                // A fact of the payment came at the same moment, such as that it waits for this action.
                Err(CommitError::Stale) => continue,
                Err(error) => return Err(error.into()),
            }
            self.hand_over(&mut work, &origin, verification).await;
            let work = self.drive_and_wait(work, origin, permit, wait).await?;
            return Ok(Outcome::Applied(self.whole(work.transaction).await?));
        }
        Err(Error::Contended)
    }

    /// The work of a transaction that waits for this action of its payer; else why it does not.
    async fn awaiting(
        &self,
        transaction: Transaction,
        action_id: &str,
    ) -> Result<Result<Work, Rejection>, Error> {
        let status = transaction.status;
        let open = transaction
            .details
            .action
            .filter(|_| status == Status::RequiresAction);
        if open.is_none_or(|action| action.id != action_id) {
            let needed = "waiting for this action";
            return Ok(Err(Rejection::State { status, needed }));
        }
        let work = self.stored(command::main_id(transaction.id)).await?;
        if work.operation.saga.wait != Wait::Action || work.operation.is_leased(self.now()) {
            return Ok(Err(Rejection::Busy));
        }
        Ok(Ok(work))
    }

    async fn hand_over(&self, work: &mut Work, origin: &Origin, verification: Verification) {
        let step_key = work
            .operation
            .step_key(StepKind::Action, Direction::Forward);
        let attempt = work
            .transaction
            .details
            .attempt
            .as_ref()
            .map(|attempt| attempt.id);
        let mut steps = work.operation.saga.steps.iter();
        let place = steps.position(|step| step.kind == StepKind::Authorize);
        let (Some(attempt), Some(place)) = (attempt, place) else {
            return;
        };
        let Verification {
            action_id,
            response,
        } = verification;
        let payments = &self.inner.clients.payment;
        let call = payments.complete_action(step_key, attempt, action_id, response);
        let answer = match self.inner.clients.act(origin, call).await {
            Ok(answer) => answer,
            // What the payer did may have arrived: the provider is asked.
            Err(_) => Answer::Failed(Failure {
                effect: Effect::Unknown,
                reason: "ACTION_UNANSWERED".to_owned(),
                again_at: None,
            }),
        };
        work.absorb(place, answer, &self.inner.policy, self.moment());
    }

    /// History shows that the payer acted; the state is the authorization's.
    fn note_action(&self, work: &mut Work) {
        let now = self.now();
        work.wake();
        let mut step = Step::planned(StepKind::Action, Direction::Forward);
        step.state = StepState::Done;
        step.tries = 1;
        (step.started_at, step.finished_at) = (Some(now), Some(now));
        work.operation.saga.steps.push(step);
        if let Some(step) = work.operation.saga.find_mut(StepKind::Authorize) {
            step.state = StepState::Unknown;
        }
    }
}
