//! gRPC: requests are validated into commands, answers shown. No rules of business here.

mod page;
mod read;

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_mesh::{caller, to_status};
use paymesh_proto::{
    payment::v1::{
        self as proto,
        payment_service_server::{PaymentService, PaymentServiceServer},
    },
    types::v1::Outcome as ProtoOutcome,
};
use prost::Message as _;
use tonic::{Request, Response, Status, service::Routes};

use self::read::Reader;
use crate::{
    app::{App, AuthorizeCommand, NewMethod, Outcome, Standing, Step},
    convert,
    domain::{Book, CaptureOrder, RefundOrder, StepKey},
    error::Error,
    store::{self, AttemptFilter, DisputeFilter},
};

/// Largest message that is read: evidence with files.
const REQUEST_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// The service.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

type Answer<T> = Result<Response<T>, Status>;

// === free functions ===

/// What the component serves.
pub(crate) fn routes(app: App) -> Routes {
    let service = PaymentServiceServer::new(Grpc { app });
    Routes::new(service.max_decoding_message_size(REQUEST_LIMIT_BYTES))
}

fn refuse(error: impl Into<Error>) -> Status {
    to_status(&error.into())
}

/// The object, and whether this call did it.
fn split<T>(outcome: Outcome<T>) -> (T, i32) {
    match outcome {
        Outcome::Applied(done) => (done, ProtoOutcome::Applied.into()),
        Outcome::AlreadyApplied(done) => (done, ProtoOutcome::AlreadyApplied.into()),
    }
}

/// The step's key, with a hash of all that was asked.
fn step_key(key: &str, asked: &impl prost::Message) -> StepKey {
    StepKey {
        key: key.to_owned(),
        fingerprint: store::fingerprint(&asked.encode_to_vec()),
    }
}

fn operation_of(book: &Book, key: &str) -> Option<proto::AttemptOperation> {
    book.operation(key)
        .and_then(|operation| convert::operation(book, operation))
}

// === impl Grpc ===

#[tonic::async_trait]
impl PaymentService for Grpc {
    async fn create_payment_method(
        &self,
        request: Request<proto::CreatePaymentMethodRequest>,
    ) -> Answer<proto::CreatePaymentMethodResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let new = NewMethod {
            customer: reader.id("customer_id", &asked.customer_id),
            connector: reader.optional_word("connector", &asked.connector),
            token: reader.text("provider_token", &asked.provider_token, 1..=255),
            kind: reader.method_kind("kind", asked.kind),
        };
        reader.finish().map_err(refuse)?;
        let body = proto::CreatePaymentMethodRequest {
            idempotency_key: String::new(),
            ..asked.clone()
        };
        let route = "CreatePaymentMethod";
        let bytes = body.encode_to_vec();
        let key = IdempotencyKey::try_new(principal, route, &asked.idempotency_key, &bytes)
            .map_err(refuse)?;
        let created = self.app.create_method(principal, &key, new).await;
        let (method, outcome) = split(created.map_err(refuse)?);
        Ok(Response::new(proto::CreatePaymentMethodResponse {
            payment_method: Some(convert::method(&method, self.app.now())),
            outcome,
        }))
    }

    async fn get_payment_method(
        &self,
        request: Request<proto::GetPaymentMethodRequest>,
    ) -> Answer<proto::GetPaymentMethodResponse> {
        let (_, principal) = caller(&request)?;
        let mut reader = Reader::default();
        let id = reader.id("payment_method_id", &request.get_ref().payment_method_id);
        reader.finish().map_err(refuse)?;
        let method = self
            .app
            .visible_method(principal, id)
            .await
            .map_err(refuse)?;
        Ok(Response::new(proto::GetPaymentMethodResponse {
            payment_method: Some(convert::method(&method, self.app.now())),
        }))
    }

    async fn list_payment_methods(
        &self,
        request: Request<proto::ListPaymentMethodsRequest>,
    ) -> Answer<proto::ListPaymentMethodsResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let customer = reader.id("customer_id", &asked.customer_id);
        let state = reader.method_state("state", asked.state);
        let page = reader.page(asked.page.as_ref());
        reader.finish().map_err(refuse)?;
        let found = self
            .app
            .methods(principal, (customer, state), page.keyset());
        let found = found.await.map_err(refuse)?;
        let (methods, page_info) =
            page.cut(found, |method| (method.created_at, method.id.as_uuid()));
        let now = self.app.now();
        Ok(Response::new(proto::ListPaymentMethodsResponse {
            payment_methods: methods
                .iter()
                .map(|method| convert::method(method, now))
                .collect(),
            page_info: Some(page_info),
        }))
    }

    async fn detach_payment_method(
        &self,
        request: Request<proto::DetachPaymentMethodRequest>,
    ) -> Answer<proto::DetachPaymentMethodResponse> {
        let (_, principal) = caller(&request)?;
        let mut reader = Reader::default();
        let id = reader.id("payment_method_id", &request.get_ref().payment_method_id);
        reader.finish().map_err(refuse)?;
        let detached = self.app.detach_method(principal, id).await;
        let (method, outcome) = split(detached.map_err(refuse)?);
        Ok(Response::new(proto::DetachPaymentMethodResponse {
            payment_method: Some(convert::method(&method, self.app.now())),
            outcome,
        }))
    }

    async fn authorize(
        &self,
        request: Request<proto::AuthorizeRequest>,
    ) -> Answer<proto::AuthorizeResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let key = reader.key("key", &asked.key);
        let command = AuthorizeCommand {
            step: step_key(&key, asked),
            attempt: reader.id("attempt_id", &asked.attempt_id),
            transaction: reader.id("transaction_id", &asked.transaction_id),
            payment_method: reader.id("payment_method_id", &asked.payment_method_id),
            amount: reader.amount("amount", asked.amount.as_ref()),
            capture: reader.capture_mode("capture", asked.capture),
            three_ds: reader.three_ds("three_ds", asked.three_ds),
            merchant: reader.optional_id("merchant_id", &asked.merchant_id),
            statement_descriptor: reader.optional_text(
                "statement_descriptor",
                &asked.statement_descriptor,
                22,
            ),
            return_url: reader.url("return_url", &asked.return_url),
            business_at: reader.moment("business_at_us", asked.business_at_us),
        };
        reader.finish().map_err(refuse)?;
        let done = self.app.authorize(principal, command).await;
        let (book, outcome) = split(done.map_err(refuse)?);
        Ok(Response::new(proto::AuthorizeResponse {
            attempt: Some(convert::attempt(&book)),
            outcome,
        }))
    }

    async fn capture(
        &self,
        request: Request<proto::CaptureRequest>,
    ) -> Answer<proto::CaptureResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let key = reader.key("key", &asked.key);
        let id = reader.id("attempt_id", &asked.attempt_id);
        let step = Step::Capture(CaptureOrder {
            capture: reader.id("operation_id", &asked.operation_id),
            amount: reader.amount("amount", asked.amount.as_ref()),
            is_final: asked.r#final,
        });
        reader.finish().map_err(refuse)?;
        let done = self.app.step(principal, id, step_key(&key, asked), step);
        let (book, outcome) = split(done.await.map_err(refuse)?);
        Ok(Response::new(proto::CaptureResponse {
            attempt: Some(convert::attempt(&book)),
            operation: operation_of(&book, &key),
            outcome,
        }))
    }

    async fn cancel(
        &self,
        request: Request<proto::CancelRequest>,
    ) -> Answer<proto::CancelResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let key = reader.key("key", &asked.key);
        let id = reader.id("attempt_id", &asked.attempt_id);
        let reason = reader.text("reason", &asked.reason, 0..=255);
        reader.finish().map_err(refuse)?;
        let step = (step_key(&key, asked), reason);
        let done = self.app.cancel(principal, id, step).await;
        let (book, outcome) = split(done.map_err(refuse)?);
        Ok(Response::new(proto::CancelResponse {
            attempt: book.as_ref().map(convert::attempt),
            outcome,
        }))
    }

    async fn refund(
        &self,
        request: Request<proto::RefundRequest>,
    ) -> Answer<proto::RefundResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let key = reader.key("key", &asked.key);
        let id = reader.id("attempt_id", &asked.attempt_id);
        let step = Step::Refund(RefundOrder {
            refund: reader.id("refund_id", &asked.refund_id),
            amount: reader.amount("amount", asked.amount.as_ref()),
            reason: reader.text("reason", &asked.reason, 0..=255),
        });
        reader.finish().map_err(refuse)?;
        let done = self.app.step(principal, id, step_key(&key, asked), step);
        let (book, outcome) = split(done.await.map_err(refuse)?);
        Ok(Response::new(proto::RefundResponse {
            attempt: Some(convert::attempt(&book)),
            operation: operation_of(&book, &key),
            outcome,
        }))
    }

    async fn complete_action(
        &self,
        request: Request<proto::CompleteActionRequest>,
    ) -> Answer<proto::CompleteActionResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        reader.key("key", &asked.key);
        let id = reader.id("attempt_id", &asked.attempt_id);
        let action_id = reader.text("action_id", &asked.action_id, 1..=255);
        // Providers of today learn from the payer's browser themselves; what came back is only checked.
        reader.text("response", &asked.response, 0..=2_048);
        reader.finish().map_err(refuse)?;
        let done = self.app.complete_action(principal, id, &action_id).await;
        let (book, outcome) = split(done.map_err(refuse)?);
        Ok(Response::new(proto::CompleteActionResponse {
            attempt: Some(convert::attempt(&book)),
            outcome,
        }))
    }

    async fn get_attempt(
        &self,
        request: Request<proto::GetAttemptRequest>,
    ) -> Answer<proto::GetAttemptResponse> {
        let (_, principal) = caller(&request)?;
        let mut reader = Reader::default();
        let id = reader.id("attempt_id", &request.get_ref().attempt_id);
        reader.finish().map_err(refuse)?;
        let book = self.app.attempt(principal, id).await.map_err(refuse)?;
        Ok(Response::new(proto::GetAttemptResponse {
            attempt: Some(convert::attempt(&book)),
        }))
    }

    async fn list_attempts(
        &self,
        request: Request<proto::ListAttemptsRequest>,
    ) -> Answer<proto::ListAttemptsResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let (from, until) = reader.range("created", asked.created.as_ref());
        let filter = AttemptFilter {
            transaction: reader.optional_id("transaction_id", &asked.transaction_id),
            payment_method: reader.optional_id("payment_method_id", &asked.payment_method_id),
            state: reader.attempt_state("state", asked.state),
            from,
            until,
            seen_by: None,
        };
        let page = reader.page(asked.page.as_ref());
        reader.finish().map_err(refuse)?;
        let found = self.app.attempts(principal, filter, page.keyset()).await;
        let (books, page_info) = page.cut(found.map_err(refuse)?, |book| {
            (book.attempt.created_at, book.attempt.id.as_uuid())
        });
        Ok(Response::new(proto::ListAttemptsResponse {
            attempts: books.iter().map(convert::attempt).collect(),
            page_info: Some(page_info),
        }))
    }

    async fn get_attempt_by_reference(
        &self,
        request: Request<proto::GetAttemptByReferenceRequest>,
    ) -> Answer<proto::GetAttemptByReferenceResponse> {
        let (_, principal) = caller(&request)?;
        let mut reader = Reader::default();
        let reference = reader.key("reference", &request.get_ref().reference);
        reader.finish().map_err(refuse)?;
        let found = self.app.by_reference(principal, &reference).await;
        let Some((book, standing)) = found.map_err(refuse)? else {
            // No row, so no provider was called under this reference.
            return Ok(Response::new(proto::GetAttemptByReferenceResponse {
                standing: proto::ReferenceStanding::NotFound.into(),
                ..proto::GetAttemptByReferenceResponse::default()
            }));
        };
        let (standing, ask_again_at) = match standing {
            Standing::Found => (proto::ReferenceStanding::Found, None),
            Standing::NotFound => (proto::ReferenceStanding::NotFound, None),
            Standing::NotFoundYet { ask_again_at } => {
                (proto::ReferenceStanding::NotFoundYet, Some(ask_again_at))
            }
            Standing::Unreachable { ask_again_at } => {
                (proto::ReferenceStanding::Unreachable, Some(ask_again_at))
            }
        };
        Ok(Response::new(proto::GetAttemptByReferenceResponse {
            standing: standing.into(),
            attempt: Some(convert::attempt(&book)),
            operation: operation_of(&book, &reference),
            ask_again_at_us: convert::moment(ask_again_at),
        }))
    }

    async fn handle_webhook(
        &self,
        request: Request<proto::HandleWebhookRequest>,
    ) -> Answer<proto::HandleWebhookResponse> {
        // Nobody is named: the signature says who it is from.
        let asked = request.into_inner();
        let mut reader = Reader::default();
        let connector = reader.text("connector", &asked.connector, 1..=32);
        let account = reader.text("connector_account", &asked.connector_account, 0..=64);
        reader.webhook(&asked);
        reader.finish().map_err(refuse)?;
        let headers: Vec<(String, String)> = asked
            .headers
            .into_iter()
            .map(|header| (header.name, header.value))
            .collect();
        let source = (connector.as_str(), account.as_str());
        let taken = self.app.take_webhook(source, &headers, &asked.body).await;
        let ((), outcome) = split(taken.map_err(refuse)?);
        Ok(Response::new(proto::HandleWebhookResponse { outcome }))
    }

    async fn get_dispute(
        &self,
        request: Request<proto::GetDisputeRequest>,
    ) -> Answer<proto::GetDisputeResponse> {
        let (_, principal) = caller(&request)?;
        let mut reader = Reader::default();
        let id = reader.id("dispute_id", &request.get_ref().dispute_id);
        reader.finish().map_err(refuse)?;
        let dispute = self.app.visible_dispute(principal, id).await;
        Ok(Response::new(proto::GetDisputeResponse {
            dispute: Some(convert::dispute(&dispute.map_err(refuse)?)),
        }))
    }

    async fn list_disputes(
        &self,
        request: Request<proto::ListDisputesRequest>,
    ) -> Answer<proto::ListDisputesResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let (from, until) = reader.range("opened", asked.opened.as_ref());
        let filter = DisputeFilter {
            transaction: reader.optional_id("transaction_id", &asked.transaction_id),
            customer: reader.optional_id("customer_id", &asked.customer_id),
            state: reader.dispute_state("state", asked.state),
            from,
            until,
            seen_by: None,
        };
        let page = reader.page(asked.page.as_ref());
        reader.finish().map_err(refuse)?;
        let found = self.app.disputes(principal, filter, page.keyset()).await;
        let (disputes, page_info) = page.cut(found.map_err(refuse)?, |dispute| {
            (dispute.opened_at, dispute.id.as_uuid())
        });
        Ok(Response::new(proto::ListDisputesResponse {
            disputes: disputes.iter().map(convert::dispute).collect(),
            page_info: Some(page_info),
        }))
    }

    async fn submit_evidence(
        &self,
        request: Request<proto::SubmitEvidenceRequest>,
    ) -> Answer<proto::SubmitEvidenceResponse> {
        let (_, principal) = caller(&request)?;
        let asked = request.get_ref();
        let mut reader = Reader::default();
        let id = reader.id("dispute_id", &asked.dispute_id);
        let pieces = reader.evidence(&asked.evidence);
        reader.finish().map_err(refuse)?;
        let body = proto::SubmitEvidenceRequest {
            idempotency_key: String::new(),
            ..asked.clone()
        };
        let bytes = body.encode_to_vec();
        let given = &asked.idempotency_key;
        let key =
            IdempotencyKey::try_new(principal, "SubmitEvidence", given, &bytes).map_err(refuse)?;
        let sent = self
            .app
            .submit_evidence(principal, &key, (id, pieces))
            .await;
        let (dispute, outcome) = split(sent.map_err(refuse)?);
        Ok(Response::new(proto::SubmitEvidenceResponse {
            dispute: Some(convert::dispute(&dispute)),
            outcome,
        }))
    }
}
