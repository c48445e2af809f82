//! A walk through the operations of the document: what was called, and what did not succeed.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use paymesh_e2e::Platform;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// How long something may take that happens by itself.
const PATIENCE: Duration = Duration::from_secs(30);
/// The reason of a refusal that passes.
const BUSY: &str = "OPERATION_IN_PROGRESS";
const PAUSE: Duration = Duration::from_millis(50);
/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A walk.
pub(crate) struct Walk {
    http: Client,
    base: String,
    token: String,
    /// `GET /v1/accounts` and the like → the statuses that the document names.
    operations: BTreeMap<String, BTreeSet<String>>,
    /// Operations that answered 2xx.
    done: BTreeSet<String>,
    /// What went wrong, in words.
    failures: Vec<String>,
    keys: u64,
}

/// What is sent along.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    Nothing,
    Json(Value),
    /// Headers, and bytes as they are.
    Raw(Vec<(&'static str, String)>, String),
}

// === impl Walk ===

impl Walk {
    /// A walk as the administrator.
    pub(crate) async fn new(platform: &Platform) -> Self {
        let base = format!("http://{}", platform.gateway());
        let http = Client::builder().timeout(TIMEOUT).build().unwrap();
        let answer = http.get(format!("{base}/openapi.json")).send();
        let document: Value = answer.await.unwrap().json().await.unwrap();
        let mut operations = BTreeMap::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let responses = operation["responses"].as_object().unwrap();
                let statuses = responses.keys().cloned().collect();
                operations.insert(format!("{} {path}", method.to_uppercase()), statuses);
            }
        }
        Self {
            http,
            base,
            token: platform.api_key().to_owned(),
            operations,
            done: BTreeSet::new(),
            failures: Vec::new(),
            keys: 0,
        }
    }

    /// Goes on as somebody else; gives who it was.
    pub(crate) fn become_with(&mut self, token: &str) -> String {
        std::mem::replace(&mut self.token, token.to_owned())
    }

    /// A word that nobody else uses.
    pub(crate) fn unique(&mut self, word: &str) -> String {
        self.keys += 1;
        format!("{word}{}", self.keys)
    }

    /// Reads: `path` with its parameters, and a query when there is one.
    pub(crate) async fn get(&mut self, path: &str, parameters: &[&str], query: &str) -> Value {
        self.call(&format!("GET {path}"), parameters, query, Sent::Nothing)
            .await
    }

    /// Posts JSON with a key of its own.
    pub(crate) async fn post(&mut self, path: &str, parameters: &[&str], body: Value) -> Value {
        self.call(&format!("POST {path}"), parameters, "", Sent::Json(body))
            .await
    }

    /// Calls one operation of the document, and notes what came of it. The answer's body; null when it is not JSON.
    pub(crate) async fn call(
        &mut self,
        operation: &str,
        parameters: &[&str],
        query: &str,
        sent: Sent,
    ) -> Value {
        let Some(documented) = self.operations.get(operation).cloned() else {
            self.failures
                .push(format!("{operation} is not in the document"));
            return Value::Null;
        };
        let limit = Instant::now() + PATIENCE;
        let (status, text) = loop {
            let request = self.request(operation, parameters, query, sent.clone());
            let answer = match request.send().await {
                Ok(answer) => answer,
                Err(error) => {
                    self.failures.push(format!("{operation}: {error}"));
                    return Value::Null;
                }
            };
            let status = answer.status();
            let is_endless = operation == "GET /v1/events";
            let text = if is_endless {
                String::new()
            } else {
                answer.text().await.unwrap_or_default()
            };
            // News of the payment may be at work on the transaction: the answer asks to try again shortly.
            if !text.contains(BUSY) || Instant::now() > limit {
                break (status, text);
            }
            tokio::time::sleep(PAUSE).await;
        };
        if !status.is_success() {
            self.failures
                .push(format!("{operation} answered {status}: {text}"));
        } else if documented.contains(status.as_str()) {
            self.done.insert(operation.to_owned());
        } else {
            self.failures.push(format!(
                "{operation} answered {status}, which the document does not name"
            ));
        }
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn request(
        &mut self,
        operation: &str,
        parameters: &[&str],
        query: &str,
        sent: Sent,
    ) -> RequestBuilder {
        let (method, path) = operation.split_once(' ').unwrap();
        let mut values = parameters.iter();
        let parts: Vec<&str> = path
            .split('/')
            .map(|part| {
                if part.starts_with('{') {
                    values.next().copied().unwrap_or(part)
                } else {
                    part
                }
            })
            .collect();
        let url = format!("{}{}?{query}", self.base, parts.join("/"));
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let key = self.unique("walk-");
        let request = self
            .http
            .request(method, url.trim_end_matches('?'))
            .bearer_auth(&self.token)
            .header("Idempotency-Key", key);
        match sent {
            Sent::Nothing => request,
            Sent::Json(body) => request.json(&body),
            Sent::Raw(headers, body) => headers
                .into_iter()
                .fold(request, |request, (name, value)| {
                    request.header(name, value)
                })
                .body(body),
        }
    }

    /// Reads until it is so. What it reads need not succeed before.
    pub(crate) async fn until(
        &mut self,
        (path, parameters, query): (&str, &[&str], &str),
        mut is_so: impl FnMut(&Value) -> bool,
    ) -> Value {
        let limit = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path, parameters, query).await;
            if is_so(&answer) {
                return answer;
            }
            if Instant::now() > limit {
                self.failures
                    .push(format!("GET {path}?{query} did not come to it: {answer}"));
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Every operation was called, and all that was called succeeded.
    pub(crate) fn assert_complete(&self) {
        let missing: Vec<&String> = self
            .operations
            .keys()
            .filter(|operation| !self.done.contains(*operation))
            .collect();
        assert!(
            missing.is_empty() && self.failures.is_empty(),
            "without a 2xx: {missing:#?}\nfailures: {:#?}",
            self.failures
        );
    }
}

/// A text of an answer by JSON pointer; empty when it is not there.
pub(crate) fn text<'a>(answer: &'a Value, pointer: &str) -> &'a str {
    answer
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
