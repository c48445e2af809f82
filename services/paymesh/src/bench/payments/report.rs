//! The figures, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::{
    Arguments,
    books::Verdict,
    load::{Outcome, Sent, by_status},
};

/// Around the lines of the table in a Markdown file.
const BEGIN: &str = "<!-- bench payments: begin -->";
const END: &str = "<!-- bench payments: end -->";
const HEADER: &str = "| commit | mode | cores | asked/s | seconds | answered/s | p50 ms | p90 ms | p99 ms | max ms | completed | declined | failed | shed | balanced | CPU s, most first |\n| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --- | --- |";

/// What one run showed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    commit: String,
    mode: String,
    cores: usize,
    rate: u32,
    seconds: u32,
    payments: u64,
    payments_per_second: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    max_ms: f64,
    completed: u64,
    declined: u64,
    failed: u64,
    shed: u64,
    balanced: bool,
    statuses: BTreeMap<String, u64>,
    cpu_seconds: Vec<(String, f64)>,
    detail: String,
}

// === impl Report ===

impl Report {
    pub(super) fn new(
        arguments: &Arguments,
        outcome: &Outcome,
        settled: &[Sent],
        verdict: &Verdict,
        cpu: &[(String, f64)],
    ) -> Self {
        let statuses = by_status(settled);
        let count = |name: &str| statuses.get(name).copied().unwrap_or_default();
        let quantile = |of: f64| milliseconds(outcome.times.value_at_quantile(of));
        Self {
            commit: commit(),
            mode: arguments.mode.clone(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            rate: arguments.rate,
            seconds: arguments.seconds,
            payments: outcome.measured,
            payments_per_second: round(float(outcome.measured) / outcome.elapsed.as_secs_f64()),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
            max_ms: milliseconds(outcome.times.max()),
            completed: count("completed"),
            declined: count("declined"),
            failed: u64::try_from(
                settled
                    .iter()
                    .filter(|sent| sent.is_failure || sent.status == "failed")
                    .count(),
            )
            .unwrap_or(u64::MAX),
            shed: outcome.shed,
            balanced: verdict.is_balanced,
            statuses: statuses
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect(),
            cpu_seconds: cpu
                .iter()
                .map(|(name, seconds)| (name.clone(), round(*seconds)))
                .collect(),
            detail: verdict.detail.clone(),
        }
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{} payments/s asked for {} s on {} cores, {}\n  answered    {:.1}/s, shed {}\n  time        p50 {} ms, p90 {} ms, p99 {} ms, max {} ms\n  books       {}\n",
            self.rate,
            self.seconds,
            self.cores,
            self.mode,
            self.payments_per_second,
            self.shed,
            self.p50_ms,
            self.p90_ms,
            self.p99_ms,
            self.max_ms,
            if self.balanced {
                "agree with the answers to the cent"
            } else {
                self.detail.as_str()
            },
        );
        for (status, count) in &self.statuses {
            writeln!(text, "  {status:<24} {count:>8}").ok();
        }
        text.push_str("  CPU seconds\n");
        for (program, seconds) in &self.cpu_seconds {
            writeln!(text, "  {program:<24} {seconds:>8.2}").ok();
        }
        text
    }

    /// Puts a line in the table of a Markdown file, in the place of an earlier one of the same mode and rate.
    ///
    /// # Errors
    /// When the file cannot be read or written, or has no place for a table.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        let (head, rest) = text
            .split_once(BEGIN)
            .with_context(|| format!("{} has no line {BEGIN}", file.display()))?;
        let (table, tail) = rest
            .split_once(END)
            .with_context(|| format!("{} has no line {END}", file.display()))?;
        let same = format!(
            "| {} | {} | {} | {} |",
            self.mode, self.cores, self.rate, self.seconds
        );
        let kept = table
            .trim()
            .lines()
            .skip(2)
            .filter(|line| !line.contains(&same));
        let mut lines: Vec<String> = kept.map(ToOwned::to_owned).collect();
        lines.push(self.line());
        fs::write(
            file,
            format!(
                "{head}{BEGIN}\n\n{HEADER}\n{}\n\n{END}{tail}",
                lines.join("\n")
            ),
        )?;
        Ok(())
    }

    fn line(&self) -> String {
        let cpu: Vec<String> = self
            .cpu_seconds
            .iter()
            .take(5)
            .map(|(name, seconds)| format!("{name} {seconds:.0}"))
            .collect();
        format!(
            "| {} | {} | {} | {} | {} | {:.1} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            self.commit,
            self.mode,
            self.cores,
            self.rate,
            self.seconds,
            self.payments_per_second,
            self.p50_ms,
            self.p90_ms,
            self.p99_ms,
            self.max_ms,
            self.completed,
            self.declined,
            self.failed,
            self.shed,
            if self.balanced { "yes" } else { "no" },
            cpu.join(", "),
        )
    }
}

/// The commit that is measured, when it is measured in its repository.
fn commit() -> String {
    let output = Command::new("git")
        .args(["rev-parse", "--short", "HEAD"])
        .output();
    let text = output
        .ok()
        .filter(|output| output.status.success())
        .map(|output| output.stdout);
    text.map_or_else(
        || "unknown".to_owned(),
        |text| String::from_utf8_lossy(&text).trim().to_owned(),
    )
}

fn milliseconds(us: u64) -> f64 {
    round(float(us) / 1_000.0)
}

/// To two places.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Counts and times of a run are far below 2^52.
fn float(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::INFINITY, f64::from)
}
