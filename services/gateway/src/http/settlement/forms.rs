//! Forms of settlement.

use paymesh_proto::settlement::v1 as pb;

use super::super::form::{Amount, Moment, Word, form, request, words};

words! {
    pb::BatchState = BatchState "BATCH_STATE_";
    pb::StatementKind = StatementKind "STATEMENT_KIND_";
    pb::LineKind = LineKind "LINE_KIND_";
    pb::MatchState = MatchState "MATCH_STATE_";
}

form! {
    /// What is settled together: all that the ledger booked between two heights.
    SettlementBatch from pb::Batch {
        /// `sb_…`
        id: String,
        state: Word<pb::BatchState>,
        currency: String,
        /// Exclusive.
        from_height: u64,
        /// Inclusive; left out while it is open.
        until_height: Option<u64>,
        gross: Option<Amount>,
        fees: Option<Amount>,
        refunds: Option<Amount>,
        chargebacks: Option<Amount>,
        /// May be negative.
        net: Option<Amount>,
        transaction_count: u64,
        opened_at: Moment = opened_at_us,
        closed_at: Option<Moment> = closed_at_us,
    }
}

form! {
    /// What a batch comes to for one merchant.
    Position from pb::Position {
        batch_id: String,
        merchant_id: String,
        currency: String,
        gross: Option<Amount>,
        fees: Option<Amount>,
        refunds: Option<Amount>,
        chargebacks: Option<Amount>,
        /// May be negative; later payouts net it.
        net: Option<Amount>,
        transaction_count: u64,
        available_at: Option<Moment> = available_at_us,
        released_at: Option<Moment> = released_at_us,
    }
}

form! {
    /// An imported statement.
    ImportedStatement from pb::Statement {
        /// `stm_…`
        id: String,
        kind: Word<pb::StatementKind>,
        /// The connector's name, or the bank's.
        source: String,
        content_sha256: String,
        line_count: u64,
        from: Option<Moment> = from_at_us,
        until: Option<Moment> = until_at_us,
        imported_at: Moment = imported_at_us,
    }
}

form! {
    /// A line of a statement.
    StatementLine from pb::StatementLine {
        statement_id: String,
        /// From 1.
        line_number: u64,
        kind: Word<pb::LineKind>,
        reference: Option<String>,
        /// Positive: credited to us; negative: debited.
        amount: Option<Amount>,
        fee: Option<Amount>,
        booked_at: Option<Moment> = booked_at_us,
        match_state: Word<pb::MatchState>,
    }
}

form! {
    /// One run of the three-way reconciliation.
    Reconciliation from pb::Reconciliation {
        /// `rec_…`
        id: String,
        range: Option<Span>,
        ledger_height: u64,
        matched_count: u64,
        /// New breaks.
        break_count: u64,
        ledger_total: Option<Amount>,
        provider_total: Option<Amount>,
        bank_total: Option<Amount>,
        started_at: Option<Moment> = started_at_us,
        finished_at: Option<Moment> = finished_at_us,
    }
}

form! {
    /// A span of time.
    Span from paymesh_proto::types::v1::TimeRange {
        from: Option<Moment> = from_at_us,
        /// Exclusive.
        until: Option<Moment> = until_at_us,
    }
}

request! {
    /// A batch to open.
    OpenBatch {
        /// ISO 4217.
        currency: String,
    }
}

request! {
    /// Which batches.
    SettlementBatchFilter {
        currency: Option<String>,
        state: Option<Word<pb::BatchState>>,
        opened_from: Option<Moment>,
        /// Exclusive.
        opened_until: Option<Moment>,
    }
}

request! {
    /// Which positions.
    PositionFilter {
        batch_id: Option<String>,
        merchant_id: Option<String>,
    }
}

request! {
    /// What the file is.
    StatementImportQuery {
        kind: Word<pb::StatementKind>,
        /// The connector's name, or the bank's.
        source: String,
    }
}

request! {
    /// Which statements.
    StatementFilter {
        kind: Option<Word<pb::StatementKind>>,
    }
}

request! {
    /// Which lines.
    StatementLineFilter {
        match_state: Option<Word<pb::MatchState>>,
    }
}

request! {
    /// What to compare.
    Reconcile {
        /// ISO 4217.
        currency: String,
        from: Moment,
        /// Exclusive.
        until: Moment,
    }
}
