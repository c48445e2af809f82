//! Evidence on disputes.

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{ChangeSet, CommitError, Principal, id::reexport::Uuid};

use super::{App, MOST_DECISIONS, Outcome, access};
use crate::{
    connector::EvidencePiece,
    domain::{Book, Dispute, DisputeId, EvidenceOrder, Operation, StepKey},
    error::Error,
    store,
};

// === impl App ===

impl App {
    /// Sends evidence to the provider. It is kept, so that it can be sent again when the provider cannot be reached.
    pub(crate) async fn submit_evidence(
        &self,
        principal: &Principal,
        key: &IdempotencyKey,
        (id, pieces): (DisputeId, Vec<EvidencePiece>),
    ) -> Result<Outcome<Dispute>, Error> {
        let dispute = self.visible_dispute(principal, id).await?;
        if key.find(self.store().database()).await?.is_some() {
            return Ok(Outcome::AlreadyApplied(dispute));
        }
        let desk = self.desk(&dispute.connector)?;
        let limit_bytes = desk.connector.evidence_limit_bytes();
        if desk.connector.evidence_bytes(&pieces) > limit_bytes {
            return Err(Error::EvidenceTooLarge { limit_bytes });
        }
        for _ in 0..MOST_DECISIONS {
            let book = self.reload(dispute.attempt).await?;
            let now = self.now();
            let until = self.answered_by(now, desk.connector.windows());
            let subject: Uuid = self.inner.ids.next();
            let step = StepKey {
                key: format!("{id}:evidence:{}", subject.simple()),
                fingerprint: subject,
            };
            let mut next = book.clone();
            next.evidence(&step, EvidenceOrder { dispute: id }, (now, until))?;
            let flight = self.inner.flights.begin(&step.key).await;
            let turn = desk.turn().await.map_err(|_| Error::ConnectorBusy)?;
            match self
                .save_evidence(&book, &mut next, (key, &step, &pieces))
                .await
            {
                Ok(()) => {}
                Err(CommitError::Stale) => continue,
                Err(error) if IdempotencyKey::lost(&error) => {
                    key.find(self.store().database()).await?;
                    let dispute = self.visible_dispute(principal, id).await?;
                    return Ok(Outcome::AlreadyApplied(dispute));
                }
                Err(error) => return Err(error.into()),
            }
            let Some(sending) = self.sending(&next, &step.key).await? else {
                return Ok(Outcome::Applied(dispute));
            };
            let book = self.fly(next, (step.key, sending), (flight, turn)).await?;
            return Ok(Outcome::Applied(of_book(&book, id).unwrap_or(dispute)));
        }
        Err(Error::Contended)
    }

    /// Operation, pieces and key in one commit.
    async fn save_evidence(
        &self,
        before: &Book,
        after: &mut Book,
        (key, step, pieces): (&IdempotencyKey, &StepKey, &[EvidencePiece]),
    ) -> Result<(), CommitError> {
        let mut changes = ChangeSet::new();
        store::update_book(&mut changes, before, after);
        let operation: Option<&Operation> = after.operation(&step.key);
        if let Some(operation) = operation {
            store::insert_evidence(&mut changes, operation, pieces);
            key.record(&mut changes, operation.subject, self.now());
        }
        self.publisher(&mut changes).book(after);
        self.inner.writer.commit(changes).await
    }

    /// A dispute that the principal may see.
    pub(crate) async fn visible_dispute(
        &self,
        principal: &Principal,
        id: DisputeId,
    ) -> Result<Dispute, Error> {
        let dispute = self.store().dispute(id).await?;
        dispute
            .filter(|dispute| access::sees_dispute(principal, dispute))
            .ok_or(Error::DisputeNotFound)
    }
}

// === free functions ===

fn of_book(book: &Book, id: DisputeId) -> Option<Dispute> {
    book.disputes
        .iter()
        .find(|dispute| dispute.id == id)
        .cloned()
}
