//! A currency component whose `GetRate` and `LockQuote` do what the test says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, response::Response, routing::post};
use http_body_util::{BodyExt as _, Full};
use paymesh_kernel::{Clock, Ids, Principal, Role, SystemClock, Tasks, call};
use paymesh_mesh::{
    Channel, Keys, Mesh, MeshConfig, ServeConfig, ServerConfig, Tokens, serve, server,
};
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::service::Routes;

/// What a test can see and hold of the callee.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) calls: Arc<AtomicUsize>,
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) left: Arc<std::sync::Mutex<Option<Duration>>>,
}

pub(crate) struct Net {
    pub(crate) seen: Seen,
    pub(crate) keys: Keys,
    pub(crate) mesh: Mesh,
    pub(crate) tasks: Tasks,
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

pub(crate) fn person(role: Role) -> Principal {
    Principal {
        tenant: Ids::new(clock()).next(),
        subject: "user_01h455vb4pex5vsknk084sn02q".to_owned(),
        roles: vec![role],
        merchant: None,
    }
}

fn routes(seen: Seen) -> Routes {
    let handler = move || {
        let seen = seen.clone();
        async move {
            seen.calls.fetch_add(1, Ordering::SeqCst);
            let left = call::deadline().map(|deadline| deadline - tokio::time::Instant::now());
            *seen.left.lock().unwrap() = left;
            seen.gate.acquire().await.unwrap().forget();
            empty_message()
        }
    };
    let router = Router::new()
        .route(
            "/paymesh.currency.v1.CurrencyService/GetRate",
            post(handler.clone()),
        )
        .route("/paymesh.currency.v1.CurrencyService/Import", post(handler));
    Routes::from(router)
}

/// One empty protobuf message in a gRPC frame, and the status in the trailers.
fn empty_message() -> Response {
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let body = Full::from(vec![0_u8; 5]).with_trailers(async move { Some(Ok(trailers)) });
    Response::builder()
        .header("content-type", "application/grpc")
        .body(Body::new(body))
        .unwrap()
}

impl Net {
    fn new_seen() -> Seen {
        Seen {
            calls: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            left: Arc::default(),
        }
    }

    fn router(seen: &Seen, keys: &Keys) -> Router {
        let config = ServerConfig {
            concurrent_calls: 2,
            ..ServerConfig::default()
        };
        server::router(
            routes(seen.clone()),
            Tokens::new("currency", keys.clone(), clock()),
            &config,
        )
    }

    pub(crate) fn in_process() -> Self {
        let (seen, keys) = (Self::new_seen(), Keys::ephemeral().unwrap());
        let mesh = Mesh::new(MeshConfig::default(), &["currency"]);
        mesh.attach("currency", Self::router(&seen, &keys));
        Self {
            seen,
            keys,
            mesh,
            tasks: Tasks::new(),
        }
    }

    pub(crate) async fn over_a_socket() -> Self {
        let (seen, keys) = (Self::new_seen(), Keys::ephemeral().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = Tasks::new();
        tasks.spawn(
            "server",
            serve(
                listener,
                Self::router(&seen, &keys),
                ServeConfig::default(),
                tasks.clone(),
            ),
        );
        let mesh = Self::mesh_to(&format!("http://{address}"));
        Self {
            seen,
            keys,
            mesh,
            tasks,
        }
    }

    pub(crate) fn mesh_to(address: &str) -> Mesh {
        let config = MeshConfig {
            endpoints: [("currency".to_owned(), address.to_owned())].into(),
            ..MeshConfig::default()
        };
        Mesh::new(config, &[])
    }

    pub(crate) fn channel(&self, caller: &'static str) -> Channel {
        self.mesh
            .channel("currency", Tokens::new(caller, self.keys.clone(), clock()))
            .unwrap()
    }
}
