//! Domain words as the contract has them, for answers and facts alike.

use paymesh_kernel::Timestamp;
use paymesh_money::{Currency, Money};
use paymesh_proto::{
    settlement::v1 as wire,
    types::v1::{self as types, TimeRange},
};

use crate::{
    clients::to_money,
    domain::{
        batch::{Batch, BatchState, Figures, Position},
        difference::{Break, BreakKind, BreakState},
        payout::{Owner, OwnerKind, Payout, State},
        reconciliation::Reconciliation,
        statement::{Line, LineKind, MatchState, Statement, StatementKind},
    },
};

pub(crate) const fn batch_state(state: BatchState) -> wire::BatchState {
    match state {
        BatchState::Open => wire::BatchState::Open,
        BatchState::Closing => wire::BatchState::Closing,
        BatchState::Closed => wire::BatchState::Closed,
    }
}

pub(crate) fn batch(of: &Batch) -> wire::Batch {
    let sums = Sums::of(&of.figures, of.currency);
    wire::Batch {
        id: of.id.to_string(),
        state: batch_state(of.state).into(),
        currency: of.currency.code().to_owned(),
        from_height: unsigned(of.from_height),
        until_height: unsigned(of.until_height),
        gross: sums.gross,
        fees: sums.fees,
        refunds: sums.refunds,
        chargebacks: sums.chargebacks,
        net: sums.net,
        transaction_count: unsigned(of.figures.transactions),
        opened_at_us: of.opened_at.as_micros(),
        closed_at_us: micros(of.closed_at),
    }
}

pub(crate) fn position(of: &Position) -> wire::Position {
    let sums = Sums::of(&of.figures, of.currency);
    wire::Position {
        batch_id: of.batch.to_string(),
        merchant_id: of.merchant.to_string(),
        currency: of.currency.code().to_owned(),
        gross: sums.gross,
        fees: sums.fees,
        refunds: sums.refunds,
        chargebacks: sums.chargebacks,
        net: sums.net,
        transaction_count: unsigned(of.figures.transactions),
        available_at_us: of.available_at.as_micros(),
        released_at_us: micros(of.released_at),
    }
}

/// Sums as the contract has them.
struct Sums {
    gross: Option<types::Money>,
    fees: Option<types::Money>,
    refunds: Option<types::Money>,
    chargebacks: Option<types::Money>,
    net: Option<types::Money>,
}

impl Sums {
    fn of(figures: &Figures, currency: Currency) -> Self {
        let money = |minor: i64| Some(to_money(Money::new(minor, currency)));
        Self {
            gross: money(figures.gross),
            fees: money(figures.fees),
            refunds: money(figures.refunds),
            chargebacks: money(figures.chargebacks),
            net: figures.net().and_then(money),
        }
    }
}

pub(crate) const fn payout_state(state: State) -> wire::PayoutState {
    match state {
        State::Reserved => wire::PayoutState::Reserved,
        State::Sent => wire::PayoutState::Sent,
        State::Confirmed => wire::PayoutState::Confirmed,
        State::Returned => wire::PayoutState::Returned,
        State::Failed => wire::PayoutState::Failed,
        State::Unknown => wire::PayoutState::Unknown,
    }
}

fn owner(of: &Owner) -> types::Owner {
    let kind = match of.kind {
        OwnerKind::User => types::OwnerKind::User,
        OwnerKind::Merchant => types::OwnerKind::Merchant,
    };
    types::Owner {
        kind: kind.into(),
        id: of.id.clone(),
    }
}

pub(crate) fn payout(of: &Payout) -> wire::Payout {
    wire::Payout {
        id: of.id.to_string(),
        state: payout_state(of.state).into(),
        owner: Some(owner(&of.owner)),
        account_id: of.account.to_string(),
        amount: Some(to_money(of.amount)),
        destination_token: of.destination.clone(),
        end_to_end_id: of.end_to_end_id(),
        batch_id: of.batch.map(|id| id.to_string()).unwrap_or_default(),
        transaction_id: of.transaction.map(|id| id.to_string()).unwrap_or_default(),
        reason: of.reason.clone(),
        created_by: of.created_by.clone(),
        created_at_us: of.created_at.as_micros(),
        sent_at_us: micros(of.sent_at),
        finished_at_us: micros(of.finished_at),
    }
}

pub(crate) const fn statement_kind(kind: StatementKind) -> wire::StatementKind {
    match kind {
        StatementKind::Provider => wire::StatementKind::Provider,
        StatementKind::Bank => wire::StatementKind::Bank,
    }
}

pub(crate) fn statement(of: &Statement) -> wire::Statement {
    wire::Statement {
        id: of.id.to_string(),
        kind: statement_kind(of.kind).into(),
        source: of.source.clone(),
        content_sha256: of.content_sha256.clone(),
        line_count: unsigned(of.line_count),
        from_at_us: of.from_at.as_micros(),
        until_at_us: of.until_at.as_micros(),
        imported_at_us: of.imported_at.as_micros(),
    }
}

const fn line_kind(kind: LineKind) -> wire::LineKind {
    match kind {
        LineKind::Capture => wire::LineKind::Capture,
        LineKind::Refund => wire::LineKind::Refund,
        LineKind::Chargeback => wire::LineKind::Chargeback,
        LineKind::Fee => wire::LineKind::Fee,
        LineKind::Transfer => wire::LineKind::Transfer,
        LineKind::Payout => wire::LineKind::Payout,
        LineKind::PayoutReturn => wire::LineKind::PayoutReturn,
        LineKind::Other => wire::LineKind::Other,
    }
}

const fn match_state(state: MatchState) -> wire::MatchState {
    match state {
        MatchState::Unmatched => wire::MatchState::Unmatched,
        MatchState::Matched => wire::MatchState::Matched,
        MatchState::Broken => wire::MatchState::Broken,
        MatchState::WrittenOff => wire::MatchState::WrittenOff,
    }
}

pub(crate) fn line(of: &Line) -> wire::StatementLine {
    let read = &of.read;
    let fee = Money::new(read.fee_minor, read.amount.currency());
    wire::StatementLine {
        statement_id: of.statement.to_string(),
        line_number: unsigned(read.number),
        kind: line_kind(read.kind).into(),
        reference: read.reference.clone(),
        amount: Some(to_money(read.amount)),
        fee: (!fee.is_zero()).then(|| to_money(fee)),
        booked_at_us: read.booked_at.as_micros(),
        match_state: match_state(of.match_state).into(),
    }
}

pub(crate) fn reconciliation(of: &Reconciliation) -> wire::Reconciliation {
    let total = |minor: i64| Some(to_money(Money::new(minor, of.currency)));
    wire::Reconciliation {
        id: of.id.to_string(),
        range: Some(TimeRange {
            from_at_us: of.span.from.as_micros(),
            until_at_us: of.span.until.as_micros(),
        }),
        ledger_height: unsigned(of.ledger_height),
        matched_count: unsigned(of.matched_count),
        break_count: unsigned(of.break_count),
        ledger_total: total(of.ledger_minor),
        provider_total: total(of.provider_minor),
        bank_total: total(of.bank_minor),
        started_at_us: of.started_at.as_micros(),
        finished_at_us: of.finished_at.as_micros(),
    }
}

const fn break_kind(kind: BreakKind) -> wire::BreakKind {
    match kind {
        BreakKind::MissingInLedger => wire::BreakKind::MissingInLedger,
        BreakKind::MissingAtProvider => wire::BreakKind::MissingAtProvider,
        BreakKind::MissingAtBank => wire::BreakKind::MissingAtBank,
        BreakKind::AmountDiffers => wire::BreakKind::AmountDiffers,
        BreakKind::CurrencyDiffers => wire::BreakKind::CurrencyDiffers,
        BreakKind::Duplicate => wire::BreakKind::Duplicate,
        BreakKind::Late => wire::BreakKind::Late,
    }
}

const fn break_state(state: BreakState) -> wire::BreakState {
    match state {
        BreakState::Open => wire::BreakState::Open,
        BreakState::Assigned => wire::BreakState::Assigned,
        BreakState::WriteOffRequested => wire::BreakState::WriteOffRequested,
        BreakState::WrittenOff => wire::BreakState::WrittenOff,
        BreakState::Resolved => wire::BreakState::Resolved,
    }
}

pub(crate) fn difference(of: &Break) -> wire::Break {
    let text = |id: Option<String>| id.unwrap_or_default();
    wire::Break {
        id: of.id.to_string(),
        kind: break_kind(of.kind).into(),
        state: break_state(of.state).into(),
        reconciliation_id: of.reconciliation.to_string(),
        reference: of.reference.clone(),
        ledger_amount: of.ledger.map(to_money),
        statement_amount: of.stated.map(to_money),
        difference: Some(to_money(of.difference)),
        statement_id: text(of.statement.map(|id| id.to_string())),
        line_number: unsigned(of.line_number),
        transaction_id: text(of.transaction.map(|id| id.to_string())),
        assignee: of.assignee.clone(),
        note: of.note.clone(),
        write_off_requested_by: of.requested_by.clone(),
        write_off_approved_by: of.approved_by.clone(),
        opened_at_us: of.opened_at.as_micros(),
        closed_at_us: micros(of.closed_at),
    }
}

fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
