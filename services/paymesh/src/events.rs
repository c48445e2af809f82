//! What an operator asks of the bus: what is under way, what died, and what becomes of it.
//!
//! It speaks to the databases and to the broker, not to the processes. The embedded broker belongs to its process alone, so all in
//! one this works while the platform is stopped.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use paymesh_bus::{Bus, Queue, Selection, Tailed};
use paymesh_kernel::id::EventId;

use crate::{
    cli::say,
    process::{self, STOP_GRACE, block_on},
    wiring::{self, Config, Share},
};

/// Dead letters that are shown at most.
const MAX_SHOWN: usize = 1_000;

/// What is asked for.
#[derive(Clone, Debug, Subcommand)]
pub enum Action {
    /// Shows what is under way: outboxes, queues, retries, dead letters.
    Pending,
    /// Shows the dead letters of a queue.
    Dead {
        /// Its name, such as `reporting.transaction.v1`.
        queue: Queue,
    },
    /// Has dead letters handled again.
    Replay {
        /// Its name, such as `reporting.transaction.v1`.
        queue: Queue,
        /// One event; all without it.
        #[arg(long)]
        event: Option<EventId>,
    },
    /// Gives dead letters up: what waits behind them goes on without their effect.
    Purge {
        /// Its name, such as `reporting.transaction.v1`.
        queue: Queue,
        /// One event; all without it.
        #[arg(long)]
        event: Option<EventId>,
    },
    /// Follows a stream from now on: kind, aggregate and sequence, never payloads.
    Tail {
        /// A component's name.
        stream: String,
    },
}

/// Does it.
///
/// # Errors
/// When a database or the broker does not answer, or the queue is none.
pub fn run(config: &Config, action: Action) -> Result<()> {
    let mut config = config.clone();
    let folder = config.process.data_dir.clone();
    let _lock = if config.process.broker.url.is_empty() {
        Some(process::lock(&folder)?)
    } else {
        None
    };
    if config.process.broker.url.is_empty() {
        config.use_files_in(&folder);
    }
    block_on(async {
        let share = Share::of_a_process();
        let tasks = share.tasks.clone();
        let bus = wiring::bus(&config, share).await?;
        wiring::observe(&config, &bus).await?;
        let done = tokio::select! {
            done = answer(&bus, action) => done,
            () = process::signalled() => Ok(()),
        };
        tasks.stop(STOP_GRACE).await;
        done
    })
}

async fn answer(bus: &Bus, action: Action) -> Result<()> {
    match action {
        Action::Pending => {
            let pending = bus.pending().await?;
            for (component, depth) in &pending.outboxes {
                say(&format!("{component:<34} outbox {:>8}", depth.unsent));
            }
            for (queue, depth) in &pending.queues {
                let dead = depth.broker.dead.saturating_add(depth.inbox.dead);
                let name = queue.to_string();
                say(&format!(
                    "{name:<34} waiting {:>7}  gaps {:>5}  retries {:>5}  dead {dead:>5}",
                    depth.broker.waiting, depth.inbox.gaps, depth.inbox.retries
                ));
            }
            say(&format!("{} pending", pending.total()));
        }
        Action::Dead { queue } => {
            let letters = bus.dead_letters(&queue, MAX_SHOWN).await?;
            for letter in &letters {
                let what = letter.event.as_ref().map_or_else(
                    |_| "not an event".to_owned(),
                    |event| {
                        format!(
                            "{} {} {} #{}",
                            event.id, event.kind, event.aggregate_id, event.sequence
                        )
                    },
                );
                say(&format!("{what}: {}", letter.reason));
            }
            say(&format!("{} dead", letters.len()));
        }
        Action::Replay { queue, event } => {
            say(&format!(
                "{} will be handled again",
                bus.replay(&queue, selection(event)).await?
            ));
        }
        Action::Purge { queue, event } => {
            say(&format!(
                "{} given up",
                bus.purge(&queue, selection(event)).await?
            ));
        }
        Action::Tail { stream } => {
            let mut tail = bus
                .tail(&stream)
                .await
                .context("only streams of components can be followed")?;
            while let Some(next) = tail.next().await {
                match next {
                    Tailed::Event(event) => say(&format!(
                        "{} {} {} {} #{}",
                        event.occurred_at,
                        event.kind,
                        event.aggregate_type,
                        event.aggregate_id,
                        event.sequence
                    )),
                    Tailed::Missed(count) => say(&format!("… {count} left out")),
                }
            }
        }
    }
    Ok(())
}

fn selection(event: Option<EventId>) -> Selection {
    event.map_or(Selection::All, Selection::Event)
}
