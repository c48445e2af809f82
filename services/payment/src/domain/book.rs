//! One attempt with its operations and disputes: what is loaded, decided on and saved together.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId, UserId, reexport::Uuid},
};
use paymesh_money::Amount;

use super::{
    Attempt, AttemptId, AttemptState, CaptureMode, Contradiction, Decline, Dispute, Fact,
    Operation, OperationKind, OperationState, Origin, PaymentMethodId, StepKey, ThreeDs, Told,
    TransactionId,
};

/// One attempt and all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Book {
    /// The attempt.
    pub attempt: Attempt,
    /// Its operations, oldest first; the first one is the authorization.
    pub operations: Vec<Operation>,
    /// Its disputes, oldest first.
    pub disputes: Vec<Dispute>,
    /// Facts that are not saved yet.
    pub told: Vec<Told>,
}

/// What an attempt begins with.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    /// Made by the caller.
    pub id: AttemptId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// What it is for.
    pub transaction: TransactionId,
    /// What is charged.
    pub payment_method: PaymentMethodId,
    /// Who pays.
    pub customer: Option<UserId>,
    /// Who is paid.
    pub merchant: Option<MerchantId>,
    /// Where.
    pub connector: String,
    /// The step's key, which is our reference too.
    pub step: StepKey,
    /// Asked for.
    pub amount: Amount,
    /// How the money is taken.
    pub capture: CaptureMode,
    /// When the payer is verified.
    pub three_ds: ThreeDs,
    /// What the payer's statement says.
    pub statement_descriptor: Option<String>,
    /// Where the payer goes after a verification.
    pub return_url: Option<String>,
    /// The request that all began with.
    pub correlation_id: String,
    /// Business time; the clock's when none is given.
    pub business_at: Option<Timestamp>,
}

// === impl Book ===

impl Book {
    /// A new attempt, to be committed before the provider is called (P4). Until `until` nobody else looks after it.
    #[must_use]
    pub fn open(new: NewAttempt, now: Timestamp, until: Timestamp) -> Self {
        let attempt = Attempt {
            id: new.id,
            tenant: new.tenant,
            transaction: new.transaction,
            payment_method: new.payment_method,
            customer: new.customer,
            merchant: new.merchant,
            connector: new.connector,
            reference: new.step.key.clone(),
            connector_reference: None,
            state: AttemptState::Created,
            capture: new.capture,
            three_ds: new.three_ds,
            statement_descriptor: new.statement_descriptor,
            return_url: new.return_url,
            currency: new.amount.currency(),
            amount_minor: new.amount.minor(),
            authorized_minor: 0,
            captured_minor: 0,
            released_minor: 0,
            refunded_minor: 0,
            charged_back_minor: 0,
            decline: None,
            action: None,
            authorization_expires_at: None,
            is_abandoned: false,
            correlation_id: new.correlation_id,
            business_at: new.business_at.unwrap_or(now),
            dispute_count: 0,
            event_sequence: 0,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut book = Self {
            attempt,
            operations: Vec::new(),
            disputes: Vec::new(),
            told: Vec::new(),
        };
        let subject = (OperationKind::Authorize, new.id.as_uuid());
        let mut operation = book.new_operation(&new.step, subject, now);
        operation.amount_minor = new.amount.minor();
        operation.wake_at = Some(until);
        book.operations.push(operation);
        book
    }

    /// The same, declined before any provider was asked.
    #[must_use]
    pub fn declined_here(mut self, decline: Decline, now: Timestamp) -> Self {
        if let Some(operation) = self.operations.first_mut() {
            operation.end(OperationState::Declined, now);
            operation.decline = Some(decline.clone());
            operation.sends = 0;
        }
        self.decline(decline, now);
        self
    }

    /// The operation with this key.
    #[must_use]
    pub fn operation(&self, key: &str) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|operation| operation.key == key)
    }

    /// The authorization.
    ///
    /// # Panics
    /// Never: a book is opened with it.
    #[must_use]
    pub fn authorization(&self) -> &Operation {
        self.operations
            .first()
            .expect("a book is opened with its authorization")
    }

    pub(super) fn place(&self, key: &str) -> Option<usize> {
        self.operations
            .iter()
            .position(|operation| operation.key == key)
    }

    /// The authorization, to change it.
    pub(super) fn authorization_mut(&mut self) -> &mut Operation {
        self.operations
            .first_mut()
            .expect("a book is opened with its authorization")
    }

    pub(super) fn new_operation(
        &self,
        step: &StepKey,
        (kind, subject): (OperationKind, Uuid),
        now: Timestamp,
    ) -> Operation {
        Operation {
            key: step.key.clone(),
            attempt: self.attempt.id,
            tenant: self.attempt.tenant,
            kind,
            state: OperationState::Pending,
            origin: Origin::Caller,
            subject,
            fingerprint: step.fingerprint,
            amount_minor: 0,
            is_final: false,
            reason: String::new(),
            connector_reference: None,
            decline: None,
            is_in_flight: true,
            sends: 1,
            asks: 0,
            sent_at: now,
            wake_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Writes a fact down, with the attempt as it is now.
    pub(super) fn tell(&mut self, fact: Fact, now: Timestamp) {
        self.attempt.event_sequence += 1;
        self.attempt.updated_at = now;
        self.told
            .push(Told::Attempt(Box::new(self.attempt.clone()), fact));
    }

    /// Goes to another state and tells it, when that is forward (P3).
    pub(super) fn become_state(&mut self, next: AttemptState, now: Timestamp) {
        let previous = self.attempt.state;
        if previous.may_become(next) {
            self.attempt.state = next;
            self.tell(Fact::Updated { previous }, now);
        }
    }

    pub(super) fn decline(&mut self, decline: Decline, now: Timestamp) {
        if self.attempt.state.may_become(AttemptState::Declined) {
            let reason = decline.reason.as_str().to_owned();
            self.attempt.state = AttemptState::Declined;
            self.attempt.decline = Some(decline);
            self.tell(Fact::Failed { reason }, now);
        }
    }

    /// P1 and P2: called before a change is saved.
    pub(super) fn check(&self) -> Result<(), Contradiction> {
        if self.attempt.keeps_its_bounds() {
            Ok(())
        } else {
            Err(Contradiction::Bounds)
        }
    }
}
