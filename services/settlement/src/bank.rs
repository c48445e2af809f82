//! The bank that payouts go to, over HTTP, and what can be said of the outcome of a call.
//!
//! The end-to-end id is the key: the bank takes the same payout once. A refusal counts only when the bank itself says that nothing
//! happened; everything else is unknown, and asked for.

use std::time::Duration;

use paymesh_chassis::Secret;
use reqwest::{Client, RequestBuilder, StatusCode, Url, redirect};
use serde::Deserialize;
use serde_json::json;

use crate::{config, domain::payout::Payout};

/// Largest answer that is read, in bytes.
const ANSWER_LIMIT_BYTES: usize = 64 * 1024;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Longest reason that is kept, in characters.
const REASON_LIMIT: usize = 64;

/// What came of sending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The bank has it.
    Accepted,
    /// The bank refuses it for good.
    Refused(String),
    /// Certainly nothing happened; the same may work later.
    Later,
    /// It cannot be known.
    Unknown,
}

/// What the bank knows of a payout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It has it.
    Accepted,
    /// It refused it for good.
    Refused(String),
    /// It does not know it.
    Missing,
    /// It does not say.
    Silent,
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the bank cannot be made")]
pub(crate) struct ClientError(#[source] reqwest::Error);

/// The bank.
#[derive(Clone, Debug)]
pub(crate) struct Bank {
    client: Client,
    base: Option<Url>,
    api_key: Secret,
}

#[derive(Deserialize)]
struct PayoutBody {
    status: String,
    #[serde(default)]
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    outcome: String,
}

enum Answer {
    Body(PayoutBody),
    Problem(StatusCode, Problem),
    /// Nothing was sent.
    NoConnection,
    Nothing,
}

// === impl Bank ===

impl Bank {
    /// A client; nothing is called yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub(crate) fn try_new(config: &config::Bank) -> Result<Self, ClientError> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_millis(config.timeout_ms))
            .connect_timeout(Duration::from_millis(config.connect_timeout_ms))
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()
            .map_err(ClientError)?;
        Ok(Self {
            client,
            base: Url::parse(&config.url).ok(),
            api_key: config.api_key.clone(),
        })
    }

    /// Hands a payout to the bank: the same bytes each time.
    pub(crate) async fn send(&self, payout: &Payout) -> Sent {
        let Some(url) = self.url(&["v1", "payouts"]) else {
            return Sent::Later;
        };
        let id = payout.end_to_end_id();
        let body = json!({
            "end_to_end_id": id,
            "amount": {
                "minor": payout.amount.minor(),
                "currency": payout.amount.currency().code(),
            },
            "beneficiary": payout.destination,
            "business_at": payout.business_at.to_string(),
        });
        let request = self.client.post(url).header("Idempotency-Key", &id);
        match self.call(request.json(&body)).await {
            Answer::Body(body) => body.sent(),
            Answer::Problem(status, problem) => problem.sent(status),
            Answer::NoConnection => Sent::Later,
            Answer::Nothing => Sent::Unknown,
        }
    }

    /// Asks what became of a payout.
    pub(crate) async fn look(&self, payout: &Payout) -> Seen {
        let Some(url) = self.url(&["v1", "payouts", &payout.end_to_end_id()]) else {
            return Seen::Silent;
        };
        match self.call(self.client.get(url)).await {
            Answer::Body(body) => match body.sent() {
                Sent::Accepted => Seen::Accepted,
                Sent::Refused(reason) => Seen::Refused(reason),
                Sent::Later | Sent::Unknown => Seen::Silent,
            },
            Answer::Problem(StatusCode::NOT_FOUND, problem) if problem.code == "not_found" => {
                Seen::Missing
            }
            Answer::Problem(..) | Answer::NoConnection | Answer::Nothing => Seen::Silent,
        }
    }

    fn url(&self, path: &[&str]) -> Option<Url> {
        let mut url = self.base.clone()?;
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        Some(url)
    }

    async fn call(&self, request: RequestBuilder) -> Answer {
        match request.bearer_auth(self.api_key.expose()).send().await {
            Ok(response) => read(response).await,
            Err(error) if error.is_connect() || error.is_builder() => Answer::NoConnection,
            Err(error) => {
                tracing::debug!(error = %error.without_url(), "a call to the bank has no answer");
                Answer::Nothing
            }
        }
    }
}

// === impl PayoutBody ===

impl PayoutBody {
    fn sent(self) -> Sent {
        match self.status.as_str() {
            // A return is a line of its own on the statement; before it the bank had the payout.
            "processing" | "booked" | "returned" => Sent::Accepted,
            "rejected" => Sent::Refused(short(self.reason.as_deref().unwrap_or("REJECTED"))),
            _ => Sent::Unknown,
        }
    }
}

// === impl Problem ===

impl Problem {
    /// A refusal of another form than the bank's own may come from something between us, so nothing is known then.
    fn sent(&self, status: StatusCode) -> Sent {
        if self.outcome != "not_processed" {
            return Sent::Unknown;
        }
        // The id or the key is in use: something of ours is there already.
        if matches!(
            self.code.as_str(),
            "key_in_flight" | "key_reused" | "id_reused"
        ) {
            return Sent::Unknown;
        }
        let is_passing = status.is_server_error()
            || matches!(
                status,
                StatusCode::UNAUTHORIZED
                    | StatusCode::FORBIDDEN
                    | StatusCode::REQUEST_TIMEOUT
                    | StatusCode::TOO_MANY_REQUESTS
            );
        if is_passing {
            tracing::warn!(status = status.as_u16(), code = %self.code, "the bank does not take a payout now");
            return Sent::Later;
        }
        Sent::Refused(short(&self.code))
    }
}

// === free functions ===

async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len().saturating_add(chunk.len()) <= ANSWER_LIMIT_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return Answer::Nothing,
        }
    }
    if status.is_success() {
        return serde_json::from_slice(&body).map_or(Answer::Nothing, Answer::Body);
    }
    serde_json::from_slice(&body)
        .map_or(Answer::Nothing, |problem| Answer::Problem(status, problem))
}

fn short(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic())
        .take(REASON_LIMIT)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p5_nothing_happened_only_when_the_bank_itself_says_so() {
        let said = |status: StatusCode, code: &str, outcome: &str| {
            Problem {
                code: code.to_owned(),
                outcome: outcome.to_owned(),
            }
            .sent(status)
        };
        let certain = "not_processed";
        for (sent, wanted) in [
            (
                said(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "unknown_beneficiary",
                    certain,
                ),
                Sent::Refused("unknown_beneficiary".to_owned()),
            ),
            (
                said(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "simulated_failure",
                    certain,
                ),
                Sent::Later,
            ),
            (
                said(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "record_unavailable",
                    "unknown",
                ),
                Sent::Unknown,
            ),
            (
                said(StatusCode::CONFLICT, "id_reused", certain),
                Sent::Unknown,
            ),
            (
                said(StatusCode::UNAUTHORIZED, "unauthenticated", certain),
                Sent::Later,
            ),
        ] {
            assert_eq!(sent, wanted);
        }
    }
}
