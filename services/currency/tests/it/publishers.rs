//! Small HTTP servers that answer as publishers do.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use paymesh_kernel::Tasks;
use tokio::{net::TcpListener, sync::Notify};

/// What a publisher does with a request.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// Status and body.
    Answer(u16, String),
    /// It takes the request and never answers.
    Silence,
}

/// A running publisher. Clones share it.
#[derive(Clone)]
pub(crate) struct Publisher {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    requests: Mutex<Vec<String>>,
    seen: Notify,
}

impl Publisher {
    pub(crate) async fn start(tasks: &Tasks, behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            requests: Mutex::default(),
            seen: Notify::new(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        let stop = tasks.stopping().clone();
        tasks.spawn_once(async move {
            let served = stop.run_until_cancelled(async { axum::serve(listener, router).await });
            served.await;
        });
        Self { url, shared }
    }

    /// Requests so far, as `path?query key`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Waits for the first request.
    pub(crate) async fn asked(&self) {
        if self.requests().is_empty() {
            self.shared.seen.notified().await;
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let key = request
        .headers()
        .get("apikey")
        .map_or("", |key| key.to_str().unwrap());
    let line = format!("{} {key}", request.uri());
    shared
        .requests
        .lock()
        .unwrap()
        .push(line.trim_end().to_owned());
    shared.seen.notify_one();
    let behaviour = shared.behaviour.lock().unwrap().clone();
    match behaviour {
        Behaviour::Answer(status, body) => {
            (axum::http::StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Behaviour::Silence => std::future::pending().await,
    }
}

/// What the ECB answers.
pub(crate) fn ecb(date: &str, usd: &str) -> Behaviour {
    Behaviour::Answer(
        200,
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<gesmes:Envelope xmlns:gesmes=\"http://www.gesmes.org/xml/2002-08-01\" \
             xmlns=\"http://www.ecb.int/vocabulary/2002-08-01/eurofxref\">\n\t<gesmes:subject>Reference rates</gesmes:subject>\n\
             \t<gesmes:Sender>\n\t\t<gesmes:name>European Central Bank</gesmes:name>\n\t</gesmes:Sender>\n\t<Cube>\n\
             \t\t<Cube time='{date}'>\n\t\t\t<Cube currency='USD' rate='{usd}'/>\n\t\t\t<Cube currency='JPY' rate='184.31'/>\n\
             \t\t</Cube>\n\t</Cube>\n</gesmes:Envelope>"
        ),
    )
}

/// What Fixer answers.
pub(crate) fn fixer(date: &str, usd: &str) -> Behaviour {
    Behaviour::Answer(
        200,
        format!(
            "{{\"success\":true,\"timestamp\":1768478343,\"base\":\"EUR\",\"date\":\"{date}\",\"rates\":\
             {{\"AED\":4.2691,\"BTC\":1.21e-5,\"EUR\":1,\"KWD\":0.357312,\"USD\":{usd}}}}}"
        ),
    )
}

/// What Fixer answers to a key that it does not know.
pub(crate) fn fixer_refusal() -> Behaviour {
    Behaviour::Answer(
        200,
        "{\"success\":false,\"error\":{\"code\":101,\"type\":\"invalid_access_key\",\"info\":\"You have not supplied a valid API \
         Access Key.\"}}"
            .to_owned(),
    )
}

/// What currencyapi.com answers.
pub(crate) fn currencyapi(date: &str, usd: &str) -> Behaviour {
    Behaviour::Answer(
        200,
        format!(
            "{{\"meta\":{{\"last_updated_at\":\"{date}T11:59:59Z\"}},\"data\":{{\"ADA\":{{\"code\":\"ADA\",\"value\":2.9}},\
             \"KWD\":{{\"code\":\"KWD\",\"value\":0.3573}},\"USD\":{{\"code\":\"USD\",\"value\":{usd}}}}}}}"
        ),
    )
}
