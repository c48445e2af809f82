//! Transactions that wait for the bank: withdrawals and payouts whose reservation they hold.

use paymesh_kernel::{ErrorKind, Fault as _, id::TenantId};
use paymesh_mesh::{CallError, Channel};
use paymesh_proto::transaction::v1::{
    GetTransactionRequest, TransactionStatus, UpdateTransactionStatusRequest,
    transaction_service_client::TransactionServiceClient,
};

use super::{as_self, not_understood};
use crate::domain::ids::{PayoutId, TransactionId};

/// What the bank did, as a transaction is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BankWord {
    /// It has the money: the reservation is booked.
    Sent,
    /// It certainly does not: the reservation is released.
    NotSent,
}

/// Transactions.
#[derive(Clone, Debug)]
pub(crate) struct Transactions {
    client: TransactionServiceClient<Channel>,
}

// === impl Transactions ===

impl Transactions {
    /// Over a channel to transaction.
    pub(crate) fn new(channel: Channel) -> Self {
        Self {
            client: TransactionServiceClient::new(channel),
        }
    }

    /// Tells a transaction what the bank did with its payout; again, it changes nothing.
    ///
    /// # Errors
    /// When transaction does not answer, or somebody changed it meanwhile: the same is to be told again.
    pub(crate) async fn tell(
        &self,
        tenant: TenantId,
        (transaction, payout): (TransactionId, PayoutId),
        (word, reason): (BankWord, &str),
    ) -> Result<(), CallError> {
        let request = GetTransactionRequest {
            transaction_id: transaction.to_string(),
            ..GetTransactionRequest::default()
        };
        let mut client = self.client.clone();
        let found = as_self(tenant, client.get_transaction(request)).await?;
        let found = found.transaction.ok_or_else(not_understood)?;
        let status = match word {
            BankWord::Sent => TransactionStatus::Completed,
            BankWord::NotSent => TransactionStatus::Compensated,
        };
        if found.status() == status {
            return Ok(());
        }
        let request = UpdateTransactionStatusRequest {
            transaction_id: transaction.to_string(),
            expected_version: found.version,
            status: status.into(),
            reason: reason.to_owned(),
            reference: payout.to_string(),
        };
        match as_self(tenant, client.update_transaction_status(request)).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::FailedPrecondition => {
                tracing::error!(%transaction, %payout, ?word, reason = error.reason_text(), "a transaction does not take what the bank did");
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}
