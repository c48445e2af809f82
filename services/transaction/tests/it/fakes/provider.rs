//! Payment with a provider behind it: attempts by id, operations by key, and what each payment method does.

use std::collections::{BTreeMap, BTreeSet};

use paymesh_proto::{
    payment::v1::{self as wire, payment_service_server::PaymentService},
    types::v1::{DeclineReason, Money},
};
use tonic::{Request, Response, Status};
use wire::{AttemptOperationState as OperationState, AttemptState, ReferenceStanding as Standing};

use super::{
    Fate, Line, Shared, service,
    small::{not_found, refused, unreachable},
};

/// What a payment method does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Approves,
    Declines,
    AsksToVerify,
    /// The provider is silent and never had it.
    NeverArrives,
    /// The provider is silent and has done it.
    Silent,
}

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) view: wire::PaymentAttempt,
    key: String,
    is_automatic: bool,
    /// What the provider shows when it is asked.
    truth: AttemptState,
    truth_minor: i64,
}

/// Payment's records.
#[derive(Debug, Default)]
pub(crate) struct Provider {
    pub(crate) methods: BTreeMap<String, (String, Behaviour)>,
    pub(crate) attempts: BTreeMap<String, Attempt>,
    operations: BTreeMap<String, wire::AttemptOperation>,
    tombstones: BTreeSet<String>,
    pub(crate) line: Line,
    /// Refunds are refused.
    pub(crate) refuses_refunds: bool,
    /// Cancellations fail.
    pub(crate) refuses_cancels: bool,
    pub(crate) authorizations: usize,
}

impl Provider {
    /// Captured less refunded, of all attempts.
    pub(crate) fn taken(&self) -> i64 {
        let minor = |money: &Option<Money>| money.as_ref().map_or(0, |money| money.minor);
        self.attempts
            .values()
            .map(|attempt| minor(&attempt.view.captured) - minor(&attempt.view.refunded))
            .sum()
    }

    /// Reserved and neither captured nor released.
    pub(crate) fn open_authorizations(&self) -> usize {
        let is_open = |attempt: &&Attempt| attempt.view.state() == AttemptState::Authorized;
        self.attempts.values().filter(is_open).count()
    }

    /// The payer verified, or the provider at last did what it was asked.
    pub(crate) fn settle(&mut self, transaction: &str) {
        let attempt = self
            .attempts
            .values_mut()
            .find(|attempt| attempt.view.transaction_id == transaction)
            .unwrap();
        attempt.truth = if attempt.is_automatic {
            AttemptState::Captured
        } else {
            AttemptState::Authorized
        };
        attempt.truth_minor = attempt.view.amount.as_ref().unwrap().minor;
        attempt.look();
    }

    fn operation(&mut self, key: &str, id: &str, amount: Option<Money>) -> wire::AttemptOperation {
        let operation = wire::AttemptOperation {
            key: key.to_owned(),
            id: id.to_owned(),
            state: OperationState::Succeeded.into(),
            amount,
            connector_reference: format!("ref-{id}"),
            ..wire::AttemptOperation::default()
        };
        self.operations.insert(key.to_owned(), operation.clone());
        operation
    }
}

impl Attempt {
    /// Takes over what the provider shows.
    fn look(&mut self) {
        let currency = self.view.amount.as_ref().unwrap().currency.clone();
        let money = |minor| {
            Some(Money {
                minor,
                currency: currency.clone(),
            })
        };
        self.view.set_state(self.truth);
        match self.truth {
            AttemptState::Captured => {
                self.view.authorized = money(self.truth_minor);
                self.view.captured = money(self.truth_minor);
            }
            AttemptState::Authorized => self.view.authorized = money(self.truth_minor),
            _ => {}
        }
    }
}

fn first_look(behaviour: Behaviour, is_automatic: bool) -> (AttemptState, AttemptState) {
    let good = if is_automatic {
        AttemptState::Captured
    } else {
        AttemptState::Authorized
    };
    match behaviour {
        Behaviour::Approves => (good, good),
        Behaviour::Declines => (AttemptState::Declined, AttemptState::Declined),
        Behaviour::AsksToVerify => (AttemptState::RequiresAction, AttemptState::RequiresAction),
        Behaviour::Silent => (AttemptState::Unknown, good),
        Behaviour::NeverArrives => (AttemptState::Unknown, AttemptState::Failed),
    }
}

service!(PaymentService, Shared<Provider> {
    async fn get_payment_method(
        &self,
        request: Request<wire::GetPaymentMethodRequest>,
    ) -> Result<Response<wire::GetPaymentMethodResponse>, Status> {
        let id = request.into_inner().payment_method_id;
        let provider = self.lock();
        let (customer, _) = provider.methods.get(&id).ok_or_else(|| not_found("PAYMENT_METHOD_NOT_FOUND"))?;
        let method = wire::PaymentMethod {
            id: id.clone(),
            customer_id: customer.clone(),
            state: wire::PaymentMethodState::Active.into(),
            ..wire::PaymentMethod::default()
        };
        Ok(Response::new(wire::GetPaymentMethodResponse { payment_method: Some(method) }))
    }

    async fn authorize(
        &self,
        request: Request<wire::AuthorizeRequest>,
    ) -> Result<Response<wire::AuthorizeResponse>, Status> {
        let request = request.into_inner();
        let mut provider = self.lock();
        let fate = provider.line.next();
        if fate == Fate::NeverArrives {
            return Err(unreachable());
        }
        if provider.tombstones.contains(&request.attempt_id) {
            return Err(refused("ATTEMPT_CANCELED"));
        }
        if let Some(known) = provider.attempts.get(&request.attempt_id) {
            assert_eq!(known.key, request.key, "T9: one attempt, one key");
            let attempt = Some(known.view.clone());
            return Ok(Response::new(wire::AuthorizeResponse { attempt, outcome: 2 }));
        }
        let (_, behaviour) = provider.methods[&request.payment_method_id];
        let is_automatic = request.capture() == wire::AttemptCapture::Automatic;
        let (seen, truth) = first_look(behaviour, is_automatic);
        let amount = request.amount.clone().unwrap();
        let mut attempt = Attempt {
            view: wire::PaymentAttempt {
                id: request.attempt_id.clone(),
                transaction_id: request.transaction_id.clone(),
                connector: "sim".to_owned(),
                reference: request.key.clone(),
                amount: Some(amount.clone()),
                ..wire::PaymentAttempt::default()
            },
            key: request.key.clone(),
            is_automatic,
            truth: seen,
            truth_minor: amount.minor,
        };
        attempt.look();
        attempt.truth = truth;
        if seen == AttemptState::RequiresAction {
            attempt.view.action = Some(wire::AttemptAction {
                url: "https://verify".to_owned(),
                action_id: format!("act-{}", request.attempt_id),
                expires_at_us: 0,
            });
        }
        if seen == AttemptState::Declined {
            attempt.view.set_decline_reason(DeclineReason::DoNotHonor);
            attempt.view.decline_code = "05".to_owned();
        }
        provider.authorizations += 1;
        let view = attempt.view.clone();
        provider.attempts.insert(request.attempt_id, attempt);
        if fate == Fate::AnswerLost {
            return Err(Status::unavailable("the answer is lost"));
        }
        Ok(Response::new(wire::AuthorizeResponse { attempt: Some(view), outcome: 1 }))
    }

    async fn capture(
        &self,
        request: Request<wire::CaptureRequest>,
    ) -> Result<Response<wire::CaptureResponse>, Status> {
        let request = request.into_inner();
        let mut provider = self.lock();
        let fate = provider.line.next();
        if fate == Fate::NeverArrives {
            return Err(unreachable());
        }
        let operation = match provider.operations.get(&request.key) {
            Some(known) => known.clone(),
            None => {
                let minor = request.amount.as_ref().unwrap().minor;
                let attempt = provider.attempts.get_mut(&request.attempt_id).ok_or_else(|| not_found("ATTEMPT_NOT_FOUND"))?;
                let before = attempt.view.captured.as_ref().map_or(0, |money| money.minor);
                let authorized = attempt.view.authorized.as_ref().map_or(0, |money| money.minor);
                assert!(before + minor <= authorized, "T5: captured is at most authorized");
                let is_all = request.r#final || before + minor == authorized;
                let state = if is_all { AttemptState::Captured } else { AttemptState::PartiallyCaptured };
                attempt.view.set_state(state);
                attempt.view.captured = request.amount.clone().map(|amount| Money { minor: before + minor, ..amount });
                provider.operation(&request.key, &request.operation_id, request.amount.clone())
            }
        };
        if fate == Fate::AnswerLost {
            return Err(Status::unavailable("the answer is lost"));
        }
        let attempt = provider.attempts.get(&request.attempt_id).map(|attempt| attempt.view.clone());
        Ok(Response::new(wire::CaptureResponse { attempt, operation: Some(operation), outcome: 1 }))
    }

    async fn refund(&self, request: Request<wire::RefundRequest>) -> Result<Response<wire::RefundResponse>, Status> {
        let request = request.into_inner();
        let mut provider = self.lock();
        let fate = provider.line.next();
        if fate == Fate::NeverArrives {
            return Err(unreachable());
        }
        let operation = match provider.operations.get(&request.key) {
            Some(known) => known.clone(),
            None if provider.refuses_refunds => {
                let mut operation = provider.operation(&request.key, &request.refund_id, request.amount.clone());
                operation.set_state(OperationState::Declined);
                provider.operations.insert(request.key.clone(), operation.clone());
                operation
            }
            None => {
                let minor = request.amount.as_ref().unwrap().minor;
                let attempt = provider.attempts.get_mut(&request.attempt_id).unwrap();
                let before = attempt.view.refunded.as_ref().map_or(0, |money| money.minor);
                let captured = attempt.view.captured.as_ref().map_or(0, |money| money.minor);
                assert!(before + minor <= captured, "T5: refunded is at most captured");
                attempt.view.refunded = request.amount.clone().map(|amount| Money { minor: before + minor, ..amount });
                provider.operation(&request.key, &request.refund_id, request.amount.clone())
            }
        };
        if fate == Fate::AnswerLost {
            return Err(Status::unavailable("the answer is lost"));
        }
        Ok(Response::new(wire::RefundResponse { attempt: None, operation: Some(operation), outcome: 1 }))
    }

    async fn cancel(&self, request: Request<wire::CancelRequest>) -> Result<Response<wire::CancelResponse>, Status> {
        let request = request.into_inner();
        let mut provider = self.lock();
        if provider.line.next() == Fate::NeverArrives || provider.refuses_cancels {
            return Err(unreachable());
        }
        let Some(attempt) = provider.attempts.get_mut(&request.attempt_id) else {
            provider.tombstones.insert(request.attempt_id);
            return Ok(Response::new(wire::CancelResponse { attempt: None, outcome: 1 }));
        };
        match attempt.view.state() {
            AttemptState::Captured => return Err(refused("ATTEMPT_ALREADY_CAPTURED")),
            AttemptState::Declined | AttemptState::Failed => {}
            _ => {
                attempt.truth = AttemptState::Canceled;
                attempt.look();
            }
        }
        let attempt = Some(attempt.view.clone());
        Ok(Response::new(wire::CancelResponse { attempt, outcome: 1 }))
    }

    async fn complete_action(
        &self,
        request: Request<wire::CompleteActionRequest>,
    ) -> Result<Response<wire::CompleteActionResponse>, Status> {
        let request = request.into_inner();
        let mut provider = self.lock();
        let attempt = provider.attempts.get_mut(&request.attempt_id).unwrap();
        let good = if attempt.is_automatic { AttemptState::Captured } else { AttemptState::Authorized };
        attempt.truth = if request.response == "ok" { good } else { AttemptState::Declined };
        attempt.look();
        if request.response != "ok" {
            attempt.view.set_decline_reason(DeclineReason::ActionFailed);
        }
        let attempt = Some(attempt.view.clone());
        Ok(Response::new(wire::CompleteActionResponse { attempt, outcome: 1 }))
    }

    async fn get_attempt(
        &self,
        request: Request<wire::GetAttemptRequest>,
    ) -> Result<Response<wire::GetAttemptResponse>, Status> {
        let provider = self.lock();
        let attempt = provider.attempts.get(&request.into_inner().attempt_id).map(|attempt| attempt.view.clone());
        Ok(Response::new(wire::GetAttemptResponse { attempt }))
    }

    async fn get_attempt_by_reference(
        &self,
        request: Request<wire::GetAttemptByReferenceRequest>,
    ) -> Result<Response<wire::GetAttemptByReferenceResponse>, Status> {
        let key = request.into_inner().reference;
        let mut provider = self.lock();
        let operation = provider.operations.get(&key).cloned();
        let attempt = provider.attempts.values_mut().find(|attempt| attempt.key == key);
        let attempt = attempt.map(|attempt| {
            attempt.look();
            attempt.view.clone()
        });
        let is_found = operation.is_some() || attempt.as_ref().is_some_and(|view| view.state() != AttemptState::Failed);
        let standing = if is_found { Standing::Found } else { Standing::NotFound };
        Ok(Response::new(wire::GetAttemptByReferenceResponse {
            standing: standing.into(),
            attempt,
            operation,
            ask_again_at_us: 0,
        }))
    }
} unused {
        create_payment_method(wire::CreatePaymentMethodRequest) -> wire::CreatePaymentMethodResponse;
        list_payment_methods(wire::ListPaymentMethodsRequest) -> wire::ListPaymentMethodsResponse;
        detach_payment_method(wire::DetachPaymentMethodRequest) -> wire::DetachPaymentMethodResponse;
        list_attempts(wire::ListAttemptsRequest) -> wire::ListAttemptsResponse;
        handle_webhook(wire::HandleWebhookRequest) -> wire::HandleWebhookResponse;
        get_dispute(wire::GetDisputeRequest) -> wire::GetDisputeResponse;
        list_disputes(wire::ListDisputesRequest) -> wire::ListDisputesResponse;
        submit_evidence(wire::SubmitEvidenceRequest) -> wire::SubmitEvidenceResponse;
});
