//! Sends a step and keeps what came of it.

use paymesh_kernel::call::Scope;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{App, ChangeError, flights::Flight};
use crate::{
    connector::{AuthorizeCall, CancelCall, CancelTarget, EvidenceCall, PartCall, desk::Desk},
    domain::{Answer, Book, Operation, OperationKind},
    error::Error,
    events,
};

/// A step on its way.
#[derive(Clone, Debug)]
pub(super) enum Sending {
    Authorize(AuthorizeCall),
    Capture(PartCall),
    Cancel(CancelCall),
    Refund(PartCall),
    Evidence(EvidenceCall),
}

// === impl App ===

impl App {
    /// Sends a committed step in a task of its own and waits for what came of it. Dropping the future does not stop the task.
    pub(super) async fn fly(
        &self,
        book: Book,
        (key, sending): (String, Sending),
        (flight, turn): (Flight, OwnedSemaphorePermit),
    ) -> Result<Book, Error> {
        let (tell, told) = oneshot::channel();
        let app = self.clone();
        let work = async move {
            let done = app.perform(book, &key, sending).await;
            drop(flight);
            drop(turn);
            // Nobody may be waiting any more.
            tell.send(done).ok();
        };
        // The request id goes along; the caller's deadline does not: what a provider answers is kept in any case.
        let scope = Scope::new(events::request_id());
        self.inner.tasks.spawn_once(scope.run(work));
        told.await.unwrap_or(Err(Error::Ending))
    }

    async fn perform(&self, book: Book, key: &str, sending: Sending) -> Result<Book, Error> {
        let desk = self.desk(&book.attempt.connector)?;
        let answer = send(desk, &sending).await;
        // What it refuses, it has reasons for: the payment may have ended without us. What it has now tells.
        let needs_a_look = matches!(answer, Answer::Refused(_))
            && matches!(
                sending,
                Sending::Capture(_) | Sending::Cancel(_) | Sending::Refund(_)
            );
        let book = self.conclude(book, key, answer).await?;
        if needs_a_look {
            return Ok(self.look(book, key).await?.0);
        }
        Ok(book)
    }

    /// Keeps an answer. One that contradicts what is known counts as none.
    pub(super) async fn conclude(
        &self,
        book: Book,
        key: &str,
        answer: Answer,
    ) -> Result<Book, Error> {
        let windows = self.desk(&book.attempt.connector)?.connector.windows();
        let settle = |book: Book, answer: Answer| {
            self.change(book, move |book| {
                self.with_moment(windows, |moment| book.settle(key, answer.clone(), moment))
            })
        };
        match settle(book.clone(), answer).await {
            Ok(book) => Ok(book),
            Err(ChangeError::Other(error)) => Err(error),
            Err(ChangeError::Contradiction(contradiction)) => {
                tracing::warn!(attempt = %book.attempt.id, error = %contradiction, "an answer of the provider cannot be");
                match settle(book, Answer::Unknown).await {
                    Ok(book) => Ok(book),
                    Err(ChangeError::Other(error)) => Err(error),
                    Err(ChangeError::Contradiction(_)) => Err(Error::Contended),
                }
            }
        }
    }

    /// The authorization as it was sent first; None when its payment method is gone.
    async fn authorization(
        &self,
        book: &Book,
        operation: &Operation,
    ) -> Result<Option<Sending>, Error> {
        let attempt = &book.attempt;
        let method = self.store().method(attempt.payment_method).await?;
        Ok(method.map(|method| {
            Sending::Authorize(AuthorizeCall {
                key: operation.key.clone(),
                token: method.token,
                amount_minor: attempt.amount_minor,
                currency: attempt.currency,
                capture: attempt.capture,
                three_ds: attempt.three_ds,
                statement_descriptor: attempt.statement_descriptor.clone(),
                return_url: attempt.return_url.clone(),
                merchant: attempt.merchant.map(|id| id.to_string()),
                business_at: attempt.business_at,
            })
        }))
    }

    /// What is sent for an operation, the same as the first time.
    pub(super) async fn sending(&self, book: &Book, key: &str) -> Result<Option<Sending>, Error> {
        let Some(operation) = book.operation(key) else {
            return Ok(None);
        };
        Ok(match operation.kind {
            OperationKind::Authorize => self.authorization(book, operation).await?,
            OperationKind::Capture => part(book, operation).map(Sending::Capture),
            OperationKind::Refund => part(book, operation).map(Sending::Refund),
            OperationKind::Cancel => Some(Sending::Cancel(CancelCall {
                key: operation.key.clone(),
                target: match &book.attempt.connector_reference {
                    Some(name) => CancelTarget::Payment(name.clone()),
                    None => CancelTarget::Reference(book.attempt.reference.clone()),
                },
            })),
            OperationKind::Evidence => {
                let dispute = book
                    .disputes
                    .iter()
                    .find(|dispute| dispute.id.as_uuid() == operation.subject);
                let pieces = self.store().evidence(operation).await?;
                dispute.map(|dispute| {
                    Sending::Evidence(EvidenceCall {
                        key: operation.key.clone(),
                        dispute_reference: dispute.connector_reference.clone(),
                        pieces,
                    })
                })
            }
        })
    }
}

// === free functions ===

async fn send(desk: &Desk, sending: &Sending) -> Answer {
    let connector = &desk.connector;
    match sending {
        Sending::Authorize(call) => desk.send("authorize", || connector.authorize(call)).await,
        Sending::Capture(call) => desk.send("capture", || connector.capture(call)).await,
        Sending::Cancel(call) => desk.send("cancel", || connector.cancel(call)).await,
        Sending::Refund(call) => desk.send("refund", || connector.refund(call)).await,
        Sending::Evidence(call) => {
            desk.send("evidence", || connector.submit_evidence(call))
                .await
        }
    }
}

/// The same bytes each time it is sent, because the provider compares them under the key.
fn part(book: &Book, operation: &Operation) -> Option<PartCall> {
    Some(PartCall {
        key: operation.key.clone(),
        connector_reference: book.attempt.connector_reference.clone()?,
        amount_minor: operation.amount_minor,
        currency: book.attempt.currency,
        is_final: operation.is_final,
        business_at: book.attempt.business_time(operation.created_at),
    })
}
