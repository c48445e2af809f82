//! Commands that begin an operation: captures, refunds, chargebacks, and what is given back because it came too late.

use paymesh_money::Money;

use super::{Ask, Finality, Rejection};
use crate::domain::{
    DisputeId, OperationId,
    fact::ChargebackStage,
    operation::{Operation, OperationDetails, OperationKind, OperationState},
    policy::Moment,
    saga::{Flow, Saga, StepKind},
    status::{Kind, Status},
    template::{self, Kept},
    transaction::Transaction,
    work::Work,
};

/// Begins a capture. Captures are done one after the other, because each is charged on the running total.
///
/// # Errors
/// When the transaction is not authorized, another capture is at work, or the amount is more than what is left.
pub fn capture(
    transaction: Transaction,
    ask: Ask,
    finality: Finality,
    moment: Moment,
) -> Result<Work, Rejection> {
    if transaction.kind != Kind::Purchase {
        return Err(Rejection::Kind {
            kind: transaction.kind,
            what: "captured",
        });
    }
    if transaction.sums.capturing > 0 {
        return Err(Rejection::Busy);
    }
    if transaction.status != Status::Authorized {
        return Err(Rejection::State {
            status: transaction.status,
            needed: "authorized",
        });
    }
    let left = transaction.sums.capturable();
    let amount = amount_of(&transaction, ask.amount, left, "captured")?;
    let flow = if transaction.is_external() {
        Flow::Capture
    } else {
        Flow::CaptureHeld
    };
    let mut details = OperationDetails::new(ask.business_at);
    details.is_final = finality == Finality::Last || amount.minor() == left;
    details.reason = ask.reason;
    let saga = Saga::new(flow, |_| true);
    let operation = operation(
        &transaction,
        Head {
            id: ask.id,
            kind: OperationKind::Capture,
            amount,
        },
        saga,
        details,
        moment,
    );
    let mut work = Work::loaded(transaction, operation);
    work.touch(moment.now);
    work.transaction.sums.capturing = amount.minor();
    Ok(work)
}

/// Begins a refund.
///
/// # Errors
/// When nothing is captured, or the amount is more than what is left.
pub fn refund(transaction: Transaction, ask: Ask, moment: Moment) -> Result<Work, Rejection> {
    if !matches!(transaction.kind, Kind::Purchase | Kind::TopUp) {
        return Err(Rejection::Kind {
            kind: transaction.kind,
            what: "refunded",
        });
    }
    if transaction.sums.captured == 0 {
        return Err(Rejection::State {
            status: transaction.status,
            needed: "captured",
        });
    }
    let left = transaction.sums.refundable();
    let amount = amount_of(&transaction, ask.amount, left, "refunded")?;
    let flow = if transaction.is_external() {
        Flow::Refund
    } else {
        Flow::RefundInternal
    };
    let crosses = transaction.crosses();
    let saga = Saga::new(flow, |kind| {
        crosses || !matches!(kind, StepKind::Quote | StepKind::ConsumeQuote)
    });
    let mut details = OperationDetails::new(ask.business_at);
    details.reason = ask.reason;
    let operation = operation(
        &transaction,
        Head {
            id: ask.id,
            kind: OperationKind::Refund,
            amount,
        },
        saga,
        details,
        moment,
    );
    let mut work = Work::loaded(transaction, operation);
    work.touch(moment.now);
    work.transaction.sums.refunding = work
        .transaction
        .sums
        .refunding
        .saturating_add(amount.minor());
    Ok(work)
}

/// What the scheme took.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Names it.
    pub dispute: DisputeId,
    /// In the transaction's currency.
    pub amount: Money,
    /// Of the connector.
    pub connector_fee: Option<Money>,
    /// Scheme's code.
    pub reason: String,
    /// Business time.
    pub business_at: paymesh_kernel::Timestamp,
}

/// Who says that the scheme took money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A person. More than what is left is a mistake, and is refused.
    Person,
    /// The provider. The money is gone, so nobody can refuse it: what is more than what is left is booked all the same, beyond
    /// what was captured.
    Provider,
}

/// Begins a chargeback. Its amount is reserved and the transaction touched, so that whatever else takes money out of the same
/// transaction at the same time is decided again.
///
/// # Errors
/// When the payer did not pay through a provider, nothing was captured, or a person says more than what is left.
pub fn chargeback(
    transaction: Transaction,
    taken: Taken,
    source: Source,
    moment: Moment,
) -> Result<Work, Rejection> {
    if transaction.details.attempt.is_none() {
        return Err(Rejection::Kind {
            kind: transaction.kind,
            what: "charged back",
        });
    }
    let left = match source {
        Source::Person => transaction.sums.refundable(),
        Source::Provider => transaction.sums.captured,
    };
    let amount = amount_of(&transaction, Some(taken.amount), left, "charged back")?;
    let crosses = transaction.crosses();
    let saga = Saga::new(Flow::Chargeback, |kind| crosses || kind == StepKind::Post);
    let mut details = OperationDetails::new(taken.business_at);
    details.reason = taken.reason;
    details.dispute = Some(taken.dispute);
    details.connector_fee = taken.connector_fee;
    let id = OperationId::from(taken.dispute.as_uuid());
    let operation = operation(
        &transaction,
        Head {
            id,
            kind: OperationKind::Chargeback,
            amount,
        },
        saga,
        details,
        moment,
    );
    let mut work = Work::loaded(transaction, operation);
    work.touch(moment.now);
    work.transaction.sums.reserve_forced(amount.minor());
    Ok(work)
}

/// Gives a chargeback back at its original figures, less what the connector keeps of its fee: the dispute is won.
///
/// # Errors
/// When it is not booked.
pub fn chargeback_won(
    transaction: Transaction,
    booked: &Operation,
    kept: Kept,
    moment: Moment,
) -> Result<Work, Rejection> {
    let dispute = booked.details.dispute.ok_or(Rejection::NoChargeback)?;
    if booked.kind != OperationKind::Chargeback
        || booked.state != OperationState::Completed
        || booked.details.is_lost
    {
        return Err(Rejection::NoChargeback);
    }
    let mut details = booked.details.clone();
    details.holds.clear();
    details.booked = template::chargeback_won(&details.booked, kept);
    let saga = Saga::new(Flow::Reversal, |_| true);
    let id = OperationId::reversal_of(dispute);
    let head = Head {
        id,
        kind: OperationKind::ChargebackReversal,
        amount: booked.amount,
    };
    let operation = operation(&transaction, head, saga, details, moment);
    // Won and lost are decided against each other.
    let mut work = Work::loaded(transaction, operation);
    work.touch(moment.now);
    Ok(work)
}

/// Marks a chargeback as lost for good: no money moves any more.
///
/// # Errors
/// When it is not booked.
pub fn chargeback_lost(
    transaction: Transaction,
    booked: Operation,
    moment: Moment,
) -> Result<Work, Rejection> {
    if booked.kind != OperationKind::Chargeback || booked.state != OperationState::Completed {
        return Err(Rejection::NoChargeback);
    }
    let mut work = Work::loaded(transaction, booked);
    if !work.operation.details.is_lost {
        work.operation.details.is_lost = true;
        work.touch(moment.now);
        let minor = work.operation.amount.minor();
        work.transaction.sums.lost = work.transaction.sums.lost.saturating_add(minor);
        work.tell_chargeback(ChargebackStage::Lost, moment.now);
    }
    Ok(work)
}

/// Success came after the transaction had ended without: it is given back at the provider (T12).
#[must_use]
pub fn late_undo(transaction: Transaction, id: OperationId, moment: Moment) -> Work {
    let saga = Saga::new(Flow::LateUndo, |kind| kind == StepKind::Cancel);
    let details = OperationDetails::new(moment.now);
    let head = Head {
        id,
        kind: OperationKind::LateUndo,
        amount: transaction.amount,
    };
    let operation = operation(&transaction, head, saga, details, moment);
    Work::loaded(transaction, operation)
}

fn amount_of(
    transaction: &Transaction,
    asked: Option<Money>,
    left: i64,
    what: &'static str,
) -> Result<Money, Rejection> {
    let currency = transaction.currency();
    let amount = asked.unwrap_or_else(|| transaction.money(left));
    if amount.currency() != currency {
        return Err(Rejection::Currency { currency });
    }
    if amount.minor() > left || amount.minor() <= 0 {
        return Err(Rejection::TooMuch {
            left: transaction.money(left),
            what,
        });
    }
    Ok(amount)
}

/// What an operation is, under which id, and of how much.
#[derive(Clone, Copy)]
struct Head {
    id: OperationId,
    kind: OperationKind,
    amount: Money,
}

fn operation(
    transaction: &Transaction,
    head: Head,
    saga: Saga,
    details: OperationDetails,
    moment: Moment,
) -> Operation {
    let Head { id, kind, amount } = head;
    Operation {
        id,
        tenant: transaction.tenant,
        transaction: transaction.id,
        kind,
        state: OperationState::Pending,
        amount,
        version: 0,
        lease: None,
        next_wake_at: Some(moment.now),
        failures: 0,
        saga,
        details,
        created_at: moment.now,
        finished_at: None,
    }
}
