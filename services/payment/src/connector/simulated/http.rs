//! HTTP to the simulated provider, and what can be said of the outcome of a call.

use std::time::Duration;

use paymesh_chassis::Secret;
use reqwest::{Client, RequestBuilder, StatusCode, Url, header, redirect};
use serde_json::Value;

use super::{ClientError, Settings, wire};
use crate::{
    connector::Unreachable,
    domain::{Answer, Decline, DeclineReason, Observation},
};

/// Largest answer that is read, in bytes.
const ANSWER_LIMIT_BYTES: usize = 1024 * 1024;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);

/// The client.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    base: Option<Url>,
    api_key: Secret,
}

/// What came of a call.
#[derive(Debug)]
pub(super) enum Response {
    /// 2xx with this body.
    Done(Vec<u8>),
    /// 404.
    Missing,
    /// The provider says no for good, with this code; certainly nothing happened.
    Refused(String),
    /// Certainly nothing happened; the same may work later.
    NotProcessed {
        /// Why.
        code: String,
        /// When to ask again.
        retry_after: Option<Duration>,
    },
    /// It cannot be known.
    Unknown,
}

// === impl Http ===

impl Http {
    pub(super) fn try_new(settings: &Settings) -> Result<Self, ClientError> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .build()
            .map_err(ClientError)?;
        Ok(Self {
            client,
            base: Url::parse(&settings.url).ok(),
            api_key: settings.api_key.clone(),
        })
    }

    pub(super) async fn post(&self, path: &[&str], key: &str, body: &Value) -> Response {
        let Some(url) = self.url(path) else {
            return not_sent("no_address");
        };
        let request = self.client.post(url).header("Idempotency-Key", key);
        self.send(request.json(body)).await
    }

    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Response {
        let Some(url) = self.url(path) else {
            return not_sent("no_address");
        };
        self.send(self.client.get(url).query(query)).await
    }

    fn url(&self, path: &[&str]) -> Option<Url> {
        let mut url = self.base.clone()?;
        // Segments are encoded, so that no name of the provider can lead elsewhere.
        url.path_segments_mut().ok()?.pop_if_empty().extend(path);
        Some(url)
    }

    async fn send(&self, request: RequestBuilder) -> Response {
        match request.bearer_auth(self.api_key.expose()).send().await {
            Ok(response) => read(response).await,
            // Without a connection nothing was sent.
            Err(error) if error.is_connect() || error.is_builder() => not_sent("unreachable"),
            Err(error) => {
                tracing::debug!(error = %error.without_url(), "a call to the provider has no answer");
                Response::Unknown
            }
        }
    }
}

// === impl Response ===

impl Response {
    /// The answer to a step.
    pub(super) fn answer(self, read: impl FnOnce(&[u8]) -> Answer) -> Answer {
        match self {
            Self::Done(body) => read(&body),
            Self::Unknown => Answer::Unknown,
            Self::Missing => {
                Answer::Refused(Decline::new(DeclineReason::ProviderDeclined, "not_found"))
            }
            Self::Refused(code) if code == wire::REFERENCE_CANCELED => Answer::Tombstone,
            Self::Refused(code) => Answer::Refused(wire::decline(&code)),
            Self::NotProcessed { code, retry_after } => Answer::NotProcessed { code, retry_after },
        }
    }

    /// The answer to a question; `read` says None when the body cannot be read.
    pub(super) fn look(
        self,
        read: impl Fn(&[u8]) -> Option<Option<Observation>>,
    ) -> Result<Option<Observation>, Unreachable> {
        match self {
            Self::Done(body) => read(&body).ok_or(Unreachable { retry_after: None }),
            Self::Missing => Ok(None),
            Self::NotProcessed { retry_after, .. } => Err(Unreachable { retry_after }),
            Self::Refused(_) | Self::Unknown => Err(Unreachable { retry_after: None }),
        }
    }
}

// === free functions ===

fn not_sent(code: &str) -> Response {
    Response::NotProcessed {
        code: code.to_owned(),
        retry_after: None,
    }
}

async fn read(mut response: reqwest::Response) -> Response {
    let status = response.status();
    let retry_after = response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|seconds| seconds.parse().ok())
        .map(Duration::from_secs);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return Response::Unknown,
        }
    }
    if status.is_success() {
        return Response::Done(body);
    }
    judge(status, wire::read_problem(&body), retry_after)
}

/// What a refusal says of the outcome. A refusal that is not of the provider's own form may come from something between us, so
/// nothing is known then.
fn judge(
    status: StatusCode,
    problem: Option<wire::Problem>,
    retry_after: Option<Duration>,
) -> Response {
    let Some(problem) = problem else {
        return Response::Unknown;
    };
    // A key that is in flight, or was used with another body, belongs to a request that may have an effect.
    if problem.outcome != wire::NOT_PROCESSED || problem.is_about_the_key() {
        return Response::Unknown;
    }
    let code = problem.code;
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            tracing::warn!("the provider refuses our API key");
            Response::NotProcessed { code, retry_after }
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Response::NotProcessed { code, retry_after }
        }
        StatusCode::NOT_FOUND => Response::Missing,
        _ if status.is_server_error() => Response::NotProcessed { code, retry_after },
        _ => Response::Refused(code),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: &str, outcome: &str) -> Option<wire::Problem> {
        Some(wire::Problem {
            code: code.to_owned(),
            outcome: outcome.to_owned(),
        })
    }

    fn word(response: &Response) -> &'static str {
        match response {
            Response::Done(_) => "done",
            Response::Missing => "missing",
            Response::Refused(_) => "refused",
            Response::NotProcessed { .. } => "not_processed",
            Response::Unknown => "unknown",
        }
    }

    #[test]
    fn p5_nothing_happened_only_when_the_provider_itself_says_so() {
        let certain = "not_processed";
        for (status, body, expected) in [
            (500, problem("simulated_failure", certain), "not_processed"),
            (500, problem("record_unavailable", "unknown"), "unknown"),
            (500, None, "unknown"),
            (502, None, "unknown"),
            (429, problem("rate_limited", certain), "not_processed"),
            (429, None, "unknown"),
            (401, problem("unauthenticated", certain), "not_processed"),
            (404, problem("not_found", certain), "missing"),
            (404, None, "unknown"),
            (409, problem("already_captured", certain), "refused"),
            (409, problem("key_in_flight", certain), "unknown"),
            (422, problem("key_reused", certain), "unknown"),
            (422, problem("unknown_token", certain), "refused"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            let shown = format!("{status} {body:?}");
            assert_eq!(word(&judge(status, body, None)), expected, "P5: {shown}");
        }
    }
}
