//! Plays the plan against REST: bounded in what is under way, what one customer does in order, a reviewer and a card holder's bank
//! at hand.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    log::{Line, Log},
    plan::{Act, Deed, Plan, Purchase},
    prepare::{Customer, Prepared, moment},
    progress::Progress,
    story::Told,
    world::{World, index},
};
use crate::rest::{Answer, Rest, text_at};

/// Acts that may wait for an earlier one of the same customer before no more are looked at.
const MOST_WAITING: usize = 1_000;
/// How long transactions that were not finished at once are asked for.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long one such question waits for the end.
const WAIT_MS: u32 = 5_000;
/// Questions at once.
const QUESTIONS_AT_ONCE: usize = 32;

/// Who plays. Clones share everything.
#[derive(Clone, Debug)]
pub(super) struct Player {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rest: Rest,
    prepared: Prepared,
    world: World,
    run: String,
}

/// A card payment and what the first answer to it was.
#[derive(Clone, Debug)]
pub(super) struct Played {
    pub(super) purchase: Purchase,
    /// `txn_…`; none when the platform refused.
    pub(super) id: Option<String>,
    /// Risk asked for a person.
    pub(super) was_reviewed: bool,
    /// From the request to the first answer, waits for passing errors included.
    pub(super) took: Duration,
}

/// The day as it went.
#[derive(Debug, Default)]
pub(super) struct Day {
    /// The last word on each transaction.
    pub(super) told: HashMap<String, Told>,
    pub(super) purchases: Vec<Played>,
    /// Refunds by state; those of purchases that never were are not asked for.
    pub(super) refunds: HashMap<String, u64>,
    /// What the platform refused or did not answer, in words.
    pub(super) troubles: Vec<String>,
    /// From the first request to the last answer.
    pub(super) took: Duration,
}

/// What came of one act.
struct Done {
    act: Act,
    lines: Vec<Line>,
    told: Option<Told>,
    refund: Option<String>,
    was_reviewed: bool,
    took: Duration,
    trouble: Option<String>,
}

// === impl Day ===

impl Day {
    /// A purchase's transaction, if there is one.
    pub(super) fn of(&self, played: &Played) -> Option<&Told> {
        self.told.get(played.id.as_ref()?)
    }

    fn take(&mut self, done: Done) {
        let id = done.told.as_ref().map(|told| told.id.clone());
        if let Deed::Purchase(purchase) = done.act.deed {
            self.purchases.push(Played {
                purchase,
                id,
                was_reviewed: done.was_reviewed,
                took: done.took,
            });
        }
        if let Some(state) = done.refund {
            *self.refunds.entry(state).or_default() += 1;
        }
        if let Some(told) = done.told {
            self.told.insert(told.id.clone(), told);
        }
        self.troubles.extend(done.trouble);
    }
}

// === impl Player ===

impl Player {
    /// Plays with what was prepared.
    pub(super) fn new(rest: Rest, (prepared, world): (Prepared, World), run: String) -> Self {
        let inner = Inner {
            rest,
            prepared,
            world,
            run,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Plays the whole plan.
    ///
    /// # Errors
    /// When the log cannot be written or a task dies.
    pub(super) async fn play(
        &self,
        plan: &Plan,
        concurrency: usize,
        (log, progress): (&mut Log, &Progress),
    ) -> Result<Day> {
        let started = Instant::now();
        let mut day = Day::default();
        let mut bought: HashMap<usize, String> = HashMap::new();
        let mut busy: HashMap<u32, VecDeque<Act>> = HashMap::new();
        let mut waiting = 0_usize;
        let mut under_way = JoinSet::new();
        let mut acts = plan.acts.iter().copied().peekable();
        let mut counter = progress.counter();
        loop {
            while under_way.len() < concurrency && waiting < MOST_WAITING {
                let Some(act) = acts.next() else { break };
                match busy.entry(act.customer) {
                    Entry::Occupied(mut entry) => {
                        entry.get_mut().push_back(act);
                        waiting += 1;
                    }
                    Entry::Vacant(entry) => {
                        entry.insert(VecDeque::new());
                        under_way.spawn(self.clone().act(act, bought_by(&bought, act)));
                    }
                }
            }
            let Some(done) = under_way.join_next().await else {
                break;
            };
            let done = done.context("a payment was not played to its end")?;
            log.write(&done.lines)?;
            if let (Deed::Purchase(purchase), Some(told)) = (done.act.deed, &done.told) {
                bought.insert(purchase.number, told.id.clone());
            }
            let customer = done.act.customer;
            let at = done.act.at;
            day.take(done);
            match busy.get_mut(&customer).and_then(VecDeque::pop_front) {
                Some(next) => {
                    waiting -= 1;
                    under_way.spawn(self.clone().act(next, bought_by(&bought, next)));
                }
                None => {
                    busy.remove(&customer);
                }
            }
            counter.show(|| clock_line(plan, at, &day, started));
        }
        day.took = started.elapsed();
        Ok(day)
    }

    async fn act(self, act: Act, purchase: Option<String>) -> Done {
        let started = Instant::now();
        let mut done = Done {
            act,
            lines: Vec::new(),
            told: None,
            refund: None,
            was_reviewed: false,
            took: Duration::ZERO,
            trouble: None,
        };
        if let Err(error) = self.inner.play(&mut done, started, purchase).await {
            done.trouble = Some(format!("{error:#}"));
        }
        done
    }

    /// Asks for every transaction that was not at its end when it was answered, until it is.
    ///
    /// # Errors
    /// When the log cannot be written or the platform does not answer.
    pub(super) async fn finish(&self, day: &mut Day, log: &mut Log) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        loop {
            let open: Vec<String> = day
                .told
                .values()
                .filter(|told| !told.is_at_rest() && told.status != "stuck")
                .map(|told| told.id.clone())
                .collect();
            if open.is_empty() || Instant::now() > until {
                return Ok(());
            }
            self.ask(&open, day, log).await?;
        }
    }

    /// Reads transactions anew.
    ///
    /// # Errors
    /// When the log cannot be written or the platform does not answer.
    pub(super) async fn ask(&self, ids: &[String], day: &mut Day, log: &mut Log) -> Result<()> {
        for some in ids.chunks(QUESTIONS_AT_ONCE) {
            let questions = some.iter().map(|id| {
                let path = format!("/v1/transactions/{id}?wait_ms={WAIT_MS}");
                async move {
                    let answer = self.inner.rest.get(&path).await?;
                    anyhow::Ok((path, answer))
                }
            });
            for (path, answer) in futures::future::try_join_all(questions).await? {
                log.write(&[Line::of("", &path, &answer)])?;
                if let Some(told) = Told::read(&answer.body) {
                    day.told.insert(told.id.clone(), told);
                }
            }
        }
        Ok(())
    }
}

// === impl Inner ===

impl Inner {
    async fn play(&self, done: &mut Done, started: Instant, bought: Option<String>) -> Result<()> {
        let act = done.act;
        let at = moment(act.at).to_string();
        match act.deed {
            Deed::Purchase(purchase) => {
                let body = self.purchase(act.customer, purchase, &at);
                let key = format!("{}-pay-{}", self.run, purchase.number);
                let answer = self.pay(done, &key, &body).await?;
                done.took = started.elapsed();
                self.follow(done, &key, answer, purchase).await
            }
            Deed::Refund { purchase, minor } => {
                let Some(id) = bought else { return Ok(()) };
                let currency = self.world.home(act.customer).currency;
                let amount = minor.map(|minor| json!({ "minor": minor, "currency": currency }));
                let body = json!({ "amount": amount, "business_at": at, "reason": "brought back" });
                let path = format!("/v1/transactions/{id}/refunds");
                let key = format!("{}-refund-{purchase}", self.run);
                self.refund(done, (&path, &key), &body).await
            }
            Deed::TopUp { minor } => {
                let customer = self.customer(act.customer)?;
                let key = format!("{}-top-up-{}", self.run, act.customer);
                let body = json!({
                    "kind": "top_up",
                    "amount": { "minor": minor, "currency": self.world.home(act.customer).currency },
                    "payer": { "payment_method_id": customer.card },
                    "payee": { "user_id": customer.id },
                    "business_at": at,
                    "purpose": self.run,
                });
                let answer = self.pay(done, &key, &body).await?;
                self.verify(done, &key, answer).await
            }
            Deed::Transfer { to, minor } => {
                // Letters part the numbers: rows of digits may be taken for the number of a card.
                let (from, at_second) = (act.customer, act.at);
                let key = format!("{}-from{from}-to{to}-at{at_second}", self.run);
                let body = json!({
                    "kind": "transfer",
                    "amount": { "minor": minor, "currency": self.world.home(act.customer).currency },
                    "payer": { "user_id": self.customer(act.customer)?.id },
                    "payee": { "user_id": self.customer(to)?.id },
                    "business_at": at,
                    "purpose": self.run,
                });
                self.pay(done, &key, &body).await.map(|_| ())
            }
        }
    }

    fn customer(&self, number: u32) -> Result<&Customer> {
        index(number)
            .and_then(|place| self.prepared.customers.get(place))
            .context("a customer of the plan was not prepared")
    }

    fn purchase(&self, customer: u32, purchase: Purchase, at: &str) -> Value {
        let at_place = |list: &[String], place: Option<usize>| {
            place
                .and_then(|place| list.get(place).cloned())
                .unwrap_or_default()
        };
        let merchant = self.world.merchant_at(purchase.terminal);
        let payer = self.customer(customer).cloned().unwrap_or_default();
        json!({
            "kind": "purchase",
            "amount": { "minor": purchase.minor, "currency": self.world.home(customer).currency },
            "payer": { "payment_method_id": if purchase.fraud.is_some() { payer.stolen } else { payer.card } },
            "payee": {
                "merchant_id": at_place(&self.prepared.merchants, Some(merchant)),
                "terminal_id": at_place(&self.prepared.terminals, index(purchase.terminal)),
            },
            "country": self.world.abroad(purchase.terminal).code,
            "business_at": at,
            "purpose": self.run,
        })
    }

    /// Starts a transaction.
    async fn pay(&self, done: &mut Done, key: &str, body: &Value) -> Result<Answer> {
        let path = "/v1/transactions";
        let answer = self.rest.post(path, key, body).await?;
        done.lines.push(Line::of(key, path, &answer));
        done.told = Told::read(&answer.body).filter(|_| answer.is_good());
        if done.told.is_none() {
            answer.clone().good(key)?;
        }
        Ok(answer)
    }

    /// What a payment asks for after its first answer: the card holder's bank, or a reviewer.
    async fn follow(
        &self,
        done: &mut Done,
        key: &str,
        answer: Answer,
        purchase: Purchase,
    ) -> Result<()> {
        if answer.text_at("/status") == "in_review" {
            done.was_reviewed = true;
            // The reviewer calls the card holder, who knows.
            let (word, note) = match purchase.fraud {
                Some(_) => ("reject", "the card holder does not know of it"),
                None => ("approve", "the card holder confirmed it"),
            };
            let path = format!("/v1/transactions/{}/review/{word}", answer.text_at("/id"));
            let key = format!("{key}-review");
            let answer = self
                .step(done, (&path, &key), &json!({ "note": note }))
                .await?;
            return self.verify(done, &key, answer).await;
        }
        self.verify(done, key, answer).await
    }

    /// Answers a challenge of the card holder's bank, when there is one.
    async fn verify(&self, done: &mut Done, key: &str, answer: Answer) -> Result<()> {
        if answer.text_at("/status") != "requires_action" {
            return Ok(());
        }
        let url = answer.text_at("/required_action/url");
        self.rest
            .post_elsewhere(url, &json!({ "outcome": "success" }))
            .await
            .context("the page of the card holder's bank")?;
        let path = format!("/v1/transactions/{}/action", answer.text_at("/id"));
        let body = json!({ "action_id": answer.text_at("/required_action/action_id") });
        self.step(done, (&path, &format!("{key}-action")), &body)
            .await
            .map(|_| ())
    }

    /// Does the next thing with a transaction. That it is done already, by a webhook that was faster, is no trouble.
    async fn step(
        &self,
        done: &mut Done,
        (path, key): (&str, &str),
        body: &Value,
    ) -> Result<Answer> {
        let mut answer = self.rest.post(path, key, body).await?;
        done.lines.push(Line::of(key, path, &answer));
        if answer.text_at("/reason") == "TRANSACTION_STATE" {
            let id = done.told.as_ref().map_or("", |told| &told.id);
            let path = format!("/v1/transactions/{id}");
            answer = self.rest.get(&path).await?;
            done.lines.push(Line::of("", &path, &answer));
        }
        match Told::read(&answer.body).filter(|_| answer.is_good()) {
            Some(told) => done.told = Some(told),
            None => {
                answer.clone().good(key)?;
            }
        }
        Ok(answer)
    }

    async fn refund(&self, done: &mut Done, (path, key): (&str, &str), body: &Value) -> Result<()> {
        let answer = self.rest.post(path, key, body).await?;
        done.lines.push(Line::of(key, path, &answer));
        match answer.text_at("/reason") {
            // The purchase was declined, so there is nothing to give back.
            "TRANSACTION_STATE" | "AMOUNT_EXCEEDS_LEFT" => return Ok(()),
            _ => {}
        }
        let body = answer.good(key)?;
        done.refund = Some(text_at(&body, "/operation/state").to_owned());
        done.told = body.get("transaction").and_then(Told::read);
        Ok(())
    }
}

// === free functions ===

fn bought_by(bought: &HashMap<usize, String>, act: Act) -> Option<String> {
    match act.deed {
        Deed::Refund { purchase, .. } => bought.get(&purchase).cloned(),
        Deed::Purchase(_) | Deed::TopUp { .. } | Deed::Transfer { .. } => None,
    }
}

fn clock_line(plan: &Plan, at: i64, day: &Day, started: Instant) -> String {
    let second = at.saturating_sub(plan.day_start);
    let played = day.purchases.len();
    let seconds = started.elapsed().as_secs_f64();
    let rate = f64::from(u32::try_from(played).unwrap_or(u32::MAX)) / seconds.max(0.001);
    format!(
        "  {:02}:{:02}  {played} payments, {rate:.0} a second",
        second / 3_600,
        second / 60 % 60
    )
}
