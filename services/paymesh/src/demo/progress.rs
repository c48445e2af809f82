//! What a person sees while it runs: lines on standard error.

use std::{
    io::{IsTerminal as _, Write as _},
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::Result;
use futures::{Stream, StreamExt as _};

/// Time between two lines about the same thing: on a terminal, where a line replaces the one before, and elsewhere.
const TERMINAL_PACE: Duration = Duration::from_millis(100);
const FILE_PACE: Duration = Duration::from_secs(5);

/// Writes progress.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
}

/// Something counted, that is shown now and then.
#[derive(Debug)]
pub(super) struct Counter<'a> {
    progress: &'a Progress,
    shown_at: Instant,
}

// === impl Progress ===

impl Progress {
    /// To standard error.
    pub(super) fn new() -> Self {
        Self {
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Something is done.
    pub(super) fn done(&self, what: &str, since: Instant) {
        let seconds = since.elapsed().as_secs_f64();
        self.line(&format!("  {what} ({seconds:.1} s)"));
    }

    /// Something worth a line.
    pub(super) fn line(&self, text: &str) {
        let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
        writeln!(std::io::stderr(), "{clear}{text}").ok();
    }

    /// A counter.
    pub(super) fn counter(&self) -> Counter<'_> {
        Counter {
            progress: self,
            shown_at: Instant::now(),
        }
    }

    /// Collects what a stream gives and shows how many of `count` are there.
    ///
    /// # Errors
    /// The first error of the stream.
    pub(super) async fn counted<T>(
        &self,
        what: &str,
        count: usize,
        items: impl Stream<Item = Result<T>>,
    ) -> Result<Vec<T>> {
        let mut items = pin!(items);
        let mut counter = self.counter();
        let mut all = Vec::with_capacity(count);
        while let Some(item) = items.next().await {
            all.push(item?);
            counter.show(|| format!("  {} of {count} {what}", all.len()));
        }
        Ok(all)
    }
}

// === impl Counter ===

impl Counter<'_> {
    /// Shows a line when the last one is long enough ago.
    pub(super) fn show(&mut self, text: impl FnOnce() -> String) {
        let (pace, before, after) = if self.progress.is_terminal {
            (TERMINAL_PACE, "\r\x1b[K", "")
        } else {
            (FILE_PACE, "", "\n")
        };
        if self.shown_at.elapsed() >= pace {
            self.shown_at = Instant::now();
            let mut out = std::io::stderr();
            write!(out, "{before}{}{after}", text()).ok();
            out.flush().ok();
        }
    }
}
