//! Merchants and transactions.

use std::collections::BTreeMap;

use paymesh_proto::{
    merchant::v1::{self as merchant, merchant_service_server::MerchantService},
    transaction::v1::{
        self as transaction, TransactionStatus, transaction_service_server::TransactionService,
    },
    types::v1::Outcome,
};
use tonic::{Request, Response, Status};

use super::{Shared, service};

/// Merchants by id.
#[derive(Debug, Default)]
pub(crate) struct Merchants {
    pub(crate) known: BTreeMap<String, merchant::Merchant>,
}

/// Transactions by id, and what they were told.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    pub(crate) known: BTreeMap<String, transaction::Transaction>,
    pub(crate) told: Vec<(TransactionStatus, String)>,
}

service!(MerchantService, Shared<Merchants> {
    async fn get_merchant(
        &self,
        request: Request<merchant::GetMerchantRequest>,
    ) -> Result<Response<merchant::GetMerchantResponse>, Status> {
        let found = self.lock().known.get(&request.into_inner().merchant_id).cloned();
        if found.is_none() {
            return Err(super::not_found("MERCHANT_NOT_FOUND"));
        }
        Ok(Response::new(merchant::GetMerchantResponse { merchant: found }))
    }
} unused {
        register(merchant::RegisterRequest) -> merchant::RegisterResponse;
        list_merchants(merchant::ListMerchantsRequest) -> merchant::ListMerchantsResponse;
        update_merchant(merchant::UpdateMerchantRequest) -> merchant::UpdateMerchantResponse;
        update_plan(merchant::UpdatePlanRequest) -> merchant::UpdatePlanResponse;
        add_terminal(merchant::AddTerminalRequest) -> merchant::AddTerminalResponse;
        get_terminal(merchant::GetTerminalRequest) -> merchant::GetTerminalResponse;
        list_terminals(merchant::ListTerminalsRequest) -> merchant::ListTerminalsResponse;
        update_terminal(merchant::UpdateTerminalRequest) -> merchant::UpdateTerminalResponse;
});

service!(TransactionService, Shared<Transactions> {
    async fn get_transaction(
        &self,
        request: Request<transaction::GetTransactionRequest>,
    ) -> Result<Response<transaction::GetTransactionResponse>, Status> {
        let found = self.lock().known.get(&request.into_inner().transaction_id).cloned();
        if found.is_none() {
            return Err(super::not_found("TRANSACTION_NOT_FOUND"));
        }
        Ok(Response::new(transaction::GetTransactionResponse { transaction: found }))
    }

    async fn update_transaction_status(
        &self,
        request: Request<transaction::UpdateTransactionStatusRequest>,
    ) -> Result<Response<transaction::UpdateTransactionStatusResponse>, Status> {
        let request = request.into_inner();
        let status = request.status();
        let mut records = self.lock();
        records.told.push((status, request.reference));
        let found = records.known.get_mut(&request.transaction_id).unwrap();
        assert_eq!(found.version, request.expected_version);
        found.status = status.into();
        found.version += 1;
        Ok(Response::new(transaction::UpdateTransactionStatusResponse {
            transaction: Some(found.clone()),
            outcome: Outcome::Applied.into(),
        }))
    }
} unused {
        create_transaction(transaction::CreateTransactionRequest) -> transaction::CreateTransactionResponse;
        capture(transaction::CaptureRequest) -> transaction::CaptureResponse;
        refund(transaction::RefundRequest) -> transaction::RefundResponse;
        cancel_transaction(transaction::CancelTransactionRequest) -> transaction::CancelTransactionResponse;
        complete_action(transaction::CompleteActionRequest) -> transaction::CompleteActionResponse;
        approve_review(transaction::ApproveReviewRequest) -> transaction::ApproveReviewResponse;
        reject_review(transaction::RejectReviewRequest) -> transaction::RejectReviewResponse;
        record_chargeback(transaction::RecordChargebackRequest) -> transaction::RecordChargebackResponse;
        request_resolve_stuck(transaction::RequestResolveStuckRequest) -> transaction::RequestResolveStuckResponse;
        approve_resolve_stuck(transaction::ApproveResolveStuckRequest) -> transaction::ApproveResolveStuckResponse;
        list_transactions(transaction::ListTransactionsRequest) -> transaction::ListTransactionsResponse;
        list_transactions_by_user(transaction::ListTransactionsByUserRequest) -> transaction::ListTransactionsByUserResponse;
        get_transaction_summary(transaction::GetTransactionSummaryRequest) -> transaction::GetTransactionSummaryResponse;
        get_transaction_history(transaction::GetTransactionHistoryRequest) -> transaction::GetTransactionHistoryResponse;
});
