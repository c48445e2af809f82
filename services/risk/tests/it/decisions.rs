//! Assess, Explain, ListDecisions and ListAlerts.

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role};
use paymesh_proto::{
    risk::v1 as pb,
    types::v1::{Outcome, Page, TimeRange},
};

use crate::world::{DAY_US, HOUR_US, World, usd};

crate::scenario! {
    r2_the_same_decision_id_answers_the_same_and_counts_once;
    r2_a_decision_id_is_not_used_for_another_payment;
    r2_repeats_at_the_same_time_make_one_decision;
    r3_a_restart_keeps_what_was_counted;
    r3_late_payments_take_their_place_in_business_time;
    a_large_purchase_goes_to_review_and_explains_itself;
    decisions_are_listed_newest_first_in_pages;
    every_field_at_fault_is_named;
    nobody_sees_the_decisions_of_another_tenant;
    a_denied_payment_raises_an_alert_and_a_fact_follows_each_decision;
}

async fn r2_the_same_decision_id_answers_the_same_and_counts_once(mut world: World) {
    let request = world.purchase("a");
    let first = world.assess(&request).await;
    assert_eq!(first.decision(), pb::Decision::Allow);
    world.advance(Duration::from_secs(5));
    for _ in 0..2 {
        let again = world.try_assess(&request).await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied, "R2");
        assert_eq!(again.decision.unwrap(), first, "R2");
        world.restart().await;
    }
    let next = world.purchase("a");
    assert_eq!(world.probe(&next, "customer_nb_tx_1h").await, 2.0, "R2");
}

async fn r2_a_decision_id_is_not_used_for_another_payment(world: World) {
    let request = world.purchase("a");
    world.assess(&request).await;
    let other = pb::AssessRequest {
        amount: Some(usd(999)),
        ..request.clone()
    };
    let error = world.try_assess(&other).await.unwrap_err();
    assert_eq!(error.reason_text(), "DECISION_REUSED", "R2");
    assert_eq!(
        world.probe(&request, "customer_sum_1h").await,
        2_000.0,
        "R2"
    );
}

async fn r2_repeats_at_the_same_time_make_one_decision(world: World) {
    let request = world.purchase("a");
    let calls = (0..8).map(|_| world.try_assess(&request));
    let answers = futures_of(calls).await;
    let applied = answers
        .iter()
        .filter(|answer| answer.as_ref().unwrap().outcome() == Outcome::Applied);
    assert_eq!(applied.count(), 1, "R2");
    assert_eq!(world.probe(&request, "customer_nb_tx_1h").await, 2.0, "R2");
}

/// All of them, beside each other.
async fn futures_of<F: Future>(calls: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = calls.map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = waiting.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (call, answer) in waiting.iter_mut().zip(&mut done) {
            if answer.is_none()
                && let std::task::Poll::Ready(output) = call.as_mut().poll(context)
            {
                *answer = Some(output);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

async fn r3_a_restart_keeps_what_was_counted(mut world: World) {
    let now = world.now_us();
    for (ago, minor) in [
        (40 * DAY_US, 1),
        (20 * DAY_US, 200),
        (2 * HOUR_US, 300),
        (0, 400),
    ] {
        let mut request = world.purchase("a");
        request.business_at_us = now - ago;
        request.amount = Some(usd(minor));
        world.assess(&request).await;
    }
    world.restart().await;
    let request = world.purchase("a");
    let decision = world.assess(&request).await;
    for (name, wanted) in [
        ("customer_nb_tx_1h", 2.0),
        ("customer_nb_tx_1d", 3.0),
        ("customer_nb_tx_30d", 4.0),
        ("customer_sum_30d", 1_900.0),
        ("payment_method_nb_tx_30d", 4.0),
        ("merchant_sum_1d", 1_700.0),
        ("country_nb_tx_7d", 3.0),
        ("terminal_nb_tx_30d", 1.0),
        ("customer_avg_30d", 475.0),
    ] {
        assert_eq!(
            world.feature(&decision.id, name).await,
            wanted,
            "R3: {name}"
        );
    }
}

async fn r3_late_payments_take_their_place_in_business_time(world: World) {
    let now = world.now_us();
    for ago in [0, 3 * HOUR_US, HOUR_US / 2] {
        let mut request = world.purchase("a");
        request.business_at_us = now - ago;
        world.assess(&request).await;
    }
    let mut request = world.purchase("a");
    request.business_at_us = now - HOUR_US / 4;
    let decision = world.assess(&request).await;
    // What is later in business time does not count, though it was decided on before.
    assert_eq!(
        world.feature(&decision.id, "customer_nb_tx_1h").await,
        2.0,
        "R3"
    );
    assert_eq!(
        world.feature(&decision.id, "customer_nb_tx_1d").await,
        3.0,
        "R3"
    );
}

async fn a_large_purchase_goes_to_review_and_explains_itself(world: World) {
    let mut request = world.purchase("a");
    request.amount = Some(usd(22_001));
    let decision = world.assess(&request).await;
    assert_eq!(
        (decision.decision(), decision.score),
        (pb::Decision::Review, 60)
    );
    assert_eq!(decision.reasons[0].text, "large-card-purchase");
    let explained = world.explain(&decision.id).await;
    assert_eq!(explained.decision.unwrap(), decision);
    assert_eq!(
        explained.matched_rule_ids,
        [decision.reasons[0].code.clone()]
    );
    assert_eq!(explained.features.len(), 56);
    assert_eq!(world.feature(&decision.id, "amount").await, 22_001.0);
    // What is no purchase has other rules.
    let mut transfer = world.purchase("b");
    transfer.transaction_kind = "transfer".to_owned();
    transfer.amount = Some(usd(22_001));
    assert_eq!(
        world.assess(&transfer).await.decision(),
        pb::Decision::Allow
    );
}

async fn decisions_are_listed_newest_first_in_pages(world: World) {
    let mut made = Vec::new();
    for (number, customer) in ["a", "b", "a", "a", "b"].into_iter().enumerate() {
        let mut request = world.purchase(customer);
        if number == 3 {
            request.amount = Some(usd(30_000));
        }
        request.terminal_id = format!("trm_{number}");
        made.push(world.assess(&request).await.id);
        world.advance(Duration::from_secs(60));
    }
    let list = async |request: pb::ListDecisionsRequest| {
        let answer = world
            .staff(|mut client| async move { client.list_decisions(request).await })
            .await
            .unwrap();
        let ids: Vec<String> = answer
            .decisions
            .into_iter()
            .map(|decision| decision.id)
            .collect();
        (ids, answer.page_info.unwrap().next_token)
    };
    let mut page = Page {
        size: 2,
        token: String::new(),
    };
    let mut all = Vec::new();
    loop {
        let (ids, next) = list(pb::ListDecisionsRequest {
            page: Some(page.clone()),
            ..Default::default()
        })
        .await;
        all.extend(ids);
        if next.is_empty() {
            break;
        }
        page.token = next;
    }
    made.reverse();
    assert_eq!(all, made);
    let of_a = pb::ListDecisionsRequest {
        customer_id: "a".to_owned(),
        ..Default::default()
    };
    assert_eq!(list(of_a).await.0.len(), 3);
    let at = pb::ListDecisionsRequest {
        terminal_id: "trm_1".to_owned(),
        ..Default::default()
    };
    assert_eq!(list(at).await.0, [made[3].clone()]);
    let reviewed = pb::ListDecisionsRequest {
        decision: pb::Decision::Review.into(),
        ..Default::default()
    };
    assert_eq!(list(reviewed).await.0, [made[1].clone()]);
    let range = TimeRange {
        from_at_us: world.now_us() - 120_000_000,
        until_at_us: world.now_us(),
    };
    let recent = pb::ListDecisionsRequest {
        business: Some(range),
        ..Default::default()
    };
    assert_eq!(list(recent).await.0, made[..2]);
}

async fn every_field_at_fault_is_named(world: World) {
    let request = pb::AssessRequest {
        decision_id: "x".to_owned(),
        country: "de".to_owned(),
        business_at_us: -1,
        amount: Some(usd(0)),
        ..Default::default()
    };
    let error = world.try_assess(&request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let fields: Vec<String> = error
        .violations()
        .into_iter()
        .map(|violation| violation.field.into_owned())
        .collect();
    assert_eq!(
        fields,
        [
            "decision_id",
            "transaction_id",
            "transaction_kind",
            "amount.minor",
            "customer_id",
            "country",
            "business_at"
        ]
    );
}

async fn nobody_sees_the_decisions_of_another_tenant(world: World) {
    let decision = world.assess(&world.purchase("a")).await;
    let mut stranger = world.harness.person(Role::Admin);
    stranger.tenant = world.harness.platform.ids.next();
    let request = pb::ExplainRequest {
        decision_id: decision.id.clone(),
    };
    let answer = world
        .call_as(("gateway", &stranger), |mut client| async move {
            client.explain(request).await
        })
        .await;
    assert_eq!(answer.unwrap_err().reason_text(), "DECISION_NOT_FOUND");
    let answer = world
        .call_as(("gateway", &stranger), |mut client| async move {
            client
                .list_decisions(pb::ListDecisionsRequest::default())
                .await
        })
        .await;
    assert!(answer.unwrap().decisions.is_empty());
    // An id of one tenant's is no key of another's.
    let component = Principal::component(stranger.tenant, "transaction");
    let request = pb::AssessRequest {
        decision_id: decision.id,
        ..world.purchase("a")
    };
    let answer = world
        .call_as(("transaction", &component), |mut client| async move {
            client.assess(request).await
        })
        .await;
    assert_eq!(answer.unwrap_err().reason_text(), "DECISION_REUSED");
}

async fn a_denied_payment_raises_an_alert_and_a_fact_follows_each_decision(world: World) {
    let mut tail = world.harness.platform.bus.tail("risk").await.unwrap();
    world
        .put_rule("deny-all-of-z", "customer == \"z\"", pb::Decision::Deny)
        .await;
    let decision = world.assess(&world.purchase("z")).await;
    assert_eq!(decision.decision(), pb::Decision::Deny);
    let answer = world
        .staff(
            |mut client| async move { client.list_alerts(pb::ListAlertsRequest::default()).await },
        )
        .await
        .unwrap();
    let [alert] = answer.alerts.as_slice() else {
        panic!("one alert: {answer:?}");
    };
    assert_eq!(
        (alert.kind(), &alert.decision_id),
        (pb::AlertKind::Denied, &decision.id)
    );
    assert_eq!(alert.text, "deny-all-of-z");
    let mut kinds = Vec::new();
    while kinds.len() < 2 {
        if let paymesh_bus::Tailed::Event(event) = tail.next().await.unwrap() {
            if event.kind.starts_with("rule.") {
                continue;
            }
            assert_eq!(event.sequence, 1);
            kinds.push(event.kind.to_string());
        }
    }
    kinds.sort_unstable();
    assert_eq!(kinds, ["fraud_alert.v1", "risk_assessment.completed.v1"]);
}
