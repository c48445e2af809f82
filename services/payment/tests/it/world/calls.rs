//! What a test asks of the component, as its callers do.

use std::future::Future;

use paymesh_kernel::{Principal, Role};
use paymesh_mesh::CallError;
use paymesh_payment::domain::{AttemptId, CaptureId, RefundId, TransactionId};
use paymesh_proto::payment::v1::{self as proto, payment_service_client::PaymentServiceClient};

use super::{Client, Delivery, PATIENCE, World, eur, pause};

impl World {
    /// Calls as the component transaction.
    pub(crate) async fn call<T, F>(&self, work: impl FnOnce(Client) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send,
    {
        self.try_call(work).await.unwrap()
    }

    pub(crate) async fn try_call<T, F>(
        &self,
        work: impl FnOnce(Client) -> F + Send + 'static,
    ) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send,
    {
        self.call_as(("transaction", Some(self.transaction())), work)
            .await
    }

    pub(crate) async fn call_as<T, F>(
        &self,
        who: (&'static str, Option<Principal>),
        work: impl FnOnce(Client) -> F + Send + 'static,
    ) -> Result<T, CallError>
    where
        T: Send + 'static,
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>> + Send,
    {
        let work = |channel| work(PaymentServiceClient::new(channel));
        let answer = self.life.act(who, work).await.expect("the component lives");
        answer
            .map(tonic::Response::into_inner)
            .map_err(CallError::from)
    }

    /// A stored payment method of somebody new.
    pub(crate) async fn method(&self, token: &str) -> String {
        let person = self.person(Role::Customer);
        let request = proto::CreatePaymentMethodRequest {
            idempotency_key: "key".to_owned(),
            customer_id: person.subject.clone(),
            connector: String::new(),
            provider_token: token.to_owned(),
            kind: proto::PaymentMethodKind::Card.into(),
        };
        let who = ("gateway", Some(person));
        let created = self
            .call_as(who, |mut at| async move {
                at.create_payment_method(request).await
            })
            .await;
        created.unwrap().payment_method.unwrap().id
    }

    /// What Authorize is asked for a token.
    pub(crate) async fn order(
        &self,
        token: &str,
        capture: proto::AttemptCapture,
    ) -> proto::AuthorizeRequest {
        let attempt: AttemptId = self.ids.next();
        let transaction: TransactionId = self.ids.next();
        proto::AuthorizeRequest {
            key: format!("{attempt}:authorize:do"),
            attempt_id: attempt.to_string(),
            transaction_id: transaction.to_string(),
            payment_method_id: self.method(token).await,
            amount: Some(eur(10_000)),
            capture: capture.into(),
            three_ds: proto::ThreeDsMode::Automatic.into(),
            merchant_id: String::new(),
            statement_descriptor: "PAYMESH TEST".to_owned(),
            return_url: "https://shop.example/back".to_owned(),
            business_at_us: 0,
        }
    }

    pub(crate) async fn authorize(&self, order: &proto::AuthorizeRequest) -> proto::PaymentAttempt {
        let order = order.clone();
        let answer = self
            .call(|mut at| async move { at.authorize(order).await })
            .await;
        answer.attempt.unwrap()
    }

    /// An attempt for a token, and what came of it.
    pub(crate) async fn pay(
        &self,
        token: &str,
        capture: proto::AttemptCapture,
    ) -> proto::PaymentAttempt {
        let order = self.order(token, capture).await;
        self.authorize(&order).await
    }

    pub(crate) async fn capture(&self, attempt: &str, minor: i64) -> proto::CaptureResponse {
        let request = self.capture_request(attempt, minor);
        self.call(|mut at| async move { at.capture(request).await })
            .await
    }

    pub(crate) fn capture_request(&self, attempt: &str, minor: i64) -> proto::CaptureRequest {
        let id: CaptureId = self.ids.next();
        proto::CaptureRequest {
            key: format!("{id}:capture:do"),
            operation_id: id.to_string(),
            attempt_id: attempt.to_owned(),
            amount: Some(eur(minor)),
            r#final: false,
        }
    }

    pub(crate) async fn refund(&self, attempt: &str, minor: i64) -> proto::RefundResponse {
        let request = self.refund_request(attempt, minor);
        self.call(|mut at| async move { at.refund(request).await })
            .await
    }

    pub(crate) fn refund_request(&self, attempt: &str, minor: i64) -> proto::RefundRequest {
        let id: RefundId = self.ids.next();
        proto::RefundRequest {
            key: format!("{id}:refund:do"),
            refund_id: id.to_string(),
            attempt_id: attempt.to_owned(),
            amount: Some(eur(minor)),
            reason: "wanted".to_owned(),
        }
    }

    pub(crate) async fn cancel(&self, attempt: &str) -> proto::CancelResponse {
        let request = proto::CancelRequest {
            key: format!("{attempt}:cancel:do"),
            attempt_id: attempt.to_owned(),
            reason: "compensation".to_owned(),
        };
        self.call(|mut at| async move { at.cancel(request).await })
            .await
    }

    pub(crate) async fn get(&self, attempt: &str) -> proto::PaymentAttempt {
        let request = proto::GetAttemptRequest {
            attempt_id: attempt.to_owned(),
        };
        let answer = self
            .call(|mut at| async move { at.get_attempt(request).await })
            .await;
        answer.attempt.unwrap()
    }

    pub(crate) async fn ask(&self, reference: &str) -> proto::GetAttemptByReferenceResponse {
        let request = proto::GetAttemptByReferenceRequest {
            reference: reference.to_owned(),
        };
        self.call(|mut at| async move { at.get_attempt_by_reference(request).await })
            .await
    }

    /// Waits for a webhook from the provider.
    pub(crate) async fn next_webhook(&self) -> Delivery {
        let next = std::future::poll_fn(|context| self.webhooks.lock().unwrap().poll_recv(context));
        tokio::time::timeout(PATIENCE, next).await.unwrap().unwrap()
    }

    pub(crate) async fn hand_over(
        &self,
        delivery: &Delivery,
    ) -> Result<proto::HandleWebhookResponse, CallError> {
        let request = proto::HandleWebhookRequest {
            connector: "simulated".to_owned(),
            connector_account: String::new(),
            headers: delivery.headers.clone(),
            body: delivery.body.clone(),
            received_at_us: 0,
        };
        let who = ("gateway", None);
        self.call_as(
            who,
            |mut at| async move { at.handle_webhook(request).await },
        )
        .await
    }

    /// Hands webhooks over, in their order, up to one of a kind about a reference.
    pub(crate) async fn hand_over_until(&self, kind: &str, reference: &str) {
        loop {
            let webhook = self.next_webhook().await;
            let body = String::from_utf8_lossy(&webhook.body).into_owned();
            self.hand_over(&webhook).await.unwrap();
            if body.contains(kind) && body.contains(reference) {
                return;
            }
        }
    }

    /// Waits until an attempt is as wanted.
    pub(crate) async fn until(
        &self,
        attempt: &str,
        what: &str,
        done: impl Fn(&proto::PaymentAttempt) -> bool,
    ) -> proto::PaymentAttempt {
        let limit = tokio::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.get(attempt).await;
            if done(&seen) {
                return seen;
            }
            assert!(
                tokio::time::Instant::now() < limit,
                "it did not come to: {what}\n{seen:#?}"
            );
            // The resolver looks every few milliseconds; there is nothing to wait on but its next look.
            pause().await;
        }
    }
}
