//! The whole of it, in order: simulate, prepare, play, wait, check, add up.

use std::{collections::BTreeSet, path::Path, time::Instant};

use anyhow::{Context as _, Result, ensure};
use paymesh_kernel::{Clock as _, Ids, SystemClock, Timestamp};

use super::{
    check::{self, Books, Charges, Check},
    close::{self, Closing, Counterparts},
    disputes,
    handbook::{Settings, simulate},
    log::Log,
    pending,
    plan::Plan,
    player::{Day, Player},
    prepare::{Preparation, Prepared, moment},
    progress::Progress,
    start_of,
    summary::Summary,
    world::World,
};
use crate::rest::{Rest, run_name, text_at};

/// What to play.
#[derive(Clone, Debug)]
pub(super) struct Play {
    pub(super) settings: Settings,
    pub(super) day: u16,
    pub(super) history: u16,
    pub(super) seed: u64,
    pub(super) concurrency: usize,
}

/// Where to play.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) rest: Rest,
    /// A sandbox: only there requests may bring a business time.
    pub(super) tenant: String,
    pub(super) provider: Option<Rest>,
    pub(super) bank: Option<Rest>,
    pub(super) pending: pending::Source,
    pub(super) ids: Ids,
}

// === impl Play ===

impl Play {
    /// Plays it.
    ///
    /// # Errors
    /// When the platform refuses what it must not, or does not answer.
    pub(super) async fn run(&self, target: &Target, log: &Path) -> Result<Summary> {
        let progress = Progress::new();
        let mut log = Log::create(log)?;
        let (started, started_at) = (Instant::now(), SystemClock.now());
        let settings = self.settings.clone();
        let dataset = tokio::task::spawn_blocking(move || simulate(&settings)).await?;
        let world = World::of(&dataset, self.seed);
        let plan = Plan::of(&dataset, &world, self.day, self.seed);
        let date = date(start_of(&self.settings, self.day));
        progress.done(
            &format!(
                "{date} as the handbook's simulator draws it: {} card payments",
                plan.purchases().count()
            ),
            started,
        );
        let run = format!("demo-{}", run_name());
        let before = Books::read(&target.rest).await?;
        let preparation = Preparation {
            rest: &target.rest,
            dataset: &dataset,
            world: &world,
            plan: &plan,
            run: &run,
            tenant: &target.tenant,
            ids: &target.ids,
            concurrency: self.concurrency,
            history: self.history,
            day: self.day,
        };
        let prepared = preparation.run(&progress).await?;
        let people = (prepared.clone(), world.clone());
        let player = Player::new(target.rest.clone(), people, run.clone());
        let mut day = player
            .play(&plan, self.concurrency, (&mut log, &progress))
            .await?;
        progress.line(&format!(
            "  {} payments played ({:.1} s)",
            day.purchases.len(),
            day.took.as_secs_f64()
        ));
        let evening = Evening {
            target,
            run: &run,
            player: &player,
            progress: &progress,
            people: (&prepared, &world),
            day_start: plan.day_start,
            started_at,
        };
        let mut summary = evening.run(&mut day, &before, &mut log).await?;
        summary.date = date;
        summary.seed = self.seed;
        log.close()?;
        Ok(summary)
    }
}

/// What is done when the last customer went home.
struct Evening<'a> {
    target: &'a Target,
    run: &'a str,
    player: &'a Player,
    progress: &'a Progress,
    people: (&'a Prepared, &'a World),
    day_start: i64,
    /// By the clock.
    started_at: Timestamp,
}

// === impl Evening ===

impl Evening<'_> {
    async fn run(&self, day: &mut Day, before: &Books, log: &mut Log) -> Result<Summary> {
        let started = Instant::now();
        self.player.finish(day, log).await?;
        self.target.pending.settle().await?;
        let rest = &self.target.rest;
        let disputes = disputes::play(rest, self.run, day, log).await?;
        self.target.pending.settle().await?;
        disputes::booked(&disputes, self.player, day, log).await?;
        self.progress.done("everything came to its end", started);
        let started = Instant::now();
        let books = Books::read(rest).await?;
        let charges = Charges {
            of_provider: disputes.fees.clone(),
            of_merchants_minor: self.people.0.chargeback_fee_minor,
        };
        let (mut checks, report_days) = self.checks(day, (before, &books), &charges).await?;
        self.progress.done("looked at from all sides", started);
        let mut summary = Summary::of(day, disputes, (before, &books));
        let started = Instant::now();
        let (closed, found) = self.close(report_days).await?;
        checks.extend(found);
        let is_reconciled = close::is_reconciled(&checks);
        let (night, found) = close::night(rest, before, is_reconciled).await?;
        checks.extend(found);
        let pending = self.target.pending.settle().await?;
        checks.push(match pending {
            Some(pending) => Check::of(
                "every event had its effects",
                pending == 0,
                format!("{pending} pending"),
            ),
            None => Check::not_seen("every event had its effects", "needs --metrics-url"),
        });
        self.progress.done("the day is closed", started);
        summary.ledger_balanced = books.is_balanced() && night.is_balanced();
        summary.settlement = closed;
        summary.checks = checks;
        summary.events_pending = pending;
        Ok(summary)
    }

    async fn close(&self, report_days: BTreeSet<String>) -> Result<(close::Closed, Vec<Check>)> {
        let both = self.target.provider.clone().zip(self.target.bank.clone());
        let counterparts = both.map(|(provider, bank)| Counterparts { provider, bank });
        let (prepared, world) = self.people;
        let closing = Closing {
            rest: &self.target.rest,
            counterparts: counterparts.as_ref(),
            run: self.run,
            world,
            prepared,
            day_start: self.day_start,
            started_at: self.started_at,
            report_days,
        };
        closing.run().await
    }

    async fn checks(
        &self,
        day: &Day,
        (before, after): (&Books, &Books),
        charges: &Charges,
    ) -> Result<(Vec<Check>, BTreeSet<String>)> {
        let mut checks = check::ledger(before, after, day, charges);
        checks.push(check::databases(&self.target.rest, self.run, day).await?);
        let mut report_days = BTreeSet::new();
        match &self.target.provider {
            Some(provider) => {
                let (check, days) = check::provider(provider, day).await?;
                checks.push(check);
                report_days = days;
            }
            None => checks.push(Check::not_seen(
                "the provider's record is the same",
                "needs --provider-url",
            )),
        }
        let open = day.told.values().filter(|told| !told.is_at_rest()).count();
        checks.push(Check::of(
            "every transaction is at its end",
            open == 0,
            format!("{open} are not"),
        ));
        Ok((checks, report_days))
    }
}

// === free functions ===

/// The one tenant that the key can see.
///
/// # Errors
/// When there are several, or it is no sandbox.
pub(super) async fn only_tenant(rest: &Rest) -> Result<String> {
    let body = rest
        .get("/v1/tenants?limit=2")
        .await?
        .good("the tenant of the key")?;
    let tenants = body.get("data").and_then(serde_json::Value::as_array);
    let Some([tenant]) = tenants.map(Vec::as_slice) else {
        anyhow::bail!("the key can see several tenants; say which sandbox it is with --tenant");
    };
    ensure!(
        text_at(tenant, "/mode") == "sandbox",
        "the tenant is no sandbox; only there a day can be played in minutes"
    );
    Some(text_at(tenant, "/id"))
        .filter(|id| !id.is_empty())
        .map(ToOwned::to_owned)
        .context("the tenant has no id")
}

fn date(unix_seconds: i64) -> String {
    let text = moment(unix_seconds).to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}
