//! A patient REST client: what passes is tried again with the same key, within a bound, and every wait that a server asks for is kept.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use paymesh_chassis::Secret;
use rand::RngExt as _;
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde_json::Value;

/// Longest wait for one answer; the gateway ends a request after 30 s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a request is tried again, and how often at most.
const PATIENCE: Duration = Duration::from_secs(120);
const MOST_TRIES: u32 = 40;
/// Wait before the second try when nobody named one; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Idle connections that are kept open.
const IDLE_CONNECTIONS: usize = 256;
/// Letters in the name of a run.
const LETTERS: usize = 8;

/// Speaks to one server as one principal. Clones share connections.
#[derive(Clone, Debug)]
pub(crate) struct Rest {
    http: reqwest::Client,
    base: String,
    key: Secret,
}

/// An answer that is not one to try again.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// JSON; null when there is none.
    pub(crate) body: Value,
    /// The body as it came, when it was no JSON.
    pub(crate) text: String,
    /// Requests that it took.
    pub(crate) tries: u32,
}

// === impl Answer ===

impl Answer {
    /// A text of the body by JSON pointer; empty when it is not there.
    pub(crate) fn text_at(&self, pointer: &str) -> &str {
        text_at(&self.body, pointer)
    }

    /// True when the server did what was asked, or is at it.
    pub(crate) const fn is_good(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body of a good answer.
    ///
    /// # Errors
    /// When the answer is a problem, with its reason.
    pub(crate) fn good(self, what: &str) -> Result<Value> {
        if self.is_good() {
            return Ok(self.body);
        }
        bail!(
            "{what}: {} {} {}",
            self.status,
            self.text_at("/reason"),
            self.text_at("/detail")
        )
    }
}

// === impl Rest ===

impl Rest {
    /// A client of the server at `base`, such as `http://127.0.0.1:3000`.
    ///
    /// # Errors
    /// When the HTTP library cannot start.
    pub(crate) fn try_new(base: &str, key: Secret) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(ANSWER_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build()
            .context("the HTTP client cannot start")?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// GET of a path.
    ///
    /// # Errors
    /// When no answer comes in the time for all tries.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        self.send(path, || self.http.request(Method::GET, &url))
            .await
    }

    /// POST of JSON with an idempotency key.
    ///
    /// # Errors
    /// When no answer comes in the time for all tries, or the body cannot be written.
    pub(crate) async fn post(
        &self,
        path: &str,
        key: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<Answer> {
        let bytes = bytes::Bytes::from(serde_json::to_vec(body)?);
        self.post_bytes(path, key, ("application/json", bytes))
            .await
    }

    /// POST of anything with an idempotency key.
    ///
    /// # Errors
    /// When no answer comes in the time for all tries.
    pub(crate) async fn post_bytes(
        &self,
        path: &str,
        key: &str,
        (media_type, bytes): (&str, bytes::Bytes),
    ) -> Result<Answer> {
        let url = format!("{}{path}", self.base);
        self.send(path, || {
            self.http
                .request(Method::POST, &url)
                .header("Idempotency-Key", key)
                .header("Content-Type", media_type)
                .body(bytes.clone())
        })
        .await
    }

    /// POST to a page that is not this server's, and to which nothing of ours is shown.
    ///
    /// # Errors
    /// When the page does not take it.
    pub(crate) async fn post_elsewhere(&self, url: &str, body: &Value) -> Result<()> {
        let response = self.http.post(url).json(body).send().await?;
        response.error_for_status()?;
        Ok(())
    }

    async fn send(&self, path: &str, request: impl Fn() -> RequestBuilder) -> Result<Answer> {
        let until = Instant::now() + PATIENCE;
        let mut wait = FIRST_WAIT;
        for tries in 1..=MOST_TRIES {
            let request = request().bearer_auth(self.key.expose());
            let asked = match once(request).await {
                Ok((answer, None)) => return Ok(Answer { tries, ..answer }),
                Ok((answer, Some(asked))) if may_go_on(tries, until, asked) => {
                    drop(answer);
                    asked
                }
                Ok((answer, Some(_))) => return Ok(Answer { tries, ..answer }),
                Err(_) if may_go_on(tries, until, wait) => wait,
                Err(error) => return Err(error).with_context(|| format!("no answer from {path}")),
            };
            tokio::time::sleep(asked.max(wait)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        bail!("no answer from {path} after {MOST_TRIES} tries")
    }
}

// === free functions ===

fn may_go_on(tries: u32, until: Instant, wait: Duration) -> bool {
    tries < MOST_TRIES && Instant::now() + wait < until
}

/// One request. With the answer comes the wait after which it is to be tried again, when it is.
async fn once(request: RequestBuilder) -> reqwest::Result<(Answer, Option<Duration>)> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    let text = if body == Value::Null {
        text
    } else {
        String::new()
    };
    let answer = Answer {
        status,
        body,
        text,
        tries: 1,
    };
    let passes = match status {
        429 | 503 | 504 => true,
        // The first request with this key, or another operation on the same object, is at work.
        409 => retry_after.is_some(),
        _ => false,
    };
    let wait = passes.then(|| retry_after.unwrap_or(Duration::ZERO));
    Ok((answer, wait))
}

/// A text by JSON pointer; empty when it is not there.
pub(crate) fn text_at<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// A name that no other run has, for its keys. Letters alone: rows of digits may be taken for the number of a card.
pub(crate) fn run_name() -> String {
    let mut rng = rand::rng();
    std::iter::repeat_with(|| rng.random_range('a'..='z'))
        .take(LETTERS)
        .collect()
}
