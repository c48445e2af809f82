//! Trial balances and closed periods.

use std::collections::BTreeMap;

use paymesh_kernel::{Principal, Timestamp};
use paymesh_money::Currency;

use super::{
    App, Outcome,
    command::{Answer, Command},
    statements::{ALWAYS, Basis},
};
use crate::{
    domain::{
        Balance, Period,
        period::{ClosePeriod, Closing},
    },
    error::Error,
    store::{
        self, Page,
        entry::{Dates, Heights},
        report::{PurposeShift, PurposeTotal},
    },
};

/// The sums of one ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LedgerTotal {
    /// Which ledger.
    pub currency: Currency,
    /// Its sums.
    pub balance: Balance,
}

/// Sums of all accounts.
#[derive(Clone, Debug)]
pub struct TrialBalance {
    /// By ledger and purpose.
    pub lines: Vec<PurposeTotal>,
    /// By ledger.
    pub totals: Vec<LedgerTotal>,
    /// The last batch that counted.
    pub height: i64,
}

// === impl LedgerTotal ===

impl LedgerTotal {
    /// Debits equal credits (A1).
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.balance.debits_posted == self.balance.credits_posted
            && self.balance.debits_pending == self.balance.credits_pending
    }
}

impl App {
    /// Sums of all accounts of the tenant, now or before a moment.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn trial_balance(
        &self,
        principal: &Principal,
        currency: Option<Currency>,
        (basis, at): (Basis, Option<Timestamp>),
    ) -> Result<TrialBalance, Error> {
        let (lines, height) = match (basis, at) {
            (Basis::Booked, None) => {
                store::report::totals_now(&self.database, principal.tenant, currency).await?
            }
            (Basis::Booked, Some(at)) => {
                let height = store::proof::before(&self.database, at).await?.height;
                let moment = (at, height);
                let tenant = principal.tenant;
                (
                    store::report::totals_at(&self.database, tenant, currency, moment).await?,
                    height,
                )
            }
            (Basis::Effective, at) => self.effective_totals(principal, currency, at).await?,
        };
        let totals = totals(&lines);
        for total in totals.iter().filter(|total| !total.is_balanced()) {
            tracing::error!(
                tenant = %principal.tenant,
                currency = %total.currency,
                "A1 is broken: debits and credits of a ledger differ"
            );
        }
        Ok(TrialBalance {
            lines,
            totals,
            height,
        })
    }

    async fn effective_totals(
        &self,
        principal: &Principal,
        currency: Option<Currency>,
        at: Option<Timestamp>,
    ) -> Result<(Vec<PurposeTotal>, i64), Error> {
        let newest = store::proof::newest(&self.database).await?;
        let at = at.unwrap_or_else(|| self.just_after(newest.committed_at));
        let booked = store::proof::before(&self.database, at)
            .await?
            .height
            .min(newest.height);
        let tenant = principal.tenant;
        // Accounts that were opened later may hold what is effective earlier.
        let moment = (ALWAYS, booked);
        let mut lines = store::report::totals_at(&self.database, tenant, currency, moment).await?;
        let later = Heights {
            after: booked,
            until: newest.height,
        };
        let past = Dates {
            from: Timestamp::from_micros(i64::MIN),
            until: at,
        };
        let backdated =
            store::report::shifts(&self.database, tenant, currency, (later, past)).await?;
        let earlier = Heights {
            after: 0,
            until: booked,
        };
        let future = Dates {
            from: at,
            until: ALWAYS,
        };
        let postdated =
            store::report::shifts(&self.database, tenant, currency, (earlier, future)).await?;
        shift(&mut lines, &backdated, i64::saturating_add);
        shift(&mut lines, &postdated, i64::saturating_sub);
        Ok((lines, newest.height))
    }

    /// Closes a period.
    ///
    /// # Errors
    /// When it is not over, a later one is closed already, or the writer fails.
    pub async fn close_period(
        &self,
        principal: &Principal,
        currency: Option<Currency>,
        until: Timestamp,
    ) -> Result<Outcome<Period>, Error> {
        let wish = ClosePeriod {
            id: self.ids.next(),
            tenant: principal.tenant,
            currency,
            until,
            closed_by: principal.subject.clone(),
        };
        let Answer::PeriodClosed(closed) =
            self.submit(Command::ClosePeriod(Box::new(wish))).await?
        else {
            return Err(Error::WrongAnswer);
        };
        Ok(match *closed? {
            Closing::New(period) => Outcome::Applied(period),
            Closing::Already(period) => Outcome::AlreadyApplied(period),
        })
    }

    /// Closed periods, the newest first, one more than the page holds if there are more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn periods(
        &self,
        principal: &Principal,
        page: Page<i64>,
    ) -> Result<Vec<Period>, Error> {
        Ok(store::report::periods(&self.database, principal.tenant, page).await?)
    }
}

fn shift(lines: &mut [PurposeTotal], shifts: &[PurposeShift], with: fn(i64, i64) -> i64) {
    for shift in shifts {
        let same = |line: &&mut PurposeTotal| {
            line.purpose == shift.purpose && line.currency == shift.currency
        };
        if let Some(line) = lines.iter_mut().find(same) {
            line.balance.debits_posted = with(line.balance.debits_posted, shift.debits);
            line.balance.credits_posted = with(line.balance.credits_posted, shift.credits);
        }
    }
}

fn totals(lines: &[PurposeTotal]) -> Vec<LedgerTotal> {
    let mut totals: BTreeMap<Currency, Balance> = BTreeMap::new();
    for line in lines {
        let total = totals.entry(line.currency).or_default();
        let add = |sum: &mut i64, more: i64| *sum = sum.saturating_add(more);
        add(&mut total.debits_pending, line.balance.debits_pending);
        add(&mut total.debits_posted, line.balance.debits_posted);
        add(&mut total.credits_pending, line.balance.credits_pending);
        add(&mut total.credits_posted, line.balance.credits_posted);
    }
    let total = |(currency, balance)| LedgerTotal { currency, balance };
    totals.into_iter().map(total).collect()
}
