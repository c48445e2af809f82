//! What a bank's statement says of payouts is believed once, of the whole amount, and of what was sent.

use std::time::Duration;

use paymesh_kernel::Role;
use paymesh_mesh::CallError;
use paymesh_proto::{
    account::v1::AccountPurpose as Purpose,
    settlement::v1::{self as wire, BreakKind as Kind, PayoutState as State, StatementKind},
};

use crate::{
    breaks::BANK,
    world::{DAY, Shop, World, money, world, worlds},
};

/// Longer than any lease or wait of the component.
const LATER: Duration = Duration::from_secs(600);

/// A line of the bank.
fn line(entry: &str, kind: &str, payout: &str, (currency, minor): (&str, i64)) -> String {
    format!("{entry},{DAY}T13:00:00Z,{kind},{payout},{currency},{minor}\n")
}

impl World {
    async fn told_by(
        &self,
        source: &str,
        lines: &[String],
    ) -> Result<wire::ImportStatementResponse, CallError> {
        let request = wire::ImportStatementRequest {
            kind: StatementKind::Bank.into(),
            source: source.to_owned(),
            content: (BANK.to_owned() + &lines.concat()).into_bytes(),
        };
        self.staff(|mut client| async move { client.import_statement(request).await })
            .await
    }

    /// A payout of 50.00 that the bank has and that is booked.
    async fn sent(&self, shop: &Shop, key: &str) -> String {
        let staff = self.harness.person(Role::Finance);
        let answer = self.pay_out(&staff, self.ask(shop, key, 5_000)).await;
        let id = answer.unwrap().payout.unwrap().id;
        self.until_payout_is(&id, State::Sent).await;
        self.eventually("it is booked", || async {
            self.others.ledger.lock().reserved() == 0
        })
        .await;
        id
    }

    /// On the owner's account, in suspense, and in the bank account.
    fn sums(&self, shop: &Shop) -> (i64, i64, i64) {
        let ledger = self.others.ledger.lock();
        ledger.assert_sound();
        let of = |purpose| ledger.of(purpose, "EUR");
        (
            ledger.balance(&shop.available),
            of(Purpose::Suspense),
            of(Purpose::BankCash),
        )
    }

    async fn kinds(&self) -> Vec<(Kind, i64)> {
        let show = |item: wire::Break| (item.kind(), item.difference.unwrap().minor);
        let mut found: Vec<_> = self.breaks().await.into_iter().map(show).collect();
        found.sort_by_key(|(kind, minor)| (i32::from(*kind), *minor));
        found
    }
}

#[tokio::test]
async fn p4_a_payout_comes_back_once_whatever_is_said_by_whom() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let id = world.sent(&shop, "k").await;
        let back = |entry| line(entry, "payout_return", &id, ("EUR", 5_000));
        world
            .told_by(
                "bank",
                &[
                    line("e1", "payout", &id, ("EUR", -5_000)),
                    back("e2"),
                    back("e3"),
                ],
            )
            .await
            .unwrap();
        world.told_by("bank", &[back("e4")]).await.unwrap();
        world.told_by("other_bank", &[back("e2")]).await.unwrap();
        assert_eq!(world.payout(&id).await.state(), State::Returned);
        assert_eq!(world.sums(&shop), (10_000, 15_000, -15_000));
        world.reconcile("EUR").await;
        assert_eq!(world.kinds().await, [(Kind::Duplicate, 5_000); 3]);
    }
}

#[tokio::test]
async fn p4_imports_beside_each_other_give_back_once() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let id = world.sent(&shop, "k").await;
        let told = async |n: i64| {
            let entry = format!("e{n}");
            let lines = [line(&entry, "payout_return", &id, ("EUR", 5_000))];
            let source = format!("bank_{n}");
            world.told_by(&source, &lines).await
        };
        let all = futures::future::join_all((0..8).map(told)).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        world
            .eventually("all lines are booked", || async {
                world.advance(LATER);
                world.others.ledger.lock().of(Purpose::BankCash, "EUR") == -8 * 5_000
            })
            .await;
        assert_eq!(world.sums(&shop), (10_000, 7 * 5_000, -8 * 5_000));
        assert_eq!(world.payout(&id).await.state(), State::Returned);
    }
}

#[tokio::test]
async fn p4_another_amount_or_currency_gives_nothing_back_and_confirms_nothing() {
    for world in worlds().await {
        let shop = world.rich_shop();
        let id = world.sent(&shop, "k").await;
        let lines = [
            line("e1", "payout_return", &id, ("EUR", 5_001)),
            line("e2", "payout_return", &id, ("EUR", 4_999)),
            line("e3", "payout_return", &id, ("USD", 5_000)),
            line("e4", "payout", &id, ("EUR", -5_001)),
        ];
        world.told_by("bank", &lines).await.unwrap();
        assert_eq!(world.payout(&id).await.state(), State::Sent);
        assert_eq!(world.sums(&shop), (5_000, 4_999, -4_999));
        world.reconcile("EUR").await;
        world.reconcile("USD").await;
        let wanted = [
            (Kind::MissingAtBank, 5_000),
            (Kind::AmountDiffers, -5_001),
            (Kind::AmountDiffers, 4_999),
            (Kind::AmountDiffers, 5_001),
            (Kind::CurrencyDiffers, 5_000),
        ];
        assert_eq!(world.kinds().await, wanted);
        // What is true of it is believed still.
        let lines = [
            line("e5", "payout", &id, ("EUR", -5_000)),
            line("e6", "payout", &id, ("EUR", -5_000)),
        ];
        world.told_by("bank", &lines).await.unwrap();
        assert_eq!(world.payout(&id).await.state(), State::Confirmed);
        let ledger = world.others.ledger.lock().clone();
        assert_eq!(ledger.of(Purpose::PayoutInTransit, "EUR"), 0);
        assert_eq!(ledger.of(Purpose::Suspense, "EUR"), 4_999 - 5_000);
        world.reconcile("EUR").await;
        let again = world.kinds().await;
        assert!(again.contains(&(Kind::Duplicate, -5_000)), "{again:?}");
    }
}

#[tokio::test]
async fn p4_what_was_never_sent_does_not_come_back() {
    for world in worlds().await {
        let shop = world.rich_shop();
        world.banks_at(&shop, "ben_rejected");
        let staff = world.harness.person(Role::Finance);
        let answer = world.pay_out(&staff, world.ask(&shop, "k", 5_000)).await;
        let id = answer.unwrap().payout.unwrap().id;
        world.until_payout_is(&id, State::Failed).await;
        let lines = [
            line("e1", "payout", &id, ("EUR", -5_000)),
            line("e2", "payout_return", &id, ("EUR", 5_000)),
            line("e3", "payout_return", &id, ("EUR", 70)),
        ];
        world.told_by("bank", &lines).await.unwrap();
        assert_eq!(world.payout(&id).await.state(), State::Failed);
        assert_eq!(world.sums(&shop), (10_000, 70, -70));
        world.reconcile("EUR").await;
        let missing = |minor| (Kind::MissingInLedger, minor);
        let wanted = [missing(-5_000), missing(70), missing(5_000)];
        assert_eq!(world.kinds().await, wanted);
        let items = world.breaks().await;
        let of = |minor| money(minor, "EUR");
        assert!(items.iter().any(|item| item.difference == of(70)));
    }
}

#[tokio::test]
async fn p4_a_return_that_is_interrupted_is_finished_once() {
    for mut world in worlds().await {
        let shop = world.rich_shop();
        let id = world.sent(&shop, "k").await;
        world.others.ledger.lock().answers_to_lose = 1;
        let back = line("e1", "payout_return", &id, ("EUR", 5_000));
        world.told_by("bank", &[back]).await.unwrap();
        world.restart().await;
        world.advance(LATER);
        let other = line("e2", "payout_return", &id, ("EUR", 5_000));
        world.told_by("bank", &[other]).await.unwrap();
        world
            .eventually("all lines are booked", || async {
                world.others.ledger.lock().of(Purpose::BankCash, "EUR") == -10_000
            })
            .await;
        assert_eq!(world.sums(&shop), (10_000, 5_000, -10_000));
    }
}

#[tokio::test]
async fn i5_what_comes_back_for_a_closed_account_waits_in_suspense_and_shows_as_a_break() {
    for world in worlds().await {
        let (gone, other) = (world.rich_shop(), world.rich_shop());
        let lost = world.sent(&gone, "k").await;
        let good = world.sent(&other, "l").await;
        let lines = |of: &[&str]| -> Vec<String> {
            let left = of
                .iter()
                .map(|id| line(&format!("{id}-left"), "payout", id, ("EUR", -5_000)));
            let back = of
                .iter()
                .map(|id| line(&format!("{id}-back"), "payout_return", id, ("EUR", 5_000)));
            left.chain(back).collect()
        };
        world
            .others
            .ledger
            .lock()
            .closed
            .insert(gone.available.clone());
        world
            .told_by("bank", &lines(&[&lost, &good]))
            .await
            .unwrap();
        for id in [&lost, &good] {
            world.until_payout_is(id, State::Returned).await;
        }
        world
            .eventually("both are booked", || async {
                world.advance(Duration::from_secs(1));
                world.others.ledger.lock().of(Purpose::BankCash, "EUR") == 0
            })
            .await;
        assert_eq!(
            world.sums(&other),
            (10_000, 5_000, 0),
            "I5: the other one has it"
        );
        assert_eq!(world.sums(&gone).0, 5_000);
        world.reconcile("EUR").await;
        assert_eq!(world.kinds().await, [(Kind::MissingInLedger, 5_000)], "I5");
        let transit = world
            .others
            .ledger
            .lock()
            .of(Purpose::PayoutInTransit, "EUR");
        assert_eq!(transit, 0);
    }
}

#[tokio::test]
async fn i5_a_statement_that_waits_for_what_never_happens_ends_in_suspense() {
    let mut world = world().await;
    world.settings.statement_attempts = 3;
    world.settings.retry_ms = (10, 50);
    world.settings.bank.url = "http://127.0.0.1:1".to_owned();
    world.restart().await;
    let shop = world.rich_shop();
    let staff = world.harness.person(Role::Finance);
    let answer = world.pay_out(&staff, world.ask(&shop, "k", 5_000)).await;
    let id = answer.unwrap().payout.unwrap().id;
    // It came back, says the bank, and never was there.
    let back = line("b", "payout_return", &id, ("EUR", 5_000));
    world.told_by("bank", &[back]).await.unwrap();
    world
        .eventually("it is in suspense", || async {
            world.advance(Duration::from_secs(1));
            world.others.ledger.lock().of(Purpose::Suspense, "EUR") == 5_000
        })
        .await;
    // The ledger has it a moment before the line's row says so.
    world
        .eventually("it shows as a break", || async {
            world.reconcile("EUR").await;
            world.kinds().await == [(Kind::MissingInLedger, 5_000)]
        })
        .await;
}

#[tokio::test]
async fn i5_a_statement_that_the_ledger_takes_nowhere_is_parked_and_woken_by_its_own_file() {
    for mut world in worlds().await {
        world.settings.statement_attempts = 3;
        world.restart().await;
        let suspense = {
            let mut ledger = world.others.ledger.lock();
            let id = ledger.system_id(Purpose::Suspense, "EUR", "");
            ledger.closed.insert(id.clone());
            id
        };
        let interest = [line("i", "interest", "", ("EUR", 700))];
        world.told_by("bank", &interest).await.unwrap();
        // Three attempts, each of which asks for suspense twice: as what it is, and because it was refused.
        world
            .eventually("it was tried three times", || async {
                world.advance(LATER);
                world.others.ledger.lock().refused_as_closed == 6
            })
            .await;
        world.advance(LATER);
        // A long report is booked by the same task, which would have found the parked one first.
        let rows = |n: u32| format!("capture,p{n},o{n},who,EUR,5,1,{DAY}T12:00:00Z\n");
        let head =
            "type,payment_id,operation_id,reference,currency,gross_minor,fee_minor,business_at\n";
        let report = head.to_owned() + &(0..300).map(rows).collect::<String>();
        world
            .import(StatementKind::Provider, &report)
            .await
            .unwrap();
        world
            .eventually("the report is booked", || async {
                world.others.ledger.lock().of(Purpose::ConnectorFees, "EUR") == -300
            })
            .await;
        assert_eq!(
            world.others.ledger.lock().refused_as_closed,
            6,
            "I5: it has ended"
        );
        world.others.ledger.lock().closed.remove(&suspense);
        world.told_by("bank", &interest).await.unwrap();
        world
            .eventually("it is booked", || async {
                world.others.ledger.lock().of(Purpose::Suspense, "EUR") == 700
            })
            .await;
    }
}
