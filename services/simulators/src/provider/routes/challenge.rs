//! The page on which a payer is authenticated. It needs no API key: the payer's browser opens it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::problem::Problem;
use crate::provider::fact::{Command, Passed};
use crate::provider::model::Status;
use crate::provider::routes::{Answered, App};
use crate::request::Submission;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Success,
    Failure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeAnswer {
    outcome: Choice,
}

// === free functions ===

pub(super) async fn page(State(app): State<App>, Path(id): Path<String>) -> Answered {
    let look = |state: &crate::provider::state::State| {
        let key = state.challenges.get(&id).copied();
        let payment =
            state.payment(key.ok_or_else(|| Problem::not_found("there is no such challenge"))?)?;
        Ok((
            payment.new.amount,
            payment.status() == Status::RequiresAction,
        ))
    };
    let (amount, open) = app.engine.read(look).await?;
    let body = if open {
        format!(
            "<h1>Simulated authentication</h1><p>A payment of {} minor units of {}.</p>\
             <form method=\"post\"><button name=\"outcome\" value=\"success\">Authenticate</button>\
             <button name=\"outcome\" value=\"failure\">Fail</button></form>",
            amount.minor, amount.currency
        )
    } else {
        "<h1>Simulated authentication</h1><p>This challenge is over.</p>".to_owned()
    };
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>3-D Secure</title>{body}</html>"
    );
    Ok(Html(page).into_response())
}

/// Takes JSON or the page's form. A form is answered with the payment's return URL when it has one.
pub(super) async fn answer(
    State(app): State<App>,
    Path(id): Path<String>,
    submission: Submission,
) -> Answered {
    let form = submission
        .content_type
        .starts_with("application/x-www-form-urlencoded");
    let choice = if form {
        match submission.body.as_ref() {
            b"outcome=success" => Choice::Success,
            b"outcome=failure" => Choice::Failure,
            _ => {
                return Err(Problem::invalid(
                    "the form must say outcome=success or outcome=failure",
                ));
            }
        }
    } else {
        submission.json::<ChallengeAnswer>()?.outcome
    };
    let passed = match choice {
        Choice::Success => Passed::Yes,
        Choice::Failure => Passed::No,
    };
    let response = app
        .submit(
            submission,
            Command::AnswerChallenge {
                challenge_id: id.clone(),
                passed,
            },
        )
        .await?;
    if !form {
        return Ok(response);
    }
    let look = |state: &crate::provider::state::State| {
        let payment = state
            .challenges
            .get(&id)
            .and_then(|key| state.payments.get(key));
        Ok(payment.and_then(|payment| payment.new.return_url.clone()))
    };
    Ok(after_form(app.engine.read(look).await?))
}

fn after_form(return_url: Option<String>) -> Response {
    match return_url {
        Some(url) => Redirect::to(&url).into_response(),
        None => (
            StatusCode::OK,
            Html("<!doctype html><p>Done. You may close this page.</p>"),
        )
            .into_response(),
    }
}
