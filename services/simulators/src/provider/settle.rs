//! The settlement report's lines and sums.
//!
//! Invariants:
//! - S1: every movement of money is one line, on the report of its business day, or of the next open day when that is closed.
//! - S2: `net = gross − fee` on each line, and sums are the sums of lines.
//! - S3: a closed report never changes.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::amount::Currency;
use crate::machine::Context;
use crate::provider::fact::{PaymentKey, Settlement};
use crate::timestamp::{Day, Timestamp};

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LineKind {
    Capture,
    Refund,
    RefundFailure,
    Chargeback,
    ChargebackReversal,
}

/// One line of a report. Gross is positive towards the merchant.
#[derive(Clone, Debug)]
pub(crate) struct SettlementLine {
    pub(crate) kind: LineKind,
    pub(crate) payment: PaymentKey,
    pub(crate) operation_id: String,
    pub(crate) currency: Currency,
    pub(crate) gross_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) day: Day,
    pub(crate) business_at: Timestamp,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    gross_minor: i64,
    fee_minor: i64,
    lines: u64,
}

/// All reports.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    days: BTreeMap<Day, Vec<SettlementLine>>,
    sums: BTreeMap<Day, BTreeMap<Currency, Sum>>,
    closed_through: Option<Day>,
    settlements: BTreeMap<Day, Vec<Settlement>>,
}

// === impl Reports ===

impl Reports {
    /// The report a movement of this business time belongs to (S1, S3).
    pub(crate) fn day_for(&self, business_at: Timestamp) -> Day {
        let day = business_at.day();
        self.closed_through
            .map_or(day, |closed| day.max(closed.next()))
    }

    pub(crate) fn add(&mut self, line: SettlementLine) {
        assert!(
            self.closed_through.is_none_or(|closed| line.day > closed),
            "S3: a closed report never changes"
        );
        let sum = self
            .sums
            .entry(line.day)
            .or_default()
            .entry(line.currency)
            .or_default();
        sum.gross_minor += line.gross_minor;
        sum.fee_minor += line.fee_minor;
        sum.lines += 1;
        self.days.entry(line.day).or_default().push(line);
    }

    pub(crate) fn lines(&self, day: Day) -> &[SettlementLine] {
        self.days.get(&day).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_closed(&self, day: Day) -> bool {
        self.closed_through.is_some_and(|closed| day <= closed)
    }

    /// What the close of a day paid out; empty when nothing did.
    pub(crate) fn settlements(&self, through: Day) -> &[Settlement] {
        self.settlements.get(&through).map_or(&[], Vec::as_slice)
    }

    /// The settlement that a closed day's lines of a currency went into.
    pub(crate) fn settlement_of(&self, day: Day, currency: Currency) -> Option<&Settlement> {
        let (_, closed) = self.settlements.range(day..).next()?;
        closed
            .iter()
            .find(|settlement| settlement.net.currency == currency)
    }

    /// Sums up all open days through `through`, one settlement a currency.
    pub(crate) fn settle(&self, through: Day, context: &mut Context) -> Vec<Settlement> {
        let mut sums: BTreeMap<Currency, Sum> = BTreeMap::new();
        let open = self
            .sums
            .range(..=through)
            .filter(|(day, _)| !self.is_closed(**day));
        for (currency, sum) in open.flat_map(|(_, sums)| sums) {
            let total = sums.entry(*currency).or_default();
            total.gross_minor += sum.gross_minor;
            total.fee_minor += sum.fee_minor;
            total.lines += sum.lines;
        }
        let settlement = |(currency, sum): (Currency, Sum)| Settlement {
            id: context.id("stl"),
            date: through,
            net: crate::amount::Amount {
                minor: sum.gross_minor - sum.fee_minor,
                currency,
            },
            gross_minor: sum.gross_minor,
            fee_minor: sum.fee_minor,
            lines: sum.lines,
            business_at: context.business_at,
        };
        sums.into_iter().map(settlement).collect()
    }

    pub(crate) fn close(&mut self, through: Day, settlements: &[Settlement]) {
        self.closed_through = Some(through);
        self.settlements.insert(through, settlements.to_vec());
    }
}
