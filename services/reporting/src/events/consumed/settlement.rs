//! Batches with their positions, payouts, reconciliations and breaks.

use paymesh_bus::{Event, HandleError};
use paymesh_kernel::{ChangeSet, Timestamp, id::TenantId};
use paymesh_proto::{
    Fact as _,
    settlement::v1::{
        self as wire, BreakClosed, BreakOpened, PayoutConfirmed, PayoutCreated, PayoutFailed,
        PayoutReturned, PayoutSent, PositionReleased, ReconciliationCompleted, SettlementProcessed,
    },
    types::v1::Money,
};

use super::{lacking, read};
use crate::{
    store::settlement::{self, Batch, Break, Payout, Position, Reconciliation},
    wire::{currency, minor, moment, signed, word},
};

pub(super) fn take(
    event: &Event,
    tenant: TenantId,
    changes: &mut ChangeSet,
) -> Result<(), HandleError> {
    match &*event.kind {
        SettlementProcessed::TYPE => take_batch(changes, read(event)?, tenant)?,
        PositionReleased::TYPE => {
            let fact: PositionReleased = read(event)?;
            let position = fact.position.ok_or_else(|| lacking("position"))?;
            let mut row = position_of(position, tenant);
            row.released_at = row.released_at.or(moment(fact.released_at_us));
            settlement::put_position(changes, &row);
        }
        ReconciliationCompleted::TYPE => {
            let fact: ReconciliationCompleted = read(event)?;
            let done = fact.reconciliation;
            let done = done.ok_or_else(|| lacking("reconciliation"))?;
            settlement::put_reconciliation(changes, &reconciliation_of(done, tenant));
        }
        BreakOpened::TYPE => put_break(changes, read::<BreakOpened>(event)?.item, tenant)?,
        BreakClosed::TYPE => put_break(changes, read::<BreakClosed>(event)?.item, tenant)?,
        _ => {
            if let Some(payout) = payout_in(event)? {
                settlement::put_payout(changes, &payout_of(payout, tenant));
            }
        }
    }
    Ok(())
}

fn take_batch(
    changes: &mut ChangeSet,
    fact: SettlementProcessed,
    tenant: TenantId,
) -> Result<(), HandleError> {
    let batch = fact.batch.ok_or_else(|| lacking("batch"))?;
    let row = Batch {
        id: batch.id,
        tenant_id: tenant,
        currency: batch.currency,
        from_height: signed(batch.from_height),
        until_height: signed(batch.until_height),
        is_complete: fact.positions_complete,
        closed_at: Timestamp::from_micros(batch.closed_at_us),
        version: 1,
    };
    settlement::put_batch(changes, &row);
    for position in fact.positions {
        settlement::put_position(changes, &position_of(position, tenant));
    }
    Ok(())
}

fn payout_in(event: &Event) -> Result<Option<wire::Payout>, HandleError> {
    let payout = match &*event.kind {
        PayoutCreated::TYPE => read::<PayoutCreated>(event)?.payout,
        PayoutSent::TYPE => read::<PayoutSent>(event)?.payout,
        PayoutConfirmed::TYPE => read::<PayoutConfirmed>(event)?.payout,
        PayoutReturned::TYPE => read::<PayoutReturned>(event)?.payout,
        PayoutFailed::TYPE => read::<PayoutFailed>(event)?.payout,
        _ => return Ok(None),
    };
    payout.ok_or_else(|| lacking("payout")).map(Some)
}

/// A position as rows have it.
pub(crate) fn position_of(position: wire::Position, tenant: TenantId) -> Position {
    Position {
        batch_id: position.batch_id,
        merchant_id: position.merchant_id,
        tenant_id: tenant,
        currency: position.currency,
        gross_minor: minor(position.gross.as_ref()),
        fees_minor: minor(position.fees.as_ref()),
        refunds_minor: minor(position.refunds.as_ref()),
        chargebacks_minor: minor(position.chargebacks.as_ref()),
        net_minor: minor(position.net.as_ref()),
        transaction_count: signed(position.transaction_count),
        available_at: moment(position.available_at_us),
        released_at: moment(position.released_at_us),
    }
}

fn payout_of(payout: wire::Payout, tenant: TenantId) -> Payout {
    let state = word(payout.state().as_str_name(), "PAYOUT_STATE_");
    let owner = payout.owner.unwrap_or_default();
    Payout {
        id: payout.id,
        tenant_id: tenant,
        state,
        owner_kind: word(owner.kind().as_str_name(), "OWNER_KIND_"),
        owner_id: owner.id,
        account_id: payout.account_id,
        amount_minor: minor(payout.amount.as_ref()),
        currency: currency(payout.amount.as_ref()),
        end_to_end_id: payout.end_to_end_id,
        batch_id: payout.batch_id,
        transaction_id: payout.transaction_id,
        reason: payout.reason,
        created_at: Timestamp::from_micros(payout.created_at_us),
        sent_at: moment(payout.sent_at_us),
        finished_at: moment(payout.finished_at_us),
    }
}

fn reconciliation_of(done: wire::Reconciliation, tenant: TenantId) -> Reconciliation {
    let range = done.range.unwrap_or_default();
    let totals = [&done.ledger_total, &done.provider_total, &done.bank_total];
    let currency = totals
        .iter()
        .find_map(|total| total.as_ref())
        .map_or_else(String::new, |total| total.currency.clone());
    Reconciliation {
        id: done.id,
        tenant_id: tenant,
        currency,
        from_at: moment(range.from_at_us),
        until_at: moment(range.until_at_us),
        ledger_height: signed(done.ledger_height),
        matched_count: signed(done.matched_count),
        break_count: signed(done.break_count),
        ledger_minor: minor(done.ledger_total.as_ref()),
        provider_minor: minor(done.provider_total.as_ref()),
        bank_minor: minor(done.bank_total.as_ref()),
        started_at: Timestamp::from_micros(done.started_at_us),
        finished_at: moment(done.finished_at_us),
    }
}

fn put_break(
    changes: &mut ChangeSet,
    item: Option<wire::Break>,
    tenant: TenantId,
) -> Result<(), HandleError> {
    let item = item.ok_or_else(|| lacking("item"))?;
    let amounts = [
        &item.difference,
        &item.ledger_amount,
        &item.statement_amount,
    ];
    let currency = amounts
        .iter()
        .find_map(|amount| amount.as_ref())
        .map_or_else(String::new, |amount| amount.currency.clone());
    let maybe = |amount: &Option<Money>| amount.as_ref().map(|amount| amount.minor);
    let row = Break {
        tenant_id: tenant,
        kind: word(item.kind().as_str_name(), "BREAK_KIND_"),
        state: word(item.state().as_str_name(), "BREAK_STATE_"),
        currency,
        ledger_minor: maybe(&item.ledger_amount),
        statement_minor: maybe(&item.statement_amount),
        difference_minor: maybe(&item.difference),
        id: item.id,
        reconciliation_id: item.reconciliation_id,
        reference: item.reference,
        statement_id: item.statement_id,
        line_number: signed(item.line_number),
        transaction_id: item.transaction_id,
        assignee: item.assignee,
        opened_at: Timestamp::from_micros(item.opened_at_us),
        closed_at: moment(item.closed_at_us),
    };
    settlement::put_break(changes, &row);
    Ok(())
}
