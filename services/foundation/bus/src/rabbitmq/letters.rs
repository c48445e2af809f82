//! Dead letters: looking at them, putting them back, dropping them.
//!
//! They are looked at by taking them out of their queue without acknowledging them, so for a moment nobody else sees them.

use std::collections::BTreeSet;

use lapin::{
    Channel,
    message::BasicGetMessage,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions, QueuePurgeOptions},
};

use super::{
    declare::short,
    deliveries::ready_in,
    failure::{Failure, OPERATION_LIMIT, within},
    link::Session,
    message::{Outgoing, Raw},
    publish::{Publishers, Route, Unrouted},
};
use crate::broker::{BrokerError, Confirm, DeadLetter, Selection};

/// Dead letters listed at once.
const MAX_LISTED: usize = 1_000;
/// Dead letters among which one is searched.
const MAX_SEARCHED: usize = 10_000;
/// Dead letters moved at once.
const BATCH: usize = 32;

/// What becomes of chosen dead letters.
#[derive(Clone, Copy)]
pub(super) enum Action<'a> {
    /// They go back to this queue.
    Replay {
        publishers: &'a Publishers,
        queue: &'a str,
    },
    /// They are dropped.
    Purge,
}

/// The dead letters of one queue, on a channel of their own. Closing it puts back what was only looked at.
pub(super) struct Letters {
    channel: Channel,
    dead_queue: String,
    /// Taken and not acknowledged.
    held: BTreeSet<u64>,
}

// === impl Letters ===

impl Letters {
    pub(super) async fn open(session: &Session, dead_queue: String) -> Result<Self, Failure> {
        Ok(Self {
            channel: session.channel().await?,
            dead_queue,
            held: BTreeSet::new(),
        })
    }

    /// The first dead letters.
    pub(super) async fn list(mut self, limit: usize) -> Result<Vec<DeadLetter>, BrokerError> {
        let mut letters = Vec::new();
        while letters.len() < limit.min(MAX_LISTED)
            && let Some(message) = self.get().await?
        {
            letters.push(Raw::of(message.delivery).into_letter());
        }
        self.put_back().await?;
        Ok(letters)
    }

    /// Does it to the chosen ones among those that are there now; says how many.
    pub(super) async fn apply(
        mut self,
        action: Action<'_>,
        selection: Selection,
    ) -> Result<usize, BrokerError> {
        let there = ready_in(&self.channel, &self.dead_queue).await?;
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let (wanted, limit) = match (selection, action) {
            (Selection::All, Action::Purge) => return Ok(self.purge_all().await?),
            (Selection::All, Action::Replay { .. }) => (None, there),
            (Selection::Event(id), _) => (Some(id.to_string()), there.min(MAX_SEARCHED)),
        };
        let (mut done, mut chosen) = (0, Vec::new());
        for _ in 0..limit {
            let Some(message) = self.get().await? else {
                break;
            };
            let tag = message.delivery.delivery_tag;
            let raw = Raw::of(message.delivery);
            if wanted.as_ref().is_none_or(|id| raw.has_id(id)) {
                chosen.push((tag, raw));
            }
            if chosen.len() >= BATCH {
                done += self.finish(action, std::mem::take(&mut chosen)).await?;
            }
        }
        done += self.finish(action, chosen).await?;
        self.put_back().await?;
        Ok(done)
    }

    async fn purge_all(&self) -> Result<usize, Failure> {
        let purged = self
            .channel
            .queue_purge(short(&self.dead_queue), QueuePurgeOptions::default());
        let count = within(OPERATION_LIMIT, purged).await?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    async fn finish(
        &mut self,
        action: Action<'_>,
        chosen: Vec<(u64, Raw)>,
    ) -> Result<usize, BrokerError> {
        let (tags, raws): (Vec<u64>, Vec<Raw>) = chosen.into_iter().unzip();
        let confirms = match action {
            Action::Purge => vec![Confirm::Stored; tags.len()],
            Action::Replay { publishers, queue } => {
                let again = raws
                    .into_iter()
                    .map(|raw| Outgoing::again(raw, short(queue)));
                let again: Vec<_> = again.collect();
                let route = Route {
                    exchange: String::new(),
                    unrouted: Unrouted::Fails,
                };
                publishers.publish(&route, &again).await?
            }
        };
        let mut done = 0;
        for (tag, confirm) in tags.into_iter().zip(confirms) {
            if confirm != Confirm::Stored {
                return Err(Failure::NotMoved(format!("{confirm:?}")).into());
            }
            let acked = self.channel.basic_ack(tag, BasicAckOptions::default());
            within(OPERATION_LIMIT, acked).await?;
            self.held.remove(&tag);
            done += 1;
        }
        Ok(done)
    }

    async fn get(&mut self) -> Result<Option<BasicGetMessage>, Failure> {
        let got = self
            .channel
            .basic_get(short(&self.dead_queue), BasicGetOptions::default());
        let message = within(OPERATION_LIMIT, got).await?;
        if let Some(message) = &message {
            self.held.insert(message.delivery.delivery_tag);
        }
        Ok(message)
    }

    /// Gives back what was taken and not acknowledged, without counting it as a failure where the broker knows the difference.
    async fn put_back(&self) -> Result<(), Failure> {
        // The tag has to be one that is held.
        if let Some(last) = self.held.last() {
            let options = BasicNackOptions {
                multiple: true,
                requeue: true,
            };
            let returned = self.channel.basic_nack(*last, options);
            within(OPERATION_LIMIT, returned).await?;
        }
        within(OPERATION_LIMIT, self.channel.close(200, short("done"))).await
    }
}
