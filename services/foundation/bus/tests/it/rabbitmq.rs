//! What is particular to RabbitMQ: a line that breaks, things that others delete, dead letters at the broker.

use std::sync::Arc;

use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use paymesh_bus::{
    Bus, BusError, Event, Queue, Selection, Tailed,
    broker::{Broker, BrokerError, Confirm, Deliveries, Delivery, Depth, Settled, Target, Verdict},
    event::MAX_PAYLOAD_BYTES,
    rabbitmq::RabbitBroker,
};
use paymesh_kernel::{Ids, SystemClock, Tasks, Timestamp};
use uuid::Uuid;

use crate::{
    proxy::{Line, Proxy},
    world::{AUDIT, Engine, Ground, PATIENCE, SHOP, World, eventually, ledger_queue, topology},
    yard::Yard,
};

/// A broker alone, on a place of its own.
struct Stand {
    yard: Yard,
    broker: RabbitBroker,
    tasks: Tasks,
}

// === impl Stand ===

impl Stand {
    async fn new() -> Option<Self> {
        let yard = Yard::new()?;
        let (broker, tasks) = open(&yard, &yard.url);
        eventually(async || broker.declare(&topology()).await.is_ok()).await;
        Some(Self {
            yard,
            broker,
            tasks,
        })
    }

    async fn publish(&self, events: &[Arc<Event>]) {
        let confirms = self.confirms(events).await;
        let stored = confirms.iter().all(|confirm| *confirm == Confirm::Stored);
        assert!(stored, "{confirms:?}");
    }

    async fn confirms(&self, events: &[Arc<Event>]) -> Vec<Confirm> {
        let published = self.broker.publish(Target::Stream(SHOP), events).await;
        published.unwrap()
    }

    async fn consume(&self, prefetch: u16) -> Box<dyn Deliveries> {
        let consumed = self.broker.consume(&ledger_queue(), prefetch).await;
        consumed.unwrap()
    }

    async fn until_depth(&self, waiting: u64, dead: u64) {
        let expected = Depth { waiting, dead };
        let depth = async || self.broker.depth(&ledger_queue()).await.unwrap();
        eventually(async || depth().await == expected).await;
    }
}

fn open(yard: &Yard, url: &str) -> (RabbitBroker, Tasks) {
    let tasks = Tasks::new();
    let clock = Arc::new(SystemClock);
    let ids = Ids::new(clock.clone());
    let context = paymesh_bus::BusContext::new(topology(), clock, ids, tasks.clone());
    let broker = RabbitBroker::open(url, &yard.context(context));
    (broker.unwrap(), tasks)
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

fn sequences(batch: &[Delivery]) -> Vec<i64> {
    let sequences = batch.iter().map(|d| d.event.as_ref().unwrap().sequence);
    sequences.collect()
}

/// At least this many deliveries.
async fn take(deliveries: &mut dyn Deliveries, count: usize) -> Vec<Delivery> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = deliveries.next(count - taken.len());
        let more = tokio::time::timeout(PATIENCE, more).await;
        taken.extend(more.expect("they come in time").unwrap());
    }
    taken
}

async fn settle(deliveries: &mut dyn Deliveries, batch: &[Delivery], verdict: Verdict) {
    let settled = batch.iter().map(|delivery| Settled {
        tag: delivery.tag,
        verdict: verdict.clone(),
    });
    deliveries.settle(settled.collect()).await.unwrap();
}

fn is_unroutable(confirms: &[Confirm]) -> bool {
    confirms
        .iter()
        .all(|confirm| *confirm == Confirm::Unroutable)
}

#[tokio::test]
async fn events_come_in_order_and_all_fields_come_with_them() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    let mut events = events(700);
    let full = Arc::make_mut(&mut events[3]);
    full.tenant = Some(Uuid::from_u128(5).into());
    full.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    full.payload = vec![7; MAX_PAYLOAD_BYTES];
    stand.publish(&events).await;
    stand.until_depth(700, 0).await;
    let mut deliveries = stand.consume(100).await;
    let mut seen = Vec::new();
    while seen.len() < events.len() {
        let batch = deliveries.next(64).await.unwrap();
        settle(deliveries.as_mut(), &batch, Verdict::Done).await;
        seen.extend(batch.into_iter().map(|delivery| delivery.event.unwrap()));
    }
    assert!(seen == events);
    stand.until_depth(0, 0).await;
}

#[tokio::test]
async fn prefetch_bounds_what_is_unsettled_and_all_of_it_is_counted() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    stand.publish(&events(10)).await;
    let mut deliveries = stand.consume(4).await;
    let batch = take(deliveries.as_mut(), 4).await;
    let more = futures::FutureExt::now_or_never(deliveries.next(100));
    assert!(more.is_none());
    // No waiting here: what is on its way is counted, too.
    for settled in batch.chunks(2) {
        let depth = stand.broker.depth(&ledger_queue()).await.unwrap();
        assert!(depth.waiting >= 8, "{depth:?}");
        settle(deliveries.as_mut(), settled, Verdict::Done).await;
    }
    assert_eq!(sequences(&take(deliveries.as_mut(), 4).await), [5, 6, 7, 8]);
    stand.until_depth(6, 0).await;
}

#[tokio::test]
async fn what_a_consumer_leaves_unsettled_comes_again() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    stand.publish(&events(6)).await;
    let mut deliveries = stand.consume(4).await;
    let batch = take(deliveries.as_mut(), 4).await;
    settle(deliveries.as_mut(), &batch[1..3], Verdict::Done).await;
    drop(deliveries);
    let mut deliveries = stand.consume(10).await;
    let mut again = sequences(&take(deliveries.as_mut(), 4).await);
    again.sort_unstable();
    assert_eq!(again, [1, 4, 5, 6]);
}

#[tokio::test]
async fn an_event_that_keeps_coming_back_is_dead_in_the_end() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    stand.publish(&events(2)).await;
    let mut deliveries = stand.consume(1).await;
    let mut seen = Vec::new();
    loop {
        let batch = deliveries.next(1).await.unwrap();
        let sequence = sequences(&batch)[0];
        seen.push(sequence);
        if sequence == 2 {
            break;
        }
        settle(deliveries.as_mut(), &batch, Verdict::Again).await;
    }
    // The first time and 20 times more.
    assert_eq!(seen.len(), 22);
    stand.until_depth(1, 1).await;
    let letters = stand.broker.dead_letters(&ledger_queue(), 10).await;
    let letter = letters.unwrap().remove(0);
    assert_eq!(letter.event.unwrap().sequence, 1);
    assert!(
        letter.reason.contains("delivery_limit"),
        "{}",
        letter.reason
    );
    assert!(letter.died_at.is_some());
}

#[tokio::test]
async fn dead_letters_are_listed_replayed_and_purged() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    let queue = ledger_queue();
    let published = events(4);
    stand.publish(&published).await;
    let mut deliveries = stand.consume(10).await;
    let batch = take(deliveries.as_mut(), 4).await;
    let reason = "broken".to_owned();
    settle(deliveries.as_mut(), &batch, Verdict::Dead { reason }).await;
    stand.until_depth(0, 4).await;
    // More often than any delivery limit.
    for _ in 0..25 {
        stand.until_depth(0, 4).await;
        let letters = stand.broker.dead_letters(&queue, 3).await.unwrap();
        assert_eq!(letters.len(), 3);
        assert!(letters.iter().all(|letter| letter.reason == "broken"));
        assert!(letters.iter().all(|letter| letter.died_at.is_some()));
    }
    stand.until_depth(0, 4).await;
    let one = Selection::Event(published[2].id);
    assert_eq!(stand.broker.replay(&queue, one).await.unwrap(), 1);
    stand.until_depth(1, 3).await;
    let other = Selection::Event(published[0].id);
    assert_eq!(stand.broker.purge(&queue, other).await.unwrap(), 1);
    stand.until_depth(1, 2).await;
    let nothing = Selection::Event(published[0].id);
    assert_eq!(stand.broker.replay(&queue, nothing).await.unwrap(), 0);
    let replayed = take(deliveries.as_mut(), 1).await;
    assert_eq!(replayed[0].event.as_ref().unwrap(), &published[2]);
    settle(deliveries.as_mut(), &replayed, Verdict::Done).await;
    stand.until_depth(0, 2).await;
    let all = Selection::All;
    assert_eq!(stand.broker.replay(&queue, all).await.unwrap(), 2);
    assert_eq!(stand.broker.replay(&queue, all).await.unwrap(), 0);
    let batch = take(deliveries.as_mut(), 2).await;
    let reason = "still broken".to_owned();
    settle(deliveries.as_mut(), &batch, Verdict::Dead { reason }).await;
    stand.until_depth(0, 2).await;
    assert_eq!(stand.broker.purge(&queue, all).await.unwrap(), 2);
    stand.until_depth(0, 0).await;
    // The other queue has all of them still.
    let audit = stand.broker.depth(&Queue::new(AUDIT, SHOP)).await.unwrap();
    assert_eq!(audit.waiting, 4);
}

#[tokio::test]
async fn a_message_that_is_no_event_is_a_dead_letter() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    let (_connection, channel) = stand.yard.stranger().await;
    let published = channel.basic_publish(
        "".into(),
        stand.yard.name("ledger.shop.v1").into(),
        BasicPublishOptions::default(),
        b"what is this",
        BasicProperties::default(),
    );
    published.await.unwrap();
    let mut deliveries = stand.consume(10).await;
    let batch = take(deliveries.as_mut(), 1).await;
    let reason = batch[0].event.as_ref().unwrap_err().to_string();
    settle(deliveries.as_mut(), &batch, Verdict::Dead { reason }).await;
    stand.until_depth(0, 1).await;
    let letters = stand.broker.dead_letters(&ledger_queue(), 10).await;
    let letter = letters.unwrap().remove(0);
    assert!(letter.event.is_err());
    assert_eq!(letter.reason, "the header `ce-specversion` is missing");
}

#[tokio::test]
async fn what_reaches_no_queue_is_a_failure_and_its_neighbours_are_not() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    // A queue that nobody has made, beside one that takes all.
    let gone = ledger_queue().of_generation(2);
    stand.yard.delete_queue(&gone.to_string()).await;
    let confirms = stand.broker.publish(Target::Queue(&gone), &events(5)).await;
    assert!(is_unroutable(&confirms.unwrap()));
    for queue in ["ledger.shop.v1", "audit.shop.v1"] {
        stand.yard.delete_queue(queue).await;
    }
    assert!(is_unroutable(&stand.confirms(&events(300)).await));
    // Nobody reads this stream, so nothing is lost.
    let target = Target::Stream(AUDIT);
    let unread = stand.broker.publish(target, &events(1)).await;
    assert_eq!(unread.unwrap(), [Confirm::Stored]);
}

#[tokio::test]
async fn what_the_broker_cannot_take_is_refused_and_its_neighbours_are_not() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    let mut events = events(4);
    Arc::make_mut(&mut events[1]).payload = vec![0; MAX_PAYLOAD_BYTES + 1];
    Arc::make_mut(&mut events[2]).causation_id = "x".repeat(200_000);
    let confirms = stand.confirms(&events).await;
    assert!(matches!(
        confirms.as_slice(),
        [
            Confirm::Stored,
            Confirm::Refused { .. },
            Confirm::Refused { .. },
            Confirm::Stored
        ]
    ));
    stand.until_depth(2, 0).await;
}

#[tokio::test]
async fn an_exchange_that_somebody_deleted_is_made_again() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    stand.publish(&events(1)).await;
    stand.yard.delete_exchange("shop.events").await;
    // The broker closes the channel under the publisher.
    let published = stand.broker.publish(Target::Stream(SHOP), &events(3)).await;
    assert!(matches!(published, Err(BrokerError::Unavailable(_))));
    stand.publish(&events(3)).await;
    stand.until_depth(4, 0).await;
}

#[tokio::test]
async fn a_consumer_whose_queue_was_deleted_fails_and_finds_it_again() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    let mut deliveries = stand.consume(10).await;
    stand.yard.delete_queue("ledger.shop.v1").await;
    assert!(deliveries.next(1).await.is_err());
    let again = stand.broker.consume(&ledger_queue(), 10).await;
    assert!(again.is_err());
    let mut deliveries = stand.consume(10).await;
    stand.publish(&events(1)).await;
    assert_eq!(sequences(&take(deliveries.as_mut(), 1).await), [1]);
}

#[tokio::test]
async fn a_queue_with_other_properties_is_an_error_at_the_start() {
    let Some(yard) = Yard::new() else {
        return;
    };
    let (_connection, channel) = yard.stranger().await;
    let mut arguments = FieldTable::default();
    arguments.insert(
        "x-queue-type".into(),
        AMQPValue::LongString("quorum".into()),
    );
    let name = yard.name("ledger.shop.v1").into();
    let declared = channel.queue_declare(name, QueueDeclareOptions::durable(), arguments);
    declared.await.unwrap();
    let (broker, _tasks) = open(&yard, &yard.url);
    let declared = broker.declare(&topology()).await;
    assert!(
        matches!(declared, Err(BrokerError::Topology(_))),
        "{declared:?}"
    );
    assert!(!broker.is_connected());
}

#[tokio::test]
async fn a_wrong_login_is_an_error_at_the_start_and_told_to_nobody() {
    let Some(ground) = Ground::new(Engine::RabbitMq).await else {
        return;
    };
    let tasks = Tasks::new();
    let url = &ground.rabbitmq.as_ref().unwrap().url;
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, server) = rest.split_once('@').unwrap();
    let wrong = format!("{scheme}://guest:sesame@{server}");
    let error = Bus::rabbitmq(&wrong, ground.context(&tasks))
        .await
        .unwrap_err();
    assert!(
        matches!(error, BusError::Broker(BrokerError::Access(_))),
        "{error:?}"
    );
    assert!(!format!("{error:?}").contains("sesame"));
    let none = Bus::rabbitmq("sesame", ground.context(&tasks)).await;
    assert!(matches!(none, Err(BusError::Broker(BrokerError::Address))));
}

/// A process whose line to the broker is ours.
async fn on_a_line(line: Line, query: &str) -> Option<(Ground, Proxy, World)> {
    let ground = Ground::new(Engine::RabbitMq).await?;
    let url = format!("{}{query}", ground.rabbitmq.as_ref().unwrap().url);
    let proxy = Proxy::start(&url, line).await;
    let tasks = Tasks::new();
    let bus = Bus::rabbitmq(&proxy.url(&url), ground.context(&tasks)).await;
    let world = ground.start_over(bus.unwrap(), tasks).await;
    Some((ground, proxy, world))
}

#[tokio::test]
async fn facts_wait_in_the_outbox_until_an_absent_broker_is_there() {
    let Some((_ground, proxy, world)) = on_a_line(Line::Cut, "").await else {
        return;
    };
    assert!(!world.bus.is_connected());
    world.consume();
    let till = world.aggregate();
    for sequence in 1..=3 {
        world.publish(world.event(till, sequence, 1)).await;
    }
    proxy.set(Line::Open);
    world.until_applied(till, "1 2 3").await;
    world.until_nothing_is_pending().await;
    assert!(world.bus.is_connected());
}

#[tokio::test]
async fn b3_b4_a_line_that_is_cut_again_and_again_loses_and_doubles_nothing() {
    const TILLS: usize = 4;
    const EVENTS: i64 = 60;
    let Some((_ground, proxy, world)) = on_a_line(Line::Open, "").await else {
        return;
    };
    world.consume();
    let tills: Vec<_> = (0..TILLS).map(|_| world.aggregate()).collect();
    for sequence in 1..=EVENTS {
        for &till in &tills {
            world.publish(world.event(till, sequence, 1)).await;
        }
        match sequence % 15 {
            5 => proxy.set(Line::Cut),
            10 => {
                proxy.set(Line::Open);
                eventually(async || world.bus.is_connected()).await;
            }
            _ => {}
        }
    }
    proxy.set(Line::Open);
    let in_order: Vec<String> = (1..=EVENTS).map(|n| n.to_string()).collect();
    for till in tills {
        world.until_applied(till, &in_order.join(" ")).await;
    }
    eventually(async || world.bus.is_connected()).await;
    world.until_nothing_is_pending().await;
}

#[tokio::test]
async fn a_line_that_says_nothing_any_more_is_given_up() {
    let Some((_ground, proxy, world)) = on_a_line(Line::Open, "?heartbeat=1").await else {
        return;
    };
    world.consume();
    let till = world.aggregate();
    world.publish(world.event(till, 1, 1)).await;
    world.until_applied(till, "1").await;
    proxy.set(Line::Stalled);
    world.publish(world.event(till, 2, 1)).await;
    eventually(async || !world.bus.is_connected()).await;
    proxy.set(Line::Open);
    world.until_applied(till, "1 2").await;
}

#[tokio::test]
async fn a_watcher_is_told_that_the_line_was_cut_and_goes_on() {
    let Some((_ground, proxy, world)) = on_a_line(Line::Open, "").await else {
        return;
    };
    let mut tail = world.bus.tail(SHOP).await.unwrap();
    proxy.set(Line::Cut);
    eventually(async || !world.bus.is_connected()).await;
    proxy.set(Line::Open);
    assert!(matches!(tail.next().await, Some(Tailed::Missed(0))));
    let event = world.event(world.aggregate(), 1, 1);
    world.publish(event.clone()).await;
    match tail.next().await {
        Some(Tailed::Event(seen)) => assert_eq!(*seen, event),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_process_that_stops_leaves_at_once() {
    let Some(stand) = Stand::new().await else {
        return;
    };
    let mut tail = stand.broker.tail(SHOP).await.unwrap();
    let stopped = stand.tasks.stop(std::time::Duration::from_secs(2)).await;
    assert!(stopped);
    assert!(tail.next().await.is_none());
}
