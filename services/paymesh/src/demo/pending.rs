//! Whether every event has had its effects.

use std::time::{Duration, Instant};

use anyhow::Result;
use paymesh_bus::Bus;
use paymesh_chassis::Secret;

use crate::rest::Rest;

/// How long the effects of the last payments may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PACE: Duration = Duration::from_millis(100);
/// How often nothing must be seen under way: between two components an event may be in neither's count.
const CALM_LOOKS: u32 = 3;
/// Metrics that count events on their way.
const METRICS: [&str; 2] = ["paymesh_outbox_rows", "paymesh_inbox_waiting"];

/// Where it can be seen.
#[derive(Debug)]
pub(super) enum Source {
    /// In this process.
    Bus(Bus),
    /// At the metrics of each process of the platform.
    Metrics(Vec<Rest>),
}

// === impl Source ===

impl Source {
    /// The metrics at these addresses.
    ///
    /// # Errors
    /// When the HTTP library cannot start.
    pub(super) fn of_metrics(urls: &[String]) -> Result<Self> {
        let clients = urls.iter().map(|url| Rest::try_new(url, Secret::default()));
        Ok(Self::Metrics(clients.collect::<Result<_>>()?))
    }

    /// Waits until nothing is under way; gives what was under way at last, or None when nobody can see it.
    ///
    /// # Errors
    /// When the place does not answer.
    pub(super) async fn settle(&self) -> Result<Option<u64>> {
        let until = Instant::now() + PATIENCE;
        let mut calm = 0;
        loop {
            let Some(pending) = self.look().await? else {
                return Ok(None);
            };
            calm = if pending == 0 { calm + 1 } else { 0 };
            if calm >= CALM_LOOKS || Instant::now() > until {
                return Ok(Some(pending));
            }
            tokio::time::sleep(PACE).await;
        }
    }

    async fn look(&self) -> Result<Option<u64>> {
        match self {
            Self::Bus(bus) => Ok(Some(bus.pending().await?.total())),
            Self::Metrics(clients) if clients.is_empty() => Ok(None),
            Self::Metrics(clients) => {
                let mut sum = 0;
                for client in clients {
                    sum += counted(&client.get("/metrics").await?.text);
                }
                Ok(Some(sum))
            }
        }
    }
}

/// Events that metrics in Prometheus' form say are on their way.
fn counted(metrics: &str) -> u64 {
    metrics
        .lines()
        .filter(|line| {
            METRICS.iter().any(|name| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['{', ' ']))
            })
        })
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_added_over_components_and_states() {
        let metrics = "# HELP paymesh_outbox_rows Rows\n\
            paymesh_outbox_rows{component=\"account\"} 3\n\
            paymesh_outbox_rows{component=\"risk\"} 0\n\
            paymesh_inbox_waiting{queue=\"risk.payment.v1\",state=\"gap\"} 2\n\
            paymesh_outbox_rows_other 9\n";
        assert_eq!(counted(metrics), 5);
    }
}
