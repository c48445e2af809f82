//! How many transfers the ledger books: durable, one a call, through the whole gRPC stack in this process.
//!
//! `PAYMESH_TEST_POSTGRES_URL=… cargo bench -p paymesh-account`; without the variable on SQLite alone. Callers are closed loops, so
//! latencies say what a caller in such a crowd waits, not what a lone one does.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints what it measured, and ends when something fails"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use paymesh_account::{Account, Settings, domain::TransferId};
use paymesh_kernel::{Principal, Role, id::UserId};
use paymesh_mesh::Channel;
use paymesh_proto::{
    account::v1::{self as pb, account_service_client::AccountServiceClient},
    types::v1::{Money, Owner, OwnerKind},
};
use paymesh_testkit::Harness;
use tokio::task::JoinSet;

/// Callers at once.
const CALLERS: usize = 512;
/// Customers.
const ACCOUNTS: usize = 2_000;
/// How long one case runs.
const TIME: Duration = Duration::from_secs(5);

struct Bench {
    harness: Harness,
    client: AccountServiceClient<Channel>,
    principal: Principal,
    accounts: Vec<String>,
}

/// Who pays.
#[derive(Clone, Copy)]
enum Payer {
    /// Each customer in turn, to the next one.
    Everybody,
    /// One customer alone, to all others.
    One,
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if let Some(harness) = Harness::postgres::<Account>(&[]).await {
            run("PostgreSQL", harness).await;
        }
        run("SQLite", Harness::sqlite::<Account>(&[]).await).await;
    });
}

async fn run(engine: &str, mut harness: Harness) {
    harness.launch::<Account>(Settings::default()).await;
    let client = AccountServiceClient::new(harness.channel("transaction", "account"));
    let principal = Principal::component(harness.tenant, "transaction");
    let mut bench = Bench {
        harness,
        client,
        principal,
        accounts: Vec::new(),
    };
    bench.open().await;
    let bench = Arc::new(bench);
    for (case, payer, transfers) in [
        ("one a call, everybody pays", Payer::Everybody, 1),
        ("one a call, one pays all", Payer::One, 1),
        ("five linked, everybody pays", Payer::Everybody, 5),
    ] {
        let (booked, mut waits) = measure(&bench, payer, transfers).await;
        waits.sort_unstable();
        let at = |part: usize| {
            waits
                .get(waits.len() * part / 1_000)
                .copied()
                .unwrap_or_default()
        };
        println!(
            "{engine:<10} {case:<28} {:>7.0} transfers/s  p50 {:>6.1} ms  p99 {:>6.1} ms",
            f64::from(booked) / TIME.as_secs_f64(),
            at(500).as_secs_f64() * 1_000.0,
            at(990).as_secs_f64() * 1_000.0,
        );
    }
}

async fn measure(bench: &Arc<Bench>, payer: Payer, transfers: usize) -> (u32, Vec<Duration>) {
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let bench = Arc::clone(bench);
        callers.spawn(async move {
            let (mut booked, mut waits, mut turn) = (0, Vec::new(), caller);
            while start.elapsed() < TIME {
                let asked = Instant::now();
                booked += bench.pay(payer, turn, transfers).await;
                waits.push(asked.elapsed());
                turn += CALLERS;
            }
            (booked, waits)
        });
    }
    let mut all = (0, Vec::new());
    for (booked, waits) in callers.join_all().await {
        all.0 += booked;
        all.1.extend(waits);
    }
    all
}

impl Bench {
    async fn open(&mut self) {
        for _ in 0..ACCOUNTS {
            let id: UserId = self.harness.platform.ids.next();
            let request = pb::OpenAccountRequest {
                owner: Some(Owner {
                    kind: OwnerKind::User.into(),
                    id: id.to_string(),
                }),
                purpose: pb::AccountPurpose::CustomerBalance.into(),
                currency: "USD".to_owned(),
                ..Default::default()
            };
            let staff = self.harness.person(Role::Finance);
            let mut gateway = AccountServiceClient::new(self.harness.channel("gateway", "account"));
            let opened = self
                .harness
                .act(&staff, gateway.open_account(request))
                .await;
            self.accounts
                .push(opened.unwrap().into_inner().account.unwrap().id);
        }
        for id in &self.accounts {
            let bank = pb::SystemAccount {
                purpose: pb::AccountPurpose::BankCash.into(),
                currency: "USD".to_owned(),
                ..Default::default()
            };
            let bank = pb::account_ref::By::System(bank);
            let gift = self.transfer(bank, by_id(id), 1_000_000_000);
            assert_eq!(self.post(vec![gift]).await, 1);
        }
    }

    async fn pay(&self, payer: Payer, turn: usize, transfers: usize) -> u32 {
        let at = |place: usize| by_id(&self.accounts[place % ACCOUNTS]);
        let group = (0..transfers).map(|n| match payer {
            Payer::Everybody => self.transfer(at(turn + n), at(turn + n + 1), 1),
            Payer::One => self.transfer(at(0), at(1 + (turn + n) % (ACCOUNTS - 1)), 1),
        });
        self.post(group.collect()).await
    }

    async fn post(&self, transfers: Vec<pb::Transfer>) -> u32 {
        let count = u32::try_from(transfers.len()).unwrap();
        let groups = vec![pb::TransferGroup { transfers }];
        let request = pb::PostTransfersRequest { groups };
        let mut client = self.client.clone();
        let answer = self
            .harness
            .act(&self.principal, client.post_transfers(request))
            .await;
        let answer = answer.unwrap().into_inner();
        assert!(answer.groups[0].applied, "{answer:?}");
        count
    }

    fn transfer(
        &self,
        debit: pb::account_ref::By,
        credit: pb::account_ref::By,
        minor: i64,
    ) -> pb::Transfer {
        let id: TransferId = self.harness.platform.ids.next();
        pb::Transfer {
            id: id.to_string(),
            kind: pb::TransferKind::Single.into(),
            debit: Some(pb::AccountRef { by: Some(debit) }),
            credit: Some(pb::AccountRef { by: Some(credit) }),
            amount: Some(Money {
                minor,
                currency: "USD".to_owned(),
            }),
            code: pb::TransferCode::Transfer.into(),
            ..Default::default()
        }
    }
}

fn by_id(id: &str) -> pb::account_ref::By {
    pb::account_ref::By::Id(id.to_owned())
}
