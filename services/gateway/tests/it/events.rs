//! Streams of events (G6).

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use futures::StreamExt as _;
use paymesh_bus::Event;
use paymesh_gateway::{Config, config::Events};
use paymesh_kernel::{Database, Role, id::EventId, id::TenantId};
use paymesh_proto::transaction::v1 as transaction;
use prost::Message as _;
use sea_orm::ConnectionTrait as _;
use serde_json::Value;

use crate::world::World;

const LIMIT: Duration = Duration::from_secs(10);

/// One event as a client sees it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    id: String,
    kind: String,
    data: Value,
}

/// A client of a stream.
struct Client {
    stream: BodyDataStream,
    text: String,
}

impl Client {
    fn new(response: axum::http::Response<Body>) -> Self {
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            stream: response.into_body().into_data_stream(),
            text: String::new(),
        }
    }

    /// The next block of the stream; None when it ends.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let piece = tokio::time::timeout(LIMIT, self.stream.next())
                .await
                .expect("the stream goes on")?;
            self.text
                .push_str(std::str::from_utf8(&piece.unwrap()).unwrap());
        }
    }

    /// The next event.
    async fn next(&mut self) -> Option<Seen> {
        loop {
            let block = self.block().await?;
            if block.contains("event: ") {
                let mut seen = Seen::default();
                for line in block.lines() {
                    let (name, value) = line.split_once(": ").unwrap();
                    match name {
                        "id" => seen.id = value.to_owned(),
                        "event" => seen.kind = value.to_owned(),
                        "data" => seen.data = serde_json::from_str(value).unwrap(),
                        _ => {}
                    }
                }
                return Some(seen);
            }
        }
    }
}

fn fact(world: &World, tenant: TenantId, payer: &str, merchant: &str) -> Event {
    let payload = transaction::TransactionInitiated {
        transaction: Some(transaction::TransactionSnapshot {
            transaction_id: "txn_1".to_owned(),
            payer_user_id: payer.to_owned(),
            merchant_id: merchant.to_owned(),
            ..Default::default()
        }),
    };
    let ids = &world.harness.platform.ids;
    let now = world.harness.platform.clock.now();
    Event {
        id: ids.next::<EventId>(),
        tenant: Some(tenant),
        stream: "transaction".into(),
        kind: "transaction.initiated.v1".into(),
        aggregate_type: "transaction".into(),
        aggregate_id: ids.next(),
        sequence: 1,
        causation_id: "test".to_owned(),
        correlation_id: "test".to_owned(),
        occurred_at: now,
        business_at: now,
        traceparent: None,
        payload: payload.encode_to_vec(),
    }
}

/// Publishes facts as transaction does, and gives their ids.
async fn publish(world: &World, facts: Vec<Event>) -> Vec<String> {
    let ids = facts.iter().map(|fact| fact.id.to_string()).collect();
    world.publish(facts).await;
    ids
}

async fn open(world: &World, last: Option<&str>, roles: &[Role]) -> Client {
    let token = format!("Bearer {}", world.token(roles));
    let mut ask = world.get("/v1/events").header("authorization", &token);
    if let Some(last) = last {
        ask = ask.header("last-event-id", last);
    }
    Client::new(ask.open().await)
}

async fn resumes(world: World) {
    let tenant = world.harness.tenant;
    let mut client = open(&world, None, &[Role::Finance]).await;
    assert_eq!(client.block().await.unwrap(), "retry: 2000");
    let first = publish(
        &world,
        vec![
            fact(&world, tenant, "user_a", ""),
            fact(&world, tenant, "user_b", ""),
        ],
    )
    .await;
    let mut seen = vec![client.next().await.unwrap(), client.next().await.unwrap()];
    drop(client);
    let missed: Vec<Event> = (0..5).map(|_| fact(&world, tenant, "user_a", "")).collect();
    let missed = publish(&world, missed).await;
    let last = seen[1].id.clone();
    let mut client = open(&world, Some(&last), &[Role::Finance]).await;
    for _ in 0..5 {
        seen.push(client.next().await.unwrap());
    }
    let later = publish(&world, vec![fact(&world, tenant, "user_c", "")]).await;
    seen.push(client.next().await.unwrap());
    let mut told: Vec<&str> = seen
        .iter()
        .map(|seen| seen.data["id"].as_str().unwrap())
        .collect();
    let mut all: Vec<&str> = first
        .iter()
        .chain(&missed)
        .chain(&later)
        .map(String::as_str)
        .collect();
    told.sort_unstable();
    all.sort_unstable();
    assert_eq!(told, all);
    let event = &seen[0];
    assert_eq!(event.kind, "transaction.initiated.v1");
    assert_eq!(event.data["data"]["transaction"]["id"], "txn_1");
    assert_eq!(
        (&event.data["sequence"], &event.data["type"]),
        (&1.into(), &"transaction.initiated.v1".into())
    );
}

#[tokio::test]
async fn g6_a_stream_that_broke_resumes_without_a_gap() {
    resumes(World::new().await).await;
}

#[tokio::test]
async fn g6_a_stream_that_broke_resumes_without_a_gap_on_postgres() {
    if let Some(world) = World::postgres().await {
        resumes(world).await;
    }
}

#[tokio::test]
async fn g6_everyone_sees_their_own_and_nothing_else() {
    let world = World::new().await;
    let tenant = world.harness.tenant;
    let mut live = open(&world, None, &[Role::Customer]).await;
    let me = world.user.clone();
    let other: TenantId = world.harness.platform.ids.next();
    let facts = vec![
        fact(&world, tenant, "user_else", "mrc_1"),
        fact(&world, other, &me, ""),
        fact(&world, tenant, &me, "mrc_1"),
    ];
    let ids = publish(&world, facts).await;
    let seen = live.next().await.unwrap();
    assert_eq!(seen.data["id"], ids[2].as_str());
    let mut replayed = open(&world, Some("0"), &[Role::Customer]).await;
    assert_eq!(replayed.next().await.unwrap().data["id"], ids[2].as_str());
    let mut staff = open(&world, Some("0"), &[Role::Support]).await;
    let mut shown = [staff.next().await.unwrap(), staff.next().await.unwrap()];
    shown.sort_by_key(|seen| seen.data["id"].to_string());
    assert!(shown.iter().all(|seen| seen.data["id"] != ids[1].as_str()));
}

#[tokio::test]
async fn every_replica_tells_what_another_one_took() {
    let mut world = World::new().await;
    let events = Events {
        poll_ms: 20,
        ..Events::default()
    };
    let second = world
        .replica(Config {
            events,
            ..Config::default()
        })
        .await;
    let token = format!("Bearer {}", world.token(&[Role::Admin]));
    let mut clients = Vec::new();
    for router in [world.router.clone(), second] {
        let ask = world.get("/v1/events").header("authorization", &token);
        clients.push(Client::new(ask.open_at(router).await));
    }
    let ids = publish(
        &world,
        vec![fact(&world, world.harness.tenant, "user_a", "")],
    )
    .await;
    for client in &mut clients {
        assert_eq!(client.next().await.unwrap().data["id"], ids[0].as_str());
    }
}

#[tokio::test]
async fn a_client_has_a_limited_number_of_streams_and_gives_them_back() {
    let events = Events {
        streams_per_client: 2,
        ..Events::default()
    };
    let world = World::with(Config {
        events,
        ..Config::default()
    })
    .await;
    let first = open(&world, None, &[Role::Customer]).await;
    let _second = open(&world, None, &[Role::Customer]).await;
    world
        .get("/v1/events")
        .send()
        .await
        .problem(429, "TOO_MANY_STREAMS");
    drop(first);
    drop(open(&world, None, &[Role::Customer]).await);
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_dropped_and_resumes() {
    let events = Events {
        buffer: 4,
        ..Events::default()
    };
    let world = World::with(Config {
        events,
        ..Config::default()
    })
    .await;
    let mut slow = open(&world, None, &[Role::Admin]).await;
    let facts: Vec<Event> = (0..40)
        .map(|_| fact(&world, world.harness.tenant, "user_a", ""))
        .collect();
    publish(&world, facts).await;
    let mut seen = Vec::new();
    while let Some(event) = slow.next().await {
        seen.push(event);
    }
    assert!(seen.len() < 40);
    let last = seen
        .last()
        .map_or("0", |event| event.id.as_str())
        .to_owned();
    let mut again = open(&world, Some(&last), &[Role::Admin]).await;
    for _ in seen.len()..40 {
        assert!(again.next().await.is_some());
    }
}

#[tokio::test]
async fn silence_is_filled_and_what_is_not_kept_is_said() {
    let events = Events {
        heartbeat_ms: 20,
        retention_rows: 1,
        ..Events::default()
    };
    let world = World::with(Config {
        events,
        ..Config::default()
    })
    .await;
    let mut client = open(&world, None, &[Role::Admin]).await;
    assert_eq!(client.block().await.unwrap(), "retry: 2000");
    assert_eq!(client.block().await.unwrap(), ": alive");
    let facts: Vec<Event> = (0..3)
        .map(|_| fact(&world, world.harness.tenant, "user_a", ""))
        .collect();
    publish(&world, facts).await;
    // The replica looks for old rows when it starts, and then not for long.
    for _ in 0..3 {
        client.next().await.unwrap();
    }
    drop(client);
    // A replica that starts takes old rows away.
    let mut world = world;
    let events = Events {
        retention_rows: 1,
        ..Events::default()
    };
    drop(
        world
            .replica(Config {
                events,
                ..Config::default()
            })
            .await,
    );
    let harness = &world.harness;
    harness
        .eventually("old rows are gone", || async {
            let mut client = open(&world, Some("0"), &[Role::Admin]).await;
            client
                .next()
                .await
                .is_some_and(|seen| seen.kind == "events.missed")
        })
        .await;
    world
        .get("/v1/events")
        .header("last-event-id", "abc")
        .send()
        .await
        .problem(400, "FIELDS_INVALID");
}

#[tokio::test]
async fn a_stream_ends_with_the_token() {
    let events = Events {
        heartbeat_ms: 5_000,
        ..Events::default()
    };
    let world = World::with(Config {
        events,
        ..Config::default()
    })
    .await;
    let mut client = open(&world, None, &[Role::Admin]).await;
    tokio::time::pause();
    let mut beats = 0;
    while client.block().await.is_some() {
        beats += 1;
    }
    // Fifteen minutes, a heartbeat each five seconds.
    assert!((150..=182).contains(&beats), "{beats}");
}

#[tokio::test]
async fn g6_a_replica_that_starts_tells_what_another_commits_late() {
    let mut world = World::new().await;
    let mut client = open(&world, None, &[Role::Finance]).await;
    let tenant = world.harness.tenant;
    let one = fact(&world, tenant, "user_1", "mrc_1");
    publish(&world, vec![one]).await;
    client.next().await.unwrap();
    let config = world.harness.database_of("gateway").await;
    let database = Database::open(&config).await.unwrap();
    // Another replica has taken position 2 and not committed it yet.
    copy(&database, 3, "early.v1").await;
    world.router = world.replica(Config::default()).await;
    let mut client = open(&world, None, &[Role::Finance]).await;
    for position in 4.. {
        copy(&database, position, "next.v1").await;
        let told = tokio::time::timeout(Duration::from_millis(200), client.next());
        if let Ok(told) = told.await {
            assert_eq!(told.unwrap().id, "1", "no client resumes beyond the gap");
            break;
        }
    }
    copy(&database, 2, "late.v1").await;
    while client.next().await.unwrap().kind != "late.v1" {}
}

/// Writes the first row again, at another position.
async fn copy(database: &Database, position: i64, kind: &str) {
    let rest = "tenant_id, payer, payee, merchant, data, created_at";
    let sql = format!(
        "INSERT INTO feed (position, kind, id, {rest}) SELECT {position}, '{kind}', id, {rest} FROM feed WHERE position = 1"
    );
    database.writer().execute_unprepared(&sql).await.unwrap();
}
