//! Forms of facts in their json forms, for streams of events..

use paymesh_proto::{payment::v1 as payment, transaction::v1 as transaction, types::v1 as types};

use super::super::{
    disputes::Dispute,
    form::{Amount, Moment, Word, form},
    transactions::Exchange,
};

form! {
    /// A transaction at the moment of a fact.
    TransactionSnapshot from transaction::TransactionSnapshot {
        id: String = transaction_id,
        kind: Word<transaction::TransactionKind>,
        status: Word<transaction::TransactionStatus>,
        decline_reason: Option<Word<types::DeclineReason>>,
        amount: Option<Amount>,
        authorized: Option<Amount>,
        captured: Option<Amount>,
        refunded: Option<Amount>,
        fee: Option<Amount>,
        exchange: Option<Exchange>,
        payer_user_id: Option<String>,
        payer_account_id: Option<String>,
        payment_method_id: Option<String>,
        payee_user_id: Option<String>,
        payee_account_id: Option<String>,
        merchant_id: Option<String>,
        terminal_id: Option<String>,
        bank_token: Option<String> = bank_destination_token,
        capture_method: Option<Word<transaction::CaptureMethod>>,
        purpose: Option<String>,
        risk_decision_id: Option<String>,
        risk_score: Option<i32>,
        country: Option<String>,
        attempt_id: Option<String>,
        connector: Option<String>,
        version: u64,
        business_at: Option<Moment> = business_at_us,
        created_at: Option<Moment> = created_at_us,
        updated_at: Option<Moment> = updated_at_us,
    }
}

form! {
    /// `transaction.initiated.v1`
    TransactionInitiated from transaction::TransactionInitiated {
        transaction: Option<TransactionSnapshot>,
    }
}

form! {
    /// `transaction.authorized.v1`
    TransactionAuthorized from transaction::TransactionAuthorized {
        transaction: Option<TransactionSnapshot>,
        expires_at: Option<Moment> = expires_at_us,
    }
}

form! {
    /// `transaction.captured.v1`
    TransactionCaptured from transaction::TransactionCaptured {
        transaction: Option<TransactionSnapshot>,
        operation_id: String,
        amount: Option<Amount>,
        merchant_gross: Option<Amount>,
        fee: Option<Amount>,
        exchange: Option<Exchange>,
        r#final: bool,
        available_at: Option<Moment> = available_at_us,
        captured_at: Option<Moment> = captured_at_us,
    }
}

form! {
    /// `transaction.updated.v1`
    TransactionUpdated from transaction::TransactionUpdated {
        transaction: Option<TransactionSnapshot>,
        previous_status: Option<Word<transaction::TransactionStatus>>,
        reason: Option<String>,
        changed_at: Option<Moment> = changed_at_us,
    }
}

form! {
    /// `transaction.completed.v1`
    TransactionCompleted from transaction::TransactionCompleted {
        transaction: Option<TransactionSnapshot>,
        available_at: Option<Moment> = available_at_us,
        completed_at: Option<Moment> = completed_at_us,
    }
}

form! {
    /// `transaction.failed.v1`
    TransactionFailed from transaction::TransactionFailed {
        transaction: Option<TransactionSnapshot>,
        reason: Option<String>,
        failed_at: Option<Moment> = failed_at_us,
    }
}

form! {
    /// `transaction.refunded.v1`
    TransactionRefunded from transaction::TransactionRefunded {
        transaction: Option<TransactionSnapshot>,
        refund_id: String,
        amount: Option<Amount>,
        merchant_amount: Option<Amount>,
        exchange: Option<Exchange>,
        reason: Option<String>,
        reversed: bool,
        refunded_at: Option<Moment> = refunded_at_us,
    }
}

form! {
    /// `transaction.charged_back.v1`
    TransactionChargedBack from transaction::TransactionChargedBack {
        transaction: Option<TransactionSnapshot>,
        dispute_id: String,
        stage: Word<transaction::ChargebackStage>,
        amount: Option<Amount>,
        merchant_amount: Option<Amount>,
        merchant_fee: Option<Amount>,
        connector_fee: Option<Amount>,
        charged_back_at: Option<Moment> = charged_back_at_us,
    }
}

form! {
    /// A payment attempt at the moment of a fact.
    AttemptSnapshot from payment::AttemptSnapshot {
        id: String = attempt_id,
        transaction_id: Option<String>,
        payment_method_id: Option<String>,
        customer_id: Option<String>,
        merchant_id: Option<String>,
        connector: String,
        reference: Option<String>,
        connector_reference: Option<String>,
        state: Word<payment::AttemptState>,
        amount: Option<Amount>,
        authorized: Option<Amount>,
        captured: Option<Amount>,
        refunded: Option<Amount>,
        decline_reason: Option<Word<types::DeclineReason>>,
        decline_code: Option<String>,
        updated_at: Option<Moment> = updated_at_us,
    }
}

form! {
    /// `payment.authorized.v1`
    PaymentAuthorized from payment::PaymentAuthorized {
        attempt: Option<AttemptSnapshot>,
        authorization_expires_at: Option<Moment> = authorization_expires_at_us,
    }
}

form! {
    /// `payment.processed.v1`
    PaymentProcessed from payment::PaymentProcessed {
        attempt: Option<AttemptSnapshot>,
        operation_id: String,
        amount: Option<Amount>,
        processed_at: Option<Moment> = processed_at_us,
    }
}

form! {
    /// `payment.failed.v1`
    PaymentFailed from payment::PaymentFailed {
        attempt: Option<AttemptSnapshot>,
        reason: Option<String>,
        failed_at: Option<Moment> = failed_at_us,
    }
}

form! {
    /// `payment.updated.v1`
    PaymentUpdated from payment::PaymentUpdated {
        attempt: Option<AttemptSnapshot>,
        previous_state: Option<Word<payment::AttemptState>>,
        changed_at: Option<Moment> = changed_at_us,
    }
}

form! {
    /// `refund.initiated.v1`
    RefundInitiated from payment::RefundInitiated {
        attempt: Option<AttemptSnapshot>,
        refund_id: String,
        amount: Option<Amount>,
        initiated_at: Option<Moment> = initiated_at_us,
    }
}

form! {
    /// `refund.processed.v1`
    RefundProcessed from payment::RefundProcessed {
        attempt: Option<AttemptSnapshot>,
        refund_id: String,
        amount: Option<Amount>,
        connector_reference: Option<String>,
        processed_at: Option<Moment> = processed_at_us,
    }
}

form! {
    /// `refund.failed.v1`
    RefundFailed from payment::RefundFailed {
        attempt: Option<AttemptSnapshot>,
        refund_id: String,
        amount: Option<Amount>,
        decline_reason: Option<Word<types::DeclineReason>>,
        after_success: bool,
        failed_at: Option<Moment> = failed_at_us,
    }
}

form! {
    /// `dispute.opened.v1`
    DisputeOpened from payment::DisputeOpened {
        dispute: Option<Dispute>,
        customer_id: Option<String>,
        merchant_id: Option<String>,
        opened_at: Option<Moment> = opened_at_us,
    }
}

form! {
    /// `dispute.evidence_submitted.v1`
    DisputeEvidenceSubmitted from payment::DisputeEvidenceSubmitted {
        dispute: Option<Dispute>,
        submitted_at: Option<Moment> = submitted_at_us,
    }
}

form! {
    /// `dispute.won.v1`
    DisputeWon from payment::DisputeWon {
        dispute: Option<Dispute>,
        customer_id: Option<String>,
        merchant_id: Option<String>,
        decided_at: Option<Moment> = decided_at_us,
    }
}

form! {
    /// `dispute.lost.v1`
    DisputeLost from payment::DisputeLost {
        dispute: Option<Dispute>,
        customer_id: Option<String>,
        merchant_id: Option<String>,
        decided_at: Option<Moment> = decided_at_us,
    }
}

form! {
    /// `payment_method.created.v1`
    PaymentMethodCreated from payment::PaymentMethodCreated {
        payment_method_id: String,
        customer_id: Option<String>,
        connector: String,
        kind: Word<payment::PaymentMethodKind>,
        brand: Option<String>,
        issuer_country: Option<String>,
        created_at: Option<Moment> = created_at_us,
    }
}

form! {
    /// `payment_method.detached.v1`
    PaymentMethodDetached from payment::PaymentMethodDetached {
        payment_method_id: String,
        customer_id: Option<String>,
        detached_at: Option<Moment> = detached_at_us,
    }
}
