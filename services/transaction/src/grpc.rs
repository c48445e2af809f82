//! The gRPC surface: proto → checked command → use case → proto. No rules of the business here.

pub(crate) mod convert;
mod history;
mod read;
mod request;

use paymesh_chassis::Surface;
use paymesh_kernel::Principal;
use paymesh_mesh::{caller, to_status};
use paymesh_proto::{
    transaction::v1::{
        self as wire,
        transaction_service_server::{TransactionService, TransactionServiceServer},
    },
    types::v1::{Outcome as WireOutcome, PageInfo},
};
use tonic::{Request, Response, Status, service::Routes};

use crate::{
    app::{App, Outcome, Whole, command::Done, read::PageOf},
    domain::command::ReviewVerdict,
    error::Error,
};

/// The service.
#[derive(Clone, Debug)]
struct Grpc {
    app: App,
}

/// How the component is reached.
pub(crate) fn surface(app: App) -> Surface {
    Surface::Grpc(Routes::new(TransactionServiceServer::new(Grpc { app })))
}

/// Who asks, and what.
fn split<T>(request: Request<T>) -> Result<(Principal, T), Status> {
    let (_, principal) = caller(&request)?;
    let principal = principal.clone();
    Ok((principal, request.into_inner()))
}

fn answer<T>(result: Result<T, Error>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| to_status(&error))
}

fn split_outcome<T>(outcome: Outcome<T>) -> (T, i32) {
    match outcome {
        Outcome::Applied(value) => (value, WireOutcome::Applied.into()),
        Outcome::AlreadyApplied(value) => (value, WireOutcome::AlreadyApplied.into()),
    }
}

fn show(whole: &Whole) -> wire::Transaction {
    convert::transaction(&whole.transaction, &whole.operations)
}

fn show_part((whole, id): &Done) -> Option<wire::Operation> {
    let part = App::part(whole, *id)?;
    convert::operation(&whole.transaction, part)
}

fn show_page(page: &PageOf) -> (Vec<wire::Transaction>, Option<PageInfo>) {
    let next_token = page.next.map(read::token).unwrap_or_default();
    (
        page.items.iter().map(show).collect(),
        Some(PageInfo { next_token }),
    )
}

#[tonic::async_trait]
impl TransactionService for Grpc {
    async fn create_transaction(
        &self,
        request: Request<wire::CreateTransactionRequest>,
    ) -> Result<Response<wire::CreateTransactionResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let command = request::create(request)?;
                let (whole, outcome) = split_outcome(self.app.create(&principal, command).await?);
                let transaction = Some(show(&whole));
                Ok(wire::CreateTransactionResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn capture(
        &self,
        request: Request<wire::CaptureRequest>,
    ) -> Result<Response<wire::CaptureResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (part, finality) = request::capture(request)?;
                let (done, outcome) =
                    split_outcome(self.app.capture(&principal, part, finality).await?);
                Ok(wire::CaptureResponse {
                    transaction: Some(show(&done.0)),
                    operation: show_part(&done),
                    outcome,
                })
            }
            .await,
        )
    }

    async fn refund(
        &self,
        request: Request<wire::RefundRequest>,
    ) -> Result<Response<wire::RefundResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let part = request::refund(request)?;
                let (done, outcome) = split_outcome(self.app.refund(&principal, part).await?);
                Ok(wire::RefundResponse {
                    transaction: Some(show(&done.0)),
                    operation: show_part(&done),
                    outcome,
                })
            }
            .await,
        )
    }

    async fn cancel_transaction(
        &self,
        request: Request<wire::CancelTransactionRequest>,
    ) -> Result<Response<wire::CancelTransactionResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (keyed, reason) = request::cancel(request)?;
                let (whole, outcome) =
                    split_outcome(self.app.cancel(&principal, keyed, &reason).await?);
                let transaction = Some(show(&whole));
                Ok(wire::CancelTransactionResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn complete_action(
        &self,
        request: Request<wire::CompleteActionRequest>,
    ) -> Result<Response<wire::CompleteActionResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (keyed, action) = request::complete_action(request)?;
                let (whole, outcome) =
                    split_outcome(self.app.complete_action(&principal, keyed, action).await?);
                let transaction = Some(show(&whole));
                Ok(wire::CompleteActionResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn approve_review(
        &self,
        request: Request<wire::ApproveReviewRequest>,
    ) -> Result<Response<wire::ApproveReviewResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let what =
                    request::review(&request.transaction_id, &request.note, request.wait_ms)?;
                let done = self
                    .app
                    .review(&principal, what.0, ReviewVerdict::Approve)
                    .await?;
                let (whole, outcome) = split_outcome(done);
                let transaction = Some(show(&whole));
                Ok(wire::ApproveReviewResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn reject_review(
        &self,
        request: Request<wire::RejectReviewRequest>,
    ) -> Result<Response<wire::RejectReviewResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (what, note) = request::review(&request.transaction_id, &request.note, None)?;
                let done = self
                    .app
                    .review(&principal, what, ReviewVerdict::Reject(note))
                    .await?;
                let (whole, outcome) = split_outcome(done);
                let transaction = Some(show(&whole));
                Ok(wire::RejectReviewResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn record_chargeback(
        &self,
        request: Request<wire::RecordChargebackRequest>,
    ) -> Result<Response<wire::RecordChargebackResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let word = request::chargeback(request)?;
                let (done, outcome) = split_outcome(self.app.chargeback(&principal, word).await?);
                Ok(wire::RecordChargebackResponse {
                    transaction: Some(show(&done.0)),
                    operation: show_part(&done),
                    outcome,
                })
            }
            .await,
        )
    }

    async fn request_resolve_stuck(
        &self,
        request: Request<wire::RequestResolveStuckRequest>,
    ) -> Result<Response<wire::RequestResolveStuckResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (id, asked) = request::request_resolution(&request)?;
                let (whole, outcome) =
                    split_outcome(self.app.request_resolution(&principal, id, asked).await?);
                let transaction = Some(show(&whole));
                Ok(wire::RequestResolveStuckResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn approve_resolve_stuck(
        &self,
        request: Request<wire::ApproveResolveStuckRequest>,
    ) -> Result<Response<wire::ApproveResolveStuckResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (id, asked) = request::approve_resolution(&request)?;
                let (whole, outcome) =
                    split_outcome(self.app.approve_resolution(&principal, id, asked).await?);
                let transaction = Some(show(&whole));
                Ok(wire::ApproveResolveStuckResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn update_transaction_status(
        &self,
        request: Request<wire::UpdateTransactionStatusRequest>,
    ) -> Result<Response<wire::UpdateTransactionStatusResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let word = request::bank_word(request)?;
                let (whole, outcome) = split_outcome(self.app.bank_status(&principal, word).await?);
                let transaction = Some(show(&whole));
                Ok(wire::UpdateTransactionStatusResponse {
                    transaction,
                    outcome,
                })
            }
            .await,
        )
    }

    async fn get_transaction(
        &self,
        request: Request<wire::GetTransactionRequest>,
    ) -> Result<Response<wire::GetTransactionResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let id = request::transaction_id(&request.transaction_id)?;
                let whole = self.app.get(&principal, id, request.wait_ms).await?;
                let transaction = Some(show(&whole));
                Ok(wire::GetTransactionResponse { transaction })
            }
            .await,
        )
    }

    async fn list_transactions(
        &self,
        request: Request<wire::ListTransactionsRequest>,
    ) -> Result<Response<wire::ListTransactionsResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (filter, page) = request::list(&request)?;
                let (transactions, page_info) =
                    show_page(&self.app.list(&principal, filter, page).await?);
                Ok(wire::ListTransactionsResponse {
                    transactions,
                    page_info,
                })
            }
            .await,
        )
    }

    async fn list_transactions_by_user(
        &self,
        request: Request<wire::ListTransactionsByUserRequest>,
    ) -> Result<Response<wire::ListTransactionsByUserResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let (user, filter, page) = request::list_of_user(&request)?;
                let page = self
                    .app
                    .list_of_user(&principal, user, filter, page)
                    .await?;
                let (transactions, page_info) = show_page(&page);
                Ok(wire::ListTransactionsByUserResponse {
                    transactions,
                    page_info,
                })
            }
            .await,
        )
    }

    async fn get_transaction_summary(
        &self,
        request: Request<wire::GetTransactionSummaryRequest>,
    ) -> Result<Response<wire::GetTransactionSummaryResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let filter = request::summary(&request)?;
                let (lines, fresh) = self.app.summary(&principal, filter).await?;
                Ok(wire::GetTransactionSummaryResponse {
                    lines: lines.iter().map(history::summary_line).collect(),
                    computed_at_us: fresh.map_or(0, paymesh_kernel::Timestamp::as_micros),
                })
            }
            .await,
        )
    }

    async fn get_transaction_history(
        &self,
        request: Request<wire::GetTransactionHistoryRequest>,
    ) -> Result<Response<wire::GetTransactionHistoryResponse>, Status> {
        let (principal, request) = split(request)?;
        answer(
            async {
                let id = request::transaction_id(&request.transaction_id)?;
                let whole = self.app.history(&principal, id).await?;
                Ok(history::history(&whole))
            }
            .await,
        )
    }
}
