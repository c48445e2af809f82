//! Forms of what is done with a transaction after it began.

use paymesh_proto::transaction::v1 as pb;

use super::super::{
    form::{Amount, Moment, Word, form, request, shape, words},
    transactions::{Operation, Transaction},
};

words! {
    pb::ChargebackStage = ChargebackStage "CHARGEBACK_STAGE_";
    pb::StepKind = StepKind "STEP_KIND_";
    pb::StepDirection = StepDirection "STEP_DIRECTION_";
    pb::StepState = StepState "STEP_STATE_";
}

shape! {
    /// An operation, and the transaction after it.
    OperationResult {
        operation: Operation,
        transaction: Transaction,
    }
}

form! {
    /// A step of the saga.
    Step from pb::Step {
        /// Operation, step, direction.
        key: String,
        operation_id: String,
        kind: Word<pb::StepKind>,
        direction: Word<pb::StepDirection>,
        state: Word<pb::StepState>,
        /// Tries so far, from 1.
        attempt: i32,
        /// Transfer, attempt, quote or decision.
        reference: Option<String>,
        reason: Option<String>,
        started_at: Option<Moment> = started_at_us,
        finished_at: Option<Moment> = finished_at_us,
        /// Next try.
        wakes_at: Option<Moment> = wakes_at_us,
    }
}

form! {
    /// A change of status.
    StatusChange from pb::StatusChange {
        from: Option<Word<pb::TransactionStatus>>,
        to: Word<pb::TransactionStatus>,
        version: u64,
        reason: Option<String>,
        changed_by: Option<String>,
        changed_at: Moment = changed_at_us,
    }
}

form! {
    /// What happened to a transaction, oldest first.
    History from pb::GetTransactionHistoryResponse {
        status_changes: Vec<StatusChange>,
        steps: Vec<Step>,
    }
}

request! {
    /// A capture.
    Capture {
        /// All that is authorized and not yet captured, if it is left out.
        amount: Option<Amount>,
        /// No further capture: the rest of the authorization is released.
        r#final: Option<bool>,
        /// Sandboxes only.
        business_at: Option<Moment>,
        /// Longest wait for the outcome; 0 does not wait.
        wait_ms: Option<i32>,
    }
}

request! {
    /// A refund.
    Refund {
        /// All that is left, if it is left out.
        amount: Option<Amount>,
        /// At most 255 characters; no personal data.
        reason: Option<String>,
        /// Sandboxes only.
        business_at: Option<Moment>,
        /// Longest wait for the outcome; 0 does not wait.
        wait_ms: Option<i32>,
    }
}

request! {
    /// Why it is called off.
    Cancel {
        reason: Option<String>,
        /// Longest wait for the outcome; 0 does not wait.
        wait_ms: Option<i32>,
    }
}

request! {
    /// What came of a required action.
    CompleteAction {
        /// As in `required_action`.
        action_id: String,
        /// One-time code, or what the provider's page returned; at most 2 KiB.
        response: Option<String>,
        /// Longest wait for the outcome; 0 does not wait.
        wait_ms: Option<i32>,
    }
}

request! {
    /// A reviewer's word.
    Review {
        note: Option<String>,
        /// Longest wait for the outcome; 0 does not wait.
        wait_ms: Option<i32>,
    }
}

request! {
    /// A chargeback, or what became of it.
    RecordChargeback {
        /// `dp_…`
        dispute_id: String,
        stage: Word<pb::ChargebackStage>,
        amount: Amount,
        /// What the connector charges.
        connector_fee: Option<Amount>,
        /// The scheme's reason code.
        reason: Option<String>,
        /// Sandboxes only.
        business_at: Option<Moment>,
    }
}

request! {
    /// What to do with a stuck transaction.
    RequestResolution {
        resolution: Word<pb::Resolution>,
        reason: String,
    }
}
