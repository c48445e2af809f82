//! One consumer of a queue.
//!
//! Deliveries are acknowledged after their effect is committed, as many at once as there are settled from the oldest on. One that
//! is to come again is rejected: that counts on every version, while `nack` does not on 4.3 and later. When the consumer is
//! dropped, its channel is closed and the broker takes back what is not settled.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture};
use lapin::{
    Channel, Consumer,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions,
        QueueDeclareOptions,
    },
    types::FieldTable,
};
use paymesh_kernel::Clock;
use tokio::sync::Notify;

use super::{
    declare::{Plan, short},
    failure::{Failure, OPERATION_LIMIT, within},
    link::Session,
    message::{Kept, Outgoing},
    publish::{Publishers, Route, Unrouted},
};
use crate::{
    broker::{BrokerError, Confirm, Deliveries, Delivery, Settled, Verdict},
    topology::Queue,
};

/// What a consumer has received and not settled, seen by the consumer and by whoever measures the queue.
pub(super) struct Intake {
    session: Arc<Session>,
    channel: Channel,
    queue: String,
    received: Mutex<Received>,
    /// Told when somebody else has moved deliveries to `ready`, and with them the place of the consumer's waker.
    moved: Notify,
}

struct Received {
    consumer: Consumer,
    /// Received, and not handed out yet.
    ready: VecDeque<Delivery>,
    /// Everything that is not settled.
    unsettled: BTreeMap<u64, Kept>,
    /// Why nothing more will come.
    failure: Option<Failure>,
}

/// Deliveries of a queue.
pub(super) struct QueueDeliveries {
    intake: Arc<Intake>,
    publishers: Arc<Publishers>,
    dead_exchange: String,
    clock: Arc<dyn Clock>,
}

// === impl Intake ===

impl Intake {
    pub(super) async fn open(
        session: Arc<Session>,
        queue: String,
        prefetch: u16,
    ) -> Result<Self, Failure> {
        let channel = session.channel().await?;
        let limited = channel.basic_qos(prefetch, BasicQosOptions::default());
        within(OPERATION_LIMIT, limited).await?;
        let consumer = channel.basic_consume(
            short(&queue),
            short(""),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let received = Received {
            consumer: within(OPERATION_LIMIT, consumer).await?,
            ready: VecDeque::new(),
            unsettled: BTreeMap::new(),
            failure: None,
        };
        Ok(Self {
            session,
            channel,
            queue,
            received: Mutex::new(received),
            moved: Notify::new(),
        })
    }

    pub(super) fn queue(&self) -> &str {
        &self.queue
    }

    /// Messages of the queue that are not settled: those that the broker has ready and those that are here.
    ///
    /// The broker counts what it has sent us as gone, so it is counted here, and nothing may be overlooked on its way. A channel
    /// answers before it sends the messages that are in its mail already, so it is asked twice: what had left the queue at the
    /// first answer is here at the second.
    pub(super) async fn depth(&self) -> Result<u64, Failure> {
        let ready = ready_in(&self.channel, &self.queue).await?;
        ready_in(&self.channel, &self.queue).await?;
        let mut received = self.received();
        received.take_in(&mut Context::from_waker(Waker::noop()));
        let unsettled = received.unsettled.len();
        drop(received);
        self.moved.notify_one();
        Ok(u64::from(ready).saturating_add(u64::try_from(unsettled).unwrap_or(u64::MAX)))
    }

    async fn next(&self, limit: usize) -> Result<Vec<Delivery>, Failure> {
        loop {
            let arrived = std::future::poll_fn(|context| {
                let mut received = self.received();
                received.take_in(context);
                received.hand_out(limit)
            });
            tokio::select! {
                biased;
                arrived = arrived => return arrived,
                () = self.session.ended().cancelled() => return Err(Failure::Lost),
                () = self.moved.notified() => {}
            }
        }
    }

    fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages that the broker has ready in a queue.
pub(super) async fn ready_in(channel: &Channel, queue: &str) -> Result<u32, Failure> {
    let options = QueueDeclareOptions::default().passive();
    let declared = channel.queue_declare(short(queue), options, FieldTable::default());
    let queue = within(OPERATION_LIMIT, declared).await?;
    Ok(queue.message_count())
}

// === impl Received ===

impl Received {
    /// Takes what lapin has received. There is never more of it than the prefetch.
    fn take_in(&mut self, context: &mut Context<'_>) {
        while self.failure.is_none() {
            let delivery = match self.consumer.poll_next_unpin(context) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(delivery))) => delivery,
                Poll::Ready(Some(Err(error))) => {
                    self.failure = Some(error.into());
                    return;
                }
                Poll::Ready(None) => {
                    self.failure = Some(Failure::Canceled);
                    return;
                }
            };
            let tag = delivery.delivery_tag;
            let (kept, event) = Kept::of(delivery);
            self.unsettled.insert(tag, kept);
            self.ready.push_back(Delivery { tag, event });
        }
    }

    fn hand_out(&mut self, limit: usize) -> Poll<Result<Vec<Delivery>, Failure>> {
        if let Some(failure) = &self.failure {
            // The broker delivers again what is ready here: it could not be settled any more.
            return Poll::Ready(Err(failure.clone()));
        }
        if self.ready.is_empty() {
            return Poll::Pending;
        }
        let count = self.ready.len().min(limit.max(1));
        Poll::Ready(Ok(self.ready.drain(..count).collect()))
    }

    /// The highest tag up to which nothing is open but `done`.
    fn settled_up_to(&self, done: &HashSet<u64>) -> Option<u64> {
        let tags = self.unsettled.keys().copied();
        tags.take_while(|tag| done.contains(tag)).last()
    }
}

// === impl QueueDeliveries ===

impl QueueDeliveries {
    pub(super) fn new(
        intake: Arc<Intake>,
        publishers: Arc<Publishers>,
        plan: &Plan,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            intake,
            publishers,
            dead_exchange: plan.names.dead_exchange(),
            clock,
        }
    }

    async fn settle_all(&mut self, settled: Vec<Settled>) -> Result<(), BrokerError> {
        let (mut done, mut again, mut dead) = (HashSet::new(), Vec::new(), Vec::new());
        {
            let received = self.intake.received();
            for Settled { tag, verdict } in settled {
                let Some(kept) = received.unsettled.get(&tag) else {
                    continue;
                };
                match verdict {
                    Verdict::Done => {}
                    Verdict::Again => {
                        again.push(tag);
                        continue;
                    }
                    Verdict::Dead { reason } => dead.push((kept.clone(), reason)),
                }
                done.insert(tag);
            }
        }
        self.bury(&dead).await?;
        self.acknowledge(&done).await?;
        for tag in again {
            self.intake.received().unsettled.remove(&tag);
            let options = BasicRejectOptions { requeue: true };
            let rejected = self.intake.channel.basic_reject(tag, options);
            within(OPERATION_LIMIT, rejected).await?;
        }
        Ok(())
    }

    /// Puts messages to the dead letters before they are acknowledged: rather twice than not at all.
    async fn bury(&self, dead: &[(Kept, String)]) -> Result<(), BrokerError> {
        if dead.is_empty() {
            return Ok(());
        }
        let queue = short(&self.intake.queue);
        let now = self.clock.now();
        let mut letters = Vec::with_capacity(dead.len());
        for (kept, reason) in dead {
            let letter = Outgoing::dead(kept, queue.clone(), reason, now);
            letters.push(letter.map_err(Failure::NotMoved)?);
        }
        let route = Route {
            exchange: self.dead_exchange.clone(),
            unrouted: Unrouted::Fails,
        };
        let confirms = self.publishers.publish(&route, &letters).await?;
        match confirms.iter().find(|confirm| **confirm != Confirm::Stored) {
            Some(confirm) => Err(Failure::NotMoved(format!("{confirm:?}")).into()),
            None => Ok(()),
        }
    }

    async fn acknowledge(&self, done: &HashSet<u64>) -> Result<(), Failure> {
        let (up_to, single) = {
            let mut received = self.intake.received();
            let up_to = received.settled_up_to(done);
            received.unsettled.retain(|tag, _| !done.contains(tag));
            let single = done.iter().copied().filter(|tag| Some(*tag) > up_to);
            (up_to, single.collect::<Vec<_>>())
        };
        let channel = &self.intake.channel;
        let ack = |tag, multiple| channel.basic_ack(tag, BasicAckOptions { multiple }).boxed();
        let acks = up_to.map(|tag| ack(tag, true)).into_iter();
        let acks = acks.chain(single.into_iter().map(|tag| ack(tag, false)));
        within(OPERATION_LIMIT, futures::future::try_join_all(acks)).await?;
        Ok(())
    }
}

impl Deliveries for QueueDeliveries {
    fn next(&mut self, limit: usize) -> BoxFuture<'_, Result<Vec<Delivery>, BrokerError>> {
        Box::pin(async move { Ok(self.intake.next(limit).await?) })
    }

    fn settle(&mut self, settled: Vec<Settled>) -> BoxFuture<'_, Result<(), BrokerError>> {
        Box::pin(self.settle_all(settled))
    }
}

/// Opens a consumer. When the queue is gone it is declared again, for the next attempt.
pub(super) async fn consume(
    session: Arc<Session>,
    plan: &Plan,
    queue: &Queue,
    prefetch: u16,
) -> Result<Intake, BrokerError> {
    let name = plan.names.queue(queue);
    let failure = match Intake::open(Arc::clone(&session), name, prefetch).await {
        Ok(intake) => return Ok(intake),
        Err(failure) => failure,
    };
    if failure.is_not_found() {
        plan.declare(&session, &plan.topology()).await?;
    }
    Err(failure.into())
}
