//! Words of the contract in ours; none for unspecified.

use paymesh_proto::{settlement::v1 as wire, types::v1 as types};

use crate::{
    app::Outcome,
    domain::{
        batch::BatchState,
        difference::{BreakKind, BreakState},
        payout::State,
        statement::{MatchState, StatementKind},
    },
};

pub(super) const fn batch_state(state: wire::BatchState) -> Option<BatchState> {
    match state {
        wire::BatchState::Open => Some(BatchState::Open),
        wire::BatchState::Closing => Some(BatchState::Closing),
        wire::BatchState::Closed => Some(BatchState::Closed),
        wire::BatchState::Unspecified => None,
    }
}

pub(super) const fn payout_state(state: wire::PayoutState) -> Option<State> {
    match state {
        wire::PayoutState::Reserved => Some(State::Reserved),
        wire::PayoutState::Sent => Some(State::Sent),
        wire::PayoutState::Confirmed => Some(State::Confirmed),
        wire::PayoutState::Returned => Some(State::Returned),
        wire::PayoutState::Failed => Some(State::Failed),
        wire::PayoutState::Unknown => Some(State::Unknown),
        wire::PayoutState::Unspecified => None,
    }
}

pub(super) const fn statement_kind(kind: wire::StatementKind) -> Option<StatementKind> {
    match kind {
        wire::StatementKind::Provider => Some(StatementKind::Provider),
        wire::StatementKind::Bank => Some(StatementKind::Bank),
        wire::StatementKind::Unspecified => None,
    }
}

pub(super) const fn match_state(state: wire::MatchState) -> Option<MatchState> {
    match state {
        wire::MatchState::Unmatched => Some(MatchState::Unmatched),
        wire::MatchState::Matched => Some(MatchState::Matched),
        wire::MatchState::Broken => Some(MatchState::Broken),
        wire::MatchState::WrittenOff => Some(MatchState::WrittenOff),
        wire::MatchState::Unspecified => None,
    }
}

pub(super) const fn break_kind(kind: wire::BreakKind) -> Option<BreakKind> {
    match kind {
        wire::BreakKind::MissingInLedger => Some(BreakKind::MissingInLedger),
        wire::BreakKind::MissingAtProvider => Some(BreakKind::MissingAtProvider),
        wire::BreakKind::MissingAtBank => Some(BreakKind::MissingAtBank),
        wire::BreakKind::AmountDiffers => Some(BreakKind::AmountDiffers),
        wire::BreakKind::CurrencyDiffers => Some(BreakKind::CurrencyDiffers),
        wire::BreakKind::Duplicate => Some(BreakKind::Duplicate),
        wire::BreakKind::Late => Some(BreakKind::Late),
        wire::BreakKind::Unspecified => None,
    }
}

pub(super) const fn break_state(state: wire::BreakState) -> Option<BreakState> {
    match state {
        wire::BreakState::Open => Some(BreakState::Open),
        wire::BreakState::Assigned => Some(BreakState::Assigned),
        wire::BreakState::WriteOffRequested => Some(BreakState::WriteOffRequested),
        wire::BreakState::WrittenOff => Some(BreakState::WrittenOff),
        wire::BreakState::Resolved => Some(BreakState::Resolved),
        wire::BreakState::Unspecified => None,
    }
}

pub(super) fn parts<T>(outcome: Outcome<T>) -> (T, i32) {
    match outcome {
        Outcome::Applied(object) => (object, types::Outcome::Applied.into()),
        Outcome::AlreadyApplied(object) => (object, types::Outcome::AlreadyApplied.into()),
    }
}
