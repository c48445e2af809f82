//! What transaction and payment tell becomes labels.

use paymesh_proto::{
    payment::v1::{AttemptSnapshot, Dispute, DisputeOpened, DisputeWon, PaymentFailed},
    risk::v1 as pb,
    transaction::v1::{
        ChargebackStage, TransactionChargedBack, TransactionFailed, TransactionSnapshot,
        TransactionStatus,
    },
    types::v1::DeclineReason,
};

use crate::world::{DAY_US, HOUR_US, World};

crate::scenario! {
    r6_a_dispute_makes_a_terminal_risky_once_the_delay_is_over;
    r6_a_dispute_that_is_won_takes_the_label_away;
    a_chargeback_of_an_allowed_payment_raises_one_alert;
    failures_count_once_and_those_of_risk_do_not;
}

/// Three payments at the terminal, eight days ago; gives the transaction of the first.
async fn paid_before(world: &World) -> String {
    let mut transaction = String::new();
    for number in 0..3 {
        let mut request = world.purchase("a");
        request.business_at_us = world.now_us() - 8 * DAY_US + number;
        if number == 0 {
            transaction.clone_from(&request.transaction_id);
        }
        world.assess(&request).await;
    }
    transaction
}

fn dispute(transaction: &str) -> Option<Dispute> {
    Some(Dispute {
        transaction_id: transaction.to_owned(),
        ..Default::default()
    })
}

async fn risk(world: &World) -> f64 {
    world.probe(&world.purchase("b"), "terminal_risk_7d").await
}

async fn r6_a_dispute_makes_a_terminal_risky_once_the_delay_is_over(mut world: World) {
    let transaction = paid_before(&world).await;
    assert_eq!(risk(&world).await, 0.0);
    let fact = DisputeOpened {
        dispute: dispute(&transaction),
        ..Default::default()
    };
    let aggregate = world.harness.platform.ids.next();
    let known_at = world.now_us() - DAY_US;
    world.tell(aggregate, &fact, known_at).await;
    world
        .eventually("a third of the payments is fraud", async || {
            risk(&world).await > 0.3
        })
        .await;
    // At the moment before it was known, and with the payment inside the delay, it is not used.
    let mut before = world.purchase("b");
    before.business_at_us = known_at - 1;
    assert_eq!(world.probe(&before, "terminal_risk_7d").await, 0.0, "R6");
    world.restart().await;
    assert!(risk(&world).await > 0.3, "R6: a restart keeps labels");
}

async fn r6_a_dispute_that_is_won_takes_the_label_away(mut world: World) {
    let transaction = paid_before(&world).await;
    let opened = DisputeOpened {
        dispute: dispute(&transaction),
        ..Default::default()
    };
    let aggregate = world.harness.platform.ids.next();
    world
        .tell(aggregate, &opened, world.now_us() - DAY_US)
        .await;
    world
        .eventually("it is fraud", async || risk(&world).await > 0.3)
        .await;
    let won = DisputeWon {
        dispute: dispute(&transaction),
        ..Default::default()
    };
    let other = world.harness.platform.ids.next();
    world.tell(other, &won, world.now_us() - HOUR_US).await;
    world
        .eventually("it is fraud no more", async || risk(&world).await < 0.1)
        .await;
    world.restart().await;
    assert_eq!(risk(&world).await, 0.0, "R6");
}

async fn a_chargeback_of_an_allowed_payment_raises_one_alert(mut world: World) {
    let transaction = paid_before(&world).await;
    let fact = |stage: ChargebackStage| TransactionChargedBack {
        transaction: Some(TransactionSnapshot {
            transaction_id: transaction.clone(),
            ..Default::default()
        }),
        stage: stage.into(),
        ..Default::default()
    };
    let now = world.now_us();
    for stage in [ChargebackStage::Opened, ChargebackStage::Lost] {
        let aggregate = world.harness.platform.ids.next();
        world.tell(aggregate, &fact(stage), now).await;
    }
    world
        .eventually("it is fraud", async || risk(&world).await > 0.3)
        .await;
    let request = pb::ListAlertsRequest {
        kind: pb::AlertKind::Chargeback.into(),
        ..Default::default()
    };
    let alerts = world
        .staff(|mut client| async move { client.list_alerts(request).await })
        .await
        .unwrap();
    let [alert] = alerts.alerts.as_slice() else {
        panic!("one alert: {alerts:?}");
    };
    assert_eq!(alert.transaction_id, transaction);
}

async fn failed(world: &World) -> f64 {
    world
        .probe(&world.purchase("a"), "customer_nb_failed_1h")
        .await
}

async fn tell_attempt_failed(world: &mut World, transaction: &str) {
    let fact = PaymentFailed {
        attempt: Some(AttemptSnapshot {
            transaction_id: transaction.to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let aggregate = world.harness.platform.ids.next();
    world.tell(aggregate, &fact, world.now_us()).await;
}

async fn failures_count_once_and_those_of_risk_do_not(mut world: World) {
    let now = world.now_us();
    let mut transactions = Vec::new();
    for _ in 0..3 {
        let request = world.purchase("a");
        world.assess(&request).await;
        transactions.push(request.transaction_id);
    }
    let declined = |transaction: &str, reason: DeclineReason| TransactionFailed {
        transaction: Some(TransactionSnapshot {
            transaction_id: transaction.to_owned(),
            status: TransactionStatus::Declined.into(),
            decline_reason: reason.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    for (transaction, reason) in [
        (&transactions[0], DeclineReason::RiskDenied),
        (&transactions[1], DeclineReason::InsufficientFunds),
        (&transactions[1], DeclineReason::InsufficientFunds),
        (&transactions[2], DeclineReason::IssuerDeclined),
    ] {
        let aggregate = world.harness.platform.ids.next();
        world
            .tell(aggregate, &declined(transaction, reason), now)
            .await;
    }
    world
        .eventually("two failures are known", async || {
            failed(&world).await >= 2.0
        })
        .await;
    assert_eq!(failed(&world).await, 2.0);
    assert_eq!(
        world
            .probe(&world.purchase("a"), "payment_method_nb_failed_1d")
            .await,
        2.0
    );
    // The failed attempt behind the same transaction is the same failure.
    world.restart().await;
    tell_attempt_failed(&mut world, &transactions[2]).await;
    let fresh = world.purchase("z");
    world.assess(&fresh).await;
    tell_attempt_failed(&mut world, &fresh.transaction_id).await;
    let other = async || {
        world
            .probe(&world.purchase("z"), "customer_nb_failed_1h")
            .await
    };
    world
        .eventually("the later failure is known", async || other().await >= 1.0)
        .await;
    assert_eq!(failed(&world).await, 2.0);
}
