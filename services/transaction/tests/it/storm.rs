//! Storms: seeded runs of random commands in which answers are lost, components are away and the process dies again and again. In
//! the end every transaction rests in a state that nobody has to look at, and books, provider and sums agree.

use std::time::Duration;

use paymesh_proto::transaction::v1::{self as wire, TransactionStatus as Status};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    fakes::Behaviour,
    platform::{ALICE_USD, BOB_EUR, BOB_USD, DiesAt, Platform, account, money, transfer},
};

/// Commands of one storm.
const COMMANDS: usize = 24;
const SEEDS: [u64; 3] = [1, 7, 1_789];

struct Storm {
    platform: Platform,
    random: StdRng,
    ids: Vec<String>,
}

impl Storm {
    fn below(&mut self, limit: u32) -> u32 {
        self.random.random_range(0..limit)
    }

    /// A process that lives for a random number of points.
    async fn next_life(&mut self) {
        self.platform.harness.restart().await;
        self.platform.world.attach(&self.platform.harness);
        let lease = Duration::from_millis(self.platform.config.lease_ms + 1);
        self.platform.harness.clock.advance(lease);
        let points = 5 + self.below(40);
        let dies = DiesAt::new(usize::try_from(points).unwrap());
        self.platform.start_until(Some(dies)).await;
    }

    fn weather(&mut self) {
        let lost = self.below(3);
        let refused = self.below(2);
        let mut ledger = self.platform.world.ledger.lock();
        ledger.line.answers_to_lose = lost / 2;
        ledger.line.calls_to_refuse = refused;
        drop(ledger);
        let mut provider = self.platform.world.provider.lock();
        provider.line.answers_to_lose = refused;
        provider.line.calls_to_refuse = lost / 2;
    }

    async fn command(&mut self, n: usize) {
        let key = format!("k{n}");
        let minor = i64::from(1_000 + self.below(4_000));
        let behaviours = [
            Behaviour::Approves,
            Behaviour::Approves,
            Behaviour::Silent,
            Behaviour::Declines,
            Behaviour::NeverArrives,
        ];
        let behaviour = behaviours[usize::try_from(self.below(5)).unwrap()];
        self.platform.card_does(behaviour);
        let mut asked = match self.below(8) {
            0 => transfer(&key, BOB_USD),
            1 => transfer(&key, BOB_EUR),
            2 => self.platform.purchase(&key),
            3 => self.platform.purchase_for_later(&key),
            4 => wire::CreateTransactionRequest {
                payer: account(ALICE_USD),
                ..self.platform.purchase_for_later(&key)
            },
            _ => return self.follow_up(&key, minor).await,
        };
        asked.amount = money(minor, "USD");
        // Whoever asks asks again, as callers do, with the same key.
        for _ in 0..2 {
            if let Ok(answer) = self
                .platform
                .create(&self.platform.alice, asked.clone())
                .await
            {
                self.ids.push(answer.transaction.unwrap().id);
                return;
            }
        }
    }

    async fn follow_up(&mut self, key: &str, minor: i64) {
        let Some(id) = self.ids.last().cloned() else {
            return;
        };
        // What is refused is refused; what is accepted has to come out right.
        match self.below(4) {
            0 => drop(
                self.platform
                    .capture((&id, key), Some(minor / 3), false)
                    .await,
            ),
            1 => drop(self.platform.capture((&id, key), None, true).await),
            2 => drop(self.platform.refund((&id, key), Some(minor / 3)).await),
            _ => drop(self.platform.cancel(&id, key).await),
        }
    }

    /// Fair weather, a living process, and time.
    async fn clear_up(&mut self) -> Vec<wire::Transaction> {
        self.platform.world.ledger.lock().line = crate::fakes::Line::default();
        self.platform.world.provider.lock().line = crate::fakes::Line::default();
        self.platform.restart().await;
        let platform = &self.platform;
        platform
            .harness
            .eventually("all rests", || async {
                platform.harness.clock.advance(Duration::from_secs(1));
                let all = listed(platform).await;
                let rests = |of: &wire::Transaction| {
                    let open = |part: &wire::Operation| {
                        matches!(
                            part.state(),
                            wire::OperationState::Pending | wire::OperationState::Unknown
                        )
                    };
                    (of.ended_at_us > 0 || of.status() == Status::Authorized)
                        && !of.operations.iter().any(open)
                };
                !all.is_empty() && all.iter().all(rests)
            })
            .await;
        listed(&self.platform).await
    }
}

async fn listed(platform: &Platform) -> Vec<wire::Transaction> {
    let mut client = platform.client("gateway");
    let request = wire::ListTransactionsRequest {
        page: Some(paymesh_proto::types::v1::Page {
            size: 100,
            token: String::new(),
        }),
        ..wire::ListTransactionsRequest::default()
    };
    let answer = platform
        .act(&platform.finance, client.list_transactions(request))
        .await
        .unwrap();
    answer.into_inner().transactions
}

fn minor(of: &Option<paymesh_proto::types::v1::Money>) -> i64 {
    of.as_ref().map_or(0, |money| money.minor)
}

#[tokio::test]
async fn t10_after_any_storm_every_transaction_rests_and_books_and_provider_agree() {
    for seed in SEEDS {
        println_seed(seed);
        let mut platform = Platform::new().await;
        platform.config.wait_ms = 40;
        platform.start().await;
        let mut storm = Storm {
            platform,
            random: StdRng::seed_from_u64(seed),
            ids: Vec::new(),
        };
        for n in 0..COMMANDS {
            if n % 4 == 3 {
                storm.next_life().await;
            }
            storm.weather();
            storm.command(n).await;
        }
        let all = storm.clear_up().await;
        let ledger = storm.platform.world.ledger.lock().clone();
        ledger.assert_balanced();
        let external = |of: &&wire::Transaction| !of.attempt_id.is_empty();
        let taken: i64 = all
            .iter()
            .filter(external)
            .map(|of| minor(&of.captured) - minor(&of.refunded))
            .sum();
        assert_eq!(
            storm.platform.world.provider.lock().taken(),
            taken,
            "seed {seed}: T5"
        );
        let held: i64 = all
            .iter()
            .filter(|of| of.attempt_id.is_empty() && of.status() == Status::Authorized)
            .map(|of| minor(&of.authorized) - minor(&of.captured))
            .sum();
        assert_eq!(ledger.reserved(), held, "seed {seed}: T8");
        let waiting = all
            .iter()
            .filter(external)
            .filter(|of| of.status() == Status::Authorized && minor(&of.captured) == 0)
            .count();
        assert_eq!(
            storm.platform.world.provider.lock().open_authorizations(),
            waiting,
            "seed {seed}: T8"
        );
    }
}

#[allow(
    clippy::print_stderr,
    reason = "a failing run is repeated with its seed"
)]
fn println_seed(seed: u64) {
    eprintln!("seed {seed}");
}
