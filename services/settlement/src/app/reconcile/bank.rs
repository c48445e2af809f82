//! The third side: what connectors paid and payees got, by the bank's statements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use paymesh_kernel::id::TenantId;
use paymesh_money::{Currency, Money};

use super::{Found, Report, Scope, line_subject};
use crate::{
    app::App,
    domain::{
        difference::{Book, BreakKind},
        ids::PayoutId,
        payout::{Payout, State},
        statement::{Line, LineKind, MatchState, StatementKind, Telling},
    },
    error::Error,
    store::{self, Between, Wanted},
};

/// Payouts read at once.
const PAGE: u64 = 1_000;

/// What a connector says it paid in one go.
#[derive(Clone, Debug)]
struct Announced {
    connector: String,
    minor: i64,
    currency: Currency,
}

// === impl App ===

impl App {
    pub(super) async fn compare_bank(
        &self,
        tenant: TenantId,
        scope: Scope,
        report: &mut Report,
    ) -> Result<(), Error> {
        let lines = self
            .lines_within(tenant, (scope, StatementKind::Bank))
            .await?;
        let deposits = lines
            .iter()
            .filter(|line| line.read.kind == LineKind::Transfer && line.telling != Telling::Again);
        let paid = deposits
            .clone()
            .try_fold(0_i64, |sum, line| sum.checked_add(line.read.amount.minor()));
        report.bank_minor = paid.ok_or(crate::domain::batch::Overflow)?;
        let announced = self.announced(tenant, &lines, report).await?;
        let named = lines.iter().filter_map(|line| line.read.payout());
        let payouts = store::payouts::find_all(self.database(), named).await?;
        let mut seen = HashSet::new();
        for line in lines {
            if line.telling == Telling::Again {
                report.agree(line.id);
            } else {
                let is_first = line.telling == Telling::First
                    && seen.insert((line.read.kind, line.read.reference.clone()));
                let sides = (
                    announced.get(&line.read.reference),
                    payout_of(&line, &payouts),
                );
                judge(report, (&line, is_first), sides);
            }
            report.lines.insert(line.id, line);
        }
        self.missing_deposits(tenant, (scope, &announced), report)
            .await?;
        self.missing_payouts(tenant, scope, report).await
    }

    /// What connectors say they paid: settlements on lines of their reports that lie in the span, and those that the bank names.
    async fn announced(
        &self,
        tenant: TenantId,
        bank: &[Line],
        report: &Report,
    ) -> Result<BTreeMap<String, Announced>, Error> {
        let at_bank = bank
            .iter()
            .filter(|line| line.read.kind == LineKind::Transfer)
            .map(|line| line.read.reference.clone());
        let reported = report
            .lines
            .values()
            .filter(|line| line.side == StatementKind::Provider)
            .map(|line| line.read.settlement.clone());
        let names: BTreeSet<String> = at_bank
            .chain(reported)
            .filter(|name| !name.is_empty())
            .collect();
        let lines =
            store::statements::of_settlements(self.database(), tenant, names.into_iter()).await?;
        let mut announced: BTreeMap<String, Announced> = BTreeMap::new();
        for line in lines.iter().filter(|line| line.telling == Telling::First) {
            let sum = announced
                .entry(line.read.settlement.clone())
                .or_insert_with(|| Announced {
                    connector: line.source.clone(),
                    minor: 0,
                    currency: line.read.amount.currency(),
                });
            sum.minor = sum.minor.saturating_add(line.read.net_minor());
        }
        Ok(announced)
    }

    async fn missing_deposits(
        &self,
        tenant: TenantId,
        (scope, announced): (Scope, &BTreeMap<String, Announced>),
        report: &mut Report,
    ) -> Result<(), Error> {
        let place = (tenant, StatementKind::Bank);
        let arrived =
            store::statements::with_references(self.database(), place, announced.keys().cloned());
        let arrived: HashSet<String> = arrived
            .await?
            .into_iter()
            .map(|line| line.read.reference)
            .collect();
        for (name, of) in announced {
            let subject = format!("settlement:{}:{name}", of.connector);
            if arrived.contains(name) {
                report.agreed.push(subject);
            } else if of.currency == scope.currency && of.minor != 0 {
                report.differ(Found {
                    kind: BreakKind::MissingAtBank,
                    subject,
                    reference: name.clone(),
                    ledger: Some(Money::new(of.minor, of.currency)),
                    stated: None,
                    difference_minor: of.minor.saturating_neg(),
                    book: Book::Receivable(of.connector.clone()),
                    line: None,
                    transaction: None,
                });
            }
        }
        Ok(())
    }

    async fn missing_payouts(
        &self,
        tenant: TenantId,
        scope: Scope,
        report: &mut Report,
    ) -> Result<(), Error> {
        let span = Between {
            from: Some(scope.span.from),
            until: Some(scope.span.until),
        };
        let mut after = None;
        loop {
            let wanted = Wanted {
                tenant,
                after,
                limit: PAGE,
            };
            let page =
                store::payouts::sent(self.database(), (wanted, scope.currency), span).await?;
            for payout in &page {
                let subject = format!("payout:{}", payout.id);
                if payout.is_seen || payout.state == State::Returned {
                    report.agreed.push(subject);
                    continue;
                }
                let minor = payout.amount.minor();
                report.differ(Found {
                    kind: BreakKind::MissingAtBank,
                    subject,
                    reference: payout.end_to_end_id(),
                    ledger: Some(Money::new(minor.saturating_neg(), scope.currency)),
                    stated: None,
                    difference_minor: minor,
                    book: Book::InTransit,
                    line: None,
                    transaction: payout.transaction,
                });
            }
            after = page.last().map(|payout| payout.id.as_uuid());
            if u64::try_from(page.len()).unwrap_or(u64::MAX) < PAGE {
                return Ok(());
            }
        }
    }
}

// === free functions ===

fn payout_of<'a>(line: &Line, payouts: &'a HashMap<PayoutId, Payout>) -> Option<&'a Payout> {
    let payout = payouts.get(&line.read.payout()?)?;
    // What certainly was not sent is no counterpart.
    (payout.tenant == line.tenant && payout.state != State::Failed).then_some(payout)
}

/// What the other sides say to a line of the bank.
fn judge(
    report: &mut Report,
    (line, is_first): (&Line, bool),
    (announced, payout): (Option<&Announced>, Option<&Payout>),
) {
    if line.match_state == MatchState::WrittenOff {
        return;
    }
    if let Some(payout) = payout.filter(|_| line.telling == Telling::First) {
        return judge_payout(report, line, payout);
    }
    let (expected, book, missing) = match line.read.kind {
        LineKind::Transfer => {
            let expected = announced.map(|of| Money::new(of.minor, of.currency));
            let book = announced.map(|of| Book::Receivable(of.connector.clone()));
            (expected, book, BreakKind::MissingAtProvider)
        }
        LineKind::Payout => {
            let expected = payout.and_then(|of| of.amount.checked_neg().ok());
            let book = payout.map(|_| Book::InTransit);
            (expected, book, BreakKind::MissingInLedger)
        }
        LineKind::PayoutReturn => {
            let book = payout.map(|_| Book::InTransit);
            (payout.map(|of| of.amount), book, BreakKind::MissingInLedger)
        }
        LineKind::Capture
        | LineKind::Refund
        | LineKind::Chargeback
        | LineKind::Fee
        | LineKind::Other => (None, None, BreakKind::MissingInLedger),
    };
    let stated = line.read.amount;
    let kind = match expected {
        None => missing,
        Some(_) if !is_first => BreakKind::Duplicate,
        Some(expected) if expected == stated => return report.agree(line.id),
        Some(expected) if expected.currency() != stated.currency() => BreakKind::CurrencyDiffers,
        Some(_) => BreakKind::AmountDiffers,
    };
    let known = expected.filter(|_| is_first);
    let same = known.filter(|of| of.currency() == stated.currency());
    let ledger_minor = same.map_or(0, Money::minor);
    report.differ(Found {
        kind,
        subject: line_subject(line.id),
        reference: line.read.reference.clone(),
        ledger: known,
        stated: Some(stated),
        difference_minor: stated.minor().saturating_sub(ledger_minor),
        book: book.unwrap_or(Book::Suspense),
        line: Some(line.id),
        transaction: payout.and_then(|of| of.transaction),
    });
}

/// A line is its payout's when it was booked as it. Everything else that names a payout is in suspense, all of it, so that nothing
/// of the ledger stands against it.
fn judge_payout(report: &mut Report, line: &Line, payout: &Payout) {
    let (expected, teller) = match line.read.kind {
        LineKind::Payout => (payout.amount.checked_neg().ok(), payout.seen_line),
        LineKind::PayoutReturn => (Some(payout.amount), payout.returned_line),
        LineKind::Capture
        | LineKind::Refund
        | LineKind::Chargeback
        | LineKind::Fee
        | LineKind::Transfer
        | LineKind::Other => (None, None),
    };
    let stated = line.read.amount;
    let kind = match expected {
        // It waits for its payout; what it is shows when it is booked.
        Some(_) if !line.is_booked => return,
        Some(_) if !line.is_suspended => return report.agree(line.id),
        Some(expected) if expected.currency() != stated.currency() => BreakKind::CurrencyDiffers,
        Some(expected) if expected != stated => BreakKind::AmountDiffers,
        Some(_) if teller.is_some_and(|teller| teller != line.id) => BreakKind::Duplicate,
        Some(_) | None => BreakKind::MissingInLedger,
    };
    report.differ(Found {
        kind,
        subject: line_subject(line.id),
        reference: line.read.reference.clone(),
        ledger: None,
        stated: Some(stated),
        difference_minor: stated.minor(),
        book: Book::Suspense,
        line: Some(line.id),
        transaction: payout.transaction,
    });
}
