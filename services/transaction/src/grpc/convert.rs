//! Our words become the contract's, and back. Facts and answers show things alike.

use paymesh_kernel::Timestamp;
use paymesh_money::Money;
use paymesh_proto::{
    transaction::v1 as wire,
    types::v1::{Decimal as WireDecimal, DeclineReason as WireDecline},
};

use crate::{
    clients::wire::{to_decline, to_money},
    domain::{
        exchange::{Decimal, Exchange},
        operation::{Operation, OperationKind, OperationState},
        party::Party,
        saga::{Direction, Step, StepKind, StepState},
        status::{Kind, Status},
        transaction::{CaptureMethod, Resolution, ResolutionRequest, Transaction},
    },
};

pub(crate) const fn kind(kind: Kind) -> wire::TransactionKind {
    match kind {
        Kind::Transfer => wire::TransactionKind::Transfer,
        Kind::Purchase => wire::TransactionKind::Purchase,
        Kind::TopUp => wire::TransactionKind::TopUp,
        Kind::Withdrawal => wire::TransactionKind::Withdrawal,
        Kind::Payout => wire::TransactionKind::Payout,
        Kind::Refund => wire::TransactionKind::Refund,
        Kind::Chargeback => wire::TransactionKind::Chargeback,
        Kind::Adjustment => wire::TransactionKind::Adjustment,
    }
}

pub(crate) fn read_kind(of: wire::TransactionKind) -> Option<Kind> {
    Kind::ALL.into_iter().find(|ours| kind(*ours) == of)
}

pub(crate) const fn status(status: Status) -> wire::TransactionStatus {
    match status {
        Status::Initiated => wire::TransactionStatus::Initiated,
        Status::RequiresAction => wire::TransactionStatus::RequiresAction,
        Status::InReview => wire::TransactionStatus::InReview,
        Status::Authorized => wire::TransactionStatus::Authorized,
        Status::Processing => wire::TransactionStatus::Processing,
        Status::Unknown => wire::TransactionStatus::Unknown,
        Status::Completed => wire::TransactionStatus::Completed,
        Status::Declined => wire::TransactionStatus::Declined,
        Status::Canceled => wire::TransactionStatus::Canceled,
        Status::Compensated => wire::TransactionStatus::Compensated,
        Status::Stuck => wire::TransactionStatus::Stuck,
        Status::Abandoned => wire::TransactionStatus::Abandoned,
    }
}

pub(crate) fn read_status(of: wire::TransactionStatus) -> Option<Status> {
    Status::ALL.into_iter().find(|ours| status(*ours) == of)
}

pub(crate) fn exchange(of: &Exchange) -> wire::Exchange {
    let decimal = |of: Decimal| {
        Some(WireDecimal {
            units: of.units,
            scale: of.scale,
        })
    };
    wire::Exchange {
        quote_id: of.quote.to_string(),
        source: Some(to_money(of.source)),
        target: Some(to_money(of.target)),
        spread: Some(to_money(of.spread)),
        mid_rate: decimal(of.mid_rate),
        customer_rate: decimal(of.customer_rate),
        rate_source: of.rate_source.clone(),
    }
}

pub(crate) const fn resolution(of: Resolution) -> wire::Resolution {
    match of {
        Resolution::RetryForward => wire::Resolution::RetryForward,
        Resolution::RetryCompensation => wire::Resolution::RetryCompensation,
        Resolution::Abandon => wire::Resolution::Abandon,
    }
}

pub(crate) fn read_resolution(of: wire::Resolution) -> Option<Resolution> {
    [
        Resolution::RetryForward,
        Resolution::RetryCompensation,
        Resolution::Abandon,
    ]
    .into_iter()
    .find(|ours| resolution(*ours) == of)
}

fn party(of: &Party) -> wire::Party {
    use wire::party::Party as Of;
    let party = match of {
        Party::Account { account, .. } => Of::AccountId(account.to_string()),
        Party::Method { method, customer } => Of::PaymentMethod(wire::PaymentMethodParty {
            payment_method_id: method.to_string(),
            customer_id: customer.to_string(),
        }),
        Party::Merchant { merchant, terminal } => Of::Merchant(wire::MerchantParty {
            merchant_id: merchant.to_string(),
            terminal_id: terminal.map(|id| id.to_string()).unwrap_or_default(),
        }),
        Party::Bank { token } => Of::Bank(wire::BankParty {
            destination_token: token.clone(),
        }),
    };
    wire::Party { party: Some(party) }
}

fn resolution_request(of: &ResolutionRequest) -> wire::ResolutionRequest {
    let approved = of.approved.as_ref();
    wire::ResolutionRequest {
        id: of.id.to_string(),
        resolution: resolution(of.resolution).into(),
        reason: of.reason.clone(),
        requested_by: of.requested_by.clone(),
        requested_at_us: of.requested_at.as_micros(),
        approved_by: approved.map(|(by, _)| by.clone()).unwrap_or_default(),
        approved_at_us: approved.map_or(0, |(_, at)| at.as_micros()),
    }
}

/// A transaction as callers see it. `operations` are all of its operations, oldest first.
pub(crate) fn transaction(of: &Transaction, operations: &[Operation]) -> wire::Transaction {
    let details = &of.details;
    let money = |minor: i64| Some(to_money(of.money(minor)));
    let decline = details.decline.as_ref();
    let capture = match details.capture {
        CaptureMethod::Automatic => wire::CaptureMethod::Automatic,
        CaptureMethod::Manual => wire::CaptureMethod::Manual,
    };
    let action = details
        .action
        .as_ref()
        .filter(|_| of.status == Status::RequiresAction);
    wire::Transaction {
        id: of.id.to_string(),
        kind: kind(of.kind).into(),
        status: status(of.status).into(),
        version: u64::try_from(of.version).unwrap_or(0),
        amount: Some(to_money(of.amount)),
        authorized: (of.sums.authorized > 0).then(|| to_money(of.money(of.sums.authorized))),
        captured: money(of.sums.captured),
        refunded: money(of.sums.refunded.saturating_add(of.sums.lost)),
        fee: Some(to_money(of.fee)),
        payer: Some(party(&of.payer)),
        payee: Some(party(&of.payee)),
        capture_method: capture.into(),
        purpose: details.purpose.clone(),
        description: details.description.clone(),
        decline_reason: decline
            .map_or(WireDecline::Unspecified, |decline| {
                to_decline(decline.reason)
            })
            .into(),
        decline_detail: decline
            .map(|decline| decline.detail.clone())
            .unwrap_or_default(),
        required_action: action.map(|action| wire::RequiredAction {
            kind: wire::ActionKind::Redirect.into(),
            url: action.url.clone(),
            action_id: action.id.clone(),
            expires_at_us: action.expires_at.as_micros(),
        }),
        exchange: details.exchange.as_ref().map(exchange),
        risk_decision_id: details
            .risk
            .as_ref()
            .map(|risk| risk.decision.to_string())
            .unwrap_or_default(),
        risk_score: details.risk.as_ref().map_or(0, |risk| risk.score),
        attempt_id: details
            .attempt
            .as_ref()
            .map(|attempt| attempt.id.to_string())
            .unwrap_or_default(),
        connector: details
            .attempt
            .as_ref()
            .map(|attempt| attempt.connector.clone())
            .unwrap_or_default(),
        operations: operations
            .iter()
            .filter_map(|part| operation(of, part))
            .collect(),
        resolution_request: details.resolution.as_ref().map(resolution_request),
        metadata: details.metadata.clone().into_iter().collect(),
        created_by: details.created_by.clone(),
        business_at_us: of.business_at.as_micros(),
        authorization_expires_at_us: micros(details.authorization_expires_at),
        created_at_us: of.created_at.as_micros(),
        updated_at_us: of.updated_at.as_micros(),
        ended_at_us: micros(of.ended_at),
    }
}

/// An operation as callers see it. The transaction itself shows as a capture when it was captured at once; what is given back
/// because it came too late does not show.
pub(crate) fn operation(transaction: &Transaction, of: &Operation) -> Option<wire::Operation> {
    let kind = match of.kind {
        OperationKind::Main
            if transaction.sums.captured > 0 && transaction.kind == Kind::Purchase =>
        {
            of.details.payee_amount?;
            wire::OperationKind::Capture
        }
        OperationKind::Main | OperationKind::LateUndo => return None,
        OperationKind::Capture => wire::OperationKind::Capture,
        OperationKind::Refund => wire::OperationKind::Refund,
        OperationKind::Chargeback => wire::OperationKind::Chargeback,
        OperationKind::ChargebackReversal => wire::OperationKind::ChargebackReversal,
    };
    let capture = of
        .details
        .capture
        .filter(|_| of.kind == OperationKind::Main);
    let decline = of.details.decline.as_ref();
    let own = of.details.exchange.as_ref().map(exchange);
    let shared = transaction
        .details
        .exchange
        .as_ref()
        .zip(of.details.legs.as_ref());
    let shared = shared.map(|(full, legs)| wire::Exchange {
        source: Some(to_money(legs.source)),
        target: Some(to_money(legs.target)),
        spread: Some(to_money(legs.spread)),
        ..exchange(full)
    });
    Some(wire::Operation {
        id: capture.map_or_else(|| of.public_id(), |capture| capture.to_string()),
        transaction_id: of.transaction.to_string(),
        kind: kind.into(),
        state: operation_state(of.state).into(),
        amount: Some(to_money(of.amount)),
        fee: fee(transaction, of).map(to_money),
        exchange: own.or(shared),
        decline_reason: decline
            .map_or(WireDecline::Unspecified, |decline| {
                to_decline(decline.reason)
            })
            .into(),
        reason: of.details.reason.clone(),
        attempt_reference: of.details.connector_reference.clone(),
        created_at_us: of.created_at.as_micros(),
        finished_at_us: micros(of.finished_at),
    })
}

/// What the payee was charged. For a chargeback it is the plan's fee, once it is booked; one that is given back stays with the
/// chargeback that it was charged with.
fn fee(transaction: &Transaction, of: &Operation) -> Option<Money> {
    let is_booked = of.kind == OperationKind::Chargeback && !of.details.booked.is_empty();
    let terms = transaction.details.terms.merchant.as_ref();
    let by_plan = terms
        .filter(|_| is_booked)
        .map(|terms| terms.chargeback_fee);
    of.details
        .fee
        .or_else(|| by_plan.filter(|fee| fee.is_positive()))
}

const fn operation_state(state: OperationState) -> wire::OperationState {
    match state {
        OperationState::Pending => wire::OperationState::Pending,
        OperationState::Completed => wire::OperationState::Completed,
        OperationState::Declined => wire::OperationState::Declined,
        OperationState::Failed => wire::OperationState::Failed,
        OperationState::Unknown => wire::OperationState::Unknown,
    }
}

/// A step as history shows it; those that were only planned do not show.
pub(crate) fn step(of: &Operation, step: &Step) -> Option<wire::Step> {
    let state = match step.state {
        StepState::Planned => return None,
        StepState::Pending => wire::StepState::Pending,
        StepState::Done => wire::StepState::Done,
        StepState::Declined => wire::StepState::Declined,
        StepState::Failed => wire::StepState::Failed,
        StepState::Unknown => wire::StepState::Unknown,
        StepState::Skipped => wire::StepState::Skipped,
    };
    let direction = match step.direction {
        Direction::Forward => wire::StepDirection::Forward,
        Direction::Backward => wire::StepDirection::Backward,
    };
    let base = || {
        step.base
            .map(|base| base.nth(0).to_string())
            .unwrap_or_default()
    };
    let reference = if step.reference.is_empty() {
        base()
    } else {
        step.reference.clone()
    };
    Some(wire::Step {
        key: of.step_key(step.kind, step.direction),
        operation_id: of.public_id(),
        kind: step_kind(step.kind).into(),
        direction: direction.into(),
        state: state.into(),
        attempt: i32::try_from(step.tries).unwrap_or(i32::MAX),
        reference,
        reason: step.reason.clone(),
        started_at_us: micros(step.started_at),
        finished_at_us: micros(step.finished_at),
        wakes_at_us: if step.is_settled() {
            0
        } else {
            micros(of.next_wake_at)
        },
    })
}

const fn step_kind(kind: StepKind) -> wire::StepKind {
    match kind {
        StepKind::Risk => wire::StepKind::Risk,
        StepKind::Quote => wire::StepKind::Quote,
        StepKind::ConsumeQuote => wire::StepKind::ConsumeQuote,
        StepKind::Review => wire::StepKind::Review,
        StepKind::Hold => wire::StepKind::Hold,
        StepKind::Authorize => wire::StepKind::Authorize,
        StepKind::Action => wire::StepKind::Action,
        StepKind::Capture => wire::StepKind::Capture,
        StepKind::Refund => wire::StepKind::Refund,
        StepKind::Payout => wire::StepKind::Payout,
        StepKind::Post => wire::StepKind::Post,
        StepKind::Cancel => wire::StepKind::Cancel,
        StepKind::Void => wire::StepKind::Void,
        StepKind::Reverse => wire::StepKind::Reverse,
    }
}

/// Changes of status as history shows them.
pub(crate) fn changes(of: &Transaction) -> Vec<wire::StatusChange> {
    let change = |change: &crate::domain::transaction::StatusChange| wire::StatusChange {
        from: status(change.from).into(),
        to: status(change.to).into(),
        version: u64::try_from(change.version).unwrap_or(0),
        reason: change.reason.clone(),
        changed_by: change.by.clone(),
        changed_at_us: change.at.as_micros(),
    };
    of.details.changes.iter().map(change).collect()
}

fn micros(at: Option<Timestamp>) -> i64 {
    at.map_or(0, Timestamp::as_micros)
}
