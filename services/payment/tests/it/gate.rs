//! A gate between the component and the provider: it counts requests, and holds one before or after the provider has it.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, sync::oneshot};

/// Where a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The provider never gets it.
    Before,
    /// The provider has done it; the answer never arrives.
    After,
}

struct Trap {
    /// What the path ends with.
    path: &'static str,
    hold: Hold,
    reached: oneshot::Sender<()>,
}

#[derive(Clone)]
struct Shared {
    provider: String,
    client: reqwest::Client,
    trap: Arc<Mutex<Option<Trap>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// The gate.
pub(crate) struct Gate {
    pub(crate) url: String,
    shared: Shared,
}

impl Gate {
    pub(crate) async fn start(provider: String) -> Self {
        let shared = Shared {
            provider,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            trap: Arc::default(),
            requests: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, shared }
    }

    /// Holds the next request to a path for ever; the receiver is told when it is held.
    pub(crate) fn hold(&self, path: &'static str, hold: Hold) -> oneshot::Receiver<()> {
        let (reached, told) = oneshot::channel();
        *self.shared.trap.lock().unwrap() = Some(Trap {
            path,
            hold,
            reached,
        });
        told
    }

    /// Posts to a path that got through so far.
    pub(crate) fn posts(&self, path: &str) -> usize {
        let requests = self.shared.requests.lock().unwrap();
        let wanted = requests.iter().filter(|line| {
            line.strip_prefix("POST ")
                .is_some_and(|line| line.ends_with(path))
        });
        wanted.count()
    }

    /// Requests of any kind that got through so far.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.lock().unwrap().len()
    }
}

async fn pass(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let trap = {
        let mut trap = shared.trap.lock().unwrap();
        let fits = trap
            .as_ref()
            .is_some_and(|trap| parts.method == "POST" && path.ends_with(trap.path));
        if fits { trap.take() } else { None }
    };
    let hold = trap.as_ref().map(|trap| trap.hold);
    if let Some(Trap { reached, .. }) = trap {
        if hold == Some(Hold::Before) {
            reached.send(()).ok();
            return std::future::pending().await;
        }
        forward(&shared, parts, to_bytes(body, usize::MAX).await.unwrap()).await;
        reached.send(()).ok();
        return std::future::pending().await;
    }
    forward(&shared, parts, to_bytes(body, usize::MAX).await.unwrap()).await
}

async fn forward(shared: &Shared, parts: axum::http::request::Parts, body: Bytes) -> Response {
    let line = format!("{} {}", parts.method, parts.uri.path());
    shared.requests.lock().unwrap().push(line);
    let mut headers = parts.headers;
    headers.remove("host");
    headers.remove("content-length");
    let url = format!("{}{}", shared.provider, parts.uri);
    let sent = shared
        .client
        .request(parts.method, url)
        .headers(headers)
        .body(body)
        .send()
        .await;
    let Ok(answer) = sent else {
        // The provider hung up: so does the gate, which for the caller is the same.
        return std::future::pending().await;
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let Ok(body) = answer.bytes().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    for name in ["content-type", "retry-after"] {
        if let Some(value) = headers.get(name) {
            let name = axum::http::HeaderName::from_static(name);
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}
