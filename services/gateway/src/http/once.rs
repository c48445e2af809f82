//! Commands whose proto takes an id made by the caller: the gateway makes it, once for each idempotency key (G3).

use std::sync::Arc;

use paymesh_kernel::{Fault as _, Outcome, Principal, id};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Incoming,
    input::{Input, Key},
    problem::Problem,
    route::Sketch,
};
use crate::{
    app::{App, reservations::Repeat},
    error::Error,
};

/// A command to be done once for its key.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    app: App,
    principal: Arc<Principal>,
    /// Method and path, parameters included.
    route: String,
    key: String,
    /// The query and the body, in one order of fields.
    asked: Vec<u8>,
}

// === impl Once ===

impl Once {
    /// Runs `command` with the id that belongs to the key, shown with `prefix`.
    pub(crate) async fn with_id<T, F>(&self, prefix: &str, command: F) -> Result<T, Problem>
    where
        F: AsyncFnOnce(String) -> Result<T, Error>,
    {
        self.run(Repeat::Again, async |object| {
            command(id::encode(prefix, object)).await
        })
        .await
    }

    /// Runs `command`, which its own object keeps from being done twice; the key only tells another body.
    pub(crate) async fn run_once<T, F>(&self, command: F) -> Result<T, Problem>
    where
        F: AsyncFnOnce() -> Result<T, Error>,
    {
        self.run(Repeat::Again, async |_| command().await).await
    }

    /// Runs `command`, whose answer holds a secret that cannot be shown again.
    pub(crate) async fn with_secret<T, F>(&self, command: F) -> Result<T, Problem>
    where
        F: AsyncFnOnce() -> Result<T, Error>,
    {
        self.run(Repeat::Refused, async |_| command().await).await
    }

    async fn run<T, F>(&self, repeat: Repeat, command: F) -> Result<T, Problem>
    where
        F: AsyncFnOnce(Uuid) -> Result<T, Error>,
    {
        let reservations = self.app.reservations();
        let reserved = reservations
            .reserve(
                &self.principal,
                (&self.route, &self.key),
                &self.asked,
                repeat,
            )
            .await?;
        let result = command(reserved.object).await;
        if let Err(error) = &result
            && error.outcome() == Outcome::NotProcessed
        {
            reservations.forget(reserved).await;
        }
        Ok(result?)
    }
}

impl Input for Once {
    fn take(incoming: &Incoming) -> Result<Self, Problem> {
        let key = Key::take(incoming)?;
        let caller = incoming.caller.as_ref().ok_or(Error::CredentialsMissing)?;
        let query = incoming.parts.uri.query().unwrap_or_default();
        let mut asked = query.as_bytes().to_vec();
        asked.push(b'\n');
        match serde_json::from_slice::<Value>(&incoming.body) {
            Ok(body) => asked.extend(body.to_string().into_bytes()),
            Err(_) => asked.extend_from_slice(&incoming.body),
        }
        Ok(Self {
            app: incoming.app.clone(),
            principal: Arc::clone(&caller.principal),
            route: format!("{} {}", incoming.parts.method, incoming.parts.uri.path()),
            key: key.0,
            asked,
        })
    }

    fn describe(sketch: &mut Sketch<'_>) {
        Key::describe(sketch);
    }
}
