//! Requests for lists and totals.

use paymesh_kernel::id::UserId;
use paymesh_proto::transaction::v1 as wire;

use super::PURPOSE;
use crate::{
    error::Error,
    grpc::{convert, read::Reader},
    store::view::{Filter, Place},
};

type Where = (Option<Place>, u64);

pub(in crate::grpc) fn list(
    request: &wire::ListTransactionsRequest,
) -> Result<(Filter, Where), Error> {
    let mut reader = Reader::default();
    let (from, until) = reader.range(request.business.as_ref());
    let filter = Filter {
        kind: convert::read_kind(request.kind()),
        status: convert::read_status(request.status()),
        user: None,
        merchant: reader.maybe_id("merchant_id", &request.merchant_id),
        terminal: reader.maybe_id("terminal_id", &request.terminal_id),
        account: reader.maybe_id("account_id", &request.account_id),
        purpose: reader.text("purpose", &request.purpose, PURPOSE),
        from,
        until,
    };
    let page = reader.page(request.page.as_ref());
    reader.finish(Some((filter, page)))
}

pub(in crate::grpc) fn list_of_user(
    request: &wire::ListTransactionsByUserRequest,
) -> Result<(UserId, Filter, Where), Error> {
    let mut reader = Reader::default();
    let user: Option<UserId> = reader.id("user_id", &request.user_id);
    let (from, until) = reader.range(request.business.as_ref());
    let filter = Filter {
        kind: convert::read_kind(request.kind()),
        status: convert::read_status(request.status()),
        from,
        until,
        ..Filter::default()
    };
    let page = reader.page(request.page.as_ref());
    reader.finish(user.map(|user| (user, filter, page)))
}

pub(in crate::grpc) fn summary(
    request: &wire::GetTransactionSummaryRequest,
) -> Result<Filter, Error> {
    let mut reader = Reader::default();
    let (from, until) = reader.range(request.business.as_ref());
    let filter = Filter {
        user: reader.maybe_id("user_id", &request.user_id),
        merchant: reader.maybe_id("merchant_id", &request.merchant_id),
        from,
        until,
        ..Filter::default()
    };
    reader.finish(Some(filter))
}
