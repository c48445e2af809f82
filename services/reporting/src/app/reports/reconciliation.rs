//! Reconciliations and the breaks they found.

use super::{App, File, Halt, asked, range_of};
use crate::{
    domain::{Cell, Columns, Line, kind},
    store::{
        self,
        settlement::{Break, Reconciliation},
    },
};

const COLUMNS: Columns = &[
    "record",
    "id",
    "reconciliation_id",
    "kind",
    "state",
    "currency",
    "ledger_minor",
    "provider_minor",
    "bank_minor",
    "statement_minor",
    "difference_minor",
    "matched_count",
    "break_count",
    "ledger_height",
    "reference",
    "statement_id",
    "line_number",
    "transaction_id",
    "assignee",
    "began_at",
    "ended_at",
];

// === impl App ===

impl App {
    pub(super) async fn reconciliations(&self, file: &mut File<'_>) -> Result<(), Halt> {
        file.begin(COLUMNS)?;
        let range = range_of(file.run());
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows = store::settlement::reconciliations(self.database(), range, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows.last().map(|row| (row.started_at, row.id.clone()));
            file.add(rows.into_iter().map(reconciliation_line).collect())
                .await?;
            if !is_full {
                break;
            }
        }
        let state = asked(file.run(), kind::STATUS);
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows = store::settlement::breaks(self.database(), range, &state, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows.last().map(|row| (row.opened_at, row.id.clone()));
            file.add(rows.into_iter().map(break_line).collect()).await?;
            if !is_full {
                return Ok(());
            }
        }
    }
}

fn reconciliation_line(row: Reconciliation) -> Line {
    vec![
        "reconciliation".into(),
        row.id.into(),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        row.currency.into(),
        row.ledger_minor.into(),
        row.provider_minor.into(),
        row.bank_minor.into(),
        Cell::Empty,
        Cell::Empty,
        row.matched_count.into(),
        row.break_count.into(),
        row.ledger_height.into(),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        row.started_at.into(),
        Cell::moment(row.finished_at),
    ]
}

fn break_line(row: Break) -> Line {
    let number = |minor: Option<i64>| minor.map_or(Cell::Empty, Cell::Number);
    let line_number = (row.line_number > 0).then_some(row.line_number);
    vec![
        "break".into(),
        row.id.into(),
        row.reconciliation_id.into(),
        row.kind.into(),
        row.state.into(),
        row.currency.into(),
        number(row.ledger_minor),
        Cell::Empty,
        Cell::Empty,
        number(row.statement_minor),
        number(row.difference_minor),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        row.reference.into(),
        row.statement_id.into(),
        number(line_number),
        row.transaction_id.into(),
        row.assignee.into(),
        row.opened_at.into(),
        Cell::moment(row.closed_at),
    ]
}
