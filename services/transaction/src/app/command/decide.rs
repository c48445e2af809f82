//! Commands about a saga that waits: they change it where it waits and drive it on.

use std::time::Duration;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::{CommitError, Principal, Timestamp};
use paymesh_money::Money;

use super::{Done, Keyed, is_running, key_of};
use crate::{
    app::{App, DECISIONS, Outcome, Whole},
    domain::{
        DisputeId, OperationId, TransactionId,
        command::{self, Rejection, ReviewVerdict, Source, Taken},
        fact::ChargebackStage,
        ids::ResolutionId,
        operation::OperationKind,
        saga::{StepKind, StepState, Wait},
        status::Status,
        template::Kept,
        transaction::{Resolution, ResolutionRequest, Transaction},
        work::Work,
    },
    error::Error,
    store,
};

/// What settlement says of a payout or withdrawal.
#[derive(Clone, Debug)]
pub(crate) struct BankWord {
    pub(crate) transaction: TransactionId,
    pub(crate) expected_version: i64,
    pub(crate) status: Status,
    pub(crate) reason: String,
    /// Settlement's own id.
    pub(crate) reference: String,
}

/// What the scheme says of a dispute.
#[derive(Clone, Debug)]
pub(crate) struct ChargebackWord {
    pub(crate) dispute: DisputeId,
    pub(crate) transaction: TransactionId,
    pub(crate) stage: ChargebackStage,
    pub(crate) amount: Option<Money>,
    pub(crate) connector_fee: Option<Money>,
    pub(crate) reason: String,
    pub(crate) business_at: Option<Timestamp>,
}

/// What a decision about a waiting saga came to.
enum Decided {
    /// Store it and drive on.
    Go(Box<Work>),
    /// It was decided so before.
    Before(Box<Work>),
}

// === impl App ===

impl App {
    /// Calls a transaction off before it is captured.
    pub(crate) async fn cancel(
        &self,
        principal: &Principal,
        keyed: Keyed,
        reason: &str,
    ) -> Result<Outcome<Whole>, Error> {
        let key = key_of(principal, "CancelTransaction", &keyed)?;
        let (id, wait) = (keyed.transaction, self.patience(keyed.wait_ms));
        let decide =
            |work: Work| command::cancel(work, reason).map(|work| Decided::Go(Box::new(work)));
        self.change(principal, (id, wait), Some(&key), decide).await
    }

    /// A person lets a transaction in review go on, or declines it.
    pub(crate) async fn review(
        &self,
        principal: &Principal,
        (id, wait_ms): (TransactionId, Option<i32>),
        verdict: ReviewVerdict,
    ) -> Result<Outcome<Whole>, Error> {
        let wanted = match verdict {
            ReviewVerdict::Approve => StepState::Done,
            ReviewVerdict::Reject(_) => StepState::Declined,
        };
        let moment = self.moment();
        let decide = |work: Work| {
            let step = work.operation.saga.find(StepKind::Review);
            if step.is_some_and(|step| step.state == wanted) {
                return Ok(Decided::Before(Box::new(work)));
            }
            command::review(work, verdict.clone(), principal, moment)
                .map(|work| Decided::Go(Box::new(work)))
        };
        self.change(principal, (id, self.patience(wait_ms)), None, decide)
            .await
    }

    /// First person: asks for a stuck transaction to be resolved.
    pub(crate) async fn request_resolution(
        &self,
        principal: &Principal,
        id: TransactionId,
        (resolution, reason): (Resolution, String),
    ) -> Result<Outcome<Whole>, Error> {
        let moment = self.moment();
        let request = ResolutionRequest {
            id: self.inner.ids.next(),
            resolution,
            reason,
            requested_by: principal.subject.clone(),
            requested_at: moment.now,
            approved: None,
        };
        let decide = |work: Work| {
            let open = work.transaction.details.resolution.as_ref();
            let is_same = open.is_some_and(|open| {
                open.approved.is_none()
                    && open.resolution == request.resolution
                    && open.requested_by == request.requested_by
            });
            if is_same && work.transaction.status == Status::Stuck {
                return Ok(Decided::Before(Box::new(work)));
            }
            command::request_resolution(work, request.clone(), principal, moment)
                .map(|work| Decided::Go(Box::new(work)))
        };
        self.change(principal, (id, Duration::ZERO), None, decide)
            .await
    }

    /// Second person: approves, and the resolution is carried out.
    pub(crate) async fn approve_resolution(
        &self,
        principal: &Principal,
        id: TransactionId,
        request: ResolutionId,
    ) -> Result<Outcome<Whole>, Error> {
        let moment = self.moment();
        let by = principal.subject.as_str();
        let decide = |work: Work| {
            let known = work.transaction.details.resolution.as_ref();
            if known.is_some_and(|known| {
                known.id == request && known.approved.as_ref().is_some_and(|(who, _)| who == by)
            }) {
                return Ok(Decided::Before(Box::new(work)));
            }
            command::approve_resolution(work, request, principal, moment)
                .map(|work| Decided::Go(Box::new(work)))
        };
        self.change(principal, (id, self.patience(None)), None, decide)
            .await
    }

    /// Settlement says how far the bank is.
    pub(crate) async fn bank_status(
        &self,
        principal: &Principal,
        word: BankWord,
    ) -> Result<Outcome<Whole>, Error> {
        let moment = self.moment();
        let decide = |work: Work| {
            let sent = work.operation.saga.find(StepKind::Payout);
            let said_before =
                sent.is_some_and(|step| step.is_settled() && step.reference == word.reference);
            let is_there = work.transaction.status == word.status;
            if is_there || (said_before && word.status == Status::Completed) {
                return Ok(Decided::Before(Box::new(work)));
            }
            let mut work = command::bank_status(
                work,
                word.expected_version,
                word.status,
                &word.reason,
                moment,
            )?;
            if let Some(step) = work.operation.saga.find_mut(StepKind::Payout) {
                step.reference.clone_from(&word.reference);
            }
            Ok(Decided::Go(Box::new(work)))
        };
        self.change(
            principal,
            (word.transaction, self.patience(None)),
            None,
            decide,
        )
        .await
    }

    /// Books a chargeback, gives it back, or marks it as lost.
    pub(crate) async fn chargeback(
        &self,
        principal: &Principal,
        word: ChargebackWord,
    ) -> Result<Outcome<Done>, Error> {
        let business_at = self
            .business_time_as_self(principal, word.business_at)
            .await?;
        for _ in 0..DECISIONS {
            let transaction = self.visible(principal, word.transaction).await?;
            let (id, decided) = self
                .chargeback_work(transaction, &word, business_at)
                .await?;
            let mut work = match decided {
                Decided::Go(work) => *work,
                Decided::Before(work) => {
                    let work = self.rested(work.operation.id, self.patience(None)).await?;
                    return Ok(Outcome::AlreadyApplied((
                        self.whole(work.transaction).await?,
                        id,
                    )));
                }
            };
            let permit = self.permit()?;
            let origin = self.origin(principal);
            if !work.operation.state.is_end() {
                self.name_quote(&mut work);
                self.lease(&mut work);
            }
            match self.commit_passing(&mut work, &origin, None).await {
                Ok(()) => {}
                // Somebody else recorded the same dispute, or changed the transaction.
                Err(CommitError::Stale | CommitError::Duplicate { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            let work = self
                .drive_and_wait(work, origin, permit, self.patience(None))
                .await?;
            return Ok(Outcome::Applied((self.whole(work.transaction).await?, id)));
        }
        Err(Error::Contended)
    }

    async fn chargeback_work(
        &self,
        transaction: Transaction,
        word: &ChargebackWord,
        business_at: Timestamp,
    ) -> Result<(OperationId, Decided), Error> {
        let moment = self.moment();
        let opened = OperationId::from(word.dispute.as_uuid());
        let booked = store::work(&self.inner.database, opened).await?;
        if let Some(known) = &booked
            && !is_same_dispute(known, &transaction, word)
        {
            return Err(Rejection::DisputeReused.into());
        }
        match (word.stage, booked) {
            (ChargebackStage::Opened, Some(work)) => Ok((opened, Decided::Before(Box::new(work)))),
            (ChargebackStage::Opened, None) => {
                self.check_connector_fee(&transaction, word)?;
                let taken = Taken {
                    dispute: word.dispute,
                    amount: word
                        .amount
                        .ok_or_else(|| Error::field("amount", "must be set"))?,
                    connector_fee: word.connector_fee,
                    reason: word.reason.clone(),
                    business_at,
                };
                let work = command::chargeback(transaction, taken, Source::Person, moment)?;
                Ok((opened, Decided::Go(Box::new(work))))
            }
            (_, None) => Err(Rejection::NoChargeback.into()),
            (ChargebackStage::Won, Some(booked)) => {
                let id = OperationId::reversal_of(word.dispute);
                if let Some(known) = store::work(&self.inner.database, id).await? {
                    return Ok((id, Decided::Before(Box::new(known))));
                }
                // Who does not say what the connector keeps says that it keeps its fee: most do.
                let kept = word.connector_fee.map_or(Kept::All, Kept::Part);
                let booked = &booked.operation;
                let mut work = command::chargeback_won(transaction, booked, kept, moment)?;
                work.operation.details.business_at = business_at;
                Ok((id, Decided::Go(Box::new(work))))
            }
            (ChargebackStage::Lost, Some(booked)) => {
                if booked.operation.details.is_lost {
                    return Ok((opened, Decided::Before(Box::new(booked))));
                }
                let won = OperationId::reversal_of(word.dispute);
                if store::work(&self.inner.database, won).await?.is_some() {
                    return Err(Rejection::NoChargeback.into());
                }
                let work = command::chargeback_lost(transaction, booked.operation, moment)?;
                Ok((opened, Decided::Go(Box::new(work))))
            }
        }
    }

    /// A connector charges a fee for a dispute; it is booked as it is said, so it has to be one.
    fn check_connector_fee(
        &self,
        transaction: &Transaction,
        word: &ChargebackWord,
    ) -> Result<(), Error> {
        let Some(fee) = word.connector_fee else {
            return Ok(());
        };
        let currency = transaction.currency();
        if fee.currency() != currency {
            let rule = format!("must be in the transaction's currency, {}", currency.code());
            return Err(Error::field("connector_fee", rule));
        }
        let charged_back = word.amount.map_or(0, Money::minor);
        let limit = charged_back.max(self.inner.config.max_connector_fee_minor);
        if fee.minor() > limit {
            let rule = format!("must be at most {}", transaction.money(limit));
            return Err(Error::field("connector_fee", rule));
        }
        Ok(())
    }

    /// Changes the main saga of a transaction where it waits, stores that, and drives it on.
    async fn change(
        &self,
        principal: &Principal,
        (id, wait): (TransactionId, Duration),
        key: Option<&IdempotencyKey>,
        decide: impl Fn(Work) -> Result<Decided, Rejection>,
    ) -> Result<Outcome<Whole>, Error> {
        let origin = self.origin(principal);
        for _ in 0..DECISIONS {
            self.visible(principal, id).await?;
            // A saga at work comes to rest soon; what it comes to decides.
            let work = self.rested(command::main_id(id), wait).await?;
            let is_leased = work.operation.is_leased(self.now()) && is_running(&work);
            let decided = if is_leased {
                Err(Rejection::Busy)
            } else {
                decide(work)
            };
            let mut work = match (decided, key) {
                (Ok(Decided::Go(work)), _) => *work,
                (Ok(Decided::Before(work)), _) => {
                    return Ok(Outcome::AlreadyApplied(self.whole(work.transaction).await?));
                }
                (Err(rejection), Some(key)) => {
                    return self.repeat_main(key, wait, Some(rejection.into())).await;
                }
                (Err(rejection), None) => return Err(rejection.into()),
            };
            let permit = self.permit()?;
            let rests = work.operation.state.is_end() || work.operation.saga.wait != Wait::Nothing;
            if !rests {
                self.lease(&mut work);
            }
            match self.commit_passing(&mut work, &origin, key).await {
                Ok(()) => {}
                Err(CommitError::Stale) => continue,
                Err(error) if key.is_some() && IdempotencyKey::lost(&error) => {
                    return match key {
                        Some(key) => self.repeat_main(key, wait, None).await,
                        None => Err(error.into()),
                    };
                }
                Err(error) => return Err(error.into()),
            }
            let work = if rests {
                self.inner.signals.tell(id);
                work
            } else {
                self.drive_and_wait(work, origin.clone(), permit, wait)
                    .await?
            };
            return Ok(Outcome::Applied(self.whole(work.transaction).await?));
        }
        Err(Error::Contended)
    }
}

/// True when what is recorded under the dispute's id is what is said now.
fn is_same_dispute(known: &Work, transaction: &Transaction, word: &ChargebackWord) -> bool {
    let of = &known.operation;
    let opens = word.stage == ChargebackStage::Opened;
    of.kind == OperationKind::Chargeback
        && known.transaction.id == transaction.id
        && (!opens || word.amount.is_none_or(|amount| amount == of.amount))
        && (!opens
            || word
                .connector_fee
                .is_none_or(|fee| of.details.connector_fee == Some(fee)))
}
