//! Authorizations, and what the payer's verification returned.

use paymesh_kernel::{ChangeSet, CommitError, Principal, Timestamp, id::MerchantId};
use paymesh_money::Amount;
use tokio::sync::OwnedSemaphorePermit;

use super::{App, Outcome, Standing, access, perform::Sending};
use crate::{
    connector::AuthorizeCall,
    domain::{
        AttemptId, AttemptState, Book, CaptureMode, Decline, DeclineReason, MethodState,
        NewAttempt, PaymentMethod, PaymentMethodId, Rejection, StepKey, ThreeDs, TransactionId,
    },
    error::Error,
    events,
    store::{self, Found},
};

/// Reserve money.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizeCommand {
    pub(crate) step: StepKey,
    pub(crate) attempt: AttemptId,
    pub(crate) transaction: TransactionId,
    pub(crate) payment_method: PaymentMethodId,
    pub(crate) amount: Amount,
    pub(crate) capture: CaptureMode,
    pub(crate) three_ds: ThreeDs,
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) return_url: Option<String>,
    pub(crate) business_at: Option<Timestamp>,
}

// === impl App ===

impl App {
    /// Reserves money at the provider, and takes it when capture is automatic. A payment method that cannot be used is a decline.
    pub(crate) async fn authorize(
        &self,
        principal: &Principal,
        command: AuthorizeCommand,
    ) -> Result<Outcome<Book>, Error> {
        let method = self.store().method(command.payment_method).await?;
        let method =
            method.filter(|method| access::may_charge(principal, method, command.merchant));
        let now = self.now();
        let decline = refusal(method.as_ref(), now);
        let connector = match &method {
            Some(method) => &method.connector,
            None => &self.inner.config.default_connector,
        };
        let desk = self.desk(connector)?;
        let until = self.answered_by(now, desk.connector.windows());
        let book = Book::open(
            NewAttempt {
                id: command.attempt,
                tenant: principal.tenant,
                transaction: command.transaction,
                payment_method: command.payment_method,
                customer: method.as_ref().map(|method| method.customer),
                merchant: command.merchant,
                connector: connector.clone(),
                step: command.step.clone(),
                amount: command.amount,
                capture: command.capture,
                three_ds: command.three_ds,
                statement_descriptor: command.statement_descriptor.clone(),
                return_url: command.return_url.clone(),
                correlation_id: events::request_id(),
                business_at: command.business_at,
            },
            now,
            until,
        );
        match (method, decline) {
            (Some(method), None) => {
                let turn = desk.turn().await.map_err(|_| Error::ConnectorBusy)?;
                self.send_authorization(principal, (book, method), command, turn)
                    .await
            }
            (_, decline) => {
                let decline = decline.unwrap_or_else(no_method);
                match self.insert(book.declined_here(decline, now)).await {
                    Ok(book) => Ok(Outcome::Applied(book)),
                    Err(error) => self.repeated(principal, &command, error).await,
                }
            }
        }
    }

    async fn send_authorization(
        &self,
        principal: &Principal,
        (book, method): (Book, PaymentMethod),
        command: AuthorizeCommand,
        turn: OwnedSemaphorePermit,
    ) -> Result<Outcome<Book>, Error> {
        let flight = self.inner.flights.begin(&command.step.key).await;
        let book = match self.insert(book).await {
            Ok(book) => book,
            Err(error) => {
                drop((flight, turn));
                return self.repeated(principal, &command, error).await;
            }
        };
        let key = command.step.key;
        let sending = Sending::Authorize(AuthorizeCall {
            key: key.clone(),
            token: method.token,
            amount_minor: command.amount.minor(),
            currency: command.amount.currency(),
            capture: command.capture,
            three_ds: command.three_ds,
            statement_descriptor: command.statement_descriptor,
            return_url: command.return_url,
            merchant: command.merchant.map(|id| id.to_string()),
            business_at: book.attempt.business_at,
        });
        self.fly(book, (key, sending), (flight, turn))
            .await
            .map(Outcome::Applied)
    }

    /// Commits a new attempt: before the provider is called (P4).
    async fn insert(&self, mut book: Book) -> Result<Book, CommitError> {
        let mut changes = ChangeSet::new();
        store::insert_book(&mut changes, &book);
        self.publisher(&mut changes).book(&mut book);
        self.inner.writer.commit(changes).await?;
        Ok(book)
    }

    /// The same was asked before, or something else under the same id or key.
    async fn repeated(
        &self,
        principal: &Principal,
        command: &AuthorizeCommand,
        error: CommitError,
    ) -> Result<Outcome<Book>, Error> {
        if !store::is_taken(&error) {
            return Err(error.into());
        }
        let book = match self.store().book(command.attempt).await? {
            Found::Tombstone(tenant) if tenant == principal.tenant => {
                return Err(Error::AttemptCanceled);
            }
            Found::Book(book) if book.attempt.tenant == principal.tenant => *book,
            Found::Tombstone(_) | Found::Book(_) | Found::Nothing => {
                return Err(Rejection::KeyReused.into());
            }
        };
        let known = book.authorization();
        if known.key != command.step.key || known.fingerprint != command.step.fingerprint {
            return Err(Rejection::KeyReused.into());
        }
        let (book, _) = self.finish(book, &command.step.key).await?;
        Ok(Outcome::AlreadyApplied(book))
    }

    /// Asks the provider what became of the payer's verification.
    pub(crate) async fn complete_action(
        &self,
        principal: &Principal,
        id: AttemptId,
        action_id: &str,
    ) -> Result<Outcome<Book>, Error> {
        let book = self.visible(principal, id).await?;
        let is_its_action = book
            .attempt
            .action
            .as_ref()
            .is_some_and(|action| action.id == action_id);
        if !is_its_action {
            return Err(Error::ActionUnknown);
        }
        if book.attempt.state != AttemptState::RequiresAction {
            return Ok(Outcome::AlreadyApplied(book));
        }
        let key = book.attempt.reference.clone();
        match self.look(book, &key).await? {
            (_, Standing::Unreachable { .. }) => Err(Error::ConnectorUnavailable),
            (book, _) => Ok(Outcome::Applied(book)),
        }
    }
}

// === free functions ===

/// Why a method cannot be charged; None when it can.
fn refusal(method: Option<&PaymentMethod>, now: Timestamp) -> Option<Decline> {
    let Some(method) = method else {
        return Some(no_method());
    };
    match method.state(now) {
        MethodState::Active => None,
        MethodState::Expired => Some(Decline::new(DeclineReason::PaymentMethodExpired, "expired")),
        MethodState::Detached => Some(Decline::new(
            DeclineReason::PaymentMethodInvalid,
            "detached",
        )),
    }
}

fn no_method() -> Decline {
    Decline::new(DeclineReason::PaymentMethodInvalid, "unknown")
}
