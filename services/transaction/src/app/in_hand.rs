//! Purchases of which this process knows, without a look, that news of their attempts change nothing: it drives them forward under
//! its lease, and the answers of its calls say as much, or it has brought them to a good end.
//!
//! Most facts of payment are about these. What is not known here is looked up.

use std::sync::Arc;

use paymesh_kernel::{Clock, Timestamp};

use crate::{
    clients::cache::{Cache, Limits},
    domain::{
        CaptureId, TransactionId,
        operation::{OperationKind, OperationState},
        work::Work,
    },
};

/// A purchase in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    /// Its own capture. Those of later operations are looked up.
    capture: CaptureId,
    /// When nobody else may drive it before; none once it has ended well.
    until: Option<Timestamp>,
}

/// All of them, in a bounded number.
#[derive(Clone, Debug)]
pub(super) struct InHand {
    known: Cache<TransactionId, Known>,
    clock: Arc<dyn Clock>,
}

// === impl InHand ===

impl InHand {
    pub(super) fn new(limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            known: Cache::new(limits, Arc::clone(&clock)),
            clock,
        }
    }

    /// Notes how it stands, before each step and at the end of a drive.
    pub(super) fn note(&self, work: &Work) {
        let operation = &work.operation;
        let Some(capture) = operation.details.capture else {
            return;
        };
        if operation.kind != OperationKind::Main {
            return;
        }
        let id = work.transaction.id;
        let lease = operation.lease.as_ref().map(|lease| lease.until);
        match lease {
            _ if operation.state == OperationState::Completed => self.keep(id, capture, None),
            Some(until) if work.goes_forward() => self.keep(id, capture, Some(until)),
            Some(_) | None => self.lose(id),
        }
    }

    fn keep(&self, id: TransactionId, capture: CaptureId, until: Option<Timestamp>) {
        self.known.put(id, Known { capture, until });
    }

    /// It is in nobody's hands, as far as this process knows.
    pub(super) fn lose(&self, id: TransactionId) {
        self.known.remove(&id);
    }

    /// Whether news of its attempt, or of the given capture, change nothing.
    pub(super) fn needs_no_news(&self, id: TransactionId, capture: Option<CaptureId>) -> bool {
        self.known.get(&id).is_some_and(|known| {
            capture.is_none_or(|capture| capture == known.capture)
                && known.until.is_none_or(|until| self.clock.now() < until)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use paymesh_kernel::id::reexport::Uuid;
    use paymesh_testkit::FakeClock;

    use super::*;

    const TRANSACTION: u128 = 1;
    const OWN: u128 = 2;
    const LATER: u128 = 3;

    fn needs(in_hand: &InHand, capture: Option<u128>) -> bool {
        let capture = capture.map(|id| CaptureId::from(Uuid::from_u128(id)));
        !in_hand.needs_no_news(Uuid::from_u128(TRANSACTION).into(), capture)
    }

    #[test]
    fn news_are_looked_up_when_somebody_else_may_have_changed_the_purchase() {
        let clock = FakeClock::new();
        let limits = Limits {
            entries: 10,
            age: Duration::MAX,
        };
        let in_hand = InHand::new(limits, Arc::new(clock.clone()));
        let id = TransactionId::from(Uuid::from_u128(TRANSACTION));
        let own = CaptureId::from(Uuid::from_u128(OWN));
        assert!(needs(&in_hand, None), "nothing is known of it");
        let until = clock.now().plus(Duration::from_secs(30));
        in_hand.keep(id, own, Some(until));
        assert!(!needs(&in_hand, None));
        assert!(!needs(&in_hand, Some(OWN)));
        assert!(needs(&in_hand, Some(LATER)), "a capture of its own");
        clock.advance(Duration::from_secs(30));
        assert!(needs(&in_hand, None), "the lease has ended");
        in_hand.keep(id, own, None);
        assert!(!needs(&in_hand, None), "it has ended well");
        in_hand.lose(id);
        assert!(needs(&in_hand, None));
    }
}
