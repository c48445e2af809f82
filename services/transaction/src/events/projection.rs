//! Our own facts become the read models behind lists and summaries.

use paymesh_bus::{Event, HandleError, Handler};
use paymesh_kernel::{ChangeSet, Timestamp};
use paymesh_proto::{Fact as _, transaction::v1 as wire};
use prost::Message;
use uuid::Uuid;

use crate::{
    domain::{
        DisputeId, RefundId,
        status::{Kind, Status},
    },
    grpc::convert,
    store::view::{self, View},
};

/// Consumes the stream of this component.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projection;

impl Handler for Projection {
    async fn handle(&self, event: &Event, changes: &mut ChangeSet) -> Result<(), HandleError> {
        let Some(snapshot) = snapshot_of(event)? else {
            return Ok(());
        };
        let line = line(&snapshot, event)
            .ok_or_else(|| HandleError::reject("a snapshot without its ids"))?;
        view::put(changes, &line);
        view::put_users(changes, &line);
        if let Some(part) = part_of(event, &line)? {
            view::put(changes, &part);
        }
        Ok(())
    }
}

fn decode<M: Message + Default>(event: &Event) -> Result<M, HandleError> {
    M::decode(event.payload.as_slice())
        .map_err(|_| HandleError::reject("a payload that cannot be read"))
}

fn snapshot_of(event: &Event) -> Result<Option<wire::TransactionSnapshot>, HandleError> {
    Ok(match &*event.kind {
        wire::TransactionInitiated::TYPE => {
            decode::<wire::TransactionInitiated>(event)?.transaction
        }
        wire::TransactionAuthorized::TYPE => {
            decode::<wire::TransactionAuthorized>(event)?.transaction
        }
        wire::TransactionCaptured::TYPE => decode::<wire::TransactionCaptured>(event)?.transaction,
        wire::TransactionUpdated::TYPE => decode::<wire::TransactionUpdated>(event)?.transaction,
        wire::TransactionCompleted::TYPE => {
            decode::<wire::TransactionCompleted>(event)?.transaction
        }
        wire::TransactionFailed::TYPE => decode::<wire::TransactionFailed>(event)?.transaction,
        wire::TransactionRefunded::TYPE => decode::<wire::TransactionRefunded>(event)?.transaction,
        wire::TransactionChargedBack::TYPE => {
            decode::<wire::TransactionChargedBack>(event)?.transaction
        }
        _ => None,
    })
}

fn line(of: &wire::TransactionSnapshot, event: &Event) -> Option<View> {
    let minor = |money: &Option<paymesh_proto::types::v1::Money>| {
        money.as_ref().map_or(0, |money| money.minor)
    };
    let amount = of.amount.as_ref()?;
    let fee_currency = of
        .fee
        .as_ref()
        .map_or(&amount.currency, |fee| &fee.currency);
    Some(View {
        id: event.aggregate_id,
        tenant: event.tenant?,
        transaction: event.aggregate_id.into(),
        kind: convert::read_kind(of.kind())?,
        status: convert::read_status(of.status())?,
        currency: amount.currency.clone(),
        amount_minor: amount.minor,
        captured_minor: minor(&of.captured),
        refunded_minor: minor(&of.refunded),
        fee_currency: fee_currency.clone(),
        fee_minor: minor(&of.fee),
        payer_user: of.payer_user_id.parse().ok(),
        payee_user: of.payee_user_id.parse().ok(),
        merchant: of.merchant_id.parse().ok(),
        terminal: of.terminal_id.parse().ok(),
        payer_account: of.payer_account_id.parse().ok(),
        payee_account: of.payee_account_id.parse().ok(),
        purpose: of.purpose.clone(),
        business_at: Timestamp::from_micros(of.business_at_us),
        created_at: Timestamp::from_micros(of.created_at_us),
        updated_at: Timestamp::from_micros(of.updated_at_us),
    })
}

/// A refund or chargeback is a line of its own: money flows back on its own day.
fn part_of(event: &Event, whole: &View) -> Result<Option<View>, HandleError> {
    let malformed = || HandleError::reject("a part without its id or amount");
    if event.kind == wire::TransactionRefunded::TYPE {
        let fact = decode::<wire::TransactionRefunded>(event)?;
        let id: RefundId = fact.refund_id.parse().map_err(|_| malformed())?;
        let status = if fact.reversed {
            Status::Compensated
        } else {
            Status::Completed
        };
        let amount = fact.amount.ok_or_else(malformed)?;
        return Ok(Some(part(
            whole,
            id.as_uuid(),
            (Kind::Refund, status),
            amount.minor,
            event,
        )));
    }
    if event.kind == wire::TransactionChargedBack::TYPE {
        let fact = decode::<wire::TransactionChargedBack>(event)?;
        let id: DisputeId = fact.dispute_id.parse().map_err(|_| malformed())?;
        let status = match fact.stage() {
            wire::ChargebackStage::Won => Status::Compensated,
            wire::ChargebackStage::Opened | wire::ChargebackStage::Unspecified => {
                Status::Processing
            }
            wire::ChargebackStage::Lost => Status::Completed,
        };
        let amount = fact.amount.ok_or_else(malformed)?;
        return Ok(Some(part(
            whole,
            id.as_uuid(),
            (Kind::Chargeback, status),
            amount.minor,
            event,
        )));
    }
    Ok(None)
}

fn part(
    whole: &View,
    id: Uuid,
    (kind, status): (Kind, Status),
    amount_minor: i64,
    event: &Event,
) -> View {
    View {
        id,
        kind,
        status,
        amount_minor,
        captured_minor: 0,
        refunded_minor: amount_minor,
        fee_minor: 0,
        // Money flows from the merchant to the payer.
        payer_user: whole.payee_user,
        payee_user: whole.payer_user,
        business_at: event.business_at,
        created_at: event.occurred_at,
        updated_at: event.occurred_at,
        ..whole.clone()
    }
}
