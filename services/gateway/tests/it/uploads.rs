//! Bodies that are slow to come: they end in time, and hold nobody else up.

use std::{net::SocketAddr, time::Duration};

use paymesh_gateway::{Config, config::Bodies};
use paymesh_kernel::Role;
use paymesh_mesh::{ServeConfig, serve};
use paymesh_proto::settlement::v1 as settlement;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::world::World;

/// Enough for a refusal to come back, and short of any limit.
const A_MOMENT: Duration = Duration::from_millis(200);
/// Much more than any limit here.
const SOON: Duration = Duration::from_secs(10);

/// A gateway on a socket.
struct Served {
    world: World,
    address: SocketAddr,
}

impl Served {
    async fn with(config: Config) -> Self {
        let world = World::with(config).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = world.harness.platform.tasks.clone();
        let router = world.router.clone();
        let serving = serve(listener, router, ServeConfig::default(), tasks.clone());
        tasks.spawn("server", serving);
        Self { world, address }
    }

    /// Begins a request whose body is announced and does not come.
    async fn begin(&self, length: usize) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).await.unwrap();
        let token = self.world.token(&[Role::Admin]);
        let head = format!(
            "POST /v1/transactions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: slow\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        connection
    }
}

fn bodies(change: impl FnOnce(&mut Bodies)) -> Config {
    let mut config = Config::default();
    change(&mut config.bodies);
    config
}

/// What the server answers, read until it hangs up or has said all.
async fn answer(mut connection: TcpStream) -> String {
    let mut said = Vec::new();
    let read = async {
        let mut bytes = [0; 4_096];
        while let Ok(count @ 1..) = connection.read(&mut bytes).await {
            said.extend_from_slice(&bytes[..count]);
            if said.ends_with(b"}") {
                break;
            }
        }
    };
    tokio::time::timeout(SOON, read)
        .await
        .expect("the server answers in time");
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn slow_bodies_hold_no_place_of_those_who_are_served() {
    const SLOW: usize = 8;
    const LENGTH: usize = 120;
    let mut config = bodies(|bodies| bodies.at_once = SLOW);
    config.concurrent_requests = 2;
    let served = Served::with(config).await;
    let mut slow = Vec::new();
    for _ in 0..SLOW {
        let mut connection = served.begin(LENGTH).await;
        connection.write_all(b"{").await.unwrap();
        slow.push(connection);
    }
    // One more is refused at once, so all places of bodies are taken.
    loop {
        let extra = served.begin(LENGTH).await;
        if tokio::time::timeout(A_MOMENT, extra.readable())
            .await
            .is_ok()
        {
            assert!(answer(extra).await.contains("GATEWAY_OVERLOADED"));
            break;
        }
        slow.push(extra);
    }
    for _ in 0..4 {
        let read = served.world.get("/v1/users/me").send().await;
        assert_eq!(read.status.as_u16(), 200, "{read:?}");
    }
    let mut first = slow.swap_remove(0);
    let rest =
        r#""kind":"transfer","amount":{"minor":1,"currency":"USD"},"payee":{"user_id":"user_1"}}"#;
    let rest = format!("{rest:<width$}", width = LENGTH - 1);
    first.write_all(rest.as_bytes()).await.unwrap();
    let answered = answer(first).await;
    assert!(answered.starts_with("HTTP/1.1 202 "), "{answered}");
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_408() {
    let served = Served::with(bodies(|bodies| bodies.timeout_ms = 300)).await;
    let answered = answer(served.begin(100).await).await;
    assert!(answered.starts_with("HTTP/1.1 408 "), "{answered}");
    for part in [
        "application/problem+json",
        "\"reason\":\"BODY_SLOW\"",
        "\"outcome\":\"not_processed\"",
        "\"request_id\":\"req_",
    ] {
        assert!(answered.contains(part), "{part}: {answered}");
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_408_long_before_the_whole_time_is_over() {
    let served = Served::with(bodies(|bodies| {
        bodies.timeout_ms = 25_000;
        bodies.grace_ms = 300;
        bodies.bytes_per_second = 1_000;
    }))
    .await;
    let (mut reading, mut writing) = served.begin(10_000).await.into_split();
    let trickle = served.world.harness.platform.tasks.clone();
    trickle.spawn_once(async move {
        while writing.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut head = [0; 12];
    tokio::time::timeout(SOON, reading.read_exact(&mut head))
        .await
        .expect("the server answers in time")
        .unwrap();
    assert_eq!(&head, b"HTTP/1.1 408");
}

#[tokio::test]
async fn an_address_has_so_many_bodies_on_their_way_and_no_more() {
    let served = Served::with(bodies(|bodies| {
        bodies.at_once_per_address = 1;
        bodies.timeout_ms = 2_000;
    }))
    .await;
    let first = served.begin(100).await;
    let second = served.begin(100).await;
    // Whichever came second is refused at once; the other waits for its time.
    let answers = [answer(first).await, answer(second).await];
    let refused = |answer: &&String| answer.starts_with("HTTP/1.1 429 ");
    assert_eq!(answers.iter().filter(refused).count(), 1, "{answers:?}");
    assert!(
        answers
            .iter()
            .any(|answer| answer.contains("TOO_MANY_UPLOADS"))
    );
    assert!(answers.iter().any(|answer| answer.contains("BODY_SLOW")));
    // The place is free again.
    let third = answer(served.begin(100).await).await;
    assert!(third.contains("BODY_SLOW"), "{third}");
}

#[tokio::test]
async fn a_statement_of_seven_mebibytes_is_imported_and_one_of_nine_is_413() {
    let world = World::new().await;
    let path = "/v1/settlement/statements?kind=bank&source=acme";
    let file = |mebibytes: usize| b"2026-01-31,100\n".repeat(mebibytes * 1024 * 1024 / 15);
    let taken = world.post(path).raw("text/csv", file(7)).send().await;
    assert_eq!(taken.status.as_u16(), 201, "{:?}", taken.json);
    let requests: Vec<settlement::ImportStatementRequest> =
        world.fakes.requests("SettlementService/ImportStatement");
    assert_eq!(requests[0].content.len(), file(7).len());
    let refused = world.post(path).raw("text/csv", file(9)).send().await;
    let problem = refused.problem(413, "BODY_TOO_LARGE");
    assert_eq!(problem["detail"], "the body is larger than 8388608 bytes");
    assert!(world.fakes.calls().is_empty());
}
