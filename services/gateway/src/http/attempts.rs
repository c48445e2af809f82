//! Payment attempts: tries at providers.

use std::sync::Arc;

use paymesh_proto::{payment::v1 as pb, types::v1 as types};

use super::{
    answer::{Found, Page, present},
    form::{Amount, Form, Moment, Word, form, number_of, request, words},
    input::{Listing, Path, Query, range},
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

const TAG: &str = "Payment attempts";

words! {
    pb::AttemptState = AttemptState "ATTEMPT_STATE_";
    pb::AttemptOperationKind = AttemptOperationKind "ATTEMPT_OPERATION_KIND_";
    pb::AttemptOperationState = AttemptOperationState "ATTEMPT_OPERATION_STATE_";
    pb::ReferenceStanding = ReferenceStanding "REFERENCE_STANDING_";
}

form! {
    /// What the payer has to do at the provider.
    AttemptAction from pb::AttemptAction {
        url: String,
        action_id: String,
        expires_at: Option<Moment> = expires_at_us,
    }
}

form! {
    /// One call to a provider.
    AttemptOperation from pb::AttemptOperation {
        /// Our key of the step.
        key: String,
        /// `att_…`, `cap_…` or `re_…`
        id: String,
        kind: Word<pb::AttemptOperationKind>,
        state: Word<pb::AttemptOperationState>,
        amount: Option<Amount>,
        connector_reference: Option<String>,
        decline_reason: Option<Word<types::DeclineReason>>,
        /// As the provider said it.
        decline_code: Option<String>,
        created_at: Moment = created_at_us,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// One try at a provider.
    Attempt from pb::PaymentAttempt {
        /// `att_…`
        id: String,
        transaction_id: String,
        payment_method_id: Option<String>,
        connector: String,
        /// Ours; the provider can be asked by it.
        reference: String,
        /// The provider's.
        connector_reference: Option<String>,
        state: Word<pb::AttemptState>,
        amount: Option<Amount>,
        authorized: Option<Amount>,
        captured: Option<Amount>,
        refunded: Option<Amount>,
        decline_reason: Option<Word<types::DeclineReason>>,
        /// As the provider said it.
        decline_code: Option<String>,
        action: Option<AttemptAction>,
        authorization_expires_at: Option<Moment> = authorization_expires_at_us,
        /// Oldest first.
        operations: Vec<AttemptOperation>,
        created_at: Moment = created_at_us,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// What the provider knows of a reference.
    AttemptLookup from pb::GetAttemptByReferenceResponse {
        standing: Word<pb::ReferenceStanding>,
        attempt: Option<Attempt>,
        operation: Option<AttemptOperation>,
        ask_again_at: Option<Moment> = ask_again_at_us,
    }
}

request! {
    /// Which attempts.
    AttemptFilter {
        transaction_id: Option<String>,
        payment_method_id: Option<String>,
        state: Option<Word<pb::AttemptState>>,
        created_from: Option<Moment>,
        /// Exclusive.
        created_until: Option<Moment>,
    }
}

request! {
    /// Which reference.
    AttemptLookupQuery {
        /// Ours: the key of the step that is in doubt.
        reference: String,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/attempts", list)
            .about("List payment attempts, newest first")
            .calls(&["PaymentService/ListAttempts"])
            .tag(TAG),
        Route::get("/v1/attempts/lookup", lookup)
            .about("Find an attempt by our reference")
            .notes("Asks the provider when the outcome is unknown.")
            .calls(&["PaymentService/GetAttemptByReference"])
            .tag(TAG),
        Route::get("/v1/attempts/{attempt_id}", get)
            .about("Read a payment attempt")
            .calls(&["PaymentService/GetAttempt"])
            .tag(TAG),
    ]
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<AttemptFilter>,
) -> Result<Page<Attempt>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListAttemptsRequest {
        transaction_id: filter.transaction_id.unwrap_or_default(),
        payment_method_id: filter.payment_method_id.unwrap_or_default(),
        state: number_of(filter.state),
        created: range(filter.created_from, filter.created_until),
        page: Some(page),
    };
    let answer = clients.payment().list_attempts(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.attempts), answer.page_info))
}

async fn lookup(
    clients: Arc<Clients>,
    Query(query): Query<AttemptLookupQuery>,
) -> Result<Found<AttemptLookup>, Problem> {
    let reference = query.reference;
    let request = pb::GetAttemptByReferenceRequest { reference };
    let answer = clients
        .payment()
        .get_attempt_by_reference(request)
        .await?
        .into_inner();
    Ok(Found(AttemptLookup::form(answer)))
}

async fn get(clients: Arc<Clients>, Path(attempt_id): Path<0>) -> Result<Found<Attempt>, Problem> {
    let answer = clients
        .payment()
        .get_attempt(pb::GetAttemptRequest { attempt_id })
        .await?
        .into_inner();
    Ok(Found(Attempt::form(present(
        answer.attempt,
        "payment",
        "attempt",
    )?)))
}
