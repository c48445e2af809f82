//! RPCs that change something: each request to a use case, the result to its response.

use paymesh_chassis::idempotency::IdempotencyKey;
use paymesh_kernel::Principal;
use paymesh_proto::settlement::v1 as wire;
use prost::Message as _;

use super::{
    Grpc,
    fields::Fields,
    words::{parts, statement_kind},
};
use crate::{
    app::{
        payouts::NewPayout,
        reconcile::Scope,
        statements::{CONTENT_LIMIT, NewStatement},
    },
    clients::moment,
    domain::{
        difference::{Command, NOTE_LIMIT},
        reconciliation::Span,
    },
    error::Error,
    proto,
};

/// Longest token of a bank account.
const TOKEN_LIMIT: usize = 255;
/// Longest subject.
const SUBJECT_LIMIT: usize = 128;

// === impl Grpc ===

impl Grpc {
    pub(super) async fn open_batch(
        &self,
        principal: &Principal,
        request: &wire::OpenBatchRequest,
    ) -> Result<wire::OpenBatchResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("batch_id", &request.batch_id);
        let currency = fields.parse("currency", &request.currency);
        let (Some(id), Some(currency)) = (id, currency) else {
            return Err(fields.error());
        };
        let opened = self.app.open_batch(principal.tenant, (id, currency));
        let (batch, outcome) = parts(opened.await?);
        Ok(wire::OpenBatchResponse {
            batch: Some(proto::batch(&batch)),
            outcome,
        })
    }

    pub(super) async fn close_batch(
        &self,
        principal: &Principal,
        request: &wire::CloseBatchRequest,
    ) -> Result<wire::CloseBatchResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("batch_id", &request.batch_id);
        let id = id.ok_or_else(|| fields.error())?;
        let (batch, outcome) = parts(self.app.close_batch(principal, id).await?);
        Ok(wire::CloseBatchResponse {
            batch: Some(proto::batch(&batch)),
            outcome,
        })
    }

    pub(super) async fn create_payout(
        &self,
        principal: &Principal,
        request: &wire::CreatePayoutRequest,
    ) -> Result<wire::CreatePayoutResponse, Error> {
        let mut fields = Fields::default();
        let owner = fields.owner("owner", request.owner.as_ref());
        let currency = fields.parse("currency", &request.currency);
        let amount = request.amount.as_ref().and_then(|amount| {
            fields.amount(["amount.minor", "amount.currency"], amount, currency)
        });
        let destination =
            fields.token("destination_token", &request.destination_token, TOKEN_LIMIT);
        let batch = fields.maybe("batch_id", &request.batch_id);
        fields.done()?;
        let (Some(owner), Some(currency), Some(destination)) = (owner, currency, destination)
        else {
            return Err(fields.error());
        };
        let asked = wire::CreatePayoutRequest {
            idempotency_key: String::new(),
            ..request.clone()
        };
        let key = IdempotencyKey::try_new(
            principal,
            "CreatePayout",
            &request.idempotency_key,
            &asked.encode_to_vec(),
        )?;
        let wish = NewPayout {
            owner,
            amount,
            currency,
            destination,
            batch,
            business_at: moment(request.business_at_us),
        };
        let (payout, outcome) = parts(self.app.create_payout(principal, (key, wish)).await?);
        Ok(wire::CreatePayoutResponse {
            payout: Some(proto::payout(&payout)),
            outcome,
        })
    }

    pub(super) async fn import_statement(
        &self,
        principal: &Principal,
        request: wire::ImportStatementRequest,
    ) -> Result<wire::ImportStatementResponse, Error> {
        let mut fields = Fields::default();
        let kind = match statement_kind(request.kind()) {
            Some(kind) => Some(kind),
            None => fields.refuse("kind", "must be provider or bank"),
        };
        let source = fields.source("source", &request.source);
        if request.content.len() > CONTENT_LIMIT {
            let rule = format!("must be at most {CONTENT_LIMIT} bytes; send it in parts");
            fields.refuse::<()>("content", rule);
        }
        fields.done()?;
        let (Some(kind), Some(source)) = (kind, source) else {
            return Err(fields.error());
        };
        let new = NewStatement {
            kind,
            source,
            content: request.content,
        };
        let (statement, outcome) = parts(self.app.import(principal.tenant, new).await?);
        Ok(wire::ImportStatementResponse {
            statement: Some(proto::statement(&statement)),
            outcome,
        })
    }

    pub(super) async fn reconcile(
        &self,
        principal: &Principal,
        request: &wire::ReconcileRequest,
    ) -> Result<wire::ReconcileResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("reconciliation_id", &request.reconciliation_id);
        let currency = fields.parse("currency", &request.currency);
        let span = fields.span("range", request.range.as_ref());
        fields.done()?;
        let (Some(id), Some(currency), Some((from, until))) = (id, currency, span) else {
            return Err(fields.error());
        };
        let scope = Scope {
            id,
            span: Span { from, until },
            currency,
        };
        let (done, outcome) = parts(self.app.reconcile(principal, scope).await?);
        Ok(wire::ReconcileResponse {
            reconciliation: Some(proto::reconciliation(&done)),
            outcome,
        })
    }

    pub(super) async fn assign_break(
        &self,
        principal: &Principal,
        request: &wire::AssignBreakRequest,
    ) -> Result<wire::AssignBreakResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("break_id", &request.break_id);
        let to = fields.token("assignee", &request.assignee, SUBJECT_LIMIT);
        let note = fields.note("note", &request.note, NOTE_LIMIT);
        let (Some(id), Some(to), Some(note)) = (id, to, note) else {
            return Err(fields.error());
        };
        let command = Command::Assign { to, note };
        let (item, outcome) = parts(self.app.deal_with(principal, id, command).await?);
        Ok(wire::AssignBreakResponse {
            item: Some(proto::difference(&item)),
            outcome,
        })
    }

    pub(super) async fn request_write_off(
        &self,
        principal: &Principal,
        request: &wire::RequestWriteOffRequest,
    ) -> Result<wire::RequestWriteOffResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("break_id", &request.break_id);
        let note = fields.note("note", &request.note, NOTE_LIMIT);
        let (Some(id), Some(note)) = (id, note) else {
            return Err(fields.error());
        };
        let by = principal.clone();
        let command = Command::Request { by, note };
        let (item, outcome) = parts(self.app.deal_with(principal, id, command).await?);
        Ok(wire::RequestWriteOffResponse {
            item: Some(proto::difference(&item)),
            outcome,
        })
    }

    pub(super) async fn approve_write_off(
        &self,
        principal: &Principal,
        request: &wire::ApproveWriteOffRequest,
    ) -> Result<wire::ApproveWriteOffResponse, Error> {
        let mut fields = Fields::default();
        let id = fields.parse("break_id", &request.break_id);
        let id = id.ok_or_else(|| fields.error())?;
        let (item, outcome) = parts(self.app.approve_write_off(principal, id).await?);
        Ok(wire::ApproveWriteOffResponse {
            item: Some(proto::difference(&item)),
            outcome,
        })
    }
}
