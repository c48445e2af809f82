//! The connector to the simulated provider, over HTTP.
//!
//! Keys go into `Idempotency-Key`, references into the body; a payment is asked for by `GET /v1/payments?reference=…` or by its
//! id, and comes with all its captures, refunds and disputes. Every refusal says whether anything happened; where it does not say,
//! or no refusal came, the outcome is unknown.

mod http;
mod signature;
mod wire;

use std::time::Duration;

use paymesh_chassis::Secret;
use serde_json::json;

use self::{
    http::{Http, Response},
    wire::{DisputeBody, PartBody, PaymentBody, TokenBody},
};
use super::{
    AuthorizeCall, Call, CancelCall, CancelTarget, Connector, Delivery, EvidenceCall,
    EvidencePiece, Notice, PartCall, TokenRefusal, Unreachable, WebhookRefusal,
};
use crate::domain::{
    Answer, CaptureMode, MethodDetails, MethodKind, Observation, ThreeDs, Windows,
};

/// The most text that the provider takes as evidence.
const EVIDENCE_LIMIT_BYTES: usize = 4_000;

/// What the connector is made of.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Such as `http://127.0.0.1:4010`.
    pub url: String,
    /// Sent as bearer token.
    pub api_key: Secret,
    /// The key of webhooks' signatures.
    pub webhook_secret: Secret,
    /// Which account at the provider it is.
    pub account: String,
    /// How long one HTTP call may take.
    pub timeout: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How far a signature's time may be from ours.
    pub tolerance: Duration,
    /// Keys and references.
    pub windows: Windows,
}

/// Why the connector cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the provider cannot be made")]
pub struct ClientError(#[source] pub(super) reqwest::Error);

/// The connector.
#[derive(Debug)]
pub struct Simulated {
    http: Http,
    webhook_secret: Secret,
    account: String,
    tolerance: Duration,
    windows: Windows,
}

// === impl Simulated ===

impl Simulated {
    /// A connector; nothing is called yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn try_new(settings: Settings) -> Result<Self, ClientError> {
        Ok(Self {
            http: Http::try_new(&settings)?,
            webhook_secret: settings.webhook_secret,
            account: settings.account,
            tolerance: settings.tolerance,
            windows: settings.windows,
        })
    }

    async fn part(&self, step: &PartCall, parts: &str) -> Answer {
        let mut body = json!({
            "amount": { "minor": step.amount_minor, "currency": step.currency.code() },
            "reference": step.key,
            "business_at": step.business_at,
        });
        if step.is_final {
            body["final"] = json!(true);
        }
        let path = ["v1", "payments", &step.connector_reference, parts];
        let response = self.http.post(&path, &step.key, &body).await;
        response.answer(|body| {
            let part = wire::read::<PartBody>(body).and_then(PartBody::seen);
            part.map_or(Answer::Unknown, Answer::Part)
        })
    }

    async fn payment(&self, path: &[&str], key: &str, body: &serde_json::Value) -> Answer {
        let response = self.http.post(path, key, body).await;
        response.answer(|body| {
            let seen = wire::read::<PaymentBody>(body).and_then(PaymentBody::seen);
            seen.map_or(Answer::Unknown, |seen| Answer::Reply(Box::new(seen)))
        })
    }
}

impl Connector for Simulated {
    fn account(&self) -> &str {
        &self.account
    }

    fn windows(&self) -> Windows {
        self.windows
    }

    fn describe<'a>(
        &'a self,
        token: &'a str,
        _: MethodKind,
    ) -> Call<'a, Result<MethodDetails, TokenRefusal>> {
        Box::pin(async move {
            match self.http.get(&["v1", "tokens", token], &[]).await {
                Response::Done(body) => wire::read::<TokenBody>(&body)
                    .map(TokenBody::details)
                    .ok_or(TokenRefusal::Unreachable),
                Response::Refused(_) | Response::Missing => Err(TokenRefusal::Unknown),
                Response::NotProcessed { .. } | Response::Unknown => Err(TokenRefusal::Unreachable),
            }
        })
    }

    /// Tokens of this provider describe themselves: it keeps nothing that it could forget.
    fn detach<'a>(&'a self, _: &'a str) -> Call<'a, Result<(), Unreachable>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn authorize<'a>(&'a self, step: &'a AuthorizeCall) -> Call<'a, Answer> {
        let capture_method = match step.capture {
            CaptureMode::Automatic => "automatic",
            CaptureMode::Manual => "manual",
        };
        let authentication = match step.three_ds {
            ThreeDs::Automatic => "automatic",
            ThreeDs::Required => "required",
        };
        let body = json!({
            "amount": { "minor": step.amount_minor, "currency": step.currency.code() },
            "token": step.token,
            "reference": step.key,
            "capture_method": capture_method,
            "authentication": authentication,
            "merchant_reference": step.merchant,
            "statement_descriptor": step.statement_descriptor,
            "return_url": step.return_url,
            "business_at": step.business_at,
        });
        Box::pin(async move { self.payment(&["v1", "payments"], &step.key, &body).await })
    }

    fn capture<'a>(&'a self, step: &'a PartCall) -> Call<'a, Answer> {
        Box::pin(self.part(step, "captures"))
    }

    fn cancel<'a>(&'a self, step: &'a CancelCall) -> Call<'a, Answer> {
        Box::pin(async move {
            match &step.target {
                CancelTarget::Payment(id) => {
                    let path = ["v1", "payments", id, "cancel"];
                    self.payment(&path, &step.key, &json!({})).await
                }
                CancelTarget::Reference(reference) => {
                    let body = json!({ "reference": reference });
                    let response = self
                        .http
                        .post(&["v1", "cancellations"], &step.key, &body)
                        .await;
                    response.answer(wire::read_cancellation)
                }
            }
        })
    }

    fn refund<'a>(&'a self, step: &'a PartCall) -> Call<'a, Answer> {
        Box::pin(self.part(step, "refunds"))
    }

    fn submit_evidence<'a>(&'a self, step: &'a EvidenceCall) -> Call<'a, Answer> {
        let body = json!({ "text": wire::evidence_text(&step.pieces) });
        Box::pin(async move {
            let path = ["v1", "disputes", &step.dispute_reference, "evidence"];
            let response = self.http.post(&path, &step.key, &body).await;
            response.answer(|body| {
                wire::read::<DisputeBody>(body)
                    .map_or(Answer::Unknown, |dispute| Answer::Dispute(dispute.seen()))
            })
        })
    }

    fn evidence_limit_bytes(&self) -> usize {
        EVIDENCE_LIMIT_BYTES
    }

    fn evidence_bytes(&self, pieces: &[EvidencePiece]) -> usize {
        wire::evidence_text(pieces).len()
    }

    fn query<'a>(
        &'a self,
        reference: &'a str,
    ) -> Call<'a, Result<Option<Observation>, Unreachable>> {
        Box::pin(async move {
            let response = self
                .http
                .get(&["v1", "payments"], &[("reference", reference)])
                .await;
            response.look(wire::read_first_payment)
        })
    }

    fn fetch<'a>(
        &'a self,
        connector_reference: &'a str,
    ) -> Call<'a, Result<Option<Observation>, Unreachable>> {
        Box::pin(async move {
            let path = ["v1", "payments", connector_reference];
            let response = self.http.get(&path, &[]).await;
            response.look(|body| {
                let seen = wire::read::<PaymentBody>(body).and_then(PaymentBody::seen)?;
                Some(Some(seen))
            })
        })
    }

    fn verify(&self, delivery: &Delivery<'_>) -> Result<Notice, WebhookRefusal> {
        signature::verify(delivery, self.webhook_secret.expose(), self.tolerance)?;
        wire::read_notice(delivery.body).ok_or(WebhookRefusal::Malformed)
    }
}
