//! Transactions: one by one, by day, merchant and currency, or declined ones by reason.

use super::{App, File, Halt, after, asked, day_of, range_of};
use crate::{
    domain::{Cell, Columns, Line, kind},
    store::{
        self,
        transactions::{Filter, Transaction},
    },
};

const LINES: Columns = &[
    "transaction_id",
    "kind",
    "status",
    "currency",
    "amount_minor",
    "authorized_minor",
    "captured_minor",
    "refunded_minor",
    "fee_currency",
    "fee_minor",
    "payer_user_id",
    "payee_user_id",
    "merchant_id",
    "terminal_id",
    "country",
    "connector",
    "purpose",
    "decline_reason",
    "risk_decision_id",
    "risk_score",
    "business_at",
    "created_at",
    "updated_at",
];
const BY_DAY: Columns = &[
    "day",
    "merchant_id",
    "currency",
    "transaction_count",
    "completed_count",
    "declined_count",
    "amount_minor",
    "captured_minor",
    "refunded_minor",
];
const DECLINES: Columns = &[
    "decline_reason",
    "currency",
    "transaction_count",
    "amount_minor",
];

// === impl App ===

impl App {
    pub(super) async fn transactions(&self, file: &mut File<'_>) -> Result<(), Halt> {
        let run = file.run();
        let filter = Filter {
            merchant: asked(run, kind::MERCHANT),
            currency: asked(run, kind::CURRENCY),
            status: asked(run, kind::STATUS),
            kind: asked(run, kind::TRANSACTION_KIND),
        };
        match asked(run, kind::VIEW).as_str() {
            "by_day" => self.transactions_by_day(file, &filter).await,
            "declines" => self.declines(file, &filter).await,
            _ => self.transaction_lines(file, &filter).await,
        }
    }

    async fn transaction_lines(&self, file: &mut File<'_>, filter: &Filter) -> Result<(), Halt> {
        file.begin(LINES)?;
        let range = range_of(file.run());
        let mut behind = None;
        loop {
            let page = (behind, self.page_rows());
            let rows = store::transactions::list(self.database(), range, filter, page).await?;
            let is_full = self.is_full(rows.len());
            behind = rows.last().map(|row| (row.business_at, row.id.clone()));
            file.add(rows.into_iter().map(line).collect()).await?;
            if !is_full {
                return Ok(());
            }
        }
    }

    async fn transactions_by_day(&self, file: &mut File<'_>, filter: &Filter) -> Result<(), Halt> {
        file.begin(BY_DAY)?;
        let mut rest = range_of(file.run());
        while let Some(first) = store::transactions::first(self.database(), rest, filter).await? {
            let (part, day) = day_of(rest, first);
            let mut behind = None;
            loop {
                let page = (behind, self.page_rows());
                let rows = store::transactions::totals(self.database(), part, filter, page).await?;
                let is_full = self.is_full(rows.len());
                behind = rows
                    .last()
                    .map(|row| (row.merchant_id.clone(), row.currency.clone()));
                let lines = rows.into_iter().map(|row| {
                    vec![
                        Cell::from(day.as_str()),
                        row.merchant_id.into(),
                        row.currency.into(),
                        row.transactions.into(),
                        row.completed.into(),
                        row.declined.into(),
                        row.amount_minor.into(),
                        row.captured_minor.into(),
                        row.refunded_minor.into(),
                    ]
                });
                file.add(lines.collect()).await?;
                if !is_full {
                    break;
                }
            }
            rest = after(rest, part);
        }
        Ok(())
    }

    async fn declines(&self, file: &mut File<'_>, filter: &Filter) -> Result<(), Halt> {
        file.begin(DECLINES)?;
        let range = range_of(file.run());
        let rows = store::transactions::declines(self.database(), range, filter).await?;
        let lines = rows.into_iter().map(|row| {
            vec![
                Cell::text(row.reason),
                row.currency.into(),
                row.transactions.into(),
                row.amount_minor.into(),
            ]
        });
        file.add(lines.collect()).await
    }
}

fn line(row: Transaction) -> Line {
    vec![
        row.id.into(),
        row.kind.into(),
        row.status.into(),
        row.currency.into(),
        row.amount_minor.into(),
        row.authorized_minor.into(),
        row.captured_minor.into(),
        row.refunded_minor.into(),
        row.fee_currency.into(),
        row.fee_minor.into(),
        row.payer_user_id.into(),
        row.payee_user_id.into(),
        row.merchant_id.into(),
        row.terminal_id.into(),
        row.country.into(),
        row.connector.into(),
        row.purpose.into(),
        row.decline_reason.into(),
        row.risk_decision_id.into(),
        i64::from(row.risk_score).into(),
        row.business_at.into(),
        row.created_at.into(),
        row.updated_at.into(),
    ]
}
