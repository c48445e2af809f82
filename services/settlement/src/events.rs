//! Facts: those told to others, and those of transactions, which say when something is due and what waits for the bank.

pub(crate) mod consumed;

use paymesh_bus::Event;
use paymesh_kernel::{ChangeSet, Ids, Timestamp, call, id::TenantId};
use paymesh_proto::{Fact as Contract, settlement::v1 as wire};
use uuid::Uuid;

use crate::{
    domain::{
        batch::{Batch, Position},
        difference::Break,
        payout::{Fact, Payout},
        reconciliation::Reconciliation,
        statement::Statement,
    },
    proto,
};

/// Positions that ride in the fact of a batch.
const POSITIONS_LIMIT: usize = 1_000;

/// Where a fact belongs.
struct About {
    tenant: TenantId,
    aggregate: Uuid,
    sequence: i64,
    occurred_at: Timestamp,
    business_at: Timestamp,
}

/// A batch is closed.
pub(crate) fn batch_closed(
    changes: &mut ChangeSet,
    ids: &Ids,
    (batch, positions): (&Batch, &[Position]),
    now: Timestamp,
) {
    let fact = wire::SettlementProcessed {
        batch: Some(proto::batch(batch)),
        positions: positions
            .iter()
            .take(POSITIONS_LIMIT)
            .map(proto::position)
            .collect(),
        positions_complete: positions.len() <= POSITIONS_LIMIT,
    };
    publish(changes, ids, &fact, &about_batch(batch, now));
}

/// A position of a batch is released; the batch numbers the facts of its positions.
pub(crate) fn released(
    changes: &mut ChangeSet,
    ids: &Ids,
    (batch, position): (&Batch, &Position),
    now: Timestamp,
) {
    let fact = wire::PositionReleased {
        position: Some(proto::position(position)),
        released_at_us: now.as_micros(),
    };
    publish(changes, ids, &fact, &about_batch(batch, now));
}

fn about_batch(batch: &Batch, now: Timestamp) -> About {
    About {
        tenant: batch.tenant,
        aggregate: batch.id.as_uuid(),
        sequence: batch.event_sequence,
        occurred_at: now,
        business_at: now,
    }
}

/// What happened to a payout.
pub(crate) fn payout(
    changes: &mut ChangeSet,
    ids: &Ids,
    (payout, fact): (&Payout, Fact),
    now: Timestamp,
) {
    let about = About {
        tenant: payout.tenant,
        aggregate: payout.id.as_uuid(),
        sequence: payout.event_sequence,
        occurred_at: now,
        business_at: payout.business_at,
    };
    let payout = Some(proto::payout(payout));
    match fact {
        Fact::Created => publish(changes, ids, &wire::PayoutCreated { payout }, &about),
        Fact::Sent => publish(changes, ids, &wire::PayoutSent { payout }, &about),
        Fact::Confirmed => publish(changes, ids, &wire::PayoutConfirmed { payout }, &about),
        Fact::Returned => publish(changes, ids, &wire::PayoutReturned { payout }, &about),
        Fact::Failed => publish(changes, ids, &wire::PayoutFailed { payout }, &about),
    }
}

/// A statement was imported, which has one fact.
pub(crate) fn imported(changes: &mut ChangeSet, ids: &Ids, statement: &Statement) {
    let about = About {
        tenant: statement.tenant,
        aggregate: statement.id.as_uuid(),
        sequence: 1,
        occurred_at: statement.imported_at,
        business_at: statement.imported_at,
    };
    let fact = wire::StatementImported {
        statement: Some(proto::statement(statement)),
    };
    publish(changes, ids, &fact, &about);
}

/// A reconciliation has run, which has one fact.
pub(crate) fn reconciled(changes: &mut ChangeSet, ids: &Ids, of: &Reconciliation) {
    let about = About {
        tenant: of.tenant,
        aggregate: of.id.as_uuid(),
        sequence: 1,
        occurred_at: of.finished_at,
        business_at: of.finished_at,
    };
    let fact = wire::ReconciliationCompleted {
        reconciliation: Some(proto::reconciliation(of)),
    };
    publish(changes, ids, &fact, &about);
}

/// Something does not agree.
pub(crate) fn break_opened(changes: &mut ChangeSet, ids: &Ids, item: &Break) {
    let fact = wire::BreakOpened {
        item: Some(proto::difference(item)),
    };
    publish(changes, ids, &fact, &about_break(item, item.opened_at));
}

/// A break is resolved or written off.
pub(crate) fn break_closed(changes: &mut ChangeSet, ids: &Ids, item: &Break, now: Timestamp) {
    let fact = wire::BreakClosed {
        item: Some(proto::difference(item)),
    };
    publish(changes, ids, &fact, &about_break(item, now));
}

fn about_break(item: &Break, now: Timestamp) -> About {
    About {
        tenant: item.tenant,
        aggregate: item.id.as_uuid(),
        sequence: item.event_sequence,
        occurred_at: now,
        business_at: now,
    }
}

fn publish<F: Contract>(changes: &mut ChangeSet, ids: &Ids, fact: &F, about: &About) {
    let request_id = call::current().map_or_else(String::new, |scope| scope.request_id.to_string());
    paymesh_bus::publish(
        changes,
        Event {
            id: ids.next(),
            tenant: Some(about.tenant),
            stream: F::COMPONENT.into(),
            kind: F::TYPE.into(),
            aggregate_type: F::AGGREGATE.into(),
            aggregate_id: about.aggregate,
            sequence: about.sequence,
            causation_id: request_id.clone(),
            correlation_id: request_id,
            occurred_at: about.occurred_at,
            business_at: about.business_at,
            traceparent: None,
            payload: fact.encode_to_vec(),
        },
    );
}
