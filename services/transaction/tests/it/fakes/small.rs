//! Risk, currency, merchant and user.

use std::collections::BTreeMap;

use paymesh_kernel::{ErrorKind, Fault};
use paymesh_proto::{
    currency::v1::currency_service_server::CurrencyService,
    merchant::v1::merchant_service_server::MerchantService,
    risk::v1::risk_service_server::RiskService,
    types::v1::{Decimal, Money},
    user::v1::user_service_server::UserService,
};
use tonic::{Request, Response, Status};

use super::{Fate, Line, Shared, service};

#[derive(Debug, thiserror::Error)]
#[error("the fake says {reason}")]
struct Said {
    kind: ErrorKind,
    reason: &'static str,
}

impl Fault for Said {
    fn kind(&self) -> ErrorKind {
        self.kind
    }
    fn reason(&self) -> &'static str {
        self.reason
    }
}

pub(super) fn not_found(reason: &'static str) -> Status {
    paymesh_mesh::to_status(&Said {
        kind: ErrorKind::NotFound,
        reason,
    })
}

pub(super) fn refused(reason: &'static str) -> Status {
    paymesh_mesh::to_status(&Said {
        kind: ErrorKind::FailedPrecondition,
        reason,
    })
}

pub(super) fn unreachable() -> Status {
    paymesh_mesh::to_status(&Said {
        kind: ErrorKind::Unavailable,
        reason: "COMPONENT_UNREACHABLE",
    })
}

/// What risk says to everything new.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Verdict {
    #[default]
    Allow,
    Challenge,
    Review,
    Deny,
}

/// Risk's records.
#[derive(Debug, Default)]
pub(crate) struct RiskDesk {
    pub(crate) verdict: Verdict,
    pub(crate) is_away: bool,
    pub(crate) decisions: BTreeMap<String, i32>,
}

mod risk {
    use paymesh_proto::risk::v1::{self as wire, Decision};

    use super::*;

    service!(RiskService, Shared<RiskDesk> {
        async fn assess(&self, request: Request<wire::AssessRequest>) -> Result<Response<wire::AssessResponse>, Status> {
            let request = request.into_inner();
            let mut desk = self.lock();
            if desk.is_away {
                return Err(unreachable());
            }
            let said = match desk.verdict {
                Verdict::Allow => Decision::Allow,
                Verdict::Challenge => Decision::Challenge,
                Verdict::Review => Decision::Review,
                Verdict::Deny => Decision::Deny,
            };
            let decision = *desk.decisions.entry(request.decision_id.clone()).or_insert_with(|| said.into());
            let decision = wire::RiskDecision { id: request.decision_id, decision, score: 12, ..wire::RiskDecision::default() };
            Ok(Response::new(wire::AssessResponse { decision: Some(decision), outcome: 1 }))
        }
    } unused {
        explain(wire::ExplainRequest) -> wire::ExplainResponse;
        list_decisions(wire::ListDecisionsRequest) -> wire::ListDecisionsResponse;
        put_rule(wire::PutRuleRequest) -> wire::PutRuleResponse;
        get_rule(wire::GetRuleRequest) -> wire::GetRuleResponse;
        list_rules(wire::ListRulesRequest) -> wire::ListRulesResponse;
        delete_rule(wire::DeleteRuleRequest) -> wire::DeleteRuleResponse;
        put_list_entry(wire::PutListEntryRequest) -> wire::PutListEntryResponse;
        list_list_entries(wire::ListListEntriesRequest) -> wire::ListListEntriesResponse;
        delete_list_entry(wire::DeleteListEntryRequest) -> wire::DeleteListEntryResponse;
        backtest(wire::BacktestRequest) -> wire::BacktestResponse;
        import_history(wire::ImportHistoryRequest) -> wire::ImportHistoryResponse;
        list_alerts(wire::ListAlertsRequest) -> wire::ListAlertsResponse;
    });
}

/// Currency's records: one dollar is 0.92 euros, and half a percent is the spread.
#[derive(Debug, Default)]
pub(crate) struct Market {
    pub(crate) quotes: BTreeMap<String, paymesh_proto::currency::v1::Quote>,
    pub(crate) line: Line,
    pub(crate) has_no_rate: bool,
}

mod market {
    use paymesh_proto::currency::v1::{self as wire, Quote, QuoteSide};

    use super::*;

    fn quote(request: &wire::LockQuoteRequest) -> Quote {
        let amount = request.amount.clone().unwrap();
        let other = |minor| {
            Some(Money {
                minor,
                currency: request.other_currency.clone(),
            })
        };
        // 0.92, or its inverse.
        let mid = if amount.currency == "USD" {
            amount.minor * 92 / 100
        } else {
            amount.minor * 100 / 92
        };
        let spread = mid / 200;
        let rate = Some(Decimal {
            units: 92,
            scale: 2,
        });
        let base = Quote {
            id: request.quote_id.clone(),
            mid_rate: rate,
            customer_rate: rate,
            ..Quote::default()
        };
        if request.side() == QuoteSide::Source {
            Quote {
                source: Some(amount.clone()),
                mid_source: Some(amount),
                mid_target: other(mid),
                target: other(mid - spread),
                spread: other(spread),
                spread_side: wire::SpreadSide::Target.into(),
                ..base
            }
        } else {
            Quote {
                source: other(mid + spread),
                mid_source: other(mid),
                mid_target: Some(amount.clone()),
                target: Some(amount),
                spread: other(spread),
                spread_side: wire::SpreadSide::Source.into(),
                ..base
            }
        }
    }

    service!(CurrencyService, Shared<Market> {
        async fn lock_quote(
            &self,
            request: Request<wire::LockQuoteRequest>,
        ) -> Result<Response<wire::LockQuoteResponse>, Status> {
            let request = request.into_inner();
            let mut market = self.lock();
            let fate = market.line.next();
            if fate == Fate::NeverArrives {
                return Err(unreachable());
            }
            if market.has_no_rate {
                return Err(refused("RATE_NOT_FOUND"));
            }
            let made = quote(&request);
            let kept = market.quotes.entry(request.quote_id.clone()).or_insert(made);
            assert!(kept.consumed_by.is_empty() || kept.consumed_by == request.consume_for, "T4: one quote, one operation");
            kept.consumed_by = request.consume_for;
            let quote = Some(kept.clone());
            if fate == Fate::AnswerLost {
                return Err(Status::unavailable("the answer is lost"));
            }
            Ok(Response::new(wire::LockQuoteResponse { quote, outcome: 1 }))
        }

        async fn consume_quote(
            &self,
            request: Request<wire::ConsumeQuoteRequest>,
        ) -> Result<Response<wire::ConsumeQuoteResponse>, Status> {
            let request = request.into_inner();
            let mut market = self.lock();
            let quote = market.quotes.get_mut(&request.quote_id).ok_or_else(|| not_found("QUOTE_NOT_FOUND"))?;
            if !quote.consumed_by.is_empty() && quote.consumed_by != request.operation_id {
                return Err(refused("QUOTE_CONSUMED"));
            }
            quote.consumed_by = request.operation_id;
            Ok(Response::new(wire::ConsumeQuoteResponse { quote: Some(quote.clone()), outcome: 1 }))
        }

        async fn get_quote(
            &self,
            request: Request<wire::GetQuoteRequest>,
        ) -> Result<Response<wire::GetQuoteResponse>, Status> {
            let market = self.lock();
            let quote = market.quotes.get(&request.into_inner().quote_id).cloned();
            let quote = Some(quote.ok_or_else(|| not_found("QUOTE_NOT_FOUND"))?);
            Ok(Response::new(wire::GetQuoteResponse { quote }))
        }
    } unused {
        get_rate(wire::GetRateRequest) -> wire::GetRateResponse;
        list_rates(wire::ListRatesRequest) -> wire::ListRatesResponse;
        convert(wire::ConvertRequest) -> wire::ConvertResponse;
        list_quotes(wire::ListQuotesRequest) -> wire::ListQuotesResponse;
        import(wire::ImportRequest) -> wire::ImportResponse;
        list_sources(wire::ListSourcesRequest) -> wire::ListSourcesResponse;
    });
}

/// Merchants by id.
#[derive(Debug, Default)]
pub(crate) struct Merchants(pub(crate) BTreeMap<String, paymesh_proto::merchant::v1::Merchant>);

mod merchant {
    use paymesh_proto::merchant::v1 as wire;

    use super::*;

    service!(MerchantService, Shared<Merchants> {
        async fn get_merchant(
            &self,
            request: Request<wire::GetMerchantRequest>,
        ) -> Result<Response<wire::GetMerchantResponse>, Status> {
            let merchant = self.lock().0.get(&request.into_inner().merchant_id).cloned();
            let merchant = Some(merchant.ok_or_else(|| not_found("MERCHANT_NOT_FOUND"))?);
            Ok(Response::new(wire::GetMerchantResponse { merchant }))
        }

        async fn get_terminal(
            &self,
            _: Request<wire::GetTerminalRequest>,
        ) -> Result<Response<wire::GetTerminalResponse>, Status> {
            Err(not_found("TERMINAL_NOT_FOUND"))
        }
    } unused {
        register(wire::RegisterRequest) -> wire::RegisterResponse;
        list_merchants(wire::ListMerchantsRequest) -> wire::ListMerchantsResponse;
        update_merchant(wire::UpdateMerchantRequest) -> wire::UpdateMerchantResponse;
        update_plan(wire::UpdatePlanRequest) -> wire::UpdatePlanResponse;
        add_terminal(wire::AddTerminalRequest) -> wire::AddTerminalResponse;
        list_terminals(wire::ListTerminalsRequest) -> wire::ListTerminalsResponse;
        update_terminal(wire::UpdateTerminalRequest) -> wire::UpdateTerminalResponse;
    });
}

/// The tenant.
#[derive(Debug, Default)]
pub(crate) struct Tenants {
    pub(crate) is_sandbox: bool,
}

mod user {
    use paymesh_proto::user::v1 as wire;

    use super::*;

    service!(UserService, Shared<Tenants> {
        async fn get_tenant(
            &self,
            request: Request<wire::GetTenantRequest>,
        ) -> Result<Response<wire::GetTenantResponse>, Status> {
            let mode = if self.lock().is_sandbox { wire::TenantMode::Sandbox } else { wire::TenantMode::Live };
            let tenant = wire::Tenant { id: request.into_inner().tenant_id, mode: mode.into(), ..wire::Tenant::default() };
            Ok(Response::new(wire::GetTenantResponse { tenant: Some(tenant) }))
        }
    } unused {
        create_tenant(wire::CreateTenantRequest) -> wire::CreateTenantResponse;
        list_tenants(wire::ListTenantsRequest) -> wire::ListTenantsResponse;
        register(wire::RegisterRequest) -> wire::RegisterResponse;
        login(wire::LoginRequest) -> wire::LoginResponse;
        refresh(wire::RefreshRequest) -> wire::RefreshResponse;
        logout(wire::LogoutRequest) -> wire::LogoutResponse;
        get_user(wire::GetUserRequest) -> wire::GetUserResponse;
        update_user(wire::UpdateUserRequest) -> wire::UpdateUserResponse;
        list_users(wire::ListUsersRequest) -> wire::ListUsersResponse;
        erase_user(wire::EraseUserRequest) -> wire::EraseUserResponse;
        assign_roles(wire::AssignRolesRequest) -> wire::AssignRolesResponse;
        create_api_key(wire::CreateApiKeyRequest) -> wire::CreateApiKeyResponse;
        list_api_keys(wire::ListApiKeysRequest) -> wire::ListApiKeysResponse;
        revoke_api_key(wire::RevokeApiKeyRequest) -> wire::RevokeApiKeyResponse;
        authenticate_api_key(wire::AuthenticateApiKeyRequest) -> wire::AuthenticateApiKeyResponse;
        get_jwks(wire::GetJwksRequest) -> wire::GetJwksResponse;
        get_contact(wire::GetContactRequest) -> wire::GetContactResponse;
    });
}
