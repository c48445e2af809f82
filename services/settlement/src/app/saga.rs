//! The saga of a payout: each step is a call whose ids were committed before it, and a commit of what came of it (P2–P5).

use std::time::Duration;

use futures::StreamExt as _;
use paymesh_kernel::{ChangeSet, CommitError, Fault as _, error::chain};
use paymesh_mesh::CallError;

use super::{App, DECISIONS, contended, payouts::NOT_COVERED};
use crate::{
    bank::{Seen, Sent},
    clients::{
        ledger::{Account, Code, Leg, Move, Verdict},
        transactions::BankWord,
    },
    domain::{
        ids::{PayoutId, TransferId},
        payout::{OwnerKind, Payout, Rejection, Step, Word, decide},
    },
    error::Error,
    events, store,
};

/// Payouts taken up in one round.
const ROUND: u64 = 256;
/// Steps of one payout in a row: there are fewer on the way from reservation to statement.
const STEPS: u32 = 8;

// === impl App ===

impl App {
    /// Takes up what is due, a bounded number beside each other. Says whether more may wait.
    pub(super) async fn drive_payouts(&self) -> Result<bool, Error> {
        let due = store::payouts::due(self.database(), self.now(), ROUND).await?;
        let is_full = u64::try_from(due.len()).unwrap_or(u64::MAX) >= ROUND;
        let at_once = self.parts.settings.payouts_at_once;
        futures::stream::iter(due)
            .for_each_concurrent(at_once, |id| async move {
                if let Err(error) = self.drive(id).await {
                    tracing::warn!(payout = %id, reason = error.reason(), error = chain(&error), "a payout cannot be looked after now");
                }
            })
            .await;
        Ok(is_full)
    }

    async fn drive(&self, id: PayoutId) -> Result<(), Error> {
        for _ in 0..STEPS {
            let Some(payout) = store::payouts::find(self.database(), id).await? else {
                return Ok(());
            };
            if payout.next_wake_at.is_none_or(|at| at > self.now()) {
                return Ok(());
            }
            // What is to be done is what stood there before the lease: a lease on sending is remembered as a question.
            let step = payout.step;
            let until = self.lease();
            let Some(taken) = self.told(id, Word::Taken { until }).await? else {
                return Ok(());
            };
            match step {
                Step::Reserve => {
                    self.step_reserve(&taken).await?;
                }
                Step::Hold => self.step_hold(&taken).await?,
                Step::Send => self.step_send(&taken).await?,
                Step::Look => self.step_look(&taken).await?,
                Step::Post => self.step_book(&taken, BankWord::Sent).await?,
                Step::Void => self.step_book(&taken, BankWord::NotSent).await?,
                Step::Confirm | Step::Done => return Ok(()),
            }
        }
        Ok(())
    }

    /// Reserves the money. The same transfer each time, so it is reserved once.
    pub(super) async fn step_reserve(&self, payout: &Payout) -> Result<Payout, Error> {
        let leg = leg(payout, (payout.hold(), Move::Pending));
        let posted = self.parts.ledger.post_one(payout.tenant, vec![leg]).await;
        let word = match posted {
            Ok(Verdict::Booked) => Word::Reserved,
            Ok(Verdict::NotCovered) => Word::NotReserved {
                reason: NOT_COVERED.to_owned(),
            },
            Ok(Verdict::PeriodClosed) => Word::NotReserved {
                reason: "PERIOD_CLOSED".to_owned(),
            },
            Ok(Verdict::Refused(reason)) => Word::NotReserved { reason },
            Err(error) => {
                self.delay(payout).await?;
                return Err(error.into());
            }
        };
        match self.told(payout.id, word).await? {
            Some(payout) => Ok(payout),
            // Somebody else was faster: what stands there is what came of it.
            None => {
                let found = store::payouts::find(self.database(), payout.id).await?;
                found.ok_or(Error::PayoutNotFound)
            }
        }
    }

    async fn step_send(&self, payout: &Payout) -> Result<(), Error> {
        let word = match self.parts.bank.send(payout).await {
            Sent::Accepted => Word::Accepted,
            Sent::Refused(reason) => Word::Refused { reason },
            Sent::Later => Word::NotSent {
                again_at: self.again_at(payout.attempts),
            },
            Sent::Unknown => Word::Silent {
                again_at: self.again_at(payout.attempts),
            },
        };
        self.told(payout.id, word).await.map(|_| ())
    }

    /// Asks the bank. That it does not know a payout counts only when none can arrive any more; then it is sent again, under the
    /// same end-to-end id.
    async fn step_look(&self, payout: &Payout) -> Result<(), Error> {
        let again_at = self.again_at(payout.attempts);
        let word = match self.parts.bank.look(payout).await {
            Seen::Accepted => Word::Accepted,
            Seen::Refused(reason) => Word::Refused { reason },
            Seen::Silent => Word::Silent { again_at },
            Seen::Missing => {
                let window = Duration::from_millis(self.parts.settings.bank.arrival_ms);
                let asked_at = payout.asked_at.unwrap_or(payout.created_at);
                if self.now().since(asked_at) >= window {
                    Word::NeverArrived
                } else {
                    Word::Silent { again_at }
                }
            }
        };
        self.told(payout.id, word).await.map(|_| ())
    }

    /// Books or releases the reservation, ours or the transaction's.
    async fn step_book(&self, payout: &Payout, bank: BankWord) -> Result<(), Error> {
        let word = match bank {
            BankWord::Sent => Word::Posted,
            BankWord::NotSent => Word::Voided,
        };
        match self.book(payout, bank).await {
            Ok(Verdict::Booked) => {
                self.told(payout.id, word).await?;
                Ok(())
            }
            Ok(verdict) => {
                self.delay(payout).await?;
                Err(Error::Refused(format!("{verdict:?}")))
            }
            Err(error) => {
                self.delay(payout).await?;
                Err(error.into())
            }
        }
    }

    async fn book(&self, payout: &Payout, bank: BankWord) -> Result<Verdict, CallError> {
        let Some(transaction) = payout.transaction else {
            let (id, by) = match bank {
                BankWord::Sent => (payout.post(), Move::Post(payout.hold())),
                BankWord::NotSent => (payout.void(), Move::Void(payout.hold())),
            };
            let leg = leg(payout, (id, by));
            return self.parts.ledger.post_one(payout.tenant, vec![leg]).await;
        };
        let reason = match bank {
            BankWord::Sent => "SENT_BY_BANK",
            BankWord::NotSent => "REFUSED_BY_BANK",
        };
        let of = (transaction, payout.id);
        let tell = self
            .parts
            .transactions
            .tell(payout.tenant, of, (bank, reason));
        tell.await.map(|()| Verdict::Booked)
    }

    pub(super) async fn delay(&self, payout: &Payout) -> Result<(), Error> {
        let again_at = self.again_at(payout.attempts);
        self.told(payout.id, Word::Delayed { again_at })
            .await
            .map(|_| ())
    }

    /// Commits what happened to a payout; None when it says nothing new.
    pub(super) async fn told(&self, id: PayoutId, word: Word) -> Result<Option<Payout>, Error> {
        match self.tell(id, word).await? {
            Ok(payout) => Ok(Some(payout)),
            Err(_) => Ok(None),
        }
    }

    /// The same, with the reason when it does not apply.
    pub(super) async fn tell(
        &self,
        id: PayoutId,
        word: Word,
    ) -> Result<Result<Payout, Rejection>, Error> {
        for _ in 0..DECISIONS {
            let found = store::payouts::find(self.database(), id).await?;
            let before = found.ok_or(Error::PayoutNotFound)?;
            let now = self.now();
            let (payout, fact) = match decide(&before, word.clone(), now) {
                Ok(decided) => decided,
                Err(rejection) => return Ok(Err(rejection)),
            };
            let mut changes = ChangeSet::new();
            store::payouts::update(&mut changes, &payout);
            if let Some(fact) = fact {
                events::payout(&mut changes, &self.parts.ids, (&payout, fact), now);
            }
            match self.commit(changes).await {
                Ok(()) => return Ok(Ok(payout)),
                Err(CommitError::Stale) => {}
                Err(error) => return Err(error.into()),
            }
        }
        contended()
    }
}

/// A leg between the owner's account and payouts that are under way.
fn leg(payout: &Payout, (id, by): (TransferId, Move)) -> Leg {
    Leg {
        id,
        by,
        debit: Account::Id(payout.account),
        credit: Account::InTransit,
        amount: payout.amount,
        code: match payout.owner.kind {
            OwnerKind::Merchant => Code::Payout,
            OwnerKind::User => Code::Withdrawal,
        },
        effective_at: None,
    }
}
