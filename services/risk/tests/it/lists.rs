//! PutListEntry, ListListEntries and DeleteListEntry.

use paymesh_kernel::Fault as _;
use paymesh_proto::{
    risk::v1 as pb,
    types::v1::{Outcome, Page},
};

use crate::world::{World, usd};

crate::scenario! {
    r1_lists_decide_in_the_order_of_deny_allow_review;
    entries_last_until_they_expire_or_are_deleted;
    entries_are_checked_and_listed_in_pages;
}

async fn put(
    world: &World,
    kind: pb::ListKind,
    subject: pb::ListSubject,
    value: &str,
) -> pb::ListEntry {
    let request = pb::PutListEntryRequest {
        entry_id: world.entry_id(),
        kind: kind.into(),
        subject: subject.into(),
        value: value.to_owned(),
        ..Default::default()
    };
    let answer = world
        .staff(|mut client| async move { client.put_list_entry(request).await })
        .await
        .unwrap();
    assert_eq!(answer.outcome(), Outcome::Applied);
    answer.entry.unwrap()
}

async fn delete(world: &World, entry: &pb::ListEntry) -> Outcome {
    let request = pb::DeleteListEntryRequest {
        entry_id: entry.id.clone(),
    };
    let answer = world
        .staff(|mut client| async move { client.delete_list_entry(request).await })
        .await;
    answer.unwrap().outcome()
}

async fn r1_lists_decide_in_the_order_of_deny_allow_review(world: World) {
    let mut request = world.purchase("a");
    request.amount = Some(usd(50_000));
    let decided = async || {
        let request = pb::AssessRequest {
            decision_id: world.decision_id(),
            ..request.clone()
        };
        world.assess(&request).await
    };
    assert_eq!(decided().await.decision(), pb::Decision::Review, "R1");
    put(
        &world,
        pb::ListKind::Allow,
        pb::ListSubject::Merchant,
        "mrc_1",
    )
    .await;
    let allowed = decided().await;
    assert_eq!(
        (allowed.decision(), allowed.score),
        (pb::Decision::Allow, 0),
        "R1"
    );
    let entry = put(
        &world,
        pb::ListKind::Deny,
        pb::ListSubject::PaymentMethod,
        "fp_a",
    )
    .await;
    let denied = decided().await;
    assert_eq!(denied.decision(), pb::Decision::Deny, "R1");
    assert_eq!(denied.reasons[0].code, entry.id);
    assert_eq!(denied.reasons[0].source(), pb::ReasonSource::List);
    let request = pb::ListAlertsRequest {
        kind: pb::AlertKind::ListHit.into(),
        ..Default::default()
    };
    let alerts = world
        .staff(|mut client| async move { client.list_alerts(request).await })
        .await
        .unwrap();
    assert_eq!(alerts.alerts.len(), 1);
}

async fn entries_last_until_they_expire_or_are_deleted(mut world: World) {
    let entry = put(&world, pb::ListKind::Deny, pb::ListSubject::Customer, "a").await;
    let request = pb::PutListEntryRequest {
        entry_id: world.entry_id(),
        kind: pb::ListKind::Review.into(),
        subject: pb::ListSubject::Country.into(),
        value: "DE".to_owned(),
        expires_at_us: world.now_us() + 1_000,
        ..Default::default()
    };
    world
        .staff(|mut client| async move { client.put_list_entry(request).await })
        .await
        .unwrap();
    world.restart().await;
    let later = world.now_us() + 1_000;
    for (customer, at, wanted) in [
        ("a", world.now_us(), pb::Decision::Deny),
        ("b", world.now_us(), pb::Decision::Review),
        ("b", later, pb::Decision::Allow),
    ] {
        let mut request = world.purchase(customer);
        request.business_at_us = at;
        assert_eq!(
            world.assess(&request).await.decision(),
            wanted,
            "{customer}"
        );
    }
    assert_eq!(delete(&world, &entry).await, Outcome::Applied);
    assert_eq!(delete(&world, &entry).await, Outcome::AlreadyApplied);
    let mut request = world.purchase("a");
    request.business_at_us = later;
    assert_eq!(world.assess(&request).await.decision(), pb::Decision::Allow);
}

async fn entries_are_checked_and_listed_in_pages(world: World) {
    for value in ["a", "b", "c"] {
        put(&world, pb::ListKind::Deny, pb::ListSubject::Customer, value).await;
    }
    put(&world, pb::ListKind::Allow, pb::ListSubject::Country, "FR").await;
    let mut request = pb::ListListEntriesRequest {
        kind: pb::ListKind::Deny.into(),
        page: Some(Page {
            size: 2,
            token: String::new(),
        }),
        ..Default::default()
    };
    let mut values = Vec::new();
    loop {
        let asked = request.clone();
        let answer = world
            .staff(|mut client| async move { client.list_list_entries(asked).await })
            .await
            .unwrap();
        values.extend(answer.entries.into_iter().map(|entry| entry.value));
        let token = answer.page_info.unwrap().next_token;
        if token.is_empty() {
            break;
        }
        request.page = Some(Page { size: 2, token });
    }
    assert_eq!(values, ["a", "b", "c"]);
    for (kind, subject, value, field) in [
        (
            pb::ListKind::Unspecified,
            pb::ListSubject::Customer,
            "a",
            "kind",
        ),
        (
            pb::ListKind::Deny,
            pb::ListSubject::Unspecified,
            "a",
            "subject",
        ),
        (
            pb::ListKind::Deny,
            pb::ListSubject::Country,
            "france",
            "value",
        ),
        (pb::ListKind::Deny, pb::ListSubject::Customer, "", "value"),
    ] {
        let request = pb::PutListEntryRequest {
            entry_id: world.entry_id(),
            kind: kind.into(),
            subject: subject.into(),
            value: value.to_owned(),
            ..Default::default()
        };
        let error = world
            .staff(|mut client| async move { client.put_list_entry(request).await })
            .await
            .unwrap_err();
        assert_eq!(error.violations()[0].field, field);
    }
}
