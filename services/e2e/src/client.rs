//! A REST client that remembers nothing and hides nothing.

use std::time::Duration;

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::Value;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often an answer that asks to come again is followed.
const RETRIES: u32 = 5;

/// Speaks to one gateway as one principal.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer: status, headers that matter, body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Idempotent-Replayed: true` was there.
    pub replayed: bool,
    /// `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// The JSON body; null when there is none.
    pub body: Value,
}

// === impl Answer ===

impl Answer {
    /// A text of the body by JSON pointer; empty when it is not there.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A number of the body by JSON pointer.
    #[must_use]
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.body.pointer(pointer).and_then(Value::as_i64)
    }
}

// === impl Client ===

impl Client {
    /// A client for `host:port`.
    ///
    /// # Panics
    /// When the HTTP library cannot start.
    #[must_use]
    pub fn new(address: &str, token: Option<&str>) -> Self {
        Self {
            http: reqwest::Client::builder()
                .timeout(TIMEOUT)
                .build()
                .expect("an HTTP client can be built"),
            base: format!("http://{address}"),
            token: token.map(ToOwned::to_owned),
        }
    }

    /// The same gateway as somebody else.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// GET.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None, None).await
    }

    /// GET of something that is no JSON.
    ///
    /// # Errors
    /// When there is no answer, or a problem.
    pub async fn text(&self, path: &str) -> Result<String> {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.error_for_status()?.text().await?)
    }

    /// POST with an idempotency key. An answer that asks to come again is followed a few times, as every client should.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post(&self, path: &str, key: &str, body: Value) -> Result<Answer> {
        for _ in 0..RETRIES {
            let answer = self
                .send(Method::POST, path, Some(key), Some(body.clone()))
                .await?;
            match answer.retry_after {
                Some(seconds) if [429, 503].contains(&answer.status) => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                _ => return Ok(answer),
            }
        }
        self.send(Method::POST, path, Some(key), Some(body)).await
    }

    /// Anything.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request
            .send()
            .await
            .with_context(|| format!("no answer from {path}"))?;
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .and_then(|value| value.to_str().ok())
        };
        let replayed = header("idempotent-replayed") == Some("true");
        let retry_after = header("retry-after").and_then(|text| text.parse().ok());
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer {
            status,
            replayed,
            retry_after,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
        })
    }
}
