//! History and totals as callers see them.

use paymesh_proto::transaction::v1 as wire;

use super::convert;
use crate::{app::Whole, clients::wire::to_money};

/// Steps and changes that one answer holds.
const HISTORY_LIMIT: usize = 500;

pub(super) fn history(whole: &Whole) -> wire::GetTransactionHistoryResponse {
    let steps = whole.operations.iter().flat_map(|operation| {
        let steps = operation.saga.steps.iter();
        steps.filter_map(|step| convert::step(operation, step))
    });
    let mut steps: Vec<wire::Step> = steps.take(HISTORY_LIMIT).collect();
    steps.sort_by_key(|step| step.started_at_us);
    wire::GetTransactionHistoryResponse {
        steps,
        status_changes: convert::changes(&whole.transaction),
    }
}

pub(super) fn summary_line(of: &crate::store::view::Line) -> wire::SummaryLine {
    let amount = to_money(paymesh_money::Money::new(of.amount_minor, of.currency));
    wire::SummaryLine {
        kind: convert::kind(of.kind).into(),
        status: convert::status(of.status).into(),
        currency: amount.currency,
        transaction_count: u64::try_from(of.count).unwrap_or(0),
        amount_minor: amount.minor,
        captured_minor: of.captured_minor,
        refunded_minor: of.refunded_minor,
        fee_minor: of.fee_minor,
    }
}
