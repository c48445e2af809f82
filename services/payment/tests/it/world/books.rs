//! What the provider, the outbox and the tables hold.

use std::collections::BTreeMap;

use paymesh_payment::domain::AttemptId;
use paymesh_proto::{payment::v1 as proto, types::v1::Money};
use sea_orm::{ConnectionTrait as _, Statement};
use serde_json::Value;

use super::{API_KEY, PATIENCE, World, pause};

impl World {
    /// Runs the timers of the provider now, due or not.
    pub(crate) async fn provider_timers(&self) {
        let url = format!("{}/v1/simulate/timers", self.provider.url());
        let ran = self
            .http
            .post(url)
            .bearer_auth(API_KEY)
            .send()
            .await
            .unwrap();
        assert!(ran.status().is_success());
    }

    pub(crate) async fn provider_get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.provider.url());
        let answer = self
            .http
            .get(url)
            .bearer_auth(API_KEY)
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    pub(crate) async fn provider_post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.provider.url());
        let request = self.http.post(url).bearer_auth(API_KEY).json(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Payments that the provider has under a reference.
    pub(crate) async fn provider_has(&self, reference: &str) -> Vec<Value> {
        let found = self
            .provider_get(&format!("/v1/payments?reference={reference}"))
            .await;
        found["data"].as_array().unwrap().clone()
    }

    /// Facts so far, as (kind, aggregate, sequence, payload), in the order of the outbox.
    pub(crate) async fn facts(&self) -> Vec<(String, String, i64, Vec<u8>)> {
        let sql = "SELECT type, aggregateid, sequence, payload FROM outbox ORDER BY position";
        let reader = self.database.database.reader();
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let rows = reader.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| {
                let id: uuid::Uuid = row.try_get("", "aggregateid").unwrap();
                (
                    row.try_get("", "type").unwrap(),
                    id.to_string(),
                    row.try_get("", "sequence").unwrap(),
                    row.try_get("", "payload").unwrap(),
                )
            })
            .collect()
    }

    /// Makes an attempt's row unreadable.
    pub(crate) async fn spoil(&self, attempt: &str) {
        let id: AttemptId = attempt.parse().unwrap();
        let sql = "UPDATE attempts SET state = 'nonsense' WHERE id = $1";
        let writer = self.database.database.writer();
        let backend = writer.get_database_backend();
        let statement = Statement::from_sql_and_values(backend, sql, [id.as_uuid().into()]);
        let done = writer.execute_raw(statement).await.unwrap();
        assert_eq!(done.rows_affected(), 1);
    }

    /// States of the webhooks that were handed over, by the alphabet.
    pub(crate) async fn webhook_states(&self) -> Vec<String> {
        let sql = "SELECT state FROM webhook_events ORDER BY state";
        let reader = self.database.database.reader();
        let statement = Statement::from_string(reader.get_database_backend(), sql);
        let rows = reader.query_all_raw(statement).await.unwrap();
        rows.iter()
            .map(|row| row.try_get("", "state").unwrap())
            .collect()
    }

    /// Waits until every webhook that was handed over has a state.
    pub(crate) async fn webhooks_become(&self, wanted: &str) {
        let limit = tokio::time::Instant::now() + PATIENCE;
        loop {
            let states = self.webhook_states().await;
            if states.iter().all(|state| state == wanted) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < limit,
                "not {wanted}: {states:?}"
            );
            pause().await;
        }
    }

    pub(crate) async fn all_webhooks_are_done(&self) {
        self.webhooks_become("done").await;
    }

    /// Kinds of the facts about one attempt.
    pub(crate) async fn told(&self, attempt: &str) -> Vec<String> {
        let id: AttemptId = attempt.parse().unwrap();
        let id = id.as_uuid().to_string();
        let facts = self.facts().await.into_iter();
        let kinds = facts.filter(|(_, aggregate, ..)| *aggregate == id);
        kinds
            .map(|(kind, ..)| kind.trim_end_matches(".v1").to_owned())
            .collect()
    }

    /// What the provider has is what our attempts say, and facts are numbered without gaps.
    pub(crate) async fn close_the_books(self) {
        let mut last: BTreeMap<String, i64> = BTreeMap::new();
        for (kind, aggregate, sequence, payload) in self.facts().await {
            let known = last.entry(aggregate).or_default();
            assert_eq!(sequence, *known + 1, "{kind}: a gap in the facts");
            *known = sequence;
            assert!(!payload.is_empty());
        }
        let request = proto::ListAttemptsRequest::default();
        let listed = self
            .call(|mut at| async move { at.list_attempts(request).await })
            .await;
        let mut known = 0;
        for attempt in &listed.attempts {
            let payments = self.provider_has(&attempt.reference).await;
            assert!(
                payments.len() <= 1,
                "the provider has it twice: {attempt:#?}"
            );
            let minor = |money: &Option<Money>| money.as_ref().map_or(0, |money| money.minor);
            let ours = (minor(&attempt.captured), minor(&attempt.refunded));
            let Some(payment) = payments.first() else {
                assert_eq!(ours, (0, 0), "{attempt:#?}");
                continue;
            };
            known += 1;
            let theirs = |name: &str| payment[name].as_i64().unwrap();
            assert_eq!(
                ours,
                (theirs("captured_minor"), theirs("refunded_minor")),
                "{attempt:#?}\n{payment:#}"
            );
            let open = matches!(
                payment["status"].as_str(),
                Some("authorized" | "partially_captured")
            );
            let ours_open = matches!(
                attempt.state(),
                proto::AttemptState::Authorized | proto::AttemptState::PartiallyCaptured
            );
            assert_eq!(ours_open, open, "{attempt:#?}\n{payment:#}");
        }
        let status = self.provider_get("/v1/status").await;
        assert_eq!(
            status["payments"],
            Value::from(known),
            "a payment that nobody knows of"
        );
        drop(self.life);
        self.provider.shutdown().await;
    }
}
