//! RPCs that read.

use paymesh_kernel::Principal;
use paymesh_proto::settlement::v1 as wire;

use super::{
    Grpc,
    fields::{Fields, numbered_info, page_info},
    words,
};
use crate::{domain::ids::StatementId, error::Error, proto, store};

// === impl Grpc ===

impl Grpc {
    pub(super) async fn get_batch(
        &self,
        principal: &Principal,
        request: &wire::GetBatchRequest,
    ) -> Result<wire::GetBatchResponse, Error> {
        let id = one("batch_id", &request.batch_id)?;
        let batch = self.app.batch(principal, id).await?;
        Ok(wire::GetBatchResponse {
            batch: Some(proto::batch(&batch)),
        })
    }

    pub(super) async fn list_batches(
        &self,
        principal: &Principal,
        request: &wire::ListBatchesRequest,
    ) -> Result<wire::ListBatchesResponse, Error> {
        let mut fields = Fields::default();
        let wanted = fields.page(principal.tenant, request.page.as_ref());
        let filter = store::batches::Filter {
            currency: fields.maybe("currency", &request.currency),
            state: words::batch_state(request.state()),
            opened: fields.between("opened", request.opened.as_ref()),
        };
        fields.done()?;
        let wanted = wanted.ok_or_else(|| fields.error())?;
        let batches = self.app.batches(wanted, filter).await?;
        let last = batches.last().map(|batch| batch.id.as_uuid());
        Ok(wire::ListBatchesResponse {
            page_info: page_info(last, batches.len(), wanted.limit),
            batches: batches.iter().map(proto::batch).collect(),
        })
    }

    pub(super) async fn list_positions(
        &self,
        principal: &Principal,
        request: &wire::ListPositionsRequest,
    ) -> Result<wire::ListPositionsResponse, Error> {
        let mut fields = Fields::default();
        let wanted = fields.page(principal.tenant, request.page.as_ref());
        let batch = fields.maybe("batch_id", &request.batch_id);
        let merchant = fields.maybe("merchant_id", &request.merchant_id);
        fields.done()?;
        let wanted = wanted.ok_or_else(|| fields.error())?;
        let positions = self.app.positions(wanted, (batch, merchant)).await?;
        let last = positions.last().map(|position| position.id.as_uuid());
        Ok(wire::ListPositionsResponse {
            page_info: page_info(last, positions.len(), wanted.limit),
            positions: positions.iter().map(proto::position).collect(),
        })
    }

    pub(super) async fn get_payout(
        &self,
        principal: &Principal,
        request: &wire::GetPayoutRequest,
    ) -> Result<wire::GetPayoutResponse, Error> {
        let id = one("payout_id", &request.payout_id)?;
        let payout = self.app.payout(principal, id).await?;
        Ok(wire::GetPayoutResponse {
            payout: Some(proto::payout(&payout)),
        })
    }

    pub(super) async fn list_payouts(
        &self,
        principal: &Principal,
        request: &wire::ListPayoutsRequest,
    ) -> Result<wire::ListPayoutsResponse, Error> {
        let mut fields = Fields::default();
        let wanted = fields.page(principal.tenant, request.page.as_ref());
        let owner = request.owner.as_ref();
        let filter = store::payouts::Filter {
            owner: owner.and_then(|owner| fields.owner("owner", Some(owner))),
            state: words::payout_state(request.state()),
            created: fields.between("created", request.created.as_ref()),
        };
        fields.done()?;
        let wanted = wanted.ok_or_else(|| fields.error())?;
        let payouts = self.app.payouts(principal, wanted, filter).await?;
        let last = payouts.last().map(|payout| payout.id.as_uuid());
        Ok(wire::ListPayoutsResponse {
            page_info: page_info(last, payouts.len(), wanted.limit),
            payouts: payouts.iter().map(proto::payout).collect(),
        })
    }

    pub(super) async fn list_statements(
        &self,
        principal: &Principal,
        request: &wire::ListStatementsRequest,
    ) -> Result<wire::ListStatementsResponse, Error> {
        let mut fields = Fields::default();
        let wanted = fields.page(principal.tenant, request.page.as_ref());
        let wanted = wanted.ok_or_else(|| fields.error())?;
        let kind = words::statement_kind(request.kind());
        let statements = self.app.statements(wanted, kind).await?;
        let last = statements.last().map(|statement| statement.id.as_uuid());
        Ok(wire::ListStatementsResponse {
            page_info: page_info(last, statements.len(), wanted.limit),
            statements: statements.iter().map(proto::statement).collect(),
        })
    }

    pub(super) async fn list_statement_lines(
        &self,
        principal: &Principal,
        request: &wire::ListStatementLinesRequest,
    ) -> Result<wire::ListStatementLinesResponse, Error> {
        let mut fields = Fields::default();
        let id: Option<StatementId> = fields.parse("statement_id", &request.statement_id);
        let page = fields.numbered_page(request.page.as_ref());
        let (Some(id), Some(page)) = (id, page) else {
            return Err(fields.error());
        };
        let of = (id, words::match_state(request.match_state()));
        let lines = self.app.lines(principal, of, page).await?;
        let last = lines.last().map(|line| line.read.number);
        Ok(wire::ListStatementLinesResponse {
            page_info: numbered_info(last, lines.len(), page.1),
            lines: lines.iter().map(proto::line).collect(),
        })
    }

    pub(super) async fn get_reconciliation(
        &self,
        principal: &Principal,
        request: &wire::GetReconciliationRequest,
    ) -> Result<wire::GetReconciliationResponse, Error> {
        let id = one("reconciliation_id", &request.reconciliation_id)?;
        let found = self.app.reconciliation(principal, id).await?;
        Ok(wire::GetReconciliationResponse {
            reconciliation: Some(proto::reconciliation(&found)),
        })
    }

    pub(super) async fn list_reconciliations(
        &self,
        principal: &Principal,
        request: &wire::ListReconciliationsRequest,
    ) -> Result<wire::ListReconciliationsResponse, Error> {
        let mut fields = Fields::default();
        let wanted = fields.page(principal.tenant, request.page.as_ref());
        let wanted = wanted.ok_or_else(|| fields.error())?;
        let found = self.app.reconciliations(wanted).await?;
        let last = found.last().map(|of| of.id.as_uuid());
        Ok(wire::ListReconciliationsResponse {
            page_info: page_info(last, found.len(), wanted.limit),
            reconciliations: found.iter().map(proto::reconciliation).collect(),
        })
    }

    pub(super) async fn get_break(
        &self,
        principal: &Principal,
        request: &wire::GetBreakRequest,
    ) -> Result<wire::GetBreakResponse, Error> {
        let id = one("break_id", &request.break_id)?;
        let item = self.app.difference(principal, id).await?;
        Ok(wire::GetBreakResponse {
            item: Some(proto::difference(&item)),
        })
    }

    pub(super) async fn list_breaks(
        &self,
        principal: &Principal,
        request: &wire::ListBreaksRequest,
    ) -> Result<wire::ListBreaksResponse, Error> {
        let mut fields = Fields::default();
        let wanted = fields.page(principal.tenant, request.page.as_ref());
        let wanted = wanted.ok_or_else(|| fields.error())?;
        let filter = store::breaks::Filter {
            kind: words::break_kind(request.kind()),
            state: words::break_state(request.state()),
            assignee: Some(request.assignee.clone()).filter(|assignee| !assignee.is_empty()),
        };
        let breaks = self.app.differences(wanted, &filter).await?;
        let last = breaks.last().map(|item| item.id.as_uuid());
        Ok(wire::ListBreaksResponse {
            page_info: page_info(last, breaks.len(), wanted.limit),
            breaks: breaks.iter().map(proto::difference).collect(),
        })
    }
}

fn one<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Error> {
    text.parse()
        .map_err(|error: T::Err| Error::field(field, error.to_string()))
}
