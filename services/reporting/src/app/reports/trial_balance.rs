//! Money by account class and purpose. Two sources have to say the same to the cent: the facts of the ledger that were taken in
//! here, and the ledger's own trial balance at the same height (P6). A report on which they differ fails with what differs.

use std::time::Duration;

use paymesh_kernel::Timestamp;
use tokio::time::Instant;

use super::{App, File, Halt, asked};
use crate::{
    domain::{
        Cell, Columns, Run, kind,
        trial::{self, Trial},
    },
    store,
};

const COLUMNS: Columns = &[
    "currency",
    "class",
    "purpose",
    "account_count",
    "debits_posted_minor",
    "credits_posted_minor",
    "debits_pending_minor",
    "credits_pending_minor",
    "booked_minor",
    "batch_height",
    "before",
];
/// Facts that are on their way are looked for after this time, then after twice as long each time.
const LOOK: Duration = Duration::from_millis(50);
/// And at least so often, because the lease is kept meanwhile.
const LOOK_LIMIT: Duration = Duration::from_secs(1);
/// A run that asks for everything up to now has what was booked at the very moment of its making.
const MOMENT: Duration = Duration::from_micros(1);

// === impl App ===

impl App {
    pub(super) async fn trial_balance(&self, file: &mut File<'_>) -> Result<(), Halt> {
        let at = moment_of(file.run());
        self.must_be_kept(at)?;
        let currency = asked(file.run(), kind::CURRENCY);
        let by = asked(file.run(), kind::BY);
        let (trial, height) = self.agreed(file, (&currency, at)).await?;
        if let Some(currency) = trial::unbalanced(&trial)? {
            let reason = format!(
                "LEDGER_UNBALANCED: debits and credits of {currency} differ at height {height}"
            );
            return Err(Halt::Final(reason));
        }
        let trial = match by.as_str() {
            "class" => trial::by_class(&trial)?,
            _ => trial,
        };
        file.begin(COLUMNS)?;
        let mut lines = Vec::with_capacity(trial.len());
        for (place, sums) in trial {
            let booked = sums.booked(&place.class)?;
            lines.push(vec![
                Cell::text(place.currency),
                place.class.into(),
                place.purpose.into(),
                sums.accounts.into(),
                sums.debits_posted.into(),
                sums.credits_posted.into(),
                sums.debits_pending.into(),
                sums.credits_pending.into(),
                booked.into(),
                height.into(),
                at.into(),
            ]);
        }
        file.add(lines).await
    }

    /// What both sources say. Facts may still be on their way, so it waits a bounded time for them.
    async fn agreed(
        &self,
        file: &mut File<'_>,
        (currency, at): (&str, Timestamp),
    ) -> Result<(Trial, i64), Halt> {
        let tenant = file.run().tenant;
        let limit = Instant::now() + Duration::from_millis(self.settings().catch_up_ms);
        let mut look = LOOK;
        loop {
            file.keep().await?;
            let (ledger, height) = self.ledger().trial(tenant, currency, at).await?;
            let ours =
                store::ledger::trial(self.database(), tenant, currency, (at, height)).await?;
            let Some(difference) = trial::difference(&ours, &ledger) else {
                return Ok((ours, height));
            };
            if Instant::now() >= limit {
                let reason = format!("TRIAL_BALANCE_DIFFERS: {difference}, at height {height}");
                return Err(Halt::Final(reason));
            }
            tokio::time::sleep(look).await;
            look = look.saturating_mul(2).min(LOOK_LIMIT);
        }
    }
}

/// The end of the range, but not later than the making of the run: so a repeat of the work has the same result.
fn moment_of(run: &Run) -> Timestamp {
    let made = run.created_at.plus(MOMENT);
    run.span.until.map_or(made, |until| until.min(made))
}
