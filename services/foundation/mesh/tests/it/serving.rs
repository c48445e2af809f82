//! What a socket takes: silent, slow and idle clients give their places back.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, routing::get};
use paymesh_kernel::Tasks;
use paymesh_mesh::{ServeConfig, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What every HTTP/2 client sends first, and its empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// Much more than any limit here.
const SOON: Duration = Duration::from_secs(10);

fn quick() -> ServeConfig {
    ServeConfig {
        header_timeout_ms: 300,
        idle_timeout_ms: 300,
        ..ServeConfig::default()
    }
}

async fn serving(config: ServeConfig) -> (SocketAddr, Tasks) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let tasks = Tasks::new();
    let router = Router::new().route("/", get(|| async { "ok" })).route(
        "/slow",
        get(|| async {
            tokio::time::sleep(Duration::from_millis(1_500)).await;
            "late"
        }),
    );
    tasks.spawn("server", serve(listener, router, config, tasks.clone()));
    (address, tasks)
}

/// Sends `bytes` and waits until the server hangs up; gives what it said.
async fn until_closed(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(bytes).await.unwrap();
    let mut said = Vec::new();
    let read = tokio::time::timeout(SOON, connection.read_to_end(&mut said)).await;
    // A reset is a way to hang up too.
    assert!(read.is_ok(), "the server keeps the connection");
    said
}

#[tokio::test]
async fn a_client_that_says_nothing_is_hung_up_on() {
    let (address, _tasks) = serving(quick()).await;
    until_closed(address, b"").await;
}

#[tokio::test]
async fn a_client_whose_headers_never_end_is_hung_up_on() {
    let (address, _tasks) = serving(quick()).await;
    for head in ["P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: x\r\n"] {
        until_closed(address, head.as_bytes()).await;
    }
}

#[tokio::test]
async fn a_client_of_http2_that_never_asks_is_hung_up_on() {
    let (address, _tasks) = serving(quick()).await;
    until_closed(address, PREFACE).await;
}

#[tokio::test]
async fn an_idle_connection_ends_after_its_answer_and_a_busy_one_stays() {
    let (address, _tasks) = serving(quick()).await;
    let said = until_closed(address, REQUEST).await;
    assert!(said.starts_with(b"HTTP/1.1 200"));
    let said = until_closed(address, b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(said.ends_with(b"late"), "{said:?}");
}

#[tokio::test]
async fn one_address_cannot_take_every_connection() {
    let config = ServeConfig {
        connections: 4,
        connections_per_address: 2,
        ..ServeConfig::default()
    };
    let (address, _tasks) = serving(config).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(REQUEST).await.unwrap();
        let mut said = [0; 12];
        connection.read_exact(&mut said).await.unwrap();
        held.push(connection);
    }
    let refused = until_closed(address, b"").await;
    assert!(refused.is_empty());
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut connection = socket.connect(address).await.unwrap();
    connection.write_all(REQUEST).await.unwrap();
    let mut said = [0; 12];
    connection.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 200");
    // A place that was given back is taken again.
    drop(held);
    let taken = async {
        loop {
            let mut connection = TcpStream::connect(address).await.unwrap();
            let asked = connection.write_all(REQUEST).await;
            if asked.is_ok() && connection.read_exact(&mut [0; 12]).await.is_ok() {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, taken).await.unwrap();
}
