//! Each RPC: its request to a use case, the result to its response.

use paymesh_kernel::Principal;
use paymesh_proto::{risk::v1 as wire, types::v1::PageInfo};

use super::{
    Grpc, answer, command,
    fields::{Fields, next_token},
};
use crate::{
    convert,
    domain::AlertKind,
    error::Error,
    store::{Place, lists, payments},
};

type Handled<T> = Result<T, Error>;

// === impl Grpc ===

impl Grpc {
    pub(super) async fn assess(
        &self,
        principal: &Principal,
        request: &wire::AssessRequest,
    ) -> Handled<wire::AssessResponse> {
        let command = command::assess(principal, request)?;
        let (assessment, outcome) = answer::parted(self.app.assess(principal, command).await?);
        Ok(wire::AssessResponse {
            decision: Some(convert::risk_decision(&assessment)),
            outcome,
        })
    }

    pub(super) async fn explain(
        &self,
        principal: &Principal,
        request: &wire::ExplainRequest,
    ) -> Handled<wire::ExplainResponse> {
        let id = id("decision_id", &request.decision_id)?;
        Ok(answer::explanation(&self.app.explain(principal, id).await?))
    }

    pub(super) async fn list_decisions(
        &self,
        principal: &Principal,
        request: &wire::ListDecisionsRequest,
    ) -> Handled<wire::ListDecisionsResponse> {
        let mut fields = Fields::default();
        let customer = fields.maybe_word("customer_id", &request.customer_id);
        let terminal = fields.maybe_word("terminal_id", &request.terminal_id);
        let business = fields.range(request.business.as_ref());
        let cut = fields.page(request.page.as_ref());
        let decision = command::decision_of(request.decision());
        let asked = (|| {
            let filter = payments::Filter {
                decision,
                customer: customer?,
                terminal: terminal?,
                business: business?,
            };
            Some((filter, cut?))
        })();
        let (filter, cut) = fields.done(asked)?;
        let found = self.app.decisions(principal, &filter, cut).await?;
        let last = found.last().map(|last| Place {
            at: last.decided_at.as_micros(),
            id: last.id.as_uuid(),
        });
        Ok(wire::ListDecisionsResponse {
            page_info: page_info(last, found.len(), cut.limit),
            decisions: found.iter().map(convert::risk_decision).collect(),
        })
    }

    pub(super) async fn put_rule(
        &self,
        principal: &Principal,
        request: &wire::PutRuleRequest,
    ) -> Handled<wire::PutRuleResponse> {
        let command = command::put_rule(request)?;
        let (rule, outcome) = answer::parted(self.app.put_rule(principal, &command).await?);
        Ok(wire::PutRuleResponse {
            rule: Some(answer::rule(&rule)),
            outcome,
        })
    }

    pub(super) async fn get_rule(
        &self,
        principal: &Principal,
        request: &wire::GetRuleRequest,
    ) -> Handled<wire::GetRuleResponse> {
        let rule = self
            .app
            .rule(principal, id("rule_id", &request.rule_id)?)
            .await?;
        Ok(wire::GetRuleResponse {
            rule: Some(answer::rule(&rule)),
        })
    }

    pub(super) async fn list_rules(
        &self,
        principal: &Principal,
        request: &wire::ListRulesRequest,
    ) -> Handled<wire::ListRulesResponse> {
        let mut fields = Fields::default();
        let cut = fields.page(request.page.as_ref());
        let cut = fields.done(cut)?;
        let found = self
            .app
            .rules(principal, command::state_of(request.state()), cut)
            .await?;
        let last = found.last().map(|last| Place {
            at: i64::from(last.priority),
            id: last.id.as_uuid(),
        });
        Ok(wire::ListRulesResponse {
            page_info: page_info(last, found.len(), cut.limit),
            rules: found.iter().map(answer::rule).collect(),
        })
    }

    pub(super) async fn delete_rule(
        &self,
        principal: &Principal,
        request: &wire::DeleteRuleRequest,
    ) -> Handled<wire::DeleteRuleResponse> {
        let id = id("rule_id", &request.rule_id)?;
        let ((), outcome) = answer::parted(self.app.delete_rule(principal, id).await?);
        Ok(wire::DeleteRuleResponse { outcome })
    }

    pub(super) async fn put_list_entry(
        &self,
        principal: &Principal,
        request: &wire::PutListEntryRequest,
    ) -> Handled<wire::PutListEntryResponse> {
        let command = command::put_entry(request)?;
        let (entry, outcome) = answer::parted(self.app.put_entry(principal, &command).await?);
        Ok(wire::PutListEntryResponse {
            entry: Some(answer::entry(&entry)),
            outcome,
        })
    }

    pub(super) async fn list_list_entries(
        &self,
        principal: &Principal,
        request: &wire::ListListEntriesRequest,
    ) -> Handled<wire::ListListEntriesResponse> {
        let mut fields = Fields::default();
        let cut = fields.page(request.page.as_ref());
        let cut = fields.done(cut)?;
        let filter = lists::Filter {
            kind: command::kind_of(request.kind()),
            subject: command::subject_of(request.subject()),
        };
        let after = cut.from.map(|place| place.id);
        let found = self
            .app
            .entries(principal, filter, (after, cut.limit))
            .await?;
        let last = found.last().map(|last| Place {
            at: 0,
            id: last.id.as_uuid(),
        });
        Ok(wire::ListListEntriesResponse {
            page_info: page_info(last, found.len(), cut.limit),
            entries: found.iter().map(answer::entry).collect(),
        })
    }

    pub(super) async fn delete_list_entry(
        &self,
        principal: &Principal,
        request: &wire::DeleteListEntryRequest,
    ) -> Handled<wire::DeleteListEntryResponse> {
        let id = id("entry_id", &request.entry_id)?;
        let ((), outcome) = answer::parted(self.app.delete_entry(principal, id).await?);
        Ok(wire::DeleteListEntryResponse { outcome })
    }

    pub(super) async fn backtest(
        &self,
        principal: &Principal,
        request: &wire::BacktestRequest,
    ) -> Handled<wire::BacktestResponse> {
        let command = command::backtest(principal, request)?;
        Ok(answer::tally(&self.app.backtest(principal, command).await?))
    }

    pub(super) async fn import_history(
        &self,
        principal: &Principal,
        request: &wire::ImportHistoryRequest,
    ) -> Handled<wire::ImportHistoryResponse> {
        let command = command::import_history(principal, request)?;
        let (count, outcome) = answer::parted(self.app.import_history(principal, command).await?);
        Ok(wire::ImportHistoryResponse {
            imported_count: u64::try_from(count).unwrap_or_default(),
            outcome,
        })
    }

    pub(super) async fn list_alerts(
        &self,
        principal: &Principal,
        request: &wire::ListAlertsRequest,
    ) -> Handled<wire::ListAlertsResponse> {
        let mut fields = Fields::default();
        let business = fields.range(request.business.as_ref());
        let cut = fields.page(request.page.as_ref());
        let (business, cut) = fields.done(business.zip(cut))?;
        let filter = (kind_of(request.kind()), business);
        let found = self.app.alerts(principal, filter, cut).await?;
        let last = found.last().map(|last| Place {
            at: last.raised_at.as_micros(),
            id: last.id.as_uuid(),
        });
        Ok(wire::ListAlertsResponse {
            page_info: page_info(last, found.len(), cut.limit),
            alerts: found.iter().map(convert::alert).collect(),
        })
    }
}

fn id<T: std::str::FromStr<Err: std::fmt::Display>>(field: &'static str, text: &str) -> Handled<T> {
    let mut fields = Fields::default();
    let id = fields.parse(field, text);
    fields.done(id)
}

#[allow(clippy::unnecessary_wraps, reason = "the contract has it optional")]
fn page_info(last: Option<Place>, count: usize, limit: u64) -> Option<PageInfo> {
    Some(PageInfo {
        next_token: next_token(last, count, limit),
    })
}

const fn kind_of(kind: wire::AlertKind) -> Option<AlertKind> {
    match kind {
        wire::AlertKind::Unspecified => None,
        wire::AlertKind::Denied => Some(AlertKind::Denied),
        wire::AlertKind::Velocity => Some(AlertKind::Velocity),
        wire::AlertKind::TerminalCompromised => Some(AlertKind::TerminalCompromised),
        wire::AlertKind::Chargeback => Some(AlertKind::Chargeback),
        wire::AlertKind::ListHit => Some(AlertKind::ListHit),
    }
}
