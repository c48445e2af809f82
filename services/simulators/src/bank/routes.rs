//! The bank's HTTP API, version 1: requests in, validated commands out.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::amount::{Amount, LARGEST_MINOR};
use crate::bank::beneficiary;
use crate::bank::fact::{Command, DepositOrder, EntryKind, PayoutOrder};
use crate::bank::state::{self, StatementLine, Subject};
use crate::flow::Host;
use crate::machine::Machine;
use crate::problem::Problem;
use crate::record::{self, csv_response};
use crate::request::{ApiKey, Submission, require_api_key};
use crate::timestamp::{Day, Timestamp};

const LONGEST_TEXT: usize = 140;
const LONGEST_ID: usize = 128;
const MOST_LINES: usize = 100_000;
const OK: u16 = 200;
const NEXT_AFTER: HeaderName = HeaderName::from_static("paymesh-next-after");
const STATEMENT_HEAD: [&str; 10] = [
    "line",
    "entry_id",
    "booking_date",
    "business_at",
    "type",
    "end_to_end_id",
    "reference",
    "currency",
    "amount_minor",
    "balance_minor",
];

type App = Host<state::State>;
type Answered = Result<Response, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayoutRequest {
    end_to_end_id: String,
    amount: Amount,
    beneficiary: String,
    reference: Option<String>,
    business_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DepositRequest {
    id: String,
    amount: Amount,
    #[serde(default = "usual_source")]
    source: String,
    reference: Option<String>,
    business_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByDate {
    date: Day,
    after: Option<usize>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

// === free functions ===

/// All routes.
pub(crate) fn router(app: App, api_key: ApiKey) -> Router {
    let guarded = Router::new()
        .route("/v1/payouts", post(pay_out))
        .route("/v1/payouts/{end_to_end_id}", get(payout))
        .route("/v1/payouts/{end_to_end_id}/return", post(return_payout))
        .route("/v1/deposits", post(deposit))
        .route("/v1/deposits/{id}", get(show_deposit))
        .route("/v1/statements", get(statement))
        .route("/v1/balances", get(balances))
        .route("/v1/simulate/timers", post(run_timers))
        .route("/v1/record", get(show_record))
        .route("/v1/status", get(status))
        .layer(from_fn_with_state(api_key, require_api_key));
    Router::new()
        .route("/healthz", get(async || "ok"))
        .merge(guarded)
        .fallback(async || Problem::not_found("there is no such resource"))
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "this resource has no such method",
            )
        })
        .with_state(app)
}

async fn pay_out(State(app): State<App>, submission: Submission) -> Answered {
    let request: PayoutRequest = submission.json()?;
    check_text("end_to_end_id", &request.end_to_end_id, LONGEST_ID)?;
    beneficiary::check(&request.beneficiary)?;
    check_optional("reference", request.reference.as_deref())?;
    if !(1..=LARGEST_MINOR).contains(&request.amount.minor) {
        return Err(Problem::invalid(format!(
            "amount.minor must be 1 to {LARGEST_MINOR}"
        )));
    }
    let command = Command::PayOut(PayoutOrder {
        end_to_end_id: request.end_to_end_id,
        amount: request.amount,
        beneficiary: request.beneficiary,
        reference: request.reference,
        business_at: request.business_at,
    });
    app.submit(submission, command).await
}

async fn deposit(State(app): State<App>, submission: Submission) -> Answered {
    let request: DepositRequest = submission.json()?;
    check_text("id", &request.id, LONGEST_ID)?;
    check_text("source", &request.source, LONGEST_TEXT)?;
    check_optional("reference", request.reference.as_deref())?;
    // A day's sum may be larger than one payment, and negative.
    if request.amount.minor == 0
        || request.amount.minor.unsigned_abs() > LARGEST_MINOR.unsigned_abs() * 1_000
    {
        return Err(Problem::invalid(
            "amount.minor must not be zero, and be within 1000 times the largest payment",
        ));
    }
    let command = Command::Deposit(DepositOrder {
        id: request.id,
        amount: request.amount,
        source: request.source,
        reference: request.reference,
        business_at: request.business_at,
    });
    app.submit(submission, command).await
}

async fn return_payout(
    State(app): State<App>,
    Path(end_to_end_id): Path<String>,
    submission: Submission,
) -> Answered {
    let Empty {} = submission.json()?;
    app.submit(submission, Command::Return { end_to_end_id })
        .await
}

async fn payout(State(app): State<App>, Path(id): Path<String>) -> Answered {
    let look = |state: &state::State| {
        state.payout(&id)?;
        Ok(state.render(&Subject::Payout(id.clone(), OK)))
    };
    Ok(app.engine.read(look).await?.into_response())
}

async fn show_deposit(State(app): State<App>, Path(id): Path<String>) -> Answered {
    let look = |state: &state::State| {
        if state.deposits.contains_key(&id) {
            Ok(state.render(&Subject::Deposit(id.clone(), OK)))
        } else {
            Err(Problem::not_found("there is no such deposit"))
        }
    };
    Ok(app.engine.read(look).await?.into_response())
}

/// The statement of a day as CSV, in pages of up to 100 000 lines.
async fn statement(
    State(app): State<App>,
    query: Result<Query<ByDate>, QueryRejection>,
) -> Answered {
    let ByDate { date, after, limit } = read_query(query)?;
    let (after, limit) = (after.unwrap_or(0), limit.unwrap_or(MOST_LINES));
    if !(1..=MOST_LINES).contains(&limit) {
        return Err(Problem::invalid(format!("limit must be 1 to {MOST_LINES}")));
    }
    let look = |state: &state::State| {
        let lines = state.statements.get(&date).map_or(&[][..], Vec::as_slice);
        let page = lines.iter().enumerate().skip(after).take(limit);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let mut written = writer.write_record(STATEMENT_HEAD);
        for (place, line) in page {
            written = written.and_then(|()| writer.write_record(row(state, place + 1, line)));
        }
        let bytes = written
            .ok()
            .and_then(|()| writer.into_inner().ok())
            .expect("memory takes every write");
        let next = after.saturating_add(limit);
        Ok((bytes, (next < lines.len()).then_some(next)))
    };
    let (bytes, next) = app.engine.read(look).await?;
    let mut response = csv_response(bytes);
    if let Some(next) = next {
        response
            .headers_mut()
            .insert(NEXT_AFTER, HeaderValue::from(next));
    }
    Ok(response)
}

async fn balances(State(app): State<App>) -> Answered {
    let look = |state: &state::State| {
        let balances = state.balances.iter().map(|(currency, minor)| Amount {
            minor: *minor,
            currency: *currency,
        });
        Ok(json!({ "data": balances.collect::<Vec<_>>() }))
    };
    Ok(axum::Json(app.engine.read(look).await?).into_response())
}

/// Runs all timers that wait now, due or not, so that tests need not wait.
async fn run_timers(State(app): State<App>, submission: Submission) -> Answered {
    let Empty {} = submission.json()?;
    let waiting = app.engine.peek(|state| state.timers.len());
    let ran = app
        .engine
        .run_timers(Timestamp::from_micros(i64::MAX), waiting)
        .await?;
    Ok(axum::Json(json!({ "ran": ran })).into_response())
}

async fn show_record(
    State(app): State<App>,
    query: Result<Query<record::Query>, QueryRejection>,
) -> Answered {
    record::page(&app.engine, read_query(query)?).await
}

async fn status(State(app): State<App>) -> Answered {
    let journal_bytes = app.engine.journal_bytes();
    let look = |state: &state::State| {
        Ok(json!({
            "payouts": state.payouts.len(),
            "deposits": state.deposits.len(),
            "timers": state.timers.len(),
            "journal_bytes": journal_bytes,
        }))
    };
    Ok(axum::Json(app.engine.read(look).await?).into_response())
}

fn row(state: &state::State, number: usize, line: &StatementLine) -> [String; 10] {
    let entry = &line.entry;
    let (kind, reference) = match entry.kind {
        EntryKind::Deposit => (
            "deposit",
            state
                .deposits
                .get(&entry.subject)
                .and_then(|deposit| deposit.reference.clone()),
        ),
        EntryKind::Payout => (
            "payout",
            state
                .payouts
                .get(&entry.subject)
                .and_then(|payout| payout.reference.clone()),
        ),
        EntryKind::PayoutReturn => (
            "payout_return",
            state
                .payouts
                .get(&entry.subject)
                .and_then(|payout| payout.reference.clone()),
        ),
    };
    [
        number.to_string(),
        entry.id.clone(),
        entry.booking_date.to_string(),
        entry.business_at.to_string(),
        kind.to_owned(),
        entry.subject.clone(),
        reference.unwrap_or_default(),
        entry.amount.currency.to_string(),
        entry.amount.minor.to_string(),
        line.balance_minor.to_string(),
    ]
}

fn read_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query
        .map(|Query(query)| query)
        .map_err(|rejection| Problem::invalid(rejection.body_text()))
}

fn check_text(field: &str, text: &str, longest: usize) -> Result<(), Problem> {
    let visible = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if visible && (1..=longest).contains(&text.len()) {
        Ok(())
    } else {
        Err(Problem::invalid(format!(
            "{field} must have 1 to {longest} printable ASCII characters"
        )))
    }
}

fn check_optional(field: &str, text: Option<&str>) -> Result<(), Problem> {
    text.map_or(Ok(()), |text| check_text(field, text, LONGEST_TEXT))
}

fn usual_source() -> String {
    "deposit".to_owned()
}
