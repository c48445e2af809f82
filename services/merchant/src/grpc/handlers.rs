//! Each RPC: its request to a use case, the result to its response.

use paymesh_kernel::{
    Timestamp,
    id::{MerchantId, TenantId},
};
use paymesh_proto::{
    merchant::v1 as wire,
    types::v1::{Outcome, Page, PageInfo},
};
use prost::Message as _;

use super::{
    Grpc,
    fields::{Fields, PageAsked, next_token, state_of, terminal_state_of},
};
use crate::{
    app::{View, register::Register, terminals::AddTerminal},
    domain::{Merchant, Repeat, Terminal, TerminalId, merchant::Update},
    error::Error,
    proto,
};

// === impl Grpc ===

impl Grpc {
    pub(super) async fn register(
        &self,
        tenant: TenantId,
        request: &wire::RegisterRequest,
    ) -> Result<wire::RegisterResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("merchant_id", &request.merchant_id);
        let name = fields.name("name", &request.name);
        let country = fields.parse("country", &request.country);
        let currency = fields.parse("settlement_currency", &request.settlement_currency);
        let token = fields.token(
            "payout_destination_token",
            &request.payout_destination_token,
        );
        let (Some(id), Some(name), Some(country), Some(currency), Some(token)) =
            (id, name, country, currency, token)
        else {
            return Err(fields.error());
        };
        let command = Register {
            id,
            name,
            country,
            currency,
            destination: Some(token).filter(|token| !token.is_empty()),
            asked: request.encode_to_vec(),
        };
        let (merchant, repeat) = self.app.register(tenant, command).await?.into_parts();
        Ok(wire::RegisterResponse {
            merchant: Some(show_merchant(&merchant)),
            outcome: outcome(repeat),
        })
    }

    pub(super) async fn get_merchant(
        &self,
        view: &View,
        request: &wire::GetMerchantRequest,
    ) -> Result<wire::GetMerchantResponse, Error> {
        let merchant = self
            .app
            .merchant(view, id("merchant_id", &request.merchant_id)?)
            .await?;
        Ok(wire::GetMerchantResponse {
            merchant: Some(show_merchant(&merchant)),
        })
    }

    pub(super) async fn list_merchants(
        &self,
        view: &View,
        request: &wire::ListMerchantsRequest,
    ) -> Result<wire::ListMerchantsResponse, Error> {
        let PageAsked { after, limit } = page(request.page.as_ref())?;
        let asked = (after.map(MerchantId::from), limit);
        let merchants = self
            .app
            .merchants(view, state_of(request.state()), asked)
            .await?;
        let last = merchants.last().map(|merchant| merchant.id.as_uuid());
        Ok(wire::ListMerchantsResponse {
            page_info: Some(PageInfo {
                next_token: next_token(last, merchants.len(), limit),
            }),
            merchants: merchants.iter().map(show_merchant).collect(),
        })
    }

    pub(super) async fn update_merchant(
        &self,
        view: &View,
        request: &wire::UpdateMerchantRequest,
    ) -> Result<wire::UpdateMerchantResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("merchant_id", &request.merchant_id);
        let name = request.name.as_deref();
        let name = name.and_then(|text| fields.name("name", text));
        let token = request.payout_destination_token.as_deref();
        let destination = token.and_then(|text| fields.token("payout_destination_token", text));
        let expected = fields.version("expected_version", request.expected_version);
        fields.done()?;
        let id = id.ok_or_else(|| fields.error())?;
        let update = Update {
            name,
            destination,
            state: state_of(request.state()),
        };
        let changed = self
            .app
            .update_merchant(view, id, (update, expected))
            .await?;
        let (merchant, repeat) = changed.into_parts();
        Ok(wire::UpdateMerchantResponse {
            merchant: Some(show_merchant(&merchant)),
            outcome: outcome(repeat),
        })
    }

    pub(super) async fn update_plan(
        &self,
        view: &View,
        request: &wire::UpdatePlanRequest,
    ) -> Result<wire::UpdatePlanResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("merchant_id", &request.merchant_id);
        let terms = fields.terms(request.plan.as_ref());
        let expected = fields.version("expected_plan_version", request.expected_plan_version);
        fields.done()?;
        let (Some(id), Some(terms)) = (id, terms) else {
            return Err(fields.error());
        };
        let changed = self.app.update_plan(view, id, (terms, expected)).await?;
        let (merchant, repeat) = changed.into_parts();
        Ok(wire::UpdatePlanResponse {
            merchant: Some(show_merchant(&merchant)),
            outcome: outcome(repeat),
        })
    }

    pub(super) async fn add_terminal(
        &self,
        view: &View,
        request: &wire::AddTerminalRequest,
    ) -> Result<wire::AddTerminalResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("terminal_id", &request.terminal_id);
        let merchant = fields.parse("merchant_id", &request.merchant_id);
        let name = fields.name("name", &request.name);
        let country = fields.maybe("country", &request.country);
        fields.done()?;
        let (Some(id), Some(merchant), Some(name)) = (id, merchant, name) else {
            return Err(fields.error());
        };
        let command = AddTerminal {
            id,
            merchant,
            name,
            country,
        };
        let (terminal, repeat) = self.app.add_terminal(view, command).await?.into_parts();
        Ok(wire::AddTerminalResponse {
            terminal: Some(show_terminal(&terminal)),
            outcome: outcome(repeat),
        })
    }

    pub(super) async fn get_terminal(
        &self,
        view: &View,
        request: &wire::GetTerminalRequest,
    ) -> Result<wire::GetTerminalResponse, Error> {
        let terminal = self
            .app
            .terminal(view, id("terminal_id", &request.terminal_id)?)
            .await?;
        Ok(wire::GetTerminalResponse {
            terminal: Some(show_terminal(&terminal)),
        })
    }

    pub(super) async fn list_terminals(
        &self,
        view: &View,
        request: &wire::ListTerminalsRequest,
    ) -> Result<wire::ListTerminalsResponse, Error> {
        let merchant = id("merchant_id", &request.merchant_id)?;
        let PageAsked { after, limit } = page(request.page.as_ref())?;
        let asked = (
            terminal_state_of(request.state()),
            after.map(TerminalId::from),
            limit,
        );
        let terminals = self.app.terminals(view, merchant, asked).await?;
        let last = terminals.last().map(|terminal| terminal.id.as_uuid());
        Ok(wire::ListTerminalsResponse {
            page_info: Some(PageInfo {
                next_token: next_token(last, terminals.len(), limit),
            }),
            terminals: terminals.iter().map(show_terminal).collect(),
        })
    }

    pub(super) async fn update_terminal(
        &self,
        view: &View,
        request: &wire::UpdateTerminalRequest,
    ) -> Result<wire::UpdateTerminalResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("terminal_id", &request.terminal_id);
        let state = match terminal_state_of(request.state()) {
            Some(state) => Some(state),
            None => fields.refuse("state", "must be active or disabled"),
        };
        let (Some(id), Some(state)) = (id, state) else {
            return Err(fields.error());
        };
        let (terminal, repeat) = self
            .app
            .update_terminal(view, id, state)
            .await?
            .into_parts();
        Ok(wire::UpdateTerminalResponse {
            terminal: Some(show_terminal(&terminal)),
            outcome: outcome(repeat),
        })
    }
}

fn show_merchant(merchant: &Merchant) -> wire::Merchant {
    wire::Merchant {
        id: merchant.id.to_string(),
        name: merchant.name.clone(),
        state: proto::state(merchant.state).into(),
        country: merchant.country.to_string(),
        settlement_currency: merchant.currency.code().to_owned(),
        plan: Some(proto::plan(&merchant.plan)),
        pending_account_id: merchant.accounts.pending.to_string(),
        available_account_id: merchant.accounts.available.to_string(),
        reserve_account_id: merchant.accounts.reserve.to_string(),
        payout_destination_token: merchant.destination.clone().unwrap_or_default(),
        version: proto::unsigned(merchant.version),
        created_at_us: merchant.created_at.as_micros(),
        updated_at_us: merchant.updated_at.as_micros(),
        payout_destination_changed_at_us: merchant
            .destination_changed_at
            .map_or(0, Timestamp::as_micros),
    }
}

fn show_terminal(terminal: &Terminal) -> wire::Terminal {
    wire::Terminal {
        id: terminal.id.to_string(),
        merchant_id: terminal.merchant.to_string(),
        name: terminal.name.clone(),
        country: terminal.country.to_string(),
        state: proto::terminal_state(terminal.state).into(),
        created_at_us: terminal.created_at.as_micros(),
    }
}

fn outcome(repeat: Repeat) -> i32 {
    match repeat {
        Repeat::No => Outcome::Applied.into(),
        Repeat::Yes => Outcome::AlreadyApplied.into(),
    }
}

/// An id in the field of that name.
fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Error> {
    let mut fields = Fields::default();
    fields.parse(field, text).ok_or_else(|| fields.error())
}

fn page(page: Option<&Page>) -> Result<PageAsked, Error> {
    let mut fields = Fields::default();
    fields.page(page).ok_or_else(|| fields.error())
}
