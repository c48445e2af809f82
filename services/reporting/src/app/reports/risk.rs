//! Decisions of risk, one by one.

use super::{App, File, Halt, asked, range_of};
use crate::{
    domain::{Columns, kind},
    store::{self, risk::Filter},
};

const COLUMNS: Columns = &[
    "decision_id",
    "transaction_id",
    "decision",
    "score",
    "reasons",
    "currency",
    "amount_minor",
    "customer_id",
    "merchant_id",
    "terminal_id",
    "business_at",
    "decided_at",
];

// === impl App ===

impl App {
    pub(super) async fn risk_decisions(&self, file: &mut File<'_>) -> Result<(), Halt> {
        file.begin(COLUMNS)?;
        let run = file.run();
        let range = range_of(run);
        let filter = Filter {
            decision: asked(run, kind::DECISION),
            merchant: asked(run, kind::MERCHANT),
            customer: asked(run, kind::CUSTOMER),
        };
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows = store::risk::list(self.database(), range, &filter, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows.last().map(|row| (row.business_at, row.id.clone()));
            let lines = rows.into_iter().map(|row| {
                vec![
                    row.id.into(),
                    row.transaction_id.into(),
                    row.decision.into(),
                    i64::from(row.score).into(),
                    row.reasons.into(),
                    row.currency.into(),
                    row.amount_minor.into(),
                    row.customer_id.into(),
                    row.merchant_id.into(),
                    row.terminal_id.into(),
                    row.business_at.into(),
                    row.decided_at.into(),
                ]
            });
            file.add(lines.collect()).await?;
            if !is_full {
                return Ok(());
            }
        }
    }
}
