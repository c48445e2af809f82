//! Begins a transaction: who and what it is about, the terms it keeps, and the first commit with its key.

mod terms;

use std::collections::BTreeMap;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{Principal, Timestamp};
use paymesh_money::{Currency, Money};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    App, Outcome, Whole, access,
    checkpoint::Point,
    command::is_running,
    drive::Driven,
    lookup::{Asked, Which},
    request_id,
};
use crate::{
    clients::{Origin, tenant::Mode},
    domain::{
        DecisionId, QuoteId, TransactionId,
        command::main_id,
        operation::{Operation, OperationDetails, OperationKind, OperationState},
        party::{Party, Terms},
        saga::{Flow, Goal, Saga, StepKind},
        status::{Kind, Status},
        transaction::{Attempt, CaptureMethod, Details, Sums, Transaction},
        work::Work,
    },
    error::Error,
};

/// What a caller asks for.
#[derive(Clone, Debug)]
pub(crate) struct NewTransaction {
    pub(crate) key: String,
    /// What was asked, without the key: its fingerprint.
    pub(crate) asked: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) amount: Money,
    pub(crate) payer: Asked,
    pub(crate) payee: Asked,
    pub(crate) capture: CaptureMethod,
    pub(crate) target: Option<Currency>,
    pub(crate) purpose: String,
    pub(crate) description: String,
    pub(crate) quote: Option<QuoteId>,
    pub(crate) return_url: String,
    pub(crate) country: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) business_at: Option<Timestamp>,
    pub(crate) wait_ms: Option<i32>,
}

// === impl App ===

impl App {
    /// Begins a transaction and waits a bounded time for its outcome.
    pub(crate) async fn create(
        &self,
        principal: &Principal,
        command: NewTransaction,
    ) -> Result<Outcome<Whole>, Error> {
        let key =
            IdempotencyKey::try_new(principal, "CreateTransaction", &command.key, &command.asked)?;
        let wait = self.patience(command.wait_ms);
        let permit = self.permit()?;
        let origin = Origin {
            tenant: principal.tenant,
            request_id: request_id(),
        };
        let planned = self
            .inner
            .clients
            .act(&origin, self.plan(principal, command))
            .await;
        let mut work = match planned {
            Ok(work) => work,
            // What was accepted before is answered as before, whatever a lookup says now.
            Err(error) => return self.repeat_main(&key, wait, Some(error)).await,
        };
        self.lease(&mut work);
        // A transaction that is declined before anything is asked has come to rest already.
        if work.operation.saga.goal.is_some() {
            work.turn(&self.inner.policy, self.moment());
            work.operation.lease = None;
        }
        if !self.passes(Point::BeforeCommit) {
            return Err(Error::Commit(paymesh_kernel::CommitError::Unknown));
        }
        match self.commit(&mut work, &origin, Some(&key)).await {
            Ok(()) => {}
            Err(error) if IdempotencyKey::lost(&error) => {
                return self.repeat_main(&key, wait, None).await;
            }
            Err(error) => return Err(error.into()),
        }
        if !self.passes(Point::AfterCommit) {
            return Err(Error::Commit(paymesh_kernel::CommitError::Unknown));
        }
        let work = self.drive_and_wait(work, origin, permit, wait).await?;
        Ok(Outcome::Applied(Whole {
            operations: vec![work.operation],
            transaction: work.transaction,
        }))
    }

    /// A place among the sagas that requests drive.
    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, Error> {
        std::sync::Arc::clone(&self.inner.drives)
            .try_acquire_owned()
            .map_err(|_| Error::Overloaded)
    }

    /// Drives an operation in a task of its own and waits for it a bounded time; then answers with what is stored so far.
    pub(super) async fn drive_and_wait(
        &self,
        work: Work,
        origin: Origin,
        permit: OwnedSemaphorePermit,
        wait: std::time::Duration,
    ) -> Result<Work, Error> {
        let id = work.operation.id;
        if work.operation.state.is_end() {
            return Ok(work);
        }
        let (done, outcome) = tokio::sync::oneshot::channel();
        let app = self.clone();
        self.inner.tasks.spawn_once(async move {
            let driven = app.drive(work, &origin).await;
            drop(permit);
            done.send(driven).ok();
        });
        let began = tokio::time::Instant::now();
        match tokio::time::timeout(wait, outcome).await {
            Ok(Ok(Driven::Rests(work))) if !is_running(&work) => Ok(*work),
            // The runner goes on with it.
            Ok(Ok(Driven::Rests(_) | Driven::Lost) | Err(_)) => {
                self.rested(id, wait.saturating_sub(began.elapsed())).await
            }
            Err(_) => self.stored(id).await,
        }
    }

    async fn plan(&self, principal: &Principal, command: NewTransaction) -> Result<Work, Error> {
        let now = self.now();
        let business_at = self.business_time(principal, command.business_at).await?;
        let currency = command.amount.currency();
        let wanted = command.target.unwrap_or(currency);
        let tenant = principal.tenant;
        let payer = self
            .side(tenant, &command.payer, currency, Which::Payer)
            .await?;
        let payee = self
            .side(tenant, &command.payee, wanted, Which::Payee)
            .await?;
        access::may_create(principal, command.kind, &payer.party, &payee.party)?;
        self.check_sides(principal, &command, (&payer, &payee))
            .await?;
        let terms = self.terms(&command, &payer, &payee)?;
        self.check_quote(&command, &terms).await?;
        let decline = payer.decline.clone().or_else(|| payee.decline.clone());
        let is_first_use = payer.is_first_use;
        let id: TransactionId = self.inner.ids.next();
        let flow = flow_of(command.kind, &payer.party, command.capture);
        let mut operation_details = OperationDetails::new(business_at);
        operation_details.quote = command.quote;
        operation_details.is_first_use = is_first_use;
        operation_details.is_final = true;
        operation_details.capture = (command.kind == Kind::Purchase).then(|| self.inner.ids.next());
        let amount = command.amount;
        let transaction = self.transaction(
            principal,
            (id, now, business_at),
            command,
            (payer.party, payee.party, terms),
        );
        let saga = self.saga(flow, &transaction, operation_details.quote);
        let operation = Operation {
            id: main_id(id),
            tenant,
            transaction: id,
            kind: OperationKind::Main,
            state: OperationState::Pending,
            amount,
            version: 0,
            lease: None,
            next_wake_at: None,
            failures: 0,
            saga,
            details: operation_details,
            created_at: now,
            finished_at: None,
        };
        let mut work = Work::new(transaction, operation, now);
        if let Some(decline) = decline {
            work.turn_back(Goal::Declined(decline));
        }
        Ok(work)
    }

    /// Business time: the clock's, but for sandbox tenants that send one.
    pub(super) async fn business_time(
        &self,
        principal: &Principal,
        asked: Option<Timestamp>,
    ) -> Result<Timestamp, Error> {
        let Some(asked) = asked else {
            return Ok(self.now());
        };
        // Components pass on what they were asked, which was checked there.
        if principal.has(paymesh_kernel::Role::Component) {
            return Ok(asked);
        }
        match self.inner.clients.tenant.mode(principal.tenant).await {
            Ok(Mode::Sandbox) => Ok(asked),
            Ok(Mode::Live) => Err(Error::BusinessTime),
            Err(error) => Err(error.into()),
        }
    }

    fn transaction(
        &self,
        principal: &Principal,
        (id, now, business_at): (TransactionId, Timestamp, Timestamp),
        command: NewTransaction,
        (payer, payee, terms): (Party, Party, Terms),
    ) -> Transaction {
        let fee_currency = if terms.payer_fee.is_positive() {
            terms.payer_fee.currency()
        } else {
            terms.target
        };
        let attempt = matches!(payer, Party::Method { .. }).then(|| Attempt {
            id: self.inner.ids.next(),
            connector: String::new(),
        });
        Transaction {
            id,
            tenant: principal.tenant,
            kind: command.kind,
            status: Status::Initiated,
            version: 1,
            event_sequence: 0,
            amount: command.amount,
            sums: Sums::default(),
            fee: Money::zero(fee_currency),
            credited_minor: 0,
            drawn_minor: 0,
            payer,
            payee,
            details: Details {
                terms,
                capture: command.capture,
                purpose: command.purpose,
                description: command.description,
                metadata: command.metadata,
                country: command.country,
                return_url: command.return_url,
                created_by: principal.subject.clone(),
                decline: None,
                action: None,
                exchange: None,
                risk: None,
                attempt,
                holds: Vec::new(),
                resolution: None,
                authorization_expires_at: None,
                available_at: None,
                changes: Vec::new(),
            },
            business_at,
            created_at: now,
            updated_at: now,
            ended_at: None,
        }
    }

    fn saga(&self, flow: Flow, transaction: &Transaction, quote: Option<QuoteId>) -> Saga {
        let crosses = transaction.crosses();
        let is_assessed = !matches!(transaction.kind, Kind::Payout | Kind::Adjustment);
        let mut saga = Saga::new(flow, |kind| match kind {
            StepKind::Risk => is_assessed,
            StepKind::Quote | StepKind::ConsumeQuote => crosses,
            StepKind::Review => flow == Flow::Adjustment,
            StepKind::Hold => matches!(flow, Flow::InternalManual | Flow::Payout),
            StepKind::Authorize
            | StepKind::Action
            | StepKind::Capture
            | StepKind::Refund
            | StepKind::Payout
            | StepKind::Post
            | StepKind::Cancel
            | StepKind::Void
            | StepKind::Reverse => true,
        });
        let ids = &self.inner.ids;
        if let Some(step) = saga.find_mut(StepKind::Risk) {
            step.reference = ids.next::<DecisionId>().to_string();
        }
        if let Some(step) = saga.find_mut(StepKind::Quote) {
            step.reference = quote.unwrap_or_else(|| ids.next()).to_string();
        }
        saga
    }
}

fn flow_of(kind: Kind, payer: &Party, capture: CaptureMethod) -> Flow {
    let is_external = matches!(payer, Party::Method { .. });
    match (kind, is_external, capture) {
        (Kind::Withdrawal | Kind::Payout, _, _) => Flow::Payout,
        (Kind::Adjustment, _, _) => Flow::Adjustment,
        (_, true, CaptureMethod::Automatic) => Flow::External,
        (_, true, CaptureMethod::Manual) => Flow::ExternalManual,
        (_, false, CaptureMethod::Automatic) => Flow::Internal,
        (_, false, CaptureMethod::Manual) => Flow::InternalManual,
    }
}
