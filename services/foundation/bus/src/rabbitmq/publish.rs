//! Publishing with a window of confirms.
//!
//! Messages of a window are sent without waiting for each other; all are confirmed before the next window begins. Confirms come
//! grouped and in any order, and lapin hangs a returned message on whichever confirm comes next, so what was returned is told by
//! its message id. When the connection or the channel is lost, nothing of the window counts as stored: it is published again
//! under the same ids.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use futures::future::maybe_done;
use lapin::{
    Channel, Confirmation,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    protocol::AMQPSoftError,
};
use tokio::sync::Mutex as AsyncMutex;

use super::{
    declare::{Plan, short},
    failure::{Failure, OPERATION_LIMIT, within},
    link::{Link, Session},
    message::Outgoing,
};
use crate::broker::{BrokerError, Confirm};

/// How long the confirms of a window may take.
const CONFIRM_LIMIT: Duration = Duration::from_secs(15);
/// Messages of a window.
const WINDOW_MESSAGES: usize = 1_024;
/// Bytes of a window, above which it ends with the message that it has.
const WINDOW_BYTES: usize = 8 * 1024 * 1024;

/// Where messages go.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The exchange; empty for the one that leads to queues by their names.
    pub(super) exchange: String,
    /// What becomes of a message that reaches no queue.
    pub(super) unrouted: Unrouted,
}

/// What becomes of a message that reaches no queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unrouted {
    /// It is a failure.
    Fails,
    /// It may be lost, because nobody reads the stream.
    IsLost,
}

/// Publishes on one channel an exchange, so that a channel which the broker closes stops nobody else.
pub(super) struct Publishers {
    link: Link,
    plan: Arc<Plan>,
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
}

/// The channel of an exchange, when there is one. One window at a time.
type Lane = AsyncMutex<Option<Open>>;

struct Open {
    session: Arc<Session>,
    channel: Channel,
}

/// Why a window was not confirmed.
enum Unconfirmed {
    /// The broker closed the channel because of a message in it.
    Rejected(String),
    Broker(BrokerError),
}

// === impl Publishers ===

impl Publishers {
    pub(super) fn new(link: Link, plan: Arc<Plan>) -> Self {
        Self {
            link,
            plan,
            lanes: Mutex::default(),
        }
    }

    /// Publishes messages; answers are in their order.
    pub(super) async fn publish(
        &self,
        route: &Route,
        messages: &[Outgoing<'_>],
    ) -> Result<Vec<Confirm>, BrokerError> {
        let lane = self.lane(&route.exchange);
        let mut lane = lane.lock().await;
        let mut confirms = Vec::with_capacity(messages.len());
        let mut rest = messages;
        while !rest.is_empty() {
            let (window, behind) = rest.split_at(window_length(rest));
            rest = behind;
            match self.attempt(&mut lane, route, window).await {
                Ok(confirmed) => confirms.extend(confirmed),
                Err(Unconfirmed::Broker(error)) => return Err(error),
                Err(Unconfirmed::Rejected(_)) => {
                    confirms.extend(self.one_by_one(&mut lane, route, window).await?);
                }
            }
        }
        Ok(confirms)
    }

    /// Finds out which message it is that the broker closes the channel for.
    async fn one_by_one(
        &self,
        lane: &mut Option<Open>,
        route: &Route,
        window: &[Outgoing<'_>],
    ) -> Result<Vec<Confirm>, BrokerError> {
        let mut confirms = Vec::with_capacity(window.len());
        for message in window.chunks(1) {
            match self.attempt(lane, route, message).await {
                Ok(confirmed) => confirms.extend(confirmed),
                Err(Unconfirmed::Broker(error)) => return Err(error),
                Err(Unconfirmed::Rejected(reason)) => confirms.push(Confirm::Refused { reason }),
            }
        }
        Ok(confirms)
    }

    async fn attempt(
        &self,
        lane: &mut Option<Open>,
        route: &Route,
        window: &[Outgoing<'_>],
    ) -> Result<Vec<Confirm>, Unconfirmed> {
        // Taken out, so that a channel with unanswered messages is not used again.
        let open = self.open(lane.take()).await.map_err(Unconfirmed::Broker)?;
        let session = Arc::clone(&open.session);
        let confirming = within(CONFIRM_LIMIT, send(&open.channel, route, window));
        let confirmed = tokio::select! {
            confirmed = confirming => confirmed,
            () = session.ended().cancelled() => Err(Failure::Lost),
        };
        let failure = match confirmed {
            Ok(confirms) => {
                *lane = Some(open);
                return Ok(confirms);
            }
            Err(failure) => failure,
        };
        if matches!(failure, Failure::TimedOut(_)) && !session.is_blocked() {
            session.end();
        }
        if failure.is_not_found() {
            // Somebody deleted the exchange. The next attempt finds it again, or fails for what keeps it away.
            let topology = self.plan.topology();
            let declared = self.plan.declare(&session, &topology).await;
            declared.map_err(Unconfirmed::Broker)?;
        }
        Err(match failure.soft() {
            Some((AMQPSoftError::PRECONDITIONFAILED, reason)) => Unconfirmed::Rejected(reason),
            _ => Unconfirmed::Broker(failure.into()),
        })
    }

    async fn open(&self, open: Option<Open>) -> Result<Open, BrokerError> {
        let session = self.link.session().await?;
        // Nothing is written during an alarm, so what is sent now would only pile up.
        if session.is_blocked() {
            return Err(Failure::Blocked.into());
        }
        if let Some(open) = open
            && Arc::ptr_eq(&open.session, &session)
            && open.channel.status().connected()
        {
            return Ok(open);
        }
        let channel = session.channel().await?;
        let selected = channel.confirm_select(ConfirmSelectOptions::default());
        within(OPERATION_LIMIT, selected).await?;
        Ok(Open { session, channel })
    }

    fn lane(&self, exchange: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(exchange.to_owned()).or_default())
    }
}

/// Sends a window and waits for all confirms.
async fn send(
    channel: &Channel,
    route: &Route,
    window: &[Outgoing<'_>],
) -> lapin::Result<Vec<Confirm>> {
    let options = BasicPublishOptions {
        mandatory: route.unrouted == Unrouted::Fails,
        ..BasicPublishOptions::default()
    };
    let mut sending = Vec::with_capacity(window.len());
    for message in window {
        let mut publish = Box::pin(maybe_done(channel.basic_publish(
            short(&route.exchange),
            message.routing_key.clone(),
            options,
            &message.body,
            message.properties.clone(),
        )));
        // The first poll puts the message into the line, so their order is that of the window.
        match futures::poll!(publish.as_mut()) {
            Poll::Ready(()) | Poll::Pending => sending.push(publish),
        }
    }
    let mut failure: Option<lapin::Error> = None;
    let mut fail = |error: lapin::Error| {
        // What the broker said explains what the library says afterwards.
        if failure.is_none() || error.is_amqp_error() {
            failure = Some(error);
        }
    };
    let mut pending = Vec::with_capacity(sending.len());
    for mut publish in sending {
        publish.as_mut().await;
        match publish.as_mut().take_output() {
            Some(Ok(confirm)) => pending.push(confirm),
            Some(Err(error)) => fail(error),
            None => {}
        }
    }
    let (mut confirms, mut returned) = (Vec::with_capacity(window.len()), HashSet::new());
    for confirm in pending {
        let (confirm, message) = match confirm.await {
            Ok(Confirmation::Ack(message)) => (Confirm::Stored, message),
            Ok(Confirmation::Nack(message)) => (refused("RabbitMQ did not store it"), message),
            Ok(Confirmation::NotRequested) => (refused("RabbitMQ confirms nothing"), None),
            Err(error) => {
                fail(error);
                continue;
            }
        };
        confirms.push(confirm);
        returned.extend(message.and_then(|message| returned_id(&message)));
    }
    if let Some(error) = failure {
        return Err(error);
    }
    for (confirm, message) in confirms.iter_mut().zip(window) {
        if message.id().is_some_and(|id| returned.contains(id)) {
            *confirm = Confirm::Unroutable;
        }
    }
    Ok(confirms)
}

fn refused(reason: &str) -> Confirm {
    Confirm::Refused {
        reason: reason.to_owned(),
    }
}

fn returned_id(message: &BasicReturnMessage) -> Option<String> {
    let id = message.properties.message_id().as_ref();
    id.map(ToString::to_string)
}

/// How many of these messages, at least one, are in the next window.
fn window_length(messages: &[Outgoing<'_>]) -> usize {
    let mut bytes = 0;
    let fitting = messages.iter().take(WINDOW_MESSAGES).take_while(|message| {
        let fits = bytes < WINDOW_BYTES;
        bytes += message.body.len();
        fits
    });
    fitting.count().max(1)
}
