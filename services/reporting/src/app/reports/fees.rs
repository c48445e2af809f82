//! Fees and spreads by day and currency: of business days, as facts of transactions tell them, or of booking days, as the ledger
//! booked them.

use super::{App, File, Halt, after, asked, day_of, range_of};
use crate::{
    domain::{Columns, kind, trial::Overflow},
    store::{
        self,
        fees::{Filter, Split},
    },
};

const BY_DAY: Columns = &[
    "day",
    "merchant_id",
    "currency",
    "fees_minor",
    "spreads_minor",
    "chargeback_fees_minor",
    "connector_fees_minor",
    "charge_count",
];
const LEDGER: Columns = &[
    "day",
    "currency",
    "purpose",
    "debits_minor",
    "credits_minor",
    "earned_minor",
];

// === impl App ===

impl App {
    pub(super) async fn fees(&self, file: &mut File<'_>) -> Result<(), Halt> {
        match asked(file.run(), kind::VIEW).as_str() {
            "ledger" => self.booked_fees(file).await,
            "by_merchant" => self.fees_by_day(file, Split::Merchants).await,
            _ => self.fees_by_day(file, Split::Nothing).await,
        }
    }

    async fn fees_by_day(&self, file: &mut File<'_>, split: Split) -> Result<(), Halt> {
        file.begin(BY_DAY)?;
        let filter = Filter {
            merchant: asked(file.run(), kind::MERCHANT),
            currency: asked(file.run(), kind::CURRENCY),
            split,
        };
        let mut rest = range_of(file.run());
        while let Some(first) = store::fees::first(self.database(), rest).await? {
            let (part, day) = day_of(rest, first);
            let mut behind = None;
            loop {
                let page = (behind, self.page_rows());
                let rows = store::fees::totals(self.database(), part, &filter, page).await?;
                let is_full = self.is_full(rows.len());
                behind = rows
                    .last()
                    .map(|row| (row.merchant_id.clone(), row.currency.clone()));
                let lines = rows.into_iter().map(|row| {
                    vec![
                        day.as_str().into(),
                        row.merchant_id.into(),
                        row.currency.into(),
                        row.fees_minor.into(),
                        row.spreads_minor.into(),
                        row.chargeback_fees_minor.into(),
                        row.connector_fees_minor.into(),
                        row.charges.into(),
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

    async fn booked_fees(&self, file: &mut File<'_>) -> Result<(), Halt> {
        file.begin(LEDGER)?;
        let currency = asked(file.run(), kind::CURRENCY);
        let mut rest = range_of(file.run());
        self.must_be_kept(rest.from)?;
        self.must_be_kept(rest.until)?;
        while let Some(first) = store::ledger::first_earned(self.database(), rest).await? {
            let (part, day) = day_of(rest, first);
            let mut lines = Vec::new();
            for row in store::ledger::earned(self.database(), part, &currency).await? {
                if row.debits == 0 && row.credits == 0 {
                    continue;
                }
                // What connectors charge is spent: it counts against what is earned.
                let earned = row.credits.checked_sub(row.debits).ok_or(Overflow)?;
                lines.push(vec![
                    day.as_str().into(),
                    row.currency.into(),
                    row.purpose.into(),
                    row.debits.into(),
                    row.credits.into(),
                    earned.into(),
                ]);
            }
            file.add(lines).await?;
            rest = after(rest, part);
        }
        Ok(())
    }
}
