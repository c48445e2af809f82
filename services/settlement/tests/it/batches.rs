//! Batches, positions and releases.

use std::time::Duration;

use paymesh_kernel::Timestamp;
use paymesh_mesh::CallError;
use paymesh_proto::{
    account::v1::{AccountPurpose as Purpose, TransferCode as Code},
    settlement::v1 as wire,
    transaction::v1::{
        TransactionCaptured, TransactionChargedBack, TransactionRefunded, TransactionSnapshot,
    },
    types::v1::Outcome,
};

use crate::world::{Shop, World, money, page, reason, world, worlds};

const DAY: Duration = Duration::from_secs(86_400);

impl World {
    async fn open(&self, currency: &str) -> Result<wire::OpenBatchResponse, CallError> {
        let request = wire::OpenBatchRequest {
            batch_id: self.new_id("sb"),
            currency: currency.to_owned(),
        };
        self.staff(|mut client| async move { client.open_batch(request).await })
            .await
    }

    async fn close(&self, id: &str) -> Result<wire::CloseBatchResponse, CallError> {
        let request = wire::CloseBatchRequest {
            batch_id: id.to_owned(),
        };
        self.staff(|mut client| async move { client.close_batch(request).await })
            .await
    }

    /// A batch of what the ledger has now.
    async fn batch(&self, currency: &str) -> wire::Batch {
        let opened = self.open(currency).await.unwrap().batch.unwrap();
        self.close(&opened.id).await.unwrap().batch.unwrap()
    }

    /// A capture: booked, and told.
    async fn captured(&mut self, shop: &Shop, (gross, fee): (i64, i64), days: i64) -> String {
        let transaction = self.new_id("txn");
        let now = self.now_us();
        self.others.ledger.lock().capture(
            (&shop.pending, "EUR"),
            (gross, fee),
            (&transaction, now),
        );
        let fact = TransactionCaptured {
            transaction: snapshot(&transaction, shop),
            merchant_gross: money(gross, "EUR"),
            available_at_us: now + days * 86_400_000_000,
            ..TransactionCaptured::default()
        };
        self.tell(&transaction, 1, fact).await;
        transaction
    }

    fn available(&self, shop: &Shop) -> i64 {
        self.others.ledger.lock().balance(&shop.available)
    }

    fn pending(&self, shop: &Shop) -> i64 {
        self.others.ledger.lock().balance(&shop.pending)
    }

    async fn until_available(&self, shop: &Shop, minor: i64) {
        self.eventually(&format!("{minor} available"), || async {
            self.available(shop) == minor
        })
        .await;
        self.eventually("positions say so", || async {
            let positions = self.positions(&shop.id).await;
            positions.iter().all(|position| position.released_at_us > 0)
        })
        .await;
    }
}

fn snapshot(transaction: &str, shop: &Shop) -> Option<TransactionSnapshot> {
    Some(TransactionSnapshot {
        transaction_id: transaction.to_owned(),
        merchant_id: shop.id.clone(),
        ..TransactionSnapshot::default()
    })
}

#[tokio::test]
async fn s1_a_batch_is_cut_at_a_height_and_what_comes_later_is_in_the_next() {
    for mut world in worlds().await {
        let shop = world.shop("EUR", 2);
        world.captured(&shop, (9_154, 295), 2).await;
        let mut facts = world.facts().await;
        let opened = world.open("EUR").await.unwrap();
        let again = world.open("EUR").await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        assert_eq!(again.batch, opened.batch);
        let id = opened.batch.unwrap().id;

        let closed = world.close(&id).await.unwrap().batch.unwrap();
        assert_eq!(closed.state(), wire::BatchState::Closed);
        assert_eq!(closed.until_height, world.others.ledger.lock().height());
        assert_eq!(
            (closed.net.clone(), closed.transaction_count),
            (money(8_859, "EUR"), 1)
        );
        world.advance(Duration::from_secs(1));
        world.captured(&shop, (1_000, 0), 2).await;
        let repeat = world.close(&id).await.unwrap();
        assert_eq!(repeat.outcome(), Outcome::AlreadyApplied);
        assert_eq!(repeat.batch.unwrap(), closed);

        let next = world.batch("EUR").await;
        assert_eq!(
            (next.from_height, next.net),
            (closed.until_height, money(1_000, "EUR"))
        );
        let positions = world.positions(&shop.id).await;
        let nets: Vec<_> = positions.iter().map(|of| of.net.clone()).collect();
        assert_eq!(nets, [money(8_859, "EUR"), money(1_000, "EUR")]);
        let uuid = paymesh_kernel::id::decode("sb", &id).unwrap();
        assert_eq!(facts.of(uuid, 1).await, ["settlement.processed.v1"]);
        let request = wire::ListBatchesRequest {
            currency: "EUR".to_owned(),
            page: page(1),
            ..Default::default()
        };
        let newest = world.staff(|mut client| async move { client.list_batches(request).await });
        let newest = newest.await.unwrap();
        assert_eq!(newest.batches[0].id, next.id);
        assert!(!newest.page_info.unwrap().next_token.is_empty());
    }
}

#[tokio::test]
async fn s3_what_is_due_is_released_when_its_time_has_come_and_not_before() {
    for mut world in worlds().await {
        let shop = world.shop("EUR", 2);
        world.captured(&shop, (9_154, 295), 2).await;
        let mut facts = world.facts().await;
        let batch = world.batch("EUR").await;
        let position = world.positions(&shop.id).await.remove(0);
        assert_eq!(
            position.available_at_us,
            world.now_us() + 2 * 86_400_000_000
        );
        world.advance(DAY);
        assert_eq!(world.available(&shop), 0);
        world.advance(DAY);
        world.until_available(&shop, 8_859).await;
        assert_eq!(world.pending(&shop), 0);
        let uuid = paymesh_kernel::id::decode("sb", &batch.id).unwrap();
        assert_eq!(
            facts.of(uuid, 2).await,
            ["settlement.processed.v1", "position.released.v1"]
        );
        world.others.ledger.lock().assert_sound();
    }
}

#[tokio::test]
async fn s4_a_merchant_who_settles_at_once_is_paid_without_anybody_asking() {
    for mut world in worlds().await {
        world.settings.close_every_ms = 1;
        world.restart().await;
        let shop = world.shop("EUR", 0);
        world.captured(&shop, (9_154, 295), 0).await;
        world.until_available(&shop, 8_859).await;
        world.advance(Duration::from_secs(1));
        world.captured(&shop, (100, 0), 0).await;
        world.until_available(&shop, 8_959).await;
        // Nothing is left open that would close batch after batch.
        let batches = async || {
            let request = wire::ListBatchesRequest::default();
            let answer =
                world.staff(|mut client| async move { client.list_batches(request).await });
            answer.await.unwrap().batches.len()
        };
        let before = batches().await;
        world.advance(Duration::from_secs(60));
        let other = world.shop("USD", 0);
        world.fund(&other.pending, 5, "USD");
        tokio::task::yield_now().await;
        assert_eq!(batches().await, before);
    }
}

#[tokio::test]
async fn business_time_ahead_of_the_clock_makes_due_what_is_due_by_it() {
    let mut world = world().await;
    world.settings.close_every_ms = 1;
    world.restart().await;
    let shop = world.shop("EUR", 0);
    let transaction = world.new_id("txn");
    let ahead = world.now_us() + 3 * 86_400_000_000;
    world
        .others
        .ledger
        .lock()
        .capture((&shop.pending, "EUR"), (700, 0), (&transaction, ahead));
    let fact = TransactionCaptured {
        transaction: snapshot(&transaction, &shop),
        merchant_gross: money(700, "EUR"),
        available_at_us: ahead,
        ..TransactionCaptured::default()
    };
    let at = Timestamp::from_micros(ahead);
    world.tell_at(&transaction, (1, at), fact).await;
    world.until_available(&shop, 700).await;
}

#[tokio::test]
async fn s3_a_refund_from_pending_is_netted_with_what_is_due_later() {
    let mut world = world().await;
    let shop = world.shop("EUR", 2);
    let transaction = world.captured(&shop, (1_000, 0), 2).await;
    world.batch("EUR").await;
    let clearing = world
        .others
        .ledger
        .lock()
        .system_id(Purpose::Clearing, "EUR", "");
    let now = world.now_us();
    world.others.ledger.lock().book(
        (&shop.pending, &clearing),
        (Code::Refund, 400),
        (&transaction, now),
    );
    let fact = TransactionRefunded {
        transaction: snapshot(&transaction, &shop),
        merchant_amount: money(400, "EUR"),
        ..TransactionRefunded::default()
    };
    world.tell(&transaction, 2, fact).await;
    world.advance(2 * DAY);
    // The first batch says 1,000, and pending holds 600: nothing moves until the next batch nets it.
    let second = world.batch("EUR").await;
    assert_eq!(second.refunds, money(400, "EUR"));
    world.until_available(&shop, 600).await;
    assert_eq!(world.pending(&shop), 0);
    world.others.ledger.lock().assert_sound();
}

#[tokio::test]
async fn s3_a_release_whose_answer_is_lost_is_booked_once() {
    for mut world in worlds().await {
        let shop = world.shop("EUR", 2);
        // Twice as much is pending as is due, so that a second transfer would be covered.
        world.captured(&shop, (1_000, 0), 2).await;
        world.batch("EUR").await;
        world.fund(&shop.pending, 1_000, "EUR");
        world.others.ledger.lock().answers_to_lose = 2;
        world.advance(2 * DAY);
        world
            .eventually("the first answer is lost", || async {
                world.others.ledger.lock().answers_to_lose < 2
            })
            .await;
        world.restart().await;
        world
            .eventually("it is released", || async {
                world.advance(Duration::from_secs(60));
                let positions = world.positions(&shop.id).await;
                positions.iter().all(|position| position.released_at_us > 0)
            })
            .await;
        assert_eq!(
            (world.available(&shop), world.pending(&shop)),
            (1_000, 1_000)
        );
    }
}

#[tokio::test]
async fn s1_a_batch_whose_closing_is_interrupted_is_closed_later_at_the_same_height() {
    for mut world in worlds().await {
        let shop = world.shop("EUR", 2);
        world.captured(&shop, (1_000, 0), 2).await;
        world.others.ledger.lock().lists_to_refuse = 6;
        let closing = world.batch("EUR").await;
        assert_eq!(closing.state(), wire::BatchState::Closing);
        assert_eq!(closing.transaction_count, 0);
        world.captured(&shop, (50, 0), 2).await;
        world.restart().await;
        world
            .eventually("it is closed", || async {
                world.advance(Duration::from_secs(300));
                !world.positions(&shop.id).await.is_empty()
            })
            .await;
        let request = wire::GetBatchRequest {
            batch_id: closing.id.clone(),
        };
        let found = world.staff(|mut client| async move { client.get_batch(request).await });
        let closed = found.await.unwrap().batch.unwrap();
        assert_eq!(closed.state(), wire::BatchState::Closed);
        assert_eq!(closed.until_height, closing.until_height);
        assert_eq!(closed.net, money(1_000, "EUR"));
        assert_eq!(world.batch("EUR").await.net, money(50, "EUR"));
    }
}

#[tokio::test]
async fn a_chargeback_that_is_won_comes_to_nothing() {
    let mut world = world().await;
    let shop = world.shop("EUR", 0);
    let transaction = world.captured(&shop, (5_000, 0), 0).await;
    world.batch("EUR").await;
    world.until_available(&shop, 5_000).await;
    let now = world.now_us();
    {
        let mut ledger = world.others.ledger.lock();
        let receivable = ledger.system_id(Purpose::ConnectorReceivable, "EUR", "simulated");
        let of = (transaction.as_str(), now);
        ledger.book(
            (&shop.available, &receivable),
            (Code::Chargeback, 5_000),
            of,
        );
        ledger.book((&receivable, &shop.available), (Code::Reversal, 5_000), of);
    }
    let fact = TransactionChargedBack {
        transaction: snapshot(&transaction, &shop),
        merchant_amount: money(5_000, "EUR"),
        ..TransactionChargedBack::default()
    };
    world.tell(&transaction, 2, fact).await;
    world
        .eventually("the batch shows nothing of it", || async {
            let batch = world.batch("EUR").await;
            batch.chargebacks == money(0, "EUR") && batch.refunds == money(0, "EUR")
        })
        .await;
}

#[tokio::test]
async fn a_batch_of_another_tenant_or_currency_does_not_exist() {
    let world = world().await;
    let opened = world.open("EUR").await.unwrap().batch.unwrap();
    let stranger = paymesh_kernel::Principal {
        tenant: world.harness.platform.ids.next(),
        ..world.harness.person(paymesh_kernel::Role::Finance)
    };
    let request = wire::GetBatchRequest {
        batch_id: opened.id.clone(),
    };
    let answer = world.call(&stranger, |mut client| async move {
        client.get_batch(request).await
    });
    assert_eq!(reason(answer.await), "BATCH_NOT_FOUND");
    let taken = wire::OpenBatchRequest {
        batch_id: opened.id,
        currency: "USD".to_owned(),
    };
    let answer = world.staff(|mut client| async move { client.open_batch(taken).await });
    assert_eq!(reason(answer.await), "ID_REUSED");
    assert_eq!(reason(world.open("EURO").await), "REQUEST_INVALID");
}
