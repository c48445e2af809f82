//! Payment methods: how a payer may be charged, by tokens of providers.

use std::sync::Arc;

use paymesh_proto::payment::v1 as pb;

use super::{
    answer::{Done, Found, Made, Page, present},
    form::{Form, Moment, Word, form, number_of, request, words},
    input::{Body, Caller, Key, Listing, Path},
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

const TAG: &str = "Payment methods";

words! {
    pb::PaymentMethodKind = PaymentMethodKind "PAYMENT_METHOD_KIND_";
    pb::PaymentMethodState = PaymentMethodState "PAYMENT_METHOD_STATE_";
}

form! {
    /// How a payer may be charged. The provider's token is never shown.
    PaymentMethod from pb::PaymentMethod {
        /// `pm_…`
        id: String,
        /// `user_…`
        customer_id: String,
        connector: String,
        kind: Word<pb::PaymentMethodKind>,
        state: Word<pb::PaymentMethodState>,
        /// `visa`, `mastercard`, …
        brand: Option<String>,
        /// For people to recognize it.
        last4: Option<String>,
        /// 1 to 12.
        expiry_month: Option<i32>,
        expiry_year: Option<i32>,
        /// ISO 3166-1 alpha-2.
        issuer_country: Option<String>,
        /// The same for the same card at one connector.
        fingerprint: Option<String>,
        created_at: Moment = created_at_us,
        detached_at: Option<Moment> = detached_at_us,
    }
}

request! {
    /// A payment method to store.
    CreatePaymentMethod {
        /// The provider's token; never a card number.
        provider_token: String,
        /// `user_…`; the caller, if it is left out.
        customer_id: Option<String>,
        /// The default connector, if it is left out.
        connector: Option<String>,
        /// `card`, if it is left out.
        kind: Option<Word<pb::PaymentMethodKind>>,
    }
}

request! {
    /// Which payment methods.
    PaymentMethodFilter {
        /// `user_…`; the caller, if it is left out.
        customer_id: Option<String>,
        state: Option<Word<pb::PaymentMethodState>>,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/payment-methods", create)
            .about("Store a payment method")
            .calls(&["PaymentService/CreatePaymentMethod"])
            .tag(TAG),
        Route::get("/v1/payment-methods", list)
            .about("List a customer's payment methods")
            .calls(&["PaymentService/ListPaymentMethods"])
            .tag(TAG),
        Route::get("/v1/payment-methods/{payment_method_id}", get)
            .about("Read a payment method")
            .calls(&["PaymentService/GetPaymentMethod"])
            .tag(TAG),
        Route::delete("/v1/payment-methods/{payment_method_id}", detach)
            .about("Forget a payment method, here and at the provider")
            .calls(&["PaymentService/DetachPaymentMethod"])
            .tag(TAG),
    ]
}

async fn create(
    clients: Arc<Clients>,
    caller: Caller,
    key: Key,
    Body(body): Body<CreatePaymentMethod>,
) -> Result<Made<PaymentMethod>, Problem> {
    let request = pb::CreatePaymentMethodRequest {
        idempotency_key: key.0,
        customer_id: body
            .customer_id
            .unwrap_or_else(|| caller.principal.subject.clone()),
        connector: body.connector.unwrap_or_default(),
        provider_token: body.provider_token,
        kind: body
            .kind
            .map_or(pb::PaymentMethodKind::Card.into(), Word::number),
    };
    let answer = clients
        .payment()
        .create_payment_method(request)
        .await?
        .into_inner();
    let method = PaymentMethod::form(present(answer.payment_method, "payment", "payment_method")?);
    let location = format!("/v1/payment-methods/{}", method.id);
    Ok(Made::new(method, location, answer.outcome))
}

async fn list(
    clients: Arc<Clients>,
    caller: Caller,
    listing: Listing<PaymentMethodFilter>,
) -> Result<Page<PaymentMethod>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListPaymentMethodsRequest {
        customer_id: filter
            .customer_id
            .unwrap_or_else(|| caller.principal.subject.clone()),
        state: number_of(filter.state),
        page: Some(page),
    };
    let answer = clients
        .payment()
        .list_payment_methods(request)
        .await?
        .into_inner();
    Ok(Page::new(
        Form::form(answer.payment_methods),
        answer.page_info,
    ))
}

async fn get(
    clients: Arc<Clients>,
    Path(payment_method_id): Path<0>,
) -> Result<Found<PaymentMethod>, Problem> {
    let request = pb::GetPaymentMethodRequest { payment_method_id };
    let answer = clients
        .payment()
        .get_payment_method(request)
        .await?
        .into_inner();
    Ok(Found(PaymentMethod::form(present(
        answer.payment_method,
        "payment",
        "payment_method",
    )?)))
}

async fn detach(
    clients: Arc<Clients>,
    Path(payment_method_id): Path<0>,
) -> Result<Done<PaymentMethod>, Problem> {
    let request = pb::DetachPaymentMethodRequest { payment_method_id };
    let answer = clients
        .payment()
        .detach_payment_method(request)
        .await?
        .into_inner();
    let method = PaymentMethod::form(present(answer.payment_method, "payment", "payment_method")?);
    Ok(Done::new(method, answer.outcome))
}
