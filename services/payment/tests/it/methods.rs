//! Payment methods: tokens only, seen by their owner only, forgotten for good.

use paymesh_kernel::{ErrorKind, Fault as _, Principal, Role, id::UserId};
use paymesh_proto::payment::v1::{self as proto, AttemptCapture, AttemptState, PaymentMethodState};
use paymesh_proto::types::v1::{DeclineReason, Outcome, Page};

use crate::{on_both_engines, world::World};

fn creation(person: &Principal, token: &str) -> proto::CreatePaymentMethodRequest {
    proto::CreatePaymentMethodRequest {
        idempotency_key: format!("key of {}", token.len()),
        customer_id: person.subject.clone(),
        connector: String::new(),
        provider_token: token.to_owned(),
        kind: proto::PaymentMethodKind::Card.into(),
    }
}

async fn p9_what_looks_like_a_card_number_is_refused(world: World) {
    let person = world.person(Role::Customer);
    // The schemes' public test numbers, cut in two so that no scanner takes this file for a leak.
    for (head, tail) in [("42424242", "42424242"), ("tok_ok 3782-822463", "-10005")] {
        let request = creation(&person, &format!("{head}{tail}"));
        let who = ("gateway", Some(person.clone()));
        let refused = world
            .call_as(who, |mut at| async move {
                at.create_payment_method(request).await
            })
            .await;
        let error = refused.unwrap_err();
        assert_eq!(error.reason_text(), "CARD_NUMBER_REFUSED", "P9");
        assert_eq!(error.kind(), ErrorKind::FailedPrecondition, "P9: 422");
        assert!(!error.to_string().contains(head), "P9: it is not repeated");
    }
    let mut order = world.order("tok_ok", AttemptCapture::Automatic).await;
    order.statement_descriptor = ["4242 4242 ", "4242 4242"].concat();
    let refused = world
        .try_call(|mut at| async move { at.authorize(order).await })
        .await;
    assert_eq!(
        refused.unwrap_err().reason_text(),
        "CARD_NUMBER_REFUSED",
        "P9"
    );
    world.close_the_books().await;
}

async fn a_method_shows_what_the_provider_says_and_is_stored_once(world: World) {
    let person = world.person(Role::Customer);
    let request = creation(&person, "tok_ok.country-NG.fp-card-7");
    let who = ("gateway", Some(person.clone()));
    let (again, other) = (
        request.clone(),
        proto::CreatePaymentMethodRequest {
            kind: proto::PaymentMethodKind::Wallet.into(),
            ..request.clone()
        },
    );
    let created = world
        .call_as(who.clone(), |mut at| async move {
            at.create_payment_method(request).await
        })
        .await
        .unwrap();
    let method = created.payment_method.unwrap();
    assert_eq!(
        (method.issuer_country.as_str(), method.fingerprint.as_str()),
        ("NG", "card-7")
    );
    assert_eq!((method.brand.as_str(), method.last4.len()), ("testcard", 4));
    let repeated = world
        .call_as(who.clone(), |mut at| async move {
            at.create_payment_method(again).await
        })
        .await
        .unwrap();
    assert_eq!(repeated.outcome(), Outcome::AlreadyApplied);
    assert_eq!(repeated.payment_method.unwrap().id, method.id);
    let refused = world
        .call_as(who.clone(), |mut at| async move {
            at.create_payment_method(other).await
        })
        .await;
    assert_eq!(refused.unwrap_err().reason_text(), "IDEMPOTENCY_KEY_REUSED");
    let unknown = creation(&person, "tok_nonsense");
    let refused = world
        .call_as(who, |mut at| async move {
            at.create_payment_method(unknown).await
        })
        .await;
    assert_eq!(refused.unwrap_err().reason_text(), "PROVIDER_TOKEN_UNKNOWN");
    world.close_the_books().await;
}

async fn a_method_is_there_for_its_owner_only(world: World) {
    let (owner, stranger) = (world.person(Role::Customer), world.person(Role::Customer));
    let request = creation(&owner, "tok_ok");
    let who = ("gateway", Some(owner.clone()));
    let created = world
        .call_as(who.clone(), |mut at| async move {
            at.create_payment_method(request).await
        })
        .await
        .unwrap();
    let id = created.payment_method.unwrap().id;
    let elsewhere = Principal {
        tenant: world.ids.next(),
        ..world.person(Role::Admin)
    };
    for foreigner in [stranger.clone(), elsewhere] {
        let request = proto::GetPaymentMethodRequest {
            payment_method_id: id.clone(),
        };
        let who = ("gateway", Some(foreigner));
        let missing = world
            .call_as(
                who,
                |mut at| async move { at.get_payment_method(request).await },
            )
            .await;
        assert_eq!(
            missing.unwrap_err().reason_text(),
            "PAYMENT_METHOD_NOT_FOUND"
        );
    }
    let for_another = creation(&owner, "tok_ok_2");
    let refused = world
        .call_as(("gateway", Some(stranger)), |mut at| async move {
            at.create_payment_method(for_another).await
        })
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    world.close_the_books().await;
}

async fn methods_are_listed_in_pages_each_once(world: World) {
    let owner = world.person(Role::Customer);
    let who = ("gateway", Some(owner.clone()));
    for number in 0..5 {
        let request = proto::CreatePaymentMethodRequest {
            idempotency_key: format!("number {number}"),
            ..creation(&owner, &format!("tok_ok_{number}"))
        };
        world
            .call_as(who.clone(), |mut at| async move {
                at.create_payment_method(request).await
            })
            .await
            .unwrap();
    }
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let request = proto::ListPaymentMethodsRequest {
            customer_id: owner.subject.clone(),
            state: PaymentMethodState::Unspecified.into(),
            page: Some(Page { size: 2, token }),
        };
        let page = world
            .call_as(who.clone(), |mut at| async move {
                at.list_payment_methods(request).await
            })
            .await
            .unwrap();
        seen.extend(page.payment_methods.into_iter().map(|method| method.id));
        token = page.page_info.unwrap().next_token;
        if token.is_empty() {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen.len(), 5, "each once, in pages of two");
    world.close_the_books().await;
}

async fn a_detached_method_is_a_decline(world: World) {
    let order = world.order("tok_ok", AttemptCapture::Automatic).await;
    let request = proto::DetachPaymentMethodRequest {
        payment_method_id: order.payment_method_id.clone(),
    };
    let again = request.clone();
    let support = ("gateway", Some(world.person(Role::Admin)));
    let detached = world
        .call_as(support.clone(), |mut at| async move {
            at.detach_payment_method(request).await
        })
        .await
        .unwrap();
    assert_eq!(
        detached.payment_method.unwrap().state(),
        PaymentMethodState::Detached
    );
    let repeated = world
        .call_as(support, |mut at| async move {
            at.detach_payment_method(again).await
        })
        .await
        .unwrap();
    assert_eq!(repeated.outcome(), Outcome::AlreadyApplied);
    let declined = world.authorize(&order).await;
    assert_eq!(declined.state(), AttemptState::Declined);
    assert_eq!(
        declined.decline_reason(),
        DeclineReason::PaymentMethodInvalid
    );
    let mut nobody = world.order("tok_ok", AttemptCapture::Automatic).await;
    nobody.payment_method_id = world
        .ids
        .next::<paymesh_payment::domain::PaymentMethodId>()
        .to_string();
    assert_eq!(
        world.authorize(&nobody).await.state(),
        AttemptState::Declined
    );
    assert_eq!(world.gate.posts("/v1/payments"), 0, "no provider was asked");
    world.close_the_books().await;
}

async fn money_moves_for_transaction_alone_and_wrong_fields_are_named(world: World) {
    let order = world.order("tok_ok", AttemptCapture::Automatic).await;
    let who = ("gateway", Some(world.person(Role::Admin)));
    let sent = order.clone();
    let refused = world
        .call_as(who, |mut at| async move { at.authorize(sent).await })
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    let wrong = proto::AuthorizeRequest {
        attempt_id: "att_x".to_owned(),
        amount: Some(crate::world::eur(0)),
        capture: 9,
        ..order
    };
    let refused = world
        .try_call(|mut at| async move { at.authorize(wrong).await })
        .await
        .unwrap_err();
    let fields: Vec<String> = refused
        .violations()
        .iter()
        .map(|one| one.field.to_string())
        .collect();
    assert_eq!(fields, ["attempt_id", "amount.minor", "capture"]);
    let paid = world.pay("tok_ok", AttemptCapture::Automatic).await;
    let stranger: UserId = world.ids.next();
    let stranger = Principal {
        subject: stranger.to_string(),
        ..world.person(Role::Support)
    };
    let elsewhere = Principal {
        tenant: world.ids.next(),
        ..stranger
    };
    let request = proto::GetAttemptRequest {
        attempt_id: paid.id,
    };
    let missing = world
        .call_as(("gateway", Some(elsewhere)), |mut at| async move {
            at.get_attempt(request).await
        })
        .await;
    assert_eq!(missing.unwrap_err().reason_text(), "ATTEMPT_NOT_FOUND");
    world.close_the_books().await;
}

on_both_engines!(
    p9_what_looks_like_a_card_number_is_refused,
    a_method_shows_what_the_provider_says_and_is_stored_once,
    a_method_is_there_for_its_owner_only,
    methods_are_listed_in_pages_each_once,
    a_detached_method_is_a_decline,
    money_moves_for_transaction_alone_and_wrong_fields_are_named,
);
