//! Risk: rules, lists, decisions, alerts.

mod forms;

use std::sync::Arc;

use paymesh_proto::risk::v1 as pb;

use super::{
    answer::{Done, Found, Gone, Made, Page, present},
    form::{Form, Moment, number_of},
    input::{Body, Listing, Path, range},
    once::Once,
    problem::Problem,
    route::Route,
};
use crate::clients::Clients;

pub(crate) use forms::{
    Alert, AlertFilter, DecisionFilter, Explanation, ListEntry, ListEntryFilter, PutListEntry,
    PutRule, RiskDecision, Rule, RuleFilter,
};

pub(crate) const TAG: &str = "Risk";

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/risk/rules", create_rule)
            .about("Make a rule")
            .calls(&["RiskService/PutRule"])
            .tag(TAG),
        Route::get("/v1/risk/rules", list_rules)
            .about("List rules by priority")
            .calls(&["RiskService/ListRules"])
            .tag(TAG),
        Route::get("/v1/risk/rules/{rule_id}", get_rule)
            .about("Read a rule")
            .calls(&["RiskService/GetRule"])
            .tag(TAG),
        Route::put("/v1/risk/rules/{rule_id}", put_rule)
            .about("Replace a rule")
            .calls(&["RiskService/PutRule"])
            .tag(TAG),
        Route::delete("/v1/risk/rules/{rule_id}", delete_rule)
            .about("Delete a rule")
            .calls(&["RiskService/DeleteRule"])
            .tag(TAG),
        Route::post("/v1/risk/list-entries", create_entry)
            .about("Add an entry to a list")
            .calls(&["RiskService/PutListEntry"])
            .tag(TAG),
        Route::get("/v1/risk/list-entries", list_entries)
            .about("List the entries of lists")
            .calls(&["RiskService/ListListEntries"])
            .tag(TAG),
        Route::put("/v1/risk/list-entries/{entry_id}", put_entry)
            .about("Replace an entry")
            .calls(&["RiskService/PutListEntry"])
            .tag(TAG),
        Route::delete("/v1/risk/list-entries/{entry_id}", delete_entry)
            .about("Delete an entry")
            .calls(&["RiskService/DeleteListEntry"])
            .tag(TAG),
        Route::get("/v1/risk/decisions", list_decisions)
            .about("List decisions, newest first")
            .calls(&["RiskService/ListDecisions"])
            .tag(TAG),
        Route::get("/v1/risk/decisions/{decision_id}", explain)
            .about("Explain a decision")
            .calls(&["RiskService/Explain"])
            .tag(TAG),
        Route::get("/v1/risk/alerts", list_alerts)
            .about("List alerts, newest first")
            .calls(&["RiskService/ListAlerts"])
            .tag(TAG),
    ]
}

fn rule_request(rule_id: String, body: PutRule) -> pb::PutRuleRequest {
    pb::PutRuleRequest {
        rule_id,
        name: body.name,
        expression: body.expression,
        decision: number_of(body.decision),
        points: body.points.unwrap_or(0),
        priority: body.priority.unwrap_or(0),
        state: number_of(body.state),
        expected_version: body.expected_version.unwrap_or(0),
    }
}

async fn create_rule(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<PutRule>,
) -> Result<Made<Rule>, Problem> {
    let answer = once
        .with_id("rule", async |id| {
            Ok(clients
                .risk()
                .put_rule(rule_request(id, body))
                .await?
                .into_inner())
        })
        .await?;
    let rule = Rule::form(present(answer.rule, "risk", "rule")?);
    let location = format!("/v1/risk/rules/{}", rule.id);
    Ok(Made::new(rule, location, answer.outcome))
}

async fn put_rule(
    clients: Arc<Clients>,
    Path(id): Path<0>,
    Body(body): Body<PutRule>,
) -> Result<Done<Rule>, Problem> {
    let answer = clients
        .risk()
        .put_rule(rule_request(id, body))
        .await?
        .into_inner();
    Ok(Done::new(
        Rule::form(present(answer.rule, "risk", "rule")?),
        answer.outcome,
    ))
}

async fn list_rules(
    clients: Arc<Clients>,
    listing: Listing<RuleFilter>,
) -> Result<Page<Rule>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListRulesRequest {
        state: number_of(filter.state),
        page: Some(page),
    };
    let answer = clients.risk().list_rules(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.rules), answer.page_info))
}

async fn get_rule(clients: Arc<Clients>, Path(rule_id): Path<0>) -> Result<Found<Rule>, Problem> {
    let answer = clients
        .risk()
        .get_rule(pb::GetRuleRequest { rule_id })
        .await?
        .into_inner();
    Ok(Found(Rule::form(present(answer.rule, "risk", "rule")?)))
}

async fn delete_rule(clients: Arc<Clients>, Path(rule_id): Path<0>) -> Result<Gone, Problem> {
    clients
        .risk()
        .delete_rule(pb::DeleteRuleRequest { rule_id })
        .await?;
    Ok(Gone)
}

fn entry_request(entry_id: String, body: PutListEntry) -> pb::PutListEntryRequest {
    pb::PutListEntryRequest {
        entry_id,
        kind: body.kind.number(),
        subject: body.subject.number(),
        value: body.value,
        note: body.note.unwrap_or_default(),
        expires_at_us: body.expires_at.map_or(0, Moment::as_micros),
    }
}

async fn create_entry(
    clients: Arc<Clients>,
    once: Once,
    Body(body): Body<PutListEntry>,
) -> Result<Made<ListEntry>, Problem> {
    let answer = once
        .with_id("rle", async |id| {
            Ok(clients
                .risk()
                .put_list_entry(entry_request(id, body))
                .await?
                .into_inner())
        })
        .await?;
    let entry = ListEntry::form(present(answer.entry, "risk", "entry")?);
    Ok(Made::new(
        entry,
        "/v1/risk/list-entries".to_owned(),
        answer.outcome,
    ))
}

async fn put_entry(
    clients: Arc<Clients>,
    Path(id): Path<0>,
    Body(body): Body<PutListEntry>,
) -> Result<Done<ListEntry>, Problem> {
    let answer = clients
        .risk()
        .put_list_entry(entry_request(id, body))
        .await?
        .into_inner();
    Ok(Done::new(
        ListEntry::form(present(answer.entry, "risk", "entry")?),
        answer.outcome,
    ))
}

async fn list_entries(
    clients: Arc<Clients>,
    listing: Listing<ListEntryFilter>,
) -> Result<Page<ListEntry>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListListEntriesRequest {
        kind: number_of(filter.kind),
        subject: number_of(filter.subject),
        page: Some(page),
    };
    let answer = clients
        .risk()
        .list_list_entries(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.entries), answer.page_info))
}

async fn delete_entry(clients: Arc<Clients>, Path(entry_id): Path<0>) -> Result<Gone, Problem> {
    clients
        .risk()
        .delete_list_entry(pb::DeleteListEntryRequest { entry_id })
        .await?;
    Ok(Gone)
}

async fn list_decisions(
    clients: Arc<Clients>,
    listing: Listing<DecisionFilter>,
) -> Result<Page<RiskDecision>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListDecisionsRequest {
        decision: number_of(filter.decision),
        customer_id: filter.customer_id.unwrap_or_default(),
        terminal_id: filter.terminal_id.unwrap_or_default(),
        business: range(filter.from, filter.until),
        page: Some(page),
    };
    let answer = clients.risk().list_decisions(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.decisions), answer.page_info))
}

async fn explain(
    clients: Arc<Clients>,
    Path(decision_id): Path<0>,
) -> Result<Found<Explanation>, Problem> {
    let answer = clients
        .risk()
        .explain(pb::ExplainRequest { decision_id })
        .await?
        .into_inner();
    Ok(Found(Explanation {
        decision: Form::form(present(answer.decision, "risk", "decision")?),
        features: Form::form(answer.features),
        matched_rule_ids: answer.matched_rule_ids,
    }))
}

async fn list_alerts(
    clients: Arc<Clients>,
    listing: Listing<AlertFilter>,
) -> Result<Page<Alert>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListAlertsRequest {
        kind: number_of(filter.kind),
        business: range(filter.from, filter.until),
        page: Some(page),
    };
    let answer = clients.risk().list_alerts(request).await?.into_inner();
    Ok(Page::new(Form::form(answer.alerts), answer.page_info))
}
