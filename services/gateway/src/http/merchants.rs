//! Merchants, their plans and terminals.

use std::sync::Arc;

use paymesh_proto::merchant::v1 as pb;

use super::{
    answer::{Done, Found, Made, Page, present},
    form::{Amount, Form, Moment, Word, form, number_of, reads, request, shape, words},
    input::{Body, Listing, Path},
    once::Once,
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

const TAG: &str = "Merchants";

words! {
    pb::MerchantState = MerchantState "MERCHANT_STATE_";
    pb::NegativeBalance = NegativeBalance "NEGATIVE_BALANCE_";
    pb::TerminalState = TerminalState "TERMINAL_STATE_";
}

shape! {
    /// What a merchant pays, and when it is paid.
    Plan {
        /// Share of the captured amount, in basis points.
        fee_bp: i64,
        /// For each transaction, in the settlement currency.
        fee_fixed: Option<Amount>,
        /// Days from pending to available.
        settlement_delay_days: i32,
        /// What a refund does that is not covered.
        negative_balance: Option<Word<pb::NegativeBalance>>,
        /// For each chargeback.
        chargeback_fee: Option<Amount>,
        /// Kept back, in basis points.
        reserve_bp: i64,
        /// Rises with each change; not looked at when a plan is put.
        version: Option<u64>,
    }
}

reads! {
    Plan {
        fee_bp: i64,
        fee_fixed: Option<Amount>,
        settlement_delay_days: i32,
        negative_balance: Option<Word<pb::NegativeBalance>>,
        chargeback_fee: Option<Amount>,
        reserve_bp: i64,
        version: Option<u64>,
    }
}

impl Form<pb::Plan> for Plan {
    fn form(from: pb::Plan) -> Self {
        Self {
            fee_bp: from.fee_bp,
            fee_fixed: Form::form(from.fee_fixed),
            settlement_delay_days: from.settlement_delay_days,
            negative_balance: Form::form(from.negative_balance),
            chargeback_fee: Form::form(from.chargeback_fee),
            reserve_bp: from.reserve_bp,
            version: Form::form(from.version),
        }
    }
}

impl From<Plan> for pb::Plan {
    fn from(plan: Plan) -> Self {
        Self {
            fee_bp: plan.fee_bp,
            fee_fixed: plan.fee_fixed.map(Into::into),
            settlement_delay_days: plan.settlement_delay_days,
            negative_balance: number_of(plan.negative_balance),
            chargeback_fee: plan.chargeback_fee.map(Into::into),
            reserve_bp: plan.reserve_bp,
            version: plan.version.unwrap_or(0),
        }
    }
}

form! {
    /// A merchant.
    Merchant from pb::Merchant {
        /// `mrc_…`
        id: String,
        name: String,
        state: Word<pb::MerchantState>,
        /// ISO 3166-1 alpha-2.
        country: String,
        settlement_currency: String,
        plan: Option<Plan>,
        pending_account_id: Option<String>,
        available_account_id: Option<String>,
        reserve_account_id: Option<String>,
        /// Token of the bank account.
        payout_destination_token: Option<String>,
        /// For `expected_version`.
        version: u64,
        created_at: Moment = created_at_us,
        updated_at: Moment = updated_at_us,
    }
}

form! {
    /// Where a merchant takes payments.
    Terminal from pb::Terminal {
        /// `term_…`
        id: String,
        merchant_id: String,
        name: String,
        /// ISO 3166-1 alpha-2.
        country: Option<String>,
        state: Word<pb::TerminalState>,
        created_at: Moment = created_at_us,
    }
}

request! {
    /// A new merchant.
    RegisterMerchant {
        name: String,
        /// ISO 3166-1 alpha-2.
        country: String,
        /// ISO 4217.
        settlement_currency: String,
        /// Token of the bank account.
        payout_destination_token: Option<String>,
    }
}

request! {
    /// What is to change; what is left out stays.
    UpdateMerchant {
        name: Option<String>,
        payout_destination_token: Option<String>,
        state: Option<Word<pb::MerchantState>>,
        /// When the merchant has another version, nothing is changed (409).
        expected_version: Option<u64>,
    }
}

request! {
    /// A plan as it is to be.
    UpdatePlan {
        plan: Plan,
        /// When the plan has another version, nothing is changed (409).
        expected_plan_version: Option<u64>,
    }
}

request! {
    /// A new terminal.
    AddTerminal {
        name: String,
        /// The merchant's, if it is left out.
        country: Option<String>,
    }
}

request! {
    /// What is to change.
    UpdateTerminal {
        state: Word<pb::TerminalState>,
    }
}

request! {
    /// Which merchants.
    MerchantFilter {
        state: Option<Word<pb::MerchantState>>,
    }
}

request! {
    /// Which terminals.
    TerminalFilter {
        state: Option<Word<pb::TerminalState>>,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/merchants", register)
            .about("Register a merchant")
            .notes("With the default plan; its accounts are opened.")
            .calls(&["MerchantService/Register"])
            .tag(TAG),
        Route::get("/v1/merchants", list)
            .about("List merchants")
            .calls(&["MerchantService/ListMerchants"])
            .tag(TAG),
        Route::get("/v1/merchants/{merchant_id}", get)
            .about("Read a merchant")
            .calls(&["MerchantService/GetMerchant"])
            .tag(TAG),
        Route::patch("/v1/merchants/{merchant_id}", update)
            .about("Change a merchant")
            .calls(&["MerchantService/UpdateMerchant"])
            .tag(TAG),
        Route::put("/v1/merchants/{merchant_id}/plan", update_plan)
            .about("Replace a merchant's plan")
            .notes("For transactions that begin later.")
            .calls(&["MerchantService/UpdatePlan"])
            .tag(TAG),
        Route::post("/v1/merchants/{merchant_id}/terminals", add_terminal)
            .about("Add a terminal")
            .calls(&["MerchantService/AddTerminal"])
            .tag(TAG),
        Route::get("/v1/merchants/{merchant_id}/terminals", list_terminals)
            .about("List a merchant's terminals")
            .calls(&["MerchantService/ListTerminals"])
            .tag(TAG),
        Route::get("/v1/terminals/{terminal_id}", get_terminal)
            .about("Read a terminal")
            .calls(&["MerchantService/GetTerminal"])
            .tag(TAG),
        Route::patch("/v1/terminals/{terminal_id}", update_terminal)
            .about("Enable or disable a terminal")
            .calls(&["MerchantService/UpdateTerminal"])
            .tag(TAG),
    ]
}

async fn register(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<RegisterMerchant>,
) -> Result<Made<Merchant>, Problem> {
    let answer = once
        .with_id("mrc", async |merchant_id| {
            let request = pb::RegisterRequest {
                merchant_id,
                name: body.name,
                country: body.country,
                settlement_currency: body.settlement_currency,
                payout_destination_token: body.payout_destination_token.unwrap_or_default(),
            };
            Ok(clients.merchant().register(request).await?.into_inner())
        })
        .await?;
    let merchant = Merchant::form(present(answer.merchant, "merchant", "merchant")?);
    let location = format!("/v1/merchants/{}", merchant.id);
    Ok(Made::new(merchant, location, answer.outcome))
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<MerchantFilter>,
) -> Result<Page<Merchant>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListMerchantsRequest {
        state: number_of(filter.state),
        page: Some(page),
    };
    let answer = clients
        .merchant()
        .list_merchants(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.merchants), answer.page_info))
}

async fn get(
    clients: Arc<Clients>,
    Path(merchant_id): Path<0>,
) -> Result<Found<Merchant>, Problem> {
    let request = pb::GetMerchantRequest { merchant_id };
    let answer = clients.merchant().get_merchant(request).await?.into_inner();
    Ok(Found(Merchant::form(present(
        answer.merchant,
        "merchant",
        "merchant",
    )?)))
}

async fn update(
    clients: Arc<Clients>,
    Path(merchant_id): Path<0>,
    Body(body): Body<UpdateMerchant>,
) -> Result<Done<Merchant>, Problem> {
    let request = pb::UpdateMerchantRequest {
        merchant_id,
        name: body.name,
        payout_destination_token: body.payout_destination_token,
        state: number_of(body.state),
        expected_version: body.expected_version.unwrap_or(0),
    };
    let answer = clients
        .merchant()
        .update_merchant(request)
        .await?
        .into_inner();
    let merchant = Merchant::form(present(answer.merchant, "merchant", "merchant")?);
    Ok(Done::new(merchant, answer.outcome))
}

async fn update_plan(
    clients: Arc<Clients>,
    Path(merchant_id): Path<0>,
    Body(body): Body<UpdatePlan>,
) -> Result<Done<Merchant>, Problem> {
    let request = pb::UpdatePlanRequest {
        merchant_id,
        plan: Some(body.plan.into()),
        expected_plan_version: body.expected_plan_version.unwrap_or(0),
    };
    let answer = clients.merchant().update_plan(request).await?.into_inner();
    let merchant = Merchant::form(present(answer.merchant, "merchant", "merchant")?);
    Ok(Done::new(merchant, answer.outcome))
}

async fn add_terminal(
    clients: Arc<Clients>,
    once: Once,
    Path(merchant_id): Path<0>,
    Body(body): Body<AddTerminal>,
) -> Result<Made<Terminal>, Problem> {
    let answer = once
        .with_id("term", async |terminal_id| {
            let request = pb::AddTerminalRequest {
                terminal_id,
                merchant_id,
                name: body.name,
                country: body.country.unwrap_or_default(),
            };
            Ok(clients.merchant().add_terminal(request).await?.into_inner())
        })
        .await?;
    let terminal = Terminal::form(present(answer.terminal, "merchant", "terminal")?);
    let location = format!("/v1/terminals/{}", terminal.id);
    Ok(Made::new(terminal, location, answer.outcome))
}

async fn list_terminals(
    clients: Arc<Clients>,
    Path(merchant_id): Path<0>,
    listing: Listing<TerminalFilter>,
) -> Result<Page<Terminal>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListTerminalsRequest {
        merchant_id,
        state: number_of(filter.state),
        page: Some(page),
    };
    let answer = clients
        .merchant()
        .list_terminals(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.terminals), answer.page_info))
}

async fn get_terminal(
    clients: Arc<Clients>,
    Path(terminal_id): Path<0>,
) -> Result<Found<Terminal>, Problem> {
    let request = pb::GetTerminalRequest { terminal_id };
    let answer = clients.merchant().get_terminal(request).await?.into_inner();
    Ok(Found(Terminal::form(present(
        answer.terminal,
        "merchant",
        "terminal",
    )?)))
}

async fn update_terminal(
    clients: Arc<Clients>,
    Path(terminal_id): Path<0>,
    Body(body): Body<UpdateTerminal>,
) -> Result<Done<Terminal>, Problem> {
    let state = body.state.number();
    let request = pb::UpdateTerminalRequest { terminal_id, state };
    let answer = clients
        .merchant()
        .update_terminal(request)
        .await?
        .into_inner();
    let terminal = Terminal::form(present(answer.terminal, "merchant", "terminal")?);
    Ok(Done::new(terminal, answer.outcome))
}
