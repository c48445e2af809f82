//! Disputes: payers who want their money back from the scheme.

use std::sync::Arc;

use paymesh_proto::payment::v1 as pb;

use super::{
    answer::{Done, Found, Page, present},
    form::{Amount, Base64, Form, Moment, Word, form, number_of, request, words},
    input::{Body, Key, Listing, Path, range},
    problem::Problem,
    route::{BodySize, Route},
};
use crate::clients::Clients;

const TAG: &str = "Disputes";

words! { pb::DisputeState = DisputeState "DISPUTE_STATE_"; }

form! {
    /// A payer's dispute with the scheme.
    Dispute from pb::Dispute {
        /// `dp_…`
        id: String,
        attempt_id: String,
        transaction_id: String,
        connector: String,
        connector_reference: Option<String>,
        state: Word<pb::DisputeState>,
        amount: Option<Amount>,
        /// What the connector charges. What the payee is charged is the `fee` of the transaction's operation with this id.
        connector_fee: Option<Amount>,
        /// The scheme's reason code.
        reason: Option<String>,
        evidence_due_at: Option<Moment> = evidence_due_at_us,
        opened_at: Moment = opened_at_us,
        updated_at: Moment = updated_at_us,
    }
}

request! {
    /// A piece of evidence: a text, a file, or both.
    Evidence {
        /// `receipt`, `shipping`, `communication`, …
        kind: String,
        /// At most 20,000 characters.
        text: Option<String>,
        /// At most 1 MiB.
        file: Option<Base64>,
        /// Of the file.
        media_type: Option<String>,
    }
}

request! {
    /// Evidence for the provider.
    SubmitEvidence {
        /// 1 to 10 pieces.
        evidence: Vec<Evidence>,
    }
}

request! {
    /// Which disputes.
    DisputeFilter {
        transaction_id: Option<String>,
        customer_id: Option<String>,
        state: Option<Word<pb::DisputeState>>,
        opened_from: Option<Moment>,
        /// Exclusive.
        opened_until: Option<Moment>,
    }
}

impl From<Evidence> for pb::Evidence {
    fn from(evidence: Evidence) -> Self {
        Self {
            kind: evidence.kind,
            text: evidence.text.unwrap_or_default(),
            file: evidence.file.map(|file| file.0).unwrap_or_default(),
            media_type: evidence.media_type.unwrap_or_default(),
        }
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/disputes", list)
            .about("List disputes, newest first")
            .calls(&["PaymentService/ListDisputes"])
            .tag(TAG),
        Route::get("/v1/disputes/{dispute_id}", get)
            .about("Read a dispute")
            .calls(&["PaymentService/GetDispute"])
            .tag(TAG),
        Route::post("/v1/disputes/{dispute_id}/evidence", submit_evidence)
            .about("Send evidence to the provider")
            .calls(&["PaymentService/SubmitEvidence"])
            .body_size(BodySize::Import)
            .tag(TAG),
    ]
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<DisputeFilter>,
) -> Result<Page<Dispute>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListDisputesRequest {
        transaction_id: filter.transaction_id.unwrap_or_default(),
        customer_id: filter.customer_id.unwrap_or_default(),
        state: number_of(filter.state),
        opened: range(filter.opened_from, filter.opened_until),
        page: Some(page),
    };
    let answer = clients.payment().list_disputes(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.disputes), answer.page_info))
}

async fn get(clients: Arc<Clients>, Path(dispute_id): Path<0>) -> Result<Found<Dispute>, Problem> {
    let answer = clients
        .payment()
        .get_dispute(pb::GetDisputeRequest { dispute_id })
        .await?
        .into_inner();
    Ok(Found(Dispute::form(present(
        answer.dispute,
        "payment",
        "dispute",
    )?)))
}

async fn submit_evidence(
    clients: Arc<Clients>,
    key: Key,
    Path(dispute_id): Path<0>,
    Body(body): Body<SubmitEvidence>,
) -> Result<Done<Dispute>, Problem> {
    let request = pb::SubmitEvidenceRequest {
        idempotency_key: key.0,
        dispute_id,
        evidence: body.evidence.into_iter().map(Into::into).collect(),
    };
    let answer = clients
        .payment()
        .submit_evidence(request)
        .await?
        .into_inner();
    Ok(Done::new(
        Dispute::form(present(answer.dispute, "payment", "dispute")?),
        answer.outcome,
    ))
}
