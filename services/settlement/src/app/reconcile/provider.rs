//! The first two sides: what connectors owe by the ledger, and by their reports.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::StreamExt as _;
use paymesh_kernel::id::TenantId;
use paymesh_money::{Currency, Money};

use super::{Found, Report, Scope, line_subject};
use crate::{
    app::App,
    clients::ledger::{Receivable, Touched},
    domain::{
        batch::{Entry, Purpose, Side},
        difference::{Book, BreakKind},
        ids::{AccountId, LineId, TransactionId},
        matching::{Finding, Movement, Pool, Terms, compare},
        statement::{Line, LineKind, StatementKind, Telling},
    },
    error::Error,
    store,
};

/// Transactions asked for beside each other.
const AT_ONCE: usize = 16;
/// Transactions of one run that the ledger is asked for one by one: those that do not agree at first sight.
const ASKED: usize = 10_000;

/// A transaction at a connector.
type Place = (String, TransactionId);
/// All that is compared.
type Pools = BTreeMap<Place, Pool>;

// === impl App ===

impl App {
    pub(super) async fn compare_providers(
        &self,
        tenant: TenantId,
        (scope, height): (Scope, i64),
        report: &mut Report,
    ) -> Result<(), Error> {
        let receivables = self.parts.ledger.receivables(tenant).await?;
        let mut pools = Pools::new();
        for receivable in receivables
            .iter()
            .filter(|of| of.currency == scope.currency)
        {
            self.ledger_side(tenant, (scope, height, receivable), &mut pools)
                .await?;
        }
        let ledger = pools.values().flat_map(|pool| &pool.ledger);
        report.ledger_minor = sum(ledger.map(|movement| movement.minor))?;
        self.provider_side(tenant, scope, (&mut pools, report))
            .await?;
        self.ask_for_the_rest(tenant, (scope, &receivables), &mut pools)
            .await?;
        let terms = Terms {
            currency: scope.currency,
            late_after: std::time::Duration::from_millis(self.parts.settings.late_after_ms),
        };
        for (place, pool) in &pools {
            for finding in compare(pool, terms) {
                note(report, (place, scope.currency), finding);
            }
        }
        Ok(())
    }

    async fn ledger_side(
        &self,
        tenant: TenantId,
        (scope, height, receivable): (Scope, i64, &Receivable),
        pools: &mut Pools,
    ) -> Result<(), Error> {
        let most = self.parts.settings.reconciliation_movements;
        let entries = self
            .parts
            .ledger
            .entries_within(tenant, receivable.id, (scope.span, height, most))
            .await?
            .ok_or(Error::SpanTooLarge)?;
        let mut sums: BTreeMap<(TransactionId, i64), Movement<i64>> = BTreeMap::new();
        for entry in entries {
            let Some(transaction) = entry.transaction.filter(|_| is_movement(&entry)) else {
                continue;
            };
            add(
                &mut sums,
                (transaction, entry.height),
                movement(&entry, (scope.currency, scope)),
            );
        }
        for ((transaction, _), movement) in sums {
            let place = (receivable.connector.clone(), transaction);
            pools.entry(place).or_default().ledger.push(movement);
        }
        Ok(())
    }

    async fn provider_side(
        &self,
        tenant: TenantId,
        scope: Scope,
        (pools, report): (&mut Pools, &mut Report),
    ) -> Result<(), Error> {
        let within = self
            .lines_within(tenant, (scope, StatementKind::Provider))
            .await?;
        let compared: Vec<&Line> = within.iter().filter(|line| is_compared(line)).collect();
        let told = compared
            .iter()
            .filter(|line| line.telling != Telling::Again);
        report.provider_minor = sum(told.map(|line| line.read.effect_minor()))?;
        let named: BTreeSet<TransactionId> = compared
            .iter()
            .filter_map(|line| line.read.transaction())
            .chain(pools.keys().map(|(_, transaction)| *transaction))
            .collect();
        // Counterparts outside of the span count too.
        let all = store::statements::of_transactions(self.database(), tenant, named.into_iter());
        for line in all.await?.into_iter().filter(is_compared) {
            let Some(transaction) = line.read.transaction() else {
                continue;
            };
            let place = (line.source.clone(), transaction);
            pools
                .entry(place)
                .or_default()
                .lines
                .push(line_movement(&line, scope));
            report.lines.insert(line.id, line);
        }
        for line in within {
            let is_ours = line.read.transaction().is_some();
            match line.read.kind {
                LineKind::Capture | LineKind::Refund | LineKind::Chargeback if !is_ours => {
                    strange(report, &line);
                }
                LineKind::Capture | LineKind::Refund | LineKind::Chargeback => continue,
                // What is charged by itself was booked when the report was taken.
                LineKind::Fee => report.agree(line.id),
                LineKind::Other => strange(report, &line),
                LineKind::Transfer | LineKind::Payout | LineKind::PayoutReturn => {}
            }
            report.lines.insert(line.id, line);
        }
        Ok(())
    }

    /// Of transactions that do not agree the ledger is asked for everything: other days, other currencies.
    async fn ask_for_the_rest(
        &self,
        tenant: TenantId,
        (scope, receivables): (Scope, &[Receivable]),
        pools: &mut Pools,
    ) -> Result<(), Error> {
        let doubtful: Vec<Place> = pools
            .iter()
            .filter(|(_, pool)| !agrees_at_sight(pool))
            .map(|(place, _)| place.clone())
            .collect();
        if doubtful.len() > ASKED {
            return Err(Error::SpanTooLarge);
        }
        let mut accounts: HashMap<&str, Vec<AccountId>> = HashMap::new();
        for receivable in receivables {
            let of = accounts.entry(receivable.connector.as_str()).or_default();
            of.push(receivable.id);
        }
        let ask = |place: Place| {
            let of = accounts.get(place.0.as_str()).cloned().unwrap_or_default();
            async move {
                let found = self.parts.ledger.touched(tenant, (place.1, &of)).await;
                found.map(|touched| (place, touched))
            }
        };
        let answers: Vec<_> = futures::stream::iter(doubtful.into_iter().map(ask))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for answer in answers {
            let (place, touched) = answer?;
            if let Some(pool) = pools.get_mut(&place) {
                pool.ledger = all_of(&touched, (place.1, scope));
            }
        }
        Ok(())
    }
}

// === free functions ===

fn is_compared(line: &Line) -> bool {
    matches!(
        line.read.kind,
        LineKind::Capture | LineKind::Refund | LineKind::Chargeback
    )
}

/// What a connector pays to the bank, what it charges by its report and what was written off is compared elsewhere or not at all.
fn is_movement(entry: &Entry) -> bool {
    entry.purpose != Purpose::Own
}

fn movement(entry: &Entry, (currency, scope): (Currency, Scope)) -> Movement<i64> {
    Movement {
        key: entry.height,
        minor: match entry.side {
            Side::Debit => entry.minor,
            Side::Credit => entry.minor.saturating_neg(),
        },
        currency,
        at: entry.effective_at,
        is_outside: !scope.span.holds(entry.effective_at),
        telling: Telling::First,
    }
}

/// What one batch of the ledger booked of a transaction is one movement: a chargeback with its fee, a capture with a fee that is
/// netted.
fn add<K: Ord>(sums: &mut BTreeMap<K, Movement<i64>>, key: K, movement: Movement<i64>) {
    match sums.entry(key) {
        std::collections::btree_map::Entry::Vacant(free) => {
            free.insert(movement);
        }
        std::collections::btree_map::Entry::Occupied(mut sum) => {
            let sum = sum.get_mut();
            sum.minor = sum.minor.saturating_add(movement.minor);
        }
    }
}

fn all_of(touched: &[Touched], (transaction, scope): (TransactionId, Scope)) -> Vec<Movement<i64>> {
    let mut sums = BTreeMap::new();
    let own = touched.iter().filter(|of| is_movement(&of.entry));
    for of in own.filter(|of| of.entry.transaction == Some(transaction)) {
        let key = (of.entry.height, of.currency.code());
        add(&mut sums, key, movement(&of.entry, (of.currency, scope)));
    }
    sums.into_values().collect()
}

fn line_movement(line: &Line, scope: Scope) -> Movement<LineId> {
    Movement {
        key: line.id,
        minor: line.read.effect_minor(),
        currency: line.read.amount.currency(),
        at: line.read.booked_at,
        is_outside: !scope.span.holds(line.read.booked_at),
        telling: line.telling,
    }
}

fn agrees_at_sight(pool: &Pool) -> bool {
    let mut ledger: Vec<_> = pool.ledger.iter().map(|of| of.minor).collect();
    let told = pool
        .lines
        .iter()
        .filter(|line| line.telling == Telling::First);
    let mut lines: Vec<_> = told.map(|of| of.minor).collect();
    ledger.sort_unstable();
    lines.sort_unstable();
    ledger == lines
}

/// A line that names no transaction of ours.
fn strange(report: &mut Report, line: &Line) {
    let minor = line.read.effect_minor();
    report.differ(Found {
        kind: BreakKind::MissingInLedger,
        subject: line_subject(line.id),
        reference: line.read.reference.clone(),
        ledger: None,
        stated: Some(line.read.amount),
        difference_minor: minor,
        book: Book::Receivable(line.source.clone()),
        line: Some(line.id),
        transaction: None,
    });
}

fn ledger_subject((connector, transaction): &Place, key: i64) -> String {
    format!("ledger:{connector}:{transaction}:{key}")
}

/// A difference of nothing yet.
fn blank(place: &Place) -> Found {
    Found {
        kind: BreakKind::Late,
        subject: String::new(),
        reference: place.1.to_string(),
        ledger: None,
        stated: None,
        difference_minor: 0,
        book: Book::Receivable(place.0.clone()),
        line: None,
        transaction: Some(place.1),
    }
}

fn note(report: &mut Report, (place, currency): (&Place, Currency), finding: Finding) {
    let money = |minor: i64| Some(Money::new(minor, currency));
    let blank = blank(place);
    // What is on the statement only is different as a whole.
    let stated = |kind: BreakKind, (ledger, minor): (Option<Money>, i64)| Found {
        kind,
        ledger,
        stated: money(minor),
        difference_minor: minor,
        ..blank.clone()
    };
    let (line, found) = match finding {
        Finding::Agreed { line, key } => {
            report.agree(line);
            let subject = key.map(|key| ledger_subject(place, key));
            return report.agreed.extend(subject);
        }
        Finding::MissingAtProvider { minor, key } => {
            return report.differ(Found {
                kind: BreakKind::MissingAtProvider,
                subject: ledger_subject(place, key),
                ledger: money(minor),
                difference_minor: minor.saturating_neg(),
                ..blank
            });
        }
        Finding::Late { line, minor } => {
            let found = Found {
                ledger: money(minor),
                stated: money(minor),
                ..blank
            };
            (line, found)
        }
        Finding::AmountDiffers {
            line,
            ledger_minor,
            line_minor,
        } => {
            let found = Found {
                kind: BreakKind::AmountDiffers,
                ledger: money(ledger_minor),
                stated: money(line_minor),
                difference_minor: line_minor.saturating_sub(ledger_minor),
                ..blank
            };
            (line, found)
        }
        Finding::CurrencyDiffers {
            line,
            ledger: (minor, other),
            line_minor,
        } => {
            let ledger = Some(Money::new(minor, other));
            (
                line,
                stated(BreakKind::CurrencyDiffers, (ledger, line_minor)),
            )
        }
        Finding::Duplicate { line, minor } => (line, stated(BreakKind::Duplicate, (None, minor))),
        Finding::MissingInLedger { line, minor } => {
            (line, stated(BreakKind::MissingInLedger, (None, minor)))
        }
    };
    report.differ(Found {
        subject: line_subject(line),
        line: Some(line),
        ..found
    });
}

fn sum(mut minors: impl Iterator<Item = i64>) -> Result<i64, Error> {
    minors
        .try_fold(0_i64, i64::checked_add)
        .ok_or_else(|| crate::domain::batch::Overflow.into())
}
