//! Domain words as the contract has them, for answers and facts alike.

use paymesh_money::Money;
use paymesh_proto::{merchant::v1 as wire, types};

use crate::domain::{NegativeBalance, Plan, State, TerminalState};

/// A merchant's state. Who is not active yet, or never will be, takes no payments: that is what suspended says.
pub(crate) const fn state(state: State) -> wire::MerchantState {
    match state {
        State::Active => wire::MerchantState::Active,
        State::Opening | State::Suspended | State::Refused => wire::MerchantState::Suspended,
        State::Closed => wire::MerchantState::Closed,
    }
}

/// A terminal's state.
pub(crate) const fn terminal_state(state: TerminalState) -> wire::TerminalState {
    match state {
        TerminalState::Active => wire::TerminalState::Active,
        TerminalState::Disabled => wire::TerminalState::Disabled,
    }
}

/// A plan.
pub(crate) fn plan(plan: &Plan) -> wire::Plan {
    let terms = &plan.terms;
    let negative_balance = match terms.negative_balance {
        NegativeBalance::Refused => wire::NegativeBalance::Refused,
        NegativeBalance::Allowed => wire::NegativeBalance::Allowed,
    };
    wire::Plan {
        fee_bp: i64::from(terms.fee.get()),
        fee_fixed: Some(money(terms.fee_fixed)),
        settlement_delay_days: terms.delay_days,
        negative_balance: negative_balance.into(),
        chargeback_fee: Some(money(terms.chargeback_fee)),
        reserve_bp: i64::from(terms.reserve.get()),
        version: unsigned(plan.version),
    }
}

/// Versions begin at 1.
pub(crate) fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or(0)
}

fn money(money: Money) -> types::v1::Money {
    types::v1::Money {
        minor: money.minor(),
        currency: money.currency().code().to_owned(),
    }
}
