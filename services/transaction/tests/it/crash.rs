//! The crash sweep: for each scenario the process dies at its first, second, third… point, before and after each commit (with the
//! facts in it) and each call, until a run gets through. Another instance takes over, the caller repeats its request with the same
//! key, and in the end the state, the books and the provider are as if nothing had happened (T10).

use std::time::Duration;

use futures::future::BoxFuture;
use paymesh_proto::transaction::v1::{self as wire, TransactionStatus as Status};
use tonic::Status as Error;

use crate::{
    fakes::{Behaviour, Verdict},
    platform::{
        ALICE_USD, AVAILABLE, BOB_EUR, BOB_USD, DiesAt, PENDING, Platform, account, bank, request,
        transfer,
    },
    refunds::DISPUTE,
};

/// More points than any scenario has.
const MOST_POINTS: usize = 60;

type Begin = for<'a> fn(&'a Platform) -> BoxFuture<'a, String>;
type Act = for<'a> fn(&'a Platform, &'a str) -> BoxFuture<'a, Result<wire::Transaction, Error>>;

struct Scenario {
    name: &'static str,
    /// Before the crash: gives the transaction that it is about, or nothing.
    begin: Begin,
    /// What the process dies in, and what the caller repeats.
    act: Act,
    /// Where the transaction ends.
    end: Status,
    /// What the books say then.
    check: fn(&Platform),
}

async fn sweep(scenario: Scenario) {
    for point in 1..MOST_POINTS {
        let mut platform = Platform::new().await;
        platform.start().await;
        let about = (scenario.begin)(&platform).await;
        platform.config.wait_ms = 60;
        platform.harness.restart().await;
        platform.world.attach(&platform.harness);
        let dies = DiesAt::new(point);
        platform.start_until(Some(dies.clone())).await;
        let told = format!("{} at point {point}", scenario.name);
        platform
            .harness
            .eventually(&told, || async {
                // Less than a lease in all: nobody takes over from the living.
                platform.harness.clock.advance(Duration::from_millis(100));
                let answer = (scenario.act)(&platform, &about).await;
                dies.is_dead()
                    || answer.is_ok_and(|transaction| transaction.status() == scenario.end)
            })
            .await;
        let died = dies.is_dead();
        platform.restart().await;
        recovered(&platform, &scenario, (&about, point)).await;
        if !died {
            return;
        }
    }
    panic!("{} has more than {MOST_POINTS} points", scenario.name);
}

async fn recovered(platform: &Platform, scenario: &Scenario, (about, point): (&str, usize)) {
    let told = format!("{} after dying at point {point}", scenario.name);
    platform
        .harness
        .eventually(&told, || async {
            platform.harness.clock.advance(Duration::from_millis(200));
            let answer = (scenario.act)(platform, about).await;
            answer.is_ok_and(|transaction| transaction.status() == scenario.end)
        })
        .await;
    let ledger = platform.world.ledger.lock().clone();
    ledger.assert_balanced();
    (scenario.check)(platform);
    let authorizations = platform.world.provider.lock().authorizations;
    assert!(
        authorizations <= 1,
        "T10: {told}: {authorizations} authorizations"
    );
    let decisions = platform.world.risk.lock().decisions.len();
    assert!(decisions <= 1, "T10: {told}: {decisions} decisions of risk");
}

fn nothing(_: &Platform) -> BoxFuture<'_, String> {
    Box::pin(async { String::new() })
}

fn reserved_is(platform: &Platform, minor: i64) {
    assert_eq!(platform.world.ledger.lock().reserved(), minor);
}

fn balance_is(platform: &Platform, id: &str, minor: i64) {
    assert_eq!(platform.world.ledger.lock().balance(id), minor, "{id}");
}

fn taken_is(platform: &Platform, minor: i64) {
    assert_eq!(platform.world.provider.lock().taken(), minor);
}

async fn created(
    platform: &Platform,
    request: wire::CreateTransactionRequest,
) -> Result<wire::Transaction, Error> {
    Ok(platform
        .create(&platform.alice, request)
        .await?
        .transaction
        .unwrap())
}

#[tokio::test]
async fn t10_a_transfer_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "transfer",
        begin: nothing,
        act: |platform, _| Box::pin(created(platform, transfer("k", BOB_USD))),
        end: Status::Completed,
        check: |platform| balance_is(platform, BOB_USD, 10_000),
    })
    .await;
}

#[tokio::test]
async fn t10_a_transfer_across_currencies_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "transfer across currencies",
        begin: nothing,
        act: |platform, _| Box::pin(created(platform, transfer("k", BOB_EUR))),
        end: Status::Completed,
        check: |platform| balance_is(platform, BOB_EUR, 9_154),
    })
    .await;
}

#[tokio::test]
async fn t10_a_transfer_without_funds_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "transfer without funds",
        begin: nothing,
        act: |platform, _| {
            Box::pin(async move {
                let mut poor = transfer("k", BOB_USD);
                poor.amount.as_mut().unwrap().minor = 60_000;
                created(platform, poor).await
            })
        },
        end: Status::Declined,
        check: |platform| balance_is(platform, ALICE_USD, 50_000),
    })
    .await;
}

#[tokio::test]
async fn t10_a_transfer_in_review_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "review",
        begin: |platform| {
            Box::pin(async move {
                platform.world.risk.lock().verdict = Verdict::Review;
                created(platform, transfer("k", BOB_USD)).await.unwrap().id
            })
        },
        act: |platform, id| {
            Box::pin(async move {
                let mut client = platform.client("gateway");
                let request = wire::ApproveReviewRequest {
                    transaction_id: id.to_owned(),
                    note: String::new(),
                    wait_ms: None,
                };
                let answer = platform
                    .act(&platform.finance, client.approve_review(request))
                    .await?;
                Ok(answer.into_inner().transaction.unwrap())
            })
        },
        end: Status::Completed,
        check: |platform| {
            balance_is(platform, BOB_USD, 10_000);
            reserved_is(platform, 0);
        },
    })
    .await;
}

#[tokio::test]
async fn t10_a_reservation_for_a_review_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "reservation for a review",
        begin: |platform| {
            Box::pin(async move {
                platform.world.risk.lock().verdict = Verdict::Review;
                String::new()
            })
        },
        act: |platform, _| Box::pin(created(platform, transfer("k", BOB_USD))),
        end: Status::InReview,
        check: |platform| reserved_is(platform, 10_000),
    })
    .await;
}

#[tokio::test]
async fn t10_a_card_purchase_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "purchase",
        begin: nothing,
        act: |platform, _| Box::pin(created(platform, platform.purchase("k"))),
        end: Status::Completed,
        check: |platform| {
            balance_is(platform, PENDING, 9_154 - 295);
            taken_is(platform, 10_000);
        },
    })
    .await;
}

#[tokio::test]
async fn t10_a_card_purchase_whose_answers_are_lost_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "purchase with lost answers",
        begin: |platform| {
            Box::pin(async move {
                platform.world.provider.lock().line.answers_to_lose = 1;
                platform.world.ledger.lock().line.answers_to_lose = 1;
                String::new()
            })
        },
        act: |platform, _| Box::pin(created(platform, platform.purchase("k"))),
        end: Status::Completed,
        check: |platform| {
            balance_is(platform, PENDING, 9_154 - 295);
            taken_is(platform, 10_000);
        },
    })
    .await;
}

#[tokio::test]
async fn t10_a_declined_and_a_silent_card_survive_a_crash_at_any_point() {
    sweep(Scenario {
        name: "declined purchase",
        begin: |platform| {
            Box::pin(async move {
                platform.card_does(Behaviour::Declines);
                String::new()
            })
        },
        act: |platform, _| Box::pin(created(platform, platform.purchase("k"))),
        end: Status::Declined,
        check: |platform| taken_is(platform, 0),
    })
    .await;
    sweep(Scenario {
        name: "purchase that never arrives",
        begin: |platform| {
            Box::pin(async move {
                platform.card_does(Behaviour::NeverArrives);
                String::new()
            })
        },
        act: |platform, _| Box::pin(created(platform, platform.purchase("k"))),
        end: Status::Compensated,
        check: |platform| taken_is(platform, 0),
    })
    .await;
}

#[tokio::test]
async fn t10_a_verification_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "verification",
        begin: |platform| {
            Box::pin(async move {
                platform.card_does(Behaviour::AsksToVerify);
                created(platform, platform.purchase("k")).await.unwrap().id
            })
        },
        act: |platform, id| {
            Box::pin(async move {
                let action = platform
                    .get(id)
                    .await
                    .required_action
                    .map(|action| action.action_id);
                let mut client = platform.client("gateway");
                let request = wire::CompleteActionRequest {
                    idempotency_key: "act".to_owned(),
                    transaction_id: id.to_owned(),
                    action_id: action.unwrap_or_else(|| "gone".to_owned()),
                    response: "ok".to_owned(),
                    wait_ms: None,
                };
                let answer = platform
                    .act(&platform.alice, client.complete_action(request))
                    .await;
                match answer {
                    Ok(answer) => Ok(answer.into_inner().transaction.unwrap()),
                    // The body names the action, which is gone once the payer has verified.
                    Err(_) => Ok(platform.get(id).await),
                }
            })
        },
        end: Status::Completed,
        check: |platform| taken_is(platform, 10_000),
    })
    .await;
}

#[tokio::test]
async fn t10_a_capture_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "capture",
        begin: |platform| {
            Box::pin(async move {
                created(platform, platform.purchase_for_later("k"))
                    .await
                    .unwrap()
                    .id
            })
        },
        act: |platform, id| {
            Box::pin(async move {
                let answer = platform.capture((id, "c"), Some(6_000), true).await?;
                Ok(answer.transaction.unwrap())
            })
        },
        end: Status::Completed,
        check: |platform| taken_is(platform, 6_000),
    })
    .await;
}

#[tokio::test]
async fn t10_a_capture_of_a_balance_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "capture of a balance",
        begin: |platform| {
            Box::pin(async move {
                let mut request = platform.purchase_for_later("k");
                request.payer = account(ALICE_USD);
                created(platform, request).await.unwrap().id
            })
        },
        act: |platform, id| {
            Box::pin(async move {
                let answer = platform.capture((id, "c"), Some(6_000), false).await?;
                let is_done = answer.operation.unwrap().state() == wire::OperationState::Completed;
                if is_done {
                    Ok(answer.transaction.unwrap())
                } else {
                    Err(Error::unavailable("not yet"))
                }
            })
        },
        end: Status::Authorized,
        check: |platform| {
            balance_is(platform, ALICE_USD, 44_000);
            reserved_is(platform, 4_000);
        },
    })
    .await;
}

#[tokio::test]
async fn t10_a_cancellation_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "cancellation",
        begin: |platform| {
            Box::pin(async move {
                created(platform, platform.purchase_for_later("k"))
                    .await
                    .unwrap()
                    .id
            })
        },
        act: |platform, id| Box::pin(platform.cancel(id, "x")),
        end: Status::Canceled,
        check: |platform| {
            taken_is(platform, 0);
            assert_eq!(platform.world.provider.lock().open_authorizations(), 0);
        },
    })
    .await;
}

async fn refunded(platform: &Platform, id: &str) -> Result<wire::Transaction, Error> {
    let answer = platform.refund((id, "r"), Some(5_000)).await?;
    let state = answer.operation.unwrap().state();
    let is_done = matches!(
        state,
        wire::OperationState::Completed | wire::OperationState::Declined
    );
    if is_done {
        Ok(answer.transaction.unwrap())
    } else {
        Err(Error::unavailable("not yet"))
    }
}

#[tokio::test]
async fn t10_a_refund_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "refund",
        begin: |platform| Box::pin(platform.purchased("k")),
        act: |platform, id| Box::pin(refunded(platform, id)),
        end: Status::Completed,
        check: |platform| {
            taken_is(platform, 5_000);
            balance_is(platform, PENDING, 9_154 - 295 - 4_623);
            reserved_is(platform, 0);
        },
    })
    .await;
}

#[tokio::test]
async fn t10_a_refused_refund_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "refused refund",
        begin: |platform| {
            Box::pin(async move {
                platform.world.provider.lock().refuses_refunds = true;
                platform.purchased("k").await
            })
        },
        act: |platform, id| Box::pin(refunded(platform, id)),
        end: Status::Completed,
        check: |platform| {
            taken_is(platform, 10_000);
            balance_is(platform, PENDING, 9_154 - 295);
            reserved_is(platform, 0);
        },
    })
    .await;
}

#[tokio::test]
async fn t10_a_refund_of_a_balance_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "refund of a balance",
        begin: |platform| {
            Box::pin(async move {
                let mut request = platform.purchase("k");
                request.payer = account(ALICE_USD);
                created(platform, request).await.unwrap().id
            })
        },
        act: |platform, id| Box::pin(refunded(platform, id)),
        end: Status::Completed,
        check: |platform| balance_is(platform, ALICE_USD, 45_000),
    })
    .await;
}

#[tokio::test]
async fn t10_a_chargeback_and_its_reversal_survive_a_crash_at_any_point() {
    fn said<'a>(
        platform: &'a Platform,
        id: &'a str,
        stage: wire::ChargebackStage,
    ) -> BoxFuture<'a, Result<wire::Transaction, Error>> {
        Box::pin(async move {
            let answer = platform.charge_back((id, DISPUTE), stage).await?;
            let is_done = answer.operation.unwrap().state() == wire::OperationState::Completed;
            if is_done {
                Ok(answer.transaction.unwrap())
            } else {
                Err(Error::unavailable("not yet"))
            }
        })
    }
    sweep(Scenario {
        name: "chargeback",
        begin: |platform| Box::pin(platform.purchased("k")),
        act: |platform, id| said(platform, id, wire::ChargebackStage::Opened),
        end: Status::Completed,
        check: |platform| balance_is(platform, AVAILABLE, -(9_246 + 1_400)),
    })
    .await;
    sweep(Scenario {
        name: "chargeback won",
        begin: |platform| {
            Box::pin(async move {
                let id = platform.purchased("k").await;
                said(platform, &id, wire::ChargebackStage::Opened)
                    .await
                    .unwrap();
                id
            })
        },
        act: |platform, id| said(platform, id, wire::ChargebackStage::Won),
        end: Status::Completed,
        check: |platform| balance_is(platform, AVAILABLE, 0),
    })
    .await;
}

#[tokio::test]
async fn t10_a_withdrawal_survives_a_crash_at_any_point() {
    sweep(Scenario {
        name: "withdrawal",
        begin: nothing,
        act: |platform, _| {
            Box::pin(async move {
                let mut asked = request("k", wire::TransactionKind::Withdrawal);
                asked.payer = account(ALICE_USD);
                asked.payee = bank();
                created(platform, asked).await
            })
        },
        end: Status::Processing,
        check: |platform| reserved_is(platform, 10_000),
    })
    .await;
}
