//! Calls to payment. Only this component moves money there.

mod map;

use std::sync::Arc;

use paymesh_kernel::{
    Clock, Timestamp,
    id::{TenantId, UserId},
};
use paymesh_mesh::{CallError, Channel};
use paymesh_money::Money;
use paymesh_proto::payment::v1::{self as wire, payment_service_client::PaymentServiceClient};

use super::{
    cache::{Cache, Limits},
    failure, is_not_found, is_refusal,
    wire::{contradiction, to_money},
};
use crate::domain::{
    AttemptId, PaymentMethodId, TransactionId,
    answer::{Answer, AttemptState, AttemptView, Effect, Failure, OperationOutcome, OperationView},
    decline::{Decline, DeclineReason},
};

/// The reason of payment for a cancellation that came too late.
const ALREADY_CAPTURED: &str = "ATTEMPT_ALREADY_CAPTURED";

/// Payments.
#[derive(Clone, Debug)]
pub(crate) struct Payments {
    channel: Channel,
    methods: Cache<(TenantId, PaymentMethodId), Arc<Method>>,
}

/// A payment method as a transaction needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Method {
    /// Whose.
    pub(crate) customer: UserId,
    /// Where it stands.
    pub(crate) state: MethodState,
    /// Same for the same card.
    pub(crate) fingerprint: String,
    /// May be empty.
    pub(crate) issuer_country: String,
}

/// Where a payment method stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodState {
    /// Can be charged.
    Active,
    /// Its card has expired.
    Expired,
    /// Forgotten.
    Detached,
}

/// Whether an authorization takes the money as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taking {
    /// At once.
    AtOnce,
    /// By captures.
    Later,
}

/// Reserve, or take, money.
#[derive(Clone, Debug)]
pub(crate) struct Authorize {
    pub(crate) key: String,
    pub(crate) attempt: AttemptId,
    pub(crate) transaction: TransactionId,
    pub(crate) method: PaymentMethodId,
    pub(crate) amount: Money,
    pub(crate) taking: Taking,
    pub(crate) is_challenged: bool,
    pub(crate) merchant: String,
    pub(crate) return_url: String,
    pub(crate) business_at: Timestamp,
}

/// A capture or refund.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) key: String,
    pub(crate) operation: String,
    pub(crate) attempt: AttemptId,
    pub(crate) amount: Money,
    pub(crate) is_final: bool,
    pub(crate) reason: String,
}

// === impl Payments ===

impl Payments {
    pub(super) fn new(channel: Channel, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            channel,
            methods: Cache::new(limits, clock),
        }
    }

    fn client(&self) -> PaymentServiceClient<Channel> {
        PaymentServiceClient::new(self.channel.clone())
    }

    /// A payment method of the tenant.
    ///
    /// # Errors
    /// When there is none, or payment does not answer.
    pub(crate) async fn method(
        &self,
        tenant: TenantId,
        id: PaymentMethodId,
    ) -> Result<Arc<Method>, CallError> {
        if let Some(known) = self.methods.get(&(tenant, id)) {
            return Ok(known);
        }
        let request = wire::GetPaymentMethodRequest {
            payment_method_id: id.to_string(),
        };
        let answer = self
            .client()
            .get_payment_method(request)
            .await?
            .into_inner();
        let method = answer.payment_method.as_ref().and_then(map::method);
        let method =
            Arc::new(method.ok_or_else(|| contradiction("payment answered no payment method"))?);
        self.methods.put((tenant, id), Arc::clone(&method));
        Ok(method)
    }

    /// Reserves money at the provider, or takes it.
    pub(crate) async fn authorize(&self, ask: Authorize) -> Answer {
        let capture = match ask.taking {
            Taking::AtOnce => wire::AttemptCapture::Automatic,
            Taking::Later => wire::AttemptCapture::Manual,
        };
        let three_ds = if ask.is_challenged {
            wire::ThreeDsMode::Required
        } else {
            wire::ThreeDsMode::Automatic
        };
        let request = wire::AuthorizeRequest {
            key: ask.key,
            attempt_id: ask.attempt.to_string(),
            transaction_id: ask.transaction.to_string(),
            payment_method_id: ask.method.to_string(),
            amount: Some(to_money(ask.amount)),
            capture: capture.into(),
            three_ds: three_ds.into(),
            merchant_id: ask.merchant,
            statement_descriptor: String::new(),
            return_url: ask.return_url,
            business_at_us: ask.business_at.as_micros(),
        };
        match self.client().authorize(request).await {
            Ok(answer) => map::attempt_answer(answer.into_inner().attempt.as_ref()),
            Err(status) => refused_or_failed(&status.into(), refused_attempt),
        }
    }

    /// Takes authorized money.
    pub(crate) async fn capture(&self, ask: Part) -> Answer {
        let request = wire::CaptureRequest {
            key: ask.key,
            operation_id: ask.operation,
            attempt_id: ask.attempt.to_string(),
            amount: Some(to_money(ask.amount)),
            r#final: ask.is_final,
        };
        match self.client().capture(request).await {
            Ok(answer) => map::operation_answer(answer.into_inner().operation.as_ref()),
            Err(status) => refused_or_failed(&status.into(), refused_operation),
        }
    }

    /// Gives captured money back.
    pub(crate) async fn refund(&self, ask: Part) -> Answer {
        let request = wire::RefundRequest {
            key: ask.key,
            refund_id: ask.operation,
            attempt_id: ask.attempt.to_string(),
            amount: Some(to_money(ask.amount)),
            reason: ask.reason,
        };
        match self.client().refund(request).await {
            Ok(answer) => map::operation_answer(answer.into_inner().operation.as_ref()),
            Err(status) => refused_or_failed(&status.into(), refused_operation),
        }
    }

    /// Releases an authorization. Where payment knows of none it remembers that it must not come any more.
    pub(crate) async fn cancel(&self, key: String, attempt: AttemptId, reason: String) -> Answer {
        let request = wire::CancelRequest {
            key,
            attempt_id: attempt.to_string(),
            reason,
        };
        match self.client().cancel(request).await {
            Ok(answer) => match answer.into_inner().attempt.as_ref() {
                Some(attempt) => map::attempt_answer(Some(attempt)),
                None => Answer::Absent,
            },
            Err(status) => {
                let error = CallError::from(status);
                if error.reason_text() == ALREADY_CAPTURED {
                    return self.attempt(attempt).await;
                }
                if is_refusal(&error) && is_not_found(&error) {
                    return Answer::Absent;
                }
                failure(&error)
            }
        }
    }

    /// Hands over what the payer's verification returned.
    pub(crate) async fn complete_action(
        &self,
        key: String,
        attempt: AttemptId,
        action_id: String,
        response: String,
    ) -> Result<Answer, CallError> {
        let request = wire::CompleteActionRequest {
            key,
            attempt_id: attempt.to_string(),
            action_id,
            response,
        };
        let answer = self.client().complete_action(request).await?.into_inner();
        Ok(map::attempt_answer(answer.attempt.as_ref()))
    }

    /// The attempt as payment has it.
    pub(crate) async fn attempt(&self, attempt: AttemptId) -> Answer {
        let request = wire::GetAttemptRequest {
            attempt_id: attempt.to_string(),
        };
        match self.client().get_attempt(request).await {
            Ok(answer) => map::attempt_answer(answer.into_inner().attempt.as_ref()),
            Err(status) => failure(&status.into()),
        }
    }

    /// Asks what became of an authorization whose outcome is not known.
    pub(crate) async fn authorization_by_key(&self, key: String) -> Answer {
        match self.by_reference(key).await {
            Ok(answer) => map::standing_of_attempt(&answer),
            Err(error) => unknown_still(&error),
        }
    }

    /// Asks what became of a capture or refund whose outcome is not known.
    pub(crate) async fn operation_by_key(&self, key: String) -> Answer {
        match self.by_reference(key).await {
            Ok(answer) => map::standing_of_operation(&answer),
            Err(error) => unknown_still(&error),
        }
    }

    async fn by_reference(
        &self,
        key: String,
    ) -> Result<wire::GetAttemptByReferenceResponse, CallError> {
        let request = wire::GetAttemptByReferenceRequest { reference: key };
        Ok(self
            .client()
            .get_attempt_by_reference(request)
            .await?
            .into_inner())
    }
}

/// That payment cannot be asked says nothing of what became of the call before.
fn unknown_still(error: &CallError) -> Answer {
    Answer::Failed(Failure {
        effect: Effect::Unknown,
        reason: error.reason_text().to_owned(),
        again_at: None,
    })
}

fn refused_or_failed(error: &CallError, refused: fn(&CallError) -> Answer) -> Answer {
    if is_refusal(error) {
        refused(error)
    } else {
        failure(error)
    }
}

fn refusal(error: &CallError) -> Decline {
    Decline::new(DeclineReason::ProviderDeclined, error.reason_text())
}

fn refused_attempt(error: &CallError) -> Answer {
    Answer::Attempt(AttemptView {
        state: AttemptState::Declined,
        connector: String::new(),
        authorized: 0,
        captured: 0,
        action: None,
        expires_at: None,
        decline: Some(refusal(error)),
        reference: String::new(),
    })
}

fn refused_operation(error: &CallError) -> Answer {
    Answer::Operation(OperationView {
        outcome: OperationOutcome::Declined,
        decline: Some(refusal(error)),
        reference: String::new(),
    })
}
