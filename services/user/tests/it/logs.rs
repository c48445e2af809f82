//! Nothing personal and no secret in any log line (U3).

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::{
    fakes::Mood,
    world::{EMAIL, PASSWORD, reason, worlds},
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn u3_passwords_addresses_and_tokens_are_in_no_log_line() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(lines.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    for world in worlds().await {
        world.others.books(|books| books.mood = Mood::Down);
        assert_eq!(
            reason(world.register(world.request("one", EMAIL)).await),
            "ACCOUNT_PENDING"
        );
        world.others.books(|books| books.mood = Mood::Good);
        world.register(world.request("one", EMAIL)).await.unwrap();
        assert_eq!(
            reason(world.register(world.request("two", EMAIL)).await),
            "EMAIL_TAKEN"
        );
        let mut wrong = world.request("three", "not-an-address");
        wrong.password = "tiny-secret".to_owned();
        assert_eq!(reason(world.register(wrong).await), "REQUEST_INVALID");
        assert_eq!(
            reason(world.login(EMAIL, "another password").await),
            "CREDENTIALS_INVALID"
        );
        let first = world.login(EMAIL, PASSWORD).await.unwrap();
        let second = world.refresh(&first.refresh_token).await.unwrap();
        assert_eq!(
            reason(world.refresh(&first.refresh_token).await),
            "REFRESH_TOKEN_REUSED"
        );
        let text = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
        assert!(
            text.contains("a refresh token came back"),
            "the lines are captured"
        );
        for secret in [
            EMAIL,
            PASSWORD,
            "Anna Example",
            "another password",
            "not-an-address",
            "tiny-secret",
            "$argon2id$",
            &first.access_token,
            &second.refresh_token,
            &world.access.password,
            &world.access.api_key,
        ] {
            assert!(
                !text.contains(secret),
                "a log line holds a secret of {} characters",
                secret.len()
            );
        }
    }
    drop(guard);
}
