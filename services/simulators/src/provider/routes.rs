//! The provider's HTTP API, version 1: requests in, validated commands out.

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::amount::{Amount, LARGEST_MINOR};
use crate::flow::Host;
use crate::problem::Problem;
use crate::provider::fact::{Authorize, Command, Order, PaymentKey, Rest, Verdict};
use crate::provider::model::{Authentication, CaptureMethod};
use crate::provider::state::{self, payment_key};
use crate::provider::token::Card;
use crate::provider::view;
use crate::record;
use crate::request::{ApiKey, Submission, require_api_key};
use crate::timestamp::{Day, Timestamp};

mod challenge;
mod queries;

/// What handlers work on.
pub(crate) type App = Host<state::State>;

const LONGEST_REFERENCE: usize = 128;
const LONGEST_DESCRIPTOR: usize = 22;
const LONGEST_URL: usize = 2_048;
const LONGEST_EVIDENCE: usize = 4_000;
const LONGEST_REASON: usize = 64;

type Answered = Result<Response, Problem>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaymentRequest {
    amount: Amount,
    token: String,
    reference: String,
    #[serde(default)]
    capture_method: CaptureMethod,
    #[serde(default)]
    authentication: Authentication,
    merchant_reference: Option<String>,
    statement_descriptor: Option<String>,
    return_url: Option<String>,
    business_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderRequest {
    amount: Option<Amount>,
    reference: Option<String>,
    business_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaptureRequest {
    amount: Option<Amount>,
    reference: Option<String>,
    business_at: Option<Timestamp>,
    /// Releases what this capture leaves.
    #[serde(default)]
    r#final: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceRequest {
    reference: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputeRequest {
    amount: Option<Amount>,
    #[serde(default = "usual_reason")]
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EvidenceRequest {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VerdictRequest {
    outcome: Verdict,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettlementRequest {
    date: Day,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenRequest {
    alias: String,
    country: Option<String>,
    fingerprint: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

// === free functions ===

/// All routes.
pub(crate) fn router(app: App, api_key: ApiKey) -> Router {
    let guarded = Router::new()
        .route("/v1/payments", post(authorize).get(queries::payments))
        .route("/v1/payments/{id}", get(queries::payment))
        .route("/v1/payments/{id}/captures", post(capture))
        .route("/v1/payments/{id}/cancel", post(cancel))
        .route("/v1/payments/{id}/refunds", post(refund))
        .route("/v1/payments/{id}/disputes", post(open_dispute))
        .route("/v1/cancellations", post(cancel_reference))
        .route("/v1/captures", get(queries::captures))
        .route("/v1/refunds", get(queries::refunds))
        .route("/v1/refunds/{id}", get(queries::refund))
        .route("/v1/disputes/{id}", get(queries::dispute))
        .route("/v1/disputes/{id}/evidence", post(submit_evidence))
        .route("/v1/disputes/{id}/close", post(close_dispute))
        .route("/v1/tokens", post(make_token))
        .route("/v1/tokens/{token}", get(show_token))
        .route("/v1/reports/settlement", get(queries::settlement_report))
        .route("/v1/settlements", post(close_day).get(queries::settlements))
        .route("/v1/simulate/timers", post(run_timers))
        .route("/v1/record", get(show_record))
        .route("/v1/status", get(queries::status))
        .layer(from_fn_with_state(api_key, require_api_key));
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route(
            "/v1/challenges/{id}",
            get(challenge::page).post(challenge::answer),
        )
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

async fn authorize(State(app): State<App>, submission: Submission) -> Answered {
    let request: PaymentRequest = submission.json()?;
    check_amount(request.amount)?;
    check_text("reference", &request.reference, LONGEST_REFERENCE)?;
    check_optional(
        "merchant_reference",
        request.merchant_reference.as_deref(),
        LONGEST_REFERENCE,
    )?;
    check_optional(
        "statement_descriptor",
        request.statement_descriptor.as_deref(),
        LONGEST_DESCRIPTOR,
    )?;
    check_optional("return_url", request.return_url.as_deref(), LONGEST_URL)?;
    if let Some(url) = &request.return_url {
        let fine =
            reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if !fine {
            return Err(Problem::invalid("return_url must be an http or https URL"));
        }
    }
    let command = Command::Authorize(Box::new(Authorize {
        amount: request.amount,
        card: Card::parse(&request.token)?,
        reference: request.reference,
        capture_method: request.capture_method,
        authentication: request.authentication,
        merchant_reference: request.merchant_reference,
        statement_descriptor: request.statement_descriptor,
        return_url: request.return_url,
        business_at: request.business_at,
    }));
    app.submit(submission, command).await
}

async fn capture(
    State(app): State<App>,
    Path(id): Path<String>,
    submission: Submission,
) -> Answered {
    let request: CaptureRequest = submission.json()?;
    let rest = if request.r#final {
        Rest::Release
    } else {
        Rest::Keep
    };
    let request = OrderRequest {
        amount: request.amount,
        reference: request.reference,
        business_at: request.business_at,
    };
    let command = Command::Capture {
        payment: known(&id)?,
        order: order(request)?,
        rest,
    };
    app.submit(submission, command).await
}

async fn cancel(
    State(app): State<App>,
    Path(id): Path<String>,
    submission: Submission,
) -> Answered {
    let Empty {} = submission.json()?;
    app.submit(
        submission,
        Command::Cancel {
            payment: known(&id)?,
        },
    )
    .await
}

async fn cancel_reference(State(app): State<App>, submission: Submission) -> Answered {
    let ReferenceRequest { reference } = submission.json()?;
    check_text("reference", &reference, LONGEST_REFERENCE)?;
    app.submit(submission, Command::CancelReference { reference })
        .await
}

async fn refund(
    State(app): State<App>,
    Path(id): Path<String>,
    submission: Submission,
) -> Answered {
    let command = Command::Refund {
        payment: known(&id)?,
        order: order(submission.json()?)?,
    };
    app.submit(submission, command).await
}

async fn open_dispute(
    State(app): State<App>,
    Path(id): Path<String>,
    submission: Submission,
) -> Answered {
    let DisputeRequest { amount, reason } = submission.json()?;
    check_text("reason", &reason, LONGEST_REASON)?;
    let payment = known(&id)?;
    if let Some(amount) = amount {
        check_amount(amount)?;
        let currency = app
            .engine
            .read(|state| state.payment(payment).map(|payment| payment.currency()))
            .await?;
        if currency != amount.currency {
            return Err(Problem::refused(
                "currency_mismatch",
                format!("the payment is in {currency}"),
            ));
        }
    }
    let amount_minor = amount.map(|amount| amount.minor);
    app.submit(
        submission,
        Command::OpenDispute {
            payment,
            amount_minor,
            reason,
        },
    )
    .await
}

async fn submit_evidence(
    State(app): State<App>,
    Path(dispute_id): Path<String>,
    submission: Submission,
) -> Answered {
    let EvidenceRequest { text } = submission.json()?;
    if text.is_empty() || text.len() > LONGEST_EVIDENCE {
        return Err(Problem::invalid(format!(
            "text must have 1 to {LONGEST_EVIDENCE} bytes"
        )));
    }
    app.submit(submission, Command::SubmitEvidence { dispute_id, text })
        .await
}

async fn close_dispute(
    State(app): State<App>,
    Path(dispute_id): Path<String>,
    submission: Submission,
) -> Answered {
    let VerdictRequest { outcome } = submission.json()?;
    app.submit(
        submission,
        Command::CloseDispute {
            dispute_id,
            verdict: outcome,
        },
    )
    .await
}

async fn close_day(State(app): State<App>, submission: Submission) -> Answered {
    let SettlementRequest { date } = submission.json()?;
    app.submit(submission, Command::CloseDay { through: date })
        .await
}

async fn make_token(submission: Submission) -> Answered {
    let TokenRequest {
        alias,
        country,
        fingerprint,
    } = submission.json()?;
    let card = Card::from_alias(&alias, country.as_deref(), fingerprint.as_deref())?;
    Ok(view::answer(StatusCode::CREATED.as_u16(), &card).into_response())
}

async fn show_token(Path(token): Path<String>) -> Answered {
    Ok(view::answer(StatusCode::OK.as_u16(), &Card::parse(&token)?).into_response())
}

/// Runs all timers that wait now, due or not, so that tests need not wait.
async fn run_timers(State(app): State<App>, submission: Submission) -> Answered {
    let Empty {} = submission.json()?;
    let waiting = app.engine.peek(|state| state.timers.len());
    let ran = app
        .engine
        .run_timers(Timestamp::from_micros(i64::MAX), waiting)
        .await?;
    Ok(axum::Json(serde_json::json!({ "ran": ran })).into_response())
}

async fn show_record(
    State(app): State<App>,
    query: Result<Query<record::Query>, QueryRejection>,
) -> Answered {
    record::page(&app.engine, read_query(query)?).await
}

/// The query, or a problem that says what is wrong with it.
fn read_query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query
        .map(|Query(query)| query)
        .map_err(|rejection| Problem::invalid(rejection.body_text()))
}

fn order(request: OrderRequest) -> Result<Order, Problem> {
    if let Some(amount) = request.amount {
        check_amount(amount)?;
    }
    check_optional("reference", request.reference.as_deref(), LONGEST_REFERENCE)?;
    Ok(Order {
        amount: request.amount,
        reference: request.reference,
        business_at: request.business_at,
    })
}

fn known(id: &str) -> Result<PaymentKey, Problem> {
    payment_key(id).ok_or_else(|| Problem::not_found("there is no such payment"))
}

fn check_amount(amount: Amount) -> Result<(), Problem> {
    if (1..=LARGEST_MINOR).contains(&amount.minor) {
        Ok(())
    } else {
        Err(Problem::invalid(format!(
            "amount.minor must be 1 to {LARGEST_MINOR}"
        )))
    }
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

fn check_optional(field: &str, text: Option<&str>, longest: usize) -> Result<(), Problem> {
    text.map_or(Ok(()), |text| check_text(field, text, longest))
}

fn usual_reason() -> String {
    "fraudulent".to_owned()
}
