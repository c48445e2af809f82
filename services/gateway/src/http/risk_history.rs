//! Risk's past: history, and what rules would have done.

use std::{collections::BTreeMap, sync::Arc};

use paymesh_proto::risk::v1 as pb;

use super::{
    answer::{Done, Found},
    form::{Amount, Form, Moment, Word, form, number_of, request},
    input::{Body, range},
    once::Once,
    problem::Problem,
    risk::TAG,
    route::{BodySize, Route},
};
use crate::clients::Clients;

form! {
    /// What a rule would have done.
    BacktestLine from pb::BacktestLine {
        rule_name: String,
        matched_count: u64,
        /// Frauds among the matched.
        fraud_count: u64,
        /// Frauds among the matched, in basis points.
        precision_bp: i64,
        /// Matched among the frauds, in basis points.
        recall_bp: i64,
    }
}

form! {
    /// What rules would have done.
    Backtest from pb::BacktestResponse {
        payment_count: u64,
        fraud_count: u64,
        lines: Vec<BacktestLine>,
        /// By decision: what would have come out.
        decision_counts: BTreeMap<String, u64>,
    }
}

form! {
    /// What was taken.
    HistoryImported from pb::ImportHistoryResponse {
        imported_count: u64,
    }
}

request! {
    /// A rule to try.
    TrialRule {
        name: String,
        expression: String,
        /// Only adds points, if it is left out.
        decision: Option<Word<pb::Decision>>,
        points: Option<i32>,
        priority: Option<i32>,
    }
}

request! {
    /// Which rules to try on which payments.
    RunBacktest {
        /// 1 to 50.
        rules: Vec<TrialRule>,
        /// By business time.
        from: Option<Moment>,
        /// By business time, exclusive.
        until: Option<Moment>,
        /// Payments looked at, at most 1,000,000; 100,000, if it is left out.
        limit: Option<i32>,
        /// Together with the enabled rules.
        with_enabled_rules: Option<bool>,
    }
}

request! {
    /// A past payment.
    HistoryItem {
        /// Unique in the import's source.
        reference: String,
        /// Any stable id.
        customer_id: String,
        payment_method_id: Option<String>,
        merchant_id: Option<String>,
        terminal_id: String,
        /// ISO 3166-1 alpha-2.
        country: Option<String>,
        amount: Amount,
        business_at: Moment,
        /// Known to be fraud.
        fraud: Option<bool>,
        /// When that became known; with the payment, if it is left out.
        labelled_at: Option<Moment>,
    }
}

request! {
    /// A piece of history.
    ImportHistory {
        /// Yours; the same for all chunks.
        import_id: String,
        /// From 0.
        chunk: i32,
        /// At most 10,000, by business time.
        items: Vec<HistoryItem>,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/risk/backtests", backtest)
            .about("Try rules on past payments")
            .notes("Without any effect.")
            .calls(&["RiskService/Backtest"])
            .tag(TAG),
        Route::post("/v1/risk/history", import)
            .about("Import past payments")
            .notes("Sandboxes only. Chunk by chunk; a chunk that was taken is not taken again.")
            .calls(&["RiskService/ImportHistory"])
            .body_size(BodySize::Import)
            .tag(TAG),
    ]
}

impl From<TrialRule> for pb::Rule {
    fn from(rule: TrialRule) -> Self {
        Self {
            name: rule.name,
            expression: rule.expression,
            decision: number_of(rule.decision),
            points: rule.points.unwrap_or(0),
            priority: rule.priority.unwrap_or(0),
            state: pb::RuleState::Enabled.into(),
            ..Self::default()
        }
    }
}

impl From<HistoryItem> for pb::HistoryItem {
    fn from(item: HistoryItem) -> Self {
        Self {
            reference: item.reference,
            customer_id: item.customer_id,
            payment_method_id: item.payment_method_id.unwrap_or_default(),
            merchant_id: item.merchant_id.unwrap_or_default(),
            terminal_id: item.terminal_id,
            country: item.country.unwrap_or_default(),
            amount: Some(item.amount.into()),
            business_at_us: item.business_at.as_micros(),
            fraud: item.fraud.unwrap_or(false),
            labelled_at_us: item.labelled_at.map_or(0, Moment::as_micros),
        }
    }
}

async fn backtest(
    clients: Arc<Clients>,
    Body(body): Body<RunBacktest>,
) -> Result<Found<Backtest>, Problem> {
    let request = pb::BacktestRequest {
        rules: body.rules.into_iter().map(Into::into).collect(),
        business: range(body.from, body.until),
        limit: body.limit.unwrap_or(0),
        with_enabled_rules: body.with_enabled_rules.unwrap_or(false),
    };
    let answer = clients.risk().backtest(request).await?.into_inner();
    Ok(Found(Backtest::form(answer)))
}

async fn import(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<ImportHistory>,
) -> Result<Done<HistoryImported>, Problem> {
    let request = pb::ImportHistoryRequest {
        import_id: body.import_id,
        chunk: body.chunk,
        items: body.items.into_iter().map(Into::into).collect(),
    };
    let answer = once
        .run_once(async || Ok(clients.risk().import_history(request).await?.into_inner()))
        .await?;
    let outcome = answer.outcome;
    Ok(Done::new(HistoryImported::form(answer), outcome))
}
