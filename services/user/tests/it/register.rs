//! Registration, and every place where it may be interrupted (U1).

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Fault as _, Outcome as Certainty};
use paymesh_proto::{
    types::v1::Outcome,
    user::v1::{UserCreated, UserState},
};
use prost::Message as _;

use crate::{
    fakes::Mood,
    world::{EMAIL, PASSWORD, World, reason, uuid_of, worlds},
};

/// Waits until nothing of the registration is open, and checks that it ended well.
async fn ends_active(world: &World) {
    let admin = world.admin();
    world
        .harness
        .eventually("the user is active", || async {
            // Time passes until the wake-up is due.
            world.harness.clock.advance(Duration::from_secs(10));
            let users = find(world, &admin).await;
            users.iter().any(|user| user.state() == UserState::Active)
        })
        .await;
    let users = find(world, &admin).await;
    assert_eq!(users.len(), 1);
    let asked = world.others.books(|books| books.asked.clone());
    assert!(asked.windows(2).all(|pair| pair[0] == pair[1]), "{asked:?}");
    let opened = world
        .others
        .books(|books| books.accounts[&users[0].id].len());
    assert_eq!(opened, 1, "U1: one account, however often it was asked for");
    let repeat = world.register(world.request("one", EMAIL)).await.unwrap();
    assert_eq!(repeat.outcome(), Outcome::AlreadyApplied);
    assert_eq!(repeat.account_id, asked[0]);
    assert!(world.login(EMAIL, PASSWORD).await.is_ok());
}

async fn find(
    world: &World,
    admin: &paymesh_kernel::Principal,
) -> Vec<paymesh_proto::user::v1::User> {
    let request = paymesh_proto::user::v1::ListUsersRequest {
        email: EMAIL.to_owned(),
        ..Default::default()
    };
    let call = world.call(admin, |mut client| async move {
        client.list_users(request).await
    });
    call.await.unwrap().users
}

#[tokio::test]
async fn u1_a_registered_user_has_an_open_account_and_a_fact_says_so() {
    for world in worlds().await {
        let mut facts = world.facts().await;
        let answer = world.register(world.request("one", EMAIL)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::Applied);
        let user = answer.user.unwrap();
        assert_eq!(
            (user.state(), user.email.as_str()),
            (UserState::Active, EMAIL)
        );
        assert_eq!(user.consents.len(), 1);
        let account = world
            .others
            .books(|books| books.accounts[&user.id][0].clone());
        assert_eq!(account.id, answer.account_id);
        assert_eq!(
            (account.currency.as_str(), account.owner.unwrap().id),
            ("EUR", user.id.clone())
        );
        let told = facts.about(uuid_of(&user.id), 1).await;
        assert_eq!((told[0].0.as_str(), told[0].1), ("user.created.v1", 1));
        let fact = UserCreated::decode(told[0].2.as_slice()).unwrap();
        assert_eq!(
            (fact.user_id, fact.country.as_str(), fact.currency.as_str()),
            (user.id, "DE", "EUR")
        );
        let text = String::from_utf8_lossy(&told[0].2);
        assert!(
            !text.contains("anna") && !text.contains("Anna"),
            "U3: {text}"
        );
    }
}

#[tokio::test]
async fn a_repeat_with_the_same_key_answers_the_same_user() {
    for world in worlds().await {
        let first = world.register(world.request("one", EMAIL)).await.unwrap();
        let again = world.register(world.request("one", EMAIL)).await.unwrap();
        assert_eq!(again.outcome(), Outcome::AlreadyApplied);
        assert_eq!(
            (again.user, again.account_id),
            (first.user, first.account_id)
        );
        let mut other = world.request("one", EMAIL);
        other.password.push('!');
        assert_eq!(
            reason(world.register(other).await),
            "IDEMPOTENCY_KEY_REUSED"
        );
        let taken = world.request("two", "ANNA@example.com");
        assert_eq!(reason(world.register(taken).await), "EMAIL_TAKEN");
        assert_eq!(world.others.books(|books| books.accounts.len()), 1);
    }
}

#[tokio::test]
async fn ten_registrations_side_by_side_make_one_user() {
    for world in worlds().await {
        let calls = (0..10).map(|n| {
            let key = if n % 2 == 0 { "even" } else { "odd" };
            world.register(world.request(key, EMAIL))
        });
        let answers = futures::future::join_all(calls).await;
        let users: Vec<String> = answers
            .into_iter()
            .filter_map(|answer| match answer {
                Ok(answer) => Some(answer.user.unwrap().id),
                Err(error) => {
                    assert_eq!(error.reason_text(), "EMAIL_TAKEN");
                    None
                }
            })
            .collect();
        assert_eq!(users.len(), 5);
        assert!(users.iter().all(|user| *user == users[0]));
    }
}

#[tokio::test]
async fn u1_before_the_first_commit_nothing_is_left_and_a_repeat_begins() {
    for mut world in worlds().await {
        // The writer has stopped: the request is refused before anything is written.
        assert!(
            world
                .harness
                .platform
                .tasks
                .stop(Duration::from_secs(5))
                .await
        );
        let error = world
            .register(world.request("one", EMAIL))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.outcome()),
            (ErrorKind::Unavailable, Certainty::NotProcessed)
        );
        assert!(world.others.books(|books| books.asked.is_empty()));
        world.restart().await;
        let answer = world.register(world.request("one", EMAIL)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::Applied);
    }
}

#[tokio::test]
async fn u1_interrupted_before_the_call_the_wake_up_opens_the_account() {
    for mut world in worlds().await {
        world.others.books(|books| books.mood = Mood::Down);
        let error = world
            .register(world.request("one", EMAIL))
            .await
            .unwrap_err();
        assert_eq!(
            (error.reason_text(), error.outcome()),
            ("ACCOUNT_PENDING", Certainty::Unknown)
        );
        assert_eq!(
            reason(world.login(EMAIL, PASSWORD).await),
            "ACCOUNT_PENDING"
        );
        world.restart().await;
        world.others.books(|books| books.mood = Mood::Good);
        ends_active(&world).await;
    }
}

#[tokio::test]
async fn u1_interrupted_while_the_ledger_works_the_wake_up_finds_the_open_account() {
    for mut world in worlds().await {
        world.others.books(|books| books.mood = Mood::Hangs);
        let asked = || world.others.books(|books| !books.asked.is_empty());
        tokio::select! {
            answer = world.register(world.request("one", EMAIL)) => panic!("nobody answers: {answer:?}"),
            () = world.harness.eventually("the ledger is asked", || async { asked() }) => {}
        }
        // The process dies between the ledger's commit and ours.
        world.restart().await;
        world.others.books(|books| books.mood = Mood::Good);
        ends_active(&world).await;
    }
}

#[tokio::test]
async fn u1_with_a_lost_answer_the_repeat_of_the_request_finishes() {
    for world in worlds().await {
        world.others.books(|books| books.mood = Mood::LosesAnswers);
        assert_eq!(
            reason(world.register(world.request("one", EMAIL)).await),
            "ACCOUNT_PENDING"
        );
        world.others.books(|books| books.mood = Mood::Good);
        let answer = world.register(world.request("one", EMAIL)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::AlreadyApplied);
        assert_eq!(answer.user.unwrap().state(), UserState::Active);
        ends_active(&world).await;
    }
}

#[tokio::test]
async fn u1_an_account_that_is_refused_leaves_no_person_behind() {
    for world in worlds().await {
        world.others.books(|books| books.mood = Mood::Refuses);
        assert_eq!(
            reason(world.register(world.request("one", EMAIL)).await),
            "ACCOUNT_REFUSED"
        );
        assert_eq!(
            reason(world.register(world.request("one", EMAIL)).await),
            "ACCOUNT_REFUSED"
        );
        assert_eq!(
            reason(world.login(EMAIL, PASSWORD).await),
            "CREDENTIALS_INVALID"
        );
        world.others.books(|books| books.mood = Mood::Good);
        let answer = world.register(world.request("two", EMAIL)).await.unwrap();
        assert_eq!(answer.outcome(), Outcome::Applied);
    }
}

#[tokio::test]
async fn every_field_that_breaks_a_rule_is_named() {
    let world = worlds().await.remove(0);
    let mut request = world.request("one", "no address");
    request.password = "short".to_owned();
    request.name = "\u{7}".to_owned();
    request.country = "XX".to_owned();
    request.currency = "XXX".to_owned();
    request.consents[0].purpose = 0;
    let error = world.register(request).await.unwrap_err();
    let fields: Vec<String> = error
        .violations()
        .iter()
        .map(|v| v.field.to_string())
        .collect();
    assert_eq!(
        fields,
        [
            "email", "name", "password", "country", "currency", "consents"
        ]
    );
    let mut request = world.request("", EMAIL);
    assert_eq!(
        reason(world.register(request.clone()).await),
        "IDEMPOTENCY_KEY_MALFORMED"
    );
    request.tenant_id = "tnt_01h455vb4pex5vsknk084sn02q".to_owned();
    assert_eq!(reason(world.register(request).await), "TENANT_NOT_FOUND");
}
