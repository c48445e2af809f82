//! Signing in, refreshing, signing out (U2, U5, U6).

use std::time::{Duration, Instant};

use paymesh_kernel::{ErrorKind, Fault as _};
use paymesh_proto::{types::v1::Outcome, user::v1::LogoutRequest};

use crate::world::{EMAIL, PASSWORD, World, reason, settings, worlds, worlds_with};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn a_user_signs_in_with_the_address_in_any_letter_case() {
    for world in worlds().await {
        let (user, _) = world.anna().await;
        for email in [EMAIL, "Anna@Example.COM"] {
            assert!(world.login(email, PASSWORD).await.is_ok());
        }
        for (email, password) in [
            (EMAIL, "correct horse batterz"),
            ("bert@example.com", PASSWORD),
        ] {
            let error = world.login(email, password).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.reason_text()),
                (ErrorKind::Unauthenticated, "CREDENTIALS_INVALID")
            );
            assert!(!error.to_string().contains('@'), "U3: {error}");
        }
        assert!(!user.id.is_empty());
    }
}

#[tokio::test]
async fn u2_an_unknown_address_costs_the_time_of_a_wrong_password() {
    let costly = paymesh_user::Settings {
        password_memory_kib: 16_384,
        password_passes: 4,
        login_attempts: 1_000,
        ..settings()
    };
    let world = worlds_with(costly, |access| access).await.remove(0);
    world.anna().await;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..7 {
        for (place, email) in [EMAIL, "bert@example.com"].into_iter().enumerate() {
            let began = Instant::now();
            assert_eq!(
                reason(world.login(email, "another password").await),
                "CREDENTIALS_INVALID"
            );
            times[place].push(began.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    // The hash is by far the largest part of both; leaving it out would make one ten times as fast.
    assert!(
        unknown * 2 > known && known * 2 > unknown,
        "{known:?} and {unknown:?}"
    );
}

#[tokio::test]
async fn u5_after_too_many_attempts_nothing_is_tried_for_a_while() {
    for world in worlds().await {
        world.anna().await;
        for email in [EMAIL, "bert@example.com"] {
            for _ in 0..10 {
                assert_eq!(
                    reason(world.login(email, "another password").await),
                    "CREDENTIALS_INVALID"
                );
            }
            let error = world.login(email, PASSWORD).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.reason_text()),
                (ErrorKind::ResourceExhausted, "LOGIN_LOCKED")
            );
            assert_eq!(error.retry_after_ms(), Some(900_000));
        }
        world.harness.clock.advance(15 * MINUTE);
        assert!(world.login(EMAIL, PASSWORD).await.is_ok());
        assert_eq!(
            reason(world.login(EMAIL, "another password").await),
            "CREDENTIALS_INVALID"
        );
    }
}

#[tokio::test]
async fn u5_success_forgets_what_was_counted() {
    for world in worlds().await {
        world.anna().await;
        for _ in 0..3 {
            for _ in 0..9 {
                assert_eq!(
                    reason(world.login(EMAIL, "another password").await),
                    "CREDENTIALS_INVALID"
                );
            }
            assert!(world.login(EMAIL, PASSWORD).await.is_ok());
        }
    }
}

#[tokio::test]
async fn too_many_hashes_at_once_are_refused() {
    let narrow = paymesh_user::Settings {
        password_memory_kib: 65_536,
        password_threads: 1,
        password_waiting: 0,
        ..settings()
    };
    let world = worlds_with(narrow, |access| access).await.remove(0);
    let (one, two) = tokio::join!(
        world.login(EMAIL, PASSWORD),
        world.login("bert@example.com", PASSWORD)
    );
    let mut reasons = [reason(one), reason(two)];
    reasons.sort();
    assert_eq!(reasons, ["CREDENTIALS_INVALID", "PASSWORDS_BUSY"]);
}

#[tokio::test]
async fn u6_each_refresh_token_works_once_and_its_reuse_ends_the_session() {
    for world in worlds().await {
        world.anna().await;
        let first = world.login(EMAIL, PASSWORD).await.unwrap();
        let other = world.login(EMAIL, PASSWORD).await.unwrap();
        let second = world.refresh(&first.refresh_token).await.unwrap();
        assert_eq!(second.session_id, first.session_id);
        assert_ne!(second.refresh_token, first.refresh_token);
        let third = world.refresh(&second.refresh_token).await.unwrap();
        assert_eq!(
            reason(world.refresh(&first.refresh_token).await),
            "REFRESH_TOKEN_REUSED"
        );
        assert_eq!(
            reason(world.refresh(&third.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
        assert!(
            world.refresh(&other.refresh_token).await.is_ok(),
            "another session goes on"
        );
    }
}

#[tokio::test]
async fn u6_of_two_refreshes_side_by_side_one_works_and_the_session_ends() {
    for world in worlds().await {
        world.anna().await;
        let tokens = world.login(EMAIL, PASSWORD).await.unwrap();
        let (one, two) = tokio::join!(
            world.refresh(&tokens.refresh_token),
            world.refresh(&tokens.refresh_token)
        );
        assert_eq!(
            [one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(),
            1
        );
        let winner = one.or(two).unwrap();
        assert_eq!(
            reason(world.refresh(&winner.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
    }
}

#[tokio::test]
async fn u6_a_made_up_token_ends_no_session() {
    for world in worlds().await {
        world.anna().await;
        let tokens = world.login(EMAIL, PASSWORD).await.unwrap();
        let good = &tokens.refresh_token;
        let middle = good.len() / 2;
        let flipped = if good.as_bytes()[middle] == b'A' {
            'B'
        } else {
            'A'
        };
        let forged = format!("{}{flipped}{}", &good[..middle], &good[middle + 1..]);
        for wrong in [forged.as_str(), "rt_", "", "x"] {
            assert_eq!(reason(world.refresh(wrong).await), "REFRESH_TOKEN_INVALID");
        }
        assert!(world.refresh(good).await.is_ok());
    }
}

#[tokio::test]
async fn a_refresh_token_dies_of_age_and_a_session_too() {
    for world in worlds().await {
        world.anna().await;
        let idle = world.login(EMAIL, PASSWORD).await.unwrap();
        let mut used = world.login(EMAIL, PASSWORD).await.unwrap();
        for _ in 0..3 {
            world.harness.clock.advance(29 * DAY);
            used = world.refresh(&used.refresh_token).await.unwrap();
        }
        assert_eq!(
            reason(world.refresh(&idle.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
        world.harness.clock.advance(4 * DAY);
        assert_eq!(
            reason(world.refresh(&used.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
    }
}

#[tokio::test]
async fn who_signs_out_ends_the_own_session_alone() {
    for world in worlds().await {
        let (_, anna) = world.anna().await;
        let (_, bert) = world.customer("bert@example.com").await;
        let tokens = world.login(EMAIL, PASSWORD).await.unwrap();
        assert_eq!(
            reason(logout(&world, &bert, &tokens.session_id).await),
            "SESSION_NOT_FOUND"
        );
        assert_eq!(
            logout(&world, &anna, &tokens.session_id).await.unwrap(),
            Outcome::Applied
        );
        assert_eq!(
            logout(&world, &anna, &tokens.session_id).await.unwrap(),
            Outcome::AlreadyApplied
        );
        assert_eq!(
            reason(world.refresh(&tokens.refresh_token).await),
            "REFRESH_TOKEN_INVALID"
        );
    }
}

async fn logout(
    world: &World,
    principal: &paymesh_kernel::Principal,
    session: &str,
) -> Result<Outcome, paymesh_mesh::CallError> {
    let request = LogoutRequest {
        session_id: session.to_owned(),
    };
    let call = world.call(principal, |mut client| async move {
        client.logout(request).await
    });
    Ok(call.await?.outcome())
}
