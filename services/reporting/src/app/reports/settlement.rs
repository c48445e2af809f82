//! Settlement: positions and payouts, one by one or summed by owner.

use paymesh_kernel::{ChangeSet, CommitError};

use super::{App, File, Halt, asked, range_of};
use crate::{
    domain::{Cell, Columns, Line, kind},
    events::consumed::settlement::position_of,
    store::{
        self, Range,
        settlement::{Batch, Filter, Payout, Position},
    },
};

const LINES: Columns = &[
    "record",
    "id",
    "batch_id",
    "owner_kind",
    "owner_id",
    "state",
    "currency",
    "gross_minor",
    "fees_minor",
    "refunds_minor",
    "chargebacks_minor",
    "net_minor",
    "transaction_count",
    "end_to_end_id",
    "reason",
    "began_at",
    "available_at",
    "released_at",
    "sent_at",
    "finished_at",
];
const SUMMARY: Columns = &[
    "owner_id",
    "currency",
    "position_count",
    "gross_minor",
    "fees_minor",
    "refunds_minor",
    "chargebacks_minor",
    "net_minor",
    "payout_count",
    "paid_minor",
    "in_flight_minor",
    "not_paid_minor",
];
/// How often a page of positions is taken in again because a fact was faster.
const TRIES: u32 = 5;
/// Batches completed in one round.
const ROUND: u64 = 100;

// === impl App ===

impl App {
    pub(super) async fn settlement_lines(&self, file: &mut File<'_>) -> Result<(), Halt> {
        self.complete_batches(file).await?;
        let filter = Filter {
            merchant: asked(file.run(), kind::MERCHANT),
            currency: asked(file.run(), kind::CURRENCY),
        };
        match asked(file.run(), kind::VIEW).as_str() {
            "summary" => self.settlement_summary(file, &filter).await,
            _ => {
                file.begin(LINES)?;
                self.position_lines(file, &filter).await?;
                self.payout_lines(file, &filter).await
            }
        }
    }

    async fn position_lines(&self, file: &mut File<'_>, filter: &Filter) -> Result<(), Halt> {
        let range = range_of(file.run());
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let batches = store::settlement::batches(self.database(), range, page).await?;
            let is_full = self.is_full(batches.len());
            behind = batches
                .last()
                .map(|batch| (batch.closed_at, batch.id.clone()));
            for batch in batches {
                if filter.currency.is_empty() || filter.currency == batch.currency {
                    self.positions_of(file, &batch, filter).await?;
                }
            }
            if !is_full {
                return Ok(());
            }
        }
    }

    async fn positions_of(
        &self,
        file: &mut File<'_>,
        batch: &Batch,
        filter: &Filter,
    ) -> Result<(), Halt> {
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows =
                store::settlement::positions(self.database(), &batch.id, filter, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows.last().map(|row| row.merchant_id.clone());
            let lines = rows.into_iter().map(|row| position_line(batch, row));
            file.add(lines.collect()).await?;
            if !is_full {
                return Ok(());
            }
        }
    }

    async fn payout_lines(&self, file: &mut File<'_>, filter: &Filter) -> Result<(), Halt> {
        let range = range_of(file.run());
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows = store::settlement::payouts(self.database(), range, filter, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows.last().map(|row| (row.created_at, row.id.clone()));
            file.add(rows.into_iter().map(payout_line).collect())
                .await?;
            if !is_full {
                return Ok(());
            }
        }
    }

    async fn settlement_summary(&self, file: &mut File<'_>, filter: &Filter) -> Result<(), Halt> {
        file.begin(SUMMARY)?;
        let range = range_of(file.run());
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows = store::settlement::totals(self.database(), range, filter, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows
                .last()
                .map(|row| (row.owner_id.clone(), row.currency.clone()));
            let lines = rows.into_iter().map(|row| {
                vec![
                    Cell::text(row.owner_id),
                    row.currency.into(),
                    row.positions.into(),
                    row.gross_minor.into(),
                    row.fees_minor.into(),
                    row.refunds_minor.into(),
                    row.chargebacks_minor.into(),
                    row.net_minor.into(),
                    row.payouts.into(),
                    row.paid_minor.into(),
                    row.in_flight_minor.into(),
                    row.returned_minor.into(),
                ]
            });
            file.add(lines.collect()).await?;
            if !is_full {
                return Ok(());
            }
        }
    }

    /// A fact carries a thousand positions at most: the rest of a larger batch is asked for once and kept.
    async fn complete_batches(&self, file: &mut File<'_>) -> Result<(), Halt> {
        let range = range_of(file.run());
        loop {
            let batches = store::settlement::incomplete(self.database(), range, ROUND).await?;
            if batches.is_empty() {
                return Ok(());
            }
            for batch in batches {
                self.complete_batch(file, (range, &batch)).await?;
            }
        }
    }

    async fn complete_batch(
        &self,
        file: &mut File<'_>,
        (range, batch): (Range, &Batch),
    ) -> Result<(), Halt> {
        let mut token = String::new();
        loop {
            file.keep().await?;
            let (positions, next) = self
                .settlement()
                .positions(range.tenant, &batch.id, token)
                .await?;
            let rows: Vec<Position> = positions
                .into_iter()
                .map(|position| position_of(position, range.tenant))
                .collect();
            self.take_positions(&batch.id, rows).await?;
            token = next;
            if token.is_empty() {
                break;
            }
        }
        let mut changes = ChangeSet::new();
        store::settlement::complete_batch(&mut changes, batch);
        match self.commit(changes).await {
            // Another run was faster, with the same positions.
            Ok(()) | Err(CommitError::Stale) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Adds positions that are not there. One that a fact brings meanwhile is newer and stays.
    async fn take_positions(&self, batch: &str, rows: Vec<Position>) -> Result<(), Halt> {
        for _ in 0..TRIES {
            let merchants = rows.iter().map(|row| row.merchant_id.clone()).collect();
            let known = store::settlement::known(self.database(), batch, merchants).await?;
            let mut changes = ChangeSet::new();
            for row in &rows {
                if known
                    .iter()
                    .all(|known| known.merchant_id != row.merchant_id)
                {
                    store::settlement::insert_position(&mut changes, row);
                }
            }
            match self.commit(changes).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_duplicate(store::settlement::POSITIONS_KEY) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Halt::Passing("CONCURRENT_CHANGE".to_owned()))
    }
}

fn position_line(batch: &Batch, row: Position) -> Line {
    let state = if row.released_at.is_some() {
        "released"
    } else {
        "pending"
    };
    vec![
        "position".into(),
        Cell::Empty,
        row.batch_id.into(),
        "merchant".into(),
        row.merchant_id.into(),
        state.into(),
        row.currency.into(),
        row.gross_minor.into(),
        row.fees_minor.into(),
        row.refunds_minor.into(),
        row.chargebacks_minor.into(),
        row.net_minor.into(),
        row.transaction_count.into(),
        Cell::Empty,
        Cell::Empty,
        batch.closed_at.into(),
        Cell::moment(row.available_at),
        Cell::moment(row.released_at),
        Cell::Empty,
        Cell::Empty,
    ]
}

fn payout_line(row: Payout) -> Line {
    vec![
        "payout".into(),
        row.id.into(),
        row.batch_id.into(),
        row.owner_kind.into(),
        row.owner_id.into(),
        row.state.into(),
        row.currency.into(),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        row.amount_minor.into(),
        Cell::Empty,
        row.end_to_end_id.into(),
        row.reason.into(),
        row.created_at.into(),
        Cell::Empty,
        Cell::Empty,
        Cell::moment(row.sent_at),
        Cell::moment(row.finished_at),
    ]
}
