//! What can be asked: payments and their parts by id or by our reference, reports, settlements, the provider's own state.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::machine::Answer;
use crate::problem::Problem;
use crate::provider::fact::PaymentKey;
use crate::provider::routes::{Answered, App, known, read_query};
use crate::provider::settle::SettlementLine;
use crate::provider::state::{self, Subject};
use crate::provider::view::{self, List, PaymentView};
use crate::record::csv_response;
use crate::timestamp::Day;

const MOST_OBJECTS: usize = 100;
const MOST_REPORT_LINES: usize = 100_000;
const OK: u16 = 200;
const STATE: HeaderName = HeaderName::from_static("paymesh-report-state");
const NEXT_AFTER: HeaderName = HeaderName::from_static("paymesh-next-after");
const REPORT_HEAD: [&str; 14] = [
    "line",
    "type",
    "payment_id",
    "operation_id",
    "reference",
    "operation_reference",
    "merchant_reference",
    "currency",
    "gross_minor",
    "fee_minor",
    "net_minor",
    "settlement_date",
    "business_at",
    "settlement_id",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByReference {
    reference: String,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ByDate {
    date: Day,
    after: Option<usize>,
    limit: Option<usize>,
}

type Asked<T> = Result<Query<T>, QueryRejection>;

// === free functions ===

pub(super) async fn payment(State(app): State<App>, Path(id): Path<String>) -> Answered {
    let key = known(&id)?;
    let answer = app
        .engine
        .read(|state| {
            Ok(view::answer(
                OK,
                &PaymentView::of(state, state.payment(key)?),
            ))
        })
        .await?;
    Ok(answer.into_response())
}

pub(super) async fn payments(State(app): State<App>, query: Asked<ByReference>) -> Answered {
    let query = read_query(query)?;
    let most = most_objects(query.limit)?;
    let look = |state: &state::State| {
        let keys = state
            .by_reference
            .get(&query.reference)
            .map_or(&[][..], Vec::as_slice);
        let data = keys
            .iter()
            .take(most)
            .filter_map(|key| state.payments.get(key));
        let data = data
            .map(|payment| PaymentView::of(state, payment))
            .collect();
        Ok(view::answer(
            OK,
            &List {
                data,
                has_more: keys.len() > most,
            },
        ))
    };
    Ok(app.engine.read(look).await?.into_response())
}

pub(super) async fn captures(State(app): State<App>, query: Asked<ByReference>) -> Answered {
    let query = read_query(query)?;
    let most = most_objects(query.limit)?;
    let look = |state: &state::State| {
        let found = state
            .captures_by_reference
            .get(&query.reference)
            .map_or(&[][..], Vec::as_slice);
        let part = |(key, id): &(PaymentKey, String)| {
            let payment = state.payments.get(key)?;
            let capture = payment.captures.iter().find(|capture| capture.id == *id)?;
            Some(view::of_payment("capture", payment, capture))
        };
        let data = found.iter().take(most).filter_map(part).collect();
        Ok(view::answer(
            OK,
            &List {
                data,
                has_more: found.len() > most,
            },
        ))
    };
    Ok(app.engine.read(look).await?.into_response())
}

pub(super) async fn refunds(State(app): State<App>, query: Asked<ByReference>) -> Answered {
    let query = read_query(query)?;
    let most = most_objects(query.limit)?;
    let look = |state: &state::State| {
        let found = state
            .refunds_by_reference
            .get(&query.reference)
            .map_or(&[][..], Vec::as_slice);
        let part = |(key, id): &(PaymentKey, String)| {
            let payment = state.payments.get(key)?;
            Some(view::of_payment("refund", payment, payment.refund(id)?))
        };
        let data = found.iter().take(most).filter_map(part).collect();
        Ok(view::answer(
            OK,
            &List {
                data,
                has_more: found.len() > most,
            },
        ))
    };
    Ok(app.engine.read(look).await?.into_response())
}

pub(super) async fn refund(State(app): State<App>, Path(id): Path<String>) -> Answered {
    let look = |state: &state::State| {
        let key = state.refunds.get(&id).copied();
        let key = key.ok_or_else(|| Problem::not_found("there is no such refund"))?;
        Ok(found(view::render(
            state,
            &Subject::Refund(key, id.clone()),
        )))
    };
    Ok(app.engine.read(look).await?.into_response())
}

pub(super) async fn dispute(State(app): State<App>, Path(id): Path<String>) -> Answered {
    let look = |state: &state::State| {
        let key = state.disputes.get(&id).copied();
        let key = key.ok_or_else(|| Problem::not_found("there is no such dispute"))?;
        Ok(view::render(state, &Subject::Dispute(key, id.clone(), OK)))
    };
    Ok(app.engine.read(look).await?.into_response())
}

pub(super) async fn settlements(State(app): State<App>, query: Asked<ByDate>) -> Answered {
    let date = read_query(query)?.date;
    let look = |state: &state::State| Ok(view::render(state, &Subject::Settlements(date)));
    Ok(app.engine.read(look).await?.into_response())
}

/// The report of a day as CSV, in pages of up to 100 000 lines.
pub(super) async fn settlement_report(State(app): State<App>, query: Asked<ByDate>) -> Answered {
    let ByDate { date, after, limit } = read_query(query)?;
    let (after, limit) = (after.unwrap_or(0), limit.unwrap_or(MOST_REPORT_LINES));
    if !(1..=MOST_REPORT_LINES).contains(&limit) {
        return Err(Problem::invalid(format!(
            "limit must be 1 to {MOST_REPORT_LINES}"
        )));
    }
    let look = |state: &state::State| {
        let lines = state.reports.lines(date);
        let page = lines.iter().enumerate().skip(after).take(limit);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut written = writer.write_record(REPORT_HEAD);
        for (place, line) in page {
            written = written.and_then(|()| writer.write_record(row(state, place + 1, line)));
        }
        let bytes = written
            .ok()
            .and_then(|()| writer.into_inner().ok())
            .expect("memory takes every write");
        let next = after.saturating_add(limit);
        Ok((
            bytes,
            state.reports.is_closed(date),
            (next < lines.len()).then_some(next),
        ))
    };
    let (bytes, closed, next) = app.engine.read(look).await?;
    let mut response = csv_response(bytes);
    let report_state = if closed { "closed" } else { "open" };
    response
        .headers_mut()
        .insert(STATE, HeaderValue::from_static(report_state));
    if let Some(next) = next {
        response
            .headers_mut()
            .insert(NEXT_AFTER, HeaderValue::from(next));
    }
    Ok(response)
}

pub(super) async fn status(State(app): State<App>) -> Answered {
    let journal_bytes = app.engine.journal_bytes();
    let look = |state: &state::State| {
        let outbox = &state.outbox;
        Ok(json!({
            "payments": state.payments.len(),
            "timers": state.timers.len(),
            "deposits_pending": state.deposits.len(),
            "webhooks_pending": outbox.pending(),
            "webhooks_delivered": outbox.delivered,
            "webhooks_abandoned": outbox.abandoned,
            "webhooks_dropped": outbox.dropped,
            "journal_bytes": journal_bytes,
        }))
    };
    let body: Response = axum::Json(app.engine.read(look).await?).into_response();
    Ok(body)
}

fn row(state: &state::State, number: usize, line: &SettlementLine) -> [String; 14] {
    let payment = state
        .payments
        .get(&line.payment)
        .expect("a line is about a payment that exists");
    let captured = payment
        .captures
        .iter()
        .find(|capture| capture.id == line.operation_id);
    let operation_reference = captured
        .and_then(|capture| capture.reference.clone())
        .or_else(|| {
            payment
                .refund(&line.operation_id)
                .and_then(|refund| refund.reference.clone())
        });
    let settlement = state.reports.settlement_of(line.day, line.currency);
    let kind = serde_json::to_value(line.kind).expect("a kind is a word");
    [
        number.to_string(),
        kind.as_str().unwrap_or_default().to_owned(),
        payment.new.id.clone(),
        line.operation_id.clone(),
        payment.new.reference.clone(),
        operation_reference.unwrap_or_default(),
        payment.new.merchant_reference.clone().unwrap_or_default(),
        line.currency.to_string(),
        line.gross_minor.to_string(),
        line.fee_minor.to_string(),
        (line.gross_minor - line.fee_minor).to_string(),
        line.day.to_string(),
        line.business_at.to_string(),
        settlement
            .map(|settlement| settlement.id.clone())
            .unwrap_or_default(),
    ]
}

fn most_objects(limit: Option<usize>) -> Result<usize, Problem> {
    let limit = limit.unwrap_or(MOST_OBJECTS);
    let fine = (1..=MOST_OBJECTS).contains(&limit);
    fine.then_some(limit)
        .ok_or_else(|| Problem::invalid(format!("limit must be 1 to {MOST_OBJECTS}")))
}

/// The same answer for something that was there already.
fn found(answer: Answer) -> Answer {
    Answer {
        status: OK,
        ..answer
    }
}
