//! Payouts: money to a payee's bank.

use std::sync::Arc;

use paymesh_kernel::Principal;
use paymesh_proto::{settlement::v1 as pb, types::v1 as types};

use super::{
    accounts::owner_of,
    answer::{Found, Made, Page, present},
    form::{Amount, Form, Moment, Owner, Word, form, number_of, request, words},
    input::{Body, Caller, Key, Listing, Path, range},
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

const TAG: &str = "Payouts";

words! { pb::PayoutState = PayoutState "PAYOUT_STATE_"; }

form! {
    /// Money to a payee's bank.
    Payout from pb::Payout {
        /// `po_…`
        id: String,
        state: Word<pb::PayoutState>,
        owner: Option<Owner>,
        /// `acct_…` that is debited.
        account_id: Option<String>,
        amount: Option<Amount>,
        destination_token: Option<String>,
        /// Goes through the banks.
        end_to_end_id: Option<String>,
        batch_id: Option<String>,
        transaction_id: Option<String>,
        /// Why it failed or came back.
        reason: Option<String>,
        created_by: Option<String>,
        created_at: Moment = created_at_us,
        sent_at: Option<Moment> = sent_at_us,
        finished_at: Option<Moment> = finished_at_us,
    }
}

request! {
    /// A payout to start.
    CreatePayout {
        /// ISO 4217.
        currency: String,
        /// The caller's merchant, if it is left out.
        owner: Option<Owner>,
        /// All that is available, if it is left out.
        amount: Option<Amount>,
        /// The owner's default, if it is left out.
        destination_token: Option<String>,
        batch_id: Option<String>,
        /// Sandboxes only.
        business_at: Option<Moment>,
    }
}

request! {
    /// Which payouts.
    PayoutFilter {
        owner_kind: Option<Word<types::OwnerKind>>,
        /// With `owner_kind`.
        owner_id: Option<String>,
        state: Option<Word<pb::PayoutState>>,
        created_from: Option<Moment>,
        /// Exclusive.
        created_until: Option<Moment>,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/payouts", create)
            .about("Start a payout")
            .notes("Reserved, sent, confirmed by the bank's statement; ask at `Location`.")
            .calls(&["SettlementService/CreatePayout"])
            .money()
            .tag(TAG),
        Route::get("/v1/payouts", list)
            .about("List payouts, newest first")
            .calls(&["SettlementService/ListPayouts"])
            .tag(TAG),
        Route::get("/v1/payouts/{payout_id}", get)
            .about("Read a payout")
            .calls(&["SettlementService/GetPayout"])
            .tag(TAG),
    ]
}

async fn create(
    clients: Arc<Clients>,
    caller: Caller,
    key: Key,
    Body(body): Body<CreatePayout>,
) -> Result<Made<Payout>, Problem> {
    let owner = match body.owner {
        Some(owner) => owner.into(),
        None => own(&caller.principal)?,
    };
    let request = pb::CreatePayoutRequest {
        idempotency_key: key.0,
        owner: Some(owner),
        amount: body.amount.map(Into::into),
        currency: body.currency,
        destination_token: body.destination_token.unwrap_or_default(),
        batch_id: body.batch_id.unwrap_or_default(),
        business_at_us: body.business_at.map_or(0, Moment::as_micros),
    };
    let answer = clients
        .settlement()
        .create_payout(request)
        .await?
        .into_inner();
    let payout = Payout::form(present(answer.payout, "settlement", "payout")?);
    let location = format!("/v1/payouts/{}", payout.id);
    Ok(Made::new(payout, location, answer.outcome))
}

fn own(principal: &Principal) -> Result<types::Owner, Problem> {
    match principal.merchant {
        Some(merchant) => Ok(types::Owner {
            kind: types::OwnerKind::Merchant.into(),
            id: merchant.to_string(),
        }),
        None => Err(Problem::field(
            "owner",
            "is required for everyone but a merchant's users",
        )),
    }
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<PayoutFilter>,
) -> Result<Page<Payout>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListPayoutsRequest {
        owner: owner_of(filter.owner_kind, filter.owner_id)?,
        state: number_of(filter.state),
        created: range(filter.created_from, filter.created_until),
        page: Some(page),
    };
    let answer = clients
        .settlement()
        .list_payouts(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.payouts), answer.page_info))
}

async fn get(clients: Arc<Clients>, Path(payout_id): Path<0>) -> Result<Found<Payout>, Problem> {
    let answer = clients
        .settlement()
        .get_payout(pb::GetPayoutRequest { payout_id })
        .await?
        .into_inner();
    Ok(Found(Payout::form(present(
        answer.payout,
        "settlement",
        "payout",
    )?)))
}
