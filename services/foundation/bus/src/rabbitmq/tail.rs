//! Watching a stream: an exclusive queue that is gone with its connection.
//!
//! A task takes what arrives at once, so that the broker keeps nothing for a slow watcher; who lags is told how much was missed.
//! When the connection is lost, what happened until the next one is missed, too, and nobody knows how much.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, future::BoxFuture};
use lapin::{
    Channel, Consumer,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};
use paymesh_kernel::{Ids, backoff::Backoff, error::chain};
use tokio::sync::broadcast;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    declare::short,
    failure::{Failure, OPERATION_LIMIT, within},
    link::{Link, Session},
    message::Raw,
};
use crate::broker::{BrokerError, Tail, TailSource, Tailed};

/// Events that a slow watcher may lag behind.
const TAIL_EVENTS: usize = 1_024;
/// Messages that the broker keeps for a process that does not take them.
const QUEUE_MESSAGES: i32 = 10_000;
/// Messages on their way to us at once.
const PREFETCH: u16 = 256;
/// Waits while the broker is away.
const OUTAGE: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));

/// Follows one exchange.
pub(super) struct Follower {
    pub(super) link: Link,
    pub(super) exchange: String,
    pub(super) ids: Ids,
    pub(super) stop: CancellationToken,
}

/// A consumer of the exclusive queue.
struct Watch {
    session: Arc<Session>,
    channel: Channel,
    consumer: Consumer,
}

struct Watched {
    events: broadcast::Receiver<Tailed>,
    /// Ends the task when the watcher goes.
    _guard: DropGuard,
}

// === impl Follower ===

impl Follower {
    /// The tail, and the task that fills it. The queue exists when this returns.
    pub(super) async fn start(self) -> Result<(Tail, impl Future<Output = ()>), BrokerError> {
        let watch = self.watch().await?;
        let gone = self.stop.child_token();
        let (sender, events) = broadcast::channel(TAIL_EVENTS);
        let tail = Tail::new(Watched {
            events,
            _guard: gone.clone().drop_guard(),
        });
        let task = async move {
            tokio::select! {
                () = gone.cancelled() => {}
                () = self.follow(watch, sender) => {}
            }
        };
        Ok((tail, task))
    }

    async fn follow(self, mut watch: Watch, sender: broadcast::Sender<Tailed>) {
        let mut failures = 0;
        loop {
            let failure = watch.pass_on(&sender).await;
            tracing::debug!(
                exchange = self.exchange,
                error = chain(&failure),
                "a watcher is cut off"
            );
            watch = loop {
                failures += 1;
                tokio::time::sleep(OUTAGE.wait(failures, self.ids.entropy())).await;
                if let Ok(watch) = self.watch().await {
                    failures = 0;
                    break watch;
                }
            };
            sender.send(Tailed::Missed(0)).ok();
        }
    }

    async fn watch(&self) -> Result<Watch, BrokerError> {
        let session = self.link.session().await?;
        let channel = session.channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-max-length".into(), AMQPValue::LongInt(QUEUE_MESSAGES));
        let declared =
            channel.queue_declare(short(""), QueueDeclareOptions::exclusive(), arguments);
        let queue = within(OPERATION_LIMIT, declared).await?.name().clone();
        let bound = channel.queue_bind(
            queue.clone(),
            short(&self.exchange),
            short("#"),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within(OPERATION_LIMIT, bound).await?;
        let limited = channel.basic_qos(PREFETCH, BasicQosOptions::default());
        within(OPERATION_LIMIT, limited).await?;
        let options = BasicConsumeOptions::default();
        let consumer = channel.basic_consume(queue, short(""), options, FieldTable::default());
        Ok(Watch {
            consumer: within(OPERATION_LIMIT, consumer).await?,
            session,
            channel,
        })
    }
}

// === impl Watch ===

impl Watch {
    /// Passes on what comes until nothing more comes.
    async fn pass_on(&mut self, sender: &broadcast::Sender<Tailed>) -> Failure {
        let mut batches = (&mut self.consumer).ready_chunks(usize::from(PREFETCH));
        loop {
            let batch = tokio::select! {
                batch = batches.next() => batch,
                () = self.session.ended().cancelled() => return Failure::Lost,
            };
            let mut last = None;
            for delivery in batch.into_iter().flatten() {
                match delivery {
                    Ok(delivery) => {
                        last = Some(delivery.delivery_tag);
                        if let Ok(event) = Raw::of(delivery).into_event() {
                            sender.send(Tailed::Event(Arc::new(event))).ok();
                        }
                    }
                    Err(error) => return error.into(),
                }
            }
            let Some(last) = last else {
                return Failure::Canceled;
            };
            let acked = self
                .channel
                .basic_ack(last, BasicAckOptions { multiple: true });
            if let Err(failure) = within(OPERATION_LIMIT, acked).await {
                return failure;
            }
        }
    }
}

// === impl Watched ===

impl TailSource for Watched {
    fn next(&mut self) -> BoxFuture<'_, Option<Tailed>> {
        Box::pin(async move {
            match self.events.recv().await {
                Ok(tailed) => Some(tailed),
                Err(broadcast::error::RecvError::Lagged(missed)) => Some(Tailed::Missed(missed)),
                Err(broadcast::error::RecvError::Closed) => None,
            }
        })
    }
}
