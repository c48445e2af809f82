//! Breaks: what does not agree, and who deals with it.

use std::sync::Arc;

use paymesh_proto::settlement::v1 as pb;

use super::{
    answer::{Done, Found, Page, present},
    form::{Amount, Form, Moment, Word, form, number_of, request, words},
    input::{Body, Listing, Path},
    once::Once,
    problem::Problem,
    route::Route,
    settlement::TAG,
};
use crate::clients::Clients;

words! {
    pb::BreakKind = BreakKind "BREAK_KIND_";
    pb::BreakState = BreakState "BREAK_STATE_";
}

form! {
    /// Something that does not agree.
    Break from pb::Break {
        /// `brk_…`
        id: String,
        kind: Word<pb::BreakKind>,
        state: Word<pb::BreakState>,
        reconciliation_id: Option<String>,
        reference: Option<String>,
        /// Left out when it is missing there.
        ledger_amount: Option<Amount>,
        /// Left out when it is missing there.
        statement_amount: Option<Amount>,
        /// Statement less ledger; may be negative.
        difference: Option<Amount>,
        statement_id: Option<String>,
        line_number: Option<u64>,
        transaction_id: Option<String>,
        assignee: Option<String>,
        note: Option<String>,
        write_off_requested_by: Option<String>,
        write_off_approved_by: Option<String>,
        opened_at: Moment = opened_at_us,
        closed_at: Option<Moment> = closed_at_us,
    }
}

request! {
    /// Which breaks.
    BreakFilter {
        kind: Option<Word<pb::BreakKind>>,
        state: Option<Word<pb::BreakState>>,
        assignee: Option<String>,
    }
}

request! {
    /// Who deals with it.
    AssignBreak {
        /// Nobody, if it is left out.
        assignee: Option<String>,
        note: Option<String>,
    }
}

request! {
    /// Why it is to be written off.
    RequestWriteOff {
        note: String,
    }
}

pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::get("/v1/settlement/breaks", list)
            .about("List breaks, oldest first")
            .calls(&["SettlementService/ListBreaks"])
            .tag(TAG),
        Route::get("/v1/settlement/breaks/{break_id}", get)
            .about("Read a break")
            .calls(&["SettlementService/GetBreak"])
            .tag(TAG),
        Route::post("/v1/settlement/breaks/{break_id}/assign", assign)
            .about("Give a break to a person")
            .calls(&["SettlementService/AssignBreak"])
            .tag(TAG),
        Route::post(
            "/v1/settlement/breaks/{break_id}/write-off",
            request_write_off,
        )
        .about("Ask for a break to be written off: the first person")
        .calls(&["SettlementService/RequestWriteOff"])
        .money()
        .tag(TAG),
        Route::post(
            "/v1/settlement/breaks/{break_id}/write-off/approve",
            approve_write_off,
        )
        .about("Approve a write-off: the second person")
        .notes("The difference is booked.")
        .calls(&["SettlementService/ApproveWriteOff"])
        .money()
        .tag(TAG),
    ]
}

async fn list(
    clients: Arc<Clients>,
    listing: Listing<BreakFilter>,
) -> Result<Page<Break>, Problem> {
    let Listing { filter, page } = listing;
    let request = pb::ListBreaksRequest {
        kind: number_of(filter.kind),
        state: number_of(filter.state),
        assignee: filter.assignee.unwrap_or_default(),
        page: Some(page),
    };
    let answer = clients
        .settlement()
        .list_breaks(request)
        .await?
        .into_inner();
    Ok(Page::new(Form::form(answer.breaks), answer.page_info))
}

async fn get(clients: Arc<Clients>, Path(break_id): Path<0>) -> Result<Found<Break>, Problem> {
    let answer = clients
        .settlement()
        .get_break(pb::GetBreakRequest { break_id })
        .await?
        .into_inner();
    Ok(Found(Break::form(present(
        answer.item,
        "settlement",
        "item",
    )?)))
}

fn done(item: Option<pb::Break>, outcome: i32) -> Result<Done<Break>, Problem> {
    Ok(Done::new(
        Break::form(present(item, "settlement", "item")?),
        outcome,
    ))
}

async fn assign(
    clients: Arc<Clients>,
    once: Once,
    Path(break_id): Path<0>,
    Body(body): Body<AssignBreak>,
) -> Result<Done<Break>, Problem> {
    let request = pb::AssignBreakRequest {
        break_id,
        assignee: body.assignee.unwrap_or_default(),
        note: body.note.unwrap_or_default(),
    };
    let answer = once
        .run_once(async || {
            Ok(clients
                .settlement()
                .assign_break(request)
                .await?
                .into_inner())
        })
        .await?;
    done(answer.item, answer.outcome)
}

async fn request_write_off(
    clients: Arc<Clients>,
    once: Once,
    Path(break_id): Path<0>,
    Body(body): Body<RequestWriteOff>,
) -> Result<Done<Break>, Problem> {
    let note = body.note;
    let request = pb::RequestWriteOffRequest { break_id, note };
    let answer = once
        .run_once(async || {
            Ok(clients
                .settlement()
                .request_write_off(request)
                .await?
                .into_inner())
        })
        .await?;
    done(answer.item, answer.outcome)
}

async fn approve_write_off(
    clients: Arc<Clients>,
    once: Once,
    Path(break_id): Path<0>,
) -> Result<Done<Break>, Problem> {
    let request = pb::ApproveWriteOffRequest { break_id };
    let answer = once
        .run_once(async || {
            Ok(clients
                .settlement()
                .approve_write_off(request)
                .await?
                .into_inner())
        })
        .await?;
    done(answer.item, answer.outcome)
}
