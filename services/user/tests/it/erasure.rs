//! Erasing a person (U4).

use std::time::Duration;

use paymesh_kernel::{ErrorKind, Fault as _, Principal};
use paymesh_mesh::CallError;
use paymesh_proto::{
    account::v1::Balance,
    types::v1::Outcome,
    user::v1::{
        EraseUserRequest, EraseUserResponse, GetContactRequest, GetContactResponse, UserDeleted,
        UserState, user_service_client::UserServiceClient,
    },
};
use prost::Message as _;

use crate::world::{EMAIL, PASSWORD, World, reason, settings, uuid_of, worlds, worlds_with};

const DAY: Duration = Duration::from_secs(86_400);

async fn erase(
    world: &World,
    principal: &Principal,
    user: &str,
) -> Result<EraseUserResponse, CallError> {
    let request = EraseUserRequest {
        user_id: user.to_owned(),
        reason: "asked for".to_owned(),
    };
    world
        .call(principal, |mut client| async move {
            client.erase_user(request).await
        })
        .await
}

async fn contact(world: &World, user: &str) -> Result<GetContactResponse, CallError> {
    let channel = world.harness.channel("notification", "user");
    let principal = Principal::component(world.tenant(), "notification");
    let request = GetContactRequest {
        user_id: user.to_owned(),
    };
    let call = async move { UserServiceClient::new(channel).get_contact(request).await };
    Ok(world.harness.act(&principal, call).await?.into_inner())
}

#[tokio::test]
async fn u4_while_there_is_money_a_hold_or_a_dispute_nobody_is_erased() {
    for world in worlds().await {
        let (user, anna) = world.anna().await;
        let id = user.id.clone();
        let set = |balance: Balance| {
            world
                .others
                .books(|books| books.accounts.get_mut(&id).unwrap()[0].balance = Some(balance));
        };
        set(Balance {
            credits_posted_minor: 5,
            ..Balance::default()
        });
        let error = erase(&world, &anna, &user.id).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.reason_text()),
            (ErrorKind::FailedPrecondition, "ERASURE_BALANCE")
        );
        set(Balance {
            credits_posted_minor: 5,
            debits_posted_minor: 5,
            debits_pending_minor: 1,
            ..Balance::default()
        });
        assert_eq!(
            reason(erase(&world, &anna, &user.id).await),
            "ERASURE_BALANCE"
        );
        set(Balance {
            credits_posted_minor: 5,
            debits_posted_minor: 5,
            ..Balance::default()
        });
        world
            .others
            .books(|books| books.disputes.push(user.id.clone()));
        assert_eq!(
            reason(erase(&world, &anna, &user.id).await),
            "ERASURE_DISPUTE"
        );
        assert_eq!(world.user(&anna, "").await.unwrap().email, EMAIL);
        world.others.books(|books| books.disputes.clear());
        assert_eq!(
            erase(&world, &anna, &user.id).await.unwrap().outcome(),
            Outcome::Applied
        );
    }
}

#[tokio::test]
async fn u4_a_restricted_person_is_out_of_use_at_once_and_erased_when_the_retention_ends() {
    let keeping = paymesh_user::Settings {
        sandbox_retention_days: 10,
        ..settings()
    };
    for mut world in worlds_with(keeping, |access| access).await {
        let mut facts = world.facts().await;
        let (user, anna) = world.anna().await;
        let tokens = world.login(EMAIL, PASSWORD).await.unwrap();
        assert_eq!(contact(&world, &user.id).await.unwrap().email, EMAIL);
        let answer = erase(&world, &anna, &user.id).await.unwrap();
        let shown = answer.user.clone().unwrap();
        assert_eq!(shown.state(), UserState::Restricted);
        assert_eq!((shown.email.as_str(), shown.name.as_str()), ("", ""));
        assert_eq!(
            erase(&world, &anna, &user.id).await.unwrap().outcome(),
            Outcome::AlreadyApplied
        );
        assert_eq!(reason(contact(&world, &user.id).await), "USER_NOT_FOUND");
        assert_eq!(
            reason(world.login(EMAIL, PASSWORD).await),
            "CREDENTIALS_INVALID"
        );
        assert_eq!(
            reason(world.refresh(&tokens.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
        let told = facts.about(uuid_of(&user.id), 2).await;
        assert_eq!(
            deleted(&told[1]),
            (2, UserState::Restricted, answer.erases_at_us)
        );
        world.restart().await;
        let mut facts = world.facts().await;
        world.harness.clock.advance(10 * DAY);
        let told = facts.about(uuid_of(&user.id), 1).await;
        assert_eq!(
            deleted(&told[0]),
            (3, UserState::Erased, answer.erases_at_us)
        );
        assert_eq!(
            world.user(&world.admin(), &user.id).await.unwrap().state(),
            UserState::Erased
        );
        world.customer(EMAIL).await;
    }
}

fn deleted((kind, sequence, payload): &(String, i64, Vec<u8>)) -> (i64, UserState, i64) {
    assert_eq!(kind, "user.deleted.v1");
    let fact = UserDeleted::decode(payload.as_slice()).unwrap();
    (*sequence, fact.state(), fact.erases_at_us)
}

#[tokio::test]
async fn u4_nothing_that_reads_as_the_person_is_left_in_the_database() {
    for mut world in worlds().await {
        let (user, anna) = world.anna().await;
        let config = world.harness.database_of("user").await;
        let database = paymesh_kernel::Database::open(&config).await.unwrap();
        let before = rows(&database, &user.id).await;
        assert_eq!(before, (1, 1, 1), "key, credential, and sealed data");
        assert_eq!(
            erase(&world, &anna, &user.id)
                .await
                .unwrap()
                .user
                .unwrap()
                .state(),
            UserState::Erased
        );
        assert_eq!(rows(&database, &user.id).await, (0, 0, 0));
        database.close().await;
    }
}

async fn rows(database: &paymesh_kernel::Database, user: &str) -> (i64, i64, i64) {
    use sea_orm::{ConnectionTrait as _, Statement};
    let count = async |sql: &str| {
        let connection = database.reader();
        let sql = sql.replace('?', "$1");
        let values = [sea_orm::Value::from(uuid_of(user))];
        let statement =
            Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get::<i64>("", "n").unwrap()
    };
    (
        count("SELECT count(*) AS n FROM subject_keys WHERE user_id = ?").await,
        count("SELECT count(*) AS n FROM credentials WHERE user_id = ?").await,
        count("SELECT count(*) AS n FROM users WHERE id = ? AND (sealed IS NOT NULL OR email_hash IS NOT NULL)").await,
    )
}
