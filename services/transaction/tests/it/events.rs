//! Facts: what we tell, what lists and summaries make of it, and what payment tells us later.

use paymesh_bus::{Event, publish};
use paymesh_chassis::migrate;
use paymesh_kernel::{ChangeSet, Clock as _, Database, Writer, group_commit::GroupCommitConfig};
use paymesh_proto::{
    Fact,
    account::v1::AccountPurpose,
    payment::v1::{self as payment, AttemptSnapshot},
    transaction::v1::{self as wire, TransactionStatus as Status},
    types::v1::Page,
};
use paymesh_testkit::TestDatabase;
use paymesh_transaction::Transaction;
use tokio::sync::Mutex;

use crate::{
    fakes::Behaviour,
    platform::{AVAILABLE, BOB_USD, PENDING, Platform, money, transfer},
    refunds::DISPUTE,
};

/// Publishes on the stream of payment.
pub(crate) struct Payment {
    _database: TestDatabase,
    writer: Writer,
    sequence: Mutex<i64>,
}

impl Payment {
    pub(crate) async fn start(platform: &Platform) -> Self {
        let database = TestDatabase::sqlite().await;
        let opened: Database = migrate::<Transaction>(&database.config).await.unwrap();
        let tasks = &platform.harness.platform.tasks;
        let writer = Writer::start(
            "payment",
            GroupCommitConfig::default(),
            opened.clone(),
            tasks,
        );
        platform
            .harness
            .platform
            .bus
            .start_relay("payment", &opened, &writer)
            .unwrap();
        Self {
            _database: database,
            writer,
            sequence: Mutex::new(0),
        }
    }

    pub(crate) async fn tell<F: Fact>(&self, platform: &Platform, aggregate: uuid::Uuid, fact: F) {
        let mut sequence = self.sequence.lock().await;
        *sequence += 1;
        let now = platform.harness.clock.now();
        let mut changes = ChangeSet::new();
        publish(
            &mut changes,
            Event {
                id: platform.harness.platform.ids.next(),
                tenant: Some(platform.harness.tenant),
                stream: "payment".into(),
                kind: F::TYPE.into(),
                aggregate_type: F::AGGREGATE.into(),
                aggregate_id: aggregate,
                sequence: *sequence,
                causation_id: String::new(),
                correlation_id: String::new(),
                occurred_at: now,
                business_at: now,
                traceparent: None,
                payload: fact.encode_to_vec(),
            },
        );
        self.writer.commit(changes).await.unwrap();
    }
}

fn snapshot(of: &wire::Transaction) -> Option<AttemptSnapshot> {
    Some(AttemptSnapshot {
        attempt_id: of.attempt_id.clone(),
        transaction_id: of.id.clone(),
        ..AttemptSnapshot::default()
    })
}

#[tokio::test]
async fn an_outcome_that_payment_tells_wakes_the_saga_that_waits_for_it() {
    let mut platform = Platform::new().await;
    platform.config.backoff_first_ms = 3_600_000;
    platform.config.backoff_max_ms = 3_600_000;
    platform.start().await;
    let payment = Payment::start(&platform).await;
    platform.card_does(Behaviour::AsksToVerify);
    let waiting = platform
        .create(&platform.alice, platform.purchase("k1"))
        .await
        .unwrap()
        .transaction
        .unwrap();
    assert_eq!(waiting.status(), Status::RequiresAction);
    // The payer verified at the provider and never came back to us.
    platform.world.provider.lock().settle(&waiting.id);
    let fact = payment::PaymentProcessed {
        attempt: snapshot(&waiting),
        amount: money(10_000, "USD"),
        ..payment::PaymentProcessed::default()
    };
    payment
        .tell(&platform, uuid::Uuid::from_u128(1), fact)
        .await;
    platform.until(&waiting.id, Status::Completed).await;
    assert_eq!(platform.world.ledger.lock().balance(PENDING), 9_154 - 295);
}

#[tokio::test]
async fn t12_success_that_comes_after_the_end_is_given_back_by_itself() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let payment = Payment::start(&platform).await;
    platform.card_does(Behaviour::NeverArrives);
    let mut request = platform.purchase("k1");
    request.wait_ms = Some(50);
    let first = platform
        .create(&platform.alice, request)
        .await
        .unwrap()
        .transaction
        .unwrap();
    let ended = platform.until(&first.id, Status::Compensated).await;
    // It arrived after all.
    platform.world.provider.lock().settle(&ended.id);
    assert_eq!(platform.world.provider.lock().taken(), 10_000);
    let fact = payment::PaymentProcessed {
        attempt: snapshot(&ended),
        ..payment::PaymentProcessed::default()
    };
    payment
        .tell(&platform, uuid::Uuid::from_u128(2), fact)
        .await;
    platform
        .harness
        .eventually("the money is given back", || async {
            platform.world.provider.lock().taken() == 0
        })
        .await;
    assert_eq!(
        platform.get(&ended.id).await.status(),
        Status::Compensated,
        "T12: the end stays"
    );
    platform.world.ledger.lock().assert_balanced();
}

#[tokio::test]
async fn t13_a_refund_that_fails_after_it_succeeded_is_reversed() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let payment = Payment::start(&platform).await;
    let id = platform.purchased("k1").await;
    let refund = platform
        .refund((&id, "r1"), Some(5_000))
        .await
        .unwrap()
        .operation
        .unwrap();
    assert_ne!(platform.world.ledger.lock().balance(PENDING), 9_154 - 295);
    let of = platform.get(&id).await;
    let fact = payment::RefundFailed {
        attempt: snapshot(&of),
        refund_id: refund.id.clone(),
        after_success: true,
        ..payment::RefundFailed::default()
    };
    payment
        .tell(&platform, uuid::Uuid::from_u128(3), fact)
        .await;
    platform
        .harness
        .eventually("the refund has failed", || async {
            let of = platform.get(&id).await;
            of.operations
                .iter()
                .any(|part| part.id == refund.id && part.state() == wire::OperationState::Failed)
        })
        .await;
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    assert_eq!(ledger.balance(PENDING), 9_154 - 295, "T13");
    assert_eq!(platform.get(&id).await.refunded.unwrap().minor, 0, "T13");
}

#[tokio::test]
async fn disputes_that_payment_tells_of_are_booked() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let payment = Payment::start(&platform).await;
    let id = platform.purchased("k1").await;
    let dispute = Some(payment::Dispute {
        id: DISPUTE.to_owned(),
        transaction_id: id.clone(),
        amount: money(10_000, "USD"),
        connector_fee: money(1_500, "USD"),
        ..payment::Dispute::default()
    });
    let aggregate = uuid::Uuid::from_u128(4);
    let opened = payment::DisputeOpened {
        dispute: dispute.clone(),
        ..payment::DisputeOpened::default()
    };
    payment.tell(&platform, aggregate, opened).await;
    let available = |minor: i64| {
        let ledger = &platform.world.ledger;
        move || async move { ledger.lock().balance(AVAILABLE) == minor }
    };
    platform
        .harness
        .eventually("the chargeback is booked", available(-(9_246 + 1_400)))
        .await;
    let won = payment::DisputeWon {
        dispute,
        ..payment::DisputeWon::default()
    };
    payment.tell(&platform, aggregate, won).await;
    platform
        .harness
        .eventually("the chargeback is given back", || async {
            // A fact that comes while its saga is at work waits in a row.
            platform
                .harness
                .clock
                .advance(std::time::Duration::from_secs(1));
            platform.world.ledger.lock().balance(AVAILABLE) == 0
        })
        .await;
    let ledger = platform.world.ledger.lock();
    ledger.assert_balanced();
    let fees = ledger.system_balance(AccountPurpose::ConnectorFees, "USD", "sim");
    assert_eq!(
        fees, -1_500,
        "T16: the fact says that the fee stays charged"
    );
}

#[tokio::test]
async fn t16_of_a_won_dispute_comes_back_of_the_fee_what_the_fact_says() {
    for (kept, fees) in [
        (money(1_500, "USD"), -1_500),
        (money(500, "USD"), -500),
        (None, 0),
    ] {
        let mut platform = Platform::new().await;
        platform.start().await;
        let payment = Payment::start(&platform).await;
        let id = platform.purchased("k1").await;
        let dispute = |connector_fee| {
            Some(payment::Dispute {
                id: DISPUTE.to_owned(),
                transaction_id: id.clone(),
                amount: money(10_000, "USD"),
                connector_fee,
                ..payment::Dispute::default()
            })
        };
        let owed = AccountPurpose::ConnectorReceivable;
        let before = platform
            .world
            .ledger
            .lock()
            .system_balance(owed, "USD", "sim");
        let aggregate = uuid::Uuid::from_u128(4);
        let opened = payment::DisputeOpened {
            dispute: dispute(money(1_500, "USD")),
            ..payment::DisputeOpened::default()
        };
        payment.tell(&platform, aggregate, opened).await;
        let won = payment::DisputeWon {
            dispute: dispute(kept),
            ..payment::DisputeWon::default()
        };
        payment.tell(&platform, aggregate, won).await;
        platform
            .harness
            .eventually("the dispute is given back", || async {
                platform
                    .harness
                    .clock
                    .advance(std::time::Duration::from_secs(1));
                let operations = platform.get(&id).await.operations;
                operations.iter().any(|part| {
                    part.kind() == wire::OperationKind::ChargebackReversal
                        && part.state() == wire::OperationState::Completed
                })
            })
            .await;
        let ledger = platform.world.ledger.lock();
        ledger.assert_balanced();
        let charged = ledger.system_balance(AccountPurpose::ConnectorFees, "USD", "sim");
        assert_eq!(charged, fees, "T16");
        // What the connector owes is what its report will say.
        assert_eq!(
            ledger.system_balance(owed, "USD", "sim") - before,
            -fees,
            "T16"
        );
        assert_eq!(ledger.balance(AVAILABLE), 0, "T16: the merchant is whole");
    }
}

async fn listed(platform: &Platform, token: &str) -> wire::ListTransactionsByUserResponse {
    let mut client = platform.client("gateway");
    let request = wire::ListTransactionsByUserRequest {
        user_id: platform.alice.subject.clone(),
        page: Some(Page {
            size: 2,
            token: token.to_owned(),
        }),
        ..wire::ListTransactionsByUserRequest::default()
    };
    platform
        .act(&platform.alice, client.list_transactions_by_user(request))
        .await
        .unwrap()
        .into_inner()
}

#[tokio::test]
async fn a_persons_list_comes_newest_first_in_pages_and_is_nobody_elses() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        platform
            .harness
            .clock
            .advance(std::time::Duration::from_secs(1));
        let answer = platform
            .create(&platform.alice, transfer(&format!("k{n}"), BOB_USD))
            .await
            .unwrap();
        ids.push(answer.transaction.unwrap().id);
    }
    ids.reverse();
    platform
        .harness
        .eventually("all are listed", || async {
            let mut seen = Vec::new();
            let mut token = String::new();
            loop {
                let page = listed(&platform, &token).await;
                seen.extend(
                    page.transactions
                        .into_iter()
                        .map(|transaction| transaction.id),
                );
                token = page.page_info.unwrap().next_token;
                if token.is_empty() {
                    return seen == ids;
                }
            }
        })
        .await;
    let mut client = platform.client("gateway");
    let request = wire::ListTransactionsByUserRequest {
        user_id: platform.alice.subject.clone(),
        ..wire::ListTransactionsByUserRequest::default()
    };
    let foreign = platform
        .act(&platform.bob, client.list_transactions_by_user(request))
        .await
        .unwrap_err();
    assert_eq!(foreign.code(), tonic::Code::NotFound, "T2");
    let request = wire::ListTransactionsRequest::default();
    let own = platform
        .act(&platform.bob, client.list_transactions(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(own.transactions.len(), 5, "Bob is paid in all of them");
}

#[tokio::test]
async fn a_summary_counts_by_kind_state_and_currency() {
    let mut platform = Platform::new().await;
    platform.start().await;
    let id = platform.purchased("k1").await;
    platform.refund((&id, "r1"), Some(2_500)).await.unwrap();
    let mut poor = transfer("k2", BOB_USD);
    poor.amount.as_mut().unwrap().minor = 60_000;
    platform.create(&platform.alice, poor).await.unwrap();
    let summary = || async {
        let mut client = platform.client("gateway");
        let request = wire::GetTransactionSummaryRequest::default();
        let answer = platform
            .act(&platform.finance, client.get_transaction_summary(request))
            .await;
        let mut lines = Vec::new();
        for line in answer.unwrap().into_inner().lines {
            let (count, amount) = (line.transaction_count, line.amount_minor);
            lines.push((
                line.kind(),
                line.status(),
                line.currency.clone(),
                count,
                amount,
                line.fee_minor,
            ));
        }
        lines
    };
    use wire::TransactionKind as Kind;
    let expected = [
        (
            Kind::Purchase,
            Status::Completed,
            "EUR".to_owned(),
            0,
            0,
            295,
        ),
        (
            Kind::Purchase,
            Status::Completed,
            "USD".to_owned(),
            1,
            10_000,
            0,
        ),
        (
            Kind::Refund,
            Status::Completed,
            "USD".to_owned(),
            1,
            2_500,
            0,
        ),
        (
            Kind::Transfer,
            Status::Declined,
            "USD".to_owned(),
            1,
            60_000,
            0,
        ),
    ];
    platform
        .harness
        .eventually("the summary is complete", || async {
            summary().await == expected
        })
        .await;
}

#[tokio::test]
async fn t14_a_saga_that_cannot_be_read_stands_in_nobodys_way() {
    use sea_orm::ConnectionTrait as _;
    let mut platform = Platform::new().await;
    platform.start().await;
    platform.world.ledger.lock().line.calls_to_refuse = 3;
    let mut ids = Vec::new();
    for key in ["k1", "k2", "k3"] {
        let mut request = platform.purchase(key);
        request.wait_ms = Some(0);
        ids.push(
            platform
                .create(&platform.alice, request)
                .await
                .unwrap()
                .transaction
                .unwrap()
                .id,
        );
    }
    let config = platform.harness.database_of("transaction").await;
    let database = Database::open(&config).await.unwrap();
    let broken = "INSERT INTO operations SELECT randomblob(16), tenant_id, randomblob(16), kind, 'pending', currency, amount_minor, \
                  version, '', NULL, 1, 0, '{', details, created_at, NULL FROM operations LIMIT 1";
    database.writer().execute_unprepared(broken).await.unwrap();
    for id in &ids {
        platform.until(id, Status::Completed).await;
    }
    let query = sea_orm::Statement::from_string(
        sea_orm::DatabaseBackend::Sqlite,
        "SELECT COUNT(*) AS put_off FROM operations WHERE saga = '{' AND version > 1 AND next_wake_at > 1",
    );
    let row = database
        .reader()
        .query_one_raw(query)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.try_get::<i64>("", "put_off").unwrap(), 1, "T14");
}
