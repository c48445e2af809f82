//! The same on PostgreSQL, where the schema, the set-based writes and the queries are other ones.

use paymesh_proto::{
    transaction::v1::{self as wire, TransactionStatus as Status},
    types::v1::Outcome,
};
use paymesh_testkit::harness::Engine;

use crate::platform::{BOB_USD, DiesAt, PENDING, Platform, transfer};

#[tokio::test]
async fn payments_captures_refunds_lists_and_keys_work_on_postgres() {
    let Some(mut platform) = Platform::on(Engine::Postgres).await else {
        return;
    };
    platform.start().await;
    let requests = (0..40).map(|_| platform.create(&platform.alice, transfer("k1", BOB_USD)));
    let answers = futures::future::join_all(requests).await;
    let applied = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap().outcome() == Outcome::Applied)
        .count();
    assert_eq!(applied, 1, "T9");
    assert_eq!(platform.world.ledger.lock().balance(BOB_USD), 10_000);
    let id = platform
        .create(&platform.alice, platform.purchase_for_later("k2"))
        .await
        .unwrap()
        .transaction
        .unwrap()
        .id;
    platform
        .capture((&id, "c1"), Some(4_000), false)
        .await
        .unwrap();
    platform.capture((&id, "c2"), None, true).await.unwrap();
    platform.refund((&id, "r1"), Some(2_000)).await.unwrap();
    let transaction = platform.get(&id).await;
    assert_eq!(transaction.status(), Status::Completed);
    assert_eq!(
        (
            transaction.operations.len(),
            transaction.refunded.unwrap().minor
        ),
        (3, 2_000)
    );
    platform.world.ledger.lock().assert_balanced();
    let summary = || async {
        let mut client = platform.client("gateway");
        let request = wire::GetTransactionSummaryRequest {
            user_id: platform.alice.subject.clone(),
            ..wire::GetTransactionSummaryRequest::default()
        };
        let answer = platform
            .act(&platform.finance, client.get_transaction_summary(request))
            .await
            .unwrap();
        answer
            .into_inner()
            .lines
            .iter()
            .map(|line| line.amount_minor)
            .collect::<Vec<_>>()
    };
    platform
        .harness
        .eventually("the summary is complete", || async {
            summary().await == [0, 10_000, 2_000, 10_000]
        })
        .await;
    let mut client = platform.client("gateway");
    let request = wire::ListTransactionsRequest {
        merchant_id: platform.shop_id.to_string(),
        ..wire::ListTransactionsRequest::default()
    };
    let list = platform
        .act(&platform.shop, client.list_transactions(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(list.transactions.len(), 1);
}

#[tokio::test]
async fn t10_a_crash_is_recovered_from_on_postgres() {
    for point in [2, 5, 8] {
        let Some(mut platform) = Platform::on(Engine::Postgres).await else {
            return;
        };
        platform.config.wait_ms = 60;
        platform.start_until(Some(DiesAt::new(point))).await;
        drop(
            platform
                .create(&platform.alice, platform.purchase("k"))
                .await,
        );
        platform.restart().await;
        platform
            .harness
            .eventually("the purchase is completed", || async {
                platform
                    .harness
                    .clock
                    .advance(std::time::Duration::from_millis(200));
                let answer = platform
                    .create(&platform.alice, platform.purchase("k"))
                    .await;
                answer.is_ok_and(|answer| answer.transaction.unwrap().status() == Status::Completed)
            })
            .await;
        platform.world.ledger.lock().assert_balanced();
        assert_eq!(
            platform.world.ledger.lock().balance(PENDING),
            9_154 - 295,
            "T10: point {point}"
        );
    }
}
