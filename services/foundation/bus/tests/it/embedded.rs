//! What is particular to the embedded broker: its file, its memory, its dead letters.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use paymesh_bus::{
    Event, Queue, Selection,
    broker::{Broker as _, Confirm, Deliveries, Delivery, Settled, Target, Verdict},
    embedded::EmbeddedBroker,
    event::MAX_PAYLOAD_BYTES,
};
use paymesh_kernel::{Database, DatabaseConfig, Ids, SystemClock, Tasks, Timestamp};
use sea_orm::{ConnectionTrait as _, DatabaseBackend, Statement};
use tempfile::TempDir;
use uuid::Uuid;

use crate::world::{AUDIT, SHOP, eventually, ledger_queue, topology};

async fn open(folder: &Path) -> (EmbeddedBroker, Tasks) {
    let tasks = Tasks::new();
    let file = folder.join("events.db");
    let broker = EmbeddedBroker::open(&file, Arc::new(SystemClock), &tasks);
    let broker = broker.await.unwrap();
    broker.declare(&topology()).await.unwrap();
    (broker, tasks)
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn events(count: i64) -> Vec<Arc<Event>> {
    let ids = Ids::new(Arc::new(SystemClock));
    let aggregate_id: Uuid = ids.next();
    let event = |sequence| Event {
        id: ids.next(),
        tenant: None,
        stream: SHOP.into(),
        kind: "shop.sold.v1".into(),
        aggregate_type: "till".into(),
        aggregate_id,
        sequence,
        causation_id: String::new(),
        correlation_id: String::new(),
        occurred_at: Timestamp::EPOCH,
        business_at: Timestamp::EPOCH,
        traceparent: None,
        payload: vec![1],
    };
    (1..=count).map(event).map(Arc::new).collect()
}

async fn publish(broker: &EmbeddedBroker, events: &[Arc<Event>]) {
    let confirms = broker.publish(Target::Stream(SHOP), events).await.unwrap();
    assert!(confirms.iter().all(|confirm| *confirm == Confirm::Stored));
}

async fn consume(broker: &EmbeddedBroker, queue: &Queue) -> Box<dyn Deliveries> {
    broker.consume(queue, 200).await.unwrap()
}

fn sequences(batch: &[Delivery]) -> Vec<i64> {
    let sequences = batch.iter().map(|d| d.event.as_ref().unwrap().sequence);
    sequences.collect()
}

async fn settle(deliveries: &mut dyn Deliveries, batch: &[Delivery], verdict: Verdict) {
    let settled = batch.iter().map(|delivery| Settled {
        tag: delivery.tag,
        verdict: verdict.clone(),
    });
    deliveries.settle(settled.collect()).await.unwrap();
}

/// Settles everything that waits; gives the sequences.
async fn drain(broker: &EmbeddedBroker, queue: &Queue) -> Vec<i64> {
    let mut deliveries = consume(broker, queue).await;
    let mut seen = Vec::new();
    while broker.depth(queue).await.unwrap().waiting > 0 {
        let batch = deliveries.next(200).await.unwrap();
        seen.extend(sequences(&batch));
        settle(deliveries.as_mut(), &batch, Verdict::Done).await;
    }
    seen
}

async fn stored_messages(folder: &Path) -> i64 {
    let config = DatabaseConfig {
        url: Database::sqlite_url(&folder.join("events.db")),
        ..DatabaseConfig::default()
    };
    let file = Database::open(&config).await.unwrap();
    let sql = "SELECT count(*) AS messages FROM messages";
    let statement = Statement::from_string(DatabaseBackend::Sqlite, sql);
    let row = file
        .reader()
        .query_one_raw(statement)
        .await
        .unwrap()
        .unwrap();
    row.try_get("", "messages").unwrap()
}

#[tokio::test]
async fn b7_a_backlog_larger_than_memory_comes_in_order_also_after_a_restart() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    let events = events(3_000);
    for batch in events.chunks(500) {
        publish(&broker, batch).await;
    }
    let mut deliveries = consume(&broker, &ledger_queue()).await;
    let first = deliveries.next(200).await.unwrap();
    assert_eq!(sequences(&first), (1..=200).collect::<Vec<_>>());
    settle(deliveries.as_mut(), &first[..100], Verdict::Done).await;
    // The cursor is written with the next commit.
    publish(&broker, &events[..1]).await;
    drop((deliveries, broker));
    let (broker, _tasks) = open(folder.path()).await;
    let depth = broker.depth(&ledger_queue()).await.unwrap();
    assert_eq!(depth.waiting, 2_901);
    let mut expected: Vec<i64> = (101..=3_000).collect();
    expected.push(1);
    assert_eq!(drain(&broker, &ledger_queue()).await, expected);
}

#[tokio::test]
async fn what_every_queue_has_passed_is_deleted() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    publish(&broker, &events(50)).await;
    assert_eq!(drain(&broker, &ledger_queue()).await.len(), 50);
    publish(&broker, &events(1)).await;
    assert_eq!(stored_messages(folder.path()).await, 51);
    drain(&broker, &ledger_queue()).await;
    assert_eq!(drain(&broker, &Queue::new(AUDIT, SHOP)).await.len(), 51);
    eventually(async || stored_messages(folder.path()).await == 0).await;
    // Positions go on where they were.
    drop(broker);
    let (broker, _tasks) = open(folder.path()).await;
    publish(&broker, &events(3)).await;
    assert_eq!(drain(&broker, &ledger_queue()).await, [1, 2, 3]);
}

#[tokio::test]
async fn what_a_consumer_leaves_unsettled_comes_again_in_order() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    publish(&broker, &events(6)).await;
    let mut deliveries = consume(&broker, &ledger_queue()).await;
    let batch = deliveries.next(4).await.unwrap();
    settle(deliveries.as_mut(), &batch[1..2], Verdict::Done).await;
    drop(deliveries);
    assert_eq!(drain(&broker, &ledger_queue()).await, [1, 3, 4, 5, 6]);
}

#[tokio::test]
async fn prefetch_bounds_what_is_unsettled() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    publish(&broker, &events(10)).await;
    let mut deliveries = broker.consume(&ledger_queue(), 4).await.unwrap();
    let batch = deliveries.next(100).await.unwrap();
    assert_eq!(batch.len(), 4);
    let more = futures::FutureExt::now_or_never(deliveries.next(100));
    assert!(more.is_none());
    settle(deliveries.as_mut(), &batch[..2], Verdict::Done).await;
    assert_eq!(deliveries.next(100).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_dead_letter_survives_a_restart_and_is_replayed_or_purged() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    let published = events(3);
    publish(&broker, &published).await;
    let mut deliveries = consume(&broker, &ledger_queue()).await;
    let batch = deliveries.next(10).await.unwrap();
    let reason = "broken".to_owned();
    settle(deliveries.as_mut(), &batch, Verdict::Dead { reason }).await;
    drop((deliveries, broker));

    let (broker, _tasks) = open(folder.path()).await;
    let queue = ledger_queue();
    let letters = broker.dead_letters(&queue, 10).await.unwrap();
    assert_eq!(letters.len(), 3);
    assert!(letters.iter().all(|letter| letter.reason == "broken"));
    let one = Selection::Event(published[1].id);
    assert_eq!(broker.replay(&queue, one).await.unwrap(), 1);
    assert_eq!(
        broker
            .purge(&queue, Selection::Event(published[0].id))
            .await
            .unwrap(),
        1
    );
    let depth = broker.depth(&queue).await.unwrap();
    assert_eq!((depth.waiting, depth.dead), (1, 1));
    drop(broker);

    // A replay that was under way when the process ended is still under way.
    let (broker, _tasks) = open(folder.path()).await;
    assert_eq!(drain(&broker, &queue).await, [2]);
    drop(broker);
    let (broker, _tasks) = open(folder.path()).await;
    let depth = broker.depth(&queue).await.unwrap();
    assert_eq!((depth.waiting, depth.dead), (0, 1));
    // The other queue has all of them still.
    let audit = broker.depth(&Queue::new(AUDIT, SHOP)).await.unwrap();
    assert_eq!(audit.waiting, 3);
}

#[tokio::test]
async fn an_event_that_keeps_coming_back_is_dead_in_the_end() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    publish(&broker, &events(2)).await;
    let mut deliveries = consume(&broker, &ledger_queue()).await;
    for _ in 0..20 {
        let batch = deliveries.next(1).await.unwrap();
        assert_eq!(sequences(&batch), [1]);
        settle(deliveries.as_mut(), &batch, Verdict::Again).await;
    }
    let batch = deliveries.next(1).await.unwrap();
    assert_eq!(sequences(&batch), [2]);
    let depth = broker.depth(&ledger_queue()).await.unwrap();
    assert_eq!((depth.waiting, depth.dead), (1, 1));
}

#[tokio::test]
async fn a_payload_beyond_the_limit_is_refused_and_its_neighbours_are_not() {
    let folder = folder();
    let (broker, _tasks) = open(folder.path()).await;
    let mut events = events(3);
    Arc::make_mut(&mut events[1]).payload = vec![0; MAX_PAYLOAD_BYTES + 1];
    let confirms = broker.publish(Target::Stream(SHOP), &events).await.unwrap();
    assert!(matches!(
        confirms.as_slice(),
        [Confirm::Stored, Confirm::Refused { .. }, Confirm::Stored]
    ));
    assert_eq!(drain(&broker, &ledger_queue()).await, [1, 3]);
}

/// Tells the process that is to be killed where its file is.
const FOLDER: &str = "PAYMESH_TEST_BROKER_FOLDER";

/// Publishes without end and says after each confirm how far it is. Does nothing unless it is started by the test below.
#[tokio::test]
#[allow(clippy::print_stdout, reason = "the test below reads it")]
async fn a_publisher_that_is_to_be_killed() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let (broker, _tasks) = open(Path::new(&folder)).await;
    for batch in events(1_000_000).chunks(20) {
        publish(&broker, batch).await;
        println!("\nconfirmed {}", batch.last().unwrap().sequence);
    }
}

#[tokio::test]
async fn b7_killing_the_process_loses_no_confirmed_event() {
    let folder = folder();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "embedded::a_publisher_that_is_to_be_killed",
            "--exact",
            "--nocapture",
        ])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let confirmed = |line: String| line.strip_prefix("confirmed ")?.parse::<i64>().ok();
    let mut last = 0;
    while last < 500 {
        last = lines
            .next()
            .unwrap()
            .ok()
            .and_then(confirmed)
            .unwrap_or(last);
    }
    // SIGKILL, with a commit under way.
    victim.kill().unwrap();
    last = lines
        .filter_map(|line| confirmed(line.ok()?))
        .last()
        .unwrap_or(last);
    victim.wait().unwrap();
    let (broker, _tasks) = open(folder.path()).await;
    let seen = drain(&broker, &ledger_queue()).await;
    let expected: Vec<i64> = (1..).take(seen.len()).collect();
    assert_eq!(seen, expected);
    assert!(seen.len() >= usize::try_from(last).unwrap(), "{last}");
}
